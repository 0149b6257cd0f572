#include "net/http.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/deadline.h"
#include "net/listen.h"

#define CONTROL_CONNECTIONS 16
/* Bytes of the library for one connection: a head of GATE_HEAD_MAX, what it keeps of HTTP_HEADERS_MAX lines, and a
 * copy of the cookies. All of it is cleared for each request, so no more than that. */
#define CONNECTION_MEMORY ((size_t)48 * 1024)

/* One of the two doors: the network and the control socket. */
struct door {
	struct http *http;
	struct MHD_Daemon *library;
	int fd; /* the library's once it runs */
	bool control;
};

struct http {
	struct connection_shared shared;
	struct door network;
	struct door control;
	struct listen_control control_file;
	struct deadline_list deadlines;
	uint16_t port;
	_Atomic unsigned open; /* network connections */
};

<<<<<<< HEAD
static enum MHD_Result refuse(struct connection *connection, const struct gate_refusal *refusal);

static const struct gate_refusal too_large = { 413, "payload_too_large", "The body is larger than this path allows." };
static const struct gate_refusal no_memory = { 503, "unavailable", "There is no memory for this request just now." };
static const struct gate_refusal bad_path = { 400, "bad_request",
					      "The path's percent-encoding does not make valid UTF-8." };
static const struct gate_refusal broken_reply = { 500, "internal", "The reply could not be built." };

