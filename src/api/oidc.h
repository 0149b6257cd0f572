/* Signing in through the provider that the operator has chosen: there, and back.
 * Owner: handlers; see call.h. What must wait for the provider runs on the errands' threads.
 * The browser is sent on whatever happens: back to where it came from, or to the sign-in page with a reason.
 * Never trusts what the browser brings: what it was given is sealed, and what the provider says is signed.
 * Next: auth/oidc_provider.h, auth/oidc_entry.h. */
#ifndef INNKEEPER_API_OIDC_H
#define INNKEEPER_API_OIDC_H

#include "api/call.h"

extern const struct json_shape oidc_start_query;
extern const struct json_shape oidc_callback_query;

enum err oidc_start(struct call *call) WARN_UNUSED;
enum err oidc_callback_prepare(struct call *call) WARN_UNUSED;
enum err oidc_callback(struct call *call) WARN_UNUSED;

#endif
