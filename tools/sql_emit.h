/* The C that the compiler writes: the header, the statements and the migrations.
 * Owner: the compiler's pool. One thread.
 * Everything becomes text in memory first, so that an error leaves no half-written file.
 * Never writes a string constant longer than a C17 compiler must take (4095 characters).
 * Next: src/store/statement.h, the shape of what is written. */
#ifndef INNKEEPER_TOOLS_SQL_EMIT_H
#define INNKEEPER_TOOLS_SQL_EMIT_H

#include "sql_schema.h"
#include "sql_statement.h"

/* A text that grows in the pool. */
struct output {
	struct pool *pool;
	char *at;
	size_t length, capacity;
};

struct migration_file {
	int number;
	const char *name; /* without .sql */
	struct source source;
	const char *checksum;
};

struct migration_files {
	struct migration_file *list;
	size_t count;
};

void emit_header(struct output *output, const struct sql_statements *statements);
void emit_statements(struct output *output, const struct schema *schema, const struct sql_statements *statements);
void emit_migrations(struct output *output, const struct migration_files *files);

#endif
