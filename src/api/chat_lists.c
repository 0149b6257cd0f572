#include "api/chat_lists.h"

#include <assert.h>
#include <string.h>

#include "api/chat_find.h"
#include "base/clock.h"
#include "base/json_tree.h"
#include "search/words.h"

#define SUMMARY_MAX  ((size_t)1024 * 1024) /* bytes of a summary as JSON */
#define QUESTION_MAX 1000                  /* bytes */
#define DAY_MS       ((int64_t)24 * 60 * 60 * 1000)
#define NUMBER_MAX   ((int64_t)INT32_MAX) /* of a chat, as documents of the search have it */
#define DATE_LENGTH  10                   /* "2026-11-23" */

struct chats_query {
	struct list_query list;
	struct text from;
	struct text to;
	struct text status;
	struct text visitor;
	int64_t min_lead_score;
	struct text sentiment;
	struct text q;
};

static const char *const statuses[] = { "active", "completed", "abandoned", NULL };
static const char *const sentiments[] = { "positive", "neutral", "negative", NULL };

static const struct json_field chats_fields[] = {
	LIST_FIELDS,
	{ .name = "from",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct chats_query, from),
	  .about = "Chats that began at this time or later; a date: on this day or later." },
	{ .name = "to",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct chats_query, to),
	  .about = "Chats that began at this time or before; a date: on this day or before." },
	{ .name = "status",
	  .kind = JSON_CHOICE,
	  .offset = offsetof(struct chats_query, status),
	  .choices = statuses,
	  .about = "Chats of this status." },
	{ .name = "visitor",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct chats_query, visitor),
	  .about = "Chats of the visitor with this id." },
	{ .name = "min_lead_score",
	  .kind = JSON_INT,
	  .offset = offsetof(struct chats_query, min_lead_score),
	  .min = 0,
	  .max = 10,
	  .about = "Chats whose summary has this lead score or a higher one." },
	{ .name = "sentiment",
	  .kind = JSON_CHOICE,
	  .offset = offsetof(struct chats_query, sentiment),
	  .choices = sentiments,
	  .about = "Chats whose summary has this sentiment." },
	{ .name = "q",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct chats_query, q),
	  .max = QUESTION_MAX,
	  .about =
	      "Chats in which one message, or the summary, holds all these words; of the last one its beginning." },
};
const struct json_shape chat_lists_chats_query = JSON_SHAPE(chats_query, chats_fields);

/* The first millisecond of a time or of a day, and how long it lasts. */
static enum err read_moment(struct call *call, const char *field, struct text text, int64_t *out, int64_t *length)
{
	*length = text.length == DATE_LENGTH ? DAY_MS : 1;
	if (clock_parse(text, out) != OK)
		return call_fail(call, ERR_INVALID, field,
				 "%s must be a date such as 2026-11-23, or a time such as 2026-11-23T15:04:05Z.",
				 field);
	return OK;
}

/* `before`: the first millisecond that is too late. */
static enum err read_range(struct call *call, const struct chats_query *query, int64_t *from, int64_t *before)
{
	int64_t length;
	enum err err = OK;

	*from = 0;
	*before = INT64_MAX;
	if (query->from.at != NULL)
		err = read_moment(call, "from", query->from, from, &length);
	if (err == OK && query->to.at != NULL) {
		err = read_moment(call, "to", query->to, before, &length);
		*before += length;
	}
	if (err == OK && *from >= *before)
		return call_fail(call, ERR_INVALID, "from", "from must not lie behind to.");
	return err;
}

static enum err fill_chats(struct call *call, const struct list_page *page, void *out)
{
	const struct chats_query *query = call->query;
	struct chat_page_in *in = out;
	int64_t before;
	enum err err = read_range(call, query, &in->from_time, &before);

	in->before_time = page->before_time;
	in->before_number = page->before_number;
	if (before < in->before_time) {
		in->before_time = before;
		in->before_number = 0;
	}
	in->limit = page->limit;
	in->status = query->status;
	in->min_lead_score = query->min_lead_score == JSON_ABSENT ? DB_NULL : query->min_lead_score;
	in->sentiment = query->sentiment;
	return err;
}

static enum err fill_chats_of_visitor(struct call *call, const struct list_page *page, void *out)
{
	const struct chats_query *query = call->query;
	struct chat_page_of_visitor_in *in = out;
	struct chat_page_in all = { 0 };
	enum err err = fill_chats(call, page, &all);

	*in = (struct chat_page_of_visitor_in){ .before_time = all.before_time,
						.before_number = all.before_number,
						.limit = all.limit,
						.from_time = all.from_time,
						.status = all.status,
						.min_lead_score = all.min_lead_score,
						.sentiment = all.sentiment };
	if (err == OK && uuid_parse(query->visitor, &in->visitor_id) != OK)
		return call_fail(call, ERR_INVALID, "visitor", "visitor must be a visitor's id.");
	return err;
}

/* `out`: absent when the question holds no word. */
static enum err read_question(struct call *call, struct text *out)
{
	const struct chats_query *query = call->query;
	enum err err = OK;

	*out = (struct text){ 0 };
	if (query->q.at != NULL)
		err = words_of_query(query->q, call->arena, out);
	if (err == ERR_TOO_LARGE)
		return call_fail(call, ERR_INVALID, "q", "q must not have more than %d words.", WORDS_OF_QUERY);
	return err;
}

/* Hits come by the chats' numbers, which need no time to break ties. */
static enum err fill_chats_of_search(struct call *call, const struct list_page *page, void *out)
{
	const struct chats_query *query = call->query;
	struct chat_page_of_search_in *in = out;
	enum err err = read_range(call, query, &in->from_time, &in->before_time);

