/* What the writer's thread does while nobody waits: a table of steps, run in turn.
 * Owner: the server's writer, as its idle hook. The writer's thread, in a transaction of its own, in no scope.
 * A step takes some milliseconds and says whether there is more; one that fails undoes itself alone, holds up no other
 * and no other organization, and is tried again when something was written. On PostgreSQL the holder of the lease does
 * them. Never holds up a request for longer than a turn. Next: background.c, the table; jobs.h, what runs by the clock.
 */
#ifndef INNKEEPER_BACKGROUND_H
#define INNKEEPER_BACKGROUND_H

#include <stdbool.h>

#include "store/db.h"

struct house;

/* writer_hooks.idle: one step of each work that is left. `given` is the house. */
enum err background_step(struct db *db, void *given, bool *more) WARN_UNUSED;

/* No more of it in this process: another one may begin at once. The writer must still run. */
void background_stop(const struct house *house);

#endif
