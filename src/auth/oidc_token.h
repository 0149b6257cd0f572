/* What a provider says of a person: an ID token (OpenID Connect Core 1.0, 2), signed, checked, read.
 * Owner: everything read lives in the arena given. Any thread.
 * Every check of Core 3.1.3.7 stands in oidc_token.c: signature, issuer, audience, party, times, nonce.
 * Never takes the token's word for its own algorithm: it must be asymmetric and fit a key of the provider.
 * Next: oidc_provider.h, who brings tokens. */
#ifndef INNKEEPER_AUTH_OIDC_TOKEN_H
#define INNKEEPER_AUTH_OIDC_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json_in.h"
#include "base/text.h"

#define OIDC_SUBJECT_MAX 255 /* bytes; Core 1.0, 2 */

/* What a token must be about. */
struct oidc_expectation {
	struct text issuer;
	struct text client_id;
	struct text nonce;
	int64_t now; /* ms */
};

/* A person as the provider knows them. */
struct oidc_person {
	struct text issuer;
	struct text subject;
	struct text email; /* as text_email makes it, and verified by the provider; else absent */
	struct text name;  /* at most 200 bytes; absent if the provider tells none */
};

/* Takes a token (compact form of RFC 7515, 7.1) that one of `keys` (a JSON Web Key Set, parsed) has signed.
 * ERR_INVALID with a sentence for the log in `fault`: it is not to be believed. ERR_NOT_FOUND: it was signed with a key
 * that is not in the set; a newer set may have it. `claims` gets the token's. */
enum err oidc_token_read(struct text token, const struct json_value *keys, const struct oidc_expectation *expected,
			 struct arena *arena, struct oidc_person *out, const struct json_value **claims,
			 struct fault *fault) WARN_UNUSED;

/* E-mail and name of claims, from a token or from the provider's page of user information. The e-mail counts only with
 * `email_verified` true beside it. ERR_MEMORY. */
enum err oidc_token_describe(const struct json_value *claims, struct arena *arena, struct oidc_person *out) WARN_UNUSED;

#endif
