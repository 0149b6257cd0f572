/* A named statement as it stands in a file of sql/: its annotations and its one or two texts.
 * Owner: the compiler's pool. One thread.
 * A file holds any number of them; what stands before the first name is for readers alone.
 * Never looks into a text: that is the business of the checks.
 * Next: tools/sql_check.h. */
#ifndef INNKEEPER_TOOLS_SQL_STATEMENT_H
#define INNKEEPER_TOOLS_SQL_STATEMENT_H

#include "sql_scan.h"

struct value_type {
	const char *word;     /* in an annotation */
	const char *constant; /* of enum column_type */
	const char *member;   /* the C type */
	const char *cast;     /* the PostgreSQL type of a parameter */
};

struct value {
	const char *name;
	const struct value_type *type;
};

struct values {
	struct value *list;
	size_t count;
	int line; /* of the annotation; 0: there is none */
};

enum engine { ENGINE_SQLITE, ENGINE_POSTGRES, ENGINE_COUNT };

struct sql_statement {
	const char *file;
	const char *name;
	int line;
	bool tenant;
	bool many; /* rows are fetched piece by piece */
	bool rows; /* on PostgreSQL each parameter is an array: the values of many rows, written at once */
	struct values in, out;
	struct sql texts[ENGINE_COUNT]; /* the same one twice if both engines share it; empty: not for this engine */
	const char *write_target;       /* set by the check; NULL: it only reads */
};

struct sql_statements {
	struct sql_statement *list;
	size_t count;
};

void statements_read(struct pool *pool, struct sql_statements *statements, const struct source *source);

#endif
