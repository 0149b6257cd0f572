/* Erases chats and visitors with everything that hangs on them, the search index and the figures included.
 * Owner: the caller; the writer's thread, in the organization's scope, in one transaction.
 * A chat is gone for every reader when its erasure is stored. Its messages follow from the newest back, in steps while
 * nobody waits: the table erasures says which are left, so that a crash between two steps loses none. Never touches
 * another organization's rows; never fails half: the item's savepoint undoes what was erased. Next: retention.h (what
 * is older than an organization keeps), background.c (the steps), api/erase.c. */
#ifndef INNKEEPER_ERASE_ERASE_H
#define INNKEEPER_ERASE_ERASE_H

#include "analytics/counting.h"
#include "search/indexer.h"

/* Rows, by table. Messages count when their chat goes. */
struct erase_receipt {
	int64_t chats;
	int64_t messages;
	int64_t chat_summaries;
	int64_t article_mentions;
	int64_t article_views;
	int64_t web_mentions;
	int64_t visitors;
};

/* The names under which a receipt is told, in order. */
struct erase_part {
	const char *name;
	size_t offset; /* of the int64_t in struct erase_receipt */
};
extern const struct erase_part erase_parts[];
extern const size_t erase_part_count;

struct erasing {
	struct counting counting; /* db, scope, arena and the figures */
	struct erase_receipt receipt;
};

/* ERR_NOT_FOUND: no such chat. The receipt grows. */
enum err erase_chat(struct erasing *erasing, int64_t chat_number) WARN_UNUSED;

/* The visitor, all chats of it, and what else was linked to it. ERR_NOT_FOUND: no such visitor. */
enum err erase_visitor(struct erasing *erasing, const struct uuid *visitor_id) WARN_UNUSED;

/* For who may wait, before the above: some milliseconds' worth of the rows that hang on it, in a transaction of their
 * own, so that a person of any size holds up nobody. `*more`: some are left. ERR_NOT_FOUND: no such chat; a visitor
 * that is none has no rows. */
enum err erase_chat_some(struct erasing *erasing, int64_t chat_number, bool *more) WARN_UNUSED;
enum err erase_visitor_some(struct erasing *erasing, const struct uuid *visitor_id, bool *more) WARN_UNUSED;

/* Rows of one kind, at most `limit`, that a statement finds; `in` is its struct, with that limit. For retention.c. */
enum err erase_mentions(struct erasing *erasing, enum statement_id id, const void *in, size_t limit,
			size_t *count) WARN_UNUSED;
enum err erase_views(struct erasing *erasing, enum statement_id id, const void *in, size_t limit,
		     size_t *count) WARN_UNUSED;
enum err erase_web_mentions(struct erasing *erasing, enum statement_id id, const void *in, size_t limit,
			    size_t *count) WARN_UNUSED;

/* A step of some milliseconds through the messages of chats that are gone, in no scope. */
enum err erase_step(struct db *db, const struct search_doors *doors, bool *more) WARN_UNUSED;

#endif
