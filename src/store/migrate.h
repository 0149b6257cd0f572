/* Brings a database to the schema of this binary: the numbered files of sql/schema, each once, in order.
 * Owner: called at start, before the writer; one thread, nobody else has the database open.
 * Each file is one transaction together with its record and checksum: a crash in between leaves it unapplied.
 * Never goes on with a database that is newer than the binary, or whose old files were another text.
 * Next: sql/schema. */
#ifndef INNKEEPER_STORE_MIGRATE_H
#define INNKEEPER_STORE_MIGRATE_H

#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "store/statement.h"

/* `count` files of `files` (migrations and migration_count in the binary; tests give their own). `applied` (may be
 * NULL) gets how many were new. ERR_CONFLICT: edited or newer, the fault says which. */
enum err migrate(struct text url, const struct migration *files, size_t count, const struct log *log, size_t *applied,
		 struct fault *fault) WARN_UNUSED;

/* Whether a database stands where this binary needs it; changes nothing. ERR_CONFLICT: the fault says what is missing,
 * or that the database is newer. */
enum err migrate_check(struct text url, const struct migration *files, size_t count, const struct log *log,
		       struct fault *fault) WARN_UNUSED;

#endif
