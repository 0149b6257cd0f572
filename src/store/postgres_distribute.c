#include "store/postgres_distribute.h"

#include <stdlib.h>

#include "store/postgres_plain.h"
#include "store/statement.h"

static enum err run(PGconn *connection, const char *sql, struct fault *fault)
{
	char reason[POSTGRES_REASON_SIZE];

	if (postgres_plain_run(connection, sql, reason))
		return OK;
	return fault_set(fault, ERR_INVALID, NULL, NULL, "%s.", reason);
}

static enum err distribute(PGconn *connection, int64_t *tables, struct fault *fault)
{
	static const char *const before[] = { "BEGIN", "SET LOCAL ROLE innkeeper_owner",
					      "SET LOCAL search_path = innkeeper, pg_temp",
					      "SET LOCAL lock_timeout = '10s'" };
	char count[24];
	enum err err = OK;

	for (size_t i = 0; err == OK && i < sizeof before / sizeof before[0]; i++)
		err = run(connection, before[i], fault);
	if (err == OK)
		err = run(connection, postgres_distribute, fault);
	if (err != OK)
		return err;
	postgres_plain_ask(connection, "SELECT current_setting('innkeeper.distributed')", count, sizeof count);
	*tables = strtoll(count, NULL, 10);
	return run(connection, "COMMIT", fault);
}

enum err postgres_distribute_tables(struct text url, int64_t *tables, struct fault *fault)
{
	PGconn *connection;
	enum err err = postgres_plain_open(&connection, url, fault);

	*tables = 0;
	if (err == OK)
		err = distribute(connection, tables, fault);
	PQfinish(connection);
	return err;
}
