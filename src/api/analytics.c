#include "api/analytics.h"

#include <math.h>
#include <stdio.h>

#include "analytics/calendar.h"
#include "api/range.h"

#define SERIES_DAYS 90
#define LABELS_MAX  15

struct analytics_input {
	struct range_input range;
};

static const struct json_field analytics_fields[] = { RANGE_FIELDS(analytics_input),
						      RANGE_COMPARE_FIELD(analytics_input) };
const struct json_shape analytics_query = JSON_SHAPE(analytics_input, analytics_fields);

/* How a figure is read. */
enum way { COUNTED_EACH, COUNTED_ONCE };

static enum err read_figure(const struct figures *figures, enum metric metric, enum way way, const struct range *range,
			    int64_t *out)
{
	return way == COUNTED_EACH ? figures_count(figures, metric, range, out)
				   : figures_members(figures, metric, range, out);
}

/* `put` writes the members of an answer for a range; once more into `previous` if that is wanted. */

static enum err answer(struct call *call, int64_t usual,
		       enum err (*put)(struct json_out *out, const struct figures *figures, const struct range *range))
{
	const struct analytics_input *in = call->query;
	struct figures figures;
	struct range range;
	struct range before;
	enum err err = figures_open(&figures, call->db, call->arena);

	if (err == ERR_UNAVAILABLE)
		return call_fail(call, err, NULL, "The figures are being counted: try again in a while.");
	if (err == OK)
		err = range_read(call, &in->range, usual, &figures, &range);
	if (err == OK)
		err = put(call->out, &figures, &range);
	if (err != OK || in->range.compare.at == NULL)
		return err;
	json_key(call->out, "previous");
	if (!range_previous(&range, &before)) {
		json_put_null(call->out);
		return OK;
	}
	json_open_object(call->out);
	err = put(call->out, &figures, &before);
	json_close_object(call->out);
	return err;
}

static enum err put_summary(struct json_out *out, const struct figures *figures, const struct range *range)
{
	static const struct {
		const char *name;
		enum metric metric;
		enum way way;
	} members[] = {
		{ "totalChats", METRIC_CHATS, COUNTED_EACH },
		{ "totalMessages", METRIC_USER_MESSAGES, COUNTED_EACH },
		{ "totalVisitors", METRIC_VISITORS, COUNTED_EACH },
		{ "totalArticleClicks", METRIC_CLICKS, COUNTED_EACH },
		{ "totalArticleViews", METRIC_VIEWS, COUNTED_EACH },
		{ "totalPlacesTracked", METRIC_PLACES, COUNTED_ONCE },
		{ "engagedChats", METRIC_ENGAGED_CHATS, COUNTED_ONCE },
		{ "uniqueSessions", METRIC_SESSIONS, COUNTED_ONCE },
	};
	enum err err = OK;

	for (size_t i = 0; err == OK && i < sizeof members / sizeof members[0]; i++) {
		int64_t value;

		err = read_figure(figures, members[i].metric, members[i].way, range, &value);
		if (err != OK)
			break;
		json_key(out, members[i].name);
		json_put_int(out, value);
	}
	return err;
}

enum err analytics_summary(struct call *call)
{
	return answer(call, 0, put_summary);
}

/* An array with a row for every day. */
static enum err put_series(struct json_out *out, const struct figures *figures, const struct range *range,
			   const char *name, enum metric metric, enum way way)
{
	const size_t days = (size_t)(range->to - range->from + 1);
	int64_t *values = arena_take_many(figures->arena, days, sizeof *values);
	enum err err;

	if (values == NULL)
		return ERR_MEMORY;
	err = way == COUNTED_EACH ? figures_count_by_day(figures, metric, range, values)
				  : figures_members_by_day(figures, metric, range, values);
	if (err != OK)
		return err;
	json_key(out, name);
	json_open_array(out);
	for (size_t i = 0; i < days; i++) {
		const int64_t which = range->from + (int64_t)i;
		char day[CALENDAR_DAY_SIZE];
		char date[CALENDAR_DATE_SIZE];

		calendar_format_day(which, day);
		calendar_format_date(which, date);
		json_open_object(out);
		json_key(out, "date");
		json_put_string(out, date);
		json_key(out, "day");
		json_put_string(out, day);
		json_key(out, "value");
		json_put_int(out, values[i]);
		json_close_object(out);
	}
	json_close_array(out);
	return OK;
}

