/* A database's place on the disk: its file and what SQLite keeps beside it under the same name.
 * Owner: the calling thread, which alone works on these files (lock.h).
 * What stands in a place is never removed, only renamed, together with the transactions that its log alone has: a crash
 * between any two steps leaves all of it whole under one name or the other.
 * Never lets a new file meet an old one's log: SQLite would mix them. Next: copy.h, which makes the new file. */
#ifndef INNKEEPER_STORE_PLACE_H
#define INNKEEPER_STORE_PLACE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"

/* Puts the file `fresh`, whole, synced and in the same folder, in the place of `database` (no symbolic link), which may
 * be empty. What was there is called `<database>.replaced-<UTC as yyyymmddThhmmssZ>` afterwards; its log is moved into
 * it, or along with it when it is too damaged for that. ERR_CONFLICT: somebody has the database open. After a failure
 * the old database is in its place, or the fault says where. */
enum err place_replace(const char *database, const char *fresh, const struct log *log, struct fault *fault) WARN_UNUSED;

/* Removes what SQLite left beside a file of ours. */
void place_remove_sides(const char *path);

/* True of a name under which SQLite would look for a part of a database. */
bool place_is_side_name(const char *path);

/* Makes the names in the folder of `path` durable. Gives 0 or an errno. */
int place_sync_folder(const char *path);

#endif
