#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/tenant.h"
#include "fixture.h"
#include "store/migrate.h"
#include "store/query.h"

#define FILES 3

/* The first is the real one: it makes the table of records. */
static void make_files(struct migration files[FILES])
{
	files[0] = migrations[0];
	files[1] =
	    (struct migration){ .number = 2,
				.name = "0002_rooms",
				.sqlite = { "CREATE TABLE rooms (name TEXT) STRICT; INSERT INTO rooms VALUES ('one');",
					    "22" } };
	files[2] =
	    (struct migration){ .number = 3,
				.name = "0003_beds",
				.sqlite = { "CREATE TABLE beds (name TEXT) STRICT; INSERT INTO beds VALUES ('large');",
					    "33" } };
}

static int open_folder(void **state)
{
	struct fixture *fixture = test_calloc(1, sizeof *fixture);

	fixture_empty(fixture);
	*state = fixture;
	return 0;
}

static int close_folder(void **state)
{
	fixture_close(*state);
	test_free(*state);
	return 0;
}

static void apply(struct fixture *fixture, const struct migration *files, size_t count, size_t expected)
{
	struct fault fault = { 0 };
	size_t applied = 99;

	if (migrate(fixture->url, files, count, &fixture->log, &applied, &fault) != OK)
		fail_msg("%s", fault.sentence);
	assert_int_equal(applied, expected);
}

static void assert_refused(struct fixture *fixture, const struct migration *files, size_t count, enum err expected,
			   const char *words)
{
	struct fault fault = { 0 };
	size_t applied = 99;

	assert_int_equal(migrate(fixture->url, files, count, &fixture->log, &applied, &fault), expected);
	assert_int_equal(applied, 0);
	if (strstr(fault.sentence, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", fault.sentence, words);
}

static int64_t ask(const struct fixture *fixture, const char *sql)
{
	sqlite3 *plain = fixture_plain(fixture);
	int64_t answer = fixture_number(plain, sql);

	sqlite3_close(plain);
	return answer;
}

static void a_fresh_database_gets_every_file_in_order(void **state)
{
	struct fixture *fixture = *state;

	apply(fixture, migrations, migration_count, migration_count);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM migrations"), migration_count);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM migrations WHERE length(checksum) = 64 AND applied_at > 0"),
			 migration_count);
	for (size_t i = 0; i < protected_table_count; i++) {
		char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", protected_tables[i].name);

		assert_int_equal(ask(fixture, sql), 0);
		sqlite3_free(sql);
	}
}

static void a_second_time_there_is_nothing_to_do(void **state)
{
	struct fixture *fixture = *state;
	struct migration files[FILES];

	make_files(files);
	apply(fixture, files, FILES, FILES);
	apply(fixture, files, FILES, 0);
	apply(fixture, files, FILES, 0);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM rooms"), 1);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM migrations"), FILES);
}

static void a_new_file_is_applied_alone(void **state)
{
	struct fixture *fixture = *state;
	struct migration files[FILES];

	make_files(files);
	apply(fixture, files, 2, 2);
	apply(fixture, files, FILES, 1);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM rooms"), 1);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM beds"), 1);
	assert_true(fixture_logged(fixture, "0003_beds"));
}

static void an_edited_old_file_is_named(void **state)
{
	struct fixture *fixture = *state;
	struct migration files[FILES];

	make_files(files);
	apply(fixture, files, 2, 2);
	files[1].sqlite.checksum = "23";
	/* Nor is anything else done. */
	assert_refused(fixture, files, FILES, ERR_CONFLICT, "0002_rooms was edited");
	assert_int_equal(ask(fixture, "SELECT count(*) FROM sqlite_master WHERE name = 'beds'"), 0);
	files[1].sqlite.checksum = "22";
	apply(fixture, files, FILES, 1);
}

static void a_database_newer_than_the_binary_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct migration files[FILES];

	make_files(files);
	apply(fixture, files, FILES, FILES);
	assert_refused(fixture, files, 2, ERR_CONFLICT, "newer than this binary");
	assert_int_equal(ask(fixture, "SELECT count(*) FROM beds"), 1);
}

