#include "move/moves.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

struct moves {
	struct uuid process;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t free;
	struct moves_progress progress;
};

enum err moves_new(struct moves **out)
{
	struct moves *moves = calloc(1, sizeof *moves);
	pthread_condattr_t monotonic;

	*out = moves;
	if (moves == NULL)
		return ERR_MEMORY;
	moves->process = uuid_new();
	pthread_mutex_init(&moves->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&moves->free, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return OK;
}

void moves_free(struct moves *moves)
{
	if (moves == NULL)
		return;
	pthread_cond_destroy(&moves->free);
	pthread_mutex_destroy(&moves->lock);
	free(moves);
}

const struct uuid *moves_process(const struct moves *moves)
{
	return &moves->process;
}

bool moves_begin(struct moves *moves, const char *what, int64_t milliseconds)
{
	const int64_t until = clock_monotonic() + milliseconds * 1000;
	const struct timespec time = { .tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000 };
	bool begun;

	pthread_mutex_lock(&moves->lock);
	while (moves->progress.what != NULL)
		if (pthread_cond_timedwait(&moves->free, &moves->lock, &time) == ETIMEDOUT)
			break;
	begun = moves->progress.what == NULL;
	if (begun)
		moves->progress = (struct moves_progress){ .what = what, .part = "" };
	pthread_mutex_unlock(&moves->lock);
	return begun;
}

void moves_end(struct moves *moves)
{
	pthread_mutex_lock(&moves->lock);
	moves->progress = (struct moves_progress){ 0 };
	pthread_mutex_unlock(&moves->lock);
	pthread_cond_signal(&moves->free);
}

void moves_part(struct moves *moves, const char *part, int64_t total)
{
	pthread_mutex_lock(&moves->lock);
	moves->progress.part = part;
	moves->progress.done = 0;
	moves->progress.total = total;
	pthread_mutex_unlock(&moves->lock);
}

void moves_step(struct moves *moves, int64_t rows)
{
	pthread_mutex_lock(&moves->lock);
	moves->progress.done += rows;
	pthread_mutex_unlock(&moves->lock);
}

void moves_look(struct moves *moves, struct moves_progress *out)
{
	pthread_mutex_lock(&moves->lock);
	*out = moves->progress;
	pthread_mutex_unlock(&moves->lock);
}
