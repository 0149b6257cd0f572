/* Passwords: argon2id, slow on purpose.
 * Owner: nobody. A thread that may take its time (never an HTTP thread): one hash takes tens of milliseconds and 64
 * MiB. The parameters are libsodium's "interactive" ones (RFC 9106 in spirit) and stand in password.c alone. Never
 * keeps or logs a password; what is stored is libsodium's self-describing string. Next: api/members.c. */
#ifndef INNKEEPER_AUTH_PASSWORD_H
#define INNKEEPER_AUTH_PASSWORD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#define PASSWORD_MIN 8    /* bytes */
#define PASSWORD_MAX 1024 /* bytes */

/* ERR_MEMORY when 64 MiB cannot be had. */
enum err password_hash(struct arena *arena, struct text password, struct text *out) WARN_UNUSED;

/* Whether it is the password of `hash`. An absent hash (no such account, or one without a password) takes as long, and
 * is false. */
bool password_verify(struct text hash, struct text password);

/* Whether a text from elsewhere is such a string, and takes no more time and memory than ours. */
bool password_is_hash(struct text hash);

#endif
