/* Whether a stream's session holds, asked of a remote database without holding up the stream's thread.
 * Owner: the stream and the thread that asks, each its half: whoever is last frees it. Begun, taken and dropped on the
 * stream's thread.
 * The stream waits meanwhile (HTTP_MORE_LATER) and is resumed; a client that leaves does not wait for the answer.
 * Never takes what could not be found out for yes. Next: asking.h, credential.h; live.c, which uses it. */
#ifndef INNKEEPER_API_RECHECK_H
#define INNKEEPER_API_RECHECK_H

#include "api/call.h"

struct recheck;

enum recheck_state { RECHECK_ASKED, RECHECK_HOLDS, RECHECK_GONE };

/* NULL: it cannot be asked, too many wait or there is no memory. */
struct recheck *recheck_begin(struct call *call);

/* What is known; the recheck is dropped unless it is ASKED still. */
enum recheck_state recheck_take(struct recheck **recheck);

/* Nobody wants to know any more. NULL is fine. */
void recheck_drop(struct recheck **recheck);

#endif
