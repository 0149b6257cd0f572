/* Days as an organization has them: whole numbers since 1970-01-01 of the local date in its time zone.
 * Owner: whoever made it; one thread at a time, since it remembers what it looked up last.
 * The only room that knows GLib, and of GLib its time zones alone: the system's tzdata, without the C library's global.
 * Never takes a zone for granted: names come from people, and a machine may lack tzdata.
 * Next: ledger.h, which keeps calendars. */
#ifndef INNKEEPER_ANALYTICS_CALENDAR_H
#define INNKEEPER_ANALYTICS_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct calendar;

/* `zone`: an IANA name, for example America/New_York. ERR_NOT_FOUND: not one that this machine knows. */
enum err calendar_new(struct calendar **out, struct text zone) WARN_UNUSED;
void calendar_free(struct calendar *calendar);

/* Whether calendar_new takes it. */
bool calendar_knows(struct text zone);

/* The day of a moment (ms since 1970 UTC). */
int64_t calendar_day(struct calendar *calendar, int64_t time);

/* The first moment of a day, not before 1970; where clocks go back over midnight, one of the two. */
int64_t calendar_begin(struct calendar *calendar, int64_t day);

#define CALENDAR_DAY_SIZE  11 /* "2026-11-03" and a NUL */
#define CALENDAR_DATE_SIZE 7  /* "Nov 3" and a NUL, or "Nov 13" */

/* Years 1970 to 9999, proleptic Gregorian. */
void calendar_format_day(int64_t day, char out[CALENDAR_DAY_SIZE]);
void calendar_format_date(int64_t day, char out[CALENDAR_DATE_SIZE]);

/* "2026-11-03", checked against the calendar; years 1970 to 9999. ERR_INVALID. */
enum err calendar_parse_day(struct text text, int64_t *out) WARN_UNUSED;

#endif
