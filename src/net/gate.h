/* What is refused before anything else looks at a request: every doubt about where a message begins and ends.
 * Owner: nobody; pure functions over what the library has read. Any thread.
 * The library is lenient; two readers that disagree on a head are how requests are smuggled, so doubt is an error.
 * Never looks at what a path or a credential means; never changes a byte.
 * Next: net/connection.c, which asks here at a request's first call. */
#ifndef INNKEEPER_NET_GATE_H
#define INNKEEPER_NET_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "net/http.h"

#define GATE_HEAD_MAX ((size_t)16 * 1024) /* bytes from the method to the blank line; more: 431 */

/* A head as the library read it, nothing trimmed. */
struct gate_head {
	struct text method;
	struct text target;
	struct text version;
	const struct http_header *headers; /* the first HTTP_HEADERS_MAX of them */
	size_t header_count;               /* how many came, also past HTTP_HEADERS_MAX */
	size_t size;                       /* bytes from the method through the blank line */
	/* The texts point into the read buffer of libmicrohttpd 0.9.75, which overwrites what stands between them with
	 * NULs: then the gate also checks that nothing else stood there. */
	bool in_place;
};

/* What a head that passed says; the texts borrow from it. */
struct gate_passed {
	struct text path;  /* still percent-encoded, begins with '/'; or "*" of an OPTIONS */
	struct text query; /* without the '?'; absent if there was none */
	bool has_body;     /* one is announced */
	uint64_t length;   /* bytes of it as Content-Length says; 0 when chunked */
};

struct gate_refusal {
	unsigned status;
	const char *code;
	const char *sentence;
};

/* NULL when the head may pass, and then `out` is filled; otherwise a static refusal. RFC 9110 and 9112 where they say
 * MUST, and beyond them: see the table of rules in gate.c. */
const struct gate_refusal *gate_check(const struct gate_head *head, struct gate_passed *out);

#endif
