#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/tenant.h"
#include "fixture.h"
#include "store/query.h"

#define PAGE INT64_C(4096) /* bytes */

struct house {
	struct fixture fixture;
	const struct scope *a;
	const struct scope *b;
	sqlite3 *plain;
	struct db *db; /* the writing one */
};

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);

	fixture_open(&house->fixture);
	house->a = fixture_organization(&house->fixture, 'a');
	house->b = fixture_organization(&house->fixture, 'b');
	house->plain = fixture_plain(&house->fixture);
	fixture_run(house->plain, "PRAGMA wal_autocheckpoint = 0");
	house->db = fixture_db(&house->fixture, DB_WRITE);
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	db_close(house->db);
	assert_int_equal(sqlite3_close(house->plain), SQLITE_OK);
	fixture_close(&house->fixture);
	test_free(house);
	return 0;
}

static void enter(struct db *db, const struct scope *scope)
{
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_enter(db, scope), OK);
}

static void leave(struct db *db, bool keep)
{
	assert_int_equal(db_leave(db, keep), OK);
	assert_int_equal(db_end(db, keep), OK);
}

static enum err add_visitor(struct db *db, const char *email)
{
	return query_run(db, STATEMENT_VISITOR_CREATE,
			 &(struct visitor_create_in){ .id = uuid_new(), .email = text_of(email), .created_at = 1 },
			 NULL);
}

static enum err find_visitor(struct db *db, const char *email)
{
	struct visitor_by_email_out out;
	const struct visitor_by_email_in in = { .email = text_of(email) };
	enum err err = db_start(db, STATEMENT_VISITOR_BY_EMAIL, &in);

	if (err == OK)
		err = db_step(db, STATEMENT_VISITOR_BY_EMAIL, &out);
	db_stop(db, STATEMENT_VISITOR_BY_EMAIL);
	return err;
}

static void assert_refused(const struct fixture *fixture, const char *url, enum db_use use, enum err expected)
{
	struct fault fault = { 0 };
	struct db *db = NULL;

	assert_int_equal(db_open(&db, text_of(url), use, &fixture->log, &fault), expected);
	assert_null(db);
	assert_int_equal(fault.err, expected);
	assert_true(strlen(fault.sentence) > 20);
}

static void a_database_that_cannot_be_opened_says_why(void **state)
{
	static const enum db_use uses[] = { DB_READ, DB_WRITE, DB_MIGRATE };
	struct fixture fixture;
	char url[160];
	FILE *file;

	(void)state;
	fixture_empty(&fixture);
	for (size_t i = 0; i < 3; i++) {
		assert_refused(&fixture, "sqlite:", uses[i], ERR_INVALID);
		assert_refused(&fixture, "", uses[i], ERR_INVALID);
		assert_refused(&fixture, "mysql://host/house", uses[i], ERR_INVALID);
		assert_refused(&fixture, "SQLITE:x", uses[i], ERR_INVALID);
		snprintf(url, sizeof url, "sqlite:%s/no/such/db", fixture.folder);
		assert_refused(&fixture, url, uses[i], ERR_STORAGE);
		snprintf(url, sizeof url, "sqlite:%s", fixture.folder);
		assert_refused(&fixture, url, uses[i], ERR_STORAGE);
	}
	/* Nothing there: only migrating makes one. */
	assert_refused(&fixture, fixture.address, DB_READ, ERR_STORAGE);
	assert_refused(&fixture, fixture.address, DB_WRITE, ERR_STORAGE);
	assert_int_not_equal(access(fixture.path, F_OK), 0);

	file = fopen(fixture.path, "we");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("This is a letter to the innkeeper and not a database.\n", file);
	assert_int_equal(fclose(file), 0);
	for (size_t i = 0; i < 3; i++)
		assert_refused(&fixture, fixture.address, uses[i], ERR_STORAGE);
	fixture_close(&fixture);
}

