#include "store/postgres_reach.h"

#include <stddef.h>

static void ignore_notice(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

PGconn *postgres_reach_connect(const char *url, const char *name)
{
	/* What the URL says of TCP's means wins, standing behind them. Ten seconds of silence and the connection ends
	 * by itself, whoever waits on it. */
	const char *const names[] = { "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
				      "dbname",          "connect_timeout",     "application_name", NULL };
	const char *const values[] = { "5", "2", "3", "10000", url, "3", name, NULL };
	PGconn *connection = PQconnectdbParams(names, values, 1);

	if (connection != NULL)
		PQsetNoticeReceiver(connection, ignore_notice, NULL);
	return connection;
}

bool postgres_reach_answers(const char *url, const PGconn *connection)
{
	/* Of several servers that the URL may name, the one that is connected to; two seconds are libpq's least. */
	const char *const names[] = {
		"dbname", "host", "hostaddr", "port", "connect_timeout", "application_name", "target_session_attrs",
		NULL
	};
	const char *const values[] = { url,
				       PQhost(connection),
				       PQhostaddr(connection),
				       PQport(connection),
				       "2",
				       "innkeeper (is it there?)",
				       "any",
				       NULL };

	return PQpingParams(names, values, 1) != PQPING_NO_RESPONSE;
}
