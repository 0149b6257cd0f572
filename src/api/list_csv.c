#include "api/list_csv.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/admission.h"
#include "api/asking.h"
#include "api/credential.h"
#include "api/list_page.h"
#include "api/places.h"
#include "base/clock.h"

#define PAGE_ROWS  500
#define PAGE_BYTES ((size_t)512 * 1024) /* a page that has become so large ends */
/* Rows that may have come to the newest page between finding it and sending it. */
#define LATE_ROWS (LIST_LIMIT - PAGE_ROWS)

/* A page on the way from the newest to the oldest, to be shown on the way back. */
struct stop {
	struct list_page page;
	size_t count;        /* its rows, */
	int64_t last_number; /* of which this is the oldest */
	struct stop *newer;
};

/* What comes next. A list that is shown oldest first is gone through twice, since pages are found from the newest on.
 *
 *     HEADER --newest first--------------------> DOWN --no more rows--> END
 *        |                                       | ^
 *        |                                       +-+ a page is sent
 *        +-----oldest first--> SEEK --the oldest--> UP --the newest was sent--> END
 *                              | ^ a page is       | ^
 *                              +-+ remembered      +-+ a page is sent
 */
enum step { STEP_HEADER, STEP_DOWN, STEP_SEEK, STEP_UP, STEP_END };

struct list_stream {
	const struct list *list;
	enum step step;
	struct list_page page; /* the next of DOWN and SEEK */
	int64_t left;          /* rows still to be found by these; -1: all */
	struct stop *oldest;   /* the next of UP */
	struct list_rows rows;
	struct buffer text; /* on its way out */
	size_t sent;        /* bytes of it */
	struct admission_item turn;
	bool waits;        /* for its turn */
	_Atomic bool told; /* it has come */
	/* Of a remote database a page is read on a thread that may wait for it. */
	struct asking_item asking;
	bool asked;      /* and not looked at yet */
	enum err answer; /* once it is told */
};

static enum err read_rows(struct call *call, const struct list_page *page, size_t bytes, int64_t until)
{
	struct list_stream *stream = call->stream;
	struct reading reading;
	enum err err;

	/* Who reads slowly may have been removed meanwhile. */
	if (!credential_still_holds(call))
		return ERR_UNAUTHORIZED;
	err = readers_enter(call->house->readers, call->scope, &reading);
	if (err != OK)
		return err;
	err = list_rows_read(call, reading.db, stream->list, page, LIST_CSV, bytes, until, &stream->rows);
	readers_leave(call->house->readers, &reading);
	return err;
}

static void put_rows(struct list_stream *stream, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_text(&stream->text, list_rows_at(&stream->rows, stream->list, i));
}

static void put_header(struct list_stream *stream)
{
	struct csv_out out;

	csv_out_init(&out, &stream->text);
	query_names_csv(stream->list->statement, stream->list->hidden, &out);
	stream->step = stream->list->oldest_first ? STEP_SEEK : STEP_DOWN;
}

/* Behind the page that was just read. */
static void move_on(struct list_stream *stream, enum step at_end)
{
	const struct list_rows *rows = &stream->rows;

	if (stream->left > 0)
		stream->left -= (int64_t)rows->count;
	if (!rows->more || stream->left == 0) {
		stream->step = at_end;
		return;
	}
	stream->page.before_time = rows->last_time;
	stream->page.before_number = rows->last_number;
}

static void set_limit(struct list_stream *stream)
{
	stream->page.limit = stream->left >= 0 && stream->left < PAGE_ROWS ? stream->left : PAGE_ROWS;
}

static enum err step_down(struct call *call)
{
	struct list_stream *stream = call->stream;
	enum err err;

	set_limit(stream);
	err = read_rows(call, &stream->page, PAGE_BYTES, 0);
	if (err != OK)
		return err;
	put_rows(stream, stream->rows.count);
	move_on(stream, STEP_END);
	return OK;
}

static enum err step_seek(struct call *call)
{
	struct list_stream *stream = call->stream;
	struct stop *stop = arena_take(call->arena, sizeof *stop);
	enum err err;

