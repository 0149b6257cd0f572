/* Who asks, and whether now: the rungs of the ladder between a route and its body.
 * Owner: called by dispatch.c; what has to ask the database, on a thread that may wait for it.
 * Fills the call's scope, and adds the headers of rate limits to the reply.
 * Never lets the reason of a refusal be told apart: unknown, revoked and malformed credentials read the same.
 * Next: auth/api_key.h, auth/tenant.h. */
#ifndef INNKEEPER_API_CREDENTIAL_H
#define INNKEEPER_API_CREDENTIAL_H

#include "api/call.h"
#include "auth/audit.h"

/* What a TENANT route reads from its query. */
extern const struct json_shape credential_tenant_query;

/* Who the record of an organization names for this call. */
struct credential_actor {
	enum audit_actor kind;
	struct uuid id;
	struct text email;
};
struct credential_actor credential_actor(const struct call *call);

/* What can be told without the database: a credential that is missing, malformed or remembered, and limits. OK and not
 * `*asks`: call->scope is set. OK and `*asks`: credential_ask has to follow. Otherwise call->fault tells, and the
 * reply's headers are set. */
enum err credential_check(struct call *call, bool *asks) WARN_UNUSED;

/* The rest of it, which waits for the database. OK: call->scope is set. */
enum err credential_ask(struct call *call) WARN_UNUSED;

/* For what the writer does for somebody who is signed in: between the head of a request and its turn there, a slow body
 * or a queue, they may have been removed, demoted or signed out. As credential_check; of a GUEST, who then is nobody,
 * it is no failure. On the writer's thread, in its transaction. */
enum err credential_confirm(struct call *call) WARN_UNUSED;

/* For a stream of a SESSION route: whether the session that opened it is there still, in the same organization, with a
 * role that is enough. Any thread that may wait for the database, without a db. */
bool credential_still_holds(struct call *call);

/* The same of a call that may be gone by then: what there is to know of it. */
struct credential_claim {
	char token[TOKEN_SIZE];
	enum role least;
	struct uuid organization;
};
struct credential_claim credential_claim(const struct call *call);
bool credential_claim_holds(struct readers *readers, const struct credential_claim *claim);

#endif
