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
	const char *name;                    /* without .sql */
	struct source sources[ENGINE_COUNT]; /* the same twice if both engines share it */
	const char *checksums[ENGINE_COUNT];
};

/* A text that the store runs as it stands: sql/postgres. */
struct script_file {
	const char *name; /* without .sql */
	struct source source;
};

struct script_files {
	struct script_file *list;
	size_t count;
};

struct migration_files {
	struct migration_file *list;
	size_t count;
};

void emit_header(struct output *output, const struct sql_statements *statements);
void emit_statements(struct output *output, const struct schema schemas[ENGINE_COUNT],
		     const struct sql_statements *statements);
void emit_migrations(struct output *output, const struct migration_files *files, const struct script_files *scripts);

#endif
