#include "store/postgres_plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres_reach.h"

enum err postgres_plain_open(PGconn **out, struct text url, struct fault *fault)
{
	char *copy = strndup(url.at, url.length);
	PGconn *connection = copy == NULL ? NULL : postgres_reach_connect(copy, "innkeeper");
	const char *reason;

	*out = NULL;
	free(copy);
	if (connection == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	if (PQstatus(connection) == CONNECTION_OK) {
		*out = connection;
		return OK;
	}
	reason = PQerrorMessage(connection);
	fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The database cannot be reached: %.*s.",
		  (int)strcspn(reason, "\n"), reason);
	PQfinish(connection);
	return ERR_UNAVAILABLE;
}

bool postgres_plain_run(PGconn *connection, const char *sql, char reason[POSTGRES_REASON_SIZE])
{
	PGresult *result = PQexec(connection, sql);
	const ExecStatusType status = PQresultStatus(result);
	const char *why = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	snprintf(reason, POSTGRES_REASON_SIZE, "%s", why == NULL ? "the connection to the database was lost" : why);
	PQclear(result);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

void postgres_plain_ask(PGconn *connection, const char *sql, char *out, size_t size)
{
	PGresult *result = PQexec(connection, sql);

	snprintf(out, size, "%s", PQntuples(result) == 1 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
}
