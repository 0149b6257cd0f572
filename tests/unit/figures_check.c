#include "figures_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "analytics/figures.h"
#include "analytics/recount.h"

/* The naive side: a moment lies in the range or not. */
struct look {
	struct model_house *house;
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
		const struct model_chat *chat = &model->chats[i];

		if (chat->gone || !lies_in(look, chat->at))
			continue;
		chats++;
		sessions[chat->session] = true;
		germans +=
		    model_places[chat->place].city != NULL && strcmp(model_places[chat->place].city, "Berlin") == 0;
		americans += model_places[chat->place].country != NULL &&
			     strcmp(model_places[chat->place].country, "United States") == 0;
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
		const struct model_event *event = &model->web[i];

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
		const struct model_visitor *visitor = &model->visitors[i];

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
	which = model_any(look->house, (uint32_t)days);
	day.range.from = day.range.to = look->range.from + which;
	expect_count(&day, "chats of a day", METRIC_CHATS, chats[which]);
	for (int64_t got = 0; got == 0; got++) {
		int64_t members = -1;
		enum err err = figures_members(&day.figures, METRIC_SESSIONS, &day.range, &members);

		expect(&day, "sessions of a day", err, members, sessions[which]);
	}
}

static struct range any_range(struct model_house *house)
{
	const int64_t middle = house->base / DAY_MS;
	const int64_t a = middle + (int64_t)model_any(house, SPREAD + 10) - (SPREAD + 10) / 2;
	const int64_t b = middle + (int64_t)model_any(house, SPREAD + 10) - (SPREAD + 10) / 2;
	const uint32_t kind = model_any(house, 10);

	if (kind == 0)
		return (struct range){ .ever = true };
	if (kind == 1)
		return (struct range){ .from = -1, .to = a };
	if (kind == 2)
		return (struct range){ .from = a, .to = 2932896 };
	return (struct range){ .from = a < b ? a : b, .to = a < b ? b : a };
}

void model_check(struct model_house *house, struct model_organization *organization, int ranges)
{
	struct look look = { .house = house, .model = &organization->model };

	while (model_step_uncounting(house, organization))
		model_verify(house, organization);
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
	const struct model_house *house = context;

	print_error("sequence %zu: %s", house->sequence, difference->table);
	for (size_t i = 0; i < RECOUNT_PARTS && difference->key[i].name != NULL; i++)
		print_error(" %s=%lld%.*s", difference->key[i].name, (long long)difference->key[i].number,
			    (int)difference->key[i].text.length, difference->key[i].text.at);
	print_error(" stored %lld%.*s counted %lld%.*s\n", (long long)difference->stored.number,
		    (int)difference->stored.text.length, difference->stored.text.at,
		    (long long)difference->counted.number, (int)difference->counted.text.length,
		    difference->counted.text.at);
}

void model_verify(struct model_house *house, const struct model_organization *organization)
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
