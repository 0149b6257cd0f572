/* What a scope is made of. Included by scope.c and auth/tenant.c alone; `make layers` fails on anybody else.
 * Owner: see scope.h.
 * A system scope reads and writes through `:system` statements only; a tenant's through `:tenant` ones only.
 * Never include it to "just look": ask scope_organization.
 * Next: auth/tenant.h. */
#ifndef INNKEEPER_STORE_SCOPE_MAKE_H
#define INNKEEPER_STORE_SCOPE_MAKE_H

#include <stdbool.h>

#include "base/uuid.h"

struct scope {
	struct uuid organization; /* nil for the system's */
	bool system;
};

#endif
