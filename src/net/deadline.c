#include "net/deadline.h"

#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"

#define CUT          INT64_MIN
#define IDLE         ((int64_t)1)
#define PERIOD_MS    100 /* how often the watchdog looks */
#define NANOSECONDS  1000000000L
#define MILLISECONDS 1000000L

static struct timespec in_milliseconds(unsigned milliseconds)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += (time_t)(milliseconds / 1000);
	time.tv_nsec += (long)(milliseconds % 1000) * MILLISECONDS;
	if (time.tv_nsec >= NANOSECONDS) {
		time.tv_sec++;
		time.tv_nsec -= NANOSECONDS;
	}
	return time;
}

/* Only from the state that was looked at: a connection that has moved on since is not late any more. */
static void cut(struct deadline *deadline, int64_t seen)
{
	if (atomic_compare_exchange_strong(&deadline->word, &seen, CUT))
		(void)shutdown(deadline->fd, SHUT_RDWR);
}

static void *watch(void *argument)
{
	struct deadline_list *list = argument;

	(void)pthread_mutex_lock(&list->lock);
	while (!list->stopping) {
		int64_t now = clock_monotonic();

		for (struct deadline *at = list->first; at; at = at->next) {
			int64_t word = atomic_load_explicit(&at->word, memory_order_relaxed);

			if (word != CUT && word / 2 <= now)
				cut(at, word);
		}
		struct timespec until = in_milliseconds(PERIOD_MS);

		(void)pthread_cond_timedwait(&list->wake, &list->lock, &until);
	}
	(void)pthread_mutex_unlock(&list->lock);
	return NULL;
}

static void fini_primitives(struct deadline_list *list)
{
	(void)pthread_cond_destroy(&list->wake);
	(void)pthread_cond_destroy(&list->empty);
	(void)pthread_mutex_destroy(&list->lock);
}

enum err deadline_list_init(struct deadline_list *list)
{
	pthread_condattr_t attributes;

	*list = (struct deadline_list){ 0 };
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&list->lock, NULL);
	(void)pthread_cond_init(&list->wake, &attributes);
	(void)pthread_cond_init(&list->empty, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	if (pthread_create(&list->thread, NULL, watch, list) != 0) {
		fini_primitives(list);
		return ERR_UNAVAILABLE;
	}
	return OK;
}

void deadline_list_fini(struct deadline_list *list)
{
	(void)pthread_mutex_lock(&list->lock);
	list->stopping = true;
	(void)pthread_cond_signal(&list->wake);
	(void)pthread_mutex_unlock(&list->lock);
	(void)pthread_join(list->thread, NULL);
	fini_primitives(list);
}

void deadline_add(struct deadline_list *list, struct deadline *deadline, int fd, int64_t at)
{
	deadline->fd = fd;
	deadline->previous = NULL;
	atomic_init(&deadline->word, at * 2 + IDLE);
	(void)pthread_mutex_lock(&list->lock);
	deadline->next = list->first;
	if (list->first)
		list->first->previous = deadline;
	list->first = deadline;
	list->count++;
	(void)pthread_mutex_unlock(&list->lock);
}

void deadline_remove(struct deadline_list *list, struct deadline *deadline)
{
	(void)pthread_mutex_lock(&list->lock);
	if (deadline->previous)
		deadline->previous->next = deadline->next;
	else
		list->first = deadline->next;
	if (deadline->next)
		deadline->next->previous = deadline->previous;
	if (--list->count == 0)
		(void)pthread_cond_broadcast(&list->empty);
	(void)pthread_mutex_unlock(&list->lock);
}

/* Puts CUT back if it had been cut: a socket does not come to life again. */
static bool move_to(struct deadline *deadline, int64_t word)
{
	if (atomic_exchange(&deadline->word, word) != CUT)
		return true;
	atomic_store(&deadline->word, CUT);
	return false;
}

bool deadline_busy(struct deadline *deadline, int64_t at)
{
	return move_to(deadline, at * 2);
}

bool deadline_idle(struct deadline *deadline, int64_t at)
{
	return move_to(deadline, at * 2 + IDLE);
}

int64_t deadline_at(struct deadline *deadline)
{
	return atomic_load_explicit(&deadline->word, memory_order_relaxed) / 2;
}

void deadline_cut(struct deadline *deadline)
{
	if (atomic_exchange(&deadline->word, CUT) != CUT)
		(void)shutdown(deadline->fd, SHUT_RDWR);
}

void deadline_cut_if_idle(struct deadline *deadline)
{
	int64_t word = atomic_load(&deadline->word);

	if (word != CUT && (word & IDLE))
		cut(deadline, word);
}

void deadline_list_visit(struct deadline_list *list, void (*visit)(struct deadline *deadline))
{
	(void)pthread_mutex_lock(&list->lock);
	for (struct deadline *at = list->first; at; at = at->next)
		visit(at);
	(void)pthread_mutex_unlock(&list->lock);
}

size_t deadline_list_count(struct deadline_list *list)
{
	(void)pthread_mutex_lock(&list->lock);
	size_t count = list->count;
	(void)pthread_mutex_unlock(&list->lock);
	return count;
}

bool deadline_list_wait_empty(struct deadline_list *list, unsigned milliseconds)
{
	struct timespec until = in_milliseconds(milliseconds);
	int late = 0;

	(void)pthread_mutex_lock(&list->lock);
	while (list->count && !late)
		late = pthread_cond_timedwait(&list->empty, &list->lock, &until);
	bool empty = list->count == 0;
	(void)pthread_mutex_unlock(&list->lock);
	return empty;
}
