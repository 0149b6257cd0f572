/* The attacker and the victim of victim.h on either engine: SQLite, or with INNKEEPER_TEST_POSTGRES (an administrator's
 * URL) a database of that server, made from INNKEEPER_TEST_TEMPLATE.
 * Owner: one test. A failure to set up fails the test.
 * Looks behind the scenes over a connection without any security; what is tested opens `url` by db.h.
 * Never leaves a table without a row of the victim: stage_settle fails when the schema has one that it does not know.
 * Next: test_statement_scope.c. */
#ifndef TESTS_UNIT_STAGE_H
#define TESTS_UNIT_STAGE_H

#include <libpq-fe.h>

#include "victim.h"

struct stage {
	struct fixture fixture;
	sqlite3 *sqlite;  /* NULL: PostgreSQL */
	PGconn *postgres; /* NULL: SQLite */
	char name[64];    /* of the database on PostgreSQL */
	char address[512];
	struct text url;
};

void stage_open(struct stage *stage);
void stage_close(struct stage *stage);

/* Everybody's rows as at the beginning; without the victim, the attacker's alone. */
void stage_settle(struct stage *stage, bool with_victim);

/* Words as PostgreSQL's index has them; `hidden` holds them until buffer_fini. */
struct text stage_words(char letter, const char *words, struct buffer *hidden);

/* Every value of every row of the organization, as one text for comparison; freed with free. */
char *stage_rows(struct stage *stage, char letter);

#endif
