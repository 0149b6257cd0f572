/* What processes that share a database tell each other: a few words sent with a transaction, heard by all once it is
 * committed, the sender included.
 * Owner: the server. Threads: db_notify on the writer's; `heard` on a thread of the notices' own.
 * PostgreSQL's NOTIFY and LISTEN. A database of our own has nobody else to tell: there nothing is started.
 * Never loses words silently: after a lost connection `heard` is told that it may have missed some.
 * Next: api/bulletin.h (what the words are). */
#ifndef INNKEEPER_STORE_NOTICES_H
#define INNKEEPER_STORE_NOTICES_H

#include "base/err.h"
#include "base/log.h"
#include "base/text.h"

struct notices;

struct notices_options {
	struct text url; /* of a remote database */
	/* What somebody said; absent: something may have been missed. */
	void (*heard)(void *context, struct text words);
	void *context;
	const struct log *log;
};

/* Listens from its return on. ERR_UNAVAILABLE. */
enum err notices_start(struct notices **out, const struct notices_options *options, struct fault *fault) WARN_UNUSED;

/* Listens no longer, some seconds from now at most: notices_stop then need not wait. NULL: nothing, both. */
void notices_hang_up(struct notices *notices);
void notices_stop(struct notices *notices);

#endif
