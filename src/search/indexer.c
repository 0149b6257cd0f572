#include "search/indexer.h"

#include <stdlib.h>
#include <string.h>

#include "search/hidden_words.h"
#include "search/words.h"
#include "store/query.h"

#define STEP_MESSAGES        200
#define STEP_MESSAGES_REMOTE 50         /* a tenth of a millisecond each, and the organization's writer waits */
#define STEP_BYTES           (24 << 10) /* of content; the message that reaches it is the last */
#define ARENA_CAP            (64 << 20)
#define MARK_EVERY           1024       /* documents of a search, about */
#define WORDS_LIMIT          (64 << 20) /* bytes, of one document */

/* One step's messages. */
struct news {
	struct search_news_out list[STEP_MESSAGES];
	size_t count;
	int64_t last; /* the greatest number among them */
	bool all;     /* nothing is left behind them */
};

/* Even; a mark behind it has the odd number that follows. */
static int64_t document_of(int64_t chat_number, int64_t message_number)
{
	return (int64_t)((uint64_t)chat_number << 32 | ((uint64_t)message_number << 1 & UINT32_MAX));
}

/* By chance, and always the same: messages that come by turns from several organizations leave none of these without
 * marks. Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4). */
static bool has_mark(int64_t message_number)
{
	return ((uint64_t)message_number * UINT64_C(0x9e3779b97f4a7c15) >> 32) % MARK_EVERY == 0;
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

/* On PostgreSQL words are hidden before they are sent. */
static enum err add_hidden(struct db *db, int64_t document, struct text words)
{
	struct buffer hidden;
	enum err err;

	buffer_init(&hidden, WORDS_LIMIT);
	err = hidden_words(scope_organization(db_scope(db)), words, &hidden);
	if (err == OK)
		err = db_send(db, STATEMENT_SEARCH_ADD,
			      &(struct search_add_in){ .document = document, .words = { hidden.at, hidden.length } });
	buffer_fini(&hidden);
	return err;
}

static enum err add(struct db *db, int64_t document, struct text words)
{
	if (db_is_remote(db))
		return add_hidden(db, document, words);
	return db_send(db, STATEMENT_SEARCH_ADD, &(struct search_add_in){ .document = document, .words = words });
}

static enum err remove_words(struct db *db, int64_t document, struct text words)
{
	return query_run(db, STATEMENT_SEARCH_REMOVE,
			 &(struct search_remove_in){ .document = document, .words = words }, NULL);
}

enum err search_add_message(struct db *db, int64_t chat_number, int64_t message_number, struct text content)
{
	const int64_t document = document_of(chat_number, message_number);
	enum err err = with_words(content, add, db, document);

	return err == OK && has_mark(message_number) ? add(db, document + 1, TEXT(WORDS_MARK)) : err;
}

enum err search_remove_message(struct db *db, int64_t chat_number, int64_t message_number, struct text content)
{
	const int64_t document = document_of(chat_number, message_number);
	enum err err = with_words(content, remove_words, db, document);

	return err == OK && has_mark(message_number) ? remove_words(db, document + 1, TEXT(WORDS_MARK)) : err;
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
		news->last = row.number;
		news->list[news->count++] = row;
	}
	db_stop(db, STATEMENT_SEARCH_NEWS);
	news->all = err == ERR_NOT_FOUND && news->count < STEP_MESSAGES;
	return err == ERR_NOT_FOUND ? OK : err;
}

static int compare_news(const void *left, const void *right)
{
	const struct search_news_out *a = left;
	const struct search_news_out *b = right;
	const int64_t first = document_of(a->chat_number, a->number);
	const int64_t second = document_of(b->chat_number, b->number);
	const int order = memcmp(&a->organization_id, &b->organization_id, sizeof a->organization_id);

	return order != 0 ? order : (first > second) - (first < second);
}

/* Those of one organization, from `*at` on; in its scope. */
static enum err add_some(struct db *db, const struct news *news, size_t *at)
{
	const struct uuid organization = news->list[*at].organization_id;
	enum err err = OK;

	do {
		const struct search_news_out *message = &news->list[*at];

		err = search_add_message(db, message->chat_number, message->number, message->content);
		++*at;
	} while (err == OK && *at < news->count && uuid_equal(&news->list[*at].organization_id, &organization));
	return err;
}

static enum err in_scope(struct db *db, const struct scope *scope, const struct news *news, size_t *at)
{
	enum err err = scope == NULL ? ERR_MEMORY : db_enter(db, scope);
	enum err left;

	if (err != OK)
		return err;
	err = add_some(db, news, at);
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

static enum err find_work(struct db *db, const struct search_doors *doors, struct arena *arena,
			  const struct scope **scope)
{
	struct search_work_out work;
	enum err err = db_enter(db, doors->system);
	enum err left;

	*scope = NULL;
	if (err != OK)
		return err;
	err = query_one(db, STATEMENT_SEARCH_WORK, NULL, &work, arena);
	left = db_leave(db, true);
	if (left != OK || err != OK)
		return left == OK ? err : left;
	*scope = doors->open(arena, &work.organization_id);
	return *scope == NULL ? ERR_MEMORY : OK;
}

/* What an organization has new, in its scope. Nobody erases meanwhile what is read here: one transaction writes at a
 * time of an organization. */
static enum err read_news_of_organization(struct db *db, struct news *news, struct arena *arena)
{
	struct search_news_of_organization_out found;
	size_t bytes = 0;
	enum err err = db_start(db, STATEMENT_SEARCH_NEWS_OF_ORGANIZATION,
				&(struct search_news_of_organization_in){ .limit = STEP_MESSAGES_REMOTE });

