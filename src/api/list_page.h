/* One page of a list: its rows read and written down, each by itself, in the order in which they are shown.
 * Owner: whoever calls list_page_init, until list_page_fini. One thread at a time.
 * A page ends at its limit, or where it has become large; then there are more rows. A page of a list that sifts ends
 * where it has walked over rows for long enough; then there may be more rows. Never holds a statement open after
 * list_page_read. Next: list.c, list_csv.c. */
#ifndef INNKEEPER_API_LIST_PAGE_H
#define INNKEEPER_API_LIST_PAGE_H

#include "api/list.h"

/* A struct that a list's fill fills: the largest fits. */
union list_in {
	char bytes[512];
	struct text text;
	double real;
	int64_t number;
};

enum list_form { LIST_JSON, LIST_CSV };

struct list_rows {
	struct buffer text; /* the rows, one behind the other, newest first */
	size_t *ends;       /* of each in `text` */
	size_t count;
	bool more;         /* there are, or may be, rows behind the last */
	size_t walked;     /* rows, shown or not */
	int64_t last_time; /* of the last row walked over: the next page's `before` */
	int64_t last_number;
};

/* ERR_MEMORY. */
enum err list_rows_init(struct list_rows *rows, struct arena *arena) WARN_UNUSED;
void list_rows_fini(struct list_rows *rows);

/* Reads the page; what was read before is forgotten. `bytes`: a page that has become so large ends. `until`: it ends
 * behind the row of this number; 0: none. ERR_MEMORY, and what the list's fill, its shape or the store say. */
enum err list_rows_read(struct call *call, struct db *db, const struct list *list, const struct list_page *page,
			enum list_form form, size_t bytes, int64_t until, struct list_rows *rows) WARN_UNUSED;

/* The row that is shown at `index`. */
struct text list_rows_at(const struct list_rows *rows, const struct list *list, size_t index);

#endif
