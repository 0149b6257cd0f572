/* The narrow waist: everything that the house asks of a database engine.
 * Owner: a struct db is one connection; one thread at a time. Many may read, one writes (it alone commits and
 * checkpoints). A row is seen only between db_enter and db_leave, and only the rows of the scope entered. Never takes
 * SQL from a caller: statements are named (statements.h), compiled from sql/. Next: query.h (one row, one write, rows
 * as JSON), writer.h (who writes). */
#ifndef INNKEEPER_STORE_DB_H
#define INNKEEPER_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/err.h"
#include "base/log.h"
#include "statements.h"
#include "store/scope.h"

#define DB_NULL                                                                                                        \
	INT64_MIN /* NULL of an int or a time, in and out; of a text: at == NULL; of a uuid: nil; of a real: NaN */

enum db_use {
	DB_READ,     /* cannot write */
	DB_WRITE,    /* the writer's */
	DB_WRITE_ON, /* a further one of the writer's: a remote database was just looked over for the first */
	DB_MIGRATE,  /* no row security, db_script allowed; creates the file if need be */
};

struct db;

/* Once, before the first thread starts: no counting of memory behind a global lock. */
enum err db_init(void) WARN_UNUSED;

/* Whether `url` names an engine at all: "sqlite:PATH", "postgres://…". `*remote`: it is another process, and a
 * statement waits for its answer. ERR_INVALID, with what to write instead. */
enum err db_know(struct text url, bool *remote, struct fault *fault) WARN_UNUSED;

/* On failure `fault` says what to do about it. */
enum err db_open(struct db **out, struct text url, enum db_use use, const struct log *log,
		 struct fault *fault) WARN_UNUSED;
void db_close(struct db *db);
bool db_is_remote(const struct db *db);

/* Whether there is a connection to a remote database, as far as is known; the next db_begin makes one. Of our own:
 * always. */
bool db_stands(const struct db *db);

/* Which of the writer's lanes this connection is (0, 1, …): what belongs to a lane is found by it. */
size_t db_lane(const struct db *db);
void db_set_lane(struct db *db, size_t lane);

/* A transaction; a reader's sees one moment. */
enum err db_begin(struct db *db) WARN_UNUSED;

/* Ends it. With `keep` OK means: durable, through a sync that returned. ERR_UNAVAILABLE: nothing was stored, the next
 * transaction may succeed (disk full). ERR_STORAGE: a write or sync failed and what the disk holds is unknown; the
 * process must end. Without `keep` nothing of it remains. */
enum err db_end(struct db *db, bool keep) WARN_UNUSED;

/* How long this transaction may read, microseconds from now; 0: as long as it takes, as at first. Behind it a read
 * fails with ERR_TOO_SLOW, also in the midst of a step. Of a reader; the transaction can be ended, and the next one
 * begins anew. */
void db_limit(struct db *db, int64_t microseconds);

/* Until it is called again with NULL or the transaction ends, a read also fails, ERR_TOO_SLOW, when the budget is
 * spent: looked at often, so that a search through millions of words stops within parts of a millisecond. A statement
 * that failed can be started again. The budget is borrowed. Of a reader. */
void db_hurry(struct db *db, const struct budget *budget);

/* Enters a scope inside a transaction; on a writer also sets a savepoint. Nests eight deep. */
enum err db_enter(struct db *db, const struct scope *scope) WARN_UNUSED;

/* The scope entered last. There must be one. */
const struct scope *db_scope(const struct db *db);

/* Leaves the scope entered last, keeping or undoing what was written in it. ERR_STORAGE: the whole transaction is lost.
 * Anything else but OK: what was sent (db_send) has failed, and what was written in this scope is undone, alone. */
enum err db_leave(struct db *db, bool keep) WARN_UNUSED;

/* Starts a statement in the scope entered. `in` is its `struct <name>_in` (NULL if it has none); texts are borrowed
 * until db_stop. Starting it again stops it first. ERR_DENIED: not this scope's kind of statement, or no scope. */
enum err db_start(struct db *db, enum statement_id id, const void *in) WARN_UNUSED;

/* The next row into `out`, its `struct <name>_out` (NULL if it has no columns); texts are borrowed until the next
 * db_step or db_stop. ERR_NOT_FOUND: no more rows, a write is done. ERR_CONFLICT: unique, check, or a parent that is
 * not there (in this organization). */
enum err db_step(struct db *db, enum statement_id id, void *out) WARN_UNUSED;
void db_stop(struct db *db, enum statement_id id);

/* A write that changes one row and whose outcome nobody waits for. On a remote database it shows when the transaction
 * ends, which a failure (another number of rows is one) loses as a whole; on one of our own it is done at once. Of a
 * statement of :rows, those sent one after the other are written as one; anything else that is asked sees them. */
enum err db_send(struct db *db, enum statement_id id, const void *in) WARN_UNUSED;

/* Waits until what was sent is done, so that who sends very much does not run ahead of a remote database. Its first
 * failure, if there is one, shows here instead of at the end: the scope must then be left undone. */
enum err db_catch_up(struct db *db) WARN_UNUSED;

/* Says that a read with these values will be wanted in this transaction: asked for now, together with others, it is
 * there when db_start names it, as it was now. In the scope entered. Does nothing on a database of our own. */
void db_foresee(struct db *db, enum statement_id id, const void *in);

/* Whether this transaction reads ahead and writes behind, by the two above: then what is read may be older than what it
 * has sent, and a failure, which loses the whole of it, is all that tells. */
bool db_looks_ahead(const struct db *db);

/* Whether the next transaction of a remote writer takes care: with it each scope has a savepoint and its failures are
 * its own. Without, a scope that is left undone after it has written loses the whole transaction; db_wants_care then
 * says that doing it again, with care, may succeed. */
void db_set_care(struct db *db, bool care);
bool db_wants_care(const struct db *db);

/* Sends a few words (fewer than 8000 bytes) with the transaction to every process of this database: notices.h. On a
 * database of our own there is nobody else. */
enum err db_notify(struct db *db, struct text words) WARN_UNUSED;

/* Rows that the last finished write of this connection changed. */
int64_t db_changed(const struct db *db);

/* The `number` of the row that the last insert of this connection made. (RETURNING would tell it too, for the price of
 * a temporary table each time.) */
int64_t db_inserted(const struct db *db);

/* Runs SQL text of a migration. DB_MIGRATE only. */
enum err db_script(struct db *db, const char *sql, struct fault *fault) WARN_UNUSED;

/* Housekeeping that may take milliseconds, when nobody waits for an answer: on SQLite moves the log's pages home if
 * enough have gathered, or if `idle`. ERR_STORAGE as from db_end. */
enum err db_tidy(struct db *db, bool idle) WARN_UNUSED;

/* Bytes that the database takes on disk, its log included. */
int64_t db_size(struct db *db);

#endif
