#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/founding.h"
#include "auth/tenant.h"
#include "fixture.h"
#include "store/query.h"

struct house {
	struct fixture fixture;
	sqlite3 *plain;
	struct db *db;
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

/* As a handler of the operator's does: inside one item of the writer. */
static enum err found(struct house *house, char letter, const char *slug, const char *hash)
{
	const struct organization_create_in organization = {
		.id = fixture_id(letter), .slug = text_of(slug), .organization_name = TEXT("An organization"), .now = 1
	};
	const struct api_key_create_in key = {
		.id = fixture_id(letter), .name = TEXT("first"), .hash = text_of(hash), .masked = TEXT("m"), .now = 1
	};
	enum err err;

	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, tenant_system()), OK);
	err = founding_organization(house->db, &house->fixture.arena, &organization, &key);
	assert_int_equal(db_leave(house->db, err == OK), OK);
	assert_int_equal(db_end(house->db, true), OK);
	return err;
}

static void an_organization_is_founded_with_its_key(void **state)
{
	struct house *house = *state;

	assert_int_equal(found(house, 'a', "anna", "hash a"), OK);
	assert_int_equal(found(house, 'b', "berta", "hash b"), OK);
	assert_int_equal(fixture_number(house->plain,
					"SELECT count(*) FROM organizations AS o JOIN api_keys AS k "
					"ON k.organization_id = o.id WHERE (o.slug, k.hash) IN "
					"(VALUES ('anna', 'hash a'), ('berta', 'hash b')) AND k.revoked_at IS NULL"),
			 2);
}

static void a_slug_that_is_taken_is_a_conflict_and_leaves_no_key(void **state)
{
	struct house *house = *state;

	assert_int_equal(found(house, 'a', "anna", "hash a"), OK);
	assert_int_equal(found(house, 'b', "anna", "hash b"), ERR_CONFLICT);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM organizations"), 1);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM api_keys"), 1);
}

static void a_key_that_is_taken_leaves_no_organization(void **state)
{
	struct house *house = *state;

	assert_int_equal(found(house, 'a', "anna", "hash"), OK);
	assert_int_equal(found(house, 'b', "berta", "hash"), ERR_CONFLICT);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM organizations"), 1);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(an_organization_is_founded_with_its_key),
		HOUSE(a_slug_that_is_taken_is_a_conflict_and_leaves_no_key),
		HOUSE(a_key_that_is_taken_leaves_no_organization),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
