/* What is made in more than one scope at once: an organization with its first key.
 * Owner: called by handlers of the operator's routes, inside the writer's transaction.
 * The system's scope and the new tenant's are entered here, so that no handler needs to make one.
 * Never leaves one without the other.
 * Next: api/organizations.c. */
#ifndef INNKEEPER_AUTH_FOUNDING_H
#define INNKEEPER_AUTH_FOUNDING_H

#include "base/arena.h"
#include "store/db.h"

/* Makes the organization `id` and, in its own scope, its first key. ERR_CONFLICT: the slug is taken. */
enum err founding_organization(struct db *db, struct arena *arena, const struct organization_create_in *organization,
			       const struct api_key_create_in *key) WARN_UNUSED;

#endif
