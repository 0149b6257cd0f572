/* Random events in random order, stored, changed, undone, lost and erased: every figure of every range asked for must
 * be what counting one by one gives, whatever the time zone, while it is changed, and `verify` must find nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/build.h"
#include "analytics/counting.h"
#include "analytics/figures.h"
#include "analytics/recount.h"
#include "auth/tenant.h"
#include "base/json_tree.h"
#include "fixture.h"
#include "store/query.h"

#define ROOM          600 /* events of a kind */
#define SESSIONS      9
#define ARTICLES      7
#define PAGES         5
#define CHAT_NAMES    8
#define DAY_MS        INT64_C(86400000)
#define SEASONS       3
#define PREFERENCES   3
#define SPREAD        70 /* days of events, about */
#define ORGANIZATIONS 2

static const char *const zones[] = { "UTC",          "America/New_York", "Asia/Kathmandu", "America/St_Johns",
				     "Pacific/Apia", "Africa/Monrovia" };
#define ZONES (sizeof zones / sizeof zones[0])

/* A chat's place, and what it counts as. */
static const struct {
	const char *location;
	const char *city;
	const char *country;
} places[] = {
	{ "Fort Myers, Florida, US", "Fort Myers", "United States" },
	{ "Berlin, Berlin, Germany", "Berlin", "Germany" },
	{ "London, England, UK", "London", "United Kingdom" },
	{ "203.0.113.9", NULL, NULL },
	{ " Unknown ", NULL, NULL },
	{ NULL, NULL, NULL },
};
#define PLACES (sizeof places / sizeof places[0])

struct chat {
	int64_t number;
	int64_t at;
	int session;
	size_t place;
	struct counted_last last;
	int64_t last_message;
	bool gone;
};

struct message {
	int chat;
	int64_t at;
};

/* A mention, a view, or a web result. */
struct event {
	int64_t number;
	int64_t at;
	int64_t clicked_at;
	int what; /* article or page */
	int session;
	int name; /* of a chat; below 0: none */
	bool gone;
};

struct visitor {
	int64_t number;
	int64_t at;
	int season; /* below 0: none */
	int preferences;
	bool gone;
};

/* All that is stored, in the plainest form. */
struct model {
	struct chat chats[ROOM];
	struct message messages[ROOM * 4];
	struct event mentions[ROOM];
	struct event views[ROOM];
	struct event web[ROOM];
	struct visitor visitors[ROOM];
	int chat_count;
	int message_count;
	int mention_count;
	int view_count;
	int web_count;
	int visitor_count;
};

struct organization {
	const struct scope *scope;
	struct model model;
	struct model at_item; /* as it was when the item began, and the transaction */
	struct model at_transaction;
};

struct house {
	struct fixture fixture;
	struct db *db; /* without row security, so that rows can be erased by a script */
	struct ledger *ledger;
	struct organization organizations[ORGANIZATIONS];
	struct organization *of; /* whose item runs */
	struct arena arena;
	uint64_t random;
	int64_t base; /* the middle of the events' time */
	int64_t organizations_made;
	size_t sequence;
};

/* xorshift64* (Vigna, 2016). */
static uint32_t any(struct house *house, uint32_t below)
{
	house->random ^= house->random >> 12;
	house->random ^= house->random << 25;
	house->random ^= house->random >> 27;
	return (uint32_t)(house->random * UINT64_C(2685821657736338717) >> 33) % below;
}

static int64_t any_time(struct house *house)
{
	const uint32_t kind = any(house, 20);

	if (kind == 0)
		return any(house, 3 * 86400) * INT64_C(1000); /* 1970 */
	if (kind == 1)
		return INT64_C(253402300799999) - any(house, 86400) * INT64_C(1000); /* the end of 9999 */
	if (kind < 8)                                                                /* around midnight somewhere */
		return house->base + ((int64_t)any(house, SPREAD) - SPREAD / 2) * DAY_MS +
		       any(house, 16) * INT64_C(5400000) - any(house, 3);
	return house->base + ((int64_t)any(house, SPREAD) - SPREAD / 2) * DAY_MS + any(house, 86400) * INT64_C(1000);
}

static struct text name(struct house *house, const char *kind, int number)
{
	char text[32];

	snprintf(text, sizeof text, "%s%d", kind, number);
	return text_copy(&house->arena, text_of(text));
}

static struct counting counting(struct house *house)
{
	return (struct counting){ house->ledger, house->db, house->of->scope, &house->arena };
}

/* An SQL text that ends in a number. */
static void script(struct house *house, const char *statement, int64_t number)
{
	struct fault fault;
	char sql[256];

	snprintf(sql, sizeof sql, "%s%lld", statement, (long long)number);
	if (db_script(house->db, sql, &fault) != OK)
		fail_msg("%s: %s", sql, fault.sentence);
}

