/* Cookies: RFC 6265, as far as this server needs it.
 * Owner: nobody; reads a request's headers, adds to its reply's. What is made lives in the request's arena.
 * Always HttpOnly and SameSite=Lax: no script reads one, and no other site's form brings one along.
 * Never logs a value.
 * Next: session_cookie.h, oidc.c, who have one each. */
#ifndef INNKEEPER_API_COOKIE_H
#define INNKEEPER_API_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"

/* The value that the browser sent, or absent; the first one where it sent several of that name. */
struct text cookie_read(const struct http_request *request, const char *name);

/* Hands a value to the browser, for requests below `path`, for so many seconds; 0: to forget it. The value holds
 * nothing that needs escaping. */
void cookie_set(struct http_request *request, const char *name, struct text value, const char *path, int64_t seconds,
		bool secure);

#endif
