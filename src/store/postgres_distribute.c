#include "store/postgres_distribute.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "store/statement.h"

static void ignore_notice(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

static enum err run(PGconn *connection, const char *sql, struct fault *fault)
{
	PGresult *result = PQexec(connection, sql);
	const ExecStatusType status = PQresultStatus(result);
	const char *reason = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	enum err err = OK;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		err = fault_set(fault, ERR_INVALID, NULL, NULL, "%s.",
				reason == NULL ? "The connection to the database was lost" : reason);
	PQclear(result);
	return err;
}

static int64_t read_number(PGconn *connection, const char *sql)
{
	PGresult *result = PQexec(connection, sql);
	const int64_t number = PQntuples(result) == 1 ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : 0;

	PQclear(result);
	return number;
}

static enum err distribute(PGconn *connection, int64_t *tables, struct fault *fault)
{
	static const char *const before[] = { "BEGIN", "SET LOCAL ROLE innkeeper_owner",
					      "SET LOCAL search_path = innkeeper, pg_temp",
					      "SET LOCAL lock_timeout = '10s'" };
	enum err err = OK;

	for (size_t i = 0; err == OK && i < sizeof before / sizeof before[0]; i++)
		err = run(connection, before[i], fault);
	if (err == OK)
		err = run(connection, postgres_distribute, fault);
	if (err != OK)
		return err;
	*tables = read_number(connection, "SELECT current_setting('innkeeper.distributed')");
	return run(connection, "COMMIT", fault);
}

enum err postgres_distribute_tables(struct text url, int64_t *tables, struct fault *fault)
{
	char *copy = strndup(url.at, url.length);
	const char *const names[] = { "dbname", "connect_timeout", "application_name", NULL };
	const char *const values[] = { copy, "3", "innkeeper", NULL };
	PGconn *connection = copy == NULL ? NULL : PQconnectdbParams(names, values, 1);
	enum err err;

	*tables = 0;
	if (connection == NULL) {
		err = fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	} else if (PQstatus(connection) != CONNECTION_OK) {
		const char *reason = PQerrorMessage(connection);

		err = fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The database cannot be reached: %.*s.",
				(int)strcspn(reason, "\n"), reason);
	} else {
		PQsetNoticeReceiver(connection, ignore_notice, NULL);
		err = distribute(connection, tables, fault);
	}
	PQfinish(connection);
	free(copy);
	return err;
}
