/* How every list of the dashboard is answered: newest first, a page at a time, as JSON or as CSV.
 * Owner: a struct list is constant data beside its handler. A handler that answers with one is a few lines.
 * Threads: as the route runs (READS); the CSV is read page by page while it is sent (list_csv.h), each page in a
 * transaction of its own, so that a slow client holds no reader. Never shows a row's number, never reads a whole table.
 * Next: cursor.h (where a page begins), list_page.h (one page), list_csv.h, list_held.h (rows that are no
 * statement's), chat_lists.c (handlers). */
#ifndef INNKEEPER_API_LIST_H
#define INNKEEPER_API_LIST_H

#include "api/call.h"

#define LIST_LIMIT 1000 /* rows of a page at most, and without `limit` */

/* What a list reads from its query. A struct of further parameters begins with it. */
struct list_query {
	int64_t limit; /* JSON_ABSENT */
	struct text cursor;
	struct text format; /* "json", "csv" or absent: as Accept says */
};

/* Rows of a table of fields: the parameters of struct list_query, for a route's own query that begins with one. */
#define LIST_FIELDS                                                                                                    \
	{ .name = "limit",                                                                                             \
	  .kind = JSON_INT,                                                                                            \
	  .offset = offsetof(struct list_query, limit),                                                                \
	  .min = 1,                                                                                                    \
	  .max = LIST_LIMIT,                                                                                           \
	  .about = "Rows of a page, 1 to 1,000." },                                                                    \
	    { .name = "cursor",                                                                                        \
	      .kind = JSON_TEXT,                                                                                       \
	      .offset = offsetof(struct list_query, cursor),                                                           \
	      .about = "Where the page begins: from the Link header of the page before." },                            \
	{                                                                                                              \
		.name = "format", .kind = JSON_CHOICE, .offset = offsetof(struct list_query, format),                  \
		.choices = list_formats, .about = "json, or csv: all rows, unless limit says how many."                \
	}

extern const char *const list_formats[];

/* For a list without parameters of its own. */
extern const struct json_shape list_query_shape;

/* Which rows: those before this time and number, newest first. */
struct list_page {
	int64_t before_time; /* ms; INT64_MAX on the first page; of a list that searches: LIST_STEADILY, or another */
	int64_t before_number;
	int64_t limit;
};

/* How a list that searches goes on. It is read as it is at first: that finds what is common, and what is rare, at once;
 * but some questions read millions of words before a row comes. Then it is read steadily, so that a row comes before
 * long, if only one that is not shown. That is slower: who went over to it stays with it, from page to page. */
#define LIST_STEADILY ((int64_t)0)

/* A list's statement takes `before_time time, before_number int, limit int` (and what it filters by), orders newest
 * first by time and number, and its first two columns are that time and that number. They and whatever else is hidden
 * must stand first and are not shown; the names of the other columns are those of the answer. */
struct list {
	enum statement_id statement;
	size_t hidden;      /* columns, at least 2 */
	const char *member; /* that holds the array; NULL: the answer is the array */
	const char *file;   /* the CSV's name: "chats" */
	/* The third column, a bool, says whether the row is shown; those that are not are walked over, as many as a
	 * page has time for. So a page may have fewer rows than its limit, or none, and a next one all the same. */
	bool sifts;
	/* There may be no row for a long time. Times are the way it is on, and come back as the first column: see
	 * LIST_STEADILY. It sifts too. */
	bool searches;
	/* Pages go from the newest back, but each is shown oldest first, and so is the CSV. */
	bool oldest_first;
	/* Fills the statement's `in` (zeroed) from the call and the page. Called again for each page of a CSV. */
	enum err (*fill)(struct call *call, const struct list_page *page, void *in);
	/* NULL, or changes a row, a struct of the statement's out, before it is shown; `arena` is the row's. */
	enum err (*shape)(struct arena *arena, void *row);
};

/* Whether the call, whose query begins with a struct list_query, is to be answered as CSV. */
bool list_wants_csv(const struct call *call);

/* The Link header that leads to the next page, which this cursor begins. ERR_MEMORY. */
enum err list_put_link(struct call *call, struct text cursor) WARN_UNUSED;

/* Answers the call, whose query begins with a struct list_query. Of a route with the answer OBJECT when there is a
 * member, else ARRAY. */
enum err list_answer(struct call *call, const struct list *list) WARN_UNUSED;

#endif
