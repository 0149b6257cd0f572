#include "api/list_page.h"

#include <string.h>

#define ROWS_MAX   ((size_t)64 * 1024 * 1024) /* bytes; one row is far smaller */
#define ROW_MEMORY ((size_t)16 * 1024 * 1024) /* bytes that shaping a row may take */

/* As each row of a list begins. */
struct row_head {
	int64_t time;
	int64_t number;
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

enum err list_rows_read(struct call *call, struct db *db, const struct list *list, const struct list_page *page,
			enum list_form form, size_t bytes, int64_t until, struct list_rows *rows)
{
	struct list_page asked = *page;
	union list_in in;
	union query_row row;
	struct row_head head;
	enum err err;

	buffer_cut(&rows->text, 0);
	rows->count = 0;
	rows->more = false;
	memset(&in, 0, sizeof in);
	asked.limit = page->limit + 1; /* whether there are more */
	err = list->fill(call, &asked, &in);
	if (err != OK)
		return err;
	err = db_start(db, list->statement, &in);
	while (err == OK && (err = db_step(db, list->statement, &row)) == OK) {
		rows->more = rows->count == (size_t)page->limit || rows->text.length >= bytes ||
			     (until != 0 && rows->count > 0 && rows->last_number == until);
		if (rows->more)
			break;
		memcpy(&head, &row, sizeof head);
		rows->last_time = head.time;
		rows->last_number = head.number;
		err = write_row(list, &row, form, &rows->text);
		rows->ends[rows->count++] = rows->text.length;
	}
	db_stop(db, list->statement);
	return err == ERR_NOT_FOUND ? OK : err;
}

struct text list_rows_at(const struct list_rows *rows, const struct list *list, size_t index)
{
	const size_t at = list->oldest_first ? rows->count - 1 - index : index;
	const size_t begin = at == 0 ? 0 : rows->ends[at - 1];

	return (struct text){ rows->text.at + begin, rows->ends[at] - begin };
}
