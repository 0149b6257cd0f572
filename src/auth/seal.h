/* Short texts that go out and come back unread and unchanged: XChaCha20-Poly1305 with a key of this database.
 * Owner: the server; made once, constant. Any thread.
 * What was sealed for one purpose, organization or place opens for no other.
 * Never tells why something does not open: cut short, forged, another place's, all the same.
 * Next: api/cursor.h, whose cursors are sealed. */
#ifndef INNKEEPER_AUTH_SEAL_H
#define INNKEEPER_AUTH_SEAL_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "base/uuid.h"
#include "store/readers.h"
#include "store/writer.h"

#define SEAL_PLAIN_MAX 64 /* bytes that may be sealed */

struct seal;

/* With the database's key, which is made and stored if there is none yet. */
enum err seal_new(struct seal **out, struct readers *readers, struct writer *writer, struct fault *fault) WARN_UNUSED;
void seal_free(struct seal *seal);

/* What a sealed text is bound to. */
struct seal_bond {
	const char *purpose;             /* static: "cursor" */
	const struct uuid *organization; /* NULL: none */
	struct text place;               /* a path, say */
};

/* `length` bytes as base64url without padding (RFC 4648, section 5), in the arena; absent when that is out. Sealed
 * anew, it reads differently each time. */
struct text seal_close(const struct seal *seal, const struct seal_bond *bond, const void *plain, size_t length,
		       struct arena *arena);

/* The other way: exactly `length` bytes, or ERR_INVALID. */
enum err seal_open(const struct seal *seal, const struct seal_bond *bond, struct text sealed, void *plain,
		   size_t length) WARN_UNUSED;

#endif