	if (stop == NULL)
		return ERR_MEMORY;
	set_limit(stream);
	err = read_rows(call, &stream->page, PAGE_BYTES, 0);
	if (err != OK)
		return err;
	*stop = (struct stop){ stream->page, stream->rows.count, stream->rows.last_number, stream->oldest };
	if (stream->oldest == NULL)
		stop->page.limit = PAGE_ROWS + LATE_ROWS;
	if (stop->count > 0)
		stream->oldest = stop;
	move_on(stream, STEP_UP);
	return OK;
}

/* What was found on the way down must be there still: rows may have come before it, and are left out, but none may be
 * missing. */
static enum err step_up(struct call *call)
{
	struct list_stream *stream = call->stream;
	const struct stop *stop = stream->oldest;
	enum err err;

	if (stop == NULL) {
		stream->step = STEP_END;
		return OK;
	}
	err = read_rows(call, &stop->page, SIZE_MAX, stop->last_number);
	if (err != OK)
		return err;
	if (stream->rows.count < stop->count || stream->rows.last_number != stop->last_number)
		return ERR_UNAVAILABLE;
	put_rows(stream, stop->count);
	stream->oldest = stop->newer;
	return OK;
}

/* One step; a page at most. What there was has been sent. */
static enum err go_on(struct call *call)
{
	struct list_stream *stream = call->stream;

	buffer_cut(&stream->text, 0);
	stream->sent = 0;
	switch (stream->step) {
	case STEP_HEADER:
		put_header(stream);
		return OK;
	case STEP_DOWN:
		return step_down(call);
	case STEP_SEEK:
		return step_seek(call);
	case STEP_UP:
		return step_up(call);
	case STEP_END:
		break;
	}
	return OK;
}

static void tell(void *context, bool admitted)
{
	struct call *call = context;
	struct list_stream *stream = call->stream;

	(void)admitted; /* or not: what has begun goes on, one page when it has waited long enough */
	atomic_store(&stream->told, true);
	http_resume_stream(call->request);
}

/* Each page is a read of its own, that may have to wait while more is written than can be. ERR_UNAVAILABLE: too many of
 * the organization wait. While the server ends, nothing does. */
static enum err take_turn(struct call *call, bool draining, bool *later)
{
	struct list_stream *stream = call->stream;
	struct admission *admission = call->house->admission;

	*later = false;
	if (stream->waits) {
		*later = !atomic_load(&stream->told) && !draining;
		if (*later)
			return OK;
		admission_withdraw(admission, &stream->turn);
		stream->waits = false;
		admission_begin(&stream->turn);
		return OK;
	}
	atomic_store(&stream->told, false);
	switch (admission_enter(admission, &stream->turn)) {
	case ADMISSION_GO:
		return OK;
	case ADMISSION_WAIT:
		stream->waits = true;
		*later = true;
		return OK;
	case ADMISSION_FULL:
		break;
	}
	return ERR_UNAVAILABLE;
}

/* The step of a stream that waits: nobody else touches it meanwhile. */
static void answer(void *context, bool admitted)
{
	struct call *call = context;
	struct list_stream *stream = call->stream;

	stream->answer = admitted ? go_on(call) : ERR_UNAVAILABLE;
	atomic_store(&stream->told, true);
	http_resume_stream(call->request);
}

/* While the server ends, the thread of the stream may wait. */
static enum err ask(struct call *call, bool draining, bool *later)
{
	struct list_stream *stream = call->stream;
	const struct asking_party party = asking_organization(scope_organization(call->scope));

	*later = false;
	if (stream->asked) {
		*later = !atomic_load(&stream->told) && !draining;
		if (*later)
			return OK;
		stream->asked = false;
		return asking_withdraw(call->house->asking, &stream->asking) ? go_on(call) : stream->answer;
	}
	if (draining || stream->step == STEP_HEADER)
		return go_on(call);
	stream->asking = (struct asking_item){ .run = answer, .context = call };
	atomic_store(&stream->told, false);
	stream->asked = true;
	*later = true;
	if (asking_submit(call->house->asking, &stream->asking, &party) == OK)
		return OK;
	stream->asked = false;
	*later = false;
	return ERR_UNAVAILABLE;
}

