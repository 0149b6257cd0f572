#include "api/range.h"

#include "analytics/calendar.h"

const char *const range_compares[] = { "previous", NULL };

static enum err find_today(struct call *call, const struct figures *figures, int64_t *out)
{
	struct calendar *calendar;
	enum err err = calendar_new(&calendar, figures->zone);

	if (err == OK)
		*out = calendar_day(calendar, call->now);
	calendar_free(calendar);
	return err == ERR_NOT_FOUND ? ERR_UNAVAILABLE : err; /* the machine has lost its time zones */
}

static enum err read_day(struct call *call, const char *field, struct text given, int64_t *out)
{
	if (calendar_parse_day(given, out) == OK)
		return OK;
	return call_fail(call, ERR_INVALID, field, "%s must be a date, for example 2026-11-03.", field);
}

enum err range_read(struct call *call, const struct range_input *in, int64_t usual, const struct figures *figures,
		    struct range *out)
{
	const int64_t days = in->days != JSON_ABSENT ? in->days : usual;
	enum err err = OK;

	*out = (struct range){ .ever = days == 0 && in->from.at == NULL && in->to.at == NULL };
	if (out->ever)
		return OK;
	if (in->to.at != NULL)
		err = read_day(call, "to", in->to, &out->to);
	else
		err = find_today(call, figures, &out->to);
	if (err != OK)
		return err;
	if (in->from.at == NULL && days == 0)
		return call_fail(call, ERR_INVALID, "from", "from is needed beside to, or days.");
	if (in->from.at == NULL)
		out->from = out->to - days + 1;
	else
		err = read_day(call, "from", in->from, &out->from);
	if (err == OK && out->from > out->to)
		return call_fail(call, ERR_INVALID, "from", "from must not be after to (today when to is not given).");
	if (err == OK && out->to - out->from >= FIGURES_DAYS_MAX)
		return call_fail(call, ERR_INVALID, "from", "from and to may lie at most %d days apart.",
				 FIGURES_DAYS_MAX);
	return err;
}

bool range_previous(const struct range *range, struct range *out)
{
	const int64_t days = range->to - range->from + 1;

	*out = (struct range){ .from = range->from - days, .to = range->from - 1 };
	return !range->ever;
}
