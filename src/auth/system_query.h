/* Single statements of the server's own amidst another scope's transaction: an account, a session, an invitation.
 * Owner: called on the thread that holds the db. Results live in the arena given.
 * The system's scope is entered for one statement and left again; what it wrote goes the way of the transaction.
 * Never for handlers: only this floor decides when the server looks past an organization (`make layers`).
 * Next: session.h, joining.h, the users of this. */
#ifndef INNKEEPER_AUTH_SYSTEM_QUERY_H
#define INNKEEPER_AUTH_SYSTEM_QUERY_H

#include "base/arena.h"
#include "store/readers.h"

/* As query_run and query_one of store/query.h. */
enum err system_run(struct db *db, enum statement_id id, const void *in, int64_t *changed) WARN_UNUSED;
enum err system_one(struct db *db, enum statement_id id, const void *in, void *out, struct arena *arena) WARN_UNUSED;

/* As query_run and query_one, in an organization's scope. */
enum err tenant_run(struct db *db, const struct scope *scope, enum statement_id id, const void *in,
		    int64_t *changed) WARN_UNUSED;

/* system_one through a reader of its own. */
enum err system_ask(struct readers *readers, enum statement_id id, const void *in, void *out,
		    struct arena *arena) WARN_UNUSED;

#endif
