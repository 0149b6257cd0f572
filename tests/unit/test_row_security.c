#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "escapes.h"
#include "store/row_security.h"
#include "victim.h"

#define ROWS_AT_MOST 1000 /* of an endless answer */

/* What a hostile text is given to write, one after the other; NULL: nothing. */
static const char *const targets[] = {
	NULL,       "chats",  "messages", "organizations", "api_keys", "chat_activity", "article_views",
	"accounts", "search", "",
};

enum as { AS_TENANT, AS_NOBODY, AS_SYSTEM };

struct siege {
	struct fixture fixture;
	sqlite3 *plain;
	sqlite3 *sqlite; /* guarded */
	struct row_security *security;
	char *before;      /* the victim's rows */
	char *own;         /* the attacker's */
	sqlite3_str *said; /* everything that statements and their errors have told */
	size_t tried;
	size_t refused;
	size_t escaped;
};

static int begin_siege(void **state)
{
	struct siege *siege = test_calloc(1, sizeof *siege);

	fixture_open(&siege->fixture);
	siege->plain = fixture_plain(&siege->fixture);
	victim_settle(siege->plain);
	siege->before = victim_rows(siege->plain, VICTIM);
	siege->own = victim_rows(siege->plain, ATTACKER);
	siege->sqlite = fixture_plain(&siege->fixture);
	siege->said = sqlite3_str_new(siege->plain);
	assert_int_equal(row_security_new(&siege->security, siege->sqlite, true), OK);
	*state = siege;
	return 0;
}

static int end_siege(void **state)
{
	struct siege *siege = *state;

	assert_int_equal(sqlite3_close(siege->sqlite), SQLITE_OK);
	row_security_free(siege->security);
	sqlite3_free(siege->before);
	sqlite3_free(siege->own);
	sqlite3_free(sqlite3_str_finish(siege->said));
	assert_int_equal(sqlite3_close(siege->plain), SQLITE_OK);
	fixture_close(&siege->fixture);
	test_free(siege);
	return 0;
}

