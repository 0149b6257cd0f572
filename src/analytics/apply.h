/* How one event moves the rollups of the editions it is to move.
 * Owner: the writer's thread; see counting.h.
 * counting.c decides which editions an event concerns, build.c goes through raw rows for one alone.
 * Never looks at the raw tables beyond what a figure needs.
 * Next: ledger.h. */
#ifndef INNKEEPER_ANALYTICS_APPLY_H
#define INNKEEPER_ANALYTICS_APPLY_H

#include "analytics/counting.h"

struct apply {
	const struct counting *counting;
	const struct book *book;
	struct edition editions[2];
	size_t count;
	int64_t behind[2]; /* of a conversation each edition counts the messages of greater numbers than this */
};

enum err apply_chat(const struct apply *apply, const struct counted_chat *chat, enum sign sign) WARN_UNUSED;

/* `engaged_on`: its chat is known to be engaged that day in the first edition (DB_NULL: not known). */
enum err apply_message(const struct apply *apply, const struct counted_message *message,
		       int64_t engaged_on) WARN_UNUSED;
void apply_message_foresee(const struct apply *apply, const struct counted_message *message, int64_t engaged_on);

/* User messages of a chat, from `*message` back, at most `most` messages, counted or uncounted; `*message` is where it
 * goes on then (DB_NULL: that was the first). `*seen` grows by the messages there are. Uncounting leaves the days on
 * which the chat was engaged to apply_disengage. */
enum err apply_conversation(const struct apply *apply, int64_t chat_number, struct text session_id, int64_t *message,
			    size_t most, enum sign sign, int64_t *seen) WARN_UNUSED;

/* The chat is erased: it was engaged on no day. At most `most` days; `*more`: some are left. */
enum err apply_disengage(const struct apply *apply, int64_t chat_number, struct text session_id, size_t most,
			 bool *more) WARN_UNUSED;

enum err apply_mention(const struct apply *apply, const struct counted_article *mention, enum sign sign) WARN_UNUSED;
enum err apply_view(const struct apply *apply, const struct counted_article *view, enum sign sign) WARN_UNUSED;
enum err apply_click(const struct apply *apply, const struct counted_web_mention *mention, enum sign sign) WARN_UNUSED;
enum err apply_visitor(const struct apply *apply, const struct counted_visitor *visitor, enum sign sign) WARN_UNUSED;

#endif
