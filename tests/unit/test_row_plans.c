#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "statements.h"
#include "store/row_security.h"
#include "victim.h"

struct house {
	struct fixture fixture;
	sqlite3 *plain;
	sqlite3 *sqlite; /* guarded */
	struct row_security *security;
};

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);
	const struct uuid id = fixture_id(ATTACKER);

	fixture_open(&house->fixture);
	house->plain = fixture_plain(&house->fixture);
	victim_settle(house->plain);
	house->sqlite = fixture_plain(&house->fixture);
	assert_int_equal(row_security_new(&house->security, house->sqlite, true), OK);
	row_security_bind(house->security, &id);
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	assert_int_equal(sqlite3_close(house->sqlite), SQLITE_OK);
	row_security_free(house->security);
	assert_int_equal(sqlite3_close(house->plain), SQLITE_OK);
	fixture_close(&house->fixture);
	test_free(house);
	return 0;
}

/* Prepares it as a tenant's or as the system's, which is what it is when `fits`. */
static enum err prepare(struct house *house, bool system, const struct statement *statement, bool fits)
{
	sqlite3_stmt *prepared = NULL;
	enum err err = system ? row_security_prepare_system(house->security, statement->sqlite, &prepared)
			      : row_security_prepare_tenant(house->security, statement->sqlite, statement->write_target,
							    &prepared);

	if (fits && err != OK)
		print_error("%s: %s\n", statement->name, sqlite3_errmsg(house->sqlite));
	if (err == OK)
		assert_int_equal(sqlite3_column_count(prepared), statement->out_count);
	sqlite3_finalize(prepared);
	return err;
}

static void every_statement_prepares_as_its_kind(void **state)
{
	for (size_t i = 0; i < statement_count; i++) {
		if (statements[i].sqlite == NULL)
			continue; /* PostgreSQL's alone */
		assert_int_equal(prepare(*state, statements[i].kind == STATEMENT_SYSTEM, &statements[i], true), OK);
	}
}

static void no_statement_of_the_systems_prepares_as_a_tenants(void **state)
{
	size_t count = 0;

	for (size_t i = 0; i < statement_count; i++) {
		if (statements[i].kind != STATEMENT_SYSTEM || statements[i].sqlite == NULL)
			continue;
		count++;
		assert_int_equal(prepare(*state, false, &statements[i], false), ERR_DENIED);
	}
	assert_true(count > 0);
}

static void no_read_of_a_tenants_prepares_as_the_systems(void **state)
{
	size_t count = 0;

	for (size_t i = 0; i < statement_count; i++) {
		if (statements[i].kind != STATEMENT_TENANT || statements[i].sqlite == NULL ||
		    statements[i].write_target != NULL)
			continue;
		count++;
		assert_int_equal(prepare(*state, true, &statements[i], false), ERR_DENIED);
	}
	assert_true(count > 0);
}

static void no_write_of_a_tenants_prepares_without_its_target(void **state)
{
	size_t count = 0;

	for (size_t i = 0; i < statement_count; i++) {
		struct statement aimless = statements[i];

		if (aimless.kind != STATEMENT_TENANT || aimless.sqlite == NULL || aimless.write_target == NULL)
			continue;
		count++;
		aimless.write_target = NULL;
		assert_int_equal(prepare(*state, false, &aimless, false), ERR_DENIED);
		aimless.write_target = strcmp(statements[i].write_target, "chats") == 0 ? "messages" : "chats";
		assert_int_equal(prepare(*state, false, &aimless, false), ERR_DENIED);
	}
	assert_true(count > 0);
}

static void run_as_anybody(struct house *house, const struct statement *statement, char letter)
{
	const struct uuid id = fixture_id(letter);
	sqlite3_stmt *prepared = NULL;
	int rows = 0;

	assert_int_equal(
	    row_security_prepare_tenant(house->security, statement->sqlite, statement->write_target, &prepared), OK);
	assert_int_equal(sqlite3_bind_blob(prepared, 1, id.bytes, sizeof id.bytes, SQLITE_STATIC), SQLITE_OK);
	/* What the victim's rows are found by, in every place of the right type. */
	for (size_t i = 0; i < statement->in_count; i++) {
		const struct uuid victim = fixture_id(VICTIM);
		const int index = (int)i + 2;

		if (statement->in[i].type == COLUMN_UUID)
			sqlite3_bind_blob(prepared, index, victim.bytes, sizeof victim.bytes, SQLITE_TRANSIENT);
		else if (statement->in[i].type == COLUMN_TEXT || statement->in[i].type == COLUMN_JSON)
			sqlite3_bind_text(prepared, index, "CANARY", -1, SQLITE_STATIC);
		else
			sqlite3_bind_int64(prepared, index, VICTIM_NUMBER);
	}
	while (sqlite3_step(prepared) == SQLITE_ROW && rows++ < 100)
		/* What it was given itself comes back from an insert; a read has nothing to give. */
		if (statement->write_target == NULL && victim_shows(prepared, VICTIM))
			fail_msg("%s shows a row of the victim", statement->name);
	sqlite3_finalize(prepared);
}

