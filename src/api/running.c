#include "api/running.h"

#include <string.h>

#include "api/asking.h"
#include "api/bulletin.h"
#include "api/call_again.h"
#include "api/credential.h"
#include "api/live.h"
#include "api/reply.h"
#include "auth/audit.h"
#include "base/clock.h"

#define KNOWN_FOR 250000 /* microseconds; who has waited longer to read is asked for again */

static enum err read_body(struct call *call)
{
	const struct json_value *value;
	void *input;
	enum err err;

	call->body = call->request->body;
	if (call->route->read != NULL)
		return call->route->read(call);
	if (call->route->body == NULL)
		return OK;
	err = json_parse(call->body, call->arena, &value, &call->fault);
	if (err != OK)
		return err;
	if (!json_is_object(value))
		return fault_set(&call->fault, ERR_INVALID, "invalid_json", NULL, "The body must be one JSON object.");
	input = arena_take(call->arena, call->route->body->size);
	if (input == NULL)
		return ERR_TOO_LARGE;
	call->input = input;
	return json_fill(value, call->route->body, call->arena, input, &call->fault);
}

static enum err run_handler(struct call *call)
{
	enum err err;

	if (call->route->answer == OBJECT)
		json_open_object(call->out);
	else if (call->route->answer == ARRAY)
		json_open_array(call->out);
	err = call->route->handle(call);
	if (call->route->answer == OBJECT)
		json_close_object(call->out);
	else if (call->route->answer == ARRAY)
		json_close_array(call->out);
	if (err == OK && call->out->to->failed)
		err = ERR_MEMORY;
	return err;
}

static enum http_more more_of_stream(struct http_request *request, struct http_piece *piece)
{
	struct call *call = request->context;

	return call->more(call, piece);
}

static void redirect(struct call *call, struct text location)
{
	buffer_cut(&call->request->reply.body, 0);
	call->request->reply.status = 302;
	http_reply_header(call->request, "Location", location);
}

/* The reply is whole after this, or a stream. */
static void finish(struct call *call, enum err err)
{
	if (err != OK && call->location_of_failure.at != NULL) {
		redirect(call, call->location_of_failure);
		return;
	}
	if (err != OK) {
		reply_fault(call->request, err, &call->fault);
		if (reply_status(err) >= 500)
			LOG(call->house->log, LOG_ERROR, "request failed", LOG_TEXT("request_id", call->request_id),
			    LOG_STRING("route", call->route->path), LOG_INT("err", err));
		return;
	}
	call->request->reply.status = call->status;
	if (call->route->answer == REDIRECT)
		redirect(call, call->location);
	if (call->more != NULL) {
		call->request->reply.more = more_of_stream;
		call->began_stream = clock_monotonic();
	}
	if (call->content_type != NULL)
		call->request->reply.content_type = call->content_type;
	else if (call->route->answer == PLAIN_TEXT)
		call->request->reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
}

static enum err run_reading(struct call *call)
{
	struct reading reading;
	enum err err = readers_enter(call->house->readers, call->scope, &reading);

	if (err != OK)
		return err;
	call->db = reading.db;
	err = run_handler(call);
	call->db = NULL;
	readers_leave(call->house->readers, &reading);
	return err;
}

/* In the transaction of what it records, in the organization's scope. */
static enum err record(struct call *call)
{
	const struct credential_actor actor = credential_actor(call);
	struct audit_entry entry = { .at = call->now,
				     .actor = actor.kind,
				     .actor_id = actor.id,
				     .actor_email = actor.email,
				     .action = call->audit,
				     .target = call->audit_target,
				     .detail = call->audit_detail,
				     .from_network = !call->request->control };

	if (call->audit == NULL || scope_organization(call->scope) == NULL)
		return OK;
	memcpy(entry.address, call->request->peer.bytes, sizeof entry.address);
	return audit_write(call->db, &entry);
}

/* What others must hear, if it is kept. A call of parts tells by itself that it is: else its transaction is lost. */
static void note(struct db *db, const struct call *call)
{
	struct bulletin *bulletin = call->house->bulletins[db_lane(db)];

	bulletin_note(bulletin, call);
	if (call->route->parts)
		bulletin_end_item(bulletin, true);
}

static enum err write_run(struct db *db, void *context)
{
	struct call *call = context;
	enum err err;

	call->db = db;
	err = credential_confirm(call);
	if (err == OK)
		err = run_handler(call);
	if (err == OK)
		err = record(call);
	if (err == OK && call->house->remote)
		note(db, call);
	call->db = NULL;
	return err;
}

/* What was read is recorded before it is handed out. */
static enum err record_run(struct db *db, void *context)
{
	struct call *call = context;
	enum err err;

