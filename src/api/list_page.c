#include "api/list_page.h"

#include <stddef.h>
#include <string.h>

#include "base/budget.h"

#define ROWS_MAX   ((size_t)64 * 1024 * 1024) /* bytes; one row is far smaller */
#define ROW_MEMORY ((size_t)16 * 1024 * 1024) /* bytes that shaping a row may take */

/* What a page may take beside the rows it shows, microseconds. A search that is quick rarely takes longer; if it does,
 * there is still time to find something steadily. Finding the place where a next page begins costs up to three
 * milliseconds (FTS5 steps through the pieces of its index that are too small for an index of their own), and is not
 * counted. */
#define SEARCHING        1000
#define SEEKING          3000
#define WALKING          1500
#define SHOWING          50    /* more for each row that is shown */
#define WALK_ROWS        10000 /* at most */
#define WALK_ROWS_REMOTE 500

/* As each row of a list begins. */
struct row_head {
	int64_t time;
	int64_t number;
	bool shown; /* of a list that sifts */
};

enum err list_rows_init(struct list_rows *rows, struct arena *arena)
{
	*rows = (struct list_rows){ 0 };
	buffer_init(&rows->text, ROWS_MAX);
	rows->ends = arena_take_many(arena, LIST_LIMIT, sizeof *rows->ends);
	return rows->ends == NULL ? ERR_MEMORY : OK;
}

void list_rows_fini(struct list_rows *rows)
{
	buffer_fini(&rows->text);
}

static void write_json(const struct list *list, const void *row, struct buffer *to)
{
	struct json_out out;

	json_out_init(&out, to);
	json_open_object(&out);
	query_members_behind(list->statement, list->hidden, row, &out);
	json_close_object(&out);
}

static void write_csv(const struct list *list, const void *row, struct buffer *to)
{
	struct csv_out out;

	csv_out_init(&out, to);
	query_cells_csv(list->statement, list->hidden, row, &out);
}

static enum err write_row(const struct list *list, void *row, enum list_form form, struct buffer *to)
{
	struct arena arena;
	enum err err = OK;

	arena_init(&arena, ROW_MEMORY);
	if (list->shape != NULL)
		err = list->shape(&arena, row);
	if (err == OK && form == LIST_JSON)
		write_json(list, row, to);
	else if (err == OK)
		write_csv(list, row, to);
	arena_fini(&arena);
	return err == OK && to->failed ? ERR_MEMORY : err;
}

/* What bounds a reading of a page. */
struct bounds {
	int64_t limit; /* rows shown */
	size_t bytes;
	int64_t until;
	int64_t most;         /* microseconds, of a list that sifts */
	bool hurried;         /* they begin with the first row, or before it */
	struct budget budget; /* of a list that sifts */
};

/* Before the row that was just read. */
static bool is_full(const struct list_rows *rows, const struct bounds *bounds)
{
	return rows->count == (size_t)bounds->limit || rows->text.length >= bounds->bytes ||
	       (bounds->until != 0 && rows->count > 0 && rows->last_number == bounds->until);
}

/* A mark of a search may stand behind its chat's place. */
static void move_to(const struct list *list, struct list_rows *rows, const struct row_head *head)
{
	const bool behind =
	    head->time < rows->last_time || (head->time == rows->last_time && head->number < rows->last_number);

	if (!list->sifts || rows->walked == 0 || behind) {
		rows->last_time = head->time;
		rows->last_number = head->number;
	}
	rows->walked++;
}

static enum err take_row(const struct list *list, union query_row *row, enum list_form form, struct bounds *bounds,
			 struct list_rows *rows)
{
	struct row_head head = { 0 };
	enum err err;