static void a_failing_file_leaves_nothing_behind(void **state)
{
	static const char *const texts[] = {
		"CREATE TABLE beds (name TEXT); INSERT INTO rooms VALUES ('two'); INSERT INTO nowhere VALUES (1);",
		"CREATE TABLE beds (name TEXT) STRICT; CREATE TABLE rooms (a);",
		"INSERT INTO rooms VALUES ('two'); CREATE nonsense",
	};
	struct fixture *fixture = *state;
	struct migration files[FILES];

	make_files(files);
	apply(fixture, files, 2, 2);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		files[2].sqlite.text = texts[i];
		assert_refused(fixture, files, FILES, ERR_STORAGE, "0003_beds failed");
		assert_int_equal(ask(fixture, "SELECT count(*) FROM rooms"), 1);
		assert_int_equal(ask(fixture, "SELECT count(*) FROM sqlite_master WHERE name = 'beds'"), 0);
		assert_int_equal(ask(fixture, "SELECT count(*) FROM migrations"), 2);
	}
	make_files(files);
	apply(fixture, files, FILES, 1);
}

static void a_failing_file_keeps_those_before_it(void **state)
{
	struct fixture *fixture = *state;
	struct migration files[FILES];

	make_files(files);
	files[2].sqlite.text = "nonsense";
	assert_refused(fixture, files, FILES, ERR_STORAGE, "0003_beds failed");
	assert_int_equal(ask(fixture, "SELECT count(*) FROM migrations"), 2);
}

static void die(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)context;
	(void)count;
	(void)values;
	_exit(7);
}

static int add_die(sqlite3 *sqlite, char **words, const struct sqlite3_api_routines *routines)
{
	(void)words;
	(void)routines;
	return sqlite3_create_function(sqlite, "die", 0, SQLITE_UTF8, NULL, die, NULL, NULL);
}

static void a_crash_in_the_middle_of_a_file_leaves_it_unapplied(void **state)
{
	struct fixture *fixture = *state;
	struct migration files[FILES];
	int status = 0;
	pid_t child;

	make_files(files);
	apply(fixture, files, 2, 2);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct fault fault;

		sqlite3_auto_extension((void (*)(void))add_die);
		files[2].sqlite.text =
		    "CREATE TABLE beds (name TEXT) STRICT; INSERT INTO rooms VALUES ('two'); SELECT die();";
		(void)!migrate(fixture->url, files, FILES, &fixture->log, NULL, &fault);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM rooms"), 1);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM sqlite_master WHERE name = 'beds'"), 0);
	apply(fixture, files, FILES, 1);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM rooms"), 1);
}

static void a_reader_beside_it_keeps_its_moment(void **state)
{
	struct fixture *fixture = *state;
	struct migration more[16];
	struct migration_newest_out out;
	struct db *reader;

	assert_true(migration_count < 16);
	memcpy(more, migrations, migration_count * sizeof *more);
	more[migration_count] = (struct migration){ .number = (int)migration_count + 1,
						    .name = "9999_more",
						    .sqlite = { "CREATE TABLE more (name TEXT) STRICT;", "99" } };
	apply(fixture, migrations, migration_count, migration_count);
	reader = fixture_db(fixture, DB_READ);
	assert_int_equal(db_begin(reader), OK);
	assert_int_equal(db_enter(reader, tenant_system()), OK);
	assert_int_equal(query_one(reader, STATEMENT_MIGRATION_NEWEST, NULL, &out, &fixture->arena), OK);
	assert_int_equal(out.number, migration_count);
	apply(fixture, more, migration_count + 1, 1);
	assert_int_equal(query_one(reader, STATEMENT_MIGRATION_NEWEST, NULL, &out, &fixture->arena), OK);
	assert_int_equal(out.number, migration_count);
	assert_int_equal(db_leave(reader, true), OK);
	assert_int_equal(db_end(reader, true), OK);
	db_close(reader);
	assert_int_equal(ask(fixture, "SELECT max(number) FROM migrations"), migration_count + 1);
}

