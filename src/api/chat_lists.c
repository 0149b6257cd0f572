#include "api/chat_lists.h"

#include <assert.h>
#include <string.h>

#include "analytics/calendar.h"
#include "api/chat_find.h"
#include "base/clock.h"
#include "base/json_tree.h"
#include "search/hidden_words.h"
#include "search/words.h"

#define SUMMARY_MAX  ((size_t)1024 * 1024) /* bytes of a summary as JSON */
#define QUESTION_MAX 1000                  /* bytes */

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

/* When the chats that are asked for began. */
struct moments {
	int64_t from;
	int64_t before; /* the first millisecond that is too late */
};

static enum err not_a_moment(struct call *call, const char *field)
{
	return call_fail(call, ERR_INVALID, field,
			 "%s must be a date such as 2026-11-23, or a time such as 2026-11-23T15:04:05Z.", field);
}

/* A day of the organization's. */
static enum err read_day(struct call *call, const char *field, struct text text, struct moments *out)
{
	struct organization_settings_out organization;
	struct calendar *calendar;
	int64_t day;
	enum err err;

	if (calendar_parse_day(text, &day) != OK)
		return not_a_moment(call, field);
	err = query_one(call->db, STATEMENT_ORGANIZATION_SETTINGS, NULL, &organization, call->arena);
	if (err != OK)
		return err;
	err = calendar_new(&calendar, organization.time_zone);
	if (err != OK)
		return err == ERR_NOT_FOUND ? ERR_UNAVAILABLE : err; /* the machine has lost its time zones */
	*out = (struct moments){ calendar_begin(calendar, day), calendar_begin(calendar, day + 1) };
	calendar_free(calendar);
	return OK;
}

/* A day, or the one millisecond of a time. */
static enum err read_moment(struct call *call, const char *field, struct text text, struct moments *out)
{
	if (text.length == CALENDAR_DAY_SIZE - 1)
		return read_day(call, field, text, out);
	if (clock_parse(text, &out->from) != OK)
		return not_a_moment(call, field);
	out->before = out->from + 1;
	return OK;
}

static enum err read_range(struct call *call, const struct chats_query *query, struct moments *out)
{
	struct moments moment = { 0, INT64_MAX };
	enum err err = OK;

	*out = moment;
	if (query->from.at != NULL)
		err = read_moment(call, "from", query->from, &moment);
	out->from = moment.from;
	moment.before = INT64_MAX;
	if (err == OK && query->to.at != NULL)
		err = read_moment(call, "to", query->to, &moment);
	out->before = moment.before;
	if (err == OK && out->from >= out->before)
		return call_fail(call, ERR_INVALID, "from", "from must not lie behind to.");
	return err;
}

static enum err fill_chats(struct call *call, const struct list_page *page, void *out)
{
	const struct chats_query *query = call->query;
	const struct moments *moments = call->prepared;
	struct chat_page_in *in = out;

	in->from_time = moments->from;
	in->before_time = page->before_time;
	in->before_number = page->before_number;
	if (moments->before < in->before_time) {
		in->before_time = moments->before;
		in->before_number = 0;
	}
	in->limit = page->limit;
	in->status = query->status;
	in->min_lead_score = query->min_lead_score == JSON_ABSENT ? DB_NULL : query->min_lead_score;
	in->sentiment = query->sentiment;
	return OK;
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
static enum err read_question(struct call *call, bool marks, struct text *out)
{
	const struct chats_query *query = call->query;
	enum err err = OK;

	*out = (struct text){ 0 };
	if (query->q.at != NULL)
		err = marks && !call->house->remote ? words_of_query_and_marks(query->q, call->arena, out)
						    : words_of_query(query->q, call->arena, out);
	if (err == OK && out->at != NULL && call->house->remote)
		err = hidden_question(scope_organization(call->scope), *out, call->arena, out);
	if (err == ERR_TOO_LARGE)
		return call_fail(call, ERR_INVALID, "q", "q must not have more than %d words.", WORDS_OF_QUERY);
	return err;
}

/* Hits come by their documents' numbers, which need no time to break ties. */
static enum err fill_chats_of_search(struct call *call, const struct list_page *page, void *out)
{
	const struct chats_query *query = call->query;
	const struct moments *moments = call->prepared;
	struct chat_page_of_search_in *in = out;

	in->from_time = moments->from;
	in->before_time = moments->before;
	in->before_place = page->before_number;
	in->way = page->before_time;
	in->limit = page->limit;
	in->status = query->status;
	in->min_lead_score = query->min_lead_score == JSON_ABSENT ? DB_NULL : query->min_lead_score;
	in->sentiment = query->sentiment;
	if (query->visitor.at != NULL && uuid_parse(query->visitor, &in->visitor_id) != OK)
		return call_fail(call, ERR_INVALID, "visitor", "visitor must be a visitor's id.");
	return read_question(call, page->before_time == LIST_STEADILY, &in->words);
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

/* Which rows a list of chats has: all, or those that pass the filters. */
static bool is_sifted(const struct chats_query *query)
{
	return query->status.at != NULL || query->sentiment.at != NULL || query->min_lead_score != JSON_ABSENT;
}

static struct list list_of(const struct chats_query *query, bool search)
{
	struct list list = { .statement = STATEMENT_CHAT_PAGE,
			     .hidden = 10,
			     .file = "chats",
			     .sifts = search || is_sifted(query),
			     .searches = search,
			     .fill = fill_chats,
			     .shape = shape_chat };

	if (search) {
		list.statement = STATEMENT_CHAT_PAGE_OF_SEARCH;
		list.fill = fill_chats_of_search;
	} else if (query->visitor.at != NULL) {
		list.statement = STATEMENT_CHAT_PAGE_OF_VISITOR;
		list.fill = fill_chats_of_visitor;
	}
	return list;
}

enum err chat_lists_chats(struct call *call)
{
	const struct chats_query *query = call->query;
	struct moments *moments = arena_take(call->arena, sizeof *moments);
	struct list *list = arena_take(call->arena, sizeof *list); /* a CSV is read from it behind this call */
	struct text words = { 0 };
	enum err err = moments == NULL || list == NULL ? ERR_MEMORY : read_range(call, query, moments);

	call->prepared = moments;
	if (err == OK)
		err = read_question(call, false, &words);
	if (err != OK)
		return err;
	*list = list_of(query, words.at != NULL);
	return list_answer(call, list);
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
