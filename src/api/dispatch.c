#include "api/dispatch.h"

#include <string.h>

#include "api/bulletin.h"
#include "api/call.h"
#include "api/call_again.h"
#include "api/credential.h"
#include "api/live.h"
#include "api/match.h"
#include "api/reply.h"
#include "auth/audit.h"
#include "base/clock.h"

#define REPLY_MAX           ((size_t)64 * 1024 * 1024)
#define QUERY_PAIRS         64
#define IDEMPOTENCY_KEY_MAX 200

/* A request's id as it was sent, if it is harmless to write down; else a new one. */
static struct text choose_request_id(struct http_request *request)
{
	const struct text given = http_header(request, "x-request-id");
	char made[UUID_TEXT_SIZE];
	struct uuid id;
	bool harmless = given.at != NULL && given.length > 0 && given.length <= REQUEST_ID_MAX;

	for (size_t i = 0; harmless && i < given.length; i++) {
		const char byte = given.at[i];

		harmless = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
			   (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' || byte == '.';
	}
	/* A key that ended up in the wrong header is not harmless: the log keeps this. */
	if (harmless && !api_key_is_plausible(given))
		return given;
	id = uuid_new();
	uuid_format(&id, made);
	return text_copy(&request->arena, text_of(made));
}

static void put_common_headers(struct http_request *request, struct text request_id, bool cors)
{
	http_reply_header(request, "X-Request-Id", request_id);
	http_reply_header(request, "X-Content-Type-Options", TEXT("nosniff"));
	http_reply_header(request, "Cache-Control", TEXT("no-store"));
	if (cors)
		http_reply_header(request, "Access-Control-Allow-Origin", TEXT("*"));
}

static struct call *make_call(struct house *house, struct http_request *request)
{
	struct call *call = arena_take(&request->arena, sizeof *call);

	request->context = call;
	if (call == NULL)
		return NULL;
	call->house = house;
	call->arena = &request->arena;
	call->request = request;
	call->now = clock_now();
	call->status = 200;
	call->request_id = choose_request_id(request);
	buffer_init(&request->reply.body, REPLY_MAX);
	json_out_init(&call->writer_of_reply, &request->reply.body);
	call->out = &call->writer_of_reply;
	return call;
}

/* What is said of a path without a handler: preflight, what it allows, or that it does not exist. */
static enum http_next answer_unrouted(struct call *call, const struct match *match)
{
	struct http_request *request = call->request;
	const struct text allow = text_copy(call->arena, text_of(match->allow));

	if (!match->path_known) {
		reply_refusal(request, 404, "not_found", "There is nothing at this address.");
		return HTTP_ANSWER;
	}
	http_reply_header(request, "Allow", allow);
	if (!text_equal(request->method, TEXT("OPTIONS"))) {
		reply_refusal(request, 405, "method_not_allowed", "This address does not take this method: see Allow.");
		return HTTP_ANSWER;
	}
	request->reply.status = 200;
	if (match->cors) {
		http_reply_header(request, "Access-Control-Allow-Methods", TEXT("POST, OPTIONS"));
		http_reply_header(request, "Access-Control-Allow-Headers", TEXT("Content-Type, x-api-key"));
		http_reply_header(request, "Access-Control-Max-Age", TEXT("86400"));
	}
	return HTTP_ANSWER;
}

static enum http_next answer_fault(struct call *call, enum err err)
{
	reply_fault(call->request, err, &call->fault);
	return HTTP_ANSWER;
}

static enum err read_pair(struct call *call, struct text pair, struct json_pair *out)
{
	const char *equals = memchr(pair.at, '=', pair.length);
	const size_t name = equals == NULL ? pair.length : (size_t)(equals - pair.at);
	const struct text value = equals == NULL ? TEXT("") : (struct text){ equals + 1, pair.length - name - 1 };
	enum err err = text_percent_decode(call->arena, (struct text){ pair.at, name }, true, &out->name);

