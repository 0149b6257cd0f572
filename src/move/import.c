#include <string.h>

#include "analytics/build.h"
#include "auth/api_key.h"
#include "auth/slug.h"
#include "base/clock.h"
#include "base/json_in.h"
#include "erase/retention.h"
#include "move/move.h"
#include "search/indexer.h"
#include "store/number_map.h"
#include "store/query.h"

#define PIECE_MEMORY ((size_t)64 * 1024 * 1024)
#define VALUE_MEMORY ((size_t)64 * 1024 * 1024)
#define ROWS_AHEAD   128                    /* sent before they are waited for */
#define BYTES_AHEAD  ((int64_t)1024 * 1024) /* the same, of their texts */

/* Kinds of the number map: rows by the numbers they had; of a chat the newest message that has come in so far, how many
 * there are, and whether its activity has come. */
enum { OF_CHATS, OF_MESSAGES, OF_ENDS, OF_LENGTHS, OF_ACTIVITIES };

struct importing {
	const struct move_place *place;
	struct arena *arena; /* of the whole import */
	struct fault *fault;
	struct archive *archive;
	struct number_map *map;
	const struct scope *scope;
	struct move_in_organization_in organization;
	struct moving_arrive_in arrival;
	const struct move_table *table; /* that comes in now, and how far it is */
	size_t which;
	int64_t rows;
	bool more;
	int64_t newest_message; /* its number here */
	/* Numbers that rows of this table get, where they must be known beforehand. */
	struct {
		int64_t list[ROWS_AHEAD];
		size_t count;
		size_t next;
	} reserved;
};

static enum err wrong(const struct importing *importing, const char *what)
{
	return fault_set(importing->fault, ERR_INVALID, NULL, "path",
			 "The file does not hold what it says, and nothing was stored: %s.", what);
}

static enum err check_row(const struct importing *importing, const struct statement *statement,
			  const union query_row *row)
{
	for (size_t i = 0; i < statement->in_count; i++) {
		const struct json_value *value;
		struct arena arena;
		struct text text;
		enum err err;

		if (statement->in[i].type != COLUMN_JSON)
			continue;
		memcpy(&text, row->bytes + statement->in[i].offset, sizeof text);
		if (text.at == NULL)
			continue;
		arena_init(&arena, VALUE_MEMORY);
		err = json_parse(text, &arena, &value, NULL);
		arena_fini(&arena);
		if (err != OK)
			return wrong(importing, "a text that must be JSON is none");
	}
	return OK;
}

/* Every value of every table is of its type before the first one is stored. */
static enum err check_rows(struct importing *importing)
{
	enum err err = OK;

	if (archive_count(importing->archive, "chat_activity") != archive_count(importing->archive, "chats"))
		return wrong(importing, "not every chat says where its messages are");

	for (size_t i = 0; err == OK && i < move_table_count; i++) {
		const enum statement_id id = move_tables[i].in;
		union query_row row;
		size_t which;

		moves_part(importing->place->moves, "checks", 0);
		err = archive_read(importing->archive, move_tables[i].name, id, NULL, NULL, &which);
		while (err == OK && (err = archive_next(importing->archive, which, &row, NULL)) == OK) {
			err = check_row(importing, &statements[id], &row);
			if (err == OK && atomic_load(importing->place->ending))
				err = ERR_UNAVAILABLE;
		}
		if (err == ERR_NOT_FOUND)
			err = OK;
	}
	return err;
}

static bool is_organization(const struct importing *importing)
{
	const struct move_in_organization_in *row = &importing->organization;
	const struct text status = importing->arrival.status;

	return uuid_equal(&row->id, &archive_manifest(importing->archive)->organization) && row->time_zone.at != NULL &&
	       (text_equal(status, TEXT("active")) || text_equal(status, TEXT("suspended"))) &&
	       row->requests_per_minute >= 0 && row->requests_per_minute <= API_KEY_RATE_MAX &&
	       (row->retention_days == DB_NULL ||
		(row->retention_days >= 1 && row->retention_days <= RETENTION_DAYS_MAX));
}

/* The organization's own row, as it is to be here. */
static enum err read_organization(struct importing *importing, struct text slug)
{
	struct move_in_organization_in *row = &importing->organization;
	char made[SLUG_SIZE];
	size_t which;
	enum err err = archive_read(importing->archive, "organizations", STATEMENT_MOVING_ARRIVE, NULL, NULL, &which);

