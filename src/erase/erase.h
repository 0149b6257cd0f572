/* Erases chats and visitors with everything that hangs on them, the search index and the figures included.
 * Owner: the caller; the writer's thread, in the organization's scope, in one transaction.
 * On a chat hangs: its messages and summary; mentions, views and web results that name it; and with the last chat of a
 * session the views and web results that carry this session, no visitor, and no chat that is there.
 * On a visitor hangs: chats, views and web results linked to it; the contact (a user of role Visitor, made by
 * users/identify) of the same e-mail; and of each session that one of these carries, what is no other visitor's, as if
 * the visitor were identified in it once more: chats, and views and web results that name no other chat. A session that
 * two visitors share therefore goes with the first; what is linked to the other stays. Members of the staff stay, also
 * with that e-mail, and so does the organization's record of who erased whom, by id.
 * A chat is gone for every reader when its erasure is stored. What it said is then uncounted in steps, before the
 * caller answers, and its messages leave from the newest back in steps while nobody waits: the table erasures says what
 * is left of both, so that a crash between two steps loses none. Never touches another organization's rows; never fails
 * half: the item's savepoint undoes what was erased. Next: retention.h (what is older than an organization keeps),
 * background.c (the steps), api/erase.c; api/export.c gives out the same rows by the same statements. */
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
	int64_t users;
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
	size_t most; /* messages uncounted in one transaction, and days before them; 0: as the time allows */
};

/* ERR_NOT_FOUND: no such chat. The receipt grows. What it said may be counted still: see erase_uncount. */
enum err erase_chat(struct erasing *erasing, int64_t chat_number) WARN_UNUSED;

/* The same without what carries its session alone. */
enum err erase_chat_alone(struct erasing *erasing, int64_t chat_number) WARN_UNUSED;

/* Uncounts some milliseconds' worth of what the organization's erased chats said. `*more`: there was something. */
enum err erase_uncount(struct erasing *erasing, bool *more) WARN_UNUSED;

/* Who a visitor is, beside its row. */
struct erase_person {
	struct uuid visitor_id;
	struct uuid contact_id; /* nil: there is none */
	struct text user_id;    /* the same as chats and views have it, or absent */
	struct text *sessions;  /* in the arena */
	size_t session_count;
	size_t session_at; /* those before it are empty */
};

/* Any db, in the organization's scope. ERR_NOT_FOUND: no such visitor. */
enum err erase_find_person(struct db *db, struct arena *arena, const struct uuid *visitor_id,
			   struct erase_person *out) WARN_UNUSED;

/* The visitor and what hangs on it; nothing of it is counted afterwards. ERR_NOT_FOUND: no such visitor. */
enum err erase_visitor(struct erasing *erasing, const struct uuid *visitor_id) WARN_UNUSED;

/* The row alone, of one on whom nothing hangs. ERR_NOT_FOUND. */
enum err erase_visitor_alone(struct erasing *erasing, const struct uuid *visitor_id) WARN_UNUSED;

/* For who may wait, before the above: some milliseconds' worth of the rows that hang on it, in a transaction of their
 * own, so that a person of any size holds up nobody. `*more`: some are left. ERR_NOT_FOUND: no such chat. The person is
 * found before the first piece; its sessions are told by rows that go last, so that a crash forgets none. */
enum err erase_chat_some(struct erasing *erasing, int64_t chat_number, bool *more) WARN_UNUSED;
enum err erase_visitor_some(struct erasing *erasing, struct erase_person *person, bool *more) WARN_UNUSED;

#define ERASE_AT_ONCE  ((size_t)500) /* rows of each kind */
#define ERASE_OF_PIECE ((size_t)100) /* while others wait */

enum erase_kind { ERASE_MENTIONS, ERASE_VIEWS, ERASE_WEB_MENTIONS };

/* Rows of one kind, at most `limit`, whose numbers a statement finds; `in` is its struct, with that limit. */
enum err erase_rows(struct erasing *erasing, enum erase_kind kind, enum statement_id id, const void *in, size_t limit,
		    size_t *count) WARN_UNUSED;

/* The same of several kinds, by statements that take the same. `*more`: some are left. */
struct erase_source {
	enum erase_kind kind;
	enum statement_id id;
};
enum err erase_sources(struct erasing *erasing, const struct erase_source *sources, size_t source_count, const void *in,
		       size_t limit, bool *more) WARN_UNUSED;

/* Views and web results that carry a session, no visitor, and no chat that is there. */
enum err erase_carriers(struct erasing *erasing, struct text session_id, size_t limit, bool *more) WARN_UNUSED;

/* Numbers that a statement finds, at most `limit`, read to the end: nothing may walk an index that is changed under it.
 */
enum err erase_find(struct db *db, enum statement_id id, const void *in, int64_t *numbers, size_t limit,
		    size_t *count) WARN_UNUSED;

/* Removes some of the messages of a chat that nobody sees any more, from number `*next` back, with their words up to
 * the index's mark; `*next` becomes the one to go on with, DB_NULL at the end, and `*count` how many went. In the
 * organization's scope. */
enum err erase_messages_some(struct db *db, int64_t chat_number, int64_t mark, struct arena *arena, int64_t *next,
			     int64_t *count) WARN_UNUSED;

/* A step of some milliseconds through what chats that are gone have left, in no scope. What it uncounts is settled. */
enum err erase_step(struct db *db, struct ledger *ledger, const struct search_doors *doors, bool *more) WARN_UNUSED;

#endif
