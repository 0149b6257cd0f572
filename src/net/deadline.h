/* Absolute deadlines for connections: one thread looks at all of them and shuts down those that are late.
 * Owner: struct deadline lives in its connection, from deadline_add to deadline_remove; the list in the server.
 * Threads: the connection's own thread moves its phase, without a lock; the watchdog and a drain may only cut.
 * Never closes a descriptor: it shuts the socket down, and the library, which owns it, notices.
 * Next: net/connection.c, which says at each step of a request how long it may take. */
#ifndef INNKEEPER_NET_DEADLINE_H
#define INNKEEPER_NET_DEADLINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DEADLINE_NEVER (INT64_MAX / 2) /* microseconds, as clock_monotonic counts */

/* A connection between two requests is idle; only such a one is cut by a drain.
 *
 *           deadline_busy                    time over
 *     IDLE ---------------> BUSY         ------------------> CUT
 *      ^                     |           IDLE: also by a drain
 *      +---- deadline_idle --+
 *
 * Once CUT, deadline_busy and deadline_idle answer false: the socket is dead, do not begin anything. */
struct deadline {
	struct deadline *next;
	struct deadline *previous;
	int fd;
	_Atomic int64_t word; /* time * 2, plus 1 when idle; or CUT */
};

struct deadline_list {
	pthread_mutex_t lock; /* of everything below and of the links; held for the shutdown of a late socket */
	pthread_cond_t wake;  /* the watchdog's */
	pthread_cond_t empty;
	pthread_t thread;
	struct deadline *first;
	size_t count;
	bool stopping;
};

/* Starts the watchdog. ERR_UNAVAILABLE when there is no thread for it. */
enum err deadline_list_init(struct deadline_list *list) WARN_UNUSED;

/* Ends the watchdog; the list must be empty. */
void deadline_list_fini(struct deadline_list *list);

/* Begins as idle until `at` (microseconds, clock_monotonic). */
void deadline_add(struct deadline_list *list, struct deadline *deadline, int fd, int64_t at);

/* Must come before the descriptor is closed: its number may be somebody else's the moment after. */
void deadline_remove(struct deadline_list *list, struct deadline *deadline);

/* From the connection's thread. False when it was cut meanwhile. */
bool deadline_busy(struct deadline *deadline, int64_t at);
bool deadline_idle(struct deadline *deadline, int64_t at);

/* When it ends now. */
int64_t deadline_at(struct deadline *deadline);

/* From the connection's thread: cuts this one. */
void deadline_cut(struct deadline *deadline);

/* Cuts this one if it is idle. */
void deadline_cut_if_idle(struct deadline *deadline);

/* Calls `visit` for each in the list, which none can leave meanwhile: it must be short. */
void deadline_list_visit(struct deadline_list *list, void (*visit)(struct deadline *deadline));

size_t deadline_list_count(struct deadline_list *list);

/* Until the list is empty or `milliseconds` are over; says whether it is empty. */
bool deadline_list_wait_empty(struct deadline_list *list, unsigned milliseconds);

#endif