static void store_chat(struct house *house)
{
	const struct counting c = counting(house);
	struct model *model = &house->of->model;
	struct chat chat = { .at = any_time(house),
			     .session = (int)any(house, SESSIONS),
			     .place = any(house, PLACES),
			     .last = { DB_NULL, DB_NULL },
			     .last_message = DB_NULL };
	struct chat_create_in in = { .id = uuid_new(), .status = TEXT("active"), .created_at = chat.at };
	char id[UUID_TEXT_SIZE];

	if (model->chat_count == ROOM)
		return;
	uuid_format(&in.id, id);
	in.chat_id = text_of(id);
	in.session_id = name(house, "session", chat.session);
	in.location = text_of(places[chat.place].location);
	assert_int_equal(query_run(house->db, STATEMENT_CHAT_CREATE, &in, NULL), OK);
	chat.number = db_inserted(house->db);
	assert_int_equal(
	    query_run(house->db, STATEMENT_CHAT_ACTIVITY_CREATE,
		      &(struct chat_activity_create_in){ .chat_number = chat.number, .updated_at = chat.at }, NULL),
	    OK);
	assert_int_equal(counting_chat(&c,
				       &(struct counted_chat){ .number = chat.number,
							       .created_at = chat.at,
							       .session_id = in.session_id,
							       .location = in.location },
				       COUNTED),
			 OK);
	model->chats[model->chat_count++] = chat;
}

static struct chat *any_chat(struct house *house)
{
	struct model *model = &house->of->model;
	struct chat *chat;

	if (model->chat_count == 0)
		return NULL;
	chat = &model->chats[any(house, (uint32_t)model->chat_count)];
	return chat->gone ? NULL : chat;
}

static void store_message(struct house *house)
{
	const struct counting c = counting(house);
	struct model *model = &house->of->model;
	struct chat *chat = any_chat(house);
	const bool by_user = any(house, 3) > 0;
	struct message_create_in in = { .id = uuid_new(),
					.role = by_user ? TEXT("user") : TEXT("assistant"),
					.content = TEXT("x"),
					.created_at = any(house, 2) == 0 && chat != NULL ? chat->at : any_time(house) };

	if (chat == NULL || model->message_count == ROOM * 4)
		return;
	in.chat_number = chat->number;
	in.previous = chat->last_message;
	assert_int_equal(query_run(house->db, STATEMENT_MESSAGE_CREATE, &in, NULL), OK);
	chat->last_message = db_inserted(house->db);
	if (by_user) {
		assert_int_equal(counting_message(&c, chat->number, in.created_at, &chat->last), OK);
		model->messages[model->message_count++] = (struct message){ (int)(chat - model->chats), in.created_at };
	}
	assert_int_equal(query_run(house->db, STATEMENT_CHAT_ACTIVITY_MOVE,
				   &(struct chat_activity_move_in){ .chat_number = chat->number,
								    .updated_at = in.created_at,
								    .last_message = chat->last_message,
								    .counted_edition = chat->last.edition,
								    .counted_day = chat->last.day },
				   NULL),
			 OK);
}

static void erase_chat(struct house *house)
{
	const struct counting c = counting(house);
	struct model *model = &house->of->model;
	struct chat *chat = any_chat(house);
	int kept = 0;

	if (chat == NULL)
		return;
	assert_int_equal(counting_chat_erased(&c, chat->number), OK);
	script(house, "DELETE FROM messages WHERE chat_number = ", chat->number);
	script(house, "DELETE FROM chat_activity WHERE chat_number = ", chat->number);
	script(house, "DELETE FROM chats WHERE number = ", chat->number);
	chat->gone = true;
	for (int i = 0; i < model->message_count; i++)
		if (&model->chats[model->messages[i].chat] != chat)
			model->messages[kept++] = model->messages[i];
	model->message_count = kept;
}

static struct counted_article article_of(struct house *house, const struct event *event)
{
	return (struct counted_article){ .number = event->number,
					 .at = event->at,
					 .id = name(house, "article", event->what),
					 .name = name(house, "name", event->what),
					 .slug = name(house, "slug", event->what),
					 .type = TEXT("Article"),
					 .session_id = event->session < 0 ? text_of(NULL)
									  : name(house, "session", event->session) };
}

static void store_mention(struct house *house)
{
	const struct counting c = counting(house);
	struct model *model = &house->of->model;
	struct event event = { .at = any_time(house), .what = (int)any(house, ARTICLES), .session = -1 };
	struct counted_article counted;

	if (model->mention_count == ROOM)
		return;
	counted = article_of(house, &event);
	assert_int_equal(query_run(house->db, STATEMENT_ARTICLE_MENTION_CREATE,
				   &(struct article_mention_create_in){ .id = uuid_new(),
									.article_id = counted.id,
									.article_name = counted.name,
									.article_slug = counted.slug,
									.article_type = counted.type,
									.mentioned_at = event.at },
				   NULL),
			 OK);
	event.number = counted.number = db_inserted(house->db);
	assert_int_equal(counting_mention(&c, &counted, COUNTED), OK);
	model->mentions[model->mention_count++] = event;
}

