#include "analytics/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/size.h"
#include "store/query.h"

#define BOOKS_KEPT ((size_t)4096)              /* organizations remembered from one transaction to the next */
#define TEXT_CAP   ((size_t)256 * 1024 * 1024) /* labels of one transaction */
#define FIRST_SIZE 256                         /* of the tables; powers of two */
#define NONE       SIZE_MAX

enum table { COUNTS, GAPS };

/* One row of a rollup table, and by how much it moves. */
struct delta {
	size_t book;
	enum table table;
	int64_t edition;
	int64_t metric;
	int64_t span;
	int64_t start;
	int64_t before; /* of a gap */
	struct text label;
	uint64_t hash;
	int64_t amount;
};

struct undo {
	size_t delta;
	int64_t amount;
};

struct known_calendar {
	struct known_calendar *next;
	struct calendar *calendar;
	char zone[];
};

struct ledger {
	const struct log *log;
	struct known_calendar *calendars;
	struct book *books;
	size_t book_count;
	size_t book_room;
	size_t *by_organization; /* open addressing into books; NONE: free */
	size_t organization_room;
	struct delta *deltas; /* of this transaction */
	size_t delta_count;
	size_t delta_room;
	size_t *by_key; /* into deltas */
	size_t key_room;
	struct arena texts; /* of the deltas' labels */
	struct undo *undos; /* of the item that runs */
	size_t undo_count;
	size_t undo_room;
	bool books_changed; /* by the item that runs */
};

enum err ledger_new(struct ledger **out, const struct log *log)
{
	struct ledger *ledger = calloc(1, sizeof *ledger);

	*out = ledger;
	if (ledger == NULL)
		return ERR_MEMORY;
	ledger->log = log;
	arena_init(&ledger->texts, TEXT_CAP);
	return OK;
}

void ledger_free(struct ledger *ledger)
{
	if (ledger == NULL)
		return;
	while (ledger->calendars != NULL) {
		struct known_calendar *next = ledger->calendars->next;

		calendar_free(ledger->calendars->calendar);
		free(ledger->calendars);
		ledger->calendars = next;
	}
	arena_fini(&ledger->texts);
	free(ledger->books);
	free(ledger->by_organization);
	free(ledger->deltas);
	free(ledger->by_key);
	free(ledger->undos);
	free(ledger);
}

/* Room for one more element; `*list` moves. */
static enum err grow(void *list, size_t size, size_t count, size_t *room)
{
	void **at = list;
	size_t wanted = *room == 0 ? FIRST_SIZE : *room;
	size_t bytes;
	void *grown;

	if (count < *room)
		return OK;
	if (*room != 0 && !size_multiply(wanted, 2, &wanted))
		return ERR_MEMORY;
	if (!size_multiply(wanted, size, &bytes))
		return ERR_MEMORY;
	grown = realloc(*at, bytes);
	if (grown == NULL)
		return ERR_MEMORY;
	*at = grown;
	*room = wanted;
	return OK;
}

/* FNV-1a (RFC draft-eastlake-fnv); nobody from outside gains by a collision but their own organization's batch. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(1099511628211);
	return hash;
}

static uint64_t hash_of(const struct delta *delta)
{
	const int64_t numbers[] = { (int64_t)delta->book, (int64_t)delta->table, delta->edition, delta->metric,
				    delta->span,          delta->start,          delta->before };
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		hash = (hash ^ (uint64_t)numbers[i]) * UINT64_C(0x9E3779B97F4A7C15);
	hash = hash_bytes(hash, delta->label.at, delta->label.length);
	return hash ^ hash >> 32;
}

static bool same_row(const struct delta *a, const struct delta *b)
{
	return a->hash == b->hash && a->book == b->book && a->table == b->table && a->edition == b->edition &&
	       a->metric == b->metric && a->span == b->span && a->start == b->start && a->before == b->before &&
	       text_equal(a->label, b->label);
}

/* A table of twice the size, filled from `hashes`. */
static enum err grow_keys(struct ledger *ledger)
{
	const size_t room = ledger->key_room == 0 ? (size_t)FIRST_SIZE * 2 : ledger->key_room * 2;
	size_t bytes;
	size_t *keys;