	call->db = db;
	err = credential_confirm(call);
	if (err == OK)
		err = record(call);
	call->db = NULL;
	return err;
}

/* In turn: whose it is is known by now, and organizations take turns. */
static enum err ask(struct asking *asking, struct call *call, void (*run)(void *context, bool admitted))
{
	const struct uuid *organization = scope_organization(call->scope);
	const struct asking_party party =
	    organization == NULL ? asking_address(&call->request->peer) : asking_organization(organization);

	call->asking_item.run = run;
	call->asking_item.context = call;
	return asking_submit(asking, &call->asking_item, &party);
}

/* As any errand: each is admitted. */
static void conclude(void *context, bool admitted)
{
	struct call *call = context;

	(void)admitted;
	call->route->conclude(call);
	finish(call, OK);
	http_resume(call->request);
}

static void write_foresee(struct db *db, enum foresight round, void *context)
{
	struct call *call = context;

	call->db = db;
	call->route->foresee(call, round);
	call->db = NULL;
}

static void write_done(void *context, enum err outcome)
{
	struct call *call = context;

	if (outcome == OK && call->route->stored != NULL)
		call->route->stored(call);
	/* Of a remote database what happens is heard from there, whoever did it. */
	if (outcome == OK && !call->house->remote)
		live_tell(call);
	if (outcome == OK && call->route->conclude != NULL && ask(call->house->errands, call, conclude) == OK)
		return; /* an errand's now */
	finish(call, outcome);
	http_resume(call->request);
}

static enum err submit_write(struct call *call)
{
	const bool writes = call->route->runs == WRITES;

	call->writer_item.scope = call->scope;
	call->writer_item.parts = call->route->parts;
	call->writer_item.run = writes ? write_run : record_run;
	call->writer_item.done = write_done;
	call->writer_item.foresee = writes && call->route->foresee != NULL ? write_foresee : NULL;
	call->writer_item.context = call;
	if (writes && call->house->remote && call->route->credential == KEY) {
		const enum err err = call_again_allow(call);

		if (err != OK)
			return err;
	}
	return writer_submit(call->house->writer, &call->writer_item);
}

/* Whether the call waits for the thread that computes, which is one for all, and so has a place of its address. */
static bool computes(const struct call *call)
{
	return !call->route->errand && !call->request->control;
}

static void leave_crowd(const struct call *call)
{
	if (computes(call))
		attempts_leave(call->house->attempts, call->request->peer.bytes);
}

static void run_slowly(void *context)
{
	struct call *call = context;
	enum err err = OK;

	if (call->route->look != NULL && call->house->asking == NULL)
		err = call->route->look(call);
	if (err == OK && call->route->prepare != NULL)
		err = call->route->prepare(call);
	leave_crowd(call);
	if (err == OK && call->route->runs == WRITES) {
		err = submit_write(call);
		if (err == OK)
			return; /* the writer's now */
	} else if (err == OK) {
		err = run_handler(call);
	}
	finish(call, err);
	http_resume(call->request);
}

static void run_errand(void *context, bool admitted)
{
	(void)admitted;
	run_slowly(context);
}

static enum err crowded(struct call *call)
{
	http_reply_header(call->request, "Retry-After", TEXT("1"));
	atomic_fetch_add_explicit(&call->house->metrics->rate_limited, 1, memory_order_relaxed);
	return call_fail(call, ERR_RATE_LIMITED, NULL,
			 "Too many requests of this address wait for their password's check: try again in a moment.");
}

static enum err submit_slow(struct call *call)
{
	enum err err;

	call->worker_item.run = run_slowly;
	call->worker_item.context = call;
	err = call->route->errand ? ask(call->house->errands, call, run_errand)
				  : worker_submit(call->house->slow, &call->worker_item);
	if (err != OK)
		leave_crowd(call);
	return err;
}

/* A body of no use, sent slowly, does not keep a reading open past the session; what writes asks the writer. A remote
 * database was asked when the body had come. */
static enum err confirm_late(struct call *call)
{
	if (call->house->asking != NULL || call->route->credential != SESSION || call->route->runs == WRITES ||
	    call->body.length == 0 || credential_still_holds(call))
		return OK;
	return call_fail(call, ERR_UNAUTHORIZED, NULL, "Sign in first.");
}

static void refuse_read(struct call *call)
{
	reply_refusal(call->request, 503, "unavailable", "The server is busy storing: try again in a moment.");
}

/* After a reading that came to `err`: true, if the call is answered once it is recorded. */
static bool record_reading(struct call *call, enum err *err)
{
	if (*err != OK || call->audit == NULL)
		return false;
	*err = submit_write(call);
	return *err == OK;
}

static enum http_next read_now(struct call *call)
{
	enum err err = run_reading(call);

