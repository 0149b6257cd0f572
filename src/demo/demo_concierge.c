#include "demo/demo_concierge.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "demo/demo_client.h"
#include "demo/demo_script.h"

#define AT_ONCE       3     /* conversations */
#define PATIENCE_MS   12000 /* nobody who watches wants to wait longer for the next question */
#define ORDINARY_PACE 2000  /* ms: the pace at which a conversation takes as long as it says */
#define PAUSE_MS      4000  /* at most, until somebody else comes */

struct conversation {
	struct demo_script script;
	size_t next; /* event */
	int64_t due; /* microseconds of clock_monotonic */
};

struct demo_concierge {
	struct demo_concierge_options options;
	struct demo_client *client;
	struct demo_crowd crowd;
	struct conversation conversations[AT_ONCE];
	uint64_t failed; /* requests; the thread's own until it has ended */
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t stopping;
	atomic_bool stop; /* changed under the mutex */
};

static int64_t in_pace(const struct demo_concierge *concierge, int64_t milliseconds)
{
	return milliseconds * 1000 * concierge->options.pace / ORDINARY_PACE;
}

/* False: time to end. */
static bool wait_until(struct demo_concierge *concierge, int64_t due)
{
	const struct timespec until = { .tv_sec = due / 1000000, .tv_nsec = due % 1000000 * 1000 };
	bool stop;

	pthread_mutex_lock(&concierge->mutex);
	while (!atomic_load(&concierge->stop) &&
	       pthread_cond_timedwait(&concierge->stopping, &concierge->mutex, &until) == 0)
		;
	stop = atomic_load(&concierge->stop);
	pthread_mutex_unlock(&concierge->mutex);
	return !stop;
}

static void begin(struct demo_concierge *concierge, struct conversation *conversation)
{
	const int64_t pause = demo_random_between(&concierge->crowd.random, 0, PAUSE_MS);

	conversation->next = 0;
	conversation->due = clock_monotonic() + in_pace(concierge, pause);
	if (demo_script_write(&conversation->script, concierge->options.organization, &concierge->crowd, clock_now(),
			      false) != OK)
		conversation->script.count = 0;
}

static bool say(struct demo_concierge *concierge, const struct demo_script *script, const struct demo_event *event)
{
	const struct text body = { script->json.at + event->offset, event->length };
	struct text reply;
	struct fault fault = { 0 };

	if (demo_client_post(concierge->client, demo_kinds[event->kind].path, body, &reply, &fault) == OK)
		return true;
	if (!atomic_load(&concierge->stop) && concierge->failed++ == 0)
		fprintf(stderr, "innkeeper: the concierge of %s was refused and goes on: %s\n",
			concierge->options.organization->name, fault.sentence);
	return false;
}

/* The next event of the conversation, and when the one behind it is due. */
static void advance(struct demo_concierge *concierge, struct conversation *conversation)
{
	const struct demo_script *script = &conversation->script;
	bool told = false;
	int64_t after;

	if (conversation->next < script->count)
		told = say(concierge, script, &script->events[conversation->next]);
	/* Without its chat a conversation cannot be told. */
	if ((!told && conversation->next == 0) || ++conversation->next >= script->count) {
		begin(concierge, conversation);
		return;
	}
	after = script->events[conversation->next].after;
	conversation->due = clock_monotonic() + in_pace(concierge, after < PATIENCE_MS ? after : PATIENCE_MS);
}

static void *converse(void *given)
{
	struct demo_concierge *concierge = given;
	struct conversation *first;

	do {
		first = &concierge->conversations[0];
		for (size_t i = 1; i < AT_ONCE; i++)
			if (concierge->conversations[i].due < first->due)
				first = &concierge->conversations[i];
		if (!wait_until(concierge, first->due))
			break;
		advance(concierge, first);
	} while (true);
	return NULL;
}

static void release(struct demo_concierge *concierge)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		demo_script_fini(&concierge->conversations[i].script);
	demo_client_free(concierge->client);
	pthread_cond_destroy(&concierge->stopping);
	pthread_mutex_destroy(&concierge->mutex);
	free(concierge);
}

enum err demo_concierge_start(struct demo_concierge **out, const struct demo_concierge_options *options)
{
	struct demo_concierge *concierge = calloc(1, sizeof *concierge);
	pthread_condattr_t attributes;
	enum err err;

	*out = NULL;
	if (concierge == NULL)
		return ERR_MEMORY;
	concierge->options = *options;
	pthread_mutex_init(&concierge->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&concierge->stopping, &attributes);
	pthread_condattr_destroy(&attributes);
	demo_crowd_init(&concierge->crowd, options->seed);
	for (size_t i = 0; i < AT_ONCE; i++) {
		demo_script_init(&concierge->conversations[i].script);
		begin(concierge, &concierge->conversations[i]);
	}
	err = demo_client_new(&concierge->client, options->url, options->key, &concierge->stop);
	if (err == OK && pthread_create(&concierge->thread, NULL, converse, concierge) != 0)
		err = ERR_UNAVAILABLE;
	if (err != OK) {
		release(concierge);
		return err;
	}
	*out = concierge;
	return OK;
}

void demo_concierge_stop(struct demo_concierge *concierge)
{
	if (concierge == NULL)
		return;
	pthread_mutex_lock(&concierge->mutex);
	atomic_store(&concierge->stop, true);
	pthread_cond_signal(&concierge->stopping);
	pthread_mutex_unlock(&concierge->mutex);
	pthread_join(concierge->thread, NULL);
	if (concierge->failed > 0)
		fprintf(stderr, "innkeeper: %llu requests of the concierge of %s failed.\n",
			(unsigned long long)concierge->failed, concierge->options.organization->name);
	release(concierge);
}