	memcpy(&head, row, list->sifts ? sizeof head : offsetof(struct row_head, shown));
	rows->more = is_full(rows, bounds) && (head.shown || !list->sifts);
	rows->more = rows->more || (list->sifts && rows->walked > 0 && budget_spent(&bounds->budget));
	if (rows->more)
		return ERR_NOT_FOUND;
	if (rows->walked == 0 && !bounds->hurried)
		bounds->budget = budget_begin(bounds->most);
	move_to(list, rows, &head);
	if (list->sifts && !head.shown)
		return OK;
	err = write_row(list, row, form, &rows->text);
	rows->ends[rows->count++] = rows->text.length;
	bounds->budget.most += SHOWING;
	return err;
}

/* The rows from `page` on. */
static enum err read_on(struct call *call, struct db *db, const struct list *list, const struct list_page *page,
			enum list_form form, struct bounds *bounds, struct list_rows *rows)
{
	/* Of a remote database all rows come before the first is looked at. */
	const int64_t walk = db_is_remote(db) ? WALK_ROWS_REMOTE : WALK_ROWS;
	struct list_page asked = *page;
	union list_in in;
	union query_row row;
	enum err err;

	memset(&in, 0, sizeof in);
	asked.limit = bounds->limit + 1; /* whether there are more */
	if (list->sifts && asked.limit < walk)
		asked.limit = walk;
	err = list->fill(call, &asked, &in);
	if (err != OK)
		return err;
	err = db_start(db, list->statement, &in);
	/* Not before: a statement's first start prepares it. */
	bounds->budget = budget_begin(bounds->most);
	if (bounds->hurried)
		db_hurry(db, &bounds->budget);
	while (err == OK && (err = db_step(db, list->statement, &row)) == OK)
		err = take_row(list, &row, form, bounds, rows);
	db_stop(db, list->statement);
	if (err == ERR_NOT_FOUND && list->sifts && rows->walked == (size_t)asked.limit)
		rows->more = true;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Quickly; `*page` moves to where it stopped if nothing was found in time. ERR_TOO_SLOW: it is to be read steadily. */
static enum err search_quickly(struct call *call, struct db *db, const struct list *list, struct list_page *page,
			       enum list_form form, struct bounds *bounds, struct list_rows *rows)
{
	enum err err;

	bounds->hurried = true;
	bounds->most = page->before_number == INT64_MAX ? SEARCHING : SEEKING;
	err = read_on(call, db, list, page, form, bounds, rows);
	db_hurry(db, NULL);
	bounds->hurried = false;
	bounds->most = WALKING;
	if (err != ERR_TOO_SLOW && !(err == OK && rows->more && rows->count == 0))
		return err;
	if (rows->count > 0) {
		rows->more = true;
		return OK;
	}
	if (rows->walked > 0)
		page->before_number = rows->last_number;
	page->before_time = LIST_STEADILY;
	rows->walked = 0;
	return ERR_TOO_SLOW;
}

enum err list_rows_read(struct call *call, struct db *db, const struct list *list, const struct list_page *page,
			enum list_form form, size_t bytes, int64_t until, struct list_rows *rows)
{
	struct bounds bounds = { .limit = page->limit, .bytes = bytes, .until = until, .most = WALKING };
	struct list_page from = *page;
	enum err err = ERR_TOO_SLOW;

	buffer_cut(&rows->text, 0);
	rows->count = 0;
	rows->walked = 0;
	rows->more = false;
	/* A remote database cannot be hurried, and its rows have come when the first is looked at: the wait for them
	 * would be counted, and leave time for one. */
	if (list->searches && page->before_time != LIST_STEADILY && !db_is_remote(db))
		err = search_quickly(call, db, list, &from, form, &bounds, rows);
	if (err != ERR_TOO_SLOW)
		return err;
	return read_on(call, db, list, &from, form, &bounds, rows);
}

struct text list_rows_at(const struct list_rows *rows, const struct list *list, size_t index)
{
	const size_t at = list->oldest_first ? rows->count - 1 - index : index;
	const size_t begin = at == 0 ? 0 : rows->ends[at - 1];

	return (struct text){ rows->text.at + begin, rows->ends[at] - begin };
}
