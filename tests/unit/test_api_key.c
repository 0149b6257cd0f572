#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "auth/api_key.h"
#include "fixture.h"
#include "store/readers.h"

#define KEY     "ik_live_InnkeeperKeepsManyOrganizations00WZomL"
#define LEGACY  "hmz_0123456789abcdefghijklmnopqrstuv"

#define THREADS 3
#define ROUNDS  100

struct house {
	struct fixture fixture;
	sqlite3 *plain;
	struct readers *readers;
	struct api_keys *keys;
};

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);
	struct fault fault;

	fixture_open(&house->fixture);
	(void)fixture_organization(&house->fixture, 'a');
	(void)fixture_organization(&house->fixture, 'b');
	house->plain = fixture_plain(&house->fixture);
	assert_int_equal(readers_new(&house->readers, house->fixture.url, 2, &house->fixture.log, &fault), OK);
	assert_int_equal(api_keys_new(&house->keys), OK);
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	api_keys_free(house->keys);
	readers_free(house->readers);
	assert_int_equal(sqlite3_close(house->plain), SQLITE_OK);
	fixture_close(&house->fixture);
	test_free(house);
	return 0;
}

static void store_key(struct house *house, char letter, const char *key)
{
	const struct uuid organization = fixture_id(letter);
	char hash[API_KEY_HASH_SIZE];
	char hex[33];
	char *sql;

	text_hex(organization.bytes, sizeof organization.bytes, hex);
	api_key_hash(text_of(key), hash);
	sql = sqlite3_mprintf("INSERT INTO api_keys (organization_id, id, name, hash, masked, created_at) "
			      "VALUES (X'%s', X'%s', 'n', '%s', 'm', 1)",
			      hex, hex, hash);
	fixture_run(house->plain, sql);
	sqlite3_free(sql);
}

static enum err admit(struct house *house, const char *key, struct key_holder *holder)
{
	return api_keys_admit(house->keys, house->readers, text_of(key), holder);
}

static void check_digits_are_those_of_zlibs_crc32(void **state)
{
	/* Made by another program: CRC-32 of "ik_live_" and 32 characters, in base 62. */
	static const char *const good[] = {
		"ik_live_0123456789ABCDEFGHIJKLMNOPQRSTUV2KpGth",
		KEY,
		"ik_live_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz3tsNpM",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char key[API_KEY_SIZE];

		assert_true(api_key_is_plausible(text_of(good[i])));
		/* A single typing error is always noticed. */
		for (size_t at = 0; at < API_KEY_SIZE - 1; at++) {
			memcpy(key, good[i], sizeof key);
			key[at] = key[at] == 'a' ? 'b' : 'a';
			assert_false(api_key_is_plausible(text_of(key)));
		}
	}
}

static void what_is_made_is_plausible_and_never_the_same(void **state)
{
	char keys[100][API_KEY_SIZE];

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		api_key_make(keys[i]);
		assert_int_equal(strlen(keys[i]), API_KEY_SIZE - 1);
		assert_int_equal(strncmp(keys[i], "ik_live_", 8), 0);
		assert_true(api_key_is_plausible(text_of(keys[i])));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(keys[i], keys[j]);
	}
}

static void a_key_of_an_older_system_is_taken_as_it_is(void **state)
{
	(void)state;
	assert_true(api_key_is_plausible(text_of(LEGACY)));
	assert_false(api_key_is_plausible(text_of("hmz_0123456789abcdefghijklmnopqrstu")));
	assert_false(api_key_is_plausible(text_of("hmz_0123456789abcdefghijklmnopqrstuvw")));
	assert_false(api_key_is_plausible(text_of("hmz_0123456789abcdefghijklmnopqrstu-")));
	assert_false(api_key_is_plausible(text_of("HMZ_0123456789abcdefghijklmnopqrstuv")));
	assert_false(api_key_is_plausible(text_of("hmz_")));
}

static void what_is_no_key_is_not_plausible(void **state)
{
	(void)state;
	assert_false(api_key_is_plausible(text_of("")));
	assert_false(api_key_is_plausible(text_of(NULL)));
	assert_false(api_key_is_plausible(text_of("ik_live_")));
	assert_false(api_key_is_plausible(text_of(KEY " ")));
	assert_false(api_key_is_plausible(text_of(" " KEY)));
	assert_false(api_key_is_plausible((struct text){ KEY, sizeof KEY })); /* with a NUL behind it */
	assert_false(api_key_is_plausible(text_of("ik_test_InnkeeperKeepsManyOrganizations00WZomL")));
}

