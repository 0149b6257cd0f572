/* Threads for work that takes long: hashing a password, asking another server. First come, first served.
 * Owner: the server. worker_submit: any thread; `run` is called on one of the worker's.
 * The queue is bounded: full is ERR_UNAVAILABLE, so that slow work cannot pile up.
 * Never drops what it took: worker_stop finishes it first. What comes later is refused, until worker_free.
 * Next: api/dispatch.c (routes that run SLOWLY). */
#ifndef INNKEEPER_BASE_WORKER_H
#define INNKEEPER_BASE_WORKER_H

#include <stddef.h>

#include "base/err.h"

struct worker_item {
	void (*run)(void *context);
	void *context;
	struct worker_item *next; /* the worker's */
};

struct worker;

/* `name` is seen in top, gdb and perf; 15 bytes at most. */
enum err worker_start(struct worker **out, const char *name, size_t threads, size_t queue_limit) WARN_UNUSED;
enum err worker_submit(struct worker *worker, struct worker_item *item) WARN_UNUSED;

/* Takes no more, finishes what waits and ends the threads. Who may still submit need not know. */
void worker_stop(struct worker *worker);
/* Stops it, if it was not. Nobody may submit any more. */
void worker_free(struct worker *worker);

#endif
