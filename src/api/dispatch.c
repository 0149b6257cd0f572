#include "api/dispatch.h"

#include <string.h>

#include "api/asking.h"
#include "api/call.h"
#include "api/credential.h"
#include "api/match.h"
#include "api/reply.h"
#include "api/running.h"
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

/* Who may not ask is told nothing of what they asked. */
static enum err read_own_query(struct call *call)
{
	return call->route->query == NULL ? OK : read_query(call, call->route->query);
}

static enum err ask_credential(struct call *call)
{
	enum err err = credential_ask(call);

	return err == OK ? read_own_query(call) : err;
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
	if (err != OK)
		return answer_fault(call, err);
	err = credential_check(call, &call->asks);
	if (err != OK && house->asking != NULL) {
		call->refused = err;
		return HTTP_PROCEED;
	}
	if (err == OK && !call->asks)
		err = read_own_query(call);
	else if (err == OK && house->asking == NULL)
		err = ask_credential(call);
	return err == OK ? HTTP_PROCEED : answer_fault(call, err);
}

/* On a thread that may wait for a remote database. Of the body nothing has been looked at yet. */
static void ask_and_run(void *context, bool admitted)
{
	struct call *call = context;
	enum http_next next;
	enum err err;

	if (admitted) {
		err = ask_credential(call);
		next = err == OK ? running_begin(call, true) : answer_fault(call, err);
	} else {
		next = running_refuse(call);
	}
	if (next == HTTP_ANSWER)
		http_resume(call->request);
}

static enum http_next handle(void *given, struct http_request *request)
{
	const struct house *house = given;
	struct call *call = request->context;
	const struct asking_party party = asking_address(&request->peer);

	if (call->refused != OK)
		return answer_fault(call, call->refused);
	if (!call->asks || house->asking == NULL)
		return running_begin(call, false);
	call->asking_item.run = ask_and_run;
	call->asking_item.context = call;
	return asking_submit(house->asking, &call->asking_item, &party) == OK ? HTTP_WAIT : running_refuse(call);
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
