/* Visitors and what each of them did, as the dashboard reads them.
 * Owner: handlers; see call.h. Threads: READS, and for CSV see list_csv.h.
 * What is no id is as unknown as an id that nobody has.
 * Never shows a visitor of another organization.
 * Next: list.h, sql/visitor_lists.sql. */
#ifndef INNKEEPER_API_VISITOR_LISTS_H
#define INNKEEPER_API_VISITOR_LISTS_H

#include "api/call.h"

enum err visitor_lists_visitors(struct call *call) WARN_UNUSED; /* GET /api/visitors */
enum err visitor_lists_show(struct call *call) WARN_UNUSED;     /* GET /api/visitors/{id} */
enum err visitor_lists_chats(struct call *call) WARN_UNUSED;    /* GET /api/visitors/{id}/chats */
enum err visitor_lists_views(struct call *call) WARN_UNUSED;    /* GET /api/visitors/{id}/views */

#endif
