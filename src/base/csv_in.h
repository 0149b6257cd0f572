/* CSV, read a row at a time, strictly (RFC 4180; a line may also end with a bare LF, a byte order mark is passed over).
 * Owner: the caller owns the stream and calls csv_in_fini. One thread at a time.
 * A cell is borrowed until the next row. An empty cell without quotes is absent, one with quotes is an empty text.
 * Never guesses: a row that is no CSV is passed over up to its end of line, and said so.
 * Next: legacy/source_folder.c. */
#ifndef INNKEEPER_BASE_CSV_IN_H
#define INNKEEPER_BASE_CSV_IN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"

#define CSV_CELLS     256
#define CSV_ROW_BYTES ((size_t)16 * 1024 * 1024)

struct csv_in {
	FILE *from;
	int64_t line;      /* where the row that was read last began, from 1 */
	int64_t offset;    /* bytes from the stream's begin, the same */
	const char *wrong; /* of ERR_INVALID: why, static */
	struct text cells[CSV_CELLS];
	size_t count;
	/* Its own. */
	struct buffer bytes;
	size_t starts[CSV_CELLS + 1];
	bool quoted[CSV_CELLS];
	int64_t next_line;
	int64_t next_offset;
};

void csv_in_init(struct csv_in *in, FILE *from);
void csv_in_fini(struct csv_in *in);

/* The next row that is not an empty line. ERR_NOT_FOUND: no more. ERR_INVALID: no CSV, of too many cells or too long;
 * the next call goes on behind it. ERR_MEMORY. ERR_STORAGE: the stream cannot be read. */
enum err csv_in_row(struct csv_in *in) WARN_UNUSED;

/* Back or forth to where a row begins: an `offset` and `line` as they were told of it. ERR_STORAGE. */
enum err csv_in_seek(struct csv_in *in, int64_t offset, int64_t line) WARN_UNUSED;

#endif
