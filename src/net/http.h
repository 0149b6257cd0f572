/* HTTP and nothing else: a whole, strictly framed request in, a reply out. libmicrohttpd stands behind it.
 * Owner: struct http belongs to the server; a request belongs to net from accept until `release`.
 * Threads: http_options.threads of its own; `handle` runs on them; http_resume may be called from any thread.
 * Never knows what a path means; never hands on a request that gate.c has not passed.
 * Next: net/gate.h (what is refused before anything else looks), api/dispatch.h (who is called). */
#ifndef INNKEEPER_NET_HTTP_H
#define INNKEEPER_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"

#define HTTP_HEADERS_MAX    100                        /* header lines in a request; more: 431 */
#define HTTP_REPLY_HEADERS  12                         /* header lines that a reply may add */
#define HTTP_REQUEST_MEMORY ((size_t)16 * 1024 * 1024) /* bytes: the usual cap of a request's arena */

/* An address as limits count it: IPv4 whole (mapped into IPv6), IPv6 by its /64. */
struct http_address {
	uint8_t bytes[16];
};

struct http_header {
	struct text name;
	struct text value;
};

struct http_request;

/* A piece of a reply that is made while it is sent. */
struct http_piece {
	char *at;      /* where its bytes go */
	size_t room;   /* bytes there; at least 1, usually thousands */
	size_t length; /* to be set: bytes that were put there */
	bool draining; /* the server ends: this is the last time to say something, a stream that then waits is cut */
};

/* What the application says when it is asked for a piece. */
enum http_more {
	HTTP_MORE,        /* `length` bytes, at least one; it is asked again when they have left */
	HTTP_MORE_LATER,  /* nothing yet: it is asked again after http_resume_stream */
	HTTP_MORE_ENDED,  /* that was all; `length` is ignored */
	HTTP_MORE_FAILED, /* it cannot go on: the connection is cut, so that the client sees that the body is not whole
			   */
};

struct http_reply {
	unsigned status;
	const char *content_type; /* static text; NULL: application/json */
	struct buffer body;       /* net frees it after sending */
	/* NULL, or the body is a stream: this gives one piece of it after the other, on the connection's thread, and
	 * `body` is not looked at. It must not wait for anything but HTTP_MORE_LATER. Never called for HEAD (then the
	 * connection is closed behind the head), nor after
	 * HTTP_MORE_ENDED or HTTP_MORE_FAILED, nor once the client has gone: what it holds is freed in `release`. The
	 * client has a minute for each piece, and while the stream waits all the time in the world. */
	enum http_more (*more)(struct http_request *request, struct http_piece *piece);
	struct http_header headers[HTTP_REPLY_HEADERS]; /* values live in the request's arena, or are static */
	size_t header_count;
	bool close; /* close the connection after this reply */
};

struct http_request {
	/* Set by net before `admit`; texts live until `release`. */
	struct text method; /* as sent: methods are case-sensitive */
	struct text path;   /* percent-decoded, UTF-8, begins with '/'; or "*" of an OPTIONS */
	struct text query;  /* as sent, without the '?'; absent if there was none */
	struct http_header *headers;
	size_t header_count;
	struct http_address peer; /* the connection's, or the client's as a trusted proxy reports it */
	bool control;             /* came in through the control socket */
	bool tls;                 /* the client came through TLS, as a trusted proxy says (X-Forwarded-Proto) */
	int64_t started;          /* clock_monotonic when its head was complete */
	struct arena arena;       /* free for the application to use; given back after `release` */
	/* Set by the application in `admit`. */
	size_t body_limit; /* bytes; a larger body is 413 as soon as it is known */
	void *context;     /* the application's own */
	/* Set by net before `handle`. */
	struct text body;
	/* Set by the application before it answers. */
	struct http_reply reply;
};

enum http_next {
	HTTP_ANSWER,  /* the reply is filled: send it */
	HTTP_WAIT,    /* somebody will call http_resume exactly once; until then the request is theirs */
	HTTP_PROCEED, /* only from `admit`: read the body, then call `handle` */
};

/* What the application gives to net. `application` is passed through. */
struct http_application {
	void *application;
	/* The head is complete and strict, the body not read: set the body's limit, or answer at once (404, 401, …). An
	 * answer given here to a request that announced a body closes the connection. */
	enum http_next (*admit)(void *application, struct http_request *request);
	/* The body is complete. */
	enum http_next (*handle)(void *application, struct http_request *request);
	/* Fills the reply of a refusal that net itself decided (400, 413, 431, 500, 503, 505): code and sentence go
	 * into the house's error shape. `request` may have neither method nor path. */
	void (*refuse)(void *application, struct http_request *request, unsigned status, const char *code,
		       const char *sentence);
	/* The last call for a request, once for each that `admit` saw and for no other, after its reply was sent or its
	 * client has gone; `sent` says which. */
	void (*release)(void *application, struct http_request *request, bool sent);
};

struct http_options {
	const char *listen; /* "127.0.0.1:8080", "[::1]:0"; port 0 takes a free one. NULL: the control socket only */
	const char *control_path;  /* a Unix socket of mode 0600 beside it, or NULL */
	unsigned threads;          /* at least 1 */
	unsigned max_connections;  /* over all threads; one more is closed at once */
	unsigned header_timeout;   /* seconds, absolute, from the first moment a head could have come */
	unsigned body_timeout;     /* seconds, absolute, from the end of the head */
	unsigned idle_timeout;     /* seconds that a kept-alive connection may be silent */
	const char *trusted_proxy; /* address or address/bits list, comma separated, whose X-Forwarded-For is believed;
				      or NULL */
	size_t request_memory;     /* bytes that a request's arena may grow to; 0: HTTP_REQUEST_MEMORY */
	const struct log *log;     /* or NULL: the library's remarks are then dropped */
};

struct http;

/* Starts listening. The pointers in `options` and `application` must outlive the server. On failure `fault` says what
 * and where (address in use, not an address, …). */
enum err http_start(struct http **out, const struct http_options *options, const struct http_application *application,
		    struct fault *fault) WARN_UNUSED;

uint16_t http_port(const struct http *http);        /* the port in use */
unsigned http_connections(const struct http *http); /* open now */

/* Sends the reply of a request for which `handle` said HTTP_WAIT. Any thread, exactly once. */
void http_resume(struct http_request *request);

/* Asks a stream that waits (HTTP_MORE_LATER) for its next piece; if it does not wait yet, it will be asked once more
 * before it does. Any thread, any number of times, from the moment when `handle` or http_resume has handed over the
 * reply until `release` has begun: the application sees to that, by a lock of its own for example. */
void http_resume_stream(struct http_request *request);

/* No new connections; kept-alive ones are closed after the reply under way. Returns when none is left or after
 * `milliseconds`. Requests that wait must still be resumed by their owner meanwhile; streams that wait are asked once
 * more, with `draining`. */
void http_drain(struct http *http, unsigned milliseconds);

/* Ends the threads. Every waiting request must have been resumed before. */
void http_stop(struct http *http);

/* A header's value, name compared without case; absent when it is missing. gate.c refuses the doubles that matter. */
struct text http_header(const struct http_request *request, const char *name);

/* Adds a header to the reply; the value is borrowed until release. More than HTTP_REPLY_HEADERS is a programmer's
 * error. */
void http_reply_header(struct http_request *request, const char *name, struct text value);

#endif
