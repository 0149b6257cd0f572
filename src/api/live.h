/* GET /api/live: the organization's new chats, messages, visitors and clicks as server-sent events, ids and counts
 * alone. Owner: a handler's notes live in its request's arena; a stream is its call's. Threads: notes where the handler
 * runs, told on the writer's thread after the commit; a stream on its HTTP thread. What a handler notes is told only if
 * it is durable: not from an item of a batch that failed. Never outlives the session that opened it by more than a
 * heartbeat. Next: live_hub.h. The format: https://html.spec.whatwg.org/multipage/server-sent-events.html */
#ifndef INNKEEPER_API_LIVE_H
#define INNKEEPER_API_LIVE_H

#include "api/call.h"

/* Notes what happened: the row's id, the chat's external id (or absent; borrowed, from the request), a count (or
 * DB_NULL). Without memory for it the call fails as for any other reason. */
void live_note(struct call *call, enum live_kind kind, const struct uuid *id, struct text chat_id, int64_t count);

/* For an item of a batch, whose call is a copy: its notes become the batch's. */
void live_join_notes(struct call *call, const struct call *item);

/* Tells the call's notes to who watches; they are durable. */
void live_tell(struct call *call);

enum err live_open(struct call *call) WARN_UNUSED;

#endif
