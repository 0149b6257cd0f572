/* The short name of an organization, by which the operator names it: letters a to z, digits, single hyphens between.
 * Owner: the caller's bytes. slug_of: any thread; slug_choose: inside the writer's transaction.
 * A name may hold nothing of the kind (an empty one, or one in Japanese): who chooses by hand is told, who comes in by
 * themselves gets "organization".
 * Never longer than SLUG_MAX, never with a hyphen at an end. Next: founding.h, which stores it. */
#ifndef INNKEEPER_AUTH_SLUG_H
#define INNKEEPER_AUTH_SLUG_H

#include "base/arena.h"
#include "store/db.h"

#define SLUG_MAX  63 /* bytes */
#define SLUG_SIZE (SLUG_MAX + 1)

/* ASCII letters in lower case and digits, with one hyphen for whatever stands between them; cut at SLUG_MAX. Its
 * length; 0: there are none. */
size_t slug_of(struct text name, char out[SLUG_SIZE]);

/* One that nobody has: the name's own, or with a number behind it, at last with a random one. In any scope of a
 * writer's transaction, which keeps it free until it is stored there. */
enum err slug_choose(struct db *db, struct arena *arena, struct text name, char out[SLUG_SIZE]) WARN_UNUSED;

#endif
