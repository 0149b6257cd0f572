/* Threads for work that takes long: hashing a password, asking another server. First come, first served.
 * Owner: the server. worker_submit: any thread; `run` is called on one of the worker's.
 * The queue is bounded: full is ERR_UNAVAILABLE, so that slow work cannot pile up.
 * Never drops what it took: worker_stop finishes it first.
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
void worker_stop(struct worker *worker);

#endif
