/* All organizations, each with its scope: for the server's own rounds.
 * Owner: lists live in the arena given. Any thread, with a connection in the system's scope.
 * Who goes on a round enters one organization after the other and leaves it again.
 * Never for a request of a client: what may include this stands in tools/check_layers.sh.
 * Next: api/verify.c. */
#ifndef INNKEEPER_AUTH_TENANTS_H
#define INNKEEPER_AUTH_TENANTS_H

#include "base/arena.h"
#include "store/db.h"

struct tenant {
	struct uuid id;
	struct text slug;
	const struct scope *scope;
};

struct tenants {
	const struct tenant *list;
	size_t count;
};

/* `db` is in the system's scope. */
enum err tenants_list(struct db *db, struct arena *arena, struct tenants *out) WARN_UNUSED;

#endif
