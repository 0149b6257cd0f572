/* A connection to PostgreSQL for what is set up once: one question after the other, each waited for.
 * Owner: who opened it: PQfinish. One thread at a time.
 * Notices are dropped: they may repeat what was stored.
 * Never for what the house stores and reads: that is db.h's.
 * Next: postgres_setup.h and postgres_distribute.h, which use it; postgres_line.h, the house's own. */
#ifndef INNKEEPER_STORE_POSTGRES_PLAIN_H
#define INNKEEPER_STORE_POSTGRES_PLAIN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

#define POSTGRES_REASON_SIZE 181 /* of why something failed, and a NUL */

/* ERR_MEMORY, or ERR_UNAVAILABLE: the fault says why it cannot be reached. */
enum err postgres_plain_open(PGconn **out, struct text url, struct fault *fault) WARN_UNUSED;

/* False: `reason` says why, in a few words without a full stop. */
bool postgres_plain_run(PGconn *connection, const char *sql, char reason[POSTGRES_REASON_SIZE]) WARN_UNUSED;

/* The one value that is asked for; empty when there is none. */
void postgres_plain_ask(PGconn *connection, const char *sql, char *out, size_t size);

#endif
