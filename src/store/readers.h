/* Reading connections, lent for one request each.
 * Owner: the server. Any thread; one lock, held for a hand-over. At most as many as may read at the same time.
 * What is lent is inside a transaction and a scope already: one moment of one organization.
 * Never lends a connection that still has something open. Waits when all are out.
 * Next: db.h. */
#ifndef INNKEEPER_STORE_READERS_H
#define INNKEEPER_STORE_READERS_H

#include <stddef.h>

#include "store/db.h"

struct reader;
struct readers;

/* At most `count` connections: the first is opened now, each other one when it is needed first. */
enum err readers_new(struct readers **out, struct text url, size_t count, const struct log *log,
		     struct fault *fault) WARN_UNUSED;
void readers_free(struct readers *readers);

/* A connection on loan. */
struct reading {
	struct db *db;
	struct reader *reader; /* the pool's */
};

/* What one loan may read at most: whatever is asked, it holds up nobody for longer. */
#define READERS_MOST_MICROSECONDS ((int64_t)2 * 1000 * 1000)

/* Lends a connection, begun and entered, for READERS_MOST_MICROSECONDS; ERR_TOO_SLOW ends what still reads then. Every
 * OK needs a readers_leave. */
enum err readers_enter(struct readers *readers, const struct scope *scope, struct reading *out) WARN_UNUSED;
/* For what reads a whole organization, where nobody waits behind it: as long as it takes. */
void readers_take_time(struct reading *reading);
void readers_leave(struct readers *readers, struct reading *reading);

/* As writer_forsake (writer.h). */
void readers_forsake(struct readers *readers);

#endif