static void store_view(struct house *house)
{
	const struct counting c = counting(house);
	struct model *model = &house->of->model;
	struct event event = { .at = any_time(house),
			       .what = (int)any(house, ARTICLES),
			       .session = (int)any(house, SESSIONS + 1) - 1 };
	struct counted_article counted;

	if (model->view_count == ROOM)
		return;
	counted = article_of(house, &event);
	assert_int_equal(query_run(house->db, STATEMENT_ARTICLE_VIEW_CREATE,
				   &(struct article_view_create_in){ .id = uuid_new(),
								     .article_id = counted.id,
								     .article_name = counted.name,
								     .article_slug = counted.slug,
								     .article_type = counted.type,
								     .session_id = counted.session_id,
								     .viewed_at = event.at },
				   NULL),
			 OK);
	event.number = counted.number = db_inserted(house->db);
	assert_int_equal(counting_view(&c, &counted, COUNTED), OK);
	model->views[model->view_count++] = event;
}

static struct counted_web_mention web_of(struct house *house, const struct event *event)
{
	return (struct counted_web_mention){ .number = event->number,
					     .mentioned_at = event->at,
					     .clicked_at = event->clicked_at,
					     .url = name(house, "https://example.com/", event->what),
					     .title = name(house, "title", event->what * 100 + event->session),
					     .chat_id =
						 event->name < 0 ? text_of(NULL) : name(house, "chat", event->name),
					     .session_id = name(house, "session", event->session) };
}

static void store_web(struct house *house)
{
	const struct counting c = counting(house);
	struct model *model = &house->of->model;
	struct event event = { .at = any_time(house),
			       .clicked_at = DB_NULL,
			       .what = (int)any(house, PAGES),
			       .session = (int)any(house, SESSIONS),
			       .name = (int)any(house, CHAT_NAMES + 1) - 1 };
	struct counted_web_mention counted;
	struct web_mention_create_out row;

	if (model->web_count == ROOM)
		return;
	counted = web_of(house, &event);
	assert_int_equal(query_one(house->db, STATEMENT_WEB_MENTION_CREATE,
				   &(struct web_mention_create_in){ .id = uuid_new(),
								    .article_url = counted.url,
								    .article_title = counted.title,
								    .chat_id = counted.chat_id,
								    .session_id = counted.session_id,
								    .metadata = TEXT("{}"),
								    .mentioned_at = event.at,
								    .created_at = event.at },
				   &row, &house->arena),
			 OK);
	event.number = counted.number = db_inserted(house->db);
	assert_int_equal(counting_web_mention(&c, &counted, COUNTED), OK);
	model->web[model->web_count++] = event;
}

static void click(struct house *house)
{
	const struct counting c = counting(house);
	struct model *model = &house->of->model;
	struct event *event;
	struct counted_web_mention counted;
	struct web_mention_click_out row;

	if (model->web_count == 0)
		return;
	event = &model->web[any(house, (uint32_t)model->web_count)];
	if (event->gone || event->clicked_at != DB_NULL)
		return;
	event->clicked_at = any_time(house);
	counted = web_of(house, event);
	assert_int_equal(query_one(house->db, STATEMENT_WEB_MENTION_CLICK,
				   &(struct web_mention_click_in){ event->number, event->clicked_at }, &row,
				   &house->arena),
			 OK);
	assert_int_equal(counting_click(&c, &counted), OK);
}

static void erase_event(struct house *house)
{
	const struct counting c = counting(house);
	struct model *model = &house->of->model;
	const uint32_t kind = any(house, 3);
	struct event *list = kind == 0 ? model->mentions : kind == 1 ? model->views : model->web;
	const int count = kind == 0 ? model->mention_count : kind == 1 ? model->view_count : model->web_count;
	struct event *event;
	struct counted_article article;
	struct counted_web_mention web;

	if (count == 0)
		return;
	event = &list[any(house, (uint32_t)count)];
	if (event->gone)
		return;
	event->gone = true;
	script(house,
	       kind == 0   ? "DELETE FROM article_mentions WHERE number = "
	       : kind == 1 ? "DELETE FROM article_views WHERE number = "
			   : "DELETE FROM web_mentions WHERE number = ",
	       event->number);
	if (kind == 2) {
		web = web_of(house, event);
		assert_int_equal(counting_web_mention(&c, &web, UNCOUNTED), OK);
		return;
	}
	article = article_of(house, event);
	assert_int_equal(kind == 0 ? counting_mention(&c, &article, UNCOUNTED) : counting_view(&c, &article, UNCOUNTED),
			 OK);
}

static struct counted_visitor visitor_of(struct house *house, const struct visitor *visitor)
{
	struct counted_visitor counted = { .number = visitor->number, .created_at = visitor->at };
	struct buffer json;

