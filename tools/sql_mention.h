/* Which tables a text names and where, and which organization comparisons surely hold for them.
 * Owner: the compiler's pool. One thread.
 * A query level is what one SELECT, UPDATE or DELETE spans; each branch of a UNION is one of its own.
 * Never takes a comparison for sure that an OR, a NOT, a CASE, a FILTER or an outer join could undo.
 * Next: tools/sql_check.h, which judges what is found here. */
#ifndef INNKEEPER_TOOLS_SQL_MENTION_H
#define INNKEEPER_TOOLS_SQL_MENTION_H

#include "sql_schema.h"

enum mention_kind {
	MENTION_TABLE,
	MENTION_CTE,
	MENTION_FUNCTION, /* json_each(…) and the like */
	MENTION_SUBQUERY,
};

/* What stands in FROM, JOIN, INTO or UPDATE position. */
struct mention {
	enum mention_kind kind;
	size_t at;                 /* its token */
	const struct table *table; /* of a table, else NULL */
	const char *qualifier;     /* its alias, else its name; NULL: a subquery without one */
	bool aliased;
	bool target; /* what the statement writes */
	int level;
	int frame;
};

/* `organization_id = :organization`, as a condition that every row passes. */
struct guard {
	const char *qualifier; /* NULL: unqualified */
	const char *column;
	int level;
	int frame;           /* of an ON: counts for tables of this frame alone; -1: a WHERE */
	size_t only_mention; /* of an ON of a LEFT JOIN: the one it counts for; SIZE_MAX: any */
	int clause;
};

struct mentions {
	struct mention *list;
	size_t count;
	struct guard *guards;
	size_t guard_count;
};

struct mentions mentions_read(struct pool *pool, const struct schema *schema, const struct sql *sql);

#endif
