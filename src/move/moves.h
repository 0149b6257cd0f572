/* The one move of an organization that this process makes at a time, and how far it is.
 * Owner: the server. Any thread; one lock, held for a look.
 * A move waits for the one before it, but not for ever. What it says of itself is for people who wait.
 * Never the truth about what is stored: that stands in organizations.moving.
 * Next: move.h. */
#ifndef INNKEEPER_MOVE_MOVES_H
#define INNKEEPER_MOVE_MOVES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uuid.h"

struct moves;

enum err moves_new(struct moves **out) WARN_UNUSED;
void moves_free(struct moves *moves);

/* This process, as organizations.moving_by names it. */
const struct uuid *moves_process(const struct moves *moves);

/* `what` is static: "export", "import", "delete". False: another one was not done within `milliseconds`. */
bool moves_begin(struct moves *moves, const char *what, int64_t milliseconds) WARN_UNUSED;
void moves_end(struct moves *moves);

/* `part` is static, a table's name for example; `total` 0: nobody knows. */
void moves_part(struct moves *moves, const char *part, int64_t total);
void moves_step(struct moves *moves, int64_t rows);

struct moves_progress {
	const char *what; /* NULL: nothing moves */
	const char *part;
	int64_t done; /* rows of the part */
	int64_t total;
};
void moves_look(struct moves *moves, struct moves_progress *out);

#endif