static void what_is_no_database_is_refused_and_left_alone(void **state)
{
	struct fixture *fixture = *state;
	FILE *file = fopen(fixture->path, "we");
	char line[64];

	assert_non_null(file);
	fputs("a letter", file);
	fclose(file);
	assert_refused(fixture, migrations, migration_count, ERR_STORAGE, fixture->path);
	file = fopen(fixture->path, "re");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof line, file));
	assert_string_equal(line, "a letter");
	fclose(file);
}

/* The parent of other tables is made anew under them: what hangs on it stays, and its numbers go on behind every one
 * that is still in use. */
static void chats_are_made_anew_under_what_hangs_on_them(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *plain;

	apply(fixture, migrations, 7, 7);
	plain = fixture_plain(fixture);
	fixture_run(
	    plain,
	    "INSERT INTO organizations (id, slug, organization_name, created_at, updated_at) "
	    "VALUES (zeroblob(16), 'o', 'o', 1, 1);"
	    "INSERT INTO chats (number, organization_id, id, chat_id, session_id, status, metadata, created_at) "
	    "VALUES (3, zeroblob(16), randomblob(16), 'c', 's', 'active', "
	    "'{\"leadScore\":7,\"sentiment\":\"positive\"}', 1), "
	    "(5, zeroblob(16), randomblob(16), 'd', 's', 'active', '{\"leadScore\":\"high\",\"sentiment\":1}', 1), "
	    "(6, zeroblob(16), randomblob(16), 'e', 's', 'active', NULL, 1);"
	    "INSERT INTO chat_activity (chat_number, organization_id, updated_at, message_count, counted_day) "
	    "SELECT number, organization_id, 9, 0, 8 FROM chats;"
	    "INSERT INTO chat_summaries (chat_number, organization_id, topic_summary, summarized_at) "
	    "VALUES (5, zeroblob(16), 'beaches', 1);"
	    "INSERT INTO messages (organization_id, chat_number, id, role, content, created_at) "
	    "VALUES (zeroblob(16), 3, randomblob(16), 'user', 'x', 1);"
	    "INSERT INTO erasures (organization_id, chat_number, next_message) VALUES (zeroblob(16), 9, 77)");
	assert_int_equal(sqlite3_close(plain), SQLITE_OK);
	apply(fixture, migrations, migration_count, migration_count - 7);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	assert_int_equal(ask(fixture, "SELECT sum(number) FROM chats"), 14);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chats WHERE given_lead_score = 7 AND "
				      "given_sentiment = 'positive' AND number = 3"),
			 1);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chats WHERE given_lead_score IS NULL AND "
				      "given_sentiment IS NULL"),
			 2);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chat_activity WHERE updated_at = 9 AND counted_day = 8"),
			 3);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM chat_summaries WHERE chat_number = 5"), 1);
	assert_int_equal(ask(fixture, "SELECT count(*) FROM messages WHERE chat_number = 3"), 1);
	assert_int_equal(ask(fixture, "SELECT seq FROM sqlite_sequence WHERE name = 'chats'"), 9);
}

#define FOLDER(test) cmocka_unit_test_setup_teardown(test, open_folder, close_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOLDER(a_fresh_database_gets_every_file_in_order),
		FOLDER(a_second_time_there_is_nothing_to_do),
		FOLDER(a_new_file_is_applied_alone),
		FOLDER(an_edited_old_file_is_named),
		FOLDER(a_database_newer_than_the_binary_is_refused),
		FOLDER(a_failing_file_leaves_nothing_behind),
		FOLDER(a_failing_file_keeps_those_before_it),
		FOLDER(a_crash_in_the_middle_of_a_file_leaves_it_unapplied),
		FOLDER(a_reader_beside_it_keeps_its_moment),
		FOLDER(what_is_no_database_is_refused_and_left_alone),
		FOLDER(chats_are_made_anew_under_what_hangs_on_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