	buffer_init(&json, 256);
	buffer_string(&json, "{");
	if (visitor->season == 1)
		buffer_string(&json, "\"season\":{\"label\":\"S1\"},");
	else if (visitor->season >= 0)
		buffer_format(&json, "\"season\":\"S%d\",", visitor->season);
	buffer_string(&json, "\"preferences\":[\"\"");
	for (int i = 0; i < PREFERENCES; i++)
		if ((visitor->preferences >> i & 1) != 0)
			buffer_format(&json, ",\"P%d\",\" P%d \"", i, i);
	buffer_string(&json, "]}");
	assert_false(json.failed);
	counted.metadata = text_copy(&house->arena, (struct text){ json.at, json.length });
	buffer_fini(&json);
	return counted;
}

static void store_visitor(struct house *house)
{
	const struct counting c = counting(house);
	struct model *model = &house->of->model;
	struct visitor visitor = { .at = any_time(house),
				   .season = (int)any(house, SEASONS + 1) - 1,
				   .preferences = (int)any(house, 1 << PREFERENCES) };
	struct counted_visitor counted = visitor_of(house, &visitor);

	if (model->visitor_count == ROOM)
		return;
	assert_int_equal(query_run(house->db, STATEMENT_VISITOR_CREATE,
				   &(struct visitor_create_in){
				       .id = uuid_new(), .metadata = counted.metadata, .created_at = visitor.at },
				   NULL),
			 OK);
	visitor.number = counted.number = db_inserted(house->db);
	assert_int_equal(counting_visitor(&c, NULL, &counted), OK);
	model->visitors[model->visitor_count++] = visitor;
}

static void change_visitor(struct house *house)
{
	const struct counting c = counting(house);
	struct model *model = &house->of->model;
	struct visitor *visitor;
	struct counted_visitor before;
	struct counted_visitor after;
	char sql[256];

	if (model->visitor_count == 0)
		return;
	visitor = &model->visitors[any(house, (uint32_t)model->visitor_count)];
	if (visitor->gone)
		return;
	before = visitor_of(house, visitor);
	if (any(house, 3) == 0) {
		visitor->gone = true;
		script(house, "DELETE FROM visitors WHERE number = ", visitor->number);
		assert_int_equal(counting_visitor(&c, &before, NULL), OK);
		return;
	}
	visitor->season = (int)any(house, SEASONS + 1) - 1;
	visitor->preferences = (int)any(house, 1 << PREFERENCES);
	after = visitor_of(house, visitor);
	snprintf(sql, sizeof sql, "UPDATE visitors SET metadata = '%.*s' WHERE number = ", (int)after.metadata.length,
		 after.metadata.at);
	script(house, sql, visitor->number);
	assert_int_equal(counting_visitor(&c, &before, &after), OK);
}

static void change_zone(struct house *house)
{
	const struct counting c = counting(house);

	assert_int_equal(build_change_zone(&c, text_of(zones[any(house, ZONES)]), 1), OK);
}

static void step_build(struct house *house)
{
	const struct counting c = counting(house);
	bool more;

	assert_int_equal(build_step(&c, &more), OK);
}

/* The more often, the more often it stands here. */
static void (*const operations[])(struct house *house) = {
	store_chat,    store_chat,    store_message, store_message, store_message, store_message,
	store_message, store_mention, store_mention, store_view,    store_view,    store_web,
	store_web,     click,         click,         store_visitor, store_visitor, change_visitor,
	erase_chat,    erase_event,   erase_event,   step_build,    step_build,
};
#define OPERATIONS (sizeof operations / sizeof operations[0])

/* An item of some operations, which may be undone. */
static void run_item(struct house *house, bool changes_zone)
{
	const uint32_t count = 1 + any(house, 3);
	const bool kept = any(house, 6) > 0;

	house->of = &house->organizations[any(house, ORGANIZATIONS)];
	house->of->at_item = house->of->model;
	assert_int_equal(db_enter(house->db, house->of->scope), OK);
	for (uint32_t i = 0; i < count; i++)
		operations[any(house, OPERATIONS)](house);
	if (changes_zone && any(house, 40) == 0)
		change_zone(house);
	assert_int_equal(db_leave(house->db, kept), OK);
	ledger_end_item(house->ledger, kept);
	if (!kept)
		house->of->model = house->of->at_item;
	arena_fini(&house->arena);
}

/* A transaction of some items, which may be lost. */
static void run_transaction(struct house *house, uint32_t items, bool changes_zone)
{
	const bool kept = any(house, 12) > 0;

	for (size_t i = 0; i < ORGANIZATIONS; i++)
		house->organizations[i].at_transaction = house->organizations[i].model;
	assert_int_equal(db_begin(house->db), OK);
	for (uint32_t i = 0; i < items; i++)
		run_item(house, changes_zone);
	if (kept)
		assert_int_equal(ledger_settle(house->db, house->ledger), OK);
	else
		ledger_forget(house->ledger);
	assert_int_equal(db_end(house->db, kept), OK);
	for (size_t i = 0; !kept && i < ORGANIZATIONS; i++)
		house->organizations[i].model = house->organizations[i].at_transaction;
}

/* The naive side: a moment lies in the range or not. */
struct look {
	struct house *house;
	const struct model *model;
	struct calendar *calendar;
	struct figures figures;
	struct range range;
};

