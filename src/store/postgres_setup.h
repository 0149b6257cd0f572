/* The roles of the house on PostgreSQL and its schema, made by an administrator (sql/postgres/roles.sql).
 * Owner: nobody. The caller's thread.
 * innkeeper_owner owns everything and cannot log in; innkeeper_migrator may become it; innkeeper_server sees one
 * organization's rows, or becomes innkeeper_system, which sees what must be found before it is known whose it is.
 * Never sends a password in the clear: the server gets its verifier. Next: migrate.h (what comes after). */
#ifndef INNKEEPER_STORE_POSTGRES_SETUP_H
#define INNKEEPER_STORE_POSTGRES_SETUP_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

/* What an administrator's connection made. Texts live in the arena. */
struct postgres_setup {
	bool administrator;       /* false: `url` is no administrator's, and nothing was done */
	struct text server_url;   /* with its new password; absent: it has one already */
	struct text migrator_url; /* the same */
};

/* As an administrator (who may create roles and owns the database): makes the roles that are missing, gives them the
 * attributes they must have, and makes the schema. Harmless to run again. `new_passwords`: also to roles that were
 * there. All or nothing. */
enum err postgres_set_up(struct text url, bool new_passwords, struct arena *arena, struct postgres_setup *out,
			 struct fault *fault) WARN_UNUSED;

#endif
