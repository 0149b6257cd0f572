/* A list whose rows no statement orders: a handler holds them all, sorted, and one page of them is answered.
 * Owner: the rows live in the call's arena, until the answer was sent.
 * Threads: as the route runs; the CSV is written down on the HTTP thread while it is sent, some rows at a time.
 * Never reads the store: a CSV is of the moment in which the handler ran.
 * Next: list.h, whose query, Link and CSV it shares; article_stats.c (its handler). */
#ifndef INNKEEPER_API_LIST_HELD_H
#define INNKEEPER_API_LIST_HELD_H

#include "api/list.h"

struct list_held {
	enum statement_id statement; /* of whose out structs the rows are */
	size_t size;                 /* of one, bytes */
	const char *rows;
	size_t count;
	size_t first;       /* the page begins here: behind the cursor */
	const char *member; /* that holds the array */
	const char *file;   /* the CSV's name */
	/* The cursor of the rows behind this one; absent when memory is out. */
	struct text (*cursor)(struct call *call, const void *row);
};

/* Answers the call, whose query begins with a struct list_query, of a route with the answer OBJECT. With CSV, nothing
 * may be written to call->out afterwards. ERR_MEMORY. */
enum err list_held_answer(struct call *call, const struct list_held *held) WARN_UNUSED;

#endif
