#include "api/live_hub.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define TICK_US      ((int64_t)1000 * 1000) /* how often heartbeats are looked at */
#define GATHER_US    20000                  /* between two rounds of waking: a burst wakes a stream once */
#define ASK_AGAIN_US ((int64_t)3 * 1000 * 1000)
#define KEEP_US      ((int64_t)60 * 1000 * 1000) /* a ring without streams is remembered so long */

struct live_channel {
	struct uuid organization;
	uint64_t tag;  /* random: tells this ring from any other, also from an earlier one of this organization */
	uint64_t last; /* number of the newest event; 0: none yet */
	size_t streams;
	struct live_stream *first;
	int64_t left_at;                   /* when the last stream went */
	bool fresh;                        /* something was published since its streams were woken */
	struct live_event ring[LIVE_RING]; /* event n stands at n % LIVE_RING */
};

struct live_hub {
	pthread_mutex_t lock; /* of everything below but `watched` */
	pthread_cond_t wake;
	pthread_t thread;
	int64_t heartbeat; /* microseconds */
	struct live_channel *channels[LIVE_CHANNELS];
	size_t streams;
	int64_t asked_at; /* when all were asked whether they are there */
	bool fresh;       /* some channel is */
	bool stopping;
	bool stopped;
	_Atomic size_t watched; /* channels: publishing looks here before it takes the lock */
};

static struct live_channel **find(struct live_hub *hub, const struct uuid *organization)
{
	for (size_t i = 0; i < LIVE_CHANNELS; i++)
		if (hub->channels[i] != NULL && uuid_equal(&hub->channels[i]->organization, organization))
			return &hub->channels[i];
	return NULL;
}

static void drop(struct live_hub *hub, struct live_channel **channel)
{
	free(*channel);
	*channel = NULL;
	atomic_fetch_sub(&hub->watched, 1);
}

/* A place for one more: a free one, or that of the ring that nobody has watched for longest. */
static struct live_channel **find_place(struct live_hub *hub)
{
	struct live_channel **idle = NULL;

	for (size_t i = 0; i < LIVE_CHANNELS; i++) {
		struct live_channel **at = &hub->channels[i];

		if (*at == NULL)
			return at;
		if ((*at)->streams == 0 && (idle == NULL || (*at)->left_at < (*idle)->left_at))
			idle = at;
	}
	if (idle != NULL)
		drop(hub, idle);
	return idle;
}

static void forget_idle(struct live_hub *hub, int64_t now)
{
	for (size_t i = 0; i < LIVE_CHANNELS; i++) {
		const struct live_channel *channel = hub->channels[i];

		if (channel != NULL && channel->streams == 0 && channel->left_at + KEEP_US <= now)
			drop(hub, &hub->channels[i]);
	}
}

/* Under the lock, so that none of them leaves meanwhile. */
static void wake_streams(struct live_channel *channel, int64_t now)
{
	for (struct live_stream *stream = channel->first; stream != NULL; stream = stream->next)
		if (channel->fresh || stream->due <= now)
			http_resume_stream(stream->request);
	channel->fresh = false;
}

/* The lock is let go between two organizations: who publishes waits for one of them at most. */
static void wake_all(struct live_hub *hub, int64_t now)
{
	for (size_t i = 0; i < LIVE_CHANNELS; i++) {
		if (hub->channels[i] == NULL || hub->channels[i]->streams == 0)
			continue;
		wake_streams(hub->channels[i], now);
		pthread_mutex_unlock(&hub->lock);
		pthread_mutex_lock(&hub->lock);
	}
}

static struct timespec at_monotonic(int64_t microseconds)
{
	return (struct timespec){ .tv_sec = (time_t)(microseconds / 1000000),
				  .tv_nsec = (long)(microseconds % 1000000) * 1000 };
}

static void *run(void *argument)
{
	struct live_hub *hub = argument;
	const struct timespec pause = { .tv_nsec = (long)GATHER_US * 1000 };

	pthread_mutex_lock(&hub->lock);
	while (!hub->stopping) {
		const struct timespec until = at_monotonic(clock_monotonic() + TICK_US);
		int late = 0;

		while (!hub->fresh && !hub->stopping && late == 0)
			late = pthread_cond_timedwait(&hub->wake, &hub->lock, &until);
		hub->fresh = false;
		wake_all(hub, clock_monotonic());
		forget_idle(hub, clock_monotonic());
		pthread_mutex_unlock(&hub->lock);
		(void)nanosleep(&pause, NULL);
		pthread_mutex_lock(&hub->lock);
	}
	pthread_mutex_unlock(&hub->lock);
	return NULL;
}

