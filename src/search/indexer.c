#include "search/indexer.h"

#include "base/clock.h"
#include "search/words.h"
#include "store/query.h"

#define STEP_MESSAGES     200
#define STEP_BYTES        (256 << 10) /* of content */
#define STEP_MICROSECONDS 5000
#define ARENA_CAP         (64 << 20)
#define WORDS_LIMIT       (64 << 20) /* bytes, of one document */

/* One step's messages, in the order of their numbers. */
struct news {
	struct search_news_out list[STEP_MESSAGES];
	size_t count;
	bool all; /* nothing is left behind them */
};

static int64_t document_of(int64_t chat_number, int64_t message_number)
{
	return (int64_t)((uint64_t)chat_number << 32 | ((uint64_t)message_number & UINT32_MAX));
}

/* With the words of a text, which live until the arena's end. */
static enum err with_words(struct text text, enum err (*use)(struct db *, int64_t, struct text), struct db *db,
			   int64_t document)
{
	struct arena arena;
	struct buffer words;
	enum err err;

	if (text.length == 0)
		return OK;
	arena_init(&arena, ARENA_CAP);
	buffer_init(&words, WORDS_LIMIT);
	err = words_of_document(text, &arena, &words);
	if (err == OK && words.length > 0)
		err = use(db, document, (struct text){ words.at, words.length });
	buffer_fini(&words);
	arena_fini(&arena);
	return err;
}

static enum err add(struct db *db, int64_t document, struct text words)
{
	return query_run(db, STATEMENT_SEARCH_ADD, &(struct search_add_in){ .document = document, .words = words },
			 NULL);
}

static enum err remove_words(struct db *db, int64_t document, struct text words)
{
	return query_run(db, STATEMENT_SEARCH_REMOVE,
			 &(struct search_remove_in){ .document = document, .words = words }, NULL);
}

enum err search_add_message(struct db *db, int64_t chat_number, int64_t message_number, struct text content)
{
	return with_words(content, add, db, document_of(chat_number, message_number));
}

enum err search_remove_message(struct db *db, int64_t chat_number, int64_t message_number, struct text content)
{
	return with_words(content, remove_words, db, document_of(chat_number, message_number));
}

enum err search_change_summary(struct db *db, int64_t chat_number, struct text before, struct text after)
{
	enum err err = with_words(before, remove_words, db, document_of(chat_number, 0));

	return err == OK ? with_words(after, add, db, document_of(chat_number, 0)) : err;
}

static enum err read_mark(struct db *db, int64_t *mark)
{
	struct search_progress_out progress;
	struct arena arena;
	enum err err;

	arena_init(&arena, 4096);
	err = query_one(db, STATEMENT_SEARCH_PROGRESS, NULL, &progress, &arena);
	arena_fini(&arena);
	*mark = err == OK ? progress.last_message : 0;
	return err;
}

enum err search_reached(struct db *db, const struct scope *system, int64_t *message_number)
{
	enum err err = db_enter(db, system);
	enum err left;

	if (err != OK)
		return err;
	err = read_mark(db, message_number);
	left = db_leave(db, err == OK);
	return left == OK ? err : left;
}

/* Copied, since leaving the system's scope ends its statements. */
static enum err read_news(struct db *db, struct arena *arena, struct news *news)
{
	struct search_news_in in = { .limit = STEP_MESSAGES };
	struct search_news_out row;
	size_t bytes = 0;
	enum err err = read_mark(db, &in.after);

	if (err == OK)
		err = db_start(db, STATEMENT_SEARCH_NEWS, &in);
	while (err == OK && bytes < STEP_BYTES && (err = db_step(db, STATEMENT_SEARCH_NEWS, &row)) == OK) {
		row.content = text_copy(arena, row.content);
		if (row.content.at == NULL)
			err = ERR_MEMORY;
		bytes += row.content.length;
		news->list[news->count++] = row;
	}
	db_stop(db, STATEMENT_SEARCH_NEWS);
	news->all = err == ERR_NOT_FOUND && news->count < STEP_MESSAGES;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Those of one organization that stand together, from `*at` on; in its scope. */
static enum err add_some(struct db *db, const struct news *news, size_t *at, int64_t until)
{
	const struct uuid organization = news->list[*at].organization_id;
	enum err err = OK;

	do {
		const struct search_news_out *message = &news->list[*at];

		err = search_add_message(db, message->chat_number, message->number, message->content);
		if (err == OK)
			++*at;
	} while (err == OK && *at < news->count && clock_monotonic() < until &&
		 uuid_equal(&news->list[*at].organization_id, &organization));
	return err;
}

static enum err in_scope(struct db *db, const struct scope *scope, const struct news *news, size_t *at, int64_t until)
{
	enum err err = scope == NULL ? ERR_MEMORY : db_enter(db, scope);
	enum err left;

	if (err != OK)
		return err;
	err = add_some(db, news, at, until);
	left = db_leave(db, err == OK);
	return left == OK ? err : left;
}

static enum err read_all(struct db *db, const struct search_doors *doors, struct arena *arena, struct news *news)
{
	enum err err = db_enter(db, doors->system);
	enum err left;

	if (err != OK)
		return err;
	err = read_news(db, arena, news);
	left = db_leave(db, err == OK);
	return left == OK ? err : left;
}

static enum err move_mark(struct db *db, const struct search_doors *doors, int64_t number)
{
	enum err err = db_enter(db, doors->system);
	enum err left;

	if (err != OK)
		return err;
	err = query_run(db, STATEMENT_SEARCH_PROGRESS_MOVE, &(struct search_progress_move_in){ .last_message = number },
			NULL);
	left = db_leave(db, err == OK);
	return left == OK ? err : left;
}

enum err search_step(struct db *db, const struct search_doors *doors, bool *more)
{
	const int64_t until = clock_monotonic() + STEP_MICROSECONDS;
	struct arena arena;
	struct news *news;
	size_t at = 0;
	enum err err = ERR_MEMORY;

	*more = false;
	arena_init(&arena, ARENA_CAP);
	news = arena_take(&arena, sizeof *news);
	if (news != NULL)
		err = read_all(db, doors, &arena, news);
	while (err == OK && at < news->count && (at == 0 || clock_monotonic() < until))
		err = in_scope(db, doors->open(&arena, &news->list[at].organization_id), news, &at, until);
	if (err == OK && at > 0)
		err = move_mark(db, doors, news->list[at - 1].number);
	if (err == OK)
		*more = at < news->count || !news->all;
	arena_fini(&arena);
	return err;
}

/* The time that a UUID version 7 begins with (RFC 9562, 5.7). */
static int64_t time_of(const struct uuid *id)
{
	int64_t time = 0;

	for (size_t i = 0; i < 6; i++)
		time = time << 8 | id->bytes[i];
	return time;
}

enum err search_lag(struct db *db, int64_t now, int64_t *messages, int64_t *milliseconds)
{
	struct search_lag_out lag;
	struct arena arena;
	enum err err;

	arena_init(&arena, 4096);
	err = query_one(db, STATEMENT_SEARCH_LAG, NULL, &lag, &arena);
	arena_fini(&arena);
	*messages = 0;
	*milliseconds = 0;
	if (err != OK || uuid_is_nil(&lag.waiting_id))
		return err;
	*messages = lag.newest_message - lag.last_message;
	*milliseconds = now > time_of(&lag.waiting_id) ? now - time_of(&lag.waiting_id) : 0;
	return OK;
}