static void a_database_without_our_tables_is_refused(void **state)
{
	struct fixture fixture;
	sqlite3 *plain;

	(void)state;
	fixture_empty(&fixture);
	plain = fixture_plain(&fixture);
	fixture_run(plain, "CREATE TABLE recipes (name TEXT)");
	sqlite3_close(plain);
	assert_refused(&fixture, fixture.address, DB_WRITE, ERR_STORAGE);
	fixture_close(&fixture);
}

static void a_new_database_is_its_owners_alone(void **state)
{
	struct house *house = *state;
	struct stat file;

	assert_int_equal(stat(house->fixture.path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
}

static void a_statement_runs_in_a_scope_of_its_kind_alone(void **state)
{
	struct house *house = *state;
	const struct visitor_by_email_in tenants = { .email = TEXT("x") };
	const struct account_by_email_in systems = { .email = TEXT("x") };

	assert_int_equal(db_start(house->db, STATEMENT_VISITOR_BY_EMAIL, &tenants), ERR_DENIED);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_start(house->db, STATEMENT_VISITOR_BY_EMAIL, &tenants), ERR_DENIED);
	assert_int_equal(db_start(house->db, STATEMENT_ACCOUNT_BY_EMAIL, &systems), ERR_DENIED);

	assert_int_equal(db_enter(house->db, house->a), OK);
	assert_int_equal(db_start(house->db, STATEMENT_ACCOUNT_BY_EMAIL, &systems), ERR_DENIED);
	assert_int_equal(db_start(house->db, STATEMENT_VISITOR_BY_EMAIL, &tenants), OK);

	assert_int_equal(db_enter(house->db, tenant_system()), OK);
	assert_int_equal(db_start(house->db, STATEMENT_ACCOUNT_BY_EMAIL, &systems), OK);
	assert_int_equal(db_start(house->db, STATEMENT_VISITOR_BY_EMAIL, &tenants), ERR_DENIED);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_start(house->db, STATEMENT_ACCOUNT_BY_EMAIL, &systems), ERR_DENIED);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_start(house->db, STATEMENT_VISITOR_BY_EMAIL, &tenants), ERR_DENIED);
	assert_int_equal(db_end(house->db, true), OK);
}

static void a_reader_cannot_write(void **state)
{
	struct house *house = *state;
	struct db *reader = fixture_db(&house->fixture, DB_READ);

	enter(reader, house->a);
	assert_int_equal(add_visitor(reader, "x@x"), ERR_DENIED);
	leave(reader, true);
	enter(reader, tenant_system());
	assert_int_equal(query_run(reader, STATEMENT_ACCOUNT_CREATE,
				   &(struct account_create_in){ .id = uuid_new(), .email = TEXT("x"), .now = 1 }, NULL),
			 ERR_DENIED);
	leave(reader, true);
	db_close(reader);
}

static void what_a_scope_undoes_is_gone_and_the_rest_stays(void **state)
{
	struct house *house = *state;

	enter(house->db, house->a);
	assert_int_equal(add_visitor(house->db, "outer"), OK);
	assert_int_equal(db_enter(house->db, house->b), OK);
	assert_int_equal(find_visitor(house->db, "outer"), ERR_NOT_FOUND);
	assert_int_equal(add_visitor(house->db, "undone"), OK);
	assert_int_equal(find_visitor(house->db, "undone"), OK);
	assert_int_equal(db_leave(house->db, false), OK);
	assert_int_equal(find_visitor(house->db, "outer"), OK);
	assert_int_equal(find_visitor(house->db, "undone"), ERR_NOT_FOUND);
	assert_int_equal(db_enter(house->db, house->b), OK);
	assert_int_equal(find_visitor(house->db, "undone"), ERR_NOT_FOUND);
	assert_int_equal(add_visitor(house->db, "kept"), OK);
	assert_int_equal(db_leave(house->db, true), OK);
	leave(house->db, true);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM visitors"), 2);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM visitors WHERE email = 'undone'"), 0);
}

