#include "legacy/legacy.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "auth/adopting.h"
#include "base/clock.h"
#include "legacy/record.h"
#include "legacy/rejected.h"
#include "legacy/source.h"
#include "legacy/value.h"

#define BATCH_ROWS         256
#define BATCH_BYTES        ((size_t)8 * 1024 * 1024)   /* read into memory, then stored */
#define BATCH_MEMORY       ((size_t)256 * 1024 * 1024) /* of one with the largest rows there may be */
#define HOLD_MICROSECONDS  12000                       /* of the writer, by one piece of a batch */
#define ROWS_AHEAD         128                         /* of a piece, where the database is remote and lags behind */
#define TELL_MICROSECONDS  INT64_C(2000000)
#define PATIENCE           100 /* refusals of a writer that is busy, one after the other */
#define BREATH_NANOSECONDS 100000000L

struct run {
	const struct legacy_order *order;
	struct legacy_source *source;
	struct rejected rejected;
	struct key_set foreign;
	struct legacy_report *report;
	struct arena *arena; /* the caller's */
	struct fault *fault;
	struct text old_key;
	int64_t told_at;
	/* Of the batch. */
	const struct legacy_table *table;
	struct legacy_counts *counts;
	struct arena memory;
	struct legacy_record *records;
	size_t count;
	size_t next;                /* the first that is not stored yet */
	size_t upto;                /* the first that the piece under way has not come to */
	struct legacy_note **notes; /* of each, as they were read */
	bool single;                /* one record a piece: one of them was refused */
};

static void tell(struct run *run, bool now)
{
	const int64_t moment = clock_monotonic();

	if (run->table->again || (!now && moment - run->told_at < TELL_MICROSECONDS))
		return;
	run->told_at = moment;
	LOG(run->order->log, LOG_INFO, now ? "import: a table is done" : "import goes on",
	    LOG_TEXT("organization", run->order->slug), LOG_TEXT("table", text_of(run->table->name)),
	    LOG_INT("read", run->counts->read), LOG_INT("stored", run->counts->stored),
	    LOG_INT("already_there", run->counts->there), LOG_INT("rejected", run->counts->rejected));
}

static enum err reject(struct run *run, struct text key, struct text reason)
{
	if (run->table->again)
		return OK; /* it was said before */
	run->counts->rejected++;
	return rejected_put(&run->rejected, run->table->name, key, "rejected", reason, run->fault);
}

static struct legacy_storing storing_of(struct run *run, struct db *db)
{
	return (struct legacy_storing){ .counting = { .ledger = run->order->ledgers[db_lane(db)],
						      .db = db,
						      .scope = run->order->scope,
						      .arena = &run->memory },
					.awaits = &run->order->awaits[db_lane(db)],
					.now = run->order->now };
}

/* Behind the last record that the next piece may come to. */
static size_t end_of_piece(const struct run *run, const struct db *db)
{
	const size_t most = run->single ? 1 : db_is_remote(db) ? ROWS_AHEAD : run->count;

	return most < run->count - run->next ? run->next + most : run->count;
}

/* On the writer's thread, as the two below. */
static void foresee_piece(struct db *db, enum foresight round, void *context)
{
	struct run *run = context;
	struct legacy_storing storing = storing_of(run, db);

	if (round != FORESEE_NAMED || run->table->foresee == NULL)
		return;
	counting_foresee(db);
	for (size_t i = run->next; i < end_of_piece(run, db); i++)
		run->table->foresee(&storing, &run->records[i]);
}

/* As many records as a few milliseconds allow. */
static enum err store_piece(struct db *db, void *context)
{
	struct run *run = context;
	const int64_t began = clock_monotonic();
	const size_t end = end_of_piece(run, db);
	struct legacy_storing storing = storing_of(run, db);
	enum err err = OK;

	for (run->upto = run->next; err == OK && run->upto < end; run->upto++) {
		if (run->upto > run->next && clock_monotonic() - began > HOLD_MICROSECONDS)
			break;
		err = run->table->store(&storing, &run->records[run->upto]);
	}
	return run->memory.failed ? ERR_MEMORY : err;
}

/* What a piece that was undone has said of its records, from one on, was never so. */
static void forget_from(struct run *run, size_t first)
{
	for (size_t i = first; i < run->count; i++) {
		run->records[i].notes = run->notes[i];
		run->records[i].reason = (struct text){ 0 };
		run->records[i].there = false;
	}
}

static void forget_piece(void *context)
{
	struct run *run = context;

	forget_from(run, run->next);
}