static void request_init(struct connection *connection)
{
	size_t cap = connection->http->options->request_memory;

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

static void request_fini(struct connection *connection, bool sent)
{
	const struct http_application *to = connection->http->application;

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

/* A header that the library does not take (a line break in its value, say) must not leave a reply without it. */
static struct MHD_Response *make_response(struct connection *connection, char *body, size_t length)
{
	struct http_reply *reply = &connection->request.reply;
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    length, body ? body : "", body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	const char *type = reply->content_type ? reply->content_type : "application/json";

	if (!response) {
		free(body);
		return NULL;
	}
	bool fine = MHD_add_response_header(response, "Content-Type", type) == MHD_YES;

	for (size_t i = 0; fine && i < reply->header_count; i++)
		fine = add_header(response, &reply->headers[i]);
	if (fine && (reply->close || atomic_load_explicit(&connection->http->draining, memory_order_relaxed)))
		fine = MHD_add_response_header(response, "Connection", "close") == MHD_YES;
	if (fine)
		return response;
	MHD_destroy_response(response);
	return NULL;
}

static enum MHD_Result answer(struct connection *connection)
{
	struct http_reply *reply = &connection->request.reply;
	size_t length;

	if (reply->body.failed && !connection->refusing)
		return refuse(connection, &broken_reply);
	assert(reply->status >= 200);
	connection->stage = STAGE_ANSWERED;
	if (!deadline_busy(&connection->deadline, clock_monotonic() + SEND_TIMEOUT * SECOND))
		return MHD_NO;
	char *body = buffer_detach(&reply->body, &length);
	struct MHD_Response *response = make_response(connection, body, length);

	if (!response)
		return connection->refusing ? MHD_NO : refuse(connection, &broken_reply);
	enum MHD_Result result = MHD_queue_response(connection->library, reply->status, response);

	MHD_destroy_response(response);
	return result;
}

static void fill_refusal(struct connection *connection, const struct gate_refusal *refusal)
{
	const struct http_application *to = connection->http->application;
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

static enum MHD_Result call_application(struct connection *connection)
{
	const struct http_application *to = connection->http->application;
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
		.in_place = connection->http->shows_seams,
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

static enum MHD_Result take_head(struct connection *connection, const char *method, const char *version)
{
	struct http *http = connection->http;
	const struct http_application *to = http->application;
	struct http_request *request = &connection->request;
	const struct gate_refusal *refusal;

	request->started = clock_monotonic();
	int64_t until = request->started + http->options->body_timeout * SECOND;

	refusal = check_head(connection, method, version);
	if (!deadline_busy(&connection->deadline, connection->passed.has_body && !refusal ? until : DEADLINE_NEVER))
		return MHD_NO;
	if (!refusal)
		refusal = take_target(connection);
	if (refusal)
		return refuse(connection, refusal);
	if (!connection->control && http->trusted.count)
		request->peer = address_as_counted(
		    address_forwarded(&http->trusted, connection->peer, request->headers, request->header_count));
	else
		request->peer = address_as_counted(request->peer);
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

=======
>>>>>>> net
static enum MHD_Result on_call(void *argument, struct MHD_Connection *library, const char *url, const char *method,
			       const char *version, const char *data, size_t *length, void **context)
{
	(void)argument;
	(void)library;
	(void)url;
	return *context ? connection_call(*context, method, version, data, length) : MHD_NO;
}

/* What comes back is the context of the other callbacks. */
static void *on_target(void *argument, const char *target, struct MHD_Connection *library)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	(void)argument;
	if (!info || !info->socket_context)
		return NULL; /* there was no memory for the connection */
	connection_begin(info->socket_context, target);
	return info->socket_context;
}

/* The library leaves the target as it came: connection.c decodes it, once and strictly. */
static size_t leave_encoded(void *argument, struct MHD_Connection *library, char *text)
{
	(void)argument;
	(void)library;
	return strlen(text);
}

/* The reply is out or the client has gone. The library's buffer, where the headers lie, is still there. */
static void on_completed(void *argument, struct MHD_Connection *library, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct connection *connection = *context;

	(void)argument;
	(void)library;
	if (!connection)
		return;
	*context = NULL;
	connection_end(connection, code == MHD_REQUEST_TERMINATED_COMPLETED_OK && connection_answered(connection));
	(void)deadline_idle(&connection->deadline,
			    clock_monotonic() + connection->shared->options->idle_timeout * CONNECTION_SECOND);
	/* Idle first, then the question, as http_drain does it the other way round: one of the two sees the other. */
	if (atomic_load(&connection->shared->draining))
		deadline_cut_if_idle(&connection->deadline);
}

static void open_connection(struct door *door, struct MHD_Connection *library, void **socket_context)
{
	struct http *http = door->http;
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(library, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *from = MHD_get_connection_info(library, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct connection *connection = fd ? malloc(sizeof *connection) : NULL;

	*socket_context = connection;
	if (!connection)
		return; /* on_call closes it */
	struct http_address peer = address_of_socket(!door->control && from ? from->client_addr : NULL);

	connection_init(connection, &http->shared, library, &peer, door->control);
	if (!door->control)
		atomic_fetch_add(&http->open, 1);
	deadline_add(&http->deadlines, &connection->deadline, fd->connect_fd,
		     clock_monotonic() + http->shared.options->header_timeout * CONNECTION_SECOND);
	if (atomic_load(&http->shared.draining))
		deadline_cut_if_idle(&connection->deadline);
}

static void on_connection(void *argument, struct MHD_Connection *library, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct door *door = argument;
	struct connection *connection = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		open_connection(door, library, socket_context);
		return;
	}
	if (!connection)
		return;
	connection_end(connection, false);
	deadline_remove(&door->http->deadlines, &connection->deadline);
	if (!door->control)
		atomic_fetch_sub(&door->http->open, 1);
	*socket_context = NULL;
	free(connection);
}

/* The library's own limit counts each thread for itself and leaves what is beyond it in the backlog. This one counts
 * all; two threads that accept at the same moment may let in one more each. */
static enum MHD_Result on_accept(void *argument, const struct sockaddr *from, socklen_t length)
{
	const struct door *door = argument;

	(void)from;
	(void)length;
	if (atomic_load(&door->http->shared.draining))
		return MHD_NO;
	return door->control || atomic_load(&door->http->open) < door->http->shared.options->max_connections ? MHD_YES
													     : MHD_NO;
}

/* What the library has to say concerns single clients. */
__attribute__((format(printf, 2, 0))) static void on_log(void *argument, const char *format, va_list arguments)
{
	const struct door *door = argument;
	const struct log *log = door->http->shared.options->log;
	char text[300];

	if (!log || log->least > LOG_DEBUG)
		return;
	(void)vsnprintf(text, sizeof text, format, arguments);
	LOG(log, LOG_DEBUG, "The HTTP library says something", LOG_TEXT("text", text_trim(text_of(text))));
}

static enum err open_door(struct door *door, unsigned threads, unsigned connections, struct fault *fault)
{
	struct MHD_OptionItem pool[] = {
		{ threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	/* No MHD_OPTION_CONNECTION_TIMEOUT: it restarts with every byte, takes a lock for each of them, and the
	 * deadlines cover what it would. Not MHD_OPTION_STRICT_FOR_CLIENT: what it adds the gate refuses in the house's
	 * words. */
	door->library = MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, on_accept,
	    door, on_call, door, MHD_OPTION_EXTERNAL_LOGGER, on_log, door, MHD_OPTION_LISTEN_SOCKET, door->fd,
	    MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target, door,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, door,
	    MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
	    MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
	if (door->library)
		return OK;
	(void)close(door->fd);
	door->fd = -1;
	return fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The threads of the HTTP server could not be started.");
}

static void close_door(struct door *door)
{
	if (door->library)
		MHD_stop_daemon(door->library); /* closes its listening socket */
	else if (door->fd >= 0)
		(void)close(door->fd);
	*door = (struct door){ .fd = -1 };
}

static enum err open_doors(struct http *http, struct fault *fault)
{
	const struct http_options *options = http->shared.options;
	enum err err;

	err = listen_tcp(options->listen, &http->network.fd, &http->port, fault);
	if (!err && options->control_path)
		err = listen_control(options->control_path, &http->control_file, fault);
	if (err)
		return err;
	if (options->control_path) {
		http->control.fd = http->control_file.fd;
		err = open_door(&http->control, 1, CONTROL_CONNECTIONS, fault);
		if (err)
			return err;
	}
	/* More than on_accept lets in, for each thread: then the library's limit is never met. */
	return open_door(&http->network, options->threads, (options->max_connections + 64) * options->threads, fault);
}

enum err http_start(struct http **out, const struct http_options *options, const struct http_application *application,
		    struct fault *fault)
{
	struct http *http = calloc(1, sizeof *http);

	*out = NULL;
	if (!http)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "There is no memory for the HTTP server.");
	assert(options->threads > 0);
	http->shared.options = options;
	http->shared.application = application;
	http->network = (struct door){ .http = http, .fd = -1 };
	http->control = (struct door){ .http = http, .fd = -1, .control = true };
	http->shared.shows_seams = strcmp(MHD_get_version(), "0.9.75") == 0;
	atomic_init(&http->open, 0);
	atomic_init(&http->shared.draining, false);
	enum err err = address_list_init(&http->shared.trusted, options->trusted_proxy, fault);

	if (!err && deadline_list_init(&http->deadlines) != OK) {
		address_list_fini(&http->shared.trusted);
		err = fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The watchdog's thread could not be started.");
	}
	if (err) {
		free(http);
		return err;
	}
	err = open_doors(http, fault);
	if (err) {
		http_stop(http);
		return err;
	}
	*out = http;
	return OK;
}

void http_drain(struct http *http, unsigned milliseconds)
{
	atomic_store(&http->shared.draining, true);
	listen_end(http->network.fd);
	if (http->control.library)
		listen_end(http->control.fd);
	deadline_list_cut_idle(&http->deadlines);
	(void)deadline_list_wait_empty(&http->deadlines, milliseconds);
}

void http_stop(struct http *http)
{
	listen_control_unlink(&http->control_file);
	close_door(&http->network);
	close_door(&http->control);
	deadline_list_fini(&http->deadlines);
	address_list_fini(&http->shared.trusted);
	free(http);
}

uint16_t http_port(const struct http *http)
{
	return http->port;
}

unsigned http_connections(const struct http *http)
{
	return atomic_load(&http->open);
}