static bool lies_in(const struct look *look, int64_t time)
{
	const int64_t day = calendar_day(look->calendar, time);

	return look->range.ever || (day >= look->range.from && day <= look->range.to);
}

static void expect(const struct look *look, const char *what, enum err err, int64_t got, int64_t wanted)
{
	assert_int_equal(err, OK);
	if (got != wanted)
		fail_msg("sequence %zu, %.*s, %s of %lld to %lld%s: %lld instead of %lld", look->house->sequence,
			 (int)look->figures.zone.length, look->figures.zone.at, what, (long long)look->range.from,
			 (long long)look->range.to, look->range.ever ? " (ever)" : "", (long long)got,
			 (long long)wanted);
}

static void expect_count(const struct look *look, const char *what, enum metric metric, int64_t wanted)
{
	int64_t got = -1;
	enum err err = figures_count(&look->figures, metric, &look->range, &got);

	expect(look, what, err, got, wanted);
}

static void expect_members(const struct look *look, const char *what, enum metric metric, const bool *seen,
			   size_t count)
{
	int64_t wanted = 0;
	int64_t got = -1;
	enum err err = figures_members(&look->figures, metric, &look->range, &got);

	for (size_t i = 0; i < count; i++)
		wanted += seen[i];
	expect(look, what, err, got, wanted);
}

static void expect_label(const struct look *look, enum metric metric, struct text label, int64_t wanted)
{
	struct figure_label *labels;
	size_t count;
	int64_t got = 0;
	enum err err = figures_labels(&look->figures, metric, &look->range, &labels, &count);

	for (size_t i = 0; err == OK && i < count; i++) {
		assert_true(labels[i].amount > 0);
		assert_true(i == 0 || labels[i - 1].amount >= labels[i].amount);
		got = text_equal(labels[i].label, label) ? labels[i].amount : got;
	}
	expect(look, label.at, err, got, wanted);
}

static void check_chats(const struct look *look)
{
	const struct model *model = look->model;
	bool sessions[SESSIONS] = { 0 };
	bool sent[SESSIONS] = { 0 };
	static bool engaged[ROOM];
	int64_t chats = 0;
	int64_t messages = 0;
	int64_t germans = 0;
	int64_t americans = 0;

	memset(engaged, 0, sizeof engaged);
	for (int i = 0; i < model->chat_count; i++) {
		const struct chat *chat = &model->chats[i];

		if (chat->gone || !lies_in(look, chat->at))
			continue;
		chats++;
		sessions[chat->session] = true;
		germans += places[chat->place].city != NULL && strcmp(places[chat->place].city, "Berlin") == 0;
		americans +=
		    places[chat->place].country != NULL && strcmp(places[chat->place].country, "United States") == 0;
	}
	for (int i = 0; i < model->message_count; i++) {
		if (!lies_in(look, model->messages[i].at))
			continue;
		messages++;
		engaged[model->messages[i].chat] = true;
		sent[model->chats[model->messages[i].chat].session] = true;
	}
	expect_count(look, "chats", METRIC_CHATS, chats);
	expect_count(look, "devices", METRIC_DEVICE, chats);
	expect_count(look, "messages", METRIC_USER_MESSAGES, messages);
	expect_members(look, "sessions", METRIC_SESSIONS, sessions, SESSIONS);
	expect_members(look, "engaged chats", METRIC_ENGAGED_CHATS, engaged, ROOM);
	expect_members(look, "sessions that sent", METRIC_SESSIONS_SENT, sent, SESSIONS);
	expect_label(look, METRIC_CITY, TEXT("Berlin"), germans);
	expect_label(look, METRIC_COUNTRY, TEXT("United States"), americans);
}

static void check_events(const struct look *look)
{
	const struct model *model = look->model;
	bool articles[ARTICLES] = { 0 };
	bool viewed[SESSIONS] = { 0 };
	bool clicked[SESSIONS] = { 0 };
	bool chats[CHAT_NAMES] = { 0 };
	int64_t views = 0;
	int64_t clicks = 0;
	int64_t of_article = 0;

	for (int i = 0; i < model->mention_count; i++)
		if (!model->mentions[i].gone && lies_in(look, model->mentions[i].at)) {
			articles[model->mentions[i].what] = true;
			of_article += model->mentions[i].what == 3;
		}
	for (int i = 0; i < model->view_count; i++)
		if (!model->views[i].gone && lies_in(look, model->views[i].at)) {
			articles[model->views[i].what] = true;
			views++;
			if (model->views[i].session >= 0)
				viewed[model->views[i].session] = true;
		}
	for (int i = 0; i < model->web_count; i++) {
		const struct event *event = &model->web[i];

		if (event->gone || event->clicked_at == DB_NULL || !lies_in(look, event->clicked_at))
			continue;
		clicks++;
		clicked[event->session] = true;
		if (event->name >= 0)
			chats[event->name] = true;
	}
	expect_count(look, "views", METRIC_VIEWS, views);
	expect_count(look, "clicks", METRIC_CLICKS, clicks);
	expect_label(look, METRIC_ARTICLE_MENTIONS, TEXT("article3"), of_article);
	expect_members(look, "places", METRIC_PLACES, articles, ARTICLES);
	expect_members(look, "sessions that viewed", METRIC_SESSIONS_VIEWED, viewed, SESSIONS);
	expect_members(look, "sessions that clicked", METRIC_SESSIONS_CLICKED, clicked, SESSIONS);
	expect_members(look, "chats that clicked", METRIC_CHATS_CLICKED, chats, CHAT_NAMES);
}

