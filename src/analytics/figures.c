#include "analytics/figures.h"

#include <stdlib.h>
#include <string.h>

#include "analytics/ledger.h"
#include "analytics/tally.h"
#include "store/query.h"

#define LABELS_TEXT ((size_t)64 * 1024 * 1024)
#define PIECES_MAX  3

enum err figures_open(struct figures *out, struct db *db, struct arena *arena)
{
	struct figure_edition_out edition;
	enum err err = query_one(db, STATEMENT_FIGURE_EDITION, NULL, &edition, arena);

	*out = (struct figures){ .db = db, .arena = arena, .zone = TEXT("UTC") };
	if (err == ERR_NOT_FOUND)
		return OK; /* nothing but the edition that an organization begins with */
	if (err != OK)
		return err;
	if (edition.edition == DB_NULL)
		return ERR_UNAVAILABLE;
	out->edition = edition.edition;
	out->zone = edition.zone;
	return OK;
}

struct piece {
	int64_t span;
	int64_t first;
	int64_t last;
};

static size_t cut(const struct range *range, struct piece pieces[PIECES_MAX])
{
	const int64_t first_block = ledger_start(SPAN_BLOCK, range->from + BLOCK_DAYS - 1);
	const int64_t last_block = ledger_start(SPAN_BLOCK, range->to + 1) - 1;
	size_t count = 0;

	if (range->ever) {
		pieces[count++] = (struct piece){ SPAN_EVER, 0, 0 };
		return count;
	}
	if (first_block > last_block) {
		pieces[count++] = (struct piece){ SPAN_DAY, range->from, range->to };
		return count;
	}
	if (range->from < first_block * BLOCK_DAYS)
		pieces[count++] = (struct piece){ SPAN_DAY, range->from, first_block * BLOCK_DAYS - 1 };
	pieces[count++] = (struct piece){ SPAN_BLOCK, first_block, last_block };
	if (range->to >= (last_block + 1) * BLOCK_DAYS)
		pieces[count++] = (struct piece){ SPAN_DAY, (last_block + 1) * BLOCK_DAYS, range->to };
	return count;
}

enum err figures_count(const struct figures *figures, enum metric metric, const struct range *range, int64_t *out)
{
	struct piece pieces[PIECES_MAX];
	const size_t count = cut(range, pieces);
	enum err err = OK;

	*out = 0;
	for (size_t i = 0; err == OK && i < count; i++) {
		struct figure_count_out row = { 0 };

		err = query_one(figures->db, STATEMENT_FIGURE_COUNT,
				&(struct figure_count_in){ .edition = figures->edition,
							   .metric = metric,
							   .span = pieces[i].span,
							   .first = pieces[i].first,
							   .last = pieces[i].last },
				&row, figures->arena);
		*out += row.amount;
	}
	return err;
}

enum err figures_members(const struct figures *figures, enum metric metric, const struct range *range, int64_t *out)
{
	struct piece pieces[PIECES_MAX];
	const size_t count = cut(range, pieces);
	enum err err = OK;

	*out = 0;
	for (size_t i = 0; err == OK && i < count; i++) {
		struct figure_members_out row = { 0 };

		err = query_one(figures->db, STATEMENT_FIGURE_MEMBERS,
				&(struct figure_members_in){ .edition = figures->edition,
							     .metric = metric,
							     .span = pieces[i].span,
							     .first = pieces[i].first,
							     .last = pieces[i].last,
							     .since = range->ever ? DAY_NEVER + 1 : range->from },
				&row, figures->arena);
		*out += row.amount;
	}
	return err;
}

enum err figures_count_by_day(const struct figures *figures, enum metric metric, const struct range *range,
			      int64_t *out)
{
	const enum statement_id id = STATEMENT_FIGURE_COUNT_BY_DAY;
	struct figure_count_by_day_out row;
	enum err err =
	    db_start(figures->db, id,
		     &(struct figure_count_by_day_in){
			 .edition = figures->edition, .metric = metric, .first = range->from, .last = range->to });

	memset(out, 0, (size_t)(range->to - range->from + 1) * sizeof *out);
	while (err == OK && (err = db_step(figures->db, id, &row)) == OK)
		out[row.day - range->from] = row.amount;
	db_stop(figures->db, id);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err figures_members_by_day(const struct figures *figures, enum metric metric, const struct range *range,
				int64_t *out)
{
	const enum statement_id id = STATEMENT_FIGURE_MEMBERS_BY_DAY;
	struct figure_members_by_day_out row;
	enum err err =
	    db_start(figures->db, id,
		     &(struct figure_members_by_day_in){
			 .edition = figures->edition, .metric = metric, .first = range->from, .last = range->to });

	memset(out, 0, (size_t)(range->to - range->from + 1) * sizeof *out);
	while (err == OK && (err = db_step(figures->db, id, &row)) == OK)
		out[row.day - range->from] = row.amount;
	db_stop(figures->db, id);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err gather(const struct figures *figures, enum metric metric, const struct piece *piece,
		       struct tally *tally)
{
	static const int64_t no_numbers[TALLY_NUMBERS] = { 0 };
	const enum statement_id id = STATEMENT_FIGURE_LABELS;
	struct figure_labels_out row;
	enum err err = db_start(figures->db, id,
				&(struct figure_labels_in){ .edition = figures->edition,
							    .metric = metric,
							    .span = piece->span,
							    .first = piece->first,
							    .last = piece->last });

	while (err == OK && (err = db_step(figures->db, id, &row)) == OK)
		err = tally_add(tally, no_numbers, row.label, row.amount);
	db_stop(figures->db, id);
	return err == ERR_NOT_FOUND ? OK : err;
}

static int compare(const void *left, const void *right)
{
	const struct figure_label *a = left;
	const struct figure_label *b = right;

	if (a->amount != b->amount)
		return a->amount > b->amount ? -1 : 1;
	return tally_compare_texts(a->label, b->label);
}

static enum err keep(const struct figures *figures, const struct tally *tally, struct figure_label **out, size_t *count)
{
	*out = arena_take_many(figures->arena, tally->count, sizeof **out);
	if (*out == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < tally->count; i++) {
		const struct tally_row *row = &tally->rows[i];

		if (row->amount == 0)
			continue;
		(*out)[*count] = (struct figure_label){ text_copy(figures->arena, row->label), row->amount };
		++*count;
	}
	if (*count > 1)
		qsort(*out, *count, sizeof **out, compare);
	return figures->arena->failed ? ERR_MEMORY : OK;
}

enum err figures_labels(const struct figures *figures, enum metric metric, const struct range *range,
			struct figure_label **out, size_t *count)
{
	struct piece pieces[PIECES_MAX];
	const size_t piece_count = cut(range, pieces);
	struct tally tally;
	enum err err = OK;

	*out = NULL;
	*count = 0;
	tally_init(&tally, LABELS_TEXT);
	for (size_t i = 0; err == OK && i < piece_count; i++)
		err = gather(figures, metric, &pieces[i], &tally);
	if (err == OK)
		err = keep(figures, &tally, out, count);
	tally_fini(&tally);
	return err;
}