	in->before_number = page->before_number < NUMBER_MAX ? page->before_number : NUMBER_MAX;
	in->limit = page->limit;
	in->status = query->status;
	in->min_lead_score = query->min_lead_score == JSON_ABSENT ? DB_NULL : query->min_lead_score;
	in->sentiment = query->sentiment;
	if (err == OK && query->visitor.at != NULL && uuid_parse(query->visitor, &in->visitor_id) != OK)
		return call_fail(call, ERR_INVALID, "visitor", "visitor must be a visitor's id.");
	return err == OK ? read_question(call, &in->words) : err;
}

static void put_text_member(struct json_out *out, const char *name, struct text value)
{
	if (value.at == NULL)
		return;
	json_key(out, name);
	json_put_text(out, value);
}

static void put_raw_member(struct json_out *out, const char *name, struct text value)
{
	if (value.at == NULL)
		return;
	json_key(out, name);
	json_put_raw(out, value);
}

static void put_int_member(struct json_out *out, const char *name, int64_t value)
{
	if (value == DB_NULL)
		return;
	json_key(out, name);
	json_put_int(out, value);
}

/* chat_page_out is also what chat_page_of_visitor reads. */
static_assert(sizeof(struct chat_page_out) == sizeof(struct chat_page_of_visitor_out),
	      "both statements have the same columns");
static_assert(sizeof(struct chat_page_out) == sizeof(struct chat_page_of_search_out),
	      "both statements have the same columns");

static enum err shape_chat(struct arena *arena, void *out)
{
	struct chat_page_out *row = out;
	struct buffer buffer;
	struct json_out summary;
	enum err err;

	if (row->summarized_at == DB_NULL)
		return OK;
	buffer_init(&buffer, SUMMARY_MAX);
	json_out_init(&summary, &buffer);
	json_open_object(&summary);
	put_text_member(&summary, "topicSummary", row->topic_summary);
	put_int_member(&summary, "userScore", row->user_score);
	put_int_member(&summary, "leadScore", row->lead_score);
	put_text_member(&summary, "sentiment", row->sentiment);
	put_raw_member(&summary, "topics", row->topics);
	put_raw_member(&summary, "conversionSignals", row->conversion_signals);
	json_key(&summary, "summarizedAt");
	json_put_time(&summary, row->summarized_at);
	json_close_object(&summary);
	err = buffer.failed
		  ? ERR_MEMORY
		  : json_merge(arena, row->metadata, (struct text){ buffer.at, buffer.length }, &row->metadata);
	buffer_fini(&buffer);
	return err;
}

enum err chat_lists_chats(struct call *call)
{
	static const struct list all = {
		.statement = STATEMENT_CHAT_PAGE, .hidden = 9, .file = "chats", .fill = fill_chats, .shape = shape_chat
	};
	static const struct list of_visitor = { .statement = STATEMENT_CHAT_PAGE_OF_VISITOR,
						.hidden = 9,
						.file = "chats",
						.fill = fill_chats_of_visitor,
						.shape = shape_chat };
	static const struct list of_search = { .statement = STATEMENT_CHAT_PAGE_OF_SEARCH,
					       .hidden = 9,
					       .file = "chats",
					       .fill = fill_chats_of_search,
					       .shape = shape_chat };
	const struct chats_query *query = call->query;
	struct text words;
	enum err err = read_question(call, &words);

	if (err != OK)
		return err;
	if (words.at != NULL)
		return list_answer(call, &of_search);
	return list_answer(call, query->visitor.at != NULL ? &of_visitor : &all);
}

static_assert(sizeof(struct visitor_chat_page_out) == sizeof(struct user_chat_page_out),
	      "both statements have the same columns");

enum err chat_lists_shape_short(struct arena *arena, void *out)
{
	struct visitor_chat_page_out *row = out;
	const struct json_value *metadata;
	struct json_tree_view score;
	enum err err;

	if (row->metadata.at == NULL ||
	    (row->topic_summary.at != NULL && row->leadScore != DB_NULL && row->sentiment.at != NULL))
		return OK;
	err = json_tree_parse(row->metadata, arena, &metadata, NULL);
	if (err != OK)
		return err;
	score = json_tree_look(json_tree_member(metadata, TEXT("leadScore")));
	if (row->topic_summary.at == NULL)
		row->topic_summary = json_tree_look(json_tree_member(metadata, TEXT("topicSummary"))).text;
	if (row->sentiment.at == NULL)
		row->sentiment = json_tree_look(json_tree_member(metadata, TEXT("sentiment"))).text;
	if (row->leadScore == DB_NULL && score.kind == JSON_TREE_INT)
		row->leadScore = score.number;
	return OK;
}

static enum err fill_messages(struct call *call, const struct list_page *page, void *out)
{
	const struct chat_by_external_id_out *chat = call->prepared;

	*(struct message_page_in *)out = (struct message_page_in){ .before_number = page->before_number,
								   .limit = page->limit,
								   .chat_number = chat->number };
	return OK;
}

enum err chat_lists_messages(struct call *call)
{
	static const struct list messages = { .statement = STATEMENT_MESSAGE_PAGE,
					      .hidden = 2,
					      .file = "messages",
					      .oldest_first = true,
					      .fill = fill_messages };
	struct chat_by_external_id_out *chat = arena_take(call->arena, sizeof *chat);
	enum err err = chat == NULL ? ERR_MEMORY : chat_find(call, call->parameters[0], chat);

	call->prepared = chat;
	return err == OK ? list_answer(call, &messages) : err;
}
