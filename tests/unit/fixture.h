/* What tests of the store stand on: a folder of their own with a migrated database, organizations in it, scopes.
 * Owner: one test. A failure to set up fails the test.
 * An organization's id is one letter sixteen times, so that a text can spell it: X'6161…'.
 * Never sleeps: what waits for another thread waits for a signal.
 * Next: victim.h, rows to be attacked. */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/uuid.h"
#include "store/db.h"

struct fixture {
	char folder[64];
	char path[96];
	char address[128];
	struct text url;
	struct log log; /* to a file in the folder */
	struct arena arena;
	struct metrics *metrics;
};

void fixture_open(struct fixture *fixture);  /* the folder, and in it a migrated database */
void fixture_empty(struct fixture *fixture); /* the folder alone */
void fixture_close(struct fixture *fixture);

/* A connection without any security, to look behind the scenes. Closed by the caller. */
sqlite3 *fixture_plain(const struct fixture *fixture);

/* Runs SQL on the plain connection; the first column of the first row as a number, -1 without one. */
int64_t fixture_number(sqlite3 *plain, const char *sql);
void fixture_run(sqlite3 *plain, const char *sql);

struct uuid fixture_id(char letter);
/* Stores the organization named by the letter and gives its scope. */
const struct scope *fixture_organization(struct fixture *fixture, char letter);

struct db *fixture_db(const struct fixture *fixture, enum db_use use);

/* Bytes of the log so far hold this. */
bool fixture_logged(const struct fixture *fixture, const char *words);

/* A door that threads wait at until somebody opens it. */
struct door {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	size_t waiting;
	bool open;
};

void door_init(struct door *door);
void door_fini(struct door *door);
void door_pass(struct door *door); /* waits until it is open */
void door_open(struct door *door);
void door_await(struct door *door, size_t count); /* until so many wait at it */

#endif
