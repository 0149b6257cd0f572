/* A reply that is made while it is sent: the application is asked for more whenever the client has room for it.
 * Owner: connection.c, whose reply it is. Threads: the connection's own asks; stream_wake comes from any.
 * A stream that waits costs no thread: the library holds its connection until somebody wakes it.
 * Never asks again after the end, never for HEAD, never leaves one waiting once the server drains.
 * Next: net/http.h (struct http_reply.more, what the application says), connection.c. */
#ifndef INNKEEPER_NET_STREAM_H
#define INNKEEPER_NET_STREAM_H

#include <microhttpd.h>

struct connection;

/* The response whose body the request's `more` gives; NULL when memory is out. */
struct MHD_Response *stream_response(struct connection *connection);

/* Asks again if it waits, or once more before it does. Any thread, as often as one likes, from the reply until
 * `release`. */
void stream_wake(struct connection *connection);

#endif