	if (ledger->delta_count * 2 < ledger->key_room)
		return OK;
	if (!size_multiply(room, sizeof *keys, &bytes))
		return ERR_MEMORY;
	keys = malloc(bytes);
	if (keys == NULL)
		return ERR_MEMORY;
	memset(keys, 0xff, bytes);
	for (size_t i = 0; i < ledger->delta_count; i++) {
		size_t at = ledger->deltas[i].hash & (room - 1);

		while (keys[at] != NONE)
			at = (at + 1) & (room - 1);
		keys[at] = i;
	}
	free(ledger->by_key);
	ledger->by_key = keys;
	ledger->key_room = room;
	return OK;
}

/* The delta of a row, made when it is the first. */
static enum err find_delta(struct ledger *ledger, struct delta *wanted, size_t *out)
{
	size_t at;

	wanted->hash = hash_of(wanted);
	if (grow_keys(ledger) != OK)
		return ERR_MEMORY;
	at = wanted->hash & (ledger->key_room - 1);
	for (; ledger->by_key[at] != NONE; at = (at + 1) & (ledger->key_room - 1))
		if (same_row(&ledger->deltas[ledger->by_key[at]], wanted)) {
			*out = ledger->by_key[at];
			return OK;
		}
	if (grow(&ledger->deltas, sizeof *ledger->deltas, ledger->delta_count, &ledger->delta_room) != OK)
		return ERR_MEMORY;
	wanted->label = text_copy(&ledger->texts, wanted->label);
	if (wanted->label.at == NULL)
		return ERR_MEMORY;
	*out = ledger->by_key[at] = ledger->delta_count;
	ledger->deltas[ledger->delta_count++] = *wanted;
	return OK;
}

static enum err move(struct ledger *ledger, struct delta *wanted, int64_t amount)
{
	size_t which = 0;

	if (grow(&ledger->undos, sizeof *ledger->undos, ledger->undo_count, &ledger->undo_room) != OK ||
	    find_delta(ledger, wanted, &which) != OK)
		return ERR_MEMORY;
	ledger->deltas[which].amount += amount;
	ledger->undos[ledger->undo_count++] = (struct undo){ which, amount };
	return OK;
}

static int64_t start_of(int64_t span, int64_t day)
{
	if (span == SPAN_EVER)
		return 0;
	if (span == SPAN_DAY)
		return day;
	return day >= 0 ? day / BLOCK_DAYS : -((-day + BLOCK_DAYS - 1) / BLOCK_DAYS);
}

enum err ledger_count(struct ledger *ledger, const struct book *book, int64_t edition, enum metric metric, int64_t day,
		      struct text label, int64_t amount)
{
	enum err err = OK;

	for (int64_t span = 0; err == OK && span < SPAN_COUNT; span++) {
		struct delta delta = { .book = (size_t)(book - ledger->books),
				       .table = COUNTS,
				       .edition = edition,
				       .metric = metric,
				       .span = span,
				       .start = start_of(span, day),
				       .label = label };

		err = move(ledger, &delta, amount);
	}
	return err;
}

enum err ledger_gap(struct ledger *ledger, const struct book *book, int64_t edition, enum metric metric, int64_t day,
		    int64_t before, int64_t amount)
{
	enum err err = OK;

	for (int64_t span = 0; err == OK && span < SPAN_COUNT; span++) {
		struct delta delta = { .book = (size_t)(book - ledger->books),
				       .table = GAPS,
				       .edition = edition,
				       .metric = metric,
				       .span = span,
				       .start = start_of(span, day),
				       .before = before,
				       .label = TEXT("") };

		if (before == DAY_NEVER || start_of(span, before) < delta.start)
			err = move(ledger, &delta, amount);
	}
	return err;
}

static void drop_books(struct ledger *ledger)
{
	ledger->book_count = 0;
	ledger->books_changed = false;
	for (size_t i = 0; i < ledger->organization_room; i++)
		ledger->by_organization[i] = NONE;
}

static void drop_deltas(struct ledger *ledger)
{
	ledger->delta_count = 0;
	ledger->undo_count = 0;
	for (size_t i = 0; i < ledger->key_room; i++)
		ledger->by_key[i] = NONE;
	if (ledger->key_room > (size_t)FIRST_SIZE * 64) {
		/* One large transaction must not make every later one clear a large table. */
		free(ledger->by_key);
		ledger->by_key = NULL;
		ledger->key_room = 0;
	}
	arena_fini(&ledger->texts);
	if (ledger->book_count > BOOKS_KEPT)
		drop_books(ledger);
}

