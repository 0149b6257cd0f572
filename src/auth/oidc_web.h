/* What is asked of a provider over HTTP, by libcurl: one question, one answer, within bounds.
 * Owner: nothing is kept; an answer's body lives in the arena given. A thread that may wait for ten seconds.
 * TLS always, its certificate checked; plain HTTP only to this machine itself, for development and tests.
 * Never follows a redirect, never reads more than OIDC_WEB_ANSWER_MAX, never waits longer than OIDC_WEB_TIMEOUT.
 * Next: oidc_provider.c, who asks. */
#ifndef INNKEEPER_AUTH_OIDC_WEB_H
#define INNKEEPER_AUTH_OIDC_WEB_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#define OIDC_WEB_ANSWER_MAX ((size_t)1024 * 1024)
#define OIDC_WEB_TIMEOUT    10000L /* ms, in all */

enum oidc_web_place {
	OIDC_WEB_NOWHERE,   /* no address that is asked */
	OIDC_WEB_ELSEWHERE, /* https */
	OIDC_WEB_HERE,      /* http, to a loopback address */
};

/* Where an address leads, read as libcurl will read it. One with a user, a password or a fragment leads nowhere. */
enum oidc_web_place oidc_web_place(struct text address, struct arena *arena);

struct oidc_question {
	struct text address;       /* of OIDC_WEB_ELSEWHERE or _HERE */
	struct text form;          /* what is posted; absent: nothing, it is a GET */
	struct text authorization; /* a header's value, or absent */
	const _Atomic bool *stop;  /* true: give up */
};

struct oidc_answer {
	long status;
	struct text body;
};

/* ERR_UNAVAILABLE: no answer, with the reason in `fault`, for the log. ERR_INVALID: an address that is not asked. */
enum err oidc_web_ask(const struct oidc_question *question, struct arena *arena, struct oidc_answer *out,
		      struct fault *fault) WARN_UNUSED;

/* Adds a pair to a form or a query, encoded; `&` before it unless it is the first. */
void oidc_web_pair(struct buffer *to, const char *name, struct text value);

/* Adds a text as application/x-www-form-urlencoded has it, but for the blank, which is %20 (RFC 3986). */
void oidc_web_encode(struct buffer *to, struct text text);

#endif