static void transact(struct siege *siege, const char *sql)
{
	sqlite3_stmt *statement;

	assert_int_equal(row_security_prepare_transaction(siege->security, sql, &statement), OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
	sqlite3_finalize(statement);
}

static void become(struct siege *siege, enum as as)
{
	const struct uuid attacker = fixture_id(ATTACKER);

	row_security_bind(siege->security, as == AS_TENANT ? &attacker : NULL);
}

static enum err prepare(struct siege *siege, enum as as, const char *sql, const char *target, sqlite3_stmt **out)
{
	return as == AS_SYSTEM ? row_security_prepare_system(siege->security, sql, out)
			       : row_security_prepare_tenant(siege->security, sql, target, out);
}

static void escaped(struct siege *siege, enum as as, const char *sql, const char *target, const char *how)
{
	static const char *const names[] = { "the tenant", "nobody", "the system" };

	print_error("as %s, writing %s: %s: %.200s\n", names[as], target == NULL ? "nothing" : target, how, sql);
	siege->escaped++;
}

/* Reads all rows. Whether one showed what may not be seen. */
static bool read_rows(struct siege *siege, enum as as, sqlite3_stmt *statement, int *status)
{
	bool shown = false;

	for (int count = 0; (*status = sqlite3_step(statement)) == SQLITE_ROW && count < ROWS_AT_MOST; count++) {
		shown = shown || (as != AS_SYSTEM && victim_shows(statement, VICTIM)) ||
			(as == AS_NOBODY && victim_shows(statement, ATTACKER));
		for (int i = 0; i < sqlite3_column_count(statement); i++)
			sqlite3_str_appendf(siege->said, "%s %s\n", sqlite3_column_name(statement, i),
					    sqlite3_column_text(statement, i));
	}
	return shown;
}

static void compare(struct siege *siege, enum as as, const char *sql, const char *target, int64_t changes_before)
{
	char *after;

	if (sqlite3_total_changes64(siege->sqlite) == changes_before)
		return;
	after = victim_rows(siege->plain, VICTIM);
	if (strcmp(after, siege->before) != 0)
		escaped(siege, as, sql, target, "changed the victim's rows");
	sqlite3_free(after);
	if (as == AS_NOBODY) {
		after = victim_rows(siege->plain, ATTACKER);
		if (strcmp(after, siege->own) != 0)
			escaped(siege, as, sql, target, "changed rows with nobody bound");
		sqlite3_free(after);
	}
	victim_settle(siege->plain);
}

/* Tries one text. Whether it ran to its end. */
static bool attempt(struct siege *siege, enum as as, const char *sql, const char *target)
{
	const int64_t changes = sqlite3_total_changes64(siege->sqlite);
	sqlite3_stmt *statement = NULL;
	int status = SQLITE_ERROR;
	enum err err;

	siege->tried++;
	become(siege, as);
	transact(siege, "BEGIN IMMEDIATE");
	err = prepare(siege, as, sql, target, &statement);
	if (err == OK) {
		const struct uuid id = fixture_id(ATTACKER);

		if (sqlite3_bind_parameter_count(statement) > 0)
			sqlite3_bind_blob(statement, 1, id.bytes, sizeof id.bytes, SQLITE_TRANSIENT);
		if (read_rows(siege, as, statement, &status))
			escaped(siege, as, sql, target, "showed what is not its own");
	} else if (err != ERR_DENIED && err != ERR_STORAGE) {
		escaped(siege, as, sql, target, "failed in a way that is none of both");
	}
	sqlite3_str_appendf(siege->said, "%s\n", sqlite3_errmsg(siege->sqlite));
	sqlite3_finalize(statement);
	if (!sqlite3_get_autocommit(siege->sqlite))
		transact(siege, "COMMIT");
	compare(siege, as, sql, target, changes);
	if (status != SQLITE_ROW && status != SQLITE_DONE)
		siege->refused++;
	return status == SQLITE_ROW || status == SQLITE_DONE;
}

static void attempt_all(struct siege *siege, enum as as, const char *const *texts, bool must_fail)
{
	for (const char *const *sql = texts; *sql != NULL; sql++) {
		for (size_t i = 0; i < (as == AS_SYSTEM ? 1 : sizeof targets / sizeof targets[0]); i++) {
			if (attempt(siege, as, *sql, targets[i]) && must_fail)
				escaped(siege, as, *sql, targets[i], "ran");
		}
	}
}

static int64_t ask(struct siege *siege, enum as as, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t answer = -1;

	become(siege, as);
	if (prepare(siege, as, sql, NULL, &statement) != OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(siege->sqlite));
	if (sqlite3_step(statement) == SQLITE_ROW)
		answer = sqlite3_column_int64(statement, 0);
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	return answer;
}

static void no_text_reaches_the_victims_rows(void **state)
{
	struct siege *siege = *state;

	attempt_all(siege, AS_TENANT, escapes_to_rows, false);
	assert_int_equal(siege->escaped, 0);
	/* Not everything was merely refused: some run, and find nothing. */
	assert_true(siege->refused < siege->tried);
}

static void with_nobody_bound_no_text_sees_or_changes_any_row(void **state)
{
	struct siege *siege = *state;

	attempt_all(siege, AS_NOBODY, escapes_to_rows, false);
	assert_int_equal(siege->escaped, 0);
	for (size_t i = 0; i < protected_table_count; i++) {
		char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", protected_tables[i].name);

		assert_int_equal(ask(siege, AS_NOBODY, sql), 0);
		assert_int_equal(ask(siege, AS_TENANT, sql), 1);
		sqlite3_free(sql);
	}
}

static void the_system_itself_changes_no_row_of_a_tenant(void **state)
{
	struct siege *siege = *state;

	attempt_all(siege, AS_SYSTEM, escapes_to_rows, false);
	assert_int_equal(siege->escaped, 0);
}

static void no_text_reaches_the_schema_the_connection_or_a_file(void **state)
{
	struct siege *siege = *state;

	attempt_all(siege, AS_TENANT, escapes_to_engine, true);
	attempt_all(siege, AS_NOBODY, escapes_to_engine, true);
	attempt_all(siege, AS_SYSTEM, escapes_to_engine, true);
	assert_int_equal(siege->escaped, 0);
	assert_int_equal(siege->refused, siege->tried);
	assert_int_not_equal(access("/tmp/innkeeper_escape", F_OK), 0);
}

static void no_text_runs_as_a_transactions_command(void **state)
{
	static const char *const others[] = { "SELECT 1",
					      "SELECT * FROM chats",
					      "DELETE FROM main.chats",
					      "PRAGMA foreign_keys = OFF",
					      "ATTACH ':memory:' AS x",
					      "EXPLAIN BEGIN",
					      "BEGIN; COMMIT",
					      "" };
	struct siege *siege = *state;

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		sqlite3_stmt *statement;

		assert_int_not_equal(row_security_prepare_transaction(siege->security, others[i], &statement), OK);
		assert_null(statement);
	}
}

