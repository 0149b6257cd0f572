/* Texts that leave the house and come back unread and unchanged: cursors, a sign-in on its way to a provider.
 * Owner: the key lives in struct house, constant once the server has started; results live in the arena given. Any
 * thread. XChaCha20-Poly1305 with a random nonce (libsodium), written as base64url without padding (RFC 4648, 5).
 * Never opens a text for another purpose than it was sealed for: the purpose is authenticated with it.
 * Next: store/writer.h, through which a new key is stored. */
#ifndef INNKEEPER_AUTH_SEAL_H
#define INNKEEPER_AUTH_SEAL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "store/writer.h"

struct seal_key {
	uint8_t bytes[32];
};

/* The key of this database by its name; made and stored when it is asked for first. Waits for the writer: at the
 * server's start, never on an HTTP thread. */
enum err seal_key_load(struct writer *writer, const char *name, struct seal_key *out) WARN_UNUSED;

/* `purpose` says what the text is for and for whom ("cursor", an organization's id, …); it must be said again to open
 * it, and does not stand in the result. ERR_MEMORY. */
enum err seal_text(const struct seal_key *key, struct arena *arena, struct text purpose, struct text plain,
		   struct text *out) WARN_UNUSED;

/* ERR_INVALID when it was not sealed with this key for this purpose, or was changed on its way. */
enum err seal_open(const struct seal_key *key, struct arena *arena, struct text purpose, struct text sealed,
		   struct text *out) WARN_UNUSED;

#endif
