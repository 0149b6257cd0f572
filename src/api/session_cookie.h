/* The cookie of a session: innkeeper_session.
 * Owner: nobody; reads a request's headers, adds to its reply's.
 * HttpOnly, SameSite=Lax, Path=/; Secure where the request came in behind TLS.
 * Never logs the token.
 * Next: auth/session.h. */
#ifndef INNKEEPER_API_SESSION_COOKIE_H
#define INNKEEPER_API_SESSION_COOKIE_H

#include "net/http.h"

/* The token that the browser sent, or absent. */
struct text session_cookie_read(const struct http_request *request);

/* Hands the token to the browser; it keeps it for SESSION_LIFETIME. */
void session_cookie_set(struct http_request *request, struct text token);

/* Tells the browser to forget it. */
void session_cookie_clear(struct http_request *request);

#endif