static void a_mask_shows_too_little_to_guess(void **state)
{
	char masked[API_KEY_MASKED_SIZE];

	(void)state;
	api_key_mask(text_of(KEY), masked);
	assert_string_equal(masked, "ik_live_Innk...ZomL");
	api_key_mask(text_of(LEGACY), masked);
	assert_string_equal(masked, "hmz_0123...stuv");
}

static void a_hash_is_sha256_in_hex(void **state)
{
	char hash[API_KEY_HASH_SIZE];

	(void)state;
	api_key_hash(text_of(LEGACY), hash);
	assert_string_equal(hash, "685c400fb7b1fe64067df2062633dc283c05b2bdbc1c279b0075f88bca81cec8");
}

static void a_key_opens_its_organization_and_no_other(void **state)
{
	struct house *house = *state;
	const struct uuid a = fixture_id('a');
	const struct uuid b = fixture_id('b');
	struct key_holder holder;

	store_key(house, 'a', KEY);
	store_key(house, 'b', LEGACY);
	for (int i = 0; i < 3; i++) { /* read first, then remembered */
		assert_int_equal(admit(house, KEY, &holder), OK);
		assert_true(uuid_equal(&holder.organization, &a));
		assert_false(holder.limited);
		assert_true(holder.rate.allowed);
		assert_int_equal(admit(house, LEGACY, &holder), OK);
		assert_true(uuid_equal(&holder.organization, &b));
	}
}

static void an_unknown_revoked_or_suspended_key_is_refused_alike(void **state)
{
	struct house *house = *state;
	struct key_holder holder;

	assert_int_equal(admit(house, KEY, &holder), ERR_UNAUTHORIZED);
	assert_int_equal(admit(house, "nonsense", &holder), ERR_UNAUTHORIZED);
	store_key(house, 'a', KEY);
	store_key(house, 'b', LEGACY);
	fixture_run(house->plain, "UPDATE api_keys SET revoked_at = 5 WHERE organization_id = (SELECT id FROM "
				  "organizations WHERE slug = 'a')");
	assert_int_equal(admit(house, KEY, &holder), ERR_UNAUTHORIZED);
	fixture_run(house->plain, "UPDATE organizations SET status = 'suspended' WHERE slug = 'b'");
	assert_int_equal(admit(house, LEGACY, &holder), ERR_UNAUTHORIZED);
	/* What was refused is not remembered as refused. */
	fixture_run(house->plain, "UPDATE organizations SET status = 'active'; UPDATE api_keys SET revoked_at = NULL");
	assert_int_equal(admit(house, KEY, &holder), OK);
	assert_int_equal(admit(house, LEGACY, &holder), OK);
}

static void a_limit_of_the_organization_holds_each_of_its_keys(void **state)
{
	struct house *house = *state;
	struct key_holder holder;

	store_key(house, 'a', KEY);
	store_key(house, 'b', LEGACY);
	fixture_run(house->plain, "UPDATE organizations SET requests_per_minute = 3 WHERE slug = 'a'");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(admit(house, KEY, &holder), OK);
		assert_true(holder.limited);
		assert_true(holder.rate.allowed);
		assert_int_equal(holder.rate.remaining, 2 - i);
	}
	assert_int_equal(admit(house, KEY, &holder), OK);
	assert_false(holder.rate.allowed);
	assert_true(holder.rate.retry_after > 0);
	assert_int_equal(admit(house, LEGACY, &holder), OK);
	assert_true(holder.rate.allowed);
}

static void a_use_is_reported_once(void **state)
{
	struct house *house = *state;
	const struct uuid a = fixture_id('a');
	struct key_holder holder;
	struct key_use uses[4];

	store_key(house, 'a', KEY);
	store_key(house, 'b', LEGACY);
	assert_int_equal(api_keys_uses(house->keys, uses, 4), 0);
	assert_int_equal(admit(house, KEY, &holder), OK);
	assert_int_equal(api_keys_uses(house->keys, uses, 4), 1);
	assert_true(uuid_equal(&uses[0].organization, &a));
	assert_true(uuid_equal(&uses[0].key, &holder.key));
	assert_true(uses[0].at > 0);
	assert_int_equal(api_keys_uses(house->keys, uses, 4), 0);
	/* Used again, as soon as the clock has moved on, it is told again. */
	do {
		assert_int_equal(admit(house, KEY, &holder), OK);
	} while (api_keys_uses(house->keys, uses, 4) == 0);
	assert_true(uuid_equal(&uses[0].organization, &a));
}

