/* A sign-in on its way to a provider and back: what the browser carries meanwhile, sealed, in a cookie.
 * Owner: a value; texts live in the arena given. Any thread.
 * The server keeps nothing of it: who never comes back costs nothing.
 * Never comes back changed, in another browser, or later than OIDC_PENDING_LIFETIME.
 * Next: seal.h, oidc_provider.h. */
#ifndef INNKEEPER_AUTH_OIDC_PENDING_H
#define INNKEEPER_AUTH_OIDC_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/seal.h"

#define OIDC_PENDING_LIFETIME ((int64_t)10 * 60 * 1000) /* ms */
#define OIDC_RETURN_MAX       1024                      /* bytes */

struct oidc_pending {
	struct text state; /* 256 random bits each, base64url */
	struct text nonce;
	struct text verifier;  /* of PKCE (RFC 7636) */
	struct text return_to; /* a path of ours */
	int64_t expires_at;    /* ms */
};

/* Whether a browser may be sent there afterwards: a path of this server and nothing that a browser reads as another
 * one's address. */
bool oidc_pending_takes(struct text path);

/* ERR_MEMORY. `return_to` is borrowed. */
enum err oidc_pending_make(struct arena *arena, struct text return_to, int64_t now,
			   struct oidc_pending *out) WARN_UNUSED;

enum err oidc_pending_seal(const struct seal_key *key, struct arena *arena, const struct oidc_pending *pending,
			   struct text *out) WARN_UNUSED;

/* ERR_INVALID: it is none of ours, or too old. */
enum err oidc_pending_open(const struct seal_key *key, struct arena *arena, struct text sealed, int64_t now,
			   struct oidc_pending *out) WARN_UNUSED;

/* The challenge that belongs to the verifier: S256 of RFC 7636, 4.2. */
enum err oidc_pending_challenge(struct arena *arena, const struct oidc_pending *pending, struct text *out) WARN_UNUSED;

#endif
