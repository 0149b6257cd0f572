/* One connection and the request it is at: from the first line to the reply's last byte.
 * Owner: http.c makes and frees a connection; the application has its request between `admit` and `release`.
 * Threads: the connection's own thread of the library; only http_resume comes from others.
 * Never hands on what gate.c refused, never answers a request twice.
 * Next: net/http.c, which calls here for the library's callbacks. */
#ifndef INNKEEPER_NET_CONNECTION_H
#define INNKEEPER_NET_CONNECTION_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "net/address.h"
#include "net/deadline.h"
#include "net/gate.h"
#include "net/http.h"

#define CONNECTION_SECOND       ((int64_t)1000 * 1000) /* in microseconds, as deadlines count */
#define CONNECTION_SEND_TIMEOUT 60                     /* seconds for a reply, or a piece of a stream, to leave */

/* What all connections of a server share. */
struct connection_shared {
	struct http_options options; /* a copy: the caller's may be gone */
	const struct http_application *application;
	struct address_list trusted;
	bool shows_seams;     /* the library leaves a head as gate_head.in_place wants it */
	atomic_bool draining; /* each reply closes its connection */
};

/* The members are connection.c's own, but for the deadline. */
struct connection {
	struct deadline deadline;
	const struct connection_shared *shared;
	struct MHD_Connection *library;
	struct http_address peer;
	bool control;
	bool fresh; /* its first request line has not come: the head's time runs since accept */

	int stage; /* of connection.c, as `turn` */
	_Atomic int turn;
	_Atomic int wait;   /* of stream.c */
	bool admitted;      /* `release` is due */
	bool refusing;      /* a refusal of ours is being built: it must not fail into another one */
	bool sent;          /* the reply left without the library */
	struct text target; /* in the library's buffer */
	char *mark;         /* its '?', or NULL */
	char behind_mark;   /* the byte behind it, while a NUL stands there */
	struct gate_passed passed;
	struct buffer body;
	struct http_request request;
	struct http_header headers[HTTP_HEADERS_MAX];
};

/* A connection that has just been accepted; its deadline is the caller's to add. */
void connection_init(struct connection *connection, const struct connection_shared *shared,
		     struct MHD_Connection *library, const struct http_address *peer, bool control);

/* A request line has come; `target` is borrowed until connection_end, in the library's buffer, or NULL. */
void connection_begin(struct connection *connection, const char *target);

/* The library's access handler; MHD_NO closes the connection. */
enum MHD_Result connection_call(struct connection *connection, const char *method, const char *version,
				const char *data, size_t *length);

/* The request is over, `sent` or not; nothing happens if there is none. */
void connection_end(struct connection *connection, bool sent);

/* Whether the request that is to be ended has its answer. */
bool connection_answered(const struct connection *connection);

#endif
