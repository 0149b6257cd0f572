/* The file of rows that could not be taken as they were: a JSON object a line, {table, key, outcome, reason}.
 * Owner: the caller closes it. The importing thread.
 * It holds keys and reasons and no content, is readable by its owner alone, and is not left behind empty.
 * Never written over: the file must not be there yet.
 * Next: legacy.c. */
#ifndef INNKEEPER_LEGACY_REJECTED_H
#define INNKEEPER_LEGACY_REJECTED_H

#include <stdio.h>

#include "base/err.h"
#include "base/text.h"

struct rejected {
	FILE *file;
	const char *path; /* borrowed */
	int64_t lines;
};

/* `path` lives as long as it is open. ERR_INVALID: it cannot be made. */
enum err rejected_open(struct rejected *rejected, const char *path, struct fault *fault) WARN_UNUSED;

/* `outcome`: "rejected", or "changed" of a row that was taken otherwise than it was. ERR_CONFLICT: the disk is full.
 */
enum err rejected_put(struct rejected *rejected, const char *table, struct text key, const char *outcome,
		      struct text reason, struct fault *fault) WARN_UNUSED;

enum err rejected_close(struct rejected *rejected, struct fault *fault) WARN_UNUSED;

#endif
