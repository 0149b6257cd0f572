/* A statement's values as SQLite takes and gives them.
 * Owner: nobody; borrowed memory throughout. The connection's thread.
 * A parameter's text is borrowed from the in struct until it is bound anew, a row's text until the next step.
 * Never converts: STRICT tables hold what the statements say.
 * Source: https://www.sqlite.org/c3ref/bind_blob.html, column_blob.html. Next: db_sqlite.c. */
#ifndef INNKEEPER_STORE_SQLITE_WIRE_H
#define INNKEEPER_STORE_SQLITE_WIRE_H

#include <sqlite3.h>

#include "base/uuid.h"
#include "store/statement.h"

/* `organization`: of the scope, NULL for the system's; `in`: the statement's in struct. Gives SQLite's status. */
int sqlite_bind(sqlite3_stmt *prepared, const struct statement *statement, const struct uuid *organization,
		const void *in);

/* The row at hand into the statement's out struct. */
void sqlite_read(sqlite3_stmt *row, const struct statement *statement, void *out);

#endif
