/* The ladder: match, authenticate, limit, parse, handle, reply, log. Every request goes down it, and there is no other.
 *
 *   head complete          body complete                 the writer / a reader / the slow thread      sent
 *   admit ──────────────── handle ────────────────────── the route's handler ──────────────────────── release
 *   match, authenticate,   query and body by their        in the caller's scope                        log, metrics
 *   limits; 4xx at once    descriptors
 *
 * No HTTP thread waits for a remote database: there a credential that must be asked for is asked for when the body is
 * complete and before it is looked at, by a thread that may wait (asking.h).
 *
 * Owner: the server; borrowed by net. Threads: see http.h; a call is handed on, never shared.
 * Never decides anything about one route: that is a column of routes.c. Next: routes.c, credential.c, running.c (what
 * comes behind `handle`), reply.c. */
#ifndef INNKEEPER_API_DISPATCH_H
#define INNKEEPER_API_DISPATCH_H

#include "api/house.h"
#include "net/http.h"

/* The application that net serves. `house` must outlive it. */
struct http_application dispatch_application(struct house *house);

#endif
