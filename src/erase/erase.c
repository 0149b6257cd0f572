#include "erase/erase.h"

#include <string.h>

#include "base/clock.h"
#include "store/query.h"

#define ROWS_AT_ONCE       ((size_t)500)
#define ROWS_OF_PIECE      ((size_t)100) /* of each kind, while others wait */
#define PIECE_MICROSECONDS 5000

#define PART(member)                                                                                                   \
	{                                                                                                              \
#member, offsetof(struct erase_receipt, member)                                                        \
	}
const struct erase_part erase_parts[] = {
	PART(chats),         PART(messages),     PART(chat_summaries), PART(article_mentions),
	PART(article_views), PART(web_mentions), PART(visitors),
};
#undef PART
const size_t erase_part_count = sizeof erase_parts / sizeof erase_parts[0];

/* Statements that find the same kind of rows give the same columns. */
_Static_assert(sizeof(struct erase_mentions_of_chat_out) == sizeof(struct erase_mentions_older_out), "one shape");
_Static_assert(sizeof(struct erase_views_of_chat_out) == sizeof(struct erase_views_of_visitor_out), "one shape");
_Static_assert(sizeof(struct erase_views_of_chat_out) == sizeof(struct erase_views_older_out), "one shape");
_Static_assert(sizeof(struct erase_web_mentions_of_chat_out) == sizeof(struct erase_web_mentions_of_visitor_out),
	       "one shape");
_Static_assert(sizeof(struct erase_web_mentions_of_chat_out) == sizeof(struct erase_web_mentions_older_out),
	       "one shape");

/* A row's texts into the arena, whatever its statement. */
static enum err keep_texts(enum statement_id id, void *row, struct arena *arena)
{
	for (size_t i = 0; i < statements[id].out_count; i++) {
		const struct column *column = &statements[id].out[i];
		struct text text;

		if (column->type != COLUMN_TEXT && column->type != COLUMN_JSON)
			continue;
		memcpy(&text, (char *)row + column->offset, sizeof text);
		if (text.at == NULL)
			continue;
		text = text_copy(arena, text);
		if (text.at == NULL)
			return ERR_MEMORY;
		memcpy((char *)row + column->offset, &text, sizeof text);
	}
	return OK;
}

/* At most `limit` rows of `size` bytes into `rows`: read to the end before the first is deleted, since a statement must
 * not walk an index that is changed under it. */
