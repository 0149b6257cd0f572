/* What has just happened in each organization that somebody watches: a ring of events, and the streams that wait for
 * them. Owner: the server. Threads: published on the writer's after the commit, read on HTTP threads, and one thread of
 * its own that wakes who waits, so that the writer copies a few bytes and goes on. One lock; no two organizations share
 * a ring. Holds ids and counts, no content; bounded in rings, streams and bytes; forgets a ring soon after its last
 * stream went. Never gives an event to another organization's stream: a stream knows its own ring alone. Next: live.h.
 */
#ifndef INNKEEPER_API_LIVE_HUB_H
#define INNKEEPER_API_LIVE_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "base/uuid.h"
#include "net/http.h"

#define LIVE_CHANNELS     128  /* organizations that are watched at the same time */
#define LIVE_STREAMS      1024 /* over all of them */
#define LIVE_STREAMS_EACH 64   /* of an organization */
#define LIVE_RING         1024 /* events of an organization that are remembered */
#define LIVE_CHAT_ID      200  /* bytes */
#define LIVE_HEARTBEAT_MS 15000

enum live_kind { LIVE_CHAT, LIVE_MESSAGE, LIVE_VISITOR, LIVE_CLICK };

/* Something that happened, as a handler notes it; a list of them. */
struct live_note {
	enum live_kind kind;
	struct uuid id;      /* the row's */
	int64_t count;       /* of a message: the chat's messages so far; else INT64_MIN */
	struct text chat_id; /* the concierge's name of the chat, or absent */
	struct live_note *next;
};

/* The same as it is remembered. */
struct live_event {
	uint64_t number; /* 1, 2, … of its ring */
	enum live_kind kind;
	struct uuid id;
	int64_t count;
	uint16_t chat_size; /* bytes of `chat_id`; 0: none */
	char chat_id[LIVE_CHAT_ID];
};

struct live_channel;

/* A stream; in its request's arena, the hub's from live_join to live_leave. */
struct live_stream {
	struct http_request *request;
	struct live_channel *channel;
	struct live_stream *next; /* of the channel */
	struct live_stream *previous;
	uint64_t seen; /* number of the last event that was given */
	bool lost;     /* it wants to go on where nobody remembers */
	int64_t due;   /* when it is woken for its heartbeat; microseconds, clock_monotonic */
};

struct live_hub;

/* Starts the waking thread. `heartbeat` in ms. */
enum err live_hub_new(struct live_hub **out, int64_t heartbeat) WARN_UNUSED;
void live_hub_stop(struct live_hub *hub); /* wakes nobody any more; before http_stop, or when streams are gone */
void live_hub_free(struct live_hub *hub);

/* Copies what happened into the organization's ring, if it has one. Any thread; does not wait for streams. */
void live_publish(struct live_hub *hub, const struct uuid *organization, const struct live_note *notes);

/* Adds a stream of the organization, which goes on behind `last`, an id that live_id gave, or begins now if that is
 * absent. ERR_RATE_LIMITED: too many streams. ERR_MEMORY. */
enum err live_join(struct live_hub *hub, const struct uuid *organization, struct text last, struct live_stream *stream,
		   struct http_request *request) WARN_UNUSED;
void live_leave(struct live_hub *hub, struct live_stream *stream);

/* What comes next for a stream: events, at most `room`; or a loss, that happened before them; or that its heartbeat is
 * due, after which the next one is set. */
struct live_next {
	size_t count;
	bool lost;
	bool heartbeat;
};
struct live_next live_take(struct live_hub *hub, struct live_stream *stream, struct live_event *out, size_t room);

/* Where an event, or what a stream has seen, stands, as Last-Event-ID will say it. */
#define LIVE_ID_SIZE 40
void live_id(const struct live_stream *stream, uint64_t number, char out[LIVE_ID_SIZE]);

/* Something may have happened that nobody told: every stream hears of a loss. */
void live_interrupt(struct live_hub *hub);

size_t live_stream_count(struct live_hub *hub);

#endif