static enum err put_activity(struct json_out *out, const struct figures *figures, const struct range *range)
{
	enum err err = put_series(out, figures, range, "uniqueUsers", METRIC_SESSIONS, COUNTED_ONCE);

	if (err == OK)
		err = put_series(out, figures, range, "chatMessages", METRIC_SESSIONS_SENT, COUNTED_ONCE);
	return err == OK ? put_series(out, figures, range, "registrations", METRIC_VISITORS, COUNTED_EACH) : err;
}

enum err analytics_activity(struct call *call)
{
	return answer(call, SERIES_DAYS, put_activity);
}

static enum err put_totals(struct json_out *out, const struct figures *figures, const struct range *range)
{
	enum err err = put_series(out, figures, range, "chatMessages", METRIC_USER_MESSAGES, COUNTED_EACH);

	if (err == OK)
		err = put_series(out, figures, range, "articleClicks", METRIC_CLICKS, COUNTED_EACH);
	return err == OK ? put_series(out, figures, range, "articleViews", METRIC_VIEWS, COUNTED_EACH) : err;
}

enum err analytics_totals(struct call *call)
{
	return answer(call, SERIES_DAYS, put_totals);
}

/* Tenths of a percent, rounded half up; 0 of nothing. */
static int64_t permille(int64_t part, int64_t whole)
{
	return whole <= 0 ? 0 : (int64_t)floor((double)part * 1000 / (double)whole + 0.5);
}

enum figure { CHATS, ENGAGED, SESSIONS, VISITORS, SESSIONS_CLICKED, SESSIONS_VIEWED, CHATS_CLICKED, FIGURES };

static void put_stage(struct json_out *out, const char *label, int64_t value)
{
	json_open_object(out);
	json_key(out, "label");
	json_put_string(out, label);
	json_key(out, "value");
	json_put_int(out, value);
	json_close_object(out);
}

static enum err put_conversion(struct json_out *out, const struct figures *figures, const struct range *range)
{
	static const struct {
		enum metric metric;
		enum way way;
	} read[FIGURES] = {
		[CHATS] = { METRIC_CHATS, COUNTED_EACH },
		[ENGAGED] = { METRIC_ENGAGED_CHATS, COUNTED_ONCE },
		[SESSIONS] = { METRIC_SESSIONS, COUNTED_ONCE },
		[VISITORS] = { METRIC_VISITORS, COUNTED_EACH },
		[SESSIONS_CLICKED] = { METRIC_SESSIONS_CLICKED, COUNTED_ONCE },
		[SESSIONS_VIEWED] = { METRIC_SESSIONS_VIEWED, COUNTED_ONCE },
		[CHATS_CLICKED] = { METRIC_CHATS_CLICKED, COUNTED_ONCE },
	};
	static const struct {
		const char *name;
		const char *labels[2];
		enum figure stages[2];
	} pairs[] = {
		{ "sessionToEngagement", { "Sessions Started", "Sent Message" }, { CHATS, ENGAGED } },
		{ "sessionToRegistration", { "Sessions Started", "Registered (Newsletter)" }, { SESSIONS, VISITORS } },
		{ "sessionToClick", { "Sessions Started", "Clicked Article" }, { SESSIONS, SESSIONS_CLICKED } },
		{ "sessionToView", { "Sessions Started", "Viewed Article Details" }, { SESSIONS, SESSIONS_VIEWED } },
		{ "engagedToRegistration", { "Engaged Users", "Registered (Newsletter)" }, { ENGAGED, VISITORS } },
		{ "engagedToClick", { "Engaged Users", "Clicked Article" }, { ENGAGED, CHATS_CLICKED } },
	};
	int64_t values[FIGURES];