static void no_statement_reaches_the_victim_by_its_ids(void **state)
{
	struct house *house = *state;
	char *before = victim_rows(house->plain, VICTIM);

	for (size_t i = 0; i < statement_count; i++) {
		char *after;

		if (statements[i].kind != STATEMENT_TENANT || statements[i].sqlite == NULL)
			continue;
		/* With the organization of the scope, and (as nobody can) with the victim's. */
		run_as_anybody(house, &statements[i], ATTACKER);
		run_as_anybody(house, &statements[i], VICTIM);
		after = victim_rows(house->plain, VICTIM);
		assert_string_equal(after, before);
		sqlite3_free(after);
		victim_settle(house->plain);
	}
	sqlite3_free(before);
}

static int let_everything_pass(void *given, int action, const char *first, const char *second, const char *schema,
			       const char *context)
{
	(void)given, (void)action, (void)first, (void)second, (void)schema, (void)context;
	return SQLITE_OK;
}

/* A sub-query's rows, whose own plan stands beside, and the hits of a MATCH: the words' own lists. */
static bool is_harmless_scan(const char *step, char (*inner)[64])
{
	char scan[80];

	if (strncmp(step, "CO-ROUTINE ", 11) == 0)
		snprintf(*inner, sizeof *inner, "%s", step + 11);
	snprintf(scan, sizeof scan, "SCAN %s", *inner);
	if (strncmp(step, "SCAN ", 5) == 0 && strstr(step, " VIRTUAL TABLE INDEX ") != NULL)
		return strstr(strstr(step, " VIRTUAL TABLE INDEX "), ":M") != NULL;
	return (*inner)[0] != '\0' && strcmp(step, scan) == 0;
}

/* A step over what a recursion of the statement itself has found so far, which is no table. */
static bool is_own_recursion(const struct statement *statement, const char *step)
{
	char *head = sqlite3_mprintf("WITH RECURSIVE %s (", step + strlen("SCAN "));
	const bool own = strncmp(statement->sqlite, head, strlen(head)) == 0;

	sqlite3_free(head);
	return own;
}

/* Whether every table is searched by an index. Prints a plan that does otherwise. The plan of an insert holds nothing
 * but the children that foreign keys would look for if the statement had broken one before, which it has not. */
static bool is_searched(struct house *house, const struct statement *statement)
{
	char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", statement->sqlite);
	sqlite3_stmt *plan = NULL;
	bool searched = true;
	int steps = 0;
	char inner[64] = "";

	if (strncmp(statement->sqlite, "INSERT", 6) == 0) {
		assert_null(strcasestr(statement->sqlite, "SELECT"));
		sqlite3_free(sql);
		return true;
	}
	if (sqlite3_prepare_v2(house->sqlite, sql, -1, &plan, NULL) != SQLITE_OK)
		fail_msg("%s: %s", statement->name, sqlite3_errmsg(house->sqlite));
	while (sqlite3_step(plan) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(plan, 3);

		steps += strncmp(step, "SEARCH ", 7) == 0;
		if (is_harmless_scan(step, &inner))
			continue;
		/* A row without a table, for the questions that stand in its columns. */
		if (strcmp(step, "SCAN CONSTANT ROW") == 0)
			continue;
		if ((strncmp(step, "SCAN ", 5) == 0 && !is_own_recursion(statement, step)) ||
		    strstr(step, "AUTOMATIC") != NULL ||
		    (strncmp(step, "SEARCH ", 7) == 0 && strstr(step, " USING ") == NULL)) {
			print_error("%s: %s\n", statement->name, step);
			searched = false;
		}
	}
	assert_int_equal(sqlite3_finalize(plan), SQLITE_OK);
	sqlite3_free(sql);
	return searched && steps > 0;
}

static void own_reads_and_writes_still_use_their_index(void **state)
{
	struct house *house = *state;
	size_t bad = 0;

	/* The very views of this connection; the authorizer, which refuses plans, changes none. */
	assert_int_equal(sqlite3_set_authorizer(house->sqlite, let_everything_pass, NULL), SQLITE_OK);
	for (size_t i = 0; i < statement_count; i++)
		if (statements[i].kind == STATEMENT_TENANT && statements[i].sqlite != NULL &&
		    !is_searched(house, &statements[i]))
			bad++;
	assert_int_equal(bad, 0);
}

static void a_plan_that_scans_would_be_noticed(void **state)
{
	struct house *house = *state;
	const struct statement scans = { .name = "scans", .sqlite = "SELECT * FROM chats WHERE location = 'x'" };
	const struct statement all = { .name = "all", .sqlite = "DELETE FROM main.messages WHERE +number = 1" };
	const struct statement fine = { .name = "fine", .sqlite = "SELECT * FROM main.chats WHERE number = 1" };

	assert_int_equal(sqlite3_set_authorizer(house->sqlite, let_everything_pass, NULL), SQLITE_OK);
	assert_true(is_searched(house, &scans)); /* by its organization, at least */
	assert_false(is_searched(house, &all));
	assert_true(is_searched(house, &fine));
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(every_statement_prepares_as_its_kind),
		HOUSE(no_statement_of_the_systems_prepares_as_a_tenants),
		HOUSE(no_read_of_a_tenants_prepares_as_the_systems),
		HOUSE(no_write_of_a_tenants_prepares_without_its_target),
		HOUSE(no_statement_reaches_the_victim_by_its_ids),
		HOUSE(own_reads_and_writes_still_use_their_index),
		HOUSE(a_plan_that_scans_would_be_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
