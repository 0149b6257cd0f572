/* Who asks, and whether now: the rungs of the ladder between a route and its body.
 * Owner: called by dispatch.c on an HTTP thread.
 * Fills the call's scope, and adds the headers of rate limits to the reply.
 * Never lets the reason of a refusal be told apart: unknown, revoked and malformed credentials read the same.
 * Next: auth/api_key.h, auth/tenant.h. */
#ifndef INNKEEPER_API_CREDENTIAL_H
#define INNKEEPER_API_CREDENTIAL_H

#include "api/call.h"

/* What a TENANT route reads from its query. */
extern const struct json_shape credential_tenant_query;

/* OK: call->scope is set. Otherwise call->fault tells, and the reply's headers are set. */
enum err credential_check(struct call *call) WARN_UNUSED;

#endif