	return err == OK ? text_percent_decode(call->arena, value, true, &out->value) : err;
}

/* The query into the struct of `shape`. */
static enum err read_query(struct call *call, const struct json_shape *shape)
{
	struct json_pair pairs[QUERY_PAIRS];
	size_t count = 0;
	struct text rest = call->request->query;
	void *query = arena_take(call->arena, shape->size);

	if (query == NULL)
		return ERR_MEMORY;
	while (rest.length > 0) {
		const char *ampersand = memchr(rest.at, '&', rest.length);
		const size_t length = ampersand == NULL ? rest.length : (size_t)(ampersand - rest.at);

		if (count == QUERY_PAIRS)
			return call_fail(call, ERR_INVALID, NULL, "The query has more than %d parameters.",
					 QUERY_PAIRS);
		if (length > 0 && read_pair(call, (struct text){ rest.at, length }, &pairs[count++]) != OK)
			return call_fail(call, ERR_INVALID, NULL, "The query is not valid percent-encoded UTF-8.");
		rest.at += length + (ampersand != NULL);
		rest.length -= length + (ampersand != NULL);
	}
	call->query = query;
	return json_fill_pairs(pairs, count, shape, call->arena, query, &call->fault);
}

static enum err read_idempotency_key(struct call *call)
{
	call->idempotency_key = http_header(call->request, "idempotency-key");
	if (call->idempotency_key.length == 0)
		call->idempotency_key = (struct text){ 0 };
	if (call->idempotency_key.length > IDEMPOTENCY_KEY_MAX || !text_is_utf8(call->idempotency_key))
		return call_fail(call, ERR_INVALID, "Idempotency-Key",
				 "Idempotency-Key must be UTF-8 of at most %d bytes.", IDEMPOTENCY_KEY_MAX);
	return OK;
}

static enum http_next admit(void *given, struct http_request *request)
{
	struct house *house = given;
	struct call *call = make_call(house, request);
	struct match match;
	enum err err;

