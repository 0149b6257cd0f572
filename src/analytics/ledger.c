#include "analytics/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "analytics/tally.h"
#include "store/query.h"

#define BOOKS_KEPT ((size_t)4096)              /* organizations remembered from one transaction to the next */
#define BOOKS_TEXT ((size_t)64 * 1024 * 1024)  /* for their ids */
#define MOVES_TEXT ((size_t)256 * 1024 * 1024) /* labels of one transaction */

enum table { COUNTS, GAPS };

/* The numbers of a move's key: the tables' own keys, behind whose and which table. */
enum { WHERE, EDITION, METRIC, SPAN, START, BEFORE };

struct undo {
	size_t move;
	int64_t amount;
};

struct known_calendar {
	struct known_calendar *next;
	struct calendar *calendar; /* NULL: of a zone that this machine has lost, which was told */
	char zone[];
};

struct ledger {
	const struct log *log;
	struct known_calendar *calendars;
	struct tally organizations; /* a row for each book, in the same order; labelled with the id's bytes */
	struct book *books;
	size_t book_room;
	struct tally moves;   /* of this transaction */
	struct tally members; /* whose rows it has written, where it looks ahead */
	struct undo *undos;   /* of the item that runs */
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
	tally_init(&ledger->organizations, BOOKS_TEXT);
	tally_init(&ledger->moves, MOVES_TEXT);
	tally_init(&ledger->members, MOVES_TEXT);
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
	tally_fini(&ledger->organizations);
	tally_fini(&ledger->moves);
	tally_fini(&ledger->members);
	free(ledger->books);
	free(ledger->undos);
	free(ledger);
}

static enum err move(struct ledger *ledger, const int64_t key[TALLY_NUMBERS], struct text label, int64_t amount)
{
	size_t which = 0;

	if (tally_grow(&ledger->undos, sizeof *ledger->undos, ledger->undo_count, &ledger->undo_room) != OK ||
	    tally_place(&ledger->moves, key, label, &which) != OK)
		return ERR_MEMORY;
	ledger->moves.rows[which].amount += amount;
	ledger->undos[ledger->undo_count++] = (struct undo){ which, amount };
	return OK;
}

static int64_t where(const struct ledger *ledger, const struct book *book, enum table table)
{
	return (int64_t)(book - ledger->books) * 2 + (int64_t)table;
}

int64_t ledger_start(int64_t span, int64_t day)
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
		const int64_t key[] = { where(ledger, book, COUNTS), edition, (int64_t)metric, span,
					ledger_start(span, day),     0 };

		err = move(ledger, key, label, amount);
	}
	return err;
}

enum err ledger_gap(struct ledger *ledger, const struct book *book, int64_t edition, enum metric metric, int64_t day,
		    int64_t before, int64_t amount)
{
	enum err err = OK;

	for (int64_t span = 0; err == OK && span < SPAN_COUNT; span++) {
		const int64_t key[] = { where(ledger, book, GAPS), edition, (int64_t)metric, span,
					ledger_start(span, day),   before };

		if (before == DAY_NEVER || ledger_start(span, before) < key[START])
			err = move(ledger, key, TEXT(""), amount);
	}
	return err;
}

enum err ledger_moved(struct ledger *ledger, const struct book *book, int64_t edition, enum metric metric,
		      struct text member)
{
	const int64_t key[TALLY_NUMBERS] = { book - ledger->books, edition, (int64_t)metric };

	return tally_add(&ledger->members, key, member, 1);
}

bool ledger_has_moved(const struct ledger *ledger, const struct book *book, int64_t edition, enum metric metric,
		      struct text member)
{
	const int64_t key[TALLY_NUMBERS] = { book - ledger->books, edition, (int64_t)metric };

	return tally_find(&ledger->members, key, member) != NULL;
}

void ledger_end_item(void *given, bool kept)
{
	struct ledger *ledger = given;

	if (!kept) {
		for (size_t i = 0; i < ledger->undo_count; i++)
			ledger->moves.rows[ledger->undos[i].move].amount -= ledger->undos[i].amount;
		for (size_t i = 0; ledger->books_changed && i < ledger->organizations.count; i++)
			ledger->books[i].stale = true;
	}
	ledger->books_changed = false;
	ledger->undo_count = 0;
}

static void close_transaction(struct ledger *ledger, bool drop_books)
{
	tally_clear(&ledger->moves);
	tally_clear(&ledger->members);
	ledger->undo_count = 0;
	ledger->books_changed = false;
	if (drop_books || ledger->organizations.count > BOOKS_KEPT)
		tally_clear(&ledger->organizations);
}

void ledger_forget(void *ledger)
{
	close_transaction(ledger, true);
}

static enum err write_count(struct db *db, const struct tally_row *row)
{
	const int64_t *key = row->numbers;
	enum err err = db_send(db, STATEMENT_ROLLUP_COUNT_MOVE,
			       &(struct rollup_count_move_in){ .edition = key[EDITION],
							       .metric = key[METRIC],
							       .span = key[SPAN],
							       .start = key[START],
							       .label = row->label,
							       .amount = row->amount });

