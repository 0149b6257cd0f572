/* Two organizations with a row in every protected table: one attacks, the other one must not notice.
 * Owner: one test, on a plain connection.
 * Every value of the victim is recognisable wherever it turns up: CANARY in texts, its number in numbers.
 * Never leaves a protected table without a row: victim_settle fails when the schema has one that it does not know.
 * Next: test_row_security.c. */
#ifndef TESTS_UNIT_VICTIM_H
#define TESTS_UNIT_VICTIM_H

#include "fixture.h"

#define ATTACKER        'a'
#define VICTIM          'v'
#define ATTACKER_NUMBER 3000003
#define VICTIM_NUMBER   7000007

/* How a row of each table is made: ?1 the organization, ?2 its number, ?3 its text. Parents first; NULL-terminated. */
extern const char *const victim_seeds[];

/* Everybody's rows as at the beginning. */
void victim_settle(sqlite3 *plain);

/* Every value of every row of the organization, as one text for comparison; freed with sqlite3_free. */
char *victim_rows(sqlite3 *plain, char letter);

/* Whether a row that a statement stands on shows anything of the organization. */
bool victim_shows(sqlite3_stmt *row, char letter);

#endif