/* A record that the writer has done with. */
static enum err settle(struct run *run, struct legacy_record *record)
{
	enum err err = OK;

	if (record->reason.at != NULL)
		return reject(run, record->key, record->reason);
	if (record->there) {
		run->counts->there++;
		return OK;
	}
	run->counts->stored++;
	if (record->notes == NULL || run->table->again)
		return OK;
	run->counts->changed++;
	for (const struct legacy_note *note = record->notes; err == OK && note != NULL; note = note->next)
		err = rejected_put(&run->rejected, run->table->name, record->key, "changed", note->words, run->fault);
	return err;
}

static enum err wait_a_while(const struct run *run, int *left)
{
	const struct timespec breath = { .tv_nsec = BREATH_NANOSECONDS };

	if (atomic_load(run->order->draining))
		return fault_set(run->fault, ERR_CONFLICT, NULL, NULL,
				 "The server is stopping: run the import again, and it goes on where it was.");
	if (--*left < 0)
		return fault_set(run->fault, ERR_CONFLICT, NULL, NULL,
				 "The server is too busy to store anything: run the import again later, and it goes on "
				 "where it was.");
	nanosleep(&breath, NULL);
	return OK;
}

/* What the database itself refuses is found by storing one record at a time. */
static enum err store_next(struct run *run)
{
	const struct writer_work work = {
		.run = store_piece, .again = forget_piece, .foresee = foresee_piece, .context = run
	};
	enum err err = writer_perform_work(run->order->writer, run->order->scope, &work);

	if (err == ERR_CONFLICT || err == ERR_INVALID || err == ERR_TOO_LARGE) {
		if (run->single) {
			run->upto = run->next + 1;
			legacy_refuse(&run->records[run->next], &run->memory,
				      "The database refuses it: it clashes with something that is there.");
		} else {
			run->single = true;
			run->upto = run->next;
		}
		err = OK;
	} else if (err != OK) {
		run->upto = run->next;
	}
	forget_from(run, run->upto);
	return err;
}

static enum err store_batch(struct run *run)
{
	int patience = PATIENCE;
	enum err err = OK;

	run->notes = arena_take_many(&run->memory, run->count, sizeof(struct legacy_note *));
	if (run->notes == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < run->count; i++)
		run->notes[i] = run->records[i].notes;
	run->single = false;
	for (run->next = 0; err == OK && run->next < run->count;) {
		err = store_next(run);
		if (err == ERR_UNAVAILABLE)
			err = wait_a_while(run, &patience);
		else if (err == OK)
			patience = PATIENCE;
		for (; err == OK && run->next < run->upto; run->next++)
			err = settle(run, &run->records[run->next]);
	}
	return err;
}

/* One row into the batch, or into the file. ERR_NOT_FOUND: no more. */
static enum err read_one(struct run *run, struct legacy_reading *reading)
{
	struct legacy_record *record = &run->records[run->count];
	struct legacy_row row;
	enum err err = legacy_source_next(run->source, &run->memory, &row, run->fault);

	*record = (struct legacy_record){ 0 };
	if (err == ERR_INVALID && row.wrong != NULL) {
		char reason[160];

		run->counts->read++;
		snprintf(reason, sizeof reason, "It is no row: %s.", row.wrong);
		return reject(run, row.place, text_of(reason));
	}
	if (err != OK)
		return err;
	run->counts->read++;
	err = run->table->read(reading, &row, record);
	if (err == OK && run->memory.failed)
		err = ERR_MEMORY;
	if (err != OK)
		return err;
	if (record->reason.at != NULL)
		return reject(run, record->key.at != NULL ? record->key : row.place, record->reason);
	run->count++;
	return OK;
}

/* `*more`: the table may have more rows. */
static enum err read_batch(struct run *run, bool *more)
{
	struct legacy_reading reading = { .arena = &run->memory,
					  .source = run->report->source,
					  .foreign = &run->foreign,
					  .now = run->order->now,
					  .old_key = &run->old_key };
	enum err err = OK;

	run->count = 0;
	run->records = arena_take_many(&run->memory, BATCH_ROWS, sizeof *run->records);
	if (run->records == NULL)
		return ERR_MEMORY;
	while (err == OK && run->count < BATCH_ROWS && run->memory.taken < BATCH_BYTES)
		err = read_one(run, &reading);
	*more = err == OK;
	if (run->table == &legacy_tables[0])
		run->old_key = text_copy(run->arena, run->old_key);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err go_through(struct run *run)
{
	bool more = true;
	enum err err = OK;

	while (err == OK && more) {
		arena_init(&run->memory, BATCH_MEMORY);
		if (atomic_load(run->order->draining)) {
			int patience = 0;

			err = wait_a_while(run, &patience);
		} else {
			err = read_batch(run, &more);
		}
		if (err == OK)
			err = store_batch(run);
		arena_fini(&run->memory);
		tell(run, !more);
	}
	return err;
}

static enum err take_table(struct run *run, size_t which)
{
	enum err err;

