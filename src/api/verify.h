/* The audit of every figure of every organization, and its repair.
 * Owner: called by dispatch.c; see call.h. Runs on the slow thread, with a reading connection of its own.
 * One organization after the other, each in its own scope and one moment.
 * Never changes anything unless `repair` is asked for.
 * Next: analytics/recount.h. */
#ifndef INNKEEPER_API_VERIFY_H
#define INNKEEPER_API_VERIFY_H

#include "api/call.h"

extern const struct json_shape verify_body;

enum err verify_figures(struct call *call) WARN_UNUSED;

#endif
