#include "net/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/stream.h"

/* Where a request stands, for the library's next call. Touched by the connection's own thread only.
 *
 *     URI seen      head passed      body complete
 *     HEAD -----------> BODY -------------> WAITING -----> ANSWERED
 *       |                |   handle: HTTP_WAIT    resumed     ^
 *       +----------------+------------------------------------+
 *          refused, or answered by `admit` or `handle`
 */
enum stage { STAGE_NONE, STAGE_HEAD, STAGE_BODY, STAGE_WAITING, STAGE_ANSWERED };

/* The hand-over between `handle` on the connection's thread (left) and http_resume on any other (right), which may come
 * before `handle` has even returned. Each side moves once, in one atomic step; who comes second wakes the connection.
 *
 *     RUNNING --suspended by us--> PARKED
 *        |                           |
 *        | http_resume               | http_resume: wakes the connection
 *        v                           v
 *     RESUMED: we answer on      RESUMED
 *     the spot, or wake what
 *     was just suspended
 *
 * After its step in RUNNING http_resume touches the request no more: it may be gone already. In PARKED it cannot go,
 * since the library keeps a suspended connection. */
enum turn { TURN_RUNNING, TURN_PARKED, TURN_RESUMED };

static enum MHD_Result refuse(struct connection *connection, const struct gate_refusal *refusal);

static const struct gate_refusal too_large = { 413, "payload_too_large", "The body is larger than this path allows." };
static const struct gate_refusal no_memory = { 503, "unavailable", "There is no memory for this request just now." };
static const struct gate_refusal bad_path = { 400, "bad_request",
					      "The path's percent-encoding does not make valid UTF-8." };
static const struct gate_refusal broken_reply = { 500, "internal", "The reply could not be built." };

static void request_init(struct connection *connection)
{
	size_t cap = connection->shared->options.request_memory;

	connection->request = (struct http_request){
		.headers = connection->headers,
		.peer = connection->peer,
		.control = connection->control,
		.body = TEXT(""),
	};
	arena_init(&connection->request.arena, cap ? cap : HTTP_REQUEST_MEMORY);
	buffer_init(&connection->request.reply.body, SIZE_MAX / 2);
	buffer_init(&connection->body, 0);
	connection->target = TEXT("");
	connection->mark = NULL;
	connection->admitted = false;
	connection->refusing = false;
	connection->sent = false;
	atomic_store_explicit(&connection->turn, TURN_RUNNING, memory_order_relaxed);
}

void connection_end(struct connection *connection, bool sent)
{
	const struct http_application *to = connection->shared->application;

	if (connection->stage == STAGE_NONE)
		return;
	connection->stage = STAGE_NONE;
	if (connection->admitted)
		to->release(to->application, &connection->request, sent || connection->sent);
	buffer_fini(&connection->body);
	buffer_fini(&connection->request.reply.body);
	arena_fini(&connection->request.arena);
}

/* The library wants a NUL behind the value. Not from the arena: that one may be what has failed. */
static bool add_header(struct MHD_Response *response, const struct http_header *header)
{
	char *value = strndup(header->value.at ? header->value.at : "", header->value.length);
	bool fine = value && MHD_add_response_header(response, header->name.at, value) == MHD_YES;

	free(value);
	return fine;
}

static struct MHD_Response *whole_response(struct connection *connection)
{
	size_t length;
	char *body = buffer_detach(&connection->request.reply.body, &length);
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    length, body ? body : "", body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);

	if (!response)
		free(body);
	return response;
}

/* A header that the library does not take (a line break in its value, say) must not leave a reply without it. */
static struct MHD_Response *make_response(struct connection *connection)
{
	struct http_reply *reply = &connection->request.reply;
	struct MHD_Response *response = reply->more ? stream_response(connection) : whole_response(connection);
	const char *type = reply->content_type ? reply->content_type : "application/json";

	if (!response)
		return NULL;
	bool fine = MHD_add_response_header(response, "Content-Type", type) == MHD_YES;

	for (size_t i = 0; fine && i < reply->header_count; i++)
		fine = add_header(response, &reply->headers[i]);
	if (fine && (reply->close || atomic_load_explicit(&connection->shared->draining, memory_order_relaxed)))
		fine = MHD_add_response_header(response, "Connection", "close") == MHD_YES;
	if (fine)
		return response;
	MHD_destroy_response(response);
	return NULL;
}

static enum MHD_Result answer(struct connection *connection)
{
	struct http_reply *reply = &connection->request.reply;

	if (reply->body.failed && !connection->refusing)
		return refuse(connection, &broken_reply);
	assert(reply->status >= 200);
	connection->stage = STAGE_ANSWERED;
	if (!deadline_busy(&connection->deadline, clock_monotonic() + CONNECTION_SEND_TIMEOUT * CONNECTION_SECOND))
		return MHD_NO;
	struct MHD_Response *response = make_response(connection);

	if (!response)
		return connection->refusing ? MHD_NO : refuse(connection, &broken_reply);
	enum MHD_Result result = MHD_queue_response(connection->library, reply->status, response);

	MHD_destroy_response(response);
	return result;
}

