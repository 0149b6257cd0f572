#include "erase/erase.h"

#include "base/clock.h"
#include "store/query.h"

#define MESSAGES_AT_ONCE   ((size_t)100)
#define PIECE_MICROSECONDS 5000

/* At most `limit` rows of each kind that name a chat; `*more`: some are left. */
static enum err erase_some_names(struct erasing *erasing, struct text chat_id, size_t limit, bool *more)
{
	static const struct erase_source sources[] = { { ERASE_MENTIONS, STATEMENT_MENTIONS_OF_CHAT },
						       { ERASE_VIEWS, STATEMENT_VIEWS_OF_CHAT },
						       { ERASE_WEB_MENTIONS, STATEMENT_WEB_MENTIONS_OF_CHAT } };

	return erase_sources(erasing, sources, 3, &(struct mentions_of_chat_in){ chat_id, (int64_t)limit }, limit,
			     more);
}

/* Of the chat's session, if it is the last one of it. */
static enum err erase_some_of_last(struct erasing *erasing, int64_t number, struct text session_id, size_t limit,
				   bool *more)
{
	int64_t other;
	size_t others = 0;
	enum err err = erase_find(erasing->counting.db, STATEMENT_ERASE_OTHER_CHAT_OF_SESSION,
				  &(struct erase_other_chat_of_session_in){ session_id, number }, &other, 1, &others);

	*more = false;
	return err == OK && others == 0 ? erase_carriers(erasing, session_id, limit, more) : err;
}

static enum err read_chat(const struct counting *counting, int64_t number, struct erase_chat_out *out)
{
	return query_one(counting->db, STATEMENT_ERASE_CHAT, &(struct erase_chat_in){ .number = number }, out,
			 counting->arena);
}

static enum err erase_some_of_chat(struct erasing *erasing, int64_t number, const struct erase_chat_out *chat,
				   size_t limit, bool *more)
{
	bool more_of_session = false;
	enum err err = erase_some_names(erasing, chat->chat_id, limit, more);

	if (err == OK)
		err = erase_some_of_last(erasing, number, chat->session_id, limit, &more_of_session);
	*more = *more || more_of_session;
	return err;
}

enum err erase_chat_some(struct erasing *erasing, int64_t chat_number, bool *more)
{
	struct erase_chat_out chat;
	enum err err = read_chat(&erasing->counting, chat_number, &chat);

	*more = false;
	return err == OK ? erase_some_of_chat(erasing, chat_number, &chat, ERASE_OF_PIECE, more) : err;
}

static enum err erase_summary(struct erasing *erasing, const struct erase_chat_out *chat)
{
	enum err err;

	if (chat->summary_of == DB_NULL)
		return OK;
	err = search_change_summary(erasing->counting.db, chat->summary_of, chat->topic_summary, (struct text){ 0 });
	if (err == OK)
		err = query_run(erasing->counting.db, STATEMENT_ERASE_CHAT_SUMMARY,
				&(struct erase_chat_summary_in){ .chat_number = chat->summary_of }, NULL);
	erasing->receipt.chat_summaries++;
	return err;
}

/* Its messages stay behind, for erase_step: nobody reads a message but through its chat. A short one is uncounted here.
 */
static enum err leave_messages(struct erasing *erasing, int64_t number, const struct erase_chat_out *chat)
{
	const struct counting *counting = &erasing->counting;
	struct counted_rest rest;
	enum err err = counting_chat_erased(counting, number, &rest);

	if (err == OK)
		err = counting_rest(counting, &rest, erasing->most == 0 ? MESSAGES_AT_ONCE : erasing->most);
	if (err != OK || chat->last_message == DB_NULL)
		return err;
	return query_run(counting->db, STATEMENT_ERASURE_CREATE,
			 &(struct erasure_create_in){ .chat_number = number,
						      .next_message = chat->last_message,
						      .session_id = rest.session_id,
						      .counted_message = rest.message,
						      .edition = rest.edition,
						      .build_edition = rest.build_edition,
						      .build_behind = rest.build_behind },
			 NULL);
}

static enum err erase_itself(struct erasing *erasing, int64_t number, const struct erase_chat_out *chat)
{
	struct db *db = erasing->counting.db;
	enum err err = erase_summary(erasing, chat);

	if (err == OK)
		err = leave_messages(erasing, number, chat);
	if (err == OK)
		err = query_run(db, STATEMENT_ERASE_CHAT_ACTIVITY,
				&(struct erase_chat_activity_in){ .chat_number = number }, NULL);
	if (err == OK)
		err = query_run(db, STATEMENT_ERASE_CHAT_ROW, &(struct erase_chat_row_in){ .number = number }, NULL);
	erasing->receipt.chats++;
	erasing->receipt.messages += chat->message_count;
	return err;
}

enum err erase_chat_alone(struct erasing *erasing, int64_t chat_number)
{
	struct erase_chat_out chat;
	bool more = true;
	enum err err = read_chat(&erasing->counting, chat_number, &chat);

	while (err == OK && more)
		err = erase_some_names(erasing, chat.chat_id, ERASE_AT_ONCE, &more);
	return err == OK ? erase_itself(erasing, chat_number, &chat) : err;
}

enum err erase_chat(struct erasing *erasing, int64_t chat_number)
{
	struct erase_chat_out chat;
	bool more = true;
	enum err err = read_chat(&erasing->counting, chat_number, &chat);

	while (err == OK && more)
		err = erase_some_of_chat(erasing, chat_number, &chat, ERASE_AT_ONCE, &more);
	return err == OK ? erase_itself(erasing, chat_number, &chat) : err;
}

enum err erase_uncount(struct erasing *erasing, bool *more)
{
	const struct counting *counting = &erasing->counting;
	const int64_t until = clock_monotonic() + PIECE_MICROSECONDS;
	struct erasure_counted_out row;
	struct counted_rest rest;
	enum err err = query_one(counting->db, STATEMENT_ERASURE_COUNTED, NULL, &row, counting->arena);

	*more = err == OK;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	rest = (struct counted_rest){ .chat_number = row.chat_number,
				      .session_id = row.session_id,
				      .message = row.counted_message,
				      .edition = row.edition,
				      .build_edition = row.build_edition,
				      .build_behind = row.build_behind };
	do
		err = counting_rest(counting, &rest, erasing->most == 0 ? MESSAGES_AT_ONCE : erasing->most);
	while (err == OK && rest.session_id.at != NULL && erasing->most == 0 && clock_monotonic() < until);
	return err == OK ? query_run(counting->db, STATEMENT_ERASURE_UNCOUNT,
				     &(struct erasure_uncount_in){ row.number, rest.session_id, rest.message }, NULL)
			 : err;
}
