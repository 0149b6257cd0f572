/* Members, contacts, and what each of them did, as the dashboard reads them.
 * Owner: handlers; see call.h. Threads: READS, and for CSV see list_csv.h.
 * Members and the people a concierge identified (role Visitor) stand in one list; `role` tells them apart.
 * Never shows a user of another organization, nor anything of an account.
 * Next: list.h, sql/user_lists.sql. */
#ifndef INNKEEPER_API_USER_LISTS_H
#define INNKEEPER_API_USER_LISTS_H

#include "api/call.h"

enum err user_lists_users(struct call *call) WARN_UNUSED; /* GET /api/users */
enum err user_lists_show(struct call *call) WARN_UNUSED;  /* GET /api/users/{id} */
enum err user_lists_chats(struct call *call) WARN_UNUSED; /* GET /api/users/{id}/chats */
enum err user_lists_views(struct call *call) WARN_UNUSED; /* GET /api/users/{id}/views */

#endif
