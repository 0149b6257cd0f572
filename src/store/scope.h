/* Whose rows a transaction sees: one organization's, or (the server's own business) the tables that belong to none.
 * Owner: lives in the arena of the request or job that was let in; constant.
 * Opaque on purpose: holding one is the proof of having been let in. Only auth/tenant.c makes them.
 * Never changes after it was made; an organization cannot be named any other way.
 * Next: auth/tenant.h (who gets one), db.h (db_enter, the only place where one is spent). */
#ifndef INNKEEPER_STORE_SCOPE_H
#define INNKEEPER_STORE_SCOPE_H

#include "base/uuid.h"

struct scope;

/* The organization, borrowed from the scope; NULL for the system's scope. */
const struct uuid *scope_organization(const struct scope *scope);

#endif
