/* Admission control: while there is more to write than the writer can, what the staff reads has a bounded share of the
 * processors, and what is beyond it waits its turn. Otherwise nothing ever waits here.
 * Owner: the server. admission_enter, _leave, _withdraw: any thread; what has waited runs on a thread of its own.
 * Who reads in a loop asks again as soon as it is answered, so that waiting is what slows it down.
 * Never holds back what writes, nor /healthz, /readyz and /metrics. Next: admission_queue.h (whose turn it is),
 * dispatch.c (who enters). */
#ifndef INNKEEPER_API_ADMISSION_H
#define INNKEEPER_API_ADMISSION_H

#include <stdint.h>

#include "api/admission_queue.h"
#include "base/err.h"
#include "base/metrics.h"
#include "store/writer.h"

struct admission;

/* A read that may have to wait; its owner keeps it until it was told, or has withdrawn it. */
struct admission_item {
	struct admission_ticket ticket; /* the organization is set by the owner */
	/* On the thread of what has waited: `admitted` false is a refusal. The last that is heard of the item. */
	void (*run)(void *context, bool admitted);
	void *context;
	int64_t began; /* admission.c's: the thread's processor time, or -1: not counted */
};

enum admission_outcome {
	ADMISSION_GO,   /* read now, and admission_leave */
	ADMISSION_WAIT, /* `run` will be called, within ADMISSION_PATIENCE and a read */
	ADMISSION_FULL, /* too many wait already */
};

/* Starts the thread. `writer` and `metrics` are borrowed. */
enum err admission_start(struct admission **out, const struct writer *writer, struct metrics *metrics) WARN_UNUSED;

enum admission_outcome admission_enter(struct admission *admission, struct admission_item *item);

/* `run` was told that it is admitted, but does not read by itself: the thread that does begins now, and leaves. */
void admission_begin(struct admission_item *item);

/* On the thread that has read since ADMISSION_GO or admission_begin: what it took is counted. */
void admission_leave(struct admission *admission, struct admission_item *item);

/* The item waits no more and `run` is not being called for it: it may go. Not from `run`. */
void admission_withdraw(struct admission *admission, struct admission_item *item);

size_t admission_waiting(struct admission *admission);

/* From now on nothing waits, and what waits is told at once: the server ends. */
void admission_open(struct admission *admission);

/* Tells all that wait, and ends the thread; entering is free afterwards. */
void admission_stop(struct admission *admission);
void admission_free(struct admission *admission);

#endif