static int let_everything_pass(void *given, int action, const char *first, const char *second, const char *schema,
			       const char *context)
{
	(void)given, (void)action, (void)first, (void)second, (void)schema, (void)context;
	return SQLITE_OK;
}

static void assert_unsaid(struct siege *siege, const char *sql)
{
	sqlite3_stmt *name = NULL;
	const char *where;
	char mark[39];

	assert_int_equal(sqlite3_prepare_v2(siege->sqlite, sql, -1, &name, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(name), SQLITE_ROW);
	assert_true(sqlite3_column_bytes(name, 0) > 38);
	memcpy(mark, sqlite3_column_text(name, 0), 38);
	mark[38] = '\0';
	sqlite3_finalize(name);
	where = strstr(sqlite3_str_value(siege->said), mark + 6);
	if (where != NULL)
		fail_msg("told: %.100s", where - (where - sqlite3_str_value(siege->said) < 50 ? 0 : 50));
}

static void nothing_ever_tells_the_random_names(void **state)
{
	struct siege *siege = *state;

	attempt_all(siege, AS_TENANT, escapes_to_rows, false);
	attempt_all(siege, AS_TENANT, escapes_to_engine, true);
	attempt_all(siege, AS_SYSTEM, escapes_to_engine, true);
	assert_true(sqlite3_str_length(siege->said) > 1000);
	/* Behind the curtain, as no statement can: with the authorizer taken away. */
	assert_int_equal(sqlite3_set_authorizer(siege->sqlite, let_everything_pass, NULL), SQLITE_OK);
	assert_unsaid(siege, "SELECT name FROM temp.sqlite_master WHERE name LIKE 'inner%'");
	assert_unsaid(siege, "SELECT name FROM temp.sqlite_master WHERE name LIKE 'guard%'");
}

static void a_connection_that_may_not_write_takes_no_write(void **state)
{
	struct siege *siege = *state;
	struct row_security *security;
	sqlite3_stmt *statement;
	const struct uuid id = fixture_id(ATTACKER);
	sqlite3 *sqlite = fixture_plain(&siege->fixture);

	assert_int_equal(row_security_new(&security, sqlite, false), OK);
	row_security_bind(security, &id);
	assert_int_equal(row_security_prepare_tenant(security, "DELETE FROM main.messages", "messages", &statement),
			 ERR_DENIED);
	assert_int_equal(row_security_prepare_system(security, "DELETE FROM main.messages", &statement), ERR_DENIED);
	assert_int_equal(row_security_prepare_tenant(security, "SELECT * FROM messages", NULL, &statement), OK);
	sqlite3_finalize(statement);
	assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
	row_security_free(security);
}

static void one_connections_names_are_worth_nothing_on_another(void **state)
{
	struct siege *siege = *state;
	struct row_security *security;
	sqlite3 *sqlite = fixture_plain(&siege->fixture);
	sqlite3_stmt *names = NULL;

	assert_int_equal(row_security_new(&security, sqlite, true), OK);
	assert_int_equal(sqlite3_set_authorizer(sqlite, let_everything_pass, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite, "SELECT name FROM temp.sqlite_master WHERE name LIKE '%chats'", -1,
					    &names, NULL),
			 SQLITE_OK);
	while (sqlite3_step(names) == SQLITE_ROW) {
		char *sql = sqlite3_mprintf("WITH \"%w\" AS (SELECT * FROM main.chats) SELECT * FROM \"%w\"",
					    sqlite3_column_text(names, 0), sqlite3_column_text(names, 0));

		assert_false(attempt(siege, AS_TENANT, sql, NULL));
		sqlite3_free(sql);
	}
	assert_int_equal(siege->tried, 5);
	sqlite3_finalize(names);
	assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
	row_security_free(security);
}

static void a_text_of_any_length_is_refused_or_finds_its_own(void **state)
{
	static const size_t length = 102400;
	struct siege *siege = *state;
	char *sql = test_malloc(length + 64);

	memset(sql, ' ', length);
	snprintf(sql + length, 64, "SELECT * FROM main.chats");
	assert_false(attempt(siege, AS_TENANT, sql, NULL));
	snprintf(sql + length, 64, "SELECT count(*) FROM chats");
	assert_int_equal(ask(siege, AS_TENANT, sql), 1);
	memset(sql, '(', length);
	memcpy(sql, "SELECT ", 7);
	sql[length] = '\0';
	assert_false(attempt(siege, AS_TENANT, sql, NULL));
	memset(sql, 'x', length);
	assert_false(attempt(siege, AS_TENANT, sql, "chats"));
	test_free(sql);
}

static void a_tenant_reads_and_writes_its_own(void **state)
{
	struct siege *siege = *state;

	assert_int_equal(ask(siege, AS_TENANT, "SELECT number FROM chats"), ATTACKER_NUMBER);
	assert_true(attempt(siege, AS_TENANT, "DELETE FROM main.messages WHERE organization_id = ?1", "messages"));
	assert_true(attempt(siege, AS_TENANT,
			    "UPDATE main.chats SET session_id = 's' WHERE organization_id = ?1 "
			    "AND number IN (1, 3000003) RETURNING *",
			    "chats"));
	assert_true(attempt(siege, AS_TENANT,
			    "UPDATE main.organizations SET organization_name = 'changed' WHERE id = ?1",
			    "organizations"));
	assert_true(attempt(siege, AS_TENANT,
			    "INSERT INTO main.article_mentions (organization_id, id, article_id, article_name, "
			    "article_slug, article_type, mentioned_at) VALUES (?1, ?1, 'a', 'a', 'a', 'a', 1)",
			    "article_mentions"));
	assert_int_equal(siege->escaped, 0);
	assert_int_equal(ask(siege, AS_NOBODY, "SELECT count(*) FROM chats"), 0);
}

static void an_owner_is_changed_to_nothing_not_even_to_itself(void **state)
{
	struct siege *siege = *state;

	become(siege, AS_TENANT);
	for (size_t i = 0; i < protected_table_count; i++) {
		const struct protected_table *table = &protected_tables[i];
		sqlite3_stmt *statement;
		char *sql = sqlite3_mprintf("UPDATE main.\"%w\" SET \"%w\" = \"%w\"", table->name, table->owner_column,
					    table->owner_column);

		assert_int_equal(row_security_prepare_tenant(siege->security, sql, table->name, &statement),
				 ERR_DENIED);
		assert_null(statement);
		sqlite3_free(sql);
	}
}

static void put_words(struct siege *siege, char letter, int64_t document, const char *words)
{
	const struct uuid id = fixture_id(letter);
	sqlite3_stmt *add = NULL;

	row_security_bind(siege->security, letter == '\0' ? NULL : &id);
	assert_int_equal(row_security_prepare_tenant(
			     siege->security, "INSERT INTO main.search (rowid, words) VALUES (?2, ?3)", "search", &add),
			 OK);
	sqlite3_bind_int64(add, 2, document);
	sqlite3_bind_text(add, 3, words, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(add), SQLITE_DONE);
	sqlite3_finalize(add);
}

static int64_t hits(struct siege *siege, char letter, const char *words)
{
	const struct uuid id = fixture_id(letter);
	sqlite3_stmt *find = NULL;
	int64_t count = 0;

	row_security_bind(siege->security, letter == '\0' ? NULL : &id);
	assert_int_equal(
	    row_security_prepare_tenant(siege->security, "SELECT rowid FROM search WHERE search MATCH ?1", NULL, &find),
	    OK);
	sqlite3_bind_text(find, 1, words, -1, SQLITE_STATIC);
	while (sqlite3_step(find) == SQLITE_ROW)
		count++;
	assert_int_equal(sqlite3_finalize(find), SQLITE_OK);
	return count;
}

static void an_organization_finds_the_documents_that_it_wrote_and_no_others(void **state)
{
	struct siege *siege = *state;

	transact(siege, "BEGIN IMMEDIATE");
	put_words(siege, VICTIM, 1, "shared secret");
	put_words(siege, ATTACKER, 2, "shared own");
	put_words(siege, ATTACKER, 1, "claimed"); /* a number is nobody's */
	put_words(siege, '\0', 3, "shared nothing");
	transact(siege, "COMMIT");
	assert_int_equal(hits(siege, VICTIM, "shared"), 1);
	assert_int_equal(hits(siege, VICTIM, "shared secret"), 1);
	assert_int_equal(hits(siege, VICTIM, "own OR nothing OR claimed"), 0);
	assert_int_equal(hits(siege, ATTACKER, "shared"), 1);
	assert_int_equal(hits(siege, ATTACKER, "claimed secret"), 0);
	assert_int_equal(hits(siege, ATTACKER, "\"s\" * OR secret OR nothing"), 0);
	assert_int_equal(hits(siege, '\0', "shared"), 0);
	/* What the file holds is no word of anybody's, also to one who reads it without our guard. */
	assert_int_equal(fixture_number(siege->plain, "SELECT count(*) FROM search WHERE search MATCH 'secret'"), 0);
	assert_int_equal(
	    fixture_number(siege->plain, "SELECT count(*) FROM search_data WHERE instr(block, 'secret') > 0"), 0);
	assert_true(fixture_number(siege->plain, "SELECT max(length(block)) FROM search_data") > 0);
}

static void the_guards_of_a_search_table_are_not_those_of_a_write(void **state)
{
	struct siege *siege = *state;

	transact(siege, "BEGIN IMMEDIATE");
	put_words(siege, VICTIM, 1, "kept");
	transact(siege, "COMMIT");
	attempt_all(siege, AS_TENANT, escapes_to_engine, true);
	attempt_all(siege, AS_SYSTEM, escapes_to_engine, true);
	attempt_all(siege, AS_SYSTEM, escapes_to_rows, false);
	assert_int_equal(siege->escaped, 0);
	assert_int_equal(hits(siege, VICTIM, "kept"), 1);
}

static void a_pattern_may_be_bound_again_and_again(void **state)
{
	struct siege *siege = *state;
	sqlite3_stmt *statement;

	become(siege, AS_TENANT);
	assert_int_equal(row_security_prepare_tenant(
			     siege->security, "SELECT count(*) FROM chats WHERE chat_id LIKE ?1", NULL, &statement),
			 OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(sqlite3_bind_text(statement, 1, i == 1 ? "x%" : "OW%", -1, SQLITE_STATIC), SQLITE_OK);
		assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
		assert_int_equal(sqlite3_column_int(statement, 0), i == 1 ? 0 : 1);
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
}

#define SIEGE(test) cmocka_unit_test_setup_teardown(test, begin_siege, end_siege)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIEGE(no_text_reaches_the_victims_rows),
		SIEGE(with_nobody_bound_no_text_sees_or_changes_any_row),
		SIEGE(the_system_itself_changes_no_row_of_a_tenant),
		SIEGE(no_text_reaches_the_schema_the_connection_or_a_file),
		SIEGE(no_text_runs_as_a_transactions_command),
		SIEGE(nothing_ever_tells_the_random_names),
		SIEGE(one_connections_names_are_worth_nothing_on_another),
		SIEGE(a_connection_that_may_not_write_takes_no_write),
		SIEGE(a_text_of_any_length_is_refused_or_finds_its_own),
		SIEGE(a_tenant_reads_and_writes_its_own),
		SIEGE(an_owner_is_changed_to_nothing_not_even_to_itself),
		SIEGE(a_pattern_may_be_bound_again_and_again),
		SIEGE(an_organization_finds_the_documents_that_it_wrote_and_no_others),
		SIEGE(the_guards_of_a_search_table_are_not_those_of_a_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
