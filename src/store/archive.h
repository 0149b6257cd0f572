/* A file that holds one organization: an ordinary SQLite database of plain tables, with a manifest.
 * Owner: whoever opened it; one thread at a time. Texts that a row gives are borrowed until the next row of that table.
 * Each table's rows have a checksum in the manifest, and the file as a whole has one in the 40 bytes behind it
 * ("INNKORG1" and the SHA-256 of what stands before), which SQLite ignores: docs/move.md says how both are made. Never
 * leaves half a file under the name asked for; never gives a row of a file that was not checked whole, and none that is
 * not typed as its statement says. Next: number_map.h, move/. */
#ifndef INNKEEPER_STORE_ARCHIVE_H
#define INNKEEPER_STORE_ARCHIVE_H

#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "base/uuid.h"
#include "statements.h"

#define ARCHIVE_FORMAT        1       /* a file of a greater one is refused */
#define ARCHIVE_TABLES        24      /* at most */
#define ARCHIVE_CHECKSUM_SIZE 65      /* SHA-256 in hex and a NUL */
#define ARCHIVE_TEXT_MAX      1048576 /* bytes; a longer text is none that Innkeeper has stored */

struct archive;

/* What the file says of itself. Texts of one that was opened live as long as that. */
struct archive_manifest {
	int64_t format;
	int64_t schema; /* number of the newest migration of the house that made it */
	struct uuid organization;
	struct text slug;
	struct text organization_name;
	struct text engine;
	int64_t made_at; /* ms */
};

/* Of the whole file, the 40 bytes included: what `wc -c` and `sha256sum` say. */
struct archive_result {
	int64_t bytes;
	char checksum[ARCHIVE_CHECKSUM_SIZE];
};

/* A new file, made beside `path` (absolute) until it is whole. ERR_CONFLICT: it is there already. Faults name the file:
 * for the operator's eyes. */
enum err archive_create(struct archive **out, struct text path, const struct log *log, struct fault *fault) WARN_UNUSED;

/* A table with the columns that a statement gives, in that order; its rows stand by the first one where that is a
 * number or an id. `*which` is for archive_add. */
enum err archive_table(struct archive *archive, const char *name, enum statement_id id, size_t *which) WARN_UNUSED;

/* ERR_CONFLICT: there is a row of this number or id already. */
enum err archive_add(struct archive *archive, size_t which, const void *row) WARN_UNUSED;

/* Writes the manifest and the checksums; the file gets its name once it is on the disk. */
enum err archive_finish(struct archive *archive, const struct archive_manifest *manifest,
			struct archive_result *out) WARN_UNUSED;

/* One that is there, checked to the last byte. ERR_INVALID: it is damaged, none, or of a newer Innkeeper;
 * `newest_schema` is this one's. */
enum err archive_open(struct archive **out, struct text path, int64_t newest_schema, const struct log *log,
		      struct fault *fault) WARN_UNUSED;
const struct archive_manifest *archive_manifest(const struct archive *archive);

/* Rows of a table; 0 when there is none. */
int64_t archive_count(const struct archive *archive, const char *table);

/* Begins a table that was opened, in the order of its numbers, as what a statement takes: a column that the file does
 * not have is null. `by` (may be NULL) is a column that must equal `value`. A table can be begun again. */
enum err archive_read(struct archive *archive, const char *table, enum statement_id id, const char *by,
		      const struct uuid *value, size_t *which) WARN_UNUSED;

/* The next row into the statement's in struct; `*number` (may be NULL) is the row's own. ERR_NOT_FOUND: no more.
 * ERR_INVALID: a value is not of its column's type, no UTF-8, no time of ours, too long; the fault says where. Whether
 * JSON is any is the caller's business. */
enum err archive_next(struct archive *archive, size_t which, void *in, int64_t *number) WARN_UNUSED;

/* Also of one that was not finished: nothing is left of it. */
void archive_close(struct archive *archive);

#endif