	if (call == NULL) {
		reply_refusal(request, 503, "unavailable", "The server is out of memory: try again in a moment.");
		return HTTP_ANSWER;
	}
	match = match_route(request->method, request->path, request->control);
	put_common_headers(request, call->request_id, match.cors);
	if (match.route == NULL)
		return answer_unrouted(call, &match);
	call->route = match.route;
	call->audit = match.route->audit;
	memcpy(call->parameters, match.parameters, sizeof call->parameters);
	request->body_limit = match.route->body_limit != 0 ? match.route->body_limit : house->body_limit;
	err = read_idempotency_key(call);
	if (err == OK && match.route->credential == TENANT)
		err = read_query(call, &credential_tenant_query);
	if (err == OK)
		err = credential_check(call);
	/* Who may not ask is told nothing of what they asked. */
	if (err == OK && match.route->query != NULL)
		err = read_query(call, match.route->query);
	return err == OK ? HTTP_PROCEED : answer_fault(call, err);
}

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
		bulletin_note(call->house->bulletins[db_lane(db)], call);
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

static void conclude(void *context)
{
	struct call *call = context;

	call->route->conclude(call);
	finish(call, OK);
	http_resume(call->request);
}

static void write_foresee(struct db *db, void *context)
{
	struct call *call = context;

	call->db = db;
	call->route->foresee(call);
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
	if (outcome == OK && call->route->conclude != NULL) {
		call->worker_item = (struct worker_item){ .run = conclude, .context = call };
		if (worker_submit(call->house->errands, &call->worker_item) == OK)
			return; /* an errand's now */
	}
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

static void run_slowly(void *context)
{
	struct call *call = context;
	enum err err = OK;

	if (call->route->prepare != NULL)
		err = call->route->prepare(call);
	if (computes(call))
		attempts_leave(call->house->attempts, call->request->peer.bytes);
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

	if (computes(call) && !attempts_enter(call->house->attempts, call->request->peer.bytes))
		return crowded(call);
	call->worker_item.run = run_slowly;
	call->worker_item.context = call;
	err = worker_submit(call->route->errand ? call->house->errands : call->house->slow, &call->worker_item);
	if (err != OK && computes(call))
		attempts_leave(call->house->attempts, call->request->peer.bytes);
	return err;
}

/* A body of no use, sent slowly, does not keep a reading open past the session; what writes asks the writer. */
static enum err confirm_late(struct call *call)
{
	if (call->route->credential != SESSION || call->route->runs == WRITES || call->body.length == 0 ||
	    credential_still_holds(call))
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

static void run_asking(void *context)
{
	struct call *call = context;
	enum err err = run_reading(call);

	if (record_reading(call, &err))
		return; /* the writer's now */
	finish(call, err);
	http_resume(call->request);
}

/* Of a remote database: on a thread that may wait for it. */
static enum err submit_asking(struct call *call)
{
	call->worker_item.run = run_asking;
	call->worker_item.context = call;
	return worker_submit(call->house->asking, &call->worker_item);
}

/* A read that has waited. Meanwhile its session may have ended. */
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

static enum http_next handle(void *given, struct http_request *request)
{
	struct call *call = request->context;
	enum err err = read_body(call);

	(void)given;
	if (err == OK)
		err = confirm_late(call);
	if (err != OK)
		return answer_fault(call, err);
	if (call->route->prepare != NULL || call->route->runs == SLOWLY) {
		err = submit_slow(call);
		if (err == OK)
			return HTTP_WAIT;
	} else if (call->route->runs == WRITES) {
		err = submit_write(call);
		if (err == OK)
			return HTTP_WAIT;
	} else if (call->route->runs == READS && call->house->asking != NULL) {
		err = submit_asking(call);
		if (err == OK)
			return HTTP_WAIT;
	} else if (call->route->runs == READS && call->session.there) {
		return read_in_turn(call);
	} else {
		err = call->route->runs == READS ? run_reading(call) : run_handler(call);
		if (call->route->runs == READS && record_reading(call, &err))
			return HTTP_WAIT;
	}
	finish(call, err);
	return HTTP_ANSWER;
}

static void refuse(void *given, struct http_request *request, unsigned status, const char *code, const char *sentence)
{
	struct house *house = given;
	struct call *call = request->context;

	if (call == NULL)
		call = make_call(house, request);
	/* Net has thrown away what the reply had so far, headers too. */
	if (call != NULL)
		put_common_headers(request, call->request_id, call->route != NULL && call->route->cors);
	reply_refusal(request, status, code, sentence);
}

/* The peer stands in the log only where somebody knocks in vain: that is when an operator needs it. */
static struct text peer_of(struct call *call, unsigned status)
{
	char text[33];

	if (status != 401 && status != 429)
		return (struct text){ 0 };
	text_hex(call->request->peer.bytes, sizeof call->request->peer.bytes, text);
	return text_copy(call->arena, text_of(text));
}

static void release(void *given, struct http_request *request, bool sent)
{
	struct house *house = given;
	struct call *call = request->context;
	int64_t took = clock_monotonic() - request->started;
	const unsigned status = request->reply.status;
	const char *path = "none";
	size_t row = route_count;

	if (call == NULL)
		return;
	if (call->ended != NULL)
		call->ended(call);
	/* How long a client listens says nothing about the server. */
	if (request->reply.more != NULL)
		took = call->began_stream - request->started;
	if (call->route != NULL) {
		row = (size_t)(call->route - routes);
		path = call->route->path;
	}
	metrics_answer(house->metrics, row, status, took);
	if (house->log->least > LOG_INFO)
		return;
	LOG(house->log, LOG_INFO, "request", LOG_TEXT("request_id", call->request_id),
	    LOG_STRING("method", call->route != NULL ? call->route->method : "-"), LOG_STRING("route", path),
	    LOG_INT("status", status), LOG_REAL("milliseconds", (double)took / 1000), LOG_INT("sent", sent ? 1 : 0),
	    LOG_TEXT("peer", peer_of(call, status)));
}

struct http_application dispatch_application(struct house *house)
{
	return (struct http_application){
		.application = house, .admit = admit, .handle = handle, .refuse = refuse, .release = release
	};
}
