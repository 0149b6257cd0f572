/* A list as CSV, made while it is sent: all its rows, or as many as `limit` says.
 * Owner: the call's stream. Threads: asked on the HTTP thread, where each page is read in a short transaction of its
 * own; of a remote database, on a thread that may wait for it. Between two pages nothing is held but memory, so that a
 * slow client is in nobody's way. A row that stood when the stream began is sent exactly once. Never sends a part as if
 * it were the whole: what fails is cut. Next: list.c. */
#ifndef INNKEEPER_API_LIST_CSV_H
#define INNKEEPER_API_LIST_CSV_H

#include "api/list.h"

/* At the same time: a download reads as long as its client likes, and an organization must not take all readers' turns
 * from the others. */
#define LIST_CSV_DOWNLOADS      64 /* over all organizations */
#define LIST_CSV_DOWNLOADS_EACH 4  /* of one */

/* What every list says of itself as CSV: the type, and the name of the file; and that the record of the organization is
 * to have it, since a whole list leaves the house. ERR_RATE_LIMITED with Retry-After: too many are on their way. OK:
 * list_csv_end once, when the stream has ended. */
enum err list_csv_begin(struct call *call, const char *file) WARN_UNUSED;
void list_csv_end(struct call *call);

/* Makes the call's answer a stream of the rows from `page` on; page->limit 0: all. */
enum err list_csv(struct call *call, const struct list *list, const struct list_page *page) WARN_UNUSED;

#endif