	if (err == OK)
		err = archive_next(importing->archive, which, &importing->arrival, NULL);
	if (err == OK)
		importing->arrival.status = text_copy(importing->arena, importing->arrival.status);
	if (err == OK)
		err = archive_read(importing->archive, "organizations", STATEMENT_MOVE_IN_ORGANIZATION, NULL, NULL,
				   &which);
	if (err == OK)
		err = archive_next(importing->archive, which, row, NULL);
	if (err == ERR_NOT_FOUND || (err == OK && !is_organization(importing)))
		return wrong(importing, "its organization is none, or not the manifest's");
	if (err != OK)
		return err;
	/* The row is read no further, but its texts must outlive the next one. */
	row->slug = text_copy(importing->arena, slug.at != NULL ? slug : row->slug);
	row->organization_name = text_copy(importing->arena, row->organization_name);
	row->location = text_copy(importing->arena, row->location);
	row->website_url = text_copy(importing->arena, row->website_url);
	row->time_zone = text_copy(importing->arena, row->time_zone);
	row->moving_by = *moves_process(importing->place->moves);
	row->moving_at = clock_now();
	importing->arrival.moving_by = row->moving_by;
	if (importing->arena->failed)
		return ERR_MEMORY;
	if (row->slug.at == NULL || slug_of(row->slug, made) == 0 || !text_equal(text_of(made), row->slug))
		return fault_set(importing->fault, ERR_INVALID, NULL, "slug",
				 "slug must be letters a to z, digits and single hyphens, for example fort-myers.");
	return OK;
}

/* What an import that was interrupted left of this very organization goes first. */
static enum err clear_way(struct importing *importing, const struct moving *moving)
{
	struct move_receipt receipt;

	if (!move_is_left(importing->place, moving))
		return fault_set(importing->fault, ERR_CONFLICT, NULL, NULL,
				 "Another command moves this organization at the moment: wait until it is done.");
	return move_remove(importing->place, moving, &receipt, importing->fault);
}

static enum err check_room(struct importing *importing)
{
	const struct text slug = importing->organization.slug;
	struct readers *readers = importing->place->readers;
	struct moving there;
	enum err err = moving_by_id(readers, importing->arena, &importing->organization.id, &there);

	if (err == OK && there.way == MOVING_NOT)
		return fault_set(importing->fault, ERR_CONFLICT, NULL, NULL,
				 "This organization is here already, as %.*s: nothing was stored.",
				 (int)there.slug.length, there.slug.at);
	if (err == OK)
		err = clear_way(importing, &there);
	if (err == OK || err == ERR_NOT_FOUND)
		err = moving_by_slug(readers, importing->arena, slug, &there);
	if (err == OK)
		return fault_set(importing->fault, ERR_CONFLICT, NULL, "slug",
				 "There is an organization with the slug %.*s already: give another one with --slug.",
				 (int)slug.length, slug.at);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* The account that a member of the file has here; nil: none. */
static enum err take_account(const struct importing *importing, struct db *db, struct arena *arena, struct uuid *id)
{
	const struct uuid given = *id;
	struct move_in_account_in account;
	struct move_in_identity_in identity;
	bool made = false;
	size_t which;
	enum err err;