static void undoing_the_outer_scope_undoes_the_inner_one_too(void **state)
{
	struct house *house = *state;

	assert_int_equal(db_begin(house->db), OK);
	for (int i = 0; i < 8; i++) {
		char email[32];

		assert_int_equal(db_enter(house->db, i % 2 == 0 ? house->a : house->b), OK);
		snprintf(email, sizeof email, "deep %d", i);
		assert_int_equal(add_visitor(house->db, email), OK);
	}
	for (int i = 7; i >= 0; i--)
		assert_int_equal(db_leave(house->db, i != 3), OK);
	assert_int_equal(db_end(house->db, true), OK);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM visitors"), 3);
}

static void a_transaction_that_is_not_kept_leaves_nothing(void **state)
{
	struct house *house = *state;

	enter(house->db, house->a);
	assert_int_equal(add_visitor(house->db, "x"), OK);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_end(house->db, false), OK);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM visitors"), 0);
	/* Also when it ends inside a scope, with a statement open. */
	enter(house->db, house->a);
	assert_int_equal(add_visitor(house->db, "x"), OK);
	assert_int_equal(
	    db_start(house->db, STATEMENT_VISITOR_BY_EMAIL, &(struct visitor_by_email_in){ .email = TEXT("x") }), OK);
	assert_int_equal(db_end(house->db, false), OK);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM visitors"), 0);
	enter(house->db, house->a);
	assert_int_equal(find_visitor(house->db, "x"), ERR_NOT_FOUND);
	leave(house->db, true);
}

static void nulls_go_in_and_come_out_as_said(void **state)
{
	struct house *house = *state;
	struct web_mention_create_in in = { .id = uuid_new(),
					    .article_url = TEXT("u"),
					    .article_title = TEXT(""),
					    .session_id = TEXT("s"),
					    .metadata = TEXT("{}") };
	struct visitor_by_id_out visitor;
	const struct uuid id = uuid_new();
	struct web_mention_create_out out;

	enter(house->db, house->a);
	assert_int_equal(query_one(house->db, STATEMENT_WEB_MENTION_CREATE, &in, &out, &house->fixture.arena), OK);
	assert_true(uuid_equal(&out.id, &in.id));
	assert_null(out.chat_id.at);
	assert_true(uuid_is_nil(&out.visitor_id));
	assert_null(out.search_query.at);
	assert_true(out.clicked_at == DB_NULL);
	assert_int_equal(out.mentioned_at, 0);
	/* Empty is not absent. */
	assert_non_null(out.article_title.at);
	assert_int_equal(out.article_title.length, 0);

	assert_int_equal(query_run(house->db, STATEMENT_VISITOR_CREATE,
				   &(struct visitor_create_in){ .id = id, .created_at = -1 }, NULL),
			 OK);
	assert_int_equal(query_one(house->db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = id }, &visitor,
				   &house->fixture.arena),
			 OK);
	assert_null(visitor.email.at);
	assert_null(visitor.metadata.at);
	assert_int_equal(visitor.created_at, -1);
	/* A NULL that the table forbids is refused. */
	assert_int_equal(query_run(house->db, STATEMENT_VISITOR_CREATE,
				   &(struct visitor_create_in){ .id = uuid_new(), .created_at = DB_NULL }, NULL),
			 ERR_CONFLICT);
	leave(house->db, true);
	assert_int_equal(
	    fixture_number(house->plain,
			   "SELECT count(*) FROM web_mentions WHERE chat_id IS NULL AND visitor_id IS NULL "
			   "AND search_query IS NULL AND clicked_at IS NULL AND article_title = ''"),
	    1);
}