	for (size_t i = 0; i < FIGURES; i++) {
		enum err err = read_figure(figures, read[i].metric, read[i].way, range, &values[i]);

		if (err != OK)
			return err;
	}
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		const int64_t from = values[pairs[i].stages[0]];
		const int64_t to = values[pairs[i].stages[1]];

		json_key(out, pairs[i].name);
		json_open_object(out);
		json_key(out, "stages");
		json_open_array(out);
		put_stage(out, pairs[i].labels[0], from);
		put_stage(out, pairs[i].labels[1], to);
		json_close_array(out);
		json_key(out, "conversionRate");
		json_put_real(out, (double)permille(to, from) / 10);
		json_close_object(out);
	}
	return OK;
}

enum err analytics_conversion(struct call *call)
{
	return answer(call, 0, put_conversion);
}

static void put_label(struct json_out *out, struct text name, int64_t value, int64_t whole)
{
	const int64_t tenths = permille(value, whole);
	char percentage[32];

	snprintf(percentage, sizeof percentage, "%lld.%lld", (long long)(tenths / 10), (long long)(tenths % 10));
	json_open_object(out);
	json_key(out, "name");
	json_put_text(out, name);
	json_key(out, "value");
	json_put_int(out, value);
	json_key(out, "percentage");
	json_put_string(out, percentage);
	json_close_object(out);
}

/* What a facet's array holds. */
struct facet {
	const char *name;
	enum metric metric;
	size_t most;   /* labels; 0: all */
	bool has_rest; /* what lies behind them is summed up as Other */
};

static enum err put_facet(struct json_out *out, const struct figures *figures, const struct range *range,
			  const struct facet *facet, int64_t whole)
{
	struct figure_label *labels;
	size_t count;
	int64_t rest = 0;
	enum err err = figures_labels(figures, facet->metric, range, &labels, &count);

	if (err != OK)
		return err;
	json_key(out, facet->name);
	json_open_array(out);
	for (size_t i = 0; i < count; i++) {
		if (facet->most == 0 || i < facet->most)
			put_label(out, labels[i].label, labels[i].amount, whole);
		else
			rest += labels[i].amount;
	}
	if (facet->has_rest && rest > 0)
		put_label(out, TEXT("Other"), rest, whole);
	json_close_array(out);
	return OK;
}

static enum err put_facets(struct json_out *out, const struct figures *figures, const struct range *range,
			   const char *whole_name, enum metric whole_metric, const struct facet *facets, size_t count)
{
	int64_t whole = 0;
	enum err err = figures_count(figures, whole_metric, range, &whole);

	json_key(out, whole_name);
	json_put_int(out, whole);
	for (size_t i = 0; err == OK && i < count; i++)
		err = put_facet(out, figures, range, &facets[i], whole);
	return err;
}

static enum err put_composition(struct json_out *out, const struct figures *figures, const struct range *range)
{
	static const struct facet facets[] = { { "devices", METRIC_DEVICE, 0, false },
					       { "cities", METRIC_CITY, LABELS_MAX, true },
					       { "countries", METRIC_COUNTRY, 0, false } };

	return put_facets(out, figures, range, "totalChats", METRIC_CHATS, facets, sizeof facets / sizeof facets[0]);
}

enum err analytics_composition(struct call *call)
{
	return answer(call, 0, put_composition);
}

static enum err put_interests(struct json_out *out, const struct figures *figures, const struct range *range)
{
	static const struct facet facets[] = { { "seasons", METRIC_SEASON, 0, false },
					       { "travelerTypes", METRIC_TRAVELER_TYPE, 0, false },
					       { "preferences", METRIC_PREFERENCE, LABELS_MAX, false },
					       { "vibes", METRIC_VIBE, LABELS_MAX, false } };

	return put_facets(out, figures, range, "totalVisitors", METRIC_INTERESTED, facets,
			  sizeof facets / sizeof facets[0]);
}

enum err analytics_interests(struct call *call)
{
	return answer(call, 0, put_interests);
}
