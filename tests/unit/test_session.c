#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "auth/session.h"
#include "auth/tenant.h"
#include "fixture.h"

#define HOUR ((int64_t)60 * 60 * 1000)

struct house {
	struct fixture fixture;
	sqlite3 *plain;
	struct db *db;
};

/* The accounts p and q, both members of the organization a. */
static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);

	fixture_open(&house->fixture);
	house->plain = fixture_plain(&house->fixture);
	house->db = fixture_db(&house->fixture, DB_WRITE);
	(void)fixture_organization(&house->fixture, 'a');
	fixture_run(house->plain, "INSERT INTO accounts (id, email, created_at, updated_at) VALUES "
				  "(CAST(printf('%.16c', 'p') AS BLOB), 'p@x.example', 1, 1), "
				  "(CAST(printf('%.16c', 'q') AS BLOB), 'q@x.example', 1, 1)");
	fixture_run(house->plain,
		    "INSERT INTO users (organization_id, id, account_id, email, role, created_at, updated_at) "
		    "SELECT o.id, a.id, a.id, a.email, 'Member', 1, 1 FROM organizations AS o, accounts AS a");
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

/* The new session's name in the database. */
static void sign_in(struct house *house, char account, int64_t now, char hash[TOKEN_HASH_SIZE])
{
	const struct uuid person = fixture_id(account);
	const struct uuid organization = fixture_id('a');
	struct membership_find_out member;
	char token[TOKEN_SIZE];

	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(session_create(house->db, &house->fixture.arena, &person, &organization, now, token, &member),
			 OK);
	assert_int_equal(db_end(house->db, true), OK);
	assert_true(token_hash(text_of(token), hash));
}

static bool lives(struct house *house, const char *hash)
{
	char sql[200];

	snprintf(sql, sizeof sql, "SELECT count(*) FROM sessions WHERE hash = '%s'", hash);
	return fixture_number(house->plain, sql) == 1;
}

static int64_t count(struct house *house, char account)
{
	char sql[200];

	snprintf(sql, sizeof sql,
		 "SELECT count(*) FROM sessions WHERE account_id = CAST(printf('%%.16c', '%c') AS BLOB)", account);
	return fixture_number(house->plain, sql);
}

static void of_more_than_fifty_the_one_used_longest_ago_ends(void **state)
{
	struct house *house = *state;
	char hashes[SESSION_MOST + 3][TOKEN_HASH_SIZE];
	char theirs[TOKEN_HASH_SIZE];
	char sql[200];

	sign_in(house, 'q', 0, theirs);
	for (size_t i = 0; i < SESSION_MOST; i++)
		sign_in(house, 'p', (int64_t)i * HOUR, hashes[i]);
	assert_int_equal(count(house, 'p'), SESSION_MOST);

	/* The first of them has been used since. */
	snprintf(sql, sizeof sql, "UPDATE sessions SET expires_at = %lld WHERE hash = '%s'",
		 (long long)(SESSION_LIFETIME + SESSION_MOST * HOUR), hashes[0]);
	fixture_run(house->plain, sql);
	for (size_t i = SESSION_MOST; i < SESSION_MOST + 3; i++)
		sign_in(house, 'p', (int64_t)i * HOUR, hashes[i]);
	assert_int_equal(count(house, 'p'), SESSION_MOST);
	for (size_t i = 0; i < SESSION_MOST + 3; i++)
		assert_int_equal(lives(house, hashes[i]), i == 0 || i > 3);
	assert_true(lives(house, theirs));
}

static void at_one_moment_the_first_made_ends(void **state)
{
	struct house *house = *state;
	char hashes[SESSION_MOST + 1][TOKEN_HASH_SIZE];

	for (size_t i = 0; i <= SESSION_MOST; i++)
		sign_in(house, 'p', 1, hashes[i]);
	for (size_t i = 0; i <= SESSION_MOST; i++)
		assert_int_equal(lives(house, hashes[i]), i > 0);
}

/* Else nobody with many sessions could sign in any more. */
static void with_a_clock_that_was_set_back_the_new_one_stays(void **state)
{
	struct house *house = *state;
	char hash[TOKEN_HASH_SIZE];

	for (int i = 0; i < SESSION_MOST; i++)
		sign_in(house, 'p', 1000 * HOUR, hash);
	sign_in(house, 'p', HOUR, hash);
	assert_true(lives(house, hash));
	assert_int_equal(count(house, 'p'), SESSION_MOST);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(of_more_than_fifty_the_one_used_longest_ago_ends),
		HOUSE(at_one_moment_the_first_made_ends),
		HOUSE(with_a_clock_that_was_set_back_the_new_one_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