static void fill_refusal(struct connection *connection, const struct gate_refusal *refusal)
{
	const struct http_application *to = connection->shared->application;
	struct http_request *request = &connection->request;

	connection->refusing = true;
	buffer_fini(&request->reply.body);
	request->reply = (struct http_reply){ .status = refusal->status };
	buffer_init(&request->reply.body, SIZE_MAX / 2);
	to->refuse(to->application, request, refusal->status, refusal->code, refusal->sentence);
	request->reply.close = true;
}

static enum MHD_Result refuse(struct connection *connection, const struct gate_refusal *refusal)
{
	fill_refusal(connection, refusal);
	return answer(connection);
}

/* In the middle of a body the library takes no reply. The socket's buffer is empty then and a refusal is short, so it
 * is written past the library, which then closes the connection. */
static enum MHD_Result refuse_in_body(struct connection *connection, const struct gate_refusal *refusal)
{
	struct http_reply *reply = &connection->request.reply;
	struct buffer out;

	fill_refusal(connection, refusal);
	connection->stage = STAGE_ANSWERED;
	buffer_init(&out, SIZE_MAX / 2);
	buffer_format(&out, "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n",
		      reply->status, MHD_get_reason_phrase_for(reply->status),
		      reply->content_type ? reply->content_type : "application/json", reply->body.length);
	for (size_t i = 0; i < reply->header_count; i++) {
		buffer_text(&out, reply->headers[i].name);
		buffer_string(&out, ": ");
		buffer_text(&out, reply->headers[i].value);
		buffer_string(&out, "\r\n");
	}
	buffer_string(&out, "\r\n");
	buffer_add(&out, reply->body.at, reply->body.length);
	if (!out.failed && !reply->body.failed) {
		ssize_t sent = send(connection->deadline.fd, out.at, out.length, MSG_DONTWAIT | MSG_NOSIGNAL);

		connection->sent = sent == (ssize_t)out.length;
	}
	buffer_fini(&out);
	return MHD_NO;
}

static enum MHD_Result wait_for_resume(struct connection *connection)
{
	int expected = TURN_RUNNING;

	connection->stage = STAGE_WAITING;
	if (atomic_load(&connection->turn) == TURN_RESUMED)
		return answer(connection);
	MHD_suspend_connection(connection->library);
	if (!atomic_compare_exchange_strong(&connection->turn, &expected, TURN_PARKED))
		MHD_resume_connection(connection->library);
	return MHD_YES;
}

void http_resume(struct http_request *request)
{
	struct connection *connection =
	    (struct connection *)(void *)((char *)request - offsetof(struct connection, request));
	struct MHD_Connection *library = connection->library;
	int before = atomic_exchange(&connection->turn, TURN_RESUMED);

	assert(before != TURN_RESUMED);
	if (before == TURN_PARKED)
		MHD_resume_connection(library);
}

void http_resume_stream(struct http_request *request)
{
	stream_wake((struct connection *)(void *)((char *)request - offsetof(struct connection, request)));
}

static enum MHD_Result call_application(struct connection *connection)
{
	const struct http_application *to = connection->shared->application;
	struct http_request *request = &connection->request;

	if (!deadline_busy(&connection->deadline, DEADLINE_NEVER))
		return MHD_NO;
	if (connection->body.length)
		request->body = (struct text){ connection->body.at, connection->body.length };
	if (to->handle(to->application, request) == HTTP_WAIT)
		return wait_for_resume(connection);
	return answer(connection);
}

static enum MHD_Result take_body(struct connection *connection, const char *data, size_t *length)
{
	if (*length > connection->request.body_limit - connection->body.length)
		return refuse_in_body(connection, &too_large);
	buffer_add(&connection->body, data, *length);
	*length = 0;
	return connection->body.failed ? refuse_in_body(connection, &no_memory) : MHD_YES;
}

static enum MHD_Result collect_header(void *argument, enum MHD_ValueKind kind, const char *name, size_t name_length,
				      const char *value, size_t value_length)
{
	struct connection *connection = argument;
	size_t at = connection->request.header_count++;

	(void)kind;
	if (at < HTTP_HEADERS_MAX) {
		connection->headers[at] = (struct http_header){ { name, name_length }, { value, value_length } };
		if (!value)
			connection->headers[at].value = TEXT("");
	}
	return MHD_YES;
}