static void check_visitors(const struct look *look)
{
	const struct model *model = look->model;
	int64_t visitors = 0;
	int64_t interested = 0;
	int64_t in_season = 0;
	int64_t preferring = 0;

	for (int i = 0; i < model->visitor_count; i++) {
		const struct visitor *visitor = &model->visitors[i];

		if (visitor->gone || !lies_in(look, visitor->at))
			continue;
		visitors++;
		interested += visitor->season >= 0 || visitor->preferences != 0;
		in_season += visitor->season == 1;
		preferring += visitor->preferences & 1;
	}
	expect_count(look, "visitors", METRIC_VISITORS, visitors);
	expect_count(look, "interested", METRIC_INTERESTED, interested);
	expect_label(look, METRIC_SEASON, TEXT("S1"), in_season);
	expect_label(look, METRIC_PREFERENCE, TEXT("P0"), preferring);
}

/* Days one by one, against the same figures of ranges of one day. */
static void check_series(const struct look *look)
{
	struct look day = *look;
	int64_t chats[200];
	int64_t sessions[200];
	const int64_t days = look->range.to - look->range.from + 1;
	int64_t which;

	if (look->range.ever || days > 200)
		return;
	assert_int_equal(figures_count_by_day(&look->figures, METRIC_CHATS, &look->range, chats), OK);
	assert_int_equal(figures_members_by_day(&look->figures, METRIC_SESSIONS, &look->range, sessions), OK);
	which = any(look->house, (uint32_t)days);
	day.range.from = day.range.to = look->range.from + which;
	expect_count(&day, "chats of a day", METRIC_CHATS, chats[which]);
	for (int64_t got = 0; got == 0; got++) {
		int64_t members = -1;
		enum err err = figures_members(&day.figures, METRIC_SESSIONS, &day.range, &members);

		expect(&day, "sessions of a day", err, members, sessions[which]);
	}
}

static struct range any_range(struct house *house)
{
	const int64_t middle = house->base / DAY_MS;
	const int64_t a = middle + (int64_t)any(house, SPREAD + 10) - (SPREAD + 10) / 2;
	const int64_t b = middle + (int64_t)any(house, SPREAD + 10) - (SPREAD + 10) / 2;
	const uint32_t kind = any(house, 10);

	if (kind == 0)
		return (struct range){ .ever = true };
	if (kind == 1)
		return (struct range){ .from = -1, .to = a };
	if (kind == 2)
		return (struct range){ .from = a, .to = 2932896 };
	return (struct range){ .from = a < b ? a : b, .to = a < b ? b : a };
}

static void check(struct house *house, struct organization *organization, int ranges)
{
	struct look look = { .house = house, .model = &organization->model };

	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, organization->scope), OK);
	assert_int_equal(figures_open(&look.figures, house->db, &house->arena), OK);
	assert_int_equal(calendar_new(&look.calendar, look.figures.zone), OK);
	for (int i = 0; i < ranges; i++) {
		look.range = any_range(house);
		check_chats(&look);
		check_events(&look);
		check_visitors(&look);
		check_series(&look);
	}
	calendar_free(look.calendar);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_end(house->db, false), OK);
	arena_fini(&house->arena);
}

static void tell(void *context, const struct recount_difference *difference)
{
	const struct house *house = context;

	print_error("sequence %zu: %s", house->sequence, difference->table);
	for (size_t i = 0; i < RECOUNT_PARTS && difference->key[i].name != NULL; i++)
		print_error(" %s=%lld%.*s", difference->key[i].name, (long long)difference->key[i].number,
			    (int)difference->key[i].text.length, difference->key[i].text.at);
	print_error(" stored %lld%.*s counted %lld%.*s\n", (long long)difference->stored.number,
		    (int)difference->stored.text.length, difference->stored.text.at,
		    (long long)difference->counted.number, (int)difference->counted.text.length,
		    difference->counted.text.at);
}

static void verify(struct house *house, const struct organization *organization)
{
	struct recount result;

	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, organization->scope), OK);
	assert_int_equal(recount_all(house->db, &result, tell, house), OK);
	assert_true(result.complete);
	assert_int_equal(result.differences, 0);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_end(house->db, false), OK);
}

static void found(struct house *house, const struct uuid *id)
{
	struct fault fault;
	char hex[33];
	char sql[256];

	text_hex(id->bytes, sizeof id->bytes, hex);
	snprintf(sql, sizeof sql,
		 "INSERT INTO organizations (id, slug, organization_name, created_at, updated_at) "
		 "VALUES (X'%s', '%s', 'o', 1, 1)",
		 hex, hex);
	assert_int_equal(db_script(house->db, sql, &fault), OK);
}

