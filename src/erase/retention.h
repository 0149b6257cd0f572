/* Erases what is older than an organization keeps.
 * Owner: the caller, a thread that may wait (jobs, the slow thread): the writer does it in pieces, one transaction
 * each. A chat is as old as what moved it last; a mention, a view or a web result as its own time; a visitor goes when
 * nothing hangs on it any more and it was not seen since. Run again it goes on where it ended, whatever ended it. Never
 * enters two organizations; never reads the clock: what is old is told. Next: erase.h, jobs.c. */
#ifndef INNKEEPER_ERASE_RETENTION_H
#define INNKEEPER_ERASE_RETENTION_H

#include <stdatomic.h>

#include "erase/erase.h"
#include "store/readers.h"
#include "store/writer.h"

#define RETENTION_DAYS_MAX 36500 /* that an organization may keep its data */

/* Erases in the scope everything from before `before` (ms), until `ending` is set: the server stops, and the next run
 * goes on. The receipt holds what was erased, also on failure. */
enum err retention_apply(struct writer *writer, struct ledger *const *ledgers, const struct scope *scope,
			 int64_t before, const _Atomic bool *ending, struct erase_receipt *receipt) WARN_UNUSED;

/* What retention_apply would erase, counted. */
enum err retention_count(struct readers *readers, const struct scope *scope, int64_t before,
			 struct erase_receipt *receipt) WARN_UNUSED;

#endif
