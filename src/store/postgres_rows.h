/* The values of many calls of one statement, gathered column by column as PostgreSQL's arrays: written, or asked for,
 * at once. Owner: a db_postgres.c connection, or a question of its foresight. Its thread. What is gathered is a copy:
 * whoever gave it may forget it. Never grows without end: who gathers looks at postgres_rows_full. Source: array_recv
 * in https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/arrayfuncs.c. Next: postgres_wire.h.
 */
#ifndef INNKEEPER_STORE_POSTGRES_ROWS_H
#define INNKEEPER_STORE_POSTGRES_ROWS_H

#include <stdbool.h>

#include "base/text.h"
#include "store/postgres_wire.h"

struct postgres_rows {
	const struct statement *statement; /* NULL: nothing was gathered yet */
	struct uuid organization;          /* whose they are */
	struct buffer *columns;            /* an array each, by the statement's in columns */
	size_t count;                      /* of rows */
};

/* Makes room for the rows of a tenant's statement; what was gathered before is gone. ERR_MEMORY. */
enum err postgres_rows_begin(struct postgres_rows *rows, const struct statement *statement,
			     const struct uuid *organization) WARN_UNUSED;
void postgres_rows_fini(struct postgres_rows *rows);

/* One more row, as postgres_bind gives it. ERR_MEMORY, and nothing of it is there. */
enum err postgres_rows_add(struct postgres_rows *rows, const struct postgres_parameters *row) WARN_UNUSED;
bool postgres_rows_full(const struct postgres_rows *rows);

/* The organization and the arrays, borrowed from the rows. */
void postgres_rows_bind(struct postgres_rows *rows, struct postgres_parameters *out);

#endif
