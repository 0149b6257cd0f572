/* Statements on a connection to PostgreSQL: prepared once, run in the scope entered, their rows taken one by one.
 * Owner: nobody; the state is the connection's. Its thread.
 * Before the first statement of a scope the transaction becomes that scope's: its role, its organization, its lock.
 * Never begins or ends a transaction or a scope: db_postgres.c does. Next: postgres_wire.h (values as they are sent).
 */
#ifndef INNKEEPER_STORE_POSTGRES_STATEMENTS_H
#define INNKEEPER_STORE_POSTGRES_STATEMENTS_H

#include "store/postgres_connection.h"

/* As db.h says of db_start, db_step, db_stop, db_send and db_foresee. */
enum err postgres_statement_start(struct db *db, enum statement_id id, const void *in) WARN_UNUSED;
enum err postgres_statement_step(struct db *db, enum statement_id id, void *out) WARN_UNUSED;
void postgres_statement_stop(struct db *db, enum statement_id id);
enum err postgres_statement_send(struct db *db, enum statement_id id, const void *in) WARN_UNUSED;
void postgres_statement_foresee(struct db *db, enum statement_id id, const void *in);

/* Sends what was foreseen, all together. What cannot be sent is asked when it is wanted. */
void postgres_statements_ask(struct postgres *db);

/* Sends what was gathered to be written at once, in the scope that it was gathered in. */
void postgres_statements_flush(struct postgres *db);

/* Stops all that are under way. */
void postgres_statements_stop(struct postgres *db);

/* The transaction ends: what was gathered is sent if it is kept, what was foreseen is dropped. */
void postgres_statements_settle(struct postgres *db, bool keep);

/* The connection ends: nobody waits for an answer any more. */
void postgres_statements_give_up(struct postgres *db);

/* The connection is another one: nothing is prepared on it. */
void postgres_statements_forget(struct postgres *db);

#endif
