/* How a PostgreSQL is reached, and whether it still is.
 * Owner: nobody; who connects has the connection: PQfinish. Any thread.
 * A server that is gone says nothing: each side asks the other by TCP's own means, and who has waited for an answer for
 * long asks by a second connection whether anybody answers at all.
 * Never reports what the server remarks: it may repeat what was stored.
 * Source: https://www.postgresql.org/docs/15/libpq-connect.html. Next: postgres_line.h, notices.h, who connect by it.
 */
#ifndef INNKEEPER_STORE_POSTGRES_REACH_H
#define INNKEEPER_STORE_POSTGRES_REACH_H

#include <libpq-fe.h>
#include <stdbool.h>

/* As PQconnectdbParams does: NULL when out of memory, else to be looked at by PQstatus. Waits three seconds for each
 * address of the URL. `name`: of the application, as the server shows it. */
PGconn *postgres_reach_connect(const char *url, const char *name);

/* Whether the server of this connection still answers somebody; waits two seconds at most. What cannot be found out,
 * for want of memory, is no reason to give it up: true. */
bool postgres_reach_answers(const char *url, const PGconn *connection);

#endif
