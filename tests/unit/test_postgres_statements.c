#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "auth/tenant.h"
#include "postgres_house.h"
#include "store/postgres_wire.h"
#include "store/query.h"

/* Every statement of the binary against PostgreSQL, as the role that runs it. */
struct house {
	struct postgres_house of;
	PGconn *plain; /* of this one, as the server's role, without the house's own code */
	sqlite3 *json; /* to look into plans */
	const struct scope *ours;
	char id[UUID_TEXT_SIZE];
};

#define OURS 'a'

static void become(struct house *house, bool system)
{
	char sql[128];

	if (system) {
		postgres_run(house->plain, "SET LOCAL ROLE innkeeper_system");
		return;
	}
	snprintf(sql, sizeof sql, "SET LOCAL innkeeper.organization = '%s'", house->id);
	postgres_run(house->plain, sql);
}

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);
	const struct uuid id = fixture_id(OURS);

	postgres_house_open(&house->of);
	house->plain = postgres_house_reach(&house->of, "innkeeper_server");
	postgres_run(house->plain, "SET search_path = innkeeper, pg_temp; SET plan_cache_mode = force_generic_plan;"
				   "SET enable_seqscan = off; SET jit = off");
	uuid_format(&id, house->id);
	house->ours = tenant_scope(&house->of.fixture.arena, &id);
	assert_int_equal(sqlite3_open(":memory:", &house->json), SQLITE_OK);
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	PQfinish(house->plain);
	sqlite3_close(house->json);
	postgres_house_close(&house->of);
	test_free(house);
	return 0;
}

static bool is_of_the_migration(const struct statement *statement)
{
	return statement->write_target != NULL && strcmp(statement->write_target, "migrations") == 0;
}

static void every_statement_prepares_and_gives_the_columns_that_it_says(void **state)
{
	struct house *house = *state;
	size_t count = 0;
	size_t bad = 0;

	for (size_t i = 0; i < statement_count; i++) {
		const struct statement *statement = &statements[i];
		struct postgres_parameters parameters;
		PGresult *prepared;
		PGresult *described;

		if (statement->postgres == NULL || is_of_the_migration(statement))
			continue;
		count++;
		postgres_run(house->plain, "BEGIN");
		become(house, statement->kind == STATEMENT_SYSTEM);
		postgres_types(&parameters, statement);
		prepared =
		    PQprepare(house->plain, statement->name, statement->postgres, parameters.count, parameters.types);
		described = PQdescribePrepared(house->plain, statement->name);
		if (PQresultStatus(prepared) != PGRES_COMMAND_OK || !postgres_fits(described, statement)) {
			print_error("%s: %s\n", statement->name,
				    PQresultStatus(prepared) == PGRES_COMMAND_OK ? "other columns than it says"
										 : PQresultErrorMessage(prepared));
			bad++;
		}
		PQclear(described);
		PQclear(prepared);
		postgres_run(house->plain, "ROLLBACK");
	}
	assert_int_equal(bad, 0);
	assert_true(count > 100);
}

/* Asks for the number that the insert before it on this connection has given, and there was none. */
static bool needs_an_insert_before(const struct statement *statement)
{
	return strstr(statement->postgres, "currval(") != NULL;
}

/* Runs it to its end, with nothing for every parameter. */
static enum err run_empty(struct house *house, struct db *db, enum statement_id id)
{
	static const char nothing[4096];
	const bool system = statements[id].kind == STATEMENT_SYSTEM;
	union query_row row;
	enum err err = db_begin(db);
	enum err left;

	if (err == OK)
		err = db_enter(db, system ? tenant_system() : house->ours);
	if (err == OK)
		err = db_start(db, id, nothing);
	while (err == OK)
		err = db_step(db, id, &row);
	db_stop(db, id);
	left = db_leave(db, false);
	if (db_end(db, false) != OK)
		return ERR_STORAGE;
	return left == OK ? err : left;
}

