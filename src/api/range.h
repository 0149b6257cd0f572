/* Which days a dashboard asks about: `days`, or `from` and `to`, and whether the days before are wanted beside them.
 * Owner: called by handlers; see call.h.
 * Days are the organization's; the last of `days` is today there.
 * Never guesses: what is no number, no date, the wrong way round or longer than twenty years is the field's fault.
 * Next: analytics.c, article_stats.c. */
#ifndef INNKEEPER_API_RANGE_H
#define INNKEEPER_API_RANGE_H

#include "analytics/figures.h"
#include "api/call.h"

/* The member `range` of the struct of a route's query; its fields are RANGE_FIELDS(struct), and where the days before
 * may be asked for RANGE_COMPARE_FIELD(struct). */
struct range_input {
	int64_t days;
	struct text from;
	struct text to;
	struct text compare;
};

extern const char *const range_compares[];

// clang-format off
#define RANGE_FIELDS(type) \
	{ .name = "days", .kind = JSON_INT, .offset = offsetof(struct type, range.days), .min = 1, .max = FIGURES_DAYS_MAX, \
	  .about = "So many days, today the last." }, \
	{ .name = "from", .kind = JSON_TEXT, .offset = offsetof(struct type, range.from), \
	  .about = "The first day, for example 2026-11-03." }, \
	{ .name = "to", .kind = JSON_TEXT, .offset = offsetof(struct type, range.to), \
	  .about = "The last day; today when missing." }
#define RANGE_COMPARE_FIELD(type) \
	{ .name = "compare", .kind = JSON_CHOICE, .offset = offsetof(struct type, range.compare), \
	  .choices = range_compares, .about = "previous: the days before, as many, beside them." }
// clang-format on

/* `usual`: days when nothing is asked for; 0: all time. */
enum err range_read(struct call *call, const struct range_input *in, int64_t usual, const struct figures *figures,
		    struct range *out) WARN_UNUSED;

/* The range of the same length right before. False: there is none before all time. */
bool range_previous(const struct range *range, struct range *out);

#endif
