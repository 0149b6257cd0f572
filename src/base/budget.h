/* How much work something may take before it answers with what it has.
 * Owner: whoever begins it. The thread that began it: what is counted is that thread's work.
 * Counted in microseconds of the processor, so that a busy machine gives no shorter answers than an idle one; waiting,
 * for a disk say, counts when it becomes many times as much.
 * Never stops anything by itself: it is asked.
 * Next: store/db.h (db_hurry), api/list_page.c. */
#ifndef INNKEEPER_BASE_BUDGET_H
#define INNKEEPER_BASE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
	int64_t begun;  /* clock_monotonic */
	int64_t worked; /* clock_worked */
	int64_t most;   /* microseconds; may be raised on the way */
};

struct budget budget_begin(int64_t most);
bool budget_spent(const struct budget *budget);

#endif