	if (err == OK && row->amount < 0)
		err = query_run(db, STATEMENT_ROLLUP_COUNT_CLEAR,
				&(struct rollup_count_clear_in){ .edition = key[EDITION],
								 .metric = key[METRIC],
								 .span = key[SPAN],
								 .start = key[START],
								 .label = row->label },
				NULL);
	return err;
}

static enum err write_gap(struct db *db, const struct tally_row *row)
{
	const int64_t *key = row->numbers;
	enum err err = db_send(db, STATEMENT_ROLLUP_GAP_MOVE,
			       &(struct rollup_gap_move_in){ .edition = key[EDITION],
							     .metric = key[METRIC],
							     .span = key[SPAN],
							     .start = key[START],
							     .before = key[BEFORE],
							     .amount = row->amount });

	if (err == OK && row->amount < 0)
		err = query_run(db, STATEMENT_ROLLUP_GAP_CLEAR,
				&(struct rollup_gap_clear_in){ .edition = key[EDITION],
							       .metric = key[METRIC],
							       .span = key[SPAN],
							       .start = key[START],
							       .before = key[BEFORE] },
				NULL);
	return err;
}

/* The moves from `first` on that are of its organization, in its scope; `*next` is the first one behind them. */
static enum err write_organization(struct ledger *ledger, struct db *db, size_t first, size_t *next)
{
	const struct tally_row *rows = ledger->moves.rows;
	const int64_t book = rows[first].numbers[WHERE] / 2;
	enum err err = db_enter(db, ledger->books[book].scope);
	enum err left;
	size_t at = first;

	if (err != OK)
		return err;
	for (; at < ledger->moves.count && rows[at].numbers[WHERE] / 2 == book; at++) {
		if (err != OK || rows[at].amount == 0)
			continue;
		err = rows[at].numbers[WHERE] % 2 == COUNTS ? write_count(db, &rows[at]) : write_gap(db, &rows[at]);
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

	tally_sort(&ledger->moves); /* neighbours in a table are written together */
	while (err == OK && at < ledger->moves.count)
		err = write_organization(ledger, db, at, &at);
	if (err != OK)
		LOG(ledger->log, LOG_ERROR, "figures could not be moved: the transaction is lost", LOG_INT("err", err));
	/* Of a remote database another process may change what a book says. */
	close_transaction(ledger, err != OK || db_is_remote(db));
	return err;
}

static struct known_calendar *find_calendar(const struct ledger *ledger, struct text zone)
{
	struct known_calendar *known = ledger->calendars;

	while (known != NULL && !text_equal(text_of(known->zone), zone))
		known = known->next;
	return known;
}

static enum err keep_calendar(struct ledger *ledger, struct text zone, struct calendar *calendar)
{
	struct known_calendar *known = find_calendar(ledger, zone);

	if (known == NULL) {
		known = malloc(sizeof *known + zone.length + 1);
		if (known == NULL)
			return ERR_MEMORY;
		memcpy(known->zone, zone.at, zone.length);
		known->zone[zone.length] = '\0';
		known->next = ledger->calendars;
		ledger->calendars = known;
	}
	known->calendar = calendar;
	return OK;
}

enum err ledger_calendar(struct ledger *ledger, struct text zone, struct calendar **out)
{
	const struct known_calendar *known = find_calendar(ledger, zone);
	enum err err;

	*out = known == NULL ? NULL : known->calendar;
	if (*out != NULL)
		return OK;
	err = calendar_new(out, zone);
	if (err != OK)
		return err;
	err = keep_calendar(ledger, zone, *out);
	if (err != OK) {
		calendar_free(*out);
		*out = NULL;
	}
	return err;
}

/* A zone that was taken once and is unknown now: tzdata was removed. Days cannot be told then, and nothing is stored
 * that would be counted wrong. Told once: each event asks again. */
static enum err known_zone(struct ledger *ledger, struct text zone, struct calendar **out)
{
	enum err err = ledger_calendar(ledger, zone, out);

	if (err != ERR_NOT_FOUND)
		return err;
	if (find_calendar(ledger, zone) == NULL) {
		LOG(ledger->log, LOG_ERROR, "the machine does not know an organization's time zone: install tzdata",
		    LOG_TEXT("zone", zone));
		if (keep_calendar(ledger, zone, NULL) != OK)
			return ERR_MEMORY;
	}
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
		book->mark_message = state.mark_message;
		err = known_zone(ledger, state.zone, &book->current.calendar);
		if (err == OK && book->has_build)
			err = known_zone(ledger, state.build_zone, &book->build.calendar);
	}
	arena_fini(&arena);
	book->stale = err != OK;
	return err;
}

static enum err find_book(struct ledger *ledger, const struct uuid *organization, struct book **out)
{
	static const int64_t no_numbers[TALLY_NUMBERS] = { 0 };
	const struct text id = { (const char *)organization->bytes, sizeof organization->bytes };
	const size_t known = ledger->organizations.count;
	size_t which = 0;

	if (tally_grow(&ledger->books, sizeof *ledger->books, known, &ledger->book_room) != OK ||
	    tally_place(&ledger->organizations, no_numbers, id, &which) != OK)
		return ERR_MEMORY;
	*out = &ledger->books[which];
	if (which == known)
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
