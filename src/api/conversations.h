/* What the messages of one transaction have moved in their chats: a chat that was read ahead, before them, is corrected
 * by it. Owner: the server has one for each lane; the lane's thread alone. Empty between two transactions, and again
 * after an item that was undone: then the database knows better. Never needed on a database of our own, where nothing
 * is read ahead, and harmless there. Next: chats.c. */
#ifndef INNKEEPER_API_CONVERSATIONS_H
#define INNKEEPER_API_CONVERSATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Of a chat, by its number. */
struct conversation {
	int64_t number; /* of the chat; 0: a free place */
	int64_t message_count;
	int64_t counted_edition;
	int64_t counted_day;
};

struct conversations {
	struct conversation *places; /* open addressing */
	size_t room;                 /* a power of two, or 0 */
	size_t count;
};

/* NULL: no message of this transaction was of that chat. */
const struct conversation *conversations_find(const struct conversations *conversations, int64_t number);
enum err conversations_put(struct conversations *conversations, const struct conversation *moved) WARN_UNUSED;
void conversations_clear(struct conversations *conversations);
void conversations_fini(struct conversations *conversations);

#endif
