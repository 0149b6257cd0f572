/* The tables that the migrations leave behind on an engine, and which of them belong to an organization.
 * Owner: the compiler's pool. One thread.
 * Understands CREATE, DROP and ALTER TABLE, and CREATE VIRTUAL TABLE of full text; steps over indexes, triggers, views
 * and data. Never takes a table it cannot read for one without an owner: that is an error. Next: tools/sql_check.h,
 * which holds the statements against these. */
#ifndef INNKEEPER_TOOLS_SQL_SCHEMA_H
#define INNKEEPER_TOOLS_SQL_SCHEMA_H

#include "sql_scan.h"

struct table {
	const char *name;
	const char **columns;
	size_t column_count;
	const char *owner_column; /* NULL: global, nobody's rows */
	bool search;              /* full text: on SQLite a virtual table, whose engine keeps organizations apart */
	bool dropped;
};

struct schema {
	struct table *tables;
	size_t count;
};

/* Applies one migration. */
void schema_read(struct pool *pool, struct schema *schema, const struct source *source, enum dialect dialect);
/* Says of each table which column is its owner; behind the last migration. */
void schema_finish(struct schema *schema);
const struct table *schema_find(const struct schema *schema, const char *name);

#endif