static void a_text_ends_where_its_length_says(void **state)
{
	static const char book[] = "anna\0berta and others";
	struct house *house = *state;
	struct visitor_by_id_out out;
	const struct uuid id = uuid_new();

	enter(house->db, house->a);
	assert_int_equal(query_run(house->db, STATEMENT_VISITOR_CREATE,
				   &(struct visitor_create_in){
				       .id = id, .email = { book, 10 }, .name = { book + 11, 3 }, .created_at = 1 },
				   NULL),
			 OK);
	assert_int_equal(query_one(house->db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = id }, &out,
				   &house->fixture.arena),
			 OK);
	assert_int_equal(out.email.length, 10);
	assert_memory_equal(out.email.at, "anna\0berta", 10);
	assert_int_equal(out.name.length, 3);
	assert_memory_equal(out.name.at, "and", 3);
	leave(house->db, false);
}

static void what_is_there_already_is_a_conflict_and_the_transaction_goes_on(void **state)
{
	struct house *house = *state;

	enter(house->db, house->a);
	assert_int_equal(add_visitor(house->db, "once"), OK);
	assert_int_equal(add_visitor(house->db, "once"), ERR_CONFLICT);
	assert_int_equal(add_visitor(house->db, "twice"), OK);
	assert_int_equal(query_run(house->db, STATEMENT_CHAT_CREATE,
				   &(struct chat_create_in){ .id = uuid_new(),
							     .chat_id = TEXT("c"),
							     .session_id = TEXT("s"),
							     .status = TEXT("unheard of"),
							     .created_at = 1 },
				   NULL),
			 ERR_CONFLICT);
	/* A parent that is missing. */
	assert_int_equal(query_run(house->db, STATEMENT_CHAT_ACTIVITY_CREATE,
				   &(struct chat_activity_create_in){ .chat_number = 12345, .updated_at = 1 }, NULL),
			 ERR_CONFLICT);
	leave(house->db, true);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM visitors"), 2);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM chat_activity"), 0);
}

static void a_write_tells_how_many_rows_it_changed(void **state)
{
	struct house *house = *state;
	int64_t changed = -1;

	enter(house->db, house->a);
	for (int i = 0; i < 3; i++)
		assert_int_equal(query_run(house->db, STATEMENT_ARTICLE_VIEW_CREATE,
					   &(struct article_view_create_in){ .id = uuid_new(),
									     .article_id = TEXT("a"),
									     .article_slug = TEXT("a"),
									     .article_name = TEXT("a"),
									     .article_type = TEXT("a"),
									     .session_id = TEXT("s") },
					   NULL),
				 OK);
	const struct article_views_take_user_by_session_in take = { .session_id = TEXT("s"), .user_id = TEXT("u") };
	assert_int_equal(query_run(house->db, STATEMENT_ARTICLE_VIEWS_TAKE_USER_BY_SESSION, &take, &changed), OK);
	assert_int_equal(changed, 3);
	assert_int_equal(query_run(house->db, STATEMENT_ARTICLE_VIEWS_TAKE_USER_BY_SESSION, &take, &changed), OK);
	assert_int_equal(changed, 0);
	leave(house->db, true);
}