void ledger_end_item(void *given, bool kept)
{
	struct ledger *ledger = given;

	if (!kept) {
		for (size_t i = 0; i < ledger->undo_count; i++)
			ledger->deltas[ledger->undos[i].delta].amount -= ledger->undos[i].amount;
		for (size_t i = 0; ledger->books_changed && i < ledger->book_count; i++)
			ledger->books[i].stale = true;
	}
	ledger->books_changed = false;
	ledger->undo_count = 0;
}

void ledger_forget(void *given)
{
	struct ledger *ledger = given;

	drop_deltas(ledger);
	drop_books(ledger);
}

/* By organization, then as the tables are ordered, so that neighbours are written together. */
static int compare(const void *left, const void *right)
{
	const struct delta *a = left;
	const struct delta *b = right;
	const int64_t keys[][2] = { { (int64_t)a->book, (int64_t)b->book },
				    { a->table, b->table },
				    { a->edition, b->edition },
				    { a->metric, b->metric },
				    { a->span, b->span },
				    { a->start, b->start } };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (keys[i][0] != keys[i][1])
			return keys[i][0] < keys[i][1] ? -1 : 1;
	return 0;
}

static enum err write_count(struct db *db, const struct delta *delta)
{
	const struct rollup_count_move_in row = { .edition = delta->edition,
						  .metric = delta->metric,
						  .span = delta->span,
						  .start = delta->start,
						  .label = delta->label,
						  .amount = delta->amount };
	enum err err = query_run(db, STATEMENT_ROLLUP_COUNT_MOVE, &row, NULL);

	if (err == OK && delta->amount < 0)
		err = query_run(db, STATEMENT_ROLLUP_COUNT_CLEAR,
				&(struct rollup_count_clear_in){ .edition = delta->edition,
								 .metric = delta->metric,
								 .span = delta->span,
								 .start = delta->start,
								 .label = delta->label },
				NULL);
	return err;
}

static enum err write_gap(struct db *db, const struct delta *delta)
{
	const struct rollup_gap_move_in row = { .edition = delta->edition,
						.metric = delta->metric,
						.span = delta->span,
						.start = delta->start,
						.before = delta->before,
						.amount = delta->amount };
	enum err err = query_run(db, STATEMENT_ROLLUP_GAP_MOVE, &row, NULL);

	if (err == OK && delta->amount < 0)
		err = query_run(db, STATEMENT_ROLLUP_GAP_CLEAR,
				&(struct rollup_gap_clear_in){ .edition = delta->edition,
							       .metric = delta->metric,
							       .span = delta->span,
							       .start = delta->start,
							       .before = delta->before },
				NULL);
	return err;
}

/* The deltas from `first` on that are of its organization, in its scope; `*next` is the first one behind them. */
static enum err write_organization(struct ledger *ledger, struct db *db, size_t first, size_t *next)
{
	const struct delta *deltas = ledger->deltas;
	enum err err = db_enter(db, ledger->books[deltas[first].book].scope);
	enum err left;
	size_t at = first;

	if (err != OK)
		return err;
	for (; at < ledger->delta_count && deltas[at].book == deltas[first].book; at++) {
		if (err != OK || deltas[at].amount == 0)
			continue;
		err = deltas[at].table == COUNTS ? write_count(db, &deltas[at]) : write_gap(db, &deltas[at]);
	}
	*next = at;
	left = db_leave(db, err == OK);
	return err == OK ? left : err;
}

enum err ledger_settle(struct db *db, void *given)
{
	struct ledger *ledger = given;
	enum err err = OK;
	size_t at = 0;

	if (ledger->delta_count > 0)
		qsort(ledger->deltas, ledger->delta_count, sizeof *ledger->deltas, compare);
	while (err == OK && at < ledger->delta_count)
		err = write_organization(ledger, db, at, &at);
	if (err != OK) {
		LOG(ledger->log, LOG_ERROR, "figures could not be moved: the transaction is lost", LOG_INT("err", err));
		return err;
	}
	drop_deltas(ledger);
	return OK;
}

enum err ledger_calendar(struct ledger *ledger, struct text zone, struct calendar **out)
{
	struct known_calendar *known;
	enum err err;

