/* Time: milliseconds since 1970 UTC in 64 bits, written as ISO 8601 with milliseconds.
 * Owner: nobody. Any thread.
 * Never touches the C library's time zone, which is a global.
 * A time of day is read leniently (what concierges send), written in one form only.
 * Next: base/uuid.h, whose ids carry such a time. */
#ifndef INNKEEPER_BASE_CLOCK_H
#define INNKEEPER_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

#define CLOCK_LATEST    INT64_C(253402300799999) /* ms: the end of the year 9999, later than which nothing is stored */
#define CLOCK_TEXT_SIZE 25                       /* "2026-11-23T15:04:05.678Z" and a NUL */

int64_t clock_now(void);       /* ms since 1970 UTC */
int64_t clock_monotonic(void); /* microseconds since some moment; never goes back */
int64_t clock_worked(void);    /* microseconds that a processor has spent on this thread */

/* Years 0000 to 9999. */
void clock_format(int64_t time, char out[CLOCK_TEXT_SIZE]);

/* ISO 8601 / RFC 3339: `2026-11-23`, `2026-11-23T15:04`, `…:05`, `.678` (any digits; cut to ms), `T` or blank,
 * `Z`, `+05:45`, `-0330` or nothing (UTC). Checked against the calendar, leap second :60 refused. Range: years 1970 to
 * 9999. ERR_INVALID otherwise. */
enum err clock_parse(struct text text, int64_t *out) WARN_UNUSED;

#endif
