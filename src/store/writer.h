/* Group commit: threads that write, and answer nobody before the commit has returned. On SQLite one, elsewhere several,
 * an organization always on the same one. Owner: struct writer belongs to the server; an item belongs to its submitter
 * until `done` was called. Threads: its own; `run` and `done` are called there. writer_submit: any thread. Never drops
 * an item: each one submitted is done, with its own outcome, exactly once. A failed sync ends the process. Next:
 * api/dispatch.c, which submits requests. */
#ifndef INNKEEPER_STORE_WRITER_H
#define INNKEEPER_STORE_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/db.h"

/* What is foreseen: first what an item names itself, of all items together; then what follows from what was found. */
enum foresight { FORESEE_NAMED, FORESEE_FOUND };

#define WRITER_LANES 4 /* at most; which one a db is of: db_lane */

struct writer_item {
	const struct scope *scope; /* entered around `run`; says whose it is in any case */
	/* The work is many parts, and `run` enters a scope for each by itself: one savepoint around all of them would
	 * keep what every part may have to undo until the last. Then `run` fails only if the transaction is to be lost.
	 */
	bool parts;
	/* The work. Anything but OK undoes what it wrote (its savepoint); the others of the batch are not touched. */
	enum err (*run)(struct db *db, void *context);
	/* The outcome: run's own once the batch is durable, ERR_UNAVAILABLE or ERR_STORAGE if the batch was not. */
	void (*done)(void *context, enum err outcome);
	void *context;
	/* Before `run` is called once more, its transaction having been lost: puts everything back that the first call
	 * changed outside of the database. NULL: it can be called once. */
	void (*again)(void *context);
	/* Tells by db_foresee what `run` will read; in the scope, once in each round. NULL: it does not know. */
	void (*foresee)(struct db *db, enum foresight round, void *context);
	/* The writer's. */
	struct writer_item *next;
	enum err outcome;
};

/* What else happens on the thread of a lane, whose `db` it is; each function may be NULL. */
struct writer_hooks {
	void *context;
	/* An item has run and its scope was left: what it wrote is kept (until the commit) or undone. An item of parts
	 * tells of them by itself. */
	void (*end_item)(void *context, struct db *db, bool kept);
	/* The items to come have said what they name: what they want together. In their scope. */
	void (*foresee)(void *context, struct db *db);
	/* Before an item that does not look ahead, in no scope: stores what it might look at. Anything but OK loses the
	 * transaction. An item of parts sees to it by itself. */
	enum err (*catch_up)(void *context, struct db *db);
	/* Before each commit, in no scope: stores what the items have gathered. Anything but OK loses the transaction.
	 */
	enum err (*settle)(struct db *db, void *context);
	/* The transaction is lost: what its items gathered never was. */
	void (*forget)(void *context, struct db *db);
	/* Nobody waits, on the first lane: a step of some milliseconds, in a transaction of its own, in no scope.
	 * `*more`: there is more to do, the next step may follow at once. Anything but OK undoes the step. */
	enum err (*idle)(struct db *db, void *context, bool *more);
};

struct writer_options {
	struct text url;    /* of the database */
	size_t queue_limit; /* items waiting in a lane; one more is ERR_UNAVAILABLE */
	size_t batch_limit; /* items in one transaction */
	size_t lanes;       /* at most so many; 0: as many as the database has use for */
	struct writer_hooks hooks;
	const struct log *log;
	struct metrics *metrics;
};

struct writer;

/* Opens the writing connections and starts the threads. */
enum err writer_start(struct writer **out, const struct writer_options *options, struct fault *fault) WARN_UNUSED;

/* Any thread. ERR_UNAVAILABLE when the queue is full or the writer is stopping: then `done` is not called. */
enum err writer_submit(struct writer *writer, struct writer_item *item) WARN_UNUSED;

/* Submits and waits until it is durable; for jobs and tests, never for an HTTP thread. */
enum err writer_perform(struct writer *writer, const struct scope *scope, enum err (*run)(struct db *db, void *context),
			void *context) WARN_UNUSED;

/* The same of work that tells what it will read, and that can be done once more: see writer_item. */
struct writer_work {
	enum err (*run)(struct db *db, void *context);
	void (*again)(void *context);
	void (*foresee)(struct db *db, enum foresight round, void *context);
	void *context;
};
enum err writer_perform_work(struct writer *writer, const struct scope *scope,
			     const struct writer_work *work) WARN_UNUSED;

/* Submits and does not wait: for what may be lost with the process. `size` bytes of `context` are copied, the scope
 * too.
 */
enum err writer_post(struct writer *writer, const struct scope *scope, enum err (*run)(struct db *db, void *context),
		     const void *context, size_t size) WARN_UNUSED;

size_t writer_depth(struct writer *writer); /* items waiting */

/* Whether there has lately been more to write than the writer can: see saturation.h. Any thread; one atomic read while
 * it is not. It ends by itself when nothing has come for a fifth of a second. */
bool writer_is_saturated(const struct writer *writer);

/* Whether a lane has lost its remote database, by what it met last. Any thread. */
bool writer_is_lost(const struct writer *writer);

/* From now on a remote database that is lost, or will be, is not reached anew: who asks is told so at once. For a
 * server that stops. */
void writer_forsake(struct writer *writer);

/* Takes no more, finishes what waits, moves the log home, closes. Who may still submit need not know: it is refused. */
void writer_stop(struct writer *writer);
/* Stops it, if it was not. Nobody may submit any more. */
void writer_free(struct writer *writer);

#endif
