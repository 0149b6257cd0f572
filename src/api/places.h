/* Places for what takes long: so many at once over all, and of one organization no more than a few.
 * Owner: the house. Any thread; behind a lock that is held for a look at a small table.
 * Who gets none is told to come back: nobody waits for a place, and so nobody holds one up.
 * Never remembers an organization that holds none.
 * Next: list_csv.c, whose downloads take them. */
#ifndef INNKEEPER_API_PLACES_H
#define INNKEEPER_API_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/uuid.h"

struct places;

/* ERR_MEMORY. `all` at least 1. */
enum err places_new(struct places **out, size_t all, size_t each) WARN_UNUSED;
void places_free(struct places *places); /* NULL: nothing */

/* False: all are taken, or the organization has its share. True: places_leave once, when it is done. */
bool places_enter(struct places *places, const struct uuid *organization) WARN_UNUSED;
void places_leave(struct places *places, const struct uuid *organization);

#endif