	if (uuid_is_nil(id))
		return OK;
	err = archive_read(importing->archive, "accounts", STATEMENT_MOVE_IN_ACCOUNT, "id", &given, &which);
	if (err == OK)
		err = archive_next(importing->archive, which, &account, NULL);
	if (err == OK)
		err = moving_take_account(db, arena, &account, id, &made);
	if (err == ERR_NOT_FOUND || err == ERR_INVALID)
		return wrong(importing, "a member's account is not there, or has no e-mail");
	if (err != OK || !made)
		return err;
	err = archive_read(importing->archive, "identities", STATEMENT_MOVE_IN_IDENTITY, "account_id", &given, &which);
	while (err == OK && (err = archive_next(importing->archive, which, &identity, NULL)) == OK) {
		identity.account_id = *id;
		err = moving_take_identity(db, &identity);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* What points at a row of the file by its number points at the same row here. */
static enum err map_numbers(const struct importing *importing, const struct statement *statement, union query_row *row)
{
	static const struct {
		const char *column;
		int64_t kind;
	} references[] = { { "chat_number", OF_CHATS }, { "previous", OF_MESSAGES }, { "last_message", OF_MESSAGES } };

	for (size_t i = 0; i < statement->in_count; i++)
		for (size_t k = 0; k < sizeof references / sizeof references[0]; k++) {
			char *member = row->bytes + statement->in[i].offset;
			int64_t number;
			enum err err;

			if (strcmp(statement->in[i].name, references[k].column) != 0)
				continue;
			memcpy(&number, member, sizeof number);
			if (number == DB_NULL)
				continue;
			err = number_map_get(importing->map, references[k].kind, number, &number);
			if (err == ERR_NOT_FOUND)
				return wrong(importing, "a row belongs to one that is not there");
			if (err != OK)
				return err;
			memcpy(member, &number, sizeof number);
		}
	return OK;
}

/* A conversation is one chain through all its messages, in their order. */
static enum err check_chain(const struct importing *importing, const struct move_in_messages_in *message)
{
	int64_t end = DB_NULL;
	enum err err = number_map_get(importing->map, OF_ENDS, message->chat_number, &end);

	if (err == ERR_NOT_FOUND)
		err = OK;
	return err == OK && end != message->previous ? wrong(importing, "a conversation is no chain of its messages")
						     : err;
}

static enum err count_message(const struct importing *importing, int64_t chat)
{
	int64_t length = 0;
	enum err err = number_map_get(importing->map, OF_LENGTHS, chat, &length);

	return err == OK || err == ERR_NOT_FOUND ? number_map_set(importing->map, OF_LENGTHS, chat, length + 1) : err;
}

/* What is found by its chat alone is found from there: read, counted, and erased with it. */
static enum err check_activity(const struct importing *importing, const struct move_in_chat_activity_in *activity)
{
	int64_t end = DB_NULL;
	int64_t length = 0;
	enum err err = number_map_put(importing->map, OF_ACTIVITIES, activity->chat_number, activity->chat_number);

	if (err == OK)
		err = number_map_get(importing->map, OF_ENDS, activity->chat_number, &end);
	if (err == OK)
		err = number_map_get(importing->map, OF_LENGTHS, activity->chat_number, &length);
	if (err != OK && err != ERR_NOT_FOUND && err != ERR_CONFLICT)
		return err;
	return err == ERR_CONFLICT || end != activity->last_message || length != activity->message_count
		   ? wrong(importing, "a chat says otherwise where its messages are, or how many")
		   : OK;
}

/* On SQLite a message is found by its chat alone, also where what came in so far must go again. */
static enum err follow_message(struct importing *importing, struct db *db, const struct move_in_messages_in *message,
			       int64_t number, int64_t here)
{
	const struct move_chat_head_in head = { .chat_number = message->chat_number, .last_message = here };
	enum err err = number_map_put(importing->map, OF_MESSAGES, number, here);

	importing->newest_message = here;
	if (err == OK)
		err = number_map_set(importing->map, OF_ENDS, message->chat_number, here);
	if (err == OK)
		err = count_message(importing, message->chat_number);
	return err == OK && !db_is_remote(db) ? db_send(db, STATEMENT_MOVE_CHAT_HEAD, &head) : err;
}

static enum err follow_chat(struct importing *importing, struct db *db, const struct move_in_chats_in *chat,
			    int64_t number, int64_t here)
{
	const struct chat_activity_create_in activity = { .chat_number = here, .updated_at = chat->created_at };
	enum err err = number_map_put(importing->map, OF_CHATS, number, here);

	return err == OK ? db_send(db, STATEMENT_CHAT_ACTIVITY_CREATE, &activity) : err;
}

/* What comes with a row that was stored as number `here`. */
static enum err follow(struct importing *importing, struct db *db, const union query_row *row, int64_t number,
		       int64_t here)
{
	const struct move_in_chat_summaries_in *summary = (const void *)row;

	switch (importing->table->kind) {
	case MOVE_CHATS:
		return follow_chat(importing, db, (const void *)row, number, here);
	case MOVE_MESSAGES:
		return follow_message(importing, db, (const void *)row, number, here);
	case MOVE_SUMMARIES:
		return search_change_summary(db, summary->chat_number, (struct text){ 0 }, summary->topic_summary);
	case MOVE_PLAIN:
	case MOVE_USERS:
	case MOVE_ACTIVITIES:
		break;
	}
	return OK;
}

static enum err reserve(struct importing *importing, struct db *db)
{
	const int64_t count = ROWS_AHEAD;
	const enum statement_id id =
	    importing->table->kind == MOVE_CHATS ? STATEMENT_CHAT_NUMBERS : STATEMENT_MESSAGE_NUMBERS;
	enum err err = db_start(db, id, &count);

	importing->reserved.next = importing->reserved.count = 0;
	while (err == OK && importing->reserved.count < ROWS_AHEAD &&
	       (err = db_step(db, id, &importing->reserved.list[importing->reserved.count])) == OK)
		importing->reserved.count++;
	db_stop(db, id);
	return err == ERR_NOT_FOUND && importing->reserved.count > 0 ? OK : err;
}

/* The number that the row is to have here, if others refer to it and a remote database must be asked for it beforehand;
 * else DB_NULL. In the row stood the one of the file. */
static enum err give_number(struct importing *importing, struct db *db, union query_row *row, int64_t *here)
{
	const enum move_kind kind = importing->table->kind;
	enum err err = OK;

	*here = DB_NULL;
	if (kind != MOVE_CHATS && kind != MOVE_MESSAGES)
		return OK;
	if (db_is_remote(db) && importing->reserved.next == importing->reserved.count)
		err = reserve(importing, db);
	if (err != OK)
		return err;
	if (db_is_remote(db))
		*here = importing->reserved.list[importing->reserved.next++];
	if (kind == MOVE_CHATS)
		((struct move_in_chats_in *)(void *)row)->number = *here;
	else
		((struct move_in_messages_in *)(void *)row)->number = *here;
	return OK;
}

static enum err bring_row(struct importing *importing, struct db *db, struct arena *arena, union query_row *row,
			  int64_t number)
{
	int64_t here = DB_NULL;
	enum err err = map_numbers(importing, &statements[importing->table->in], row);

	if (err == OK && importing->table->kind == MOVE_USERS)
		err = take_account(importing, db, arena, &((struct move_in_users_in *)(void *)row)->account_id);
	if (err == OK && importing->table->kind == MOVE_MESSAGES)
		err = check_chain(importing, (const void *)row);
	if (err == OK && importing->table->kind == MOVE_ACTIVITIES)
		err = check_activity(importing, (const void *)row);
	if (err == OK)
		err = give_number(importing, db, row, &here);
	if (err == OK)
		err = db_send(db, importing->table->in, row);
	return err == OK ? follow(importing, db, row, number, here == DB_NULL ? db_inserted(db) : here) : err;
}

static int64_t bytes_of(const struct statement *statement, const union query_row *row)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < statement->in_count; i++) {
		struct text text;

		if (statement->in[i].type != COLUMN_TEXT && statement->in[i].type != COLUMN_JSON)
			continue;
		memcpy(&text, row->bytes + statement->in[i].offset, sizeof text);
		bytes += (int64_t)text.length;
	}
	return bytes;
}

/* The next row; `*ahead` are bytes that were sent and not waited for. */
static enum err bring_next(struct importing *importing, struct db *db, int64_t *ahead)
{
	union query_row row;
	struct arena arena;
	int64_t number;
	enum err err = archive_next(importing->archive, importing->which, &row, &number);

