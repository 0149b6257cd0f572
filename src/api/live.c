#include "api/live.h"

#include <string.h>

#include "api/credential.h"
#include "api/recheck.h"

#define EVENTS_AT_ONCE 32
#define TEXT_MAX       ((size_t)64 * 1024) /* bytes; EVENTS_AT_ONCE events are far shorter */

struct stream {
	struct live_stream live; /* must stay where it is */
	struct live_event events[EVENTS_AT_ONCE];
	struct buffer text; /* on its way out */
	size_t sent;        /* bytes of it */
	bool greeted;
	struct recheck *recheck; /* the session is being asked for; NULL: it is not */
};

void live_note(struct call *call, enum live_kind kind, const struct uuid *id, struct text chat_id, int64_t count)
{
	struct live_note *note = arena_take(call->arena, sizeof *note);

	if (note == NULL)
		return;
	*note = (struct live_note){ .kind = kind, .id = *id, .count = count, .chat_id = chat_id };
	if (call->last_note != NULL)
		call->last_note->next = note;
	else
		call->first_note = note;
	call->last_note = note;
}

void live_join_notes(struct call *call, const struct call *item)
{
	if (item->first_note == NULL)
		return;
	if (call->last_note != NULL)
		call->last_note->next = item->first_note;
	else
		call->first_note = item->first_note;
	call->last_note = item->last_note;
}

void live_tell(struct call *call)
{
	if (call->first_note != NULL)
		live_publish(call->house->live, scope_organization(call->scope), call->first_note);
}

static const char *const kinds[] = {
	[LIVE_CHAT] = "chat",
	[LIVE_MESSAGE] = "message",
	[LIVE_VISITOR] = "visitor",
	[LIVE_CLICK] = "click",
};

static void put_head(struct stream *stream, uint64_t number, const char *name)
{
	char id[LIVE_ID_SIZE];

	live_id(&stream->live, number, id);
	buffer_format(&stream->text, "id: %s\nevent: %s\ndata: ", id, name);
}

/* JSON holds no line end, so that its one line is the data. */
static void put_event(struct stream *stream, const struct live_event *event)
{
	struct json_out out;

	put_head(stream, event->number, kinds[event->kind]);
	json_out_init(&out, &stream->text);
	json_open_object(&out);
	json_key(&out, "id");
	json_put_uuid(&out, &event->id);
	if (event->chat_size > 0) {
		json_key(&out, "chat_id");
		json_put_text(&out, (struct text){ event->chat_id, event->chat_size });
	}
	if (event->count != DB_NULL) {
		json_key(&out, "message_count");
		json_put_int(&out, event->count);
	}
	json_close_object(&out);
	buffer_string(&stream->text, "\n\n");
}

static void put_plain(struct stream *stream, const char *name)
{
	put_head(stream, stream->live.seen, name);
	buffer_string(&stream->text, "{}\n\n");
}

/* What is found out at once is told at once. */
static bool ask_session(struct call *call)
{
	struct stream *stream = call->stream;

	if (!call->house->remote)
		return credential_still_holds(call);
	stream->recheck = recheck_begin(call);
	return stream->recheck != NULL;
}

/* False: the stream ends, for who opened it may not see more. */
static bool fill(struct call *call)
{
	struct stream *stream = call->stream;
	const struct live_next next = live_take(call->house->live, &stream->live, stream->events, EVENTS_AT_ONCE);

	buffer_cut(&stream->text, 0);
	stream->sent = 0;
	if (next.heartbeat && !ask_session(call))
		return false;
	if (!stream->greeted) {
		stream->greeted = true;
		buffer_string(&stream->text, "retry: 3000\n\n");
		if (!next.lost && next.count == 0)
			put_plain(stream, "ready");
	}
	if (next.lost)
		put_plain(stream, "reset");
	for (size_t i = 0; i < next.count; i++)
		put_event(stream, &stream->events[i]);
	if (next.heartbeat)
		buffer_string(&stream->text, ": still here\n\n");
	return !stream->text.failed;
}

static enum http_more give(struct call *call, struct http_piece *piece)
{
	struct stream *stream = call->stream;
	size_t left;

	if (stream->recheck == NULL && stream->sent == stream->text.length && (piece->draining || !fill(call)))
		return HTTP_MORE_ENDED;
	if (stream->recheck != NULL) {
		switch (recheck_take(&stream->recheck)) {
		case RECHECK_ASKED:
			return piece->draining ? HTTP_MORE_ENDED : HTTP_MORE_LATER;
		case RECHECK_GONE:
			return HTTP_MORE_ENDED;
		case RECHECK_HOLDS:
			break;
		}
	}
	left = stream->text.length - stream->sent;
	if (left == 0)
		return HTTP_MORE_LATER;
	piece->length = left < piece->room ? left : piece->room;
	memcpy(piece->at, stream->text.at + stream->sent, piece->length);
	stream->sent += piece->length;
	return HTTP_MORE;
}

static void end(struct call *call)
{
	struct stream *stream = call->stream;

	live_leave(call->house->live, &stream->live);
	recheck_drop(&stream->recheck);
	buffer_fini(&stream->text);
}

static enum err too_many(struct call *call)
{
	http_reply_header(call->request, "Retry-After", TEXT("3"));
	atomic_fetch_add_explicit(&call->house->metrics->rate_limited, 1, memory_order_relaxed);
	return call_fail(call, ERR_RATE_LIMITED, NULL,
			 "Too many live streams are open: close one, or come back in a moment.");
}

enum err live_open(struct call *call)
{
	struct stream *stream = arena_take(call->arena, sizeof *stream);
	enum err err = stream == NULL
			   ? ERR_MEMORY
			   : live_join(call->house->live, scope_organization(call->scope),
				       http_header(call->request, "last-event-id"), &stream->live, call->request);

	if (err == ERR_RATE_LIMITED)
		return too_many(call);
	if (err != OK)
		return err;
	buffer_init(&stream->text, TEXT_MAX);
	call->stream = stream;
	call->more = give;
	call->ended = end;
	call->content_type = "text/event-stream";
	/* A proxy that gathers an answer before it passes it on would hold back every event. */
	http_reply_header(call->request, "X-Accel-Buffering", TEXT("no"));
	return OK;
}