static void leaving_stops_what_is_open(void **state)
{
	struct house *house = *state;
	struct db *reader = fixture_db(&house->fixture, DB_READ);
	struct visitor_by_email_out out;

	enter(house->db, house->a);
	assert_int_equal(add_visitor(house->db, "x"), OK);
	leave(house->db, true);
	enter(reader, house->a);
	assert_int_equal(
	    db_start(reader, STATEMENT_VISITOR_BY_EMAIL, &(struct visitor_by_email_in){ .email = TEXT("x") }), OK);
	assert_int_equal(db_step(reader, STATEMENT_VISITOR_BY_EMAIL, &out), OK);
	leave(reader, true);
	/* A statement left open would keep its snapshot, and with it the log: the first column is "busy". */
	assert_int_equal(fixture_number(house->plain, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
	enter(reader, house->b);
	assert_int_equal(find_visitor(reader, "x"), ERR_NOT_FOUND);
	leave(reader, true);
	db_close(reader);
}

static void a_reader_sees_one_moment(void **state)
{
	struct house *house = *state;
	struct db *reader = fixture_db(&house->fixture, DB_READ);

	enter(reader, house->a);
	assert_int_equal(find_visitor(reader, "late"), ERR_NOT_FOUND);
	enter(house->db, house->a);
	assert_int_equal(add_visitor(house->db, "late"), OK);
	leave(house->db, true);
	assert_int_equal(find_visitor(reader, "late"), ERR_NOT_FOUND);
	leave(reader, true);
	enter(reader, house->a);
	assert_int_equal(find_visitor(reader, "late"), OK);
	leave(reader, true);
	db_close(reader);
}

static int64_t file_size(const struct fixture *fixture, const char *suffix)
{
	char path[128];
	struct stat file;

	snprintf(path, sizeof path, "%s%s", fixture->path, suffix);
	return stat(path, &file) == 0 ? file.st_size : 0;
}

static void add_bytes(struct house *house, size_t rows)
{
	static char page[PAGE];

	memset(page, 'x', sizeof page);
	enter(house->db, house->a);
	for (size_t i = 0; i < rows; i++)
		assert_int_equal(query_run(house->db, STATEMENT_VISITOR_CREATE,
					   &(struct visitor_create_in){
					       .id = uuid_new(), .metadata = { page, sizeof page }, .created_at = 1 },
					   NULL),
				 OK);
	leave(house->db, true);
}

static void tidying_moves_the_log_home_when_enough_gathered_or_nobody_waits(void **state)
{
	struct house *house = *state;
	const struct fixture *fixture = &house->fixture;
	int64_t home;
	int64_t logged;

	assert_int_equal(db_tidy(house->db, true), OK);
	home = file_size(fixture, "");
	add_bytes(house, 100);
	assert_int_equal(db_tidy(house->db, false), OK);
	assert_int_equal(file_size(fixture, ""), home);
	logged = file_size(fixture, "-wal");
	assert_true(logged >= 100 * PAGE);
	assert_int_equal(db_size(house->db), home + logged);

	assert_int_equal(db_tidy(house->db, true), OK);
	assert_true(file_size(fixture, "") >= home + 100 * PAGE);
	home = file_size(fixture, "");
	/* The log begins anew in the room that it has. */
	add_bytes(house, 10);
	assert_int_equal(file_size(fixture, "-wal"), logged);

	add_bytes(house, 6000);
	assert_int_equal(file_size(fixture, ""), home);
	assert_int_equal(db_tidy(house->db, false), OK);
	assert_true(file_size(fixture, "") >= home + 6000 * PAGE);
	assert_int_equal(db_tidy(house->db, true), OK);
}

static void tidying_beside_a_reader_waits_for_nobody(void **state)
{
	struct house *house = *state;
	struct db *reader = fixture_db(&house->fixture, DB_READ);

	enter(reader, house->a);
	assert_int_equal(find_visitor(reader, "x"), ERR_NOT_FOUND);
	add_bytes(house, 50);
	assert_int_equal(db_tidy(house->db, true), OK);
	assert_int_equal(find_visitor(reader, "x"), ERR_NOT_FOUND);
	leave(reader, true);
	assert_int_equal(db_tidy(house->db, true), OK);
	db_close(reader);
}

static enum err read_visitors(struct db *reader, int64_t *rows)
{
	const struct visitor_page_in in = { .before_time = INT64_MAX, .before_number = INT64_MAX, .limit = INT32_MAX };
	struct visitor_page_out row;
	enum err err = db_start(reader, STATEMENT_VISITOR_PAGE, &in);

	*rows = 0;
	while (err == OK && (err = db_step(reader, STATEMENT_VISITOR_PAGE, &row)) == OK)
		++*rows;
	db_stop(reader, STATEMENT_VISITOR_PAGE);
	return err;
}

static void a_read_that_takes_too_long_is_ended_and_the_next_goes_on(void **state)
{
	struct house *house = *state;
	struct db *reader = fixture_db(&house->fixture, DB_READ);
	int64_t rows;

	fixture_run(house->plain, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
				  "INSERT INTO visitors (organization_id, id, email, created_at, last_active_at) "
				  "SELECT X'61616161616161616161616161616161', randomblob(16), i || '@a', i, i FROM n");
	enter(reader, house->a);
	assert_int_equal(read_visitors(reader, &rows), ERR_NOT_FOUND);
	assert_int_equal(rows, 5000);
	db_limit(reader, 1);
	assert_int_equal(read_visitors(reader, &rows), ERR_TOO_SLOW);
	assert_in_range(rows, 0, 4999);
	/* It is the transaction's: nothing else of it is read either. */
	assert_int_equal(read_visitors(reader, &rows), ERR_TOO_SLOW);
	leave(reader, true);
	enter(reader, house->a);
	assert_int_equal(read_visitors(reader, &rows), ERR_NOT_FOUND);
	db_limit(reader, INT64_C(3600) * 1000 * 1000);
	assert_int_equal(read_visitors(reader, &rows), ERR_NOT_FOUND);
	leave(reader, true);
	db_close(reader);
}

static void who_is_in_a_hurry_gives_up_a_statement_and_starts_it_again(void **state)
{
	struct house *house = *state;
	struct db *reader = fixture_db(&house->fixture, DB_READ);
	struct budget budget = { 0 };
	int64_t rows;

	fixture_run(house->plain, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
				  "INSERT INTO visitors (organization_id, id, email, created_at, last_active_at) "
				  "SELECT X'61616161616161616161616161616161', randomblob(16), i || '@a', i, i FROM n");
	enter(reader, house->a);
	db_hurry(reader, &budget);
	assert_int_equal(read_visitors(reader, &rows), ERR_TOO_SLOW);
	assert_in_range(rows, 0, 5);
	budget = budget_begin(INT64_C(3600) * 1000 * 1000);
	assert_int_equal(read_visitors(reader, &rows), ERR_NOT_FOUND);
	budget = (struct budget){ 0 };
	db_hurry(reader, NULL);
	assert_int_equal(read_visitors(reader, &rows), ERR_NOT_FOUND);
	assert_int_equal(rows, 200);
	leave(reader, true);
	db_close(reader);
}

static void closing_nothing_is_fine(void **state)
{
	(void)state;
	db_close(NULL);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_database_that_cannot_be_opened_says_why),
		cmocka_unit_test(a_database_without_our_tables_is_refused),
		HOUSE(a_new_database_is_its_owners_alone),
		HOUSE(a_statement_runs_in_a_scope_of_its_kind_alone),
		HOUSE(a_reader_cannot_write),
		HOUSE(what_a_scope_undoes_is_gone_and_the_rest_stays),
		HOUSE(undoing_the_outer_scope_undoes_the_inner_one_too),
		HOUSE(a_transaction_that_is_not_kept_leaves_nothing),
		HOUSE(nulls_go_in_and_come_out_as_said),
		HOUSE(a_text_ends_where_its_length_says),
		HOUSE(what_is_there_already_is_a_conflict_and_the_transaction_goes_on),
		HOUSE(a_write_tells_how_many_rows_it_changed),
		HOUSE(leaving_stops_what_is_open),
		HOUSE(a_reader_sees_one_moment),
		HOUSE(tidying_moves_the_log_home_when_enough_gathered_or_nobody_waits),
		HOUSE(tidying_beside_a_reader_waits_for_nobody),
		HOUSE(a_read_that_takes_too_long_is_ended_and_the_next_goes_on),
		HOUSE(who_is_in_a_hurry_gives_up_a_statement_and_starts_it_again),
		cmocka_unit_test(closing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