	if (err == ERR_NOT_FOUND) {
		importing->more = false;
		return OK;
	}
	if (err != OK)
		return err;
	*ahead += bytes_of(&statements[importing->table->in], &row);
	arena_init(&arena, PIECE_MEMORY);
	err = bring_row(importing, db, &arena, &row, number);
	arena_fini(&arena);
	importing->rows++;
	return err;
}

/* As many rows as a few milliseconds allow, of which some are always under way to a remote database. What is asked
 * behind a row that was refused is told no more than that. */
static enum err bring_some(struct db *db, void *context)
{
	struct importing *importing = context;
	const struct move_place *place = importing->place;
	const int64_t began = clock_monotonic();
	int64_t ahead = 0;
	enum err sent = OK;
	enum err err = OK;

	for (size_t i = 1; err == OK && importing->more && (i == 1 || !move_piece_is_over(place, began)); i++) {
		err = bring_next(importing, db, &ahead);
		if (err == OK && (i % ROWS_AHEAD == 0 || ahead > BYTES_AHEAD)) {
			err = db_catch_up(db);
			ahead = 0;
		}
	}
	if (err == OK)
		err = move_note_step(place, db);
	sent = db_catch_up(db);
	return sent == OK || (err != OK && err != ERR_UNAVAILABLE) ? err : sent;
}

static enum err explain(const struct importing *importing, enum err err)
{
	if (err != ERR_CONFLICT || importing->fault->sentence[0] != '\0')
		return err;
	return fault_set(
	    importing->fault, ERR_CONFLICT, NULL, NULL,
	    "A row of %s cannot be stored here, and nothing was: it is another organization's already, or it does "
	    "not hold together with the others.",
	    importing->table->name);
}

static enum err bring_table(struct importing *importing, const struct move_table *table)
{
	struct moves *moves = importing->place->moves;
	enum err err = archive_read(importing->archive, table->name, table->in, NULL, NULL, &importing->which);

