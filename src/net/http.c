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
#include "net/stream.h"

#define CONTROL_CONNECTIONS 16
/* Bytes of the library for one connection: a head of GATE_HEAD_MAX, what it keeps of HTTP_HEADERS_MAX lines, and a
 * copy of the cookies. All of it is cleared for each request, so no more than that. */
#define CONNECTION_MEMORY ((size_t)32 * 1024)

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
			    clock_monotonic() + connection->shared->options.idle_timeout * CONNECTION_SECOND);
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
		     clock_monotonic() + http->shared.options.header_timeout * CONNECTION_SECOND);
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
	return door->control || atomic_load(&door->http->open) < door->http->shared.options.max_connections ? MHD_YES
													    : MHD_NO;
}

/* What the library has to say concerns single clients. */
__attribute__((format(printf, 2, 0))) static void on_log(void *argument, const char *format, va_list arguments)
{
	const struct door *door = argument;
	const struct log *log = door->http->shared.options.log;
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
	const struct http_options *options = &http->shared.options;
	enum err err = OK;

	if (options->listen)
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
	if (!options->listen)
		return OK;
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
	http->shared.options = *options;
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

/* For a drain: what is idle ends, and so does a stream that waits. Waking one that does not wait, or is none, is
 * harmless. */
static void end_waiting(struct deadline *deadline)
{
	deadline_cut_if_idle(deadline);
	stream_wake((struct connection *)(void *)((char *)deadline - offsetof(struct connection, deadline)));
}

void http_drain(struct http *http, unsigned milliseconds)
{
	atomic_store(&http->shared.draining, true);
	if (http->network.library)
		listen_end(http->network.fd);
	if (http->control.library)
		listen_end(http->control.fd);
	deadline_list_visit(&http->deadlines, end_waiting);
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