static enum err read_here(struct call *call, bool draining, bool *later)
{
	struct list_stream *stream = call->stream;
	enum err err = take_turn(call, draining, later);

	if (err != OK || *later)
		return err;
	err = go_on(call);
	admission_leave(call->house->admission, &stream->turn);
	return err;
}

static enum http_more give(struct call *call, struct http_piece *piece)
{
	struct list_stream *stream = call->stream;
	struct buffer *text = &stream->text;

	if (!stream->asked && stream->sent == text->length && stream->step == STEP_END)
		return HTTP_MORE_ENDED;
	if (stream->asked || stream->sent == text->length) {
		bool later;
		enum err err = call->house->asking != NULL ? ask(call, piece->draining, &later)
							   : read_here(call, piece->draining, &later);

		if (later)
			return HTTP_MORE_LATER;
		if (err != OK || text->failed) {
			LOG(call->house->log, LOG_ERROR, "a list could not be sent whole",
			    LOG_TEXT("request_id", call->request_id), LOG_INT("err", err));
			return HTTP_MORE_FAILED;
		}
	}
	if (stream->sent == text->length) {
		/* Others of this thread may have their turn before the next step. */
		http_resume_stream(call->request);
		return HTTP_MORE_LATER;
	}
	piece->length = text->length - stream->sent < piece->room ? text->length - stream->sent : piece->room;
	memcpy(piece->at, text->at + stream->sent, piece->length);
	stream->sent += piece->length;
	return HTTP_MORE;
}

static void end(struct call *call)
{
	struct list_stream *stream = call->stream;

	admission_withdraw(call->house->admission, &stream->turn);
	if (stream->asked)
		(void)asking_withdraw(call->house->asking, &stream->asking);
	list_rows_fini(&stream->rows);
	buffer_fini(&stream->text);
	list_csv_end(call);
}

static enum err crowded(struct call *call)
{
	http_reply_header(call->request, "Retry-After", TEXT("10"));
	atomic_fetch_add_explicit(&call->house->metrics->rate_limited, 1, memory_order_relaxed);
	return call_fail(call, ERR_RATE_LIMITED, NULL,
			 "Too many lists are being downloaded: let one end, or come back in a moment.");
}

enum err list_csv_begin(struct call *call, const char *file)
{
	char text[128];
	char time[CLOCK_TEXT_SIZE];

	if (!places_enter(call->house->downloads, scope_organization(call->scope)))
		return crowded(call);
	clock_format(call->now, time);
	snprintf(text, sizeof text, "attachment; filename=\"%s-%.10s.csv\"", file, time);
	http_reply_header(call->request, "Content-Disposition", text_copy(call->arena, text_of(text)));
	call->content_type = "text/csv; charset=utf-8; header=present";
	call->audit = "list.export";
	call->audit_target = text_of(file);
	return OK;
}

void list_csv_end(struct call *call)
{
	places_leave(call->house->downloads, scope_organization(call->scope));
}

enum err list_csv(struct call *call, const struct list *list, const struct list_page *page)
{
	struct list_stream *stream = arena_take(call->arena, sizeof *stream);
	enum err err;

	if (stream == NULL || list_rows_init(&stream->rows, call->arena) != OK)
		return ERR_MEMORY;
	err = list_csv_begin(call, list->file);
	if (err != OK) {
		list_rows_fini(&stream->rows);
		return err;
	}
	stream->list = list;
	stream->turn =
	    (struct admission_item){ .ticket.organization = call->session.organization, .run = tell, .context = call };
	stream->page = *page;
	stream->left = page->limit == 0 ? -1 : page->limit;
	buffer_init(&stream->text, SIZE_MAX / 2);
	call->stream = stream;
	call->more = give;
	call->ended = end;
	return OK;
}
