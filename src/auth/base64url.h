/* Bytes as base64url without padding (RFC 4648, 5), the form of sealed texts and of JOSE.
 * Owner: results live in the arena given. Any thread.
 * Strict: no padding, no white space, no bits left over, so that each value has one form only.
 * Never reads past the text's length.
 * Next: seal.h, oidc_token.h. */
#ifndef INNKEEPER_AUTH_BASE64URL_H
#define INNKEEPER_AUTH_BASE64URL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

/* ERR_MEMORY. */
enum err base64url_encode(struct arena *arena, struct text bytes, struct text *out) WARN_UNUSED;

/* ERR_INVALID when it is not of this form, or absent; ERR_MEMORY. */
enum err base64url_decode(struct arena *arena, struct text text, struct text *out) WARN_UNUSED;

#endif