static void every_statement_runs_as_its_role(void **state)
{
	struct house *house = *state;
	struct db *reader = fixture_db(&house->of.fixture, DB_READ);
	struct db *writer = fixture_db(&house->of.fixture, DB_WRITE);
	size_t bad = 0;

	for (size_t i = 0; i < statement_count; i++) {
		const bool reads = statements[i].write_target == NULL;
		enum err err;

		if (statements[i].postgres == NULL || is_of_the_migration(&statements[i]) ||
		    needs_an_insert_before(&statements[i]))
			continue;
		err = run_empty(house, writer, (enum statement_id)i);
		if (reads && (err == ERR_NOT_FOUND || err == ERR_CONFLICT))
			err = run_empty(house, reader, (enum statement_id)i);
		/* The end of its rows, or a NULL where none may be. */
		if (err == ERR_NOT_FOUND || err == ERR_CONFLICT)
			continue;
		print_error("%s: err %d\n", statements[i].name, (int)err);
		bad++;
	}
	db_close(writer);
	db_close(reader);
	assert_int_equal(bad, 0);
}

static void no_statement_runs_in_the_wrong_scope(void **state)
{
	struct house *house = *state;
	struct db *writer = fixture_db(&house->of.fixture, DB_WRITE);
	struct db *reader = fixture_db(&house->of.fixture, DB_READ);
	static const char nothing[4096];

	assert_int_equal(db_begin(writer), OK);
	assert_int_equal(db_begin(reader), OK);
	for (size_t i = 0; i < statement_count; i++) {
		const bool system = statements[i].kind == STATEMENT_SYSTEM;
		const enum statement_id id = (enum statement_id)i;

		assert_int_equal(db_start(writer, id, nothing), ERR_DENIED);
		assert_int_equal(db_enter(writer, system ? house->ours : tenant_system()), OK);
		assert_int_equal(db_start(writer, id, nothing), ERR_DENIED);
		assert_int_equal(db_leave(writer, true), OK);
		if (statements[i].write_target == NULL)
			continue;
		assert_int_equal(db_enter(reader, system ? tenant_system() : house->ours), OK);
		assert_int_equal(db_start(reader, id, nothing), ERR_DENIED);
		assert_int_equal(db_leave(reader, true), OK);
	}
	assert_int_equal(db_end(reader, false), OK);
	assert_int_equal(db_end(writer, false), OK);
	db_close(reader);
	db_close(writer);
}

static const char *owner_of(const char *table)
{
	for (size_t i = 0; i < postgres_table_count; i++)
		if (strcmp(postgres_tables[i].name, table) == 0)
			return postgres_tables[i].owner_column;
	return NULL;
}

/* Each condition under which an index is entered, of this step of a plan and of what it is made from. */
static bool is_entered_by(struct house *house, const char *plan, const char *path, const char *owner)
{
	sqlite3_stmt *conditions = NULL;
	bool all = true;
	int count = 0;
	char wanted[64];

	snprintf(wanted, sizeof wanted, "(%s = ", owner);
	assert_int_equal(sqlite3_prepare_v2(house->json, "SELECT atom FROM json_tree(?1, ?2) WHERE key = 'Index Cond'",
					    -1, &conditions, NULL),
			 SQLITE_OK);
	sqlite3_bind_text(conditions, 1, plan, -1, SQLITE_STATIC);
	sqlite3_bind_text(conditions, 2, path, -1, SQLITE_STATIC);
	while (sqlite3_step(conditions) == SQLITE_ROW) {
		count++;
		all = all && strstr((const char *)sqlite3_column_text(conditions, 0), wanted) != NULL;
	}
	sqlite3_finalize(conditions);
	return all && count > 0;
}

