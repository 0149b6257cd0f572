/* Signatures that others made with a key of their own: RS, PS and ES of JOSE (RFC 7518, 3.3 to 3.5), by OpenSSL.
 * Owner: nothing is kept. Any thread.
 * The only room that knows OpenSSL: libsodium, which does the rest of the house's cryptography, has neither RSA nor
 * NIST curves.
 * Never takes "none" or a symmetric algorithm, whatever the key: a public key is no secret. Next: oidc_token.h. */
#ifndef INNKEEPER_AUTH_SIGNATURE_H
#define INNKEEPER_AUTH_SIGNATURE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

/* A public key as a JSON Web Key has it (RFC 7518, 6): numbers big-endian in base64url. */
struct signature_key {
	struct text type;  /* "kty": RSA or EC */
	struct text curve; /* "crv" of EC */
	struct text n;     /* of RSA, 2048 to 8192 bits */
	struct text e;
	struct text x; /* of EC */
	struct text y;
};

/* Whether the algorithm is one that is taken, and the key one of its kind. */
bool signature_fits(struct text algorithm, const struct signature_key *key);

/* OK: `signature` (bytes) is the key's, over `message`. ERR_INVALID: it is not, or key and algorithm do not fit. */
enum err signature_verify(struct text algorithm, const struct signature_key *key, struct text message,
			  struct text signature, struct arena *arena) WARN_UNUSED;

#endif
