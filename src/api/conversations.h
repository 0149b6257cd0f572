/* The chats that one transaction writes messages to, where it looks ahead (db_looks_ahead): each is read once, its
 * messages are chained here, and what they have moved is written behind them, once for all.
 * Owner: the server has one for each lane; the lane's thread alone. Empty between two transactions.
 * A chat that something else has changed meanwhile is not written over: the transaction fails and is done with care,
 * which needs none of this. Texts and scopes are borrowed from the calls, which outlive their transaction.
 * Next: chats.c. */
#ifndef INNKEEPER_API_CONVERSATIONS_H
#define INNKEEPER_API_CONVERSATIONS_H

#include "store/db.h"

struct conversation {
	const struct scope *scope;
	struct text chat_id;
	struct text session_id;
	int64_t number; /* of the chat; DB_NULL: it was not there when it was read ahead */
	int64_t message_count;
	int64_t last_message;
	int64_t counted_edition;
	int64_t counted_day;
	int64_t updated_at;
	int64_t previous; /* the last message that the database knows of */
	int64_t messages; /* since then */
};

struct conversations {
	struct conversation *list;
	size_t count, room;
	uint32_t *places; /* open addressing, twice the room: an index of the list and 1, or 0 */
	size_t wanted;    /* numbers of messages, as the calls to come have said */
	int64_t *numbers; /* drawn, and not given yet from `given` on */
	size_t given, drawn, number_room;
	struct uuid drawn_for;
};

/* NULL: it was not added. Valid until the next one is added. */
struct conversation *conversations_find(struct conversations *conversations, const struct scope *scope,
					struct text chat_id);
/* ERR_MEMORY. */
enum err conversations_add(struct conversations *conversations, const struct conversation *read,
			   struct conversation **out) WARN_UNUSED;

/* A message is to come; and, when all have said so, their numbers are asked for together. */
void conversations_want(struct conversations *conversations);
void conversations_foresee(const struct conversations *conversations, struct db *db);

/* The number of the next message, in the organization entered. */
enum err conversations_number(struct conversations *conversations, struct db *db, int64_t *out) WARN_UNUSED;

/* Writes what was moved, in no scope: before the commit, and before anything that may look at it. */
enum err conversations_flush(struct conversations *conversations, struct db *db) WARN_UNUSED;

void conversations_clear(struct conversations *conversations);
void conversations_fini(struct conversations *conversations);

#endif
