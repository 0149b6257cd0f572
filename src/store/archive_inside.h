/* What archive.c (which reads a file) and archive_make.c (which writes one) share.
 * Owner: archive.h. Included by these two alone.
 * A table's checksum: SHA-256 over its rows in the order of their rowids; a row is "r", then each of its columns a
 * letter (n null, i integer, f real, t text, b bytes), and behind it, unless it is null, 8 bytes big-endian: an integer
 * or the bits of a real itself, of the others the length, which the bytes follow. Never used on a connection that was
 * not made here. Next: archive.c. */
#ifndef INNKEEPER_STORE_ARCHIVE_INSIDE_H
#define INNKEEPER_STORE_ARCHIVE_INSIDE_H

#include <sqlite3.h>

#include "store/archive.h"

#define ARCHIVE_NAME_MAX       40
#define ARCHIVE_APPLICATION_ID 0x494e4b4f /* "INKO" */

struct archive_table {
	char name[ARCHIVE_NAME_MAX];
	const struct statement *statement;
	sqlite3_stmt *rows; /* what is written to it or read from it; NULL: nothing yet */
	int *columns;       /* reading: of the statement's, which of the file's; -1: none */
	int64_t count;
	char checksum[ARCHIVE_CHECKSUM_SIZE];
};

struct archive {
	const struct log *log;
	struct fault *fault;
	sqlite3 *sqlite;
	char *path;
	char *making; /* NULL: one that is read */
	int fd;       /* of `making` */
	bool made;    /* `making` is ours to remove */
	struct archive_manifest manifest;
	struct text held[3]; /* the manifest's texts, of one that is read */
	struct archive_table tables[ARCHIVE_TABLES];
	size_t table_count;
};

/* The sentence of a failure; what is no caller's doing goes to the log too. */
enum err archive_fail(struct archive *archive, enum err err, const char *what, const char *reason);
enum err archive_fail_errno(struct archive *archive, int number, const char *what);
enum err archive_fail_sqlite(struct archive *archive, const char *what);

/* Counts a table's rows and makes their checksum. */
enum err archive_digest(struct archive *archive, const char *name, int64_t *count,
			char checksum[ARCHIVE_CHECKSUM_SIZE]) WARN_UNUSED;

/* NULL: out of memory, or none. */
char *archive_path(struct text path);

#endif
