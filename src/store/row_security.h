/* Row level security for SQLite, which has none: a statement sees the rows of one organization or fails to prepare.
 * Owner: the db_sqlite.c connection it guards; lives as long.
 * How: the tables' names are temporary views that filter by the bound organization, over inner views whose names are
 *      random; the authorizer lets a base table be read from inside an inner view only, and denies what it does not
 *      know. A write names its base table, may read no other, and triggers refuse a row of another organization.
 * Never trusts the text of a statement: a wrong one is refused, or finds nothing. Next: tests/unit/test_row_security.c.
 */
#ifndef INNKEEPER_STORE_ROW_SECURITY_H
#define INNKEEPER_STORE_ROW_SECURITY_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/uuid.h"
#include "store/statement.h"

struct row_security;

/* Makes views and triggers for every protected table on this connection and arms the authorizer. From here on nothing
 * can be prepared on it but through row_security_prepare. `writes`: whether the connection may write at all. */
enum err row_security_new(struct row_security **out, sqlite3 *sqlite, bool writes) WARN_UNUSED;
void row_security_free(struct row_security *security); /* after sqlite3_close */

/* Whose rows are seen from now on; NULL: nobody's. Copied. */
void row_security_bind(struct row_security *security, const struct uuid *organization);

/* Prepares a text as a tenant's: `write_target` is the one base table it may write, or NULL. ERR_DENIED when the text
 * asks for more; ERR_STORAGE when it is no SQL. `*out` is finalised by the caller. A search table may be asked for the
 * rowids that MATCH, and written by the two texts that add and remove a document; its words are kept apart by
 * search_guard.h. */
enum err row_security_prepare_tenant(struct row_security *security, const char *sql, const char *write_target,
				     sqlite3_stmt **out) WARN_UNUSED;

/* Prepares a text of the server's own (`:system`): tables of the file, but no schema, no pragma, no attach. */
enum err row_security_prepare_system(struct row_security *security, const char *sql, sqlite3_stmt **out) WARN_UNUSED;

/* Prepares a transaction command of db_sqlite.c itself (BEGIN, SAVEPOINT, …); nothing else passes. */
enum err row_security_prepare_transaction(struct row_security *security, const char *sql,
					  sqlite3_stmt **out) WARN_UNUSED;

#endif
