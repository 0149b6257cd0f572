/* A list as CSV, made while it is sent: all its rows, or as many as `limit` says.
 * Owner: the call's stream. Threads: asked on the HTTP thread; each page is read in a short transaction of its own.
 * Between two pages nothing is held but memory, so that a slow client is in nobody's way. A row that stood when the
 * stream began is sent exactly once.
 * Never sends a part as if it were the whole: what fails is cut.
 * Next: list.c. */
#ifndef INNKEEPER_API_LIST_CSV_H
#define INNKEEPER_API_LIST_CSV_H

#include "api/list.h"

/* What every list says of itself as CSV: the type, and the name of the file; and that the record of the organization is
 * to have it, since a whole list leaves the house. */
void list_csv_begin(struct call *call, const char *file);

/* Makes the call's answer a stream of the rows from `page` on; page->limit 0: all. */
enum err list_csv(struct call *call, const struct list *list, const struct list_page *page) WARN_UNUSED;

#endif