static enum err read_rows(const struct counting *counting, enum statement_id id, const void *in, void *rows,
			  size_t size, size_t limit, size_t *count)
{
	enum err err = db_start(counting->db, id, in);

	*count = 0;
	while (err == OK && *count < limit) {
		void *row = (char *)rows + *count * size;

		err = db_step(counting->db, id, row);
		if (err == OK)
			err = keep_texts(id, row, counting->arena);
		if (err == OK)
			++*count;
	}
	db_stop(counting->db, id);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err erase_mentions(struct erasing *erasing, enum statement_id id, const void *in, size_t limit, size_t *count)
{
	const struct counting *counting = &erasing->counting;
	struct erase_mentions_of_chat_out *rows = arena_take_many(counting->arena, limit, sizeof *rows);
	enum err err = rows == NULL ? ERR_MEMORY : read_rows(counting, id, in, rows, sizeof *rows, limit, count);

	for (size_t i = 0; err == OK && i < *count; i++) {
		err = query_run(counting->db, STATEMENT_ERASE_MENTION_ROW,
				&(struct erase_mention_row_in){ .number = rows[i].number }, NULL);
		if (err == OK)
			err = counting_mention(counting,
					       &(struct counted_article){ .number = rows[i].number,
									  .at = rows[i].at,
									  .id = rows[i].article_id,
									  .name = rows[i].article_name,
									  .slug = rows[i].article_slug,
									  .type = rows[i].article_type },
					       UNCOUNTED);
		erasing->receipt.article_mentions++;
	}
	return err;
}

enum err erase_views(struct erasing *erasing, enum statement_id id, const void *in, size_t limit, size_t *count)
{
	const struct counting *counting = &erasing->counting;
	struct erase_views_of_chat_out *rows = arena_take_many(counting->arena, limit, sizeof *rows);
	enum err err = rows == NULL ? ERR_MEMORY : read_rows(counting, id, in, rows, sizeof *rows, limit, count);

	for (size_t i = 0; err == OK && i < *count; i++) {
		err = query_run(counting->db, STATEMENT_ERASE_VIEW_ROW,
				&(struct erase_view_row_in){ .number = rows[i].number }, NULL);
		if (err == OK)
			err = counting_view(counting,
					    &(struct counted_article){ .number = rows[i].number,
								       .at = rows[i].at,
								       .id = rows[i].article_id,
								       .name = rows[i].article_name,
								       .slug = rows[i].article_slug,
								       .type = rows[i].article_type,
								       .session_id = rows[i].session_id },
					    UNCOUNTED);
		erasing->receipt.article_views++;
	}
	return err;
}

enum err erase_web_mentions(struct erasing *erasing, enum statement_id id, const void *in, size_t limit, size_t *count)
{
	const struct counting *counting = &erasing->counting;
	struct erase_web_mentions_of_chat_out *rows = arena_take_many(counting->arena, limit, sizeof *rows);
	enum err err = rows == NULL ? ERR_MEMORY : read_rows(counting, id, in, rows, sizeof *rows, limit, count);

	for (size_t i = 0; err == OK && i < *count; i++) {
		err = query_run(counting->db, STATEMENT_ERASE_WEB_MENTION_ROW,
				&(struct erase_web_mention_row_in){ .number = rows[i].number }, NULL);
		if (err == OK)
			err = counting_web_mention(counting,
						   &(struct counted_web_mention){ .number = rows[i].number,
										  .mentioned_at = rows[i].mentioned_at,
										  .clicked_at = rows[i].clicked_at,
										  .url = rows[i].article_url,
										  .title = rows[i].article_title,
										  .chat_id = rows[i].chat_id,
										  .session_id = rows[i].session_id },
						   UNCOUNTED);
		erasing->receipt.web_mentions++;
	}
	return err;
}

/* All rows that a statement finds, some at once. */
static enum err erase_all(struct erasing *erasing, enum statement_id id, const void *in,
			  enum err (*erase)(struct erasing *, enum statement_id, const void *, size_t, size_t *))
{
	size_t count = ROWS_AT_ONCE;
	enum err err = OK;

	while (err == OK && count == ROWS_AT_ONCE)
		err = erase(erasing, id, in, ROWS_AT_ONCE, &count);
	return err;
}

/* At most `limit` rows of each kind that name a chat; `*more`: some are left. */
static enum err erase_some_names(struct erasing *erasing, struct text chat_id, size_t limit, bool *more)
{
	const struct erase_mentions_of_chat_in mentions = { .chat_id = chat_id, .limit = (int64_t)limit };
	const struct erase_views_of_chat_in views = { .chat_id = chat_id, .limit = (int64_t)limit };
	const struct erase_web_mentions_of_chat_in web_mentions = { .chat_id = chat_id, .limit = (int64_t)limit };
	size_t counts[3] = { 0 };
	enum err err = erase_mentions(erasing, STATEMENT_ERASE_MENTIONS_OF_CHAT, &mentions, limit, &counts[0]);

	if (err == OK)
		err = erase_views(erasing, STATEMENT_ERASE_VIEWS_OF_CHAT, &views, limit, &counts[1]);
	if (err == OK)
		err =
		    erase_web_mentions(erasing, STATEMENT_ERASE_WEB_MENTIONS_OF_CHAT, &web_mentions, limit, &counts[2]);
	*more = counts[0] == limit || counts[1] == limit || counts[2] == limit;
	return err;
}

static enum err erase_what_names(struct erasing *erasing, struct text chat_id)
{
	bool more = true;
	enum err err = OK;

	while (err == OK && more)
		err = erase_some_names(erasing, chat_id, ROWS_AT_ONCE, &more);
	return err;
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

/* Its messages stay behind, for erase_step: nobody reads a message but through its chat. */
static enum err erase_rows(struct erasing *erasing, int64_t number, const struct erase_chat_out *chat)
{
	struct db *db = erasing->counting.db;
	enum err err = OK;

	if (chat->last_message != DB_NULL)
		err = query_run(
		    db, STATEMENT_ERASURE_CREATE,
		    &(struct erasure_create_in){ .chat_number = number, .next_message = chat->last_message }, NULL);
	if (err == OK)
		err = query_run(db, STATEMENT_ERASE_CHAT_ACTIVITY,
				&(struct erase_chat_activity_in){ .chat_number = number }, NULL);
	if (err == OK)
		err = query_run(db, STATEMENT_ERASE_CHAT_ROW, &(struct erase_chat_row_in){ .number = number }, NULL);
	erasing->receipt.chats++;
	erasing->receipt.messages += chat->message_count;
	return err;
}

enum err erase_chat(struct erasing *erasing, int64_t chat_number)
{
	struct erase_chat_out chat;
	enum err err = query_one(erasing->counting.db, STATEMENT_ERASE_CHAT,
				 &(struct erase_chat_in){ .number = chat_number }, &chat, erasing->counting.arena);

	if (err == OK)
		err = counting_chat_erased(&erasing->counting, chat_number);
	if (err == OK)
		err = erase_what_names(erasing, chat.chat_id);
	if (err == OK)
		err = erase_summary(erasing, &chat);
	return err == OK ? erase_rows(erasing, chat_number, &chat) : err;
}

enum err erase_chat_some(struct erasing *erasing, int64_t chat_number, bool *more)
{
	struct erase_chat_out chat;
	enum err err = query_one(erasing->counting.db, STATEMENT_ERASE_CHAT,
				 &(struct erase_chat_in){ .number = chat_number }, &chat, erasing->counting.arena);

	*more = false;
	return err == OK ? erase_some_names(erasing, chat.chat_id, ROWS_OF_PIECE, more) : err;
}

/* One chat, or some of what names it. ERR_NOT_FOUND: the visitor has none. */
static enum err erase_one_chat_of(struct erasing *erasing, const struct uuid *visitor_id)
{
	struct erase_chats_of_visitor_out chat;
	bool more = false;
	enum err err = query_one(erasing->counting.db, STATEMENT_ERASE_CHATS_OF_VISITOR,
				 &(struct erase_chats_of_visitor_in){ .visitor_id = *visitor_id, .limit = 1 }, &chat,
				 erasing->counting.arena);

	if (err == OK)
		err = erase_chat_some(erasing, chat.number, &more);
	return err == OK && !more ? erase_chat(erasing, chat.number) : err;
}

static enum err erase_some_links(struct erasing *erasing, const struct uuid *visitor_id, bool *more)
{
	const size_t limit = ROWS_OF_PIECE;
	size_t views = 0;
	size_t web_mentions = 0;
	enum err err = erase_views(erasing, STATEMENT_ERASE_VIEWS_OF_VISITOR,
				   &(struct erase_views_of_visitor_in){ *visitor_id, (int64_t)limit }, limit, &views);

	if (err == OK)
		err = erase_web_mentions(erasing, STATEMENT_ERASE_WEB_MENTIONS_OF_VISITOR,
					 &(struct erase_web_mentions_of_visitor_in){ *visitor_id, (int64_t)limit },
					 limit, &web_mentions);
	*more = views == limit || web_mentions == limit;
	return err;
}

enum err erase_visitor_some(struct erasing *erasing, const struct uuid *visitor_id, bool *more)
{
	const int64_t until = clock_monotonic() + PIECE_MICROSECONDS;
	enum err err = OK;

	*more = true;
	while (err == OK && *more && clock_monotonic() < until) {
		err = erase_one_chat_of(erasing, visitor_id);
		if (err == ERR_NOT_FOUND)
			err = erase_some_links(erasing, visitor_id, more);
	}
	return err;
}

static enum err erase_chats_of(struct erasing *erasing, const struct uuid *visitor_id)
{
	const struct erase_chats_of_visitor_in in = { .visitor_id = *visitor_id, .limit = (int64_t)ROWS_AT_ONCE };
	struct erase_chats_of_visitor_out *rows = arena_take_many(erasing->counting.arena, ROWS_AT_ONCE, sizeof *rows);
	size_t count = ROWS_AT_ONCE;
	enum err err = rows == NULL ? ERR_MEMORY : OK;

	while (err == OK && count == ROWS_AT_ONCE) {
		err = read_rows(&erasing->counting, STATEMENT_ERASE_CHATS_OF_VISITOR, &in, rows, sizeof *rows,
				ROWS_AT_ONCE, &count);
		for (size_t i = 0; err == OK && i < count; i++)
			err = erase_chat(erasing, rows[i].number);
	}
	return err;
}

enum err erase_visitor(struct erasing *erasing, const struct uuid *visitor_id)
{
	const struct counting *counting = &erasing->counting;
	const int64_t limit = (int64_t)ROWS_AT_ONCE;
	struct visitor_by_id_out visitor;
	enum err err = query_one(counting->db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = *visitor_id },
				 &visitor, counting->arena);

	if (err == OK)
		err = erase_chats_of(erasing, visitor_id);
	if (err == OK)
		err = erase_all(erasing, STATEMENT_ERASE_VIEWS_OF_VISITOR,
				&(struct erase_views_of_visitor_in){ .visitor_id = *visitor_id, .limit = limit },
				erase_views);
	if (err == OK)
		err = erase_all(erasing, STATEMENT_ERASE_WEB_MENTIONS_OF_VISITOR,
				&(struct erase_web_mentions_of_visitor_in){ .visitor_id = *visitor_id, .limit = limit },
				erase_web_mentions);
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
