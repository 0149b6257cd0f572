#include "erase/erase.h"

#include <string.h>

#include "base/clock.h"
#include "store/query.h"

#define PIECE_MICROSECONDS 5000

static enum err find_contact(struct db *db, struct arena *arena, struct text email, struct erase_person *person)
{
	struct user_by_email_out user;
	char id[UUID_TEXT_SIZE];
	enum err err =
	    query_one(db, STATEMENT_USER_BY_EMAIL, &(struct user_by_email_in){ .email = email }, &user, arena);

	if (err != OK || !text_equal(user.role, TEXT("Visitor")))
		return err == ERR_NOT_FOUND ? OK : err;
	person->contact_id = user.id;
	uuid_format(&user.id, id);
	person->user_id = text_copy(arena, text_of(id));
	return person->user_id.at == NULL ? ERR_MEMORY : OK;
}

/* Room for one more, in the arena. */
static enum err grow(struct arena *arena, struct erase_person *person, size_t *room)
{
	const size_t wanted = *room == 0 ? 16 : *room * 2;
	struct text *list;

	if (person->session_count < *room)
		return OK;
	list = arena_take_many(arena, wanted, sizeof *list);
	if (list == NULL)
		return ERR_MEMORY;
	if (person->session_count > 0)
		memcpy(list, person->sessions, person->session_count * sizeof *list);
	person->sessions = list;
	*room = wanted;
	return OK;
}

static enum err find_sessions(struct db *db, struct arena *arena, struct erase_person *person)
{
	struct person_sessions_out row;
	size_t room = 0;
	enum err err = db_start(db, STATEMENT_PERSON_SESSIONS,
				&(struct person_sessions_in){ person->visitor_id, person->user_id });

	while (err == OK && (err = db_step(db, STATEMENT_PERSON_SESSIONS, &row)) == OK) {
		err = grow(arena, person, &room);
		row.session_id = text_copy(arena, row.session_id);
		if (err != OK || row.session_id.at == NULL)
			err = ERR_MEMORY;
		else
			person->sessions[person->session_count++] = row.session_id;
	}
	db_stop(db, STATEMENT_PERSON_SESSIONS);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err erase_find_person(struct db *db, struct arena *arena, const struct uuid *visitor_id, struct erase_person *out)
{
	struct visitor_by_id_out visitor;
	enum err err =
	    query_one(db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = *visitor_id }, &visitor, arena);

	*out = (struct erase_person){ .visitor_id = *visitor_id };
	if (err == OK && visitor.email.at != NULL)
		err = find_contact(db, arena, visitor.email, out);
	return err == OK ? find_sessions(db, arena, out) : err;
}

/* One chat that the statement finds, or some of what names it. `*found`: there was one. */
static enum err erase_one_chat(struct erasing *erasing, enum statement_id id, const void *in, bool *found)
{
	int64_t number;
	size_t count = 0;
	bool more = false;
	enum err err = erase_find(erasing->counting.db, id, in, &number, 1, &count);

	*found = count > 0;
	if (err != OK || count == 0)
		return err;
	err = erase_chat_some(erasing, number, &more);
	return err == OK && !more ? erase_chat_alone(erasing, number) : err;
}

static enum err erase_of_session(struct erasing *erasing, struct text session_id, size_t limit, bool *more)
{
	const struct chats_of_session_in in = { .session_id = session_id, .limit = 1 };
	enum err err = erase_one_chat(erasing, STATEMENT_CHATS_OF_SESSION, &in, more);

	return err == OK && !*more ? erase_carriers(erasing, session_id, limit, more) : err;
}

static enum err erase_linked(struct erasing *erasing, const struct uuid *visitor_id, size_t limit, bool *more)
{
	static const struct erase_source sources[] = { { ERASE_VIEWS, STATEMENT_VIEWS_OF_VISITOR },
						       { ERASE_WEB_MENTIONS, STATEMENT_WEB_MENTIONS_OF_VISITOR } };
	const struct chats_of_visitor_in in = { .visitor_id = *visitor_id, .limit = 1 };
	enum err err = erase_one_chat(erasing, STATEMENT_CHATS_OF_VISITOR, &in, more);

	if (err != OK || *more)
		return err;
	return erase_sources(erasing, sources, 2, &(struct views_of_visitor_in){ *visitor_id, (int64_t)limit }, limit,
			     more);
}

/* What is counted still goes first, so that little waits at any time; the sessions before what tells of them. */
static enum err erase_part(struct erasing *erasing, struct erase_person *person, size_t limit, bool *more)
{
	enum err err = erase_uncount(erasing, more);

	if (err != OK || *more)
		return err;
	if (person->session_at == person->session_count)
		return erase_linked(erasing, &person->visitor_id, limit, more);
	err = erase_of_session(erasing, person->sessions[person->session_at], limit, more);
	if (err == OK && !*more)
		person->session_at++;
	*more = true;
	return err;
}

enum err erase_visitor_some(struct erasing *erasing, struct erase_person *person, bool *more)
{
	const int64_t until = clock_monotonic() + PIECE_MICROSECONDS;
	enum err err = OK;

	*more = true;
	while (err == OK && *more && clock_monotonic() < until)
		err = erase_part(erasing, person, ERASE_OF_PIECE, more);
	return err;
}

/* What it leaves at other people's chats names nobody any more. */
static enum err erase_contact(struct erasing *erasing, const struct erase_person *person)
{
	struct db *db = erasing->counting.db;
	enum err err;

	if (person->user_id.at == NULL)
		return OK;
	err =
	    query_run(db, STATEMENT_CHATS_DROP_USER, &(struct chats_drop_user_in){ .user_id = person->user_id }, NULL);
	if (err == OK)
		err = query_run(db, STATEMENT_ARTICLE_VIEWS_DROP_USER,
				&(struct article_views_drop_user_in){ .user_id = person->user_id }, NULL);
	if (err == OK)
		err = query_run(db, STATEMENT_USER_DELETE, &(struct user_delete_in){ .id = person->contact_id }, NULL);
	erasing->receipt.users++;
	return err;
}

enum err erase_visitor_alone(struct erasing *erasing, const struct uuid *visitor_id)
{
	const struct counting *counting = &erasing->counting;
	struct visitor_by_id_out visitor;
	enum err err = query_one(counting->db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = *visitor_id },
				 &visitor, counting->arena);

	if (err == OK)
		err = query_run(counting->db, STATEMENT_VISITOR_DELETE,
				&(struct visitor_delete_in){ .id = *visitor_id }, NULL);
	if (err == OK)
		err = counting_visitor(counting,
				       &(struct counted_visitor){ .number = visitor.number,
								  .created_at = visitor.created_at,
								  .metadata = visitor.metadata },
				       NULL);
	erasing->receipt.visitors++;
	return err;
}

enum err erase_visitor(struct erasing *erasing, const struct uuid *visitor_id)
{
	struct erase_person person;
	bool more = true;
	enum err err = erase_find_person(erasing->counting.db, erasing->counting.arena, visitor_id, &person);

	while (err == OK && more)
		err = erase_part(erasing, &person, ERASE_AT_ONCE, &more);
	if (err == OK)
		err = erase_contact(erasing, &person);
	return err == OK ? erase_visitor_alone(erasing, visitor_id) : err;
}