/* New organizations for the next sequence. */
static void settle_in(struct house *house, uint64_t seed)
{
	/* Around a change of New York's clocks. */
	static const int64_t bases[] = { INT64_C(1772928000000), INT64_C(1793491200000), INT64_C(1609459200000) };

	house->random = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
	house->base = bases[any(house, 3)];
	for (size_t i = 0; i < ORGANIZATIONS; i++) {
		struct organization *organization = &house->organizations[i];
		struct uuid id = { .bytes = { 1 } };

		memset(&organization->model, 0, sizeof organization->model);
		house->organizations_made++;
		memcpy(id.bytes + 4, &house->organizations_made, sizeof house->organizations_made);
		organization->scope = tenant_scope(&house->fixture.arena, &id);
		found(house, &id);
	}
}

static int open_house(void **state)
{
	struct house *house = calloc(1, sizeof *house);
	struct fault fault;

	assert_non_null(house);
	fixture_open(&house->fixture);
	arena_init(&house->arena, 64 << 20);
	house->db = fixture_db(&house->fixture, DB_MIGRATE);
	assert_int_equal(db_script(house->db, "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF", &fault), OK);
	assert_int_equal(ledger_new(&house->ledger, &house->fixture.log), OK);
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	ledger_free(house->ledger);
	db_close(house->db);
	arena_fini(&house->arena);
	fixture_close(&house->fixture);
	free(house);
	return 0;
}

/* One step of an organization's build in a transaction of its own. */
static bool step_alone(struct house *house, struct organization *organization)
{
	struct counting c;
	bool more = false;

	house->of = organization;
	c = counting(house);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, organization->scope), OK);
	assert_int_equal(build_step(&c, &more), OK);
	assert_int_equal(db_leave(house->db, true), OK);
	ledger_end_item(house->ledger, true);
	assert_int_equal(ledger_settle(house->db, house->ledger), OK);
	assert_int_equal(db_end(house->db, true), OK);
	arena_fini(&house->arena);
	return more;
}

static void finish_builds(struct house *house)
{
	for (size_t i = 0; i < ORGANIZATIONS; i++)
		while (step_alone(house, &house->organizations[i]))
			;
}

static void set_zone(struct house *house, struct organization *organization, const char *zone)
{
	struct counting c;

	house->of = organization;
	c = counting(house);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, organization->scope), OK);
	assert_int_equal(build_change_zone(&c, text_of(zone), 1), OK);
	assert_int_equal(db_leave(house->db, true), OK);
	ledger_end_item(house->ledger, true);
	assert_int_equal(db_end(house->db, true), OK);
}

static size_t wanted_sequences(void)
{
	const char *given = getenv("INNKEEPER_FIGURES_SEQUENCES");
	int64_t count = 1000;

	if (given != NULL)
		assert_int_equal(text_to_int(text_of(given), &count), OK);
	return (size_t)count;
}

static void short_sequences_are_counted_exactly(void **state)
{
	struct house *house = *state;
	const size_t count = wanted_sequences();

	for (house->sequence = 1; house->sequence <= count; house->sequence++) {
		settle_in(house, house->sequence);
		for (size_t i = 0; i < ORGANIZATIONS; i++) {
			set_zone(house, &house->organizations[i], zones[(house->sequence + i) % ZONES]);
			while (any(house, 3) > 0 && step_alone(house, &house->organizations[i]))
				;
		}
		for (int i = 0; i < 4; i++)
			run_transaction(house, 1 + any(house, 12), true);
		for (size_t i = 0; i < ORGANIZATIONS; i++) {
			check(house, &house->organizations[i], 3);
			verify(house, &house->organizations[i]);
		}
	}
	print_message("%zu sequences, seeds 1 to %zu\n", count, count);
}

static void long_histories_are_counted_exactly_while_the_zone_changes(void **state)
{
	struct house *house = *state;

	for (house->sequence = 100001; house->sequence <= 100006; house->sequence++) {
		settle_in(house, house->sequence);
		for (int i = 0; i < 60; i++) {
			run_transaction(house, 1 + any(house, 24), i % 3 == 0);
			check(house, &house->organizations[i % ORGANIZATIONS], 2);
		}
		for (size_t i = 0; i < ORGANIZATIONS; i++)
			verify(house, &house->organizations[i]);
		finish_builds(house);
		for (size_t i = 0; i < ORGANIZATIONS; i++) {
			check(house, &house->organizations[i], 40);
			verify(house, &house->organizations[i]);
		}
	}
	print_message("seeds 100001 to 100006\n");
}

static int64_t number_of(struct house *house, const char *sql)
{
	sqlite3 *plain = fixture_plain(&house->fixture);
	const int64_t number = fixture_number(plain, sql);

	sqlite3_close(plain);
	return number;
}