/* Whether every tenant's table is entered by an index with the organization in its condition. Prints what is not. */
static bool is_searched(struct house *house, const char *name, const char *plan)
{
	sqlite3_stmt *steps = NULL;
	bool searched = true;

	assert_int_equal(sqlite3_prepare_v2(house->json,
					    "SELECT atom, path, json_extract(?1, path || '.\"Node Type\"') "
					    "FROM json_tree(?1) WHERE key = 'Relation Name'",
					    -1, &steps, NULL),
			 SQLITE_OK);
	sqlite3_bind_text(steps, 1, plan, -1, SQLITE_STATIC);
	while (sqlite3_step(steps) == SQLITE_ROW) {
		const char *table = (const char *)sqlite3_column_text(steps, 0);
		const char *path = (const char *)sqlite3_column_text(steps, 1);
		const char *kind = (const char *)sqlite3_column_text(steps, 2);
		const char *owner = owner_of(table);

		if (owner == NULL || strcmp(kind, "ModifyTable") == 0 || is_entered_by(house, plan, path, owner))
			continue;
		print_error("%s: %s of %s is not entered by its organization\n", name, kind, table);
		searched = false;
	}
	sqlite3_finalize(steps);
	return searched;
}

static char *explain(struct house *house, const char *execute)
{
	char *sql = sqlite3_mprintf("EXPLAIN (FORMAT JSON) %s", execute);
	PGresult *result = postgres_ask(house->plain, sql);
	char *plan = sqlite3_mprintf("%s", PQgetvalue(result, 0, 0));

	PQclear(result);
	sqlite3_free(sql);
	return plan;
}

/* The plan for any parameters, as the house has it (plan_cache_mode). */
static char *plan_of(struct house *house, const struct statement *statement)
{
	struct postgres_parameters parameters;
	char *execute = sqlite3_mprintf("EXECUTE %s(NULL", statement->name);
	PGresult *prepared;
	char *whole;
	char *plan;

	postgres_types(&parameters, statement);
	prepared = PQprepare(house->plain, statement->name, statement->postgres, parameters.count, parameters.types);
	if (PQresultStatus(prepared) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", statement->name, PQresultErrorMessage(prepared));
	PQclear(prepared);
	for (int i = 1; i < parameters.count; i++) {
		char *longer = sqlite3_mprintf("%s, NULL", execute);

		sqlite3_free(execute);
		execute = longer;
	}
	whole = sqlite3_mprintf("%s)", execute);
	plan = explain(house, whole);
	sqlite3_free(whole);
	sqlite3_free(execute);
	return plan;
}

static void every_tenant_statement_enters_its_tables_by_the_organization(void **state)
{
	struct house *house = *state;
	size_t bad = 0;

	for (size_t i = 0; i < statement_count; i++) {
		char *plan;

		if (statements[i].postgres == NULL || statements[i].kind != STATEMENT_TENANT)
			continue;
		postgres_run(house->plain, "BEGIN");
		become(house, false);
		plan = plan_of(house, &statements[i]);
		bad += !is_searched(house, statements[i].name, plan);
		sqlite3_free(plan);
		postgres_run(house->plain, "ROLLBACK");
	}
	assert_int_equal(bad, 0);
}

static void a_plan_that_scans_would_be_noticed(void **state)
{
	struct house *house = *state;
	static const struct {
		const char *sql;
		bool searched;
	} cases[] = {
		{ "SELECT * FROM messages WHERE number = 1", false },
		{ "DELETE FROM chats WHERE chat_id = 'x'", false },
		{ "SELECT * FROM erasures WHERE number = 1", false }, /* an index, but another one */
		{ "SELECT * FROM messages WHERE organization_id = '00000000-0000-0000-0000-000000000001'", true },
		{ "SELECT * FROM accounts WHERE name = 'x'", true }, /* nobody's */
	};

	/* Of who is bound by no policy, so that nothing is added to the texts. */
	PQfinish(house->plain);
	house->plain = postgres_house_reach(&house->of, "postgres");
	postgres_run(house->plain, "SET search_path = innkeeper; SET enable_seqscan = off");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *plan = explain(house, cases[i].sql);

		assert_int_equal(is_searched(house, cases[i].sql, plan), cases[i].searched);
		sqlite3_free(plan);
	}
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(every_statement_prepares_and_gives_the_columns_that_it_says),
		HOUSE(every_statement_runs_as_its_role),
		HOUSE(no_statement_runs_in_the_wrong_scope),
		HOUSE(every_tenant_statement_enters_its_tables_by_the_organization),
		HOUSE(a_plan_that_scans_would_be_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
