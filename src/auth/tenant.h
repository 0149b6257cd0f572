/* Makes scopes: the only place in the house that does.
 * Owner: a scope lives in the arena given, or for ever (the system's).
 * Called by the dispatch ladder after a credential was proven, by jobs that go from one organization to the next, and
 * by nobody else; `make layers` sees to it. Any thread. Never takes an organization from a body, a path or a header of
 * a client. Next: api/dispatch.c. */
#ifndef INNKEEPER_AUTH_TENANT_H
#define INNKEEPER_AUTH_TENANT_H

#include "base/arena.h"
#include "base/uuid.h"
#include "store/scope.h"

/* The scope of an organization whose credential was proven. NULL when the arena is out. */
const struct scope *tenant_scope(struct arena *arena, const struct uuid *organization);

/* The server's own, for `:system` statements. */
const struct scope *tenant_system(void);

#endif