static void more_uses_than_there_is_room_for_come_the_next_time(void **state)
{
	struct house *house = *state;
	struct key_holder holder;
	struct key_use uses[2];

	store_key(house, 'a', KEY);
	store_key(house, 'b', LEGACY);
	assert_int_equal(admit(house, KEY, &holder), OK);
	assert_int_equal(admit(house, LEGACY, &holder), OK);
	assert_int_equal(api_keys_uses(house->keys, &uses[0], 1), 1);
	assert_int_equal(api_keys_uses(house->keys, &uses[1], 1), 1);
	assert_false(uuid_equal(&uses[0].organization, &uses[1].organization));
	assert_int_equal(api_keys_uses(house->keys, uses, 2), 0);
}

static void forgetting_one_organization_leaves_the_others(void **state)
{
	struct house *house = *state;
	const struct uuid a = fixture_id('a');
	struct key_holder holder;

	store_key(house, 'a', KEY);
	store_key(house, 'b', LEGACY);
	assert_int_equal(admit(house, KEY, &holder), OK);
	assert_int_equal(admit(house, LEGACY, &holder), OK);
	fixture_run(house->plain, "UPDATE api_keys SET revoked_at = 5");
	/* Remembered until told otherwise. */
	assert_int_equal(admit(house, KEY, &holder), OK);
	api_keys_forget(house->keys, &a);
	assert_int_equal(admit(house, KEY, &holder), ERR_UNAUTHORIZED);
	assert_int_equal(admit(house, LEGACY, &holder), OK);
}

struct knocker {
	struct house *house;
	const atomic_bool *stop;
	size_t admitted;
	size_t refused;
	size_t broken;
};

static void *knock(void *given)
{
	struct knocker *knocker = given;

	while (!atomic_load(knocker->stop)) {
		struct key_holder holder;
		enum err err = admit(knocker->house, KEY, &holder);

		knocker->admitted += err == OK;
		knocker->refused += err == ERR_UNAUTHORIZED;
		knocker->broken += err != OK && err != ERR_UNAUTHORIZED;
	}
	return NULL;
}

static void a_revoked_key_stops_at_once_whoever_is_just_reading_it(void **state)
{
	struct house *house = *state;
	const struct uuid a = fixture_id('a');
	struct knocker knockers[THREADS];
	pthread_t threads[THREADS];
	struct key_holder holder;
	atomic_bool stop = false;
	size_t late = 0;

	store_key(house, 'a', KEY);
	for (size_t i = 0; i < THREADS; i++) {
		knockers[i] = (struct knocker){ .house = house, .stop = &stop };
		assert_int_equal(pthread_create(&threads[i], NULL, knock, &knockers[i]), 0);
	}
	for (int round = 0; round < ROUNDS; round++) {
		/* Forgotten while it is valid, so that the others are reading it when it is revoked. */
		api_keys_forget(house->keys, &a);
		fixture_run(house->plain, "UPDATE api_keys SET revoked_at = 5");
		api_keys_forget(house->keys, &a);
		for (int i = 0; i < 20; i++)
			late += admit(house, KEY, &holder) != ERR_UNAUTHORIZED;
		fixture_run(house->plain, "UPDATE api_keys SET revoked_at = NULL");
		assert_int_equal(admit(house, KEY, &holder), OK);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(knockers[i].broken, 0);
		assert_true(knockers[i].admitted + knockers[i].refused > 0);
	}
	assert_int_equal(late, 0);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_digits_are_those_of_zlibs_crc32),
		cmocka_unit_test(what_is_made_is_plausible_and_never_the_same),
		cmocka_unit_test(a_key_of_an_older_system_is_taken_as_it_is),
		cmocka_unit_test(what_is_no_key_is_not_plausible),
		cmocka_unit_test(a_mask_shows_too_little_to_guess),
		cmocka_unit_test(a_hash_is_sha256_in_hex),
		HOUSE(a_key_opens_its_organization_and_no_other),
		HOUSE(an_unknown_revoked_or_suspended_key_is_refused_alike),
		HOUSE(a_limit_of_the_organization_holds_each_of_its_keys),
		HOUSE(a_use_is_reported_once),
		HOUSE(more_uses_than_there_is_room_for_come_the_next_time),
		HOUSE(forgetting_one_organization_leaves_the_others),
		HOUSE(a_revoked_key_stops_at_once_whoever_is_just_reading_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
