/* What the writer's thread does while nobody waits for it: a step at a time of work that may take long.
 * Owner: server.c hangs it into the writer's hooks; that thread alone runs it.
 * A step enters one organization, in a transaction of its own.
 * Never takes longer than some milliseconds: who comes meanwhile waits for it.
 * Next: analytics/build.h. */
#ifndef INNKEEPER_BACKGROUND_H
#define INNKEEPER_BACKGROUND_H

#include "api/house.h"

/* writer_hooks.idle; `given` is the house. */
enum err background_step(struct db *db, void *given, bool *more) WARN_UNUSED;

#endif
