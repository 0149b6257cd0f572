#include "api/admission.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Of each processor, for all reads together. On a machine that has the clients too, these take as much again and more:
 * measured in bench/README.md. */
#define SHARE      0.015
#define ASIDE      100   /* microseconds that a read costs beside its own: its head, its session, its reply */
#define LOOK_AGAIN 20000 /* microseconds: the writer does not say when it has room again */

struct admission {
	const struct writer *writer;
	struct metrics *metrics;
	_Atomic bool open;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;
	pthread_cond_t told;
	const struct admission_item *telling; /* whose `run` is being called */
	struct admission_queue queue;
	bool stopping;
	bool stopped;
};

static int64_t processor_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static bool is_open(const struct admission *admission)
{
	return atomic_load_explicit(&admission->open, memory_order_relaxed) || !writer_is_saturated(admission->writer);
}

/* With the lock held, which is released meanwhile. */
static void tell(struct admission *admission, struct admission_ticket *ticket, bool admitted)
{
	struct admission_item *item = (struct admission_item *)(void *)ticket;
	const int64_t began = processor_time();

	histogram_time(&admission->metrics->read_delay, clock_monotonic() - ticket->since);
	if (!admitted)
		atomic_fetch_add_explicit(&admission->metrics->reads_refused, 1, memory_order_relaxed);
	admission->telling = item;
	pthread_mutex_unlock(&admission->lock);
	item->run(item->context, admitted); /* the item may be gone after this */
	pthread_mutex_lock(&admission->lock);
	admission->telling = NULL;
	pthread_cond_broadcast(&admission->told);
	admission_queue_charge(&admission->queue, clock_monotonic(), processor_time() - began + ASIDE);
}

static void wait_until(struct admission *admission, int64_t now, int64_t until)
{
	if (until == INT64_MAX) {
		pthread_cond_wait(&admission->work, &admission->lock);
		return;
	}
	if (until > now + LOOK_AGAIN)
		until = now + LOOK_AGAIN;
	pthread_cond_timedwait(&admission->work, &admission->lock,
			       &(struct timespec){ .tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000 });
}

static void *work(void *given)
{
	struct admission *admission = given;

	pthread_setname_np(pthread_self(), "reads");
	pthread_mutex_lock(&admission->lock);
	while (!admission->stopping || admission->queue.waiting > 0) {
		const int64_t now = clock_monotonic();
		struct admission_ticket *ticket;
		int64_t until;
		const enum admission_verdict verdict = admission_queue_next(
		    &admission->queue, now, admission->stopping || is_open(admission), &ticket, &until);

		if (verdict == ADMISSION_LATER)
			wait_until(admission, now, until);
		else
			tell(admission, ticket, verdict == ADMISSION_READ);
	}
	pthread_mutex_unlock(&admission->lock);
	return NULL;
}

enum err admission_start(struct admission **out, const struct writer *writer, struct metrics *metrics)
{
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct admission *admission = calloc(1, sizeof *admission);
	pthread_condattr_t monotonic;

	*out = NULL;
	if (admission == NULL)
		return ERR_MEMORY;
	admission->writer = writer;
	admission->metrics = metrics;
	admission_queue_init(&admission->queue, SHARE * (double)(processors > 0 ? processors : 1));
	pthread_mutex_init(&admission->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&admission->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&admission->told, NULL);
	if (pthread_create(&admission->thread, NULL, work, admission) != 0) {
		admission->stopped = true;
		admission_free(admission);
		return ERR_MEMORY;
	}
	*out = admission;
	return OK;
}

void admission_begin(struct admission_item *item)
{
	item->began = processor_time();
}

enum admission_outcome admission_enter(struct admission *admission, struct admission_item *item)
{
	enum admission_outcome outcome = ADMISSION_GO;
	const int64_t now = clock_monotonic();

	item->began = -1;
	if (is_open(admission))
		return ADMISSION_GO;
	pthread_mutex_lock(&admission->lock);
	if (!admission->stopping && !admission_queue_is_free(&admission->queue, now))
		outcome = admission_queue_join(&admission->queue, &item->ticket, now) ? ADMISSION_WAIT : ADMISSION_FULL;
	pthread_mutex_unlock(&admission->lock);
	/* Waiting, it is somebody else's by now. */
	if (outcome == ADMISSION_WAIT)
		pthread_cond_signal(&admission->work);
	else if (outcome == ADMISSION_GO)
		admission_begin(item);
	else
		atomic_fetch_add_explicit(&admission->metrics->reads_refused, 1, memory_order_relaxed);
	return outcome;
}

void admission_leave(struct admission *admission, struct admission_item *item)
{
	if (item->began < 0)
		return;
	const int64_t took = processor_time() - item->began + ASIDE;

	pthread_mutex_lock(&admission->lock);
	admission_queue_charge(&admission->queue, clock_monotonic(), took);
	pthread_mutex_unlock(&admission->lock);
}

void admission_withdraw(struct admission *admission, struct admission_item *item)
{
	pthread_mutex_lock(&admission->lock);
	if (!admission_queue_withdraw(&admission->queue, &item->ticket))
		while (admission->telling == item)
			pthread_cond_wait(&admission->told, &admission->lock);
	pthread_mutex_unlock(&admission->lock);
}

size_t admission_waiting(struct admission *admission)
{
	size_t waiting;

	pthread_mutex_lock(&admission->lock);
	waiting = admission->queue.waiting;
	pthread_mutex_unlock(&admission->lock);
	return waiting;
}

void admission_open(struct admission *admission)
{
	if (admission == NULL)
		return;
	atomic_store(&admission->open, true);
	pthread_mutex_lock(&admission->lock);
	pthread_cond_signal(&admission->work);
	pthread_mutex_unlock(&admission->lock);
}

void admission_stop(struct admission *admission)
{
	if (admission == NULL || admission->stopped)
		return;
	atomic_store(&admission->open, true);
	pthread_mutex_lock(&admission->lock);
	admission->stopping = true;
	pthread_cond_signal(&admission->work);
	pthread_mutex_unlock(&admission->lock);
	pthread_join(admission->thread, NULL);
	admission->stopped = true;
}

void admission_free(struct admission *admission)
{
	if (admission == NULL)
		return;
	admission_stop(admission);
	pthread_cond_destroy(&admission->told);
	pthread_cond_destroy(&admission->work);
	pthread_mutex_destroy(&admission->lock);
	free(admission);
}
