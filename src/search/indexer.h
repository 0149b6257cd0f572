/* Brings the words of messages into the index, behind their storing, in small steps.
 * Owner: whoever calls it; the writer's thread, in a transaction of its own.
 * The documents and the mark (which message was looked at last) move together: a crash between two steps leaves neither
 * a hole nor a double. A message that is gone before its turn is never indexed. Behind about every thousandth document
 * stands a mark, a document of an odd number without a text: a search that asks for marks too meets one before long,
 * however far the next hit is, and knows how far it has come. Never touched by the storing of a message. Next:
 * search/words.h, and background.c, which has the step in its table. */
#ifndef INNKEEPER_SEARCH_INDEXER_H
#define INNKEEPER_SEARCH_INDEXER_H

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

/* How the step enters the organizations whose messages it meets; both are auth/tenant.h's. */
struct search_doors {
	const struct scope *system;
	const struct scope *(*open)(struct arena *arena, const struct uuid *organization);
};

/* A step of some milliseconds, in no scope. `*more`: it has not reached the end. */
enum err search_step(struct db *db, const struct search_doors *doors, bool *more) WARN_UNUSED;

/* Messages that were stored in a transaction, by organization: a database with many writers must be told what the index
 * has to come to (sql/search.sql). A lane's; empty between two transactions. */
struct search_awaits {
	const struct scope **list; /* borrowed until the commit */
	size_t count;
	size_t room;
};

/* A message was stored in this scope. Nothing on a database of our own, where the index looks by itself. ERR_MEMORY. */
enum err search_await(struct search_awaits *awaits, const struct db *db, const struct scope *scope) WARN_UNUSED;

/* Before the commit, in no scope: writes it down. Empties it. */
enum err search_settle(struct search_awaits *awaits, struct db *db) WARN_UNUSED;
void search_forget(struct search_awaits *awaits); /* empties it */
void search_awaits_fini(struct search_awaits *awaits);

/* How far the index lies behind. `messages`: numbers between its mark and the newest message; `milliseconds`: the age
 * at `now` of the oldest message that was not looked at, 0 when there is none. In the system's scope. */
enum err search_lag(struct db *db, int64_t now, int64_t *messages, int64_t *milliseconds) WARN_UNUSED;

/* For who removes messages, in the same transaction: the mark. In no scope or any; `system` is entered for it. */
enum err search_reached(struct db *db, const struct scope *system, int64_t *message_number) WARN_UNUSED;

/* Adds or removes what a message says, in its organization's scope. Remove only what was added, with the text it had
 * then: a message up to the mark (search_reached). */
enum err search_add_message(struct db *db, int64_t chat_number, int64_t message_number,
			    struct text content) WARN_UNUSED;
enum err search_remove_message(struct db *db, int64_t chat_number, int64_t message_number,
			       struct text content) WARN_UNUSED;

/* Moves what a chat's summary says, in the organization's scope, in the transaction that writes chat_summaries:
 * `before` is what stood there, `after` what stands there now; absent: nothing. */
enum err search_change_summary(struct db *db, int64_t chat_number, struct text before, struct text after) WARN_UNUSED;

#endif
