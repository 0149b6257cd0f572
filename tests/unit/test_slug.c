#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "auth/slug.h"
#include "fixture.h"

#define LETTERS_50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"

static void assert_slug(struct text name, const char *expected)
{
	char slug[SLUG_SIZE];

	memset(slug, '!', sizeof slug);
	assert_int_equal(slug_of(name, slug), strlen(expected));
	assert_string_equal(slug, expected);
}

static void a_name_becomes_letters_digits_and_single_hyphens(void **state)
{
	(void)state;
	assert_slug(TEXT("Visit Fort Myers!"), "visit-fort-myers");
	assert_slug(TEXT("  --A & B--  2 "), "a-b-2");
	assert_slug(TEXT("Visit \xc3\x84rmel"), "visit-rmel");
	assert_slug(TEXT("AZaz09"), "azaz09");
	assert_slug(TEXT("a\0b"), "a-b");
	assert_slug(TEXT("@[`{/:"), "");
}

static void a_name_without_any_becomes_nothing(void **state)
{
	(void)state;
	assert_slug((struct text){ NULL, 0 }, "");
	assert_slug(TEXT(""), "");
	assert_slug(TEXT("-"), "");
	assert_slug(TEXT("\xe6\x97\xa5\xe6\x9c\xac"), "");
}

static void a_long_name_is_cut_and_does_not_end_in_a_hyphen(void **state)
{
	char name[70000];

	(void)state;
	memset(name, 'x', sizeof name);
	assert_slug((struct text){ name, sizeof name },
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_slug(TEXT(LETTERS_50 "abcdefghijkl mnop"), LETTERS_50 "abcdefghijkl");
	memset(name, ' ', sizeof name);
	assert_slug((struct text){ name, sizeof name }, "");
}

struct house {
	struct fixture fixture;
	sqlite3 *plain;
	struct db *db;
	int count; /* organizations so far */
};

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);

	fixture_open(&house->fixture);
	house->plain = fixture_plain(&house->fixture);
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

static void take(struct house *house, const char *slug)
{
	char sql[256];

	snprintf(sql, sizeof sql,
		 "INSERT INTO organizations (id, slug, organization_name, created_at, updated_at) "
		 "VALUES (CAST(printf('%%016d', %d) AS BLOB), '%s', 'n', 1, 1)",
		 ++house->count, slug);
	fixture_run(house->plain, sql);
}

static void choose(struct house *house, const char *name, char out[SLUG_SIZE])
{
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(slug_choose(house->db, &house->fixture.arena, text_of(name), out), OK);
	assert_int_equal(db_end(house->db, false), OK);
}

static void assert_chosen(struct house *house, const char *name, const char *expected)
{
	char slug[SLUG_SIZE];

	choose(house, name, slug);
	assert_string_equal(slug, expected);
}

static void who_comes_first_has_the_name_alone_and_others_a_number(void **state)
{
	struct house *house = *state;

	assert_chosen(house, "Beach", "beach");
	take(house, "beach");
	assert_chosen(house, "Beach", "beach-2");
	take(house, "beach-2");
	assert_chosen(house, "BEACH!", "beach-3");
	take(house, "beach-4");
	assert_chosen(house, "beach", "beach-3");
}

static void a_name_of_nothing_is_an_organization(void **state)
{
	struct house *house = *state;

	assert_chosen(house, "", "organization");
	take(house, "organization");
	assert_chosen(house, "\xe6\x97\xa5\xe6\x9c\xac", "organization-2");
}

static void a_long_name_makes_room_for_its_number(void **state)
{
	struct house *house = *state;

	take(house, LETTERS_50 "abcdefghijklm");
	assert_chosen(house, LETTERS_50 "abcdefghijklmnop", LETTERS_50 "abcdefghijk-2");
	take(house, LETTERS_50 "abcdefghij-lm");
	assert_chosen(house, LETTERS_50 "abcdefghij-lm", LETTERS_50 "abcdefghij-2");
}

static void after_twenty_of_a_name_a_random_one_is_chosen(void **state)
{
	struct house *house = *state;
	char slug[SLUG_SIZE];
	char other[SLUG_SIZE];

	take(house, "beach");
	for (int number = 2; number <= 20; number++) {
		snprintf(slug, sizeof slug, "beach-%d", number);
		assert_chosen(house, "Beach", slug);
		take(house, slug);
	}
	choose(house, "Beach", slug);
	choose(house, "Beach", other);
	assert_int_equal(strlen(slug), strlen("beach-00000000"));
	assert_memory_equal(slug, "beach-", 6);
	assert_int_equal(strspn(slug + 6, "0123456789abcdef"), 8);
	assert_string_not_equal(slug, other);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_becomes_letters_digits_and_single_hyphens),
		cmocka_unit_test(a_name_without_any_becomes_nothing),
		cmocka_unit_test(a_long_name_is_cut_and_does_not_end_in_a_hyphen),
		HOUSE(who_comes_first_has_the_name_alone_and_others_a_number),
		HOUSE(a_name_of_nothing_is_an_organization),
		HOUSE(a_long_name_makes_room_for_its_number),
		HOUSE(after_twenty_of_a_name_a_random_one_is_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
