#include "erase/retention.h"

#include "base/clock.h"
#include "store/query.h"

#define CHATS_AT_ONCE      20
#define VISITORS_AT_ONCE   100
#define PIECE_CAP          ((size_t)64 << 20)
#define PIECE_MICROSECONDS 10000

/* Pieces of work in this order: what hangs on a chat or a visitor goes before or with it. */
enum phase { CHATS, MENTIONS, VIEWS, WEB_MENTIONS, VISITORS, PHASE_COUNT };

struct retention {
	struct ledger *const *ledgers; /* by db_lane */
	const struct scope *scope;
	int64_t before;
	enum phase phase;
	/* The last row that was looked at, of chats and visitors: those that stay are looked at once. */
	int64_t after_time;
	int64_t after_number;
	struct erase_receipt receipt;
};

static void begin_phase(struct retention *at, enum phase phase)
{
	at->phase = phase;
	at->after_time = INT64_MIN + 1; /* INT64_MIN is no time but NULL */
	at->after_number = 0;
}

/* What the last ones said is uncounted before more are erased. */
static enum err erase_chats(struct retention *at, struct erasing *erasing, bool *done)
{
	struct chats_older_in in = { .before = at->before,
				     .after_time = at->after_time,
				     .after_number = at->after_number,
				     .limit = CHATS_AT_ONCE };
	struct chats_older_out rows[CHATS_AT_ONCE];
	struct db *db = erasing->counting.db;
	const int64_t until = clock_monotonic() + PIECE_MICROSECONDS;
	size_t count = 0;
	size_t erased = 0;
	bool more = false;
	enum err err = erase_uncount(erasing, &more);

	*done = false;
	if (err != OK || more)
		return err;
	err = db_start(db, STATEMENT_CHATS_OLDER, &in);
	while (err == OK && count < CHATS_AT_ONCE && (err = db_step(db, STATEMENT_CHATS_OLDER, &rows[count])) == OK)
		count++;
	db_stop(db, STATEMENT_CHATS_OLDER);
	err = err == ERR_NOT_FOUND ? OK : err;
	/* One at least; a chat may have much that hangs on it. */
	for (; err == OK && erased < count && (erased == 0 || clock_monotonic() < until); erased++) {
		err = erase_chat_alone(erasing, rows[erased].number);
		at->after_time = rows[erased].created_at;
		at->after_number = rows[erased].number;
	}
	*done = count == 0;
	return err;
}

static enum err erase_visitors(struct retention *at, struct erasing *erasing, bool *done)
{
	struct erase_visitors_older_in in = { .before = at->before,
					      .after_time = at->after_time,
					      .after_number = at->after_number,
					      .limit = VISITORS_AT_ONCE };
	struct erase_visitors_older_out rows[VISITORS_AT_ONCE];
	struct db *db = erasing->counting.db;
	size_t count = 0;
	enum err err = db_start(db, STATEMENT_ERASE_VISITORS_OLDER, &in);

	while (err == OK && count < VISITORS_AT_ONCE &&
	       (err = db_step(db, STATEMENT_ERASE_VISITORS_OLDER, &rows[count])) == OK)
		count++;
	db_stop(db, STATEMENT_ERASE_VISITORS_OLDER);
	err = err == ERR_NOT_FOUND ? OK : err;
	for (size_t i = 0; err == OK && i < count; i++) {
		err = erase_visitor_alone(erasing, &rows[i].id);
		at->after_time = rows[i].created_at;
		at->after_number = rows[i].number;
	}
	*done = count < VISITORS_AT_ONCE;
	return err;
}

