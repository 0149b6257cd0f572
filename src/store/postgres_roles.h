/* The server's refusal to work with a role of PostgreSQL that could see around the policies.
 * Owner: nobody. The connection's thread.
 * What is asked stands in sql/postgres/check.sql: attributes, memberships, ownership, rights, and that every tenant's
 * table is under the one policy. Never believes what was true at another start. Next: postgres_setup.h (who makes the
 * roles). */
#ifndef INNKEEPER_STORE_POSTGRES_ROLES_H
#define INNKEEPER_STORE_POSTGRES_ROLES_H

#include "base/err.h"
#include "store/postgres_line.h"

/* Of a line opened with the server's own role. ERR_FORBIDDEN: the fault names the first thing that is wrong. */
enum err postgres_roles_check(struct postgres_line *line, struct fault *fault) WARN_UNUSED;

/* The same of a further line, soon after the first: only what may be its own (sql/postgres/connected.sql). */
enum err postgres_roles_check_again(struct postgres_line *line, struct fault *fault) WARN_UNUSED;

#endif