static void a_build_that_a_crash_ended_goes_on_and_leaves_nothing_behind(void **state)
{
	struct house *house = *state;

	settle_in(house, 7);
	for (int i = 0; i < 20; i++)
		run_transaction(house, 24, false);
	set_zone(house, &house->organizations[0], "Asia/Kathmandu");
	assert_true(step_alone(house, &house->organizations[0]));
	ledger_free(house->ledger); /* what the process knew */
	assert_int_equal(ledger_new(&house->ledger, &house->fixture.log), OK);
	/* Events of the past and of now meanwhile, and another wish. */
	run_transaction(house, 24, false);
	set_zone(house, &house->organizations[0], "America/St_Johns");
	assert_true(step_alone(house, &house->organizations[0]));
	run_transaction(house, 24, false);
	finish_builds(house);
	check(house, &house->organizations[0], 40);
	verify(house, &house->organizations[0]);
	assert_int_equal(number_of(house, "SELECT edition FROM rollup_states"), 2);
	assert_int_equal(number_of(house, "SELECT count(*) FROM rollup_states WHERE has_work <> 0"), 0);
	assert_int_equal(number_of(house, "SELECT (SELECT count(*) FROM rollup_counts WHERE edition = 1) + "
					  "(SELECT count(*) FROM rollup_members WHERE edition = 1) + "
					  "(SELECT count(*) FROM rollup_gaps WHERE edition = 1)"),
			 0);
	assert_int_equal(number_of(house, "SELECT count(*) FROM organizations WHERE time_zone = 'America/St_Johns'"),
			 1);
}

static void an_unknown_zone_is_refused(void **state)
{
	static const char *const bad[] = { "",        "Nowhere",    "../etc/passwd", "/etc/localtime", "Europe//Berlin",
					   "Europe/", "EST5EDT,M3", "+05:45",        "Europe/Ber lin" };
	struct house *house = *state;
	struct counting c;

	settle_in(house, 8);
	house->of = &house->organizations[0];
	c = counting(house);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, house->of->scope), OK);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(build_change_zone(&c, text_of(bad[i]), 1), ERR_INVALID);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_end(house->db, true), OK);
}

static void count_difference(void *context, const struct recount_difference *difference)
{
	(void)context;
	(void)difference;
}

/* The differences of the first organization after a tampering, which is taken back. */
static int64_t differences_after(struct house *house, const char *tampering)
{
	struct recount result;
	struct fault fault = { 0 };

	assert_int_equal(db_begin(house->db), OK);
	if (db_script(house->db, tampering, &fault) != OK)
		fail_msg("%s: %s", tampering, fault.sentence);
	assert_int_equal(db_enter(house->db, house->organizations[0].scope), OK);
	assert_int_equal(recount_all(house->db, &result, count_difference, NULL), OK);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_end(house->db, false), OK);
	return result.differences;
}

static void whatever_is_tampered_with_is_found(void **state)
{
	static const char *const tamperings[] = {
		"UPDATE rollup_counts SET amount = amount + 1 WHERE metric = 1 AND span = 2",
		"DELETE FROM rollup_counts WHERE metric = 8",
		"UPDATE rollup_counts SET label = label || 'x' WHERE metric = 10",
		"UPDATE rollup_gaps SET amount = amount - 1 WHERE metric = 32 AND span = 0",
		"DELETE FROM rollup_gaps WHERE span = 1",
		"UPDATE rollup_members SET amount = 9 WHERE metric = 38",
		"DELETE FROM rollup_members WHERE metric = 33",
		"UPDATE web_pages SET clicks = clicks + 1",
		"UPDATE web_pages SET article_title = 'x'",
		"UPDATE web_pages SET last_mentioned = 5",
		"DELETE FROM web_pages",
		"DELETE FROM articles",
		"UPDATE articles SET seen_at = 5",
		"UPDATE chat_activity SET message_count = 77",
		"UPDATE chat_activity SET counted_day = 77 WHERE counted_day IS NOT NULL",
		"DELETE FROM article_mentions",
		"DELETE FROM article_views",
		"UPDATE web_mentions SET clicked_at = NULL",
		"UPDATE messages SET role = 'user'",
		"UPDATE visitors SET metadata = NULL",
		"UPDATE chats SET created_at = created_at + 86400000",
	};
	struct house *house = *state;

	settle_in(house, 9);
	for (int i = 0; i < 20; i++)
		run_transaction(house, 24, false);
	assert_int_equal(differences_after(house, "SELECT 1"), 0);
	for (size_t i = 0; i < sizeof tamperings / sizeof tamperings[0]; i++)
		if (differences_after(house, tamperings[i]) == 0)
			fail_msg("nothing was found after: %s", tamperings[i]);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(short_sequences_are_counted_exactly),
		HOUSE(long_histories_are_counted_exactly_while_the_zone_changes),
		HOUSE(a_build_that_a_crash_ended_goes_on_and_leaves_nothing_behind),
		HOUSE(an_unknown_zone_is_refused),
		HOUSE(whatever_is_tampered_with_is_found),
	};

	json_tree_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
