/* API keys: how they look, and which organization one opens.
 * Owner: struct api_keys (the cache) belongs to the server. Any thread; one lock, held for a look-up.
 * A key is `ik_live_`, 32 random base-62 digits and 6 of their CRC-32, or an older system's `hmz_` and 32 characters.
 * Never keeps a key: its SHA-256 alone, compared in constant time. A revoked key is forgotten before the revocation is
 * answered. Next: api/keys.c (made and revoked), api/dispatch.c (asked). */
#ifndef INNKEEPER_AUTH_API_KEY_H
#define INNKEEPER_AUTH_API_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/bucket.h"
#include "base/err.h"
#include "base/text.h"
#include "base/uuid.h"
#include "store/readers.h"

#define API_KEY_SIZE        47         /* a new key and a NUL */
#define API_KEY_MASKED_SIZE 20         /* "ik_live_ab12...wxyz" and a NUL */
#define API_KEY_HASH_SIZE   65         /* SHA-256 in hex and a NUL */
#define API_KEY_RATE_MAX    1000000000 /* requests a minute */

void api_key_make(char out[API_KEY_SIZE]);
bool api_key_is_plausible(struct text key); /* form and check digits; no look-up */
void api_key_mask(struct text key, char out[API_KEY_MASKED_SIZE]);
void api_key_hash(struct text key, char out[API_KEY_HASH_SIZE]);

/* Whom a key let in. */
struct key_holder {
	struct uuid key;
	struct uuid organization;
	bool limited;             /* the organization limits its keys; `rate` holds this request's state */
	struct bucket_state rate; /* allowed is true when not limited */
};

struct api_keys;

enum err api_keys_new(struct api_keys **out) WARN_UNUSED;
void api_keys_free(struct api_keys *keys);

/* Finds the key's holder in memory, notes its use and takes a token of its bucket. ERR_UNAUTHORIZED: malformed.
 * ERR_NOT_FOUND: it is not remembered, and api_keys_admit will tell. */
enum err api_keys_recall(struct api_keys *keys, struct text key, struct key_holder *out) WARN_UNUSED;

/* The same, in memory or through a reader. ERR_UNAUTHORIZED: unknown, revoked or malformed, all alike. */
enum err api_keys_admit(struct api_keys *keys, struct readers *readers, struct text key,
			struct key_holder *out) WARN_UNUSED;

/* Forgets an organization's keys; NULL: all. To be called when a change of them is durable and not yet answered. */
void api_keys_forget(struct api_keys *keys, const struct uuid *organization);

/* When each key was used last, if that is not stored yet; a key is reported once per use. Returns how many were put
 * into `out`, at most `limit`. */
struct key_use {
	struct uuid key;
	struct uuid organization;
	int64_t at; /* ms */
};
size_t api_keys_uses(struct api_keys *keys, struct key_use *out, size_t limit);

#endif
