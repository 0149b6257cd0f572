#include "demo/demo_history.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "demo/demo_client.h"
#include "demo/demo_script.h"

#define DAY_MS        INT64_C(86400000)
#define HOUR_MS       INT64_C(3600000)
#define BATCH_ITEMS   1000
#define BATCH_BYTES   ((size_t)4 * 1024 * 1024) /* half of what a batch may have */
#define DAY_BYTES     ((size_t)16 * 1024 * 1024)
#define CHATS_LEAST   40 /* of a day */
#define CHATS_MOST    60
#define EVENTS_OF_DAY ((size_t)CHATS_MOST * DEMO_EVENTS)

struct item {
	int64_t at;
	size_t sequence; /* among equal times: as it was said */
	size_t offset;   /* in the day's text */
	size_t length;
};

struct past {
	const struct demo_history *history;
	struct demo_client *client;
	struct demo_crowd crowd;
	struct demo_script script;
	struct buffer day; /* objects without their opening brace */
	struct item *items;
	size_t item_count;
	struct buffer batch;
	size_t batched;
	int64_t chats;
	int64_t events;
};

static bool interrupted(void)
{
	sigset_t waiting;

	return sigpending(&waiting) == 0 && (sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1);
}

static int by_time(const void *a, const void *b)
{
	const struct item *left = a;
	const struct item *right = b;

	if (left->at != right->at)
		return left->at < right->at ? -1 : 1;
	return left->sequence < right->sequence ? -1 : left->sequence > right->sequence;
}

/* A conversation's events as items of the day, those of them that have happened by now. */
static enum err add_conversation(struct past *past, int64_t start)
{
	struct demo_script *script = &past->script;
	char time[CLOCK_TEXT_SIZE];
	int64_t at = start;

	if (demo_script_write(script, past->history->organization, &past->crowd, start, true) != OK)
		return ERR_MEMORY;
	for (size_t i = 0; i < script->count; i++) {
		const struct demo_event *event = &script->events[i];
		struct item *item = &past->items[past->item_count];

		at += event->after;
		if (at > past->history->now)
			break;
		clock_format(at, time);
		*item = (struct item){ .at = at, .sequence = past->item_count++, .offset = past->day.length };
		buffer_format(&past->day, "{\"type\":\"%s\",\"timestamp\":\"%s\",", demo_kinds[event->kind].batch,
			      time);
		buffer_add(&past->day, script->json.at + event->offset + 1, event->length - 1);
		item->length = past->day.length - item->offset;
		past->chats += event->kind == DEMO_CHAT ? 1 : 0;
	}
	return past->day.failed ? ERR_MEMORY : OK;
}

static int64_t moment_of_day(struct demo_random *random)
{
	unsigned total = 0;
	int64_t drawn;
	int64_t hour = 0;

	for (size_t i = 0; i < 24; i++)
		total += demo_hours[i];
	drawn = demo_random_between(random, 0, total - 1);
	while (drawn >= demo_hours[hour])
		drawn -= demo_hours[hour++];
	return hour * HOUR_MS + demo_random_between(random, 0, HOUR_MS - 1);
}

/* More every month, most at the weekend, no two days alike. */
static int64_t chats_of_day(struct past *past, int64_t midnight, int64_t index)
{
	const int64_t weekday = (midnight / DAY_MS + 4) % 7; /* 1970 began on a Thursday */
	const int64_t grown = CHATS_LEAST + 2 + 12 * index / past->history->days;
	const int64_t chats = grown * demo_weekdays[weekday] / 100 + demo_random_between(&past->crowd.random, -2, 3);

	return chats < CHATS_LEAST ? CHATS_LEAST : chats > CHATS_MOST ? CHATS_MOST : chats;
}

static enum err send_batch(struct past *past, struct fault *fault)
{
	static const char refused[] = "\"errors\":[{";
	struct text reply;
	enum err err;

	if (past->batched == 0)
		return OK;
	buffer_string(&past->batch, "]");
	if (past->batch.failed)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	err = demo_client_post(past->client, "/api/batch", (struct text){ past->batch.at, past->batch.length }, &reply,
			       fault);
	if (err == OK && (reply.at == NULL || memmem(reply.at, reply.length, refused, sizeof refused - 1) != NULL))
		err = fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The server refused an item of the history.");
	past->events += err == OK ? (int64_t)past->batched : 0;
	past->batched = 0;
	buffer_cut(&past->batch, 0);
	return err;
}

static enum err send_day(struct past *past, struct fault *fault)
{
	enum err err = OK;

	qsort(past->items, past->item_count, sizeof *past->items, by_time);
	for (size_t i = 0; err == OK && i < past->item_count; i++) {
		const struct item *item = &past->items[i];

		buffer_string(&past->batch, past->batched == 0 ? "[" : ",");
		buffer_add(&past->batch, past->day.at + item->offset, item->length);
		if (++past->batched == BATCH_ITEMS || past->batch.length > BATCH_BYTES)
			err = send_batch(past, fault);
	}
	past->item_count = 0;
	buffer_cut(&past->day, 0);
	return err;
}

static void say_progress(const struct past *past, int64_t done, int64_t began)
{
	const struct demo_history *history = past->history;
	const bool last = done == history->days;
	const bool terminal = isatty(STDERR_FILENO) == 1;

	if (!last && !terminal)
		return;
	fprintf(stderr, "%s%s: %lld of %lld days, %lld chats, %lld events in %.1f s%s", terminal ? "\r" : "",
		history->organization->name, (long long)done, (long long)history->days, (long long)past->chats,
		(long long)past->events, (double)(clock_monotonic() - began) / 1e6, last ? "\n" : "");
}

static enum err write_days(struct past *past, struct fault *fault)
{
	const struct demo_history *history = past->history;
	const int64_t today = history->now - history->now % DAY_MS;
	const int64_t began = clock_monotonic();
	enum err err = OK;

	for (int64_t index = 0; err == OK && index < history->days && !interrupted(); index++) {
		const int64_t midnight = today - (history->days - 1 - index) * DAY_MS;
		const int64_t chats = chats_of_day(past, midnight, index);

		for (int64_t i = 0; err == OK && i < chats; i++)
			err = add_conversation(past, midnight + moment_of_day(&past->crowd.random));
		if (err == OK)
			err = send_day(past, fault);
		if (err == OK && index + 1 == history->days)
			err = send_batch(past, fault);
		if (err == OK)
			say_progress(past, index + 1, began);
	}
	return err;
}

enum err demo_history_write(const struct demo_history *history, struct fault *fault)
{
	static const atomic_bool never = false;
	struct past *past = calloc(1, sizeof *past);
	enum err err = ERR_MEMORY;

	if (past == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	past->history = history;
	past->items = calloc(EVENTS_OF_DAY, sizeof *past->items);
	demo_crowd_init(&past->crowd, history->seed);
	demo_script_init(&past->script);
	buffer_init(&past->day, DAY_BYTES);
	buffer_init(&past->batch, 2 * BATCH_BYTES);
	if (past->items != NULL)
		err = demo_client_new(&past->client, history->url, history->key, &never);
	if (err == OK)
		err = write_days(past, fault);
	if (err == ERR_MEMORY)
		fault_set(fault, err, NULL, NULL, "Out of memory.");
	demo_client_free(past->client);
	buffer_fini(&past->batch);
	buffer_fini(&past->day);
	demo_script_fini(&past->script);
	free(past->items);
	free(past);
	return err;
}