	moves_part(moves, table->name, archive_count(importing->archive, table->name));
	importing->table = table;
	importing->more = true;
	importing->reserved.count = importing->reserved.next = 0;
	while (err == OK && importing->more) {
		const int64_t before = importing->rows;

		err = explain(importing, move_piece(importing->place, importing->scope, bring_some, importing));
		moves_step(moves, importing->rows - before);
	}
	return err;
}

static struct counting counting(const struct importing *importing, struct db *db, struct arena *arena)
{
	return (struct counting){ importing->place->ledgers[db_lane(db)], db, importing->scope, arena };
}

static enum err begin_figures(struct db *db, void *context)
{
	struct importing *importing = context;
	struct arena arena;
	struct counting own = counting(importing, db, &arena);
	enum err err;

	arena_init(&arena, PIECE_MEMORY);
	err = build_first(&own, importing->organization.time_zone);
	arena_fini(&arena);
	if (err == ERR_INVALID)
		return fault_set(
		    importing->fault, err, NULL, NULL,
		    "The organization's time zone is unknown to this machine: nothing was stored. Update its "
		    "time zones (tzdata).");
	return err;
}

static enum err count_some(struct db *db, void *context)
{
	struct importing *importing = context;
	struct arena arena;
	struct counting own = counting(importing, db, &arena);
	const int64_t began = clock_monotonic();
	enum err err;

	arena_init(&arena, PIECE_MEMORY);
	do {
		err = build_step(&own, &importing->more);
		arena_fini(&arena);
	} while (err == OK && importing->more && !move_piece_is_over(importing->place, began));
	if (err == OK)
		err = move_note_step(importing->place, db);
	arena_fini(&arena);
	return err;
}

static enum err count_figures(struct importing *importing)
{
	enum err err;

	moves_part(importing->place->moves, "figures", 0);
	importing->more = true;
	err = move_piece(importing->place, importing->scope, begin_figures, importing);
	while (err == OK && importing->more)
		err = move_piece(importing->place, importing->scope, count_some, importing);
	return err;
}

/* Everybody sees it from here on; its words follow. */
static enum err arrive(struct db *db, void *context)
{
	struct importing *importing = context;
	enum err err = db_send(db, STATEMENT_MOVING_ARRIVE, &importing->arrival);

	if (err == OK && db_is_remote(db) && importing->newest_message > 0)
		err = query_run(db, STATEMENT_SEARCH_AWAIT, NULL, NULL);
	return err;
}

static enum err bring_all(struct importing *importing)
{
	enum err err = number_map_new(&importing->map);

	for (size_t i = 0; err == OK && i < move_table_count; i++)
		err = bring_table(importing, &move_tables[i]);
	if (err == OK)
		err = count_figures(importing);
	if (err == OK)
		err = move_piece(importing->place, importing->scope, arrive, importing);
	if (err == ERR_CONFLICT && importing->fault->sentence[0] == '\0')
		fault_set(importing->fault, err, NULL, NULL,
			  "Another process took this import for one that had ended, and removes it: try again.");
	number_map_free(importing->map);
	return err;
}

/* Nothing is left of what came in so far; what cannot be removed now, move_tidy removes. */
static void take_back(struct importing *importing)
{
	const struct moving moving = { .id = importing->organization.id, .way = MOVING_IN, .scope = importing->scope };
	struct move_receipt receipt;
	struct fault fault = { 0 };

	if (move_remove(importing->place, &moving, &receipt, &fault) != OK)
		LOG(importing->place->log, LOG_WARNING, "what an import has left is removed later",
		    LOG_TEXT("reason", text_of(fault.sentence)));
}

static enum err import(struct importing *importing, struct text slug)
{
	enum err err = read_organization(importing, slug);

	if (err == OK)
		err = check_rows(importing);
	if (err == OK)
		err = check_room(importing);
	if (err == OK)
		err = moving_found(importing->place->writer, importing->arena, &importing->organization,
				   &importing->scope);
	if (err == ERR_CONFLICT && importing->fault->sentence[0] == '\0')
		fault_set(importing->fault, err, NULL, NULL, "The organization or its slug is here already.");
	if (err != OK)
		return err;
	err = bring_all(importing);
	if (err != OK)
		take_back(importing);
	return err;
}

enum err move_import(const struct move_place *place, struct text path, struct text slug, struct arena *arena,
		     struct move_imported *out, struct fault *fault)
{
	struct importing importing = { .place = place, .arena = arena, .fault = fault };
	enum err err;

	moves_part(place->moves, "checksums", 0);
	err = archive_open(&importing.archive, path, migrations[migration_count - 1].number, place->log, fault);
	if (err == OK)
		err = import(&importing, slug);
	*out = (struct move_imported){ .organization = importing.organization.id,
				       .slug = importing.organization.slug,
				       .organization_name = importing.organization.organization_name,
				       .rows = importing.rows };
	archive_close(importing.archive);
	return err;
}
