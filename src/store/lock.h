/* The word that this process has a database: a server and a command never work on the same file at once.
 * Owner: main holds it as long as the process runs, a command as long as it works. Any thread, one at a time.
 * Advisory (flock) on a file `<database>.lock` of its own: SQLite's locks come and go, this one stays. The kernel
 * gives it back when the process dies, however it dies.
 * Of a database that is a server of its own (PostgreSQL) there is nothing to take: many processes share it.
 * Never waits. Next: copy.h (restore wants it). */
#ifndef INNKEEPER_STORE_LOCK_H
#define INNKEEPER_STORE_LOCK_H

#include "base/err.h"
#include "base/text.h"

struct lock;

/* `url`: as db_open takes it; `*out` is NULL for a remote one. Of "sqlite:PATH" the database need not be there yet, its
 * folder must. ERR_CONFLICT: somebody has it, this very process included. ERR_INVALID: the lock file cannot be made
 * there. Faults name the file: for the operator's eyes. The caller owns `*out` until lock_release. */
enum err lock_take(struct text url, struct lock **out, struct fault *fault) WARN_UNUSED;
void lock_release(struct lock *lock); /* NULL: nothing */

#endif
