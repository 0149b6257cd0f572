/* Who did what, when, from where, as an Admin reads it.
 * Owner: handlers; see call.h. Threads: READS, and for CSV see list_csv.h.
 * Only a list: entries are never changed.
 * Never shows an entry of another organization, nor the server's own.
 * Next: list.h, sql/audit_lists.sql. */
#ifndef INNKEEPER_API_AUDIT_LISTS_H
#define INNKEEPER_API_AUDIT_LISTS_H

#include "api/call.h"

enum err audit_lists_entries(struct call *call) WARN_UNUSED; /* GET /api/audit */

#endif
