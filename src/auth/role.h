/* What a member may do: each role may all that the one before it may.
 * Owner: nobody; a value. Any thread.
 * A Visitor (a contact that a concierge identified) has no role here: it is never let in.
 * Never checked by a handler: the least role stands in the route's row.
 * Next: api/routes.c. */
#ifndef INNKEEPER_AUTH_ROLE_H
#define INNKEEPER_AUTH_ROLE_H

#include <stdbool.h>

#include "base/text.h"

enum role {
	MEMBER,  /* reads */
	CREATOR, /* everything but users, keys and settings */
	ADMIN,   /* everything */
};

/* By its name in the database; false for what is no member's. */
bool role_of(struct text name, enum role *out);

/* NULL-terminated, by enum role: the choices of a field. */
extern const char *const role_names[];

#endif
