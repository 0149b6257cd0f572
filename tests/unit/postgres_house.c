#include "postgres_house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		fail_msg("%s is not given: tests/run.sh postgres", name);
	return value;
}

/* The administrator's URL with another role and another database. */
static void url_of(const struct postgres_house *house, char *out, size_t size, const char *role)
{
	const char *url = setting("INNKEEPER_TEST_POSTGRES");
	const char *at = strchr(url, '@');
	const char *slash = strchr(at, '/');
	const char *rest = slash + strcspn(slash, "?");

	assert_true(snprintf(out, size, "postgres://%s%.*s/%s%s", role, (int)(slash - at), at, house->name, rest) <
		    (int)size);
}

PGresult *postgres_ask(PGconn *connection, const char *sql)
{
	PGresult *result = PQexec(connection, sql);
	const ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQresultErrorMessage(result));
	return result;
}

void postgres_run(PGconn *connection, const char *sql)
{
	PQclear(postgres_ask(connection, sql));
}

static PGconn *reach(const char *url)
{
	PGconn *connection = PQconnectdb(url);

	if (PQstatus(connection) != CONNECTION_OK)
		fail_msg("%s", PQerrorMessage(connection));
	return connection;
}

PGconn *postgres_house_reach(const struct postgres_house *house, const char *role)
{
	char url[512];

	url_of(house, url, sizeof url, role);
	return reach(url);
}

void postgres_house_open(struct postgres_house *house)
{
	char sql[256];

	fixture_empty(&house->fixture);
	house->administrator = reach(setting("INNKEEPER_TEST_POSTGRES"));
	snprintf(house->name, sizeof house->name, "unit_%d", (int)getpid());
	snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE %s", house->name, setting("INNKEEPER_TEST_TEMPLATE"));
	postgres_run(house->administrator, sql);
	snprintf(sql, sizeof sql, "REVOKE CREATE, TEMPORARY, CONNECT ON DATABASE %s FROM PUBLIC", house->name);
	postgres_run(house->administrator, sql);
	snprintf(sql, sizeof sql, "GRANT CONNECT ON DATABASE %s TO innkeeper_server, innkeeper_migrator", house->name);
	postgres_run(house->administrator, sql);
	url_of(house, house->fixture.address, sizeof house->fixture.address, "innkeeper_server");
	house->fixture.url = text_of(house->fixture.address);
}

void postgres_house_close(struct postgres_house *house)
{
	char sql[128];

	snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", house->name);
	postgres_run(house->administrator, sql);
	PQfinish(house->administrator);
	fixture_close(&house->fixture);
}