	run->table = &legacy_tables[which];
	run->counts = &run->report->tables[which];
	err = legacy_source_begin(run->source, run->table, run->fault);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	run->counts->found = true;
	if (run->source->unknown.length > 0)
		run->counts->unknown = buffer_copy(&run->source->unknown, run->arena);
	err = go_through(run);
	legacy_source_end(run->source);
	return err;
}

static struct text lower(struct arena *arena, struct text text)
{
	char *copy = text.at == NULL ? NULL : arena_copy(arena, text.at, text.length);

	for (size_t i = 0; copy != NULL && i < text.length; i++)
		copy[i] = (char)tolower((unsigned char)copy[i]);
	return (struct text){ copy, copy == NULL ? 0 : text.length };
}

/* The organization that is alone there, or is called as ours is. Goes through the table to its end. */
static enum err look_for_source(struct run *run)
{
	struct arena memory;
	struct legacy_row row;
	struct text alone = { 0 };
	int64_t count = 0;
	bool named = false;
	enum err err = OK;

	while (err == OK) {
		arena_init(&memory, BATCH_MEMORY);
		err = legacy_source_next(run->source, &memory, &row, run->fault);
		if (err == ERR_INVALID && row.wrong != NULL) {
			err = OK;
		} else if (err == OK && row.values[LEGACY_ID].length > 0 &&
			   row.values[LEGACY_ID].length <= LEGACY_KEY_BYTES && text_is_utf8(row.values[LEGACY_ID])) {
			const bool this_one =
			    row.values[LEGACY_SLUG].at != NULL && text_equal(row.values[LEGACY_SLUG], run->order->slug);

			count++;
			if (this_one || (count == 1 && !named))
				alone = lower(run->arena, text_trim(row.values[LEGACY_ID]));
			named = named || this_one;
		}
		arena_fini(&memory);
	}
	if (named || count == 1)
		run->report->source = alone;
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err find_source(struct run *run)
{
	enum err err;

	run->report->source = lower(run->arena, run->order->source_organization);
	if (run->report->source.at != NULL)
		return OK;
	err = legacy_source_begin(run->source, &legacy_tables[0], run->fault);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	err = look_for_source(run);
	legacy_source_end(run->source);
	return err;
}

static enum err refuse_key(struct run *run, const char *reason)
{
	run->report->key = LEGACY_KEY_REFUSED;
	run->table = &legacy_tables[0];
	return rejected_put(&run->rejected, run->table->name, TEXT("api_key"), "rejected", text_of(reason), run->fault);
}

/* The concierge goes on with the key it has. */
static enum err take_key(struct run *run)
{
	enum err err;

	if (run->old_key.at == NULL)
		return OK;
	if (!api_key_is_plausible(run->old_key))
		return refuse_key(run, "The API key is not of a form that is accepted.");
	err = adopting_key(run->order->writer, run->order->scope, run->old_key, run->order->now);
	if (err == ERR_FORBIDDEN)
		return refuse_key(run, "Another organization here has this API key.");
	run->report->key = err == ERR_CONFLICT ? LEGACY_KEY_THERE : LEGACY_KEY_STORED;
	return err == ERR_CONFLICT ? OK : err;
}

enum err legacy_import(const struct legacy_order *order, struct arena *arena, struct legacy_report *report,
		       struct fault *fault)
{
	struct run run = { .order = order, .report = report, .arena = arena, .fault = fault };
	enum err closed;
	enum err err;

	*report = (struct legacy_report){ 0 };
	key_set_init(&run.foreign);
	err = rejected_open(&run.rejected, order->rejected_path, fault);
	if (err == OK)
		err = legacy_source_open(&run.source, order->where, fault);
	if (err == OK)
		err = find_source(&run);
	for (size_t i = 0; err == OK && i < legacy_table_count; i++)
		err = take_table(&run, i);
	if (err == OK)
		err = take_key(&run);
	legacy_source_close(run.source);
	report->lines = run.rejected.lines;
	closed = rejected_close(&run.rejected, fault);
	key_set_fini(&run.foreign);
	return err == OK ? closed : err;
}