	for (known = ledger->calendars; known != NULL; known = known->next)
		if (text_equal(text_of(known->zone), zone)) {
			*out = known->calendar;
			return OK;
		}
	*out = NULL;
	known = malloc(sizeof *known + zone.length + 1);
	if (known == NULL)
		return ERR_MEMORY;
	err = calendar_new(&known->calendar, zone);
	if (err != OK) {
		free(known);
		return err;
	}
	memcpy(known->zone, zone.at, zone.length);
	known->zone[zone.length] = '\0';
	known->next = ledger->calendars;
	ledger->calendars = known;
	*out = known->calendar;
	return OK;
}

/* A zone that was taken once and is unknown now: tzdata was removed. Days cannot be told then, and nothing is stored
 * that would be counted wrong. */
static enum err known_zone(struct ledger *ledger, struct text zone, struct calendar **out)
{
	enum err err = ledger_calendar(ledger, zone, out);

	if (err != ERR_NOT_FOUND)
		return err;
	LOG(ledger->log, LOG_ERROR, "the machine does not know an organization's time zone: install tzdata",
	    LOG_TEXT("zone", zone));
	return ERR_UNAVAILABLE;
}

static enum err read_book(struct ledger *ledger, struct db *db, struct book *book)
{
	struct rollup_state_out state;
	struct arena arena;
	enum err err;

	book->has_build = false;
	arena_init(&arena, 4096);
	err = query_one(db, STATEMENT_ROLLUP_STATE, NULL, &state, &arena);
	if (err == ERR_NOT_FOUND) {
		book->has_current = true;
		book->current.number = 0;
		err = known_zone(ledger, TEXT("UTC"), &book->current.calendar);
	} else if (err == OK) {
		book->has_current = state.edition != DB_NULL;
		book->current.number = state.edition;
		book->has_build = state.build_edition != DB_NULL;
		book->build.number = state.build_edition;
		book->phase = state.build_phase;
		book->mark_time = state.mark_time;
		book->mark_number = state.mark_number;
		err = known_zone(ledger, state.zone, &book->current.calendar);
		if (err == OK && book->has_build)
			err = known_zone(ledger, state.build_zone, &book->build.calendar);
	}
	arena_fini(&arena);
	book->stale = err != OK;
	return err;
}

static enum err grow_organizations(struct ledger *ledger)
{
	const size_t room = ledger->organization_room == 0 ? (size_t)FIRST_SIZE * 2 : ledger->organization_room * 2;
	size_t bytes;
	size_t *keys;

	if (ledger->book_count * 2 < ledger->organization_room)
		return OK;
	if (!size_multiply(room, sizeof *keys, &bytes))
		return ERR_MEMORY;
	keys = malloc(bytes);
	if (keys == NULL)
		return ERR_MEMORY;
	memset(keys, 0xff, bytes);
	for (size_t i = 0; i < ledger->book_count; i++) {
		size_t at = hash_bytes(0, &ledger->books[i].organization, sizeof(struct uuid)) & (room - 1);

		while (keys[at] != NONE)
			at = (at + 1) & (room - 1);
		keys[at] = i;
	}
	free(ledger->by_organization);
	ledger->by_organization = keys;
	ledger->organization_room = room;
	return OK;
}

static enum err find_book(struct ledger *ledger, const struct uuid *organization, struct book **out)
{
	size_t at;

	if (grow_organizations(ledger) != OK)
		return ERR_MEMORY;
	at = hash_bytes(0, organization, sizeof *organization) & (ledger->organization_room - 1);
	for (; ledger->by_organization[at] != NONE; at = (at + 1) & (ledger->organization_room - 1))
		if (uuid_equal(&ledger->books[ledger->by_organization[at]].organization, organization)) {
			*out = &ledger->books[ledger->by_organization[at]];
			return OK;
		}
	if (grow(&ledger->books, sizeof *ledger->books, ledger->book_count, &ledger->book_room) != OK)
		return ERR_MEMORY;
	ledger->by_organization[at] = ledger->book_count;
	*out = &ledger->books[ledger->book_count++];
	**out = (struct book){ .organization = *organization, .stale = true };
	return OK;
}

enum err ledger_book(struct ledger *ledger, struct db *db, const struct scope *scope, struct book **out)
{
	enum err err = find_book(ledger, scope_organization(scope), out);

	if (err != OK)
		return err;
	(*out)->scope = scope;
	return (*out)->stale ? read_book(ledger, db, *out) : OK;
}

void ledger_changed(struct ledger *ledger, struct book *book)
{
	book->stale = true;
	ledger->books_changed = true;
}
