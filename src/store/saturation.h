/* Whether the writer has more to do than it can: the share of the time in which work was waiting when a commit ended.
 * Owner: the writer embeds one. Thread: the writer's alone.
 * Who sends one write after the other never saturates it, be the disk as slow as it may: nothing waits behind a commit.
 * Never reads a clock: the writer says what time it is.
 * Next: writer.c, which tells of each commit; api/admission.h, for which it is measured. */
#ifndef INNKEEPER_STORE_SATURATION_H
#define INNKEEPER_STORE_SATURATION_H

#include <stdbool.h>
#include <stdint.h>

#define SATURATION_MEMORY 200000 /* microseconds over which the share is smoothed */

/* Zeroed is a new one: not saturated. */
struct saturation {
	double share; /* 0 to 1 */
	int64_t at;   /* the end of the last commit */
	bool high;
};

/* A commit has ended at `now` (microseconds, clock_monotonic); `unbroken`: its work was waiting already when the commit
 * before it ended. Says whether the writer is saturated: it becomes so above a half, and is so no more below an eighth.
 */
bool saturation_note(struct saturation *saturation, int64_t now, bool unbroken);

#endif