enum err live_hub_new(struct live_hub **out, int64_t heartbeat)
{
	struct live_hub *hub = calloc(1, sizeof *hub);
	pthread_condattr_t attributes;

	*out = NULL;
	if (hub == NULL)
		return ERR_MEMORY;
	hub->heartbeat = heartbeat * 1000;
	atomic_init(&hub->watched, 0);
	pthread_mutex_init(&hub->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&hub->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&hub->thread, NULL, run, hub) != 0) {
		hub->stopped = true;
		live_hub_free(hub);
		return ERR_UNAVAILABLE;
	}
	*out = hub;
	return OK;
}

void live_hub_stop(struct live_hub *hub)
{
	if (hub == NULL || hub->stopped)
		return;
	pthread_mutex_lock(&hub->lock);
	hub->stopping = true;
	pthread_cond_signal(&hub->wake);
	pthread_mutex_unlock(&hub->lock);
	pthread_join(hub->thread, NULL);
	hub->stopped = true;
}

void live_hub_free(struct live_hub *hub)
{
	if (hub == NULL)
		return;
	live_hub_stop(hub);
	for (size_t i = 0; i < LIVE_CHANNELS; i++)
		free(hub->channels[i]);
	pthread_cond_destroy(&hub->wake);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

static void remember(struct live_channel *channel, const struct live_note *note)
{
	struct live_event *event = &channel->ring[++channel->last % LIVE_RING];

	event->number = channel->last;
	event->kind = note->kind;
	event->id = note->id;
	event->count = note->count;
	event->chat_size = 0;
	if (note->chat_id.at != NULL && note->chat_id.length <= sizeof event->chat_id) {
		event->chat_size = (uint16_t)note->chat_id.length;
		memcpy(event->chat_id, note->chat_id.at, note->chat_id.length);
	}
}

void live_publish(struct live_hub *hub, const struct uuid *organization, const struct live_note *notes)
{
	struct live_channel **channel;

	if (notes == NULL || atomic_load(&hub->watched) == 0)
		return;
	pthread_mutex_lock(&hub->lock);
	channel = find(hub, organization);
	for (; channel != NULL && notes != NULL; notes = notes->next)
		remember(*channel, notes);
	if (channel != NULL && (*channel)->streams > 0) {
		(*channel)->fresh = true;
		hub->fresh = true;
		pthread_cond_signal(&hub->wake);
	}
	pthread_mutex_unlock(&hub->lock);
}

void live_interrupt(struct live_hub *hub)
{
	pthread_mutex_lock(&hub->lock);
	for (size_t i = 0; i < LIVE_CHANNELS; i++) {
		struct live_channel *channel = hub->channels[i];

		if (channel == NULL)
			continue;
		/* As if more had happened than the ring remembers: who was here, and who comes back, has lost. */
		channel->last += LIVE_RING + 1;
		channel->fresh = channel->streams > 0;
		hub->fresh = hub->fresh || channel->fresh;
	}
	pthread_cond_signal(&hub->wake);
	pthread_mutex_unlock(&hub->lock);
}

static enum err open_channel(struct live_hub *hub, const struct uuid *organization, struct live_channel **out)
{
	struct live_channel **place = find(hub, organization);

	if (place == NULL) {
		place = find_place(hub);
		if (place == NULL)
			return ERR_RATE_LIMITED;
		*place = calloc(1, sizeof **place);
		if (*place == NULL)
			return ERR_MEMORY;
		(*place)->organization = *organization;
		randombytes_buf(&(*place)->tag, sizeof(*place)->tag);
		atomic_fetch_add(&hub->watched, 1);
	}
	*out = *place;
	return OK;
}

/* The oldest event that is still there follows this one. */
static uint64_t forgotten(const struct live_channel *channel)
{
	return channel->last > LIVE_RING ? channel->last - LIVE_RING : 0;
}

static void set_start(struct live_stream *stream, struct text last)
{
	const struct live_channel *channel = stream->channel;
	char tag[18];
	int64_t number;

	stream->seen = channel->last;
	stream->lost = false;
	if (last.at == NULL)
		return;
	snprintf(tag, sizeof tag, "%016llx-", (unsigned long long)channel->tag);
	stream->lost = true;
	if (!text_starts(last, text_of(tag)) ||
	    text_to_int((struct text){ last.at + 17, last.length - 17 }, &number) != OK)
		return;
	if (number < 0 || (uint64_t)number > channel->last || (uint64_t)number < forgotten(channel))
		return;
	stream->seen = (uint64_t)number;
	stream->lost = false;
}

static void hasten(const struct live_channel *channel)
{
	for (struct live_stream *at = channel == NULL ? NULL : channel->first; at != NULL; at = at->next)
		at->due = 0;
}

/* Of the streams that take all the places some may have no client any more, which only writing shows: they get their
 * heartbeats now, at the waking thread's next look. Those of others only where they are what takes the places, and not
 * as often as somebody knocks. */
static void ask_who_is_there(struct live_hub *hub, const struct uuid *organization)
{
	struct live_channel **own = find(hub, organization);
	const int64_t now = clock_monotonic();

	if (own != NULL && (*own)->streams >= LIVE_STREAMS_EACH) {
		hasten(*own);
		return;
	}
	if (now - hub->asked_at < ASK_AGAIN_US)
		return;
	hub->asked_at = now;
	for (size_t i = 0; i < LIVE_CHANNELS; i++)
		hasten(hub->channels[i]);
}

enum err live_join(struct live_hub *hub, const struct uuid *organization, struct text last, struct live_stream *stream,
		   struct http_request *request)
{
	struct live_channel *channel;
	enum err err;

	pthread_mutex_lock(&hub->lock);
	err = hub->streams >= LIVE_STREAMS ? ERR_RATE_LIMITED : open_channel(hub, organization, &channel);
	if (err == OK && channel->streams >= LIVE_STREAMS_EACH)
		err = ERR_RATE_LIMITED;
	if (err == ERR_RATE_LIMITED)
		ask_who_is_there(hub, organization);
	if (err == OK) {
		*stream = (struct live_stream){ .request = request, .channel = channel, .next = channel->first };
		stream->due = clock_monotonic() + hub->heartbeat;
		set_start(stream, last);
		if (channel->first != NULL)
			channel->first->previous = stream;
		channel->first = stream;
		channel->streams++;
		hub->streams++;
	}
	pthread_mutex_unlock(&hub->lock);
	return err;
}

void live_leave(struct live_hub *hub, struct live_stream *stream)
{
	struct live_channel *channel = stream->channel;

	pthread_mutex_lock(&hub->lock);
	if (stream->previous != NULL)
		stream->previous->next = stream->next;
	else
		channel->first = stream->next;
	if (stream->next != NULL)
		stream->next->previous = stream->previous;
	channel->streams--;
	channel->left_at = clock_monotonic();
	hub->streams--;
	pthread_mutex_unlock(&hub->lock);
}

struct live_next live_take(struct live_hub *hub, struct live_stream *stream, struct live_event *out, size_t room)
{
	const struct live_channel *channel = stream->channel;
	const int64_t now = clock_monotonic();
	struct live_next next = { 0 };

	pthread_mutex_lock(&hub->lock);
	if (stream->seen < forgotten(channel) || stream->lost) {
		next.lost = true;
		stream->lost = false;
		stream->seen = channel->last;
	}
	while (!next.lost && next.count < room && stream->seen < channel->last)
		out[next.count++] = channel->ring[++stream->seen % LIVE_RING];
	if (stream->due <= now) {
		next.heartbeat = true;
		stream->due = now + hub->heartbeat;
	}
	pthread_mutex_unlock(&hub->lock);
	return next;
}

void live_id(const struct live_stream *stream, uint64_t number, char out[LIVE_ID_SIZE])
{
	snprintf(out, LIVE_ID_SIZE, "%016llx-%llu", (unsigned long long)stream->channel->tag,
		 (unsigned long long)number);
}

size_t live_stream_count(struct live_hub *hub)
{
	size_t count;

	pthread_mutex_lock(&hub->lock);
	count = hub->streams;
	pthread_mutex_unlock(&hub->lock);
	return count;
}
