/* What happened, told to the figures: one line in the handler that stores or erases it, in the same transaction.
 * Owner: the writer's thread; a struct counting and what it points at belong to the caller for the time of the call.
 * Each function takes the event as it stands in its row and a sign: COUNTED when it was stored, UNCOUNTED when it is
 * erased. What changes is uncounted as it was and counted as it is.
 * Never fails but for memory or the store; then the item must fail too, and its savepoint undoes what was counted.
 * Next: ledger.h (what becomes of it), metric.h. */
#ifndef INNKEEPER_ANALYTICS_COUNTING_H
#define INNKEEPER_ANALYTICS_COUNTING_H

#include "analytics/ledger.h"
#include "base/arena.h"

enum sign { UNCOUNTED = -1, COUNTED = 1 };

struct counting {
	struct ledger *ledger;
	struct db *db; /* the writer's, in `scope` */
	const struct scope *scope;
	struct arena *arena; /* for what is looked up on the way */
};

/* For who will count something in the scope entered: reads ahead what that needs (db_foresee). */
void counting_foresee(struct db *db);

struct counted_chat {
	int64_t number;
	int64_t created_at; /* ms, as all times here */
	struct text session_id;
	struct text location;
	struct text user_agent;
};
enum err counting_chat(const struct counting *counting, const struct counted_chat *chat, enum sign sign) WARN_UNUSED;

/* Where a chat's last counted user message fell; kept in chat_activity, so that the next one of the same day costs no
 * look-up. Read it before, store it after. Both DB_NULL: not known. */
struct counted_last {
	int64_t edition;
	int64_t day;
};
/* Of role user. (Other roles are not counted.) */
struct counted_message {
	int64_t chat_number;
	struct text session_id; /* of its chat */
	int64_t created_at;
};
enum err counting_message(const struct counting *counting, const struct counted_message *message,
			  struct counted_last *last) WARN_UNUSED;
/* It will be: what that reads of its chat is asked for ahead, once counting_foresee's has come. What cannot be foreseen
 * is read when it is wanted. */
void counting_message_foresee(const struct counting *counting, const struct counted_message *message,
			      const struct counted_last *last);

/* What an erased chat said, as far as it is still counted. */
struct counted_rest {
	int64_t chat_number;
	struct text session_id; /* the chat's; absent: nothing is counted any more */
	int64_t message;        /* number of the newest one that is; DB_NULL: none */
	int64_t edition;        /* which counted all of it; DB_NULL: none */
	int64_t build_edition;  /* which had come to the chat when it was erased; DB_NULL: none */
	int64_t build_behind;   /* and counted its messages of greater numbers than this */
};

/* A chat is about to be erased: uncounts the chat itself. What it said follows by steps of counting_rest, for which its
 * messages must stay until then. Mentions, views and web results that name it are not the chat's: uncount those that
 * are erased too, each by its function. */
enum err counting_chat_erased(const struct counting *counting, int64_t chat_number,
			      struct counted_rest *rest) WARN_UNUSED;

/* At most `most` days on which it was engaged, then at most `most` messages; moves `*rest`. */
enum err counting_rest(const struct counting *counting, struct counted_rest *rest, size_t most) WARN_UNUSED;

/* A mention or a view of an article. */
struct counted_article {
	int64_t number;
	int64_t at;
	struct text id;
	struct text name;
	struct text slug;
	struct text type;
	struct text session_id; /* of a view; absent when unknown */
};
enum err counting_mention(const struct counting *counting, const struct counted_article *mention,
			  enum sign sign) WARN_UNUSED;
enum err counting_view(const struct counting *counting, const struct counted_article *view, enum sign sign) WARN_UNUSED;

/* A web result that was shown, clicked or not. */
struct counted_web_mention {
	int64_t number;
	int64_t mentioned_at;
	int64_t clicked_at; /* DB_NULL: not clicked */
	struct text url;
	struct text title;
	struct text chat_id; /* absent when unknown */
	struct text session_id;
};
/* Shown; with its click, if it has one. UNCOUNTED is told when the row is gone already, since what was shown before it
 * is looked up then. */
enum err counting_web_mention(const struct counting *counting, const struct counted_web_mention *mention,
			      enum sign sign) WARN_UNUSED;
/* Clicked for the first time; `clicked_at` is set. */
enum err counting_click(const struct counting *counting, const struct counted_web_mention *mention) WARN_UNUSED;

struct counted_visitor {
	int64_t number;
	int64_t created_at;
	struct text metadata; /* JSON as it was stored, or absent */
};
/* Made: before is NULL. Changed: both. Gone: after is NULL. */
enum err counting_visitor(const struct counting *counting, const struct counted_visitor *before,
			  const struct counted_visitor *after) WARN_UNUSED;

#endif
