/* A lease in the database: of the processes that share one, the holder does what is to be done once.
 * Owner: the server. lease_keep and lease_forget: the thread of one lane; lease_is_held: any thread.
 * A process that dies loses it after LEASE_MILLISECONDS; one that ends gives it back.
 * Never a lock: who held it until a moment ago may still be at work. What is done under it must bear that (each of its
 * steps is a transaction that has its organization to itself). Next: background.c and jobs.c, what is done under it. */
#ifndef INNKEEPER_STORE_LEASE_H
#define INNKEEPER_STORE_LEASE_H

#include <stdbool.h>

#include "store/db.h"

#define LEASE_MILLISECONDS 8000
#define LEASE_RENEWED      2000 /* and asked for this often, in ms: a new holder is there within ten seconds */

struct lease;

/* `name` is static text. ERR_MEMORY. */
enum err lease_new(struct lease **out, const char *name) WARN_UNUSED;
void lease_free(struct lease *lease);

/* In a transaction, in no scope: takes or renews it when it is time to. */
enum err lease_keep(struct lease *lease, struct db *db) WARN_UNUSED;

/* The transaction of lease_keep may be lost, and the lease with it: it is asked for again. */
void lease_forget(struct lease *lease);

/* By a clock that runs out here before the database's. */
bool lease_is_held(const struct lease *lease);

/* In a transaction, in the system's scope: gives it back, and takes it never again. `given` is the lease. */
enum err lease_release(struct db *db, void *given) WARN_UNUSED;

#endif