	if (record_reading(call, &err))
		return HTTP_WAIT;
	finish(call, err);
	return HTTP_ANSWER;
}

enum http_next running_refuse(struct call *call)
{
	atomic_fetch_add_explicit(&call->house->metrics->reads_refused, 1, memory_order_relaxed);
	reply_refusal(call->request, 503, "unavailable", "Too many wait for the database: try again in a moment.");
	return HTTP_ANSWER;
}

/* A read that has waited. Meanwhile its session may have ended. */
static enum http_next read_late(struct call *call)
{
	if (!call->session.there || clock_monotonic() - call->asking_item.since < KNOWN_FOR ||
	    credential_still_holds(call))
		return read_now(call);
	finish(call, call_fail(call, ERR_UNAUTHORIZED, NULL, "Sign in first."));
	return HTTP_ANSWER;
}

static void run_asking(void *context, bool admitted)
{
	struct call *call = context;

	if ((admitted ? read_late(call) : running_refuse(call)) == HTTP_ANSWER)
		http_resume(call->request);
}

/* Of a remote database. */
static enum http_next read_by_asking(struct call *call, bool may_wait)
{
	if (may_wait && asking_waiting(call->house->asking) == 0)
		return read_now(call);
	return ask(call->house->asking, call, run_asking) == OK ? HTTP_WAIT : running_refuse(call);
}

/* Submitted, it is somebody else's by now; else this is its end. */
static enum http_next wait_or_answer(struct call *call, enum err submitted)
{
	if (submitted == OK)
		return HTTP_WAIT;
	finish(call, submitted);
	return HTTP_ANSWER;
}

static enum http_next look_now(struct call *call)
{
	const enum err err = call->route->look(call);

	if (err == OK)
		return wait_or_answer(call, submit_slow(call));
	leave_crowd(call);
	return wait_or_answer(call, err);
}

static enum http_next refuse_look(struct call *call)
{
	leave_crowd(call);
	return running_refuse(call);
}

static void run_look(void *context, bool admitted)
{
	struct call *call = context;

	if ((admitted ? look_now(call) : refuse_look(call)) == HTTP_ANSWER)
		http_resume(call->request);
}

static enum http_next begin_slowly(struct call *call, bool may_wait)
{
	const bool looks = call->route->look != NULL && call->house->asking != NULL;

	if (computes(call) && !attempts_enter(call->house->attempts, call->request->peer.bytes))
		return wait_or_answer(call, crowded(call));
	if (!looks)
		return wait_or_answer(call, submit_slow(call));
	if (may_wait && asking_waiting(call->house->asking) == 0)
		return look_now(call);
	return ask(call->house->asking, call, run_look) == OK ? HTTP_WAIT : refuse_look(call);
}

/* The same where admission has held it back. */
static void run_delayed(void *context, bool admitted)
{
	struct call *call = context;
	enum err err;

	if (!admitted) {
		refuse_read(call);
		http_resume(call->request);
		return;
	}
	err = credential_still_holds(call) ? run_reading(call)
					   : call_fail(call, ERR_UNAUTHORIZED, NULL, "Sign in first.");
	if (record_reading(call, &err))
		return; /* the writer's now */
	finish(call, err);
	http_resume(call->request);
}

/* What a member reads; it may have to wait while more is written than can be. */
static enum http_next read_in_turn(struct call *call)
{
	struct admission *admission = call->house->admission;
	enum err err;

	call->admission_item.ticket.organization = call->session.organization;
	call->admission_item.run = run_delayed;
	call->admission_item.context = call;
	switch (admission_enter(admission, &call->admission_item)) {
	case ADMISSION_WAIT:
		return HTTP_WAIT;
	case ADMISSION_FULL:
		refuse_read(call);
		return HTTP_ANSWER;
	case ADMISSION_GO:
		break;
	}
	err = run_reading(call);
	admission_leave(admission, &call->admission_item);
	if (record_reading(call, &err))
		return HTTP_WAIT;
	finish(call, err);
	return HTTP_ANSWER;
}

enum http_next running_begin(struct call *call, bool may_wait)
{
	enum err err = read_body(call);

	if (err == OK)
		err = confirm_late(call);
	if (err != OK) {
		reply_fault(call->request, err, &call->fault);
		return HTTP_ANSWER;
	}
	if (call->route->prepare != NULL || call->route->runs == SLOWLY)
		return begin_slowly(call, may_wait);
	if (call->route->runs == WRITES)
		return wait_or_answer(call, submit_write(call));
	if (call->route->runs == READS && call->house->asking != NULL)
		return read_by_asking(call, may_wait);
	if (call->route->runs == READS && call->session.there)
		return read_in_turn(call);
	if (call->route->runs == READS)
		return read_now(call);
	finish(call, run_handler(call));
	return HTTP_ANSWER;
}