	while (err == OK && bytes < STEP_BYTES &&
	       (err = db_step(db, STATEMENT_SEARCH_NEWS_OF_ORGANIZATION, &found)) == OK) {
		const struct text content = text_copy(arena, found.content);

		if (content.at == NULL)
			err = ERR_MEMORY;
		bytes += content.length;
		news->last = found.number;
		news->list[news->count++] = (struct search_news_out){ .number = found.number,
								      .organization_id = found.organization_id,
								      .chat_number = found.chat_number,
								      .content = content };
	}
	db_stop(db, STATEMENT_SEARCH_NEWS_OF_ORGANIZATION);
	news->all = err == ERR_NOT_FOUND && news->count < STEP_MESSAGES_REMOTE;
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err index_organization(struct db *db, struct news *news, struct arena *arena)
{
	struct search_advance_in advance = { .last_message = DB_NULL };
	size_t at = 0;
	enum err err = read_news_of_organization(db, news, arena);

	if (err == OK && news->count > 0)
		err = add_some(db, news, &at);
	/* A number that was awaited may belong to nothing: its transaction was undone. */
	if (!news->all)
		advance.last_message = news->last;
	return err == OK ? query_run(db, STATEMENT_SEARCH_ADVANCE, &advance, NULL) : err;
}

static enum err remote_step(struct db *db, const struct search_doors *doors, bool *more)
{
	const struct scope *scope = NULL;
	struct arena arena;
	struct news *news;
	enum err left;
	enum err err;

	arena_init(&arena, ARENA_CAP);
	news = arena_take(&arena, sizeof *news);
	err = news == NULL ? ERR_MEMORY : find_work(db, doors, &arena, &scope);
	if (err == OK)
		err = db_enter(db, scope);
	if (err == OK) {
		err = index_organization(db, news, &arena);
		left = db_leave(db, err == OK);
		err = left == OK ? err : left;
		*more = err == OK; /* of another organization, if not of this one */
	}
	arena_fini(&arena);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err search_await(struct search_awaits *awaits, const struct db *db, const struct scope *scope)
{
	const struct scope *last = awaits->count == 0 ? NULL : awaits->list[awaits->count - 1];

	if (!db_is_remote(db) || (last != NULL && uuid_equal(scope_organization(last), scope_organization(scope))))
		return OK;
	if (awaits->count == awaits->room) {
		const size_t room = awaits->room == 0 ? 16 : awaits->room * 2;
		const struct scope **list = realloc((void *)awaits->list, room * sizeof(struct scope *));

		if (list == NULL)
			return ERR_MEMORY;
		awaits->list = list;
		awaits->room = room;
	}
	awaits->list[awaits->count++] = scope;
	return OK;
}

enum err search_settle(struct search_awaits *awaits, struct db *db)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < awaits->count; i++) {
		enum err left;

		err = db_enter(db, awaits->list[i]);
		if (err != OK)
			break;
		err = db_send(db, STATEMENT_SEARCH_AWAIT, NULL);
		left = db_leave(db, err == OK);
		err = left == OK ? err : left;
	}
	search_forget(awaits);
	return err;
}

void search_forget(struct search_awaits *awaits)
{
	awaits->count = 0;
}

void search_awaits_fini(struct search_awaits *awaits)
{
	free((void *)awaits->list);
	*awaits = (struct search_awaits){ 0 };
}

/* FTS5 gathers what is added in memory as long as it comes in the order of the documents and nothing is left by a
 * savepoint; at each other turn it writes what it has as a piece of its own, which is to be merged with all others
 * later. So: sorted, and every organization is entered once. */
enum err search_step(struct db *db, const struct search_doors *doors, bool *more)
{
	struct arena arena;
	struct news *news;
	size_t at = 0;
	enum err err = ERR_MEMORY;

	*more = false;
	if (db_is_remote(db))
		return remote_step(db, doors, more);
	arena_init(&arena, ARENA_CAP);
	news = arena_take(&arena, sizeof *news);
	if (news != NULL)
		err = read_all(db, doors, &arena, news);
	if (err == OK)
		qsort(news->list, news->count, sizeof news->list[0], compare_news);
	while (err == OK && at < news->count)
		err = in_scope(db, doors->open(&arena, &news->list[at].organization_id), news, &at);
	if (err == OK && at > 0)
		err = move_mark(db, doors, news->last);
	if (err == OK)
		*more = !news->all;
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
	if (err == ERR_NOT_FOUND)
		return OK; /* no organization has stored anything yet */
	if (err != OK || uuid_is_nil(&lag.waiting_id))
		return err;
	*messages = lag.newest_message - lag.last_message;
	*milliseconds = now > time_of(&lag.waiting_id) ? now - time_of(&lag.waiting_id) : 0;
	return OK;
}
