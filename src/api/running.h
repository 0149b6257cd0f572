/* What becomes of a call that may ask: its body is read, its handler runs where the route says, and the reply is
 * filled. Owner: called by dispatch.c. Threads: begins on an HTTP thread, or on one that may wait for a remote
 * database, and ends on the one that has the outcome: the writer's, the slow thread, an errand's, one that asks. Never
 * looks at who asks; never lets an HTTP thread wait. Next: dispatch.h (what comes before), the handlers. */
#ifndef INNKEEPER_API_RUNNING_H
#define INNKEEPER_API_RUNNING_H

#include "api/call.h"

/* The body is there and the scope known. HTTP_WAIT: the call is somebody else's now, who resumes it. `may_wait`: this
 * is no HTTP thread. */
enum http_next running_begin(struct call *call, bool may_wait);

/* Too many wait for the database, or it takes too long: 503. HTTP_ANSWER. */
enum http_next running_refuse(struct call *call);

#endif
