#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "auth/tenant.h"
#include "base/json_in.h"
#include "fixture.h"
#include "store/query.h"

struct house {
	struct fixture fixture;
	const struct scope *a;
	const struct scope *b;
	struct db *db;
};

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);

	fixture_open(&house->fixture);
	house->a = fixture_organization(&house->fixture, 'a');
	house->b = fixture_organization(&house->fixture, 'b');
	house->db = fixture_db(&house->fixture, DB_WRITE);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, house->a), OK);
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	assert_int_equal(db_end(house->db, false), OK);
	db_close(house->db);
	fixture_close(&house->fixture);
	test_free(house);
	return 0;
}

static enum err add_user(struct house *house, const char *email, const char *name, const char *role)
{
	return query_run(house->db, STATEMENT_USER_CREATE,
			 &(struct user_create_in){ .id = uuid_new(),
						   .email = text_of(email),
						   .name = text_of(name),
						   .role = text_of(role),
						   .now = INT64_C(1795446245678) },
			 NULL);
}

static void one_row_outlives_its_statement(void **state)
{
	struct house *house = *state;
	struct user_by_email_out first;
	struct user_by_email_out second;

	assert_int_equal(add_user(house, "anna@example.org", "Anna", "Member"), OK);
	assert_int_equal(add_user(house, "berta@example.org", "Berta", "Visitor"), OK);
	assert_int_equal(query_one(house->db, STATEMENT_USER_BY_EMAIL,
				   &(struct user_by_email_in){ .email = TEXT("anna@example.org") }, &first,
				   &house->fixture.arena),
			 OK);
	assert_int_equal(query_one(house->db, STATEMENT_USER_BY_EMAIL,
				   &(struct user_by_email_in){ .email = TEXT("berta@example.org") }, &second,
				   &house->fixture.arena),
			 OK);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_enter(house->db, house->a), OK);
	assert_true(text_equal(first.role, TEXT("Member")));
	assert_true(text_equal(second.role, TEXT("Visitor")));
	assert_true(uuid_is_nil(&first.account_id));
}

static void no_row_is_not_found(void **state)
{
	struct house *house = *state;
	const struct user_by_email_in in = { .email = TEXT("anna@example.org") };
	struct user_by_email_out out;

	assert_int_equal(query_one(house->db, STATEMENT_USER_BY_EMAIL, &in, &out, &house->fixture.arena),
			 ERR_NOT_FOUND);
	assert_int_equal(add_user(house, "anna@example.org", NULL, "Member"), OK);
	assert_int_equal(db_enter(house->db, house->b), OK);
	assert_int_equal(query_one(house->db, STATEMENT_USER_BY_EMAIL, &in, &out, &house->fixture.arena),
			 ERR_NOT_FOUND);
	assert_int_equal(db_leave(house->db, true), OK);
}

static void a_row_that_the_arena_cannot_hold_is_an_error(void **state)
{
	struct house *house = *state;
	static char name[4096];
	struct organization_show_out out;
	struct arena small;

	memset(name, 'x', sizeof name);
	assert_int_equal(query_run(house->db, STATEMENT_ORGANIZATION_CHANGE,
				   &(struct organization_change_in){ .organization_name = { name, sizeof name },
								     .requests_per_minute = DB_NULL,
								     .now = 1 },
				   NULL),
			 OK);
	arena_init(&small, 1024);
	assert_int_equal(query_one(house->db, STATEMENT_ORGANIZATION_SHOW, NULL, &out, &small), ERR_MEMORY);
	arena_fini(&small);
	assert_int_equal(query_one(house->db, STATEMENT_ORGANIZATION_SHOW, NULL, &out, &house->fixture.arena), OK);
	assert_int_equal(out.organization_name.length, sizeof name);
}

static void a_write_with_rows_runs_to_its_end(void **state)
{
	struct house *house = *state;
	const struct uuid id = uuid_new();
	int64_t changed = 0;

	assert_int_equal(query_run(house->db, STATEMENT_API_KEY_CREATE,
				   &(struct api_key_create_in){
				       .id = id, .name = TEXT("n"), .hash = TEXT("h"), .masked = TEXT("m"), .now = 1 },
				   &changed),
			 OK);
	assert_int_equal(changed, 1);
	assert_int_equal(
	    query_run(house->db, STATEMENT_API_KEY_REVOKE, &(struct api_key_revoke_in){ .id = id, .now = 2 }, &changed),
	    OK);
	assert_int_equal(changed, 1);
	assert_int_equal(
	    query_run(house->db, STATEMENT_API_KEY_REVOKE, &(struct api_key_revoke_in){ .id = id, .now = 3 }, &changed),
	    OK);
	assert_int_equal(changed, 0);
}

