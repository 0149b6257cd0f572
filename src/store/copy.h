/* Copies of an embedded database as a whole: taken from a running one, checked, put back. (One organization of it, or
 * of a PostgreSQL, is a file of another kind: archive.h.) Owner: the calling thread; a backup reads through a
 * connection of its own and holds nobody up. A backup is an ordinary SQLite file with 40 bytes behind it: "INNKEEP1"
 * and the SHA-256 of what stands before. SQLite ignores them; restore does not, and so notices a single wrong bit.
 * Never leaves half a file under the name asked for. Next: seal_file.h; api/backup.c and cli/serve.c call these. */
#ifndef INNKEEPER_STORE_COPY_H
#define INNKEEPER_STORE_COPY_H

#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/text.h"

#define COPY_CHECKSUM_SIZE 65 /* SHA-256 in hex and a NUL */

/* Of the whole backup, the 40 bytes included: what `wc -c` and `sha256sum` say. */
struct copy_result {
	int64_t bytes;
	char checksum[COPY_CHECKSUM_SIZE];
};

/* One moment of the database at `url` into a new file `path` (absolute). ERR_CONFLICT: it is there already. Faults name
 * the file: for the operator's eyes. */
enum err copy_backup(struct text url, struct text path, const struct log *log, struct copy_result *out,
		     struct fault *fault) WARN_UNUSED;

/* Puts a backup in the place of the database at `url`, which nobody has open. What was there is kept beside it under
 * `<path>.replaced-<time>`. ERR_INVALID: the file is damaged or no backup, and nothing was touched. */
enum err copy_restore(struct text url, struct text path, const struct log *log, struct copy_result *out,
		      struct fault *fault) WARN_UNUSED;

#endif