/* The gate's verdict on the head that has just become complete. */
static const struct gate_refusal *check_head(struct connection *connection, const char *method, const char *version)
{
	struct http_request *request = &connection->request;
	const union MHD_ConnectionInfo *size =
	    MHD_get_connection_info(connection->library, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	if (connection->mark) {
		connection->mark[0] = '?';
		connection->mark[1] = connection->behind_mark;
	}
	(void)MHD_get_connection_values_n(connection->library, MHD_HEADER_KIND, collect_header, connection);
	struct gate_head head = {
		.method = text_of(method),
		.target = connection->target,
		.version = text_of(version),
		.headers = connection->headers,
		.header_count = request->header_count,
		.size = size ? size->header_size : SIZE_MAX,
		.in_place = connection->shared->shows_seams,
	};
	const struct gate_refusal *refusal = gate_check(&head, &connection->passed);

	if (refusal) {
		request->header_count = 0;
		return refusal;
	}
	request->method = head.method;
	for (size_t i = 0; i < request->header_count; i++)
		connection->headers[i].value = text_trim(connection->headers[i].value);
	return NULL;
}

/* Without a '%' the path is ASCII as it stands, the gate has seen to that. */
static const struct gate_refusal *take_target(struct connection *connection)
{
	struct http_request *request = &connection->request;
	const struct gate_passed *passed = &connection->passed;

	request->path = passed->path;
	request->query = passed->query;
	if (!memchr(passed->path.at, '%', passed->path.length))
		return NULL;
	switch (text_percent_decode(&request->arena, passed->path, false, &request->path)) {
	case OK:
		return NULL;
	case ERR_MEMORY:
		return &no_memory;
	default:
		request->path = (struct text){ 0 };
		return &bad_path;
	}
}

static void take_peer(struct connection *connection)
{
	const struct address_list *trusted = &connection->shared->trusted;
	struct http_request *request = &connection->request;

	if (!connection->control && trusted->count) {
		request->peer = address_forwarded(trusted, connection->peer, request->headers, request->header_count);
		request->tls =
		    address_forwarded_tls(trusted, connection->peer, request->headers, request->header_count);
	}
	request->peer = address_as_counted(request->peer);
}

static enum MHD_Result take_head(struct connection *connection, const char *method, const char *version)
{
	const struct connection_shared *shared = connection->shared;
	const struct http_application *to = shared->application;
	struct http_request *request = &connection->request;
	const struct gate_refusal *refusal;

	request->started = clock_monotonic();
	int64_t until = request->started + shared->options.body_timeout * CONNECTION_SECOND;

	refusal = check_head(connection, method, version);
	if (!deadline_busy(&connection->deadline, connection->passed.has_body && !refusal ? until : DEADLINE_NEVER))
		return MHD_NO;
	if (!refusal)
		refusal = take_target(connection);
	if (refusal)
		return refuse(connection, refusal);
	take_peer(connection);
	connection->admitted = true;
	if (to->admit(to->application, request) == HTTP_ANSWER) {
		request->reply.close |= connection->passed.has_body;
		return answer(connection);
	}
	if (connection->passed.length > request->body_limit)
		return refuse(connection, &too_large);
	buffer_init(&connection->body, request->body_limit);
	connection->stage = STAGE_BODY;
	return MHD_YES;
}

enum MHD_Result connection_call(struct connection *connection, const char *method, const char *version,
				const char *data, size_t *length)
{
	switch (connection->stage) {
	case STAGE_HEAD:
		return take_head(connection, method, version);
	case STAGE_BODY:
		return *length ? take_body(connection, data, length) : call_application(connection);
	case STAGE_WAITING:
		return atomic_load(&connection->turn) == TURN_RESUMED ? answer(connection) : MHD_YES;
	default: /* the reply is on its way: whatever else comes is dropped */
		*length = 0;
		return MHD_YES;
	}
}

void connection_init(struct connection *connection, const struct connection_shared *shared,
		     struct MHD_Connection *library, const struct http_address *peer, bool control)
{
	connection->shared = shared;
	connection->library = library;
	connection->peer = *peer;
	connection->control = control;
	connection->fresh = true;
	connection->stage = STAGE_NONE;
	atomic_init(&connection->turn, TURN_RUNNING);
	atomic_init(&connection->wait, 0);
}

/* The library would now take the query apart in place; a NUL in front of it keeps it from that until check_head undoes
 * it: it costs time, and a query of more parts than the connection's memory holds leaves the library in a state between
 * two answers. */
void connection_begin(struct connection *connection, const char *target)
{
	int64_t until = connection->fresh
			    ? deadline_at(&connection->deadline)
			    : clock_monotonic() + connection->shared->options.header_timeout * CONNECTION_SECOND;

	connection->fresh = false;
	request_init(connection);
	connection->stage = STAGE_HEAD;
	(void)deadline_busy(&connection->deadline, until); /* if it was cut, take_head will see it */
	if (target) {
		connection->target = text_of(target);
		connection->mark = strchr((char *)(uintptr_t)target, '?'); /* the buffer itself is not const */
	}
	if (connection->mark) {
		connection->behind_mark = connection->mark[1];
		connection->mark[1] = 0;
	}
}

bool connection_answered(const struct connection *connection)
{
	return connection->stage == STAGE_ANSWERED;
}

struct text http_header(const struct http_request *request, const char *name)
{
	struct text wanted = text_of(name);

	for (size_t i = 0; i < request->header_count; i++) {
		if (text_equal_ignoring_case(request->headers[i].name, wanted))
			return request->headers[i].value;
	}
	return (struct text){ 0 };
}

void http_reply_header(struct http_request *request, const char *name, struct text value)
{
	struct http_reply *reply = &request->reply;

	assert(reply->header_count < HTTP_REPLY_HEADERS);
	reply->headers[reply->header_count++] = (struct http_header){ text_of(name), value };
}