static void rows_become_json_by_their_types(void **state)
{
	struct house *house = *state;
	const struct json_value *json = NULL;
	struct buffer buffer;
	struct json_out out;
	struct fault fault;

	assert_int_equal(add_user(house, "anna@example.org", "A \"quoted\"\n\xF0\x9F\x98\x80 name", "Admin"), OK);
	assert_int_equal(add_user(house, "berta@example.org", NULL, "Member"), OK);
	assert_int_equal(add_user(house, "visitor@example.org", NULL, "Visitor"), OK);
	buffer_init(&buffer, 1 << 20);
	json_out_init(&out, &buffer);
	json_open_array(&out);
	assert_int_equal(query_rows(house->db, STATEMENT_USER_LIST, NULL, &out), OK);
	json_close_array(&out);
	assert_false(buffer.failed);
	assert_non_null(memmem(buffer.at, buffer.length, "\"email\":\"anna@example.org\"", 26));
	assert_non_null(memmem(buffer.at, buffer.length, "\"created_at\":\"2026-11-23T15:04:05.678Z\"", 39));
	assert_non_null(memmem(buffer.at, buffer.length, "\"last_sign_in_at\":null", 22));
	assert_non_null(
	    memmem(buffer.at, buffer.length, "\"organization_id\":\"61616161-6161-6161-6161-616161616161\"", 56));
	assert_non_null(memmem(buffer.at, buffer.length, "\"name\":null,\"image\":null,\"role\":\"Member\"", 40));
	assert_non_null(memmem(buffer.at, buffer.length, "},{", 3));
	assert_null(memmem(buffer.at, buffer.length, "visitor@", 8));
	assert_int_equal(json_parse((struct text){ buffer.at, buffer.length }, &house->fixture.arena, &json, &fault),
			 OK);
	buffer_fini(&buffer);
}

static void stored_json_is_passed_on_and_numbers_are_numbers(void **state)
{
	struct house *house = *state;
	struct visitor_by_id_out row = { .number = DB_NULL, .metadata = TEXT("{\"a\":[1,2]}"), .created_at = DB_NULL };
	struct buffer buffer;
	struct json_out out;

	(void)house;
	buffer_init(&buffer, 1 << 16);
	json_out_init(&out, &buffer);
	json_open_object(&out);
	query_members(STATEMENT_VISITOR_BY_ID, &row, &out);
	json_close_object(&out);
	assert_int_equal(buffer.length, strlen("{\"number\":null,\"id\":null,\"email\":null,\"name\":null,"
					       "\"metadata\":{\"a\":[1,2]},\"created_at\":null}"));
	assert_memory_equal(buffer.at,
			    "{\"number\":null,\"id\":null,\"email\":null,\"name\":null,"
			    "\"metadata\":{\"a\":[1,2]},\"created_at\":null}",
			    buffer.length);
	buffer_fini(&buffer);
}

static void no_rows_are_an_empty_array(void **state)
{
	struct house *house = *state;
	struct buffer buffer;
	struct json_out out;

	buffer_init(&buffer, 1 << 16);
	json_out_init(&out, &buffer);
	json_open_array(&out);
	assert_int_equal(query_rows(house->db, STATEMENT_USER_LIST, NULL, &out), OK);
	json_close_array(&out);
	assert_int_equal(buffer.length, 2);
	assert_memory_equal(buffer.at, "[]", 2);
	buffer_fini(&buffer);
	assert_int_equal(query_rows(house->db, STATEMENT_ORGANIZATION_LIST, NULL, &out), ERR_DENIED);
}

/* What query_rows sets aside for a row. */
static void rows_become_csv_behind_the_hidden_columns(void **state)
{
	struct house *house = *state;
	const char *names = "organization_id\r\n";
	const char *line =
	    ",,2026-11-23T15:04:05.678Z,2026-11-23T15:04:05.678Z,,61616161-6161-6161-6161-616161616161\r\n";
	union query_row row;
	struct buffer buffer;
	struct csv_out out;

	assert_int_equal(add_user(house, "=anna@example.org", NULL, "Member"), OK);
	buffer_init(&buffer, 1 << 20);
	csv_out_init(&out, &buffer);
	query_names_csv(STATEMENT_USER_LIST, statements[STATEMENT_USER_LIST].out_count - 1, &out);
	assert_int_equal(buffer.length, strlen(names));
	assert_memory_equal(buffer.at, names, buffer.length);
	assert_int_equal(db_start(house->db, STATEMENT_USER_LIST, NULL), OK);
	assert_int_equal(db_step(house->db, STATEMENT_USER_LIST, &row), OK);
	buffer_cut(&buffer, 0);
	query_cells_csv(STATEMENT_USER_LIST, 5, &row, &out);
	assert_int_equal(buffer.length, strlen(line));
	assert_memory_equal(buffer.at, line, buffer.length);
	buffer_cut(&buffer, 0);
	query_cells_csv(STATEMENT_USER_LIST, 1, &row, &out);
	assert_memory_equal(buffer.at, "'=anna@example.org,,,Member,", 28);
	db_stop(house->db, STATEMENT_USER_LIST);
	buffer_fini(&buffer);
}

static void every_row_fits(void **state)
{
	(void)state;
	for (size_t i = 0; i < statement_count; i++)
		for (size_t j = 0; j < statements[i].out_count; j++)
			assert_true(statements[i].out[j].offset + sizeof(struct text) <= 1024);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(one_row_outlives_its_statement),
		HOUSE(no_row_is_not_found),
		HOUSE(a_row_that_the_arena_cannot_hold_is_an_error),
		HOUSE(a_write_with_rows_runs_to_its_end),
		HOUSE(rows_become_json_by_their_types),
		HOUSE(stored_json_is_passed_on_and_numbers_are_numbers),
		HOUSE(no_rows_are_an_empty_array),
		HOUSE(rows_become_csv_behind_the_hidden_columns),
		cmocka_unit_test(every_row_fits),
	};

	json_in_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
