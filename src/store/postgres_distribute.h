/* The tables of the house spread over the nodes of Citus (sql/postgres/distribute.sql).
 * Owner: nobody. The caller's thread, and a connection of its own.
 * All or nothing; what is distributed already stays as it is.
 * Never tried against Citus itself by the tests, which have PostgreSQL alone: docs/scale.md says what was.
 * Next: postgres_setup.h (what comes before). */
#ifndef INNKEEPER_STORE_POSTGRES_DISTRIBUTE_H
#define INNKEEPER_STORE_POSTGRES_DISTRIBUTE_H

#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

/* As who may become the tables' owner. `*tables`: how many were distributed now. ERR_INVALID: the fault says what is
 * missing. */
enum err postgres_distribute_tables(struct text url, int64_t *tables, struct fault *fault) WARN_UNUSED;

#endif
