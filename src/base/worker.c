#include "base/worker.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct worker {
	pthread_t *threads;
	size_t thread_count;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;
	struct worker_item *first;
	struct worker_item **last;
	size_t depth;
	size_t limit;
	bool stopping;
};

static struct worker_item *take(struct worker *worker)
{
	struct worker_item *item;

	pthread_mutex_lock(&worker->lock);
	while (worker->first == NULL && !worker->stopping)
		pthread_cond_wait(&worker->work, &worker->lock);
	item = worker->first;
	if (item != NULL) {
		worker->first = item->next;
		worker->depth--;
		if (worker->first == NULL)
			worker->last = &worker->first;
	}
	pthread_mutex_unlock(&worker->lock);
	return item;
}

static void *work(void *given)
{
	struct worker *worker = given;
	struct worker_item *item;

	while ((item = take(worker)) != NULL)
		item->run(item->context); /* may free the item */
	return NULL;
}

enum err worker_start(struct worker **out, const char *name, size_t threads, size_t queue_limit)
{
	struct worker *worker = calloc(1, sizeof *worker);

	*out = NULL;
	if (worker == NULL)
		return ERR_MEMORY;
	worker->last = &worker->first;
	worker->limit = queue_limit;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->work, NULL);
	worker->threads = calloc(threads, sizeof *worker->threads);
	while (worker->threads != NULL && worker->thread_count < threads) {
		pthread_t *thread = &worker->threads[worker->thread_count];

		if (pthread_create(thread, NULL, work, worker) != 0)
			break;
		worker->thread_count++;
		pthread_setname_np(*thread, name);
	}
	if (worker->thread_count < threads) {
		worker_free(worker);
		return ERR_MEMORY;
	}
	*out = worker;
	return OK;
}

enum err worker_submit(struct worker *worker, struct worker_item *item)
{
	bool taken;

	item->next = NULL;
	pthread_mutex_lock(&worker->lock);
	taken = !worker->stopping && worker->depth < worker->limit;
	if (taken) {
		*worker->last = item;
		worker->last = &item->next;
		worker->depth++;
	}
	pthread_mutex_unlock(&worker->lock);
	if (taken)
		pthread_cond_signal(&worker->work);
	return taken ? OK : ERR_UNAVAILABLE;
}

void worker_stop(struct worker *worker)
{
	if (worker == NULL)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	pthread_mutex_unlock(&worker->lock);
	pthread_cond_broadcast(&worker->work);
	for (size_t i = 0; i < worker->thread_count; i++)
		pthread_join(worker->threads[i], NULL);
	worker->thread_count = 0;
}

void worker_free(struct worker *worker)
{
	if (worker == NULL)
		return;
	worker_stop(worker);
	free(worker->threads);
	pthread_cond_destroy(&worker->work);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}
