/* What the statement compiler makes of sql/: every SQL text of the house by name, typed.
 * Owner: constant data of the binary. Any thread.
 * A `struct x_in` / `struct x_out` of statements.h is laid out by the columns here, in order.
 * Never holds a tenant statement without its organization: such a text does not compile.
 * Next: sql/, and db.h, which runs them. */
#ifndef INNKEEPER_STORE_STATEMENT_H
#define INNKEEPER_STORE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>

enum column_type { COLUMN_UUID, COLUMN_TEXT, COLUMN_INT, COLUMN_REAL, COLUMN_BOOL, COLUMN_TIME, COLUMN_JSON };

struct column {
	const char *name;
	enum column_type type;
	size_t offset; /* of the member in the statement's in or out struct */
};

enum statement_kind { STATEMENT_TENANT, STATEMENT_SYSTEM };

struct statement {
	const char *name;
	enum statement_kind kind;
	bool many;                /* it may give more rows than memory should hold */
	bool rows;                /* on PostgreSQL a value is an array: the rows of many calls, written at once */
	bool numbered;            /* on PostgreSQL it gives the new row's number behind its columns: db_inserted */
	const char *write_target; /* the table it writes, or NULL: it only reads */
	const char *sqlite;       /* NULL: not for this engine */
	const char *postgres;     /* the same */
	const struct column *in;
	size_t in_count;
	const struct column *out;
	size_t out_count;
};

/* By enum statement_id. */
extern const struct statement statements[];
extern const size_t statement_count;

/* A table with an owner column: whose rows row security guards. */
struct protected_table {
	const char *name;
	const char *owner_column;   /* organization_id, or id for organizations itself */
	const char *const *columns; /* NULL-terminated, in the table's order */
};
extern const struct protected_table protected_tables[];
extern const size_t protected_table_count;

/* The same on PostgreSQL, by name and owner column: what must be under its row level security. */
extern const struct protected_table postgres_tables[];
extern const size_t postgres_table_count;

/* A full-text index over rows of all organizations, which the engine keeps apart word by word (search_guard.h). */
struct search_table {
	const char *name;
	const char *column; /* its one column: the words of a document */
};
extern const struct search_table search_tables[];
extern const size_t search_table_count;

/* One numbered file of sql/schema. */
struct migration {
	int number;
	const char *name; /* "0001_foundation" */
	struct migration_text {
		const char *text;
		const char *checksum; /* SHA-256 of the file, hex */
	} sqlite, postgres;
};
extern const struct migration migrations[];
extern const size_t migration_count;

/* sql/postgres: what an administrator runs, and what the server asks before it works. */
extern const char *const postgres_roles;
extern const char *const postgres_check;
extern const char *const postgres_connected;
extern const char *const postgres_distribute;

#endif
