/* A PostgreSQL database of one test's own, and a view behind its scenes.
 * Owner: one test. A failure to set up fails the test.
 * INNKEEPER_TEST_POSTGRES is an administrator's URL and INNKEEPER_TEST_TEMPLATE a migrated database (tests/run.sh),
 * which is copied. The fixture's URL is the server's role there. Never in the house's own code: libpq alone. Next:
 * fixture.h. */
#ifndef TESTS_UNIT_POSTGRES_HOUSE_H
#define TESTS_UNIT_POSTGRES_HOUSE_H

#include <libpq-fe.h>

#include "fixture.h"

struct postgres_house {
	struct fixture fixture;
	char name[64];
	PGconn *administrator; /* of another database */
};

void postgres_house_open(struct postgres_house *house);
void postgres_house_close(struct postgres_house *house);

/* A connection to it as a role, "postgres" or "innkeeper_server". Closed by the caller. */
PGconn *postgres_house_reach(const struct postgres_house *house, const char *role);

/* SQL that must succeed; the result is the caller's. */
PGresult *postgres_ask(PGconn *connection, const char *sql);
void postgres_run(PGconn *connection, const char *sql);

#endif