static enum err erase_older_rows(struct retention *at, struct erasing *erasing, bool *done)
{
	static const struct erase_source sources[] = {
		[MENTIONS] = { ERASE_MENTIONS, STATEMENT_MENTIONS_OLDER },
		[VIEWS] = { ERASE_VIEWS, STATEMENT_VIEWS_OLDER },
		[WEB_MENTIONS] = { ERASE_WEB_MENTIONS, STATEMENT_WEB_MENTIONS_OLDER },
	};
	bool more = false;
	enum err err =
	    erase_sources(erasing, &sources[at->phase], 1,
			  &(struct mentions_older_in){ at->before, (int64_t)ERASE_AT_ONCE }, ERASE_AT_ONCE, &more);

	*done = !more;
	return err;
}

/* One piece, as an item of the writer. */
static enum err run_piece(struct db *db, void *context)
{
	struct retention *at = context;
	struct arena arena;
	struct erasing erasing = {
		.counting = { .ledger = at->ledgers[db_lane(db)], .db = db, .scope = at->scope, .arena = &arena },
		.receipt = at->receipt
	};
	struct retention next = *at;
	bool done = false;
	enum err err;

	arena_init(&arena, PIECE_CAP);
	if (next.phase == CHATS)
		err = erase_chats(&next, &erasing, &done);
	else if (next.phase == VISITORS)
		err = erase_visitors(&next, &erasing, &done);
	else
		err = erase_older_rows(&next, &erasing, &done);
	arena_fini(&arena);
	if (err == OK && done)
		begin_phase(&next, next.phase + 1);
	if (err == OK) {
		*at = next;
		at->receipt = erasing.receipt;
	}
	return err;
}

enum err retention_apply(struct writer *writer, struct ledger *const *ledgers, const struct scope *scope,
			 int64_t before, const _Atomic bool *ending, struct erase_receipt *receipt)
{
	struct retention at = { .ledgers = ledgers, .scope = scope, .before = before };
	enum err err = OK;

	begin_phase(&at, CHATS);
	while (err == OK && at.phase < PHASE_COUNT && !atomic_load(ending)) {
		/* What a commit has lost is not told as erased, and is found again. */
		struct retention piece = at;

		err = writer_perform(writer, scope, run_piece, &piece);
		if (err == OK)
			at = piece;
	}
	*receipt = at.receipt;
	return err;
}

static enum err count_all(struct db *db, struct arena *arena, int64_t before, struct erase_receipt *receipt)
{
	struct erase_count_chats_out chats;
	struct erase_count_mentions_out mentions;
	struct erase_count_views_out views;
	struct erase_count_web_mentions_out web_mentions;
	struct erase_count_visitors_out visitors;
	/* They all take the one moment. */
	const struct erase_count_chats_in in = { .before = before };
	enum err err = query_one(db, STATEMENT_ERASE_COUNT_CHATS, &in, &chats, arena);

	if (err == OK)
		err = query_one(db, STATEMENT_ERASE_COUNT_MENTIONS, &in, &mentions, arena);
	if (err == OK)
		err = query_one(db, STATEMENT_ERASE_COUNT_VIEWS, &in, &views, arena);
	if (err == OK)
		err = query_one(db, STATEMENT_ERASE_COUNT_WEB_MENTIONS, &in, &web_mentions, arena);
	if (err == OK)
		err = query_one(db, STATEMENT_ERASE_COUNT_VISITORS, &in, &visitors, arena);
	if (err == OK)
		*receipt = (struct erase_receipt){ .chats = chats.chats,
						   .messages = chats.messages,
						   .chat_summaries = chats.summaries,
						   .article_mentions = mentions.count,
						   .article_views = views.count,
						   .web_mentions = web_mentions.count,
						   .visitors = visitors.count };
	return err;
}

enum err retention_count(struct readers *readers, const struct scope *scope, int64_t before,
			 struct erase_receipt *receipt)
{
	struct reading reading;
	struct arena arena;
	enum err err = readers_enter(readers, scope, &reading);

	if (err != OK)
		return err;
	readers_take_time(&reading);
	arena_init(&arena, 4096);
	err = count_all(reading.db, &arena, before, receipt);
	arena_fini(&arena);
	readers_leave(readers, &reading);
	return err;
}
