#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "auth/attempts.h"

static void make_address(uint8_t address[16], uint32_t number)
{
	memset(address, 0, 16);
	memcpy(address, &number, sizeof number);
}

static void an_address_that_fails_too_often_is_told(void **state)
{
	struct attempts *attempts;
	uint8_t address[16];

	(void)state;
	assert_int_equal(attempts_new(&attempts, 5), OK);
	make_address(address, 1);
	for (int i = 0; i < 5; i++)
		assert_true(attempts_fail(attempts, address).allowed);
	struct bucket_state refused = attempts_fail(attempts, address);
	assert_false(refused.allowed);
	assert_int_equal(refused.limit, 5);
	assert_in_range(refused.retry_after, 1, 12);
	attempts_free(attempts);
}

static void one_address_does_not_hold_back_another(void **state)
{
	struct attempts *attempts;
	uint8_t address[16];

	(void)state;
	assert_int_equal(attempts_new(&attempts, 1), OK);
	for (uint32_t i = 0; i < 500; i++) {
		make_address(address, i);
		assert_true(attempts_fail(attempts, address).allowed);
	}
	attempts_free(attempts);
}

static void zero_is_no_limit(void **state)
{
	struct attempts *attempts;
	uint8_t address[16] = { 0 };

	(void)state;
	assert_int_equal(attempts_new(&attempts, 0), OK);
	for (int i = 0; i < 10000; i++)
		assert_true(attempts_fail(attempts, address).allowed);
	attempts_free(attempts);
}

static void a_full_table_forgets_the_longest_ago_and_keeps_the_newest(void **state)
{
	struct attempts *attempts;
	uint8_t guesser[16];
	uint8_t address[16];

	(void)state;
	assert_int_equal(attempts_new(&attempts, 3), OK);
	make_address(guesser, 0xFFFFFFFF);
	for (int i = 0; i < 3; i++)
		assert_true(attempts_fail(attempts, guesser).allowed);
	/* Many times what the table holds; the guesser, who never rests, stays in it whoever else comes. */
	for (uint32_t i = 0; i < 100000; i++) {
		make_address(address, i);
		assert_true(attempts_fail(attempts, address).allowed);
		if (i % 2 == 0)
			assert_false(attempts_fail(attempts, guesser).allowed);
	}
	/* Who rested was forgotten. */
	make_address(address, 0);
	assert_int_equal(attempts_fail(attempts, address).remaining, 2);
	attempts_free(attempts);
}

static void wrong_passwords_do_not_hold_back_what_time_gives_to_keys(void **state)
{
	struct attempts *attempts;
	struct attempt_subject subject;
	uint8_t address[16];

	(void)state;
	assert_int_equal(attempts_new(&attempts, 1000000), OK);
	make_address(address, 1);
	subject = attempt_of_address(address);
	assert_true(attempts_fail(attempts, address).allowed);
	/* Time in which the bucket empties wholly. */
	usleep(2000);
	attempts_wrong(attempts, &subject);
	assert_int_equal(attempts_fail(attempts, address).remaining, 999999);
	attempts_free(attempts);
}

static void questions_are_counted_beside_failures(void **state)
{
	struct attempts *attempts;
	uint8_t address[16];

	(void)state;
	assert_int_equal(attempts_new(&attempts, 2), OK);
	make_address(address, 1);
	assert_true(attempts_ask(attempts, address).allowed);
	assert_true(attempts_ask(attempts, address).allowed);
	assert_false(attempts_ask(attempts, address).allowed);
	assert_true(attempts_fail(attempts, address).allowed);
	make_address(address, 2);
	assert_true(attempts_ask(attempts, address).allowed);
	attempts_free(attempts);
}

static void an_address_has_so_many_places_and_keeps_them_whoever_else_comes(void **state)
{
	struct attempts *attempts;
	uint8_t crowd[16];
	uint8_t address[16];

	(void)state;
	assert_int_equal(attempts_new(&attempts, 3), OK);
	make_address(crowd, 0xFFFFFFFF);
	for (int i = 0; i < ATTEMPTS_AT_ONCE; i++)
		assert_true(attempts_enter(attempts, crowd));
	for (uint32_t i = 0; i < 100000; i++) {
		make_address(address, i);
		assert_true(attempts_enter(attempts, address));
		attempts_leave(attempts, address);
		assert_true(attempts_fail(attempts, address).allowed);
	}
	assert_false(attempts_enter(attempts, crowd));
	attempts_leave(attempts, crowd);
	assert_true(attempts_enter(attempts, crowd));
	assert_false(attempts_enter(attempts, crowd));
	attempts_free(attempts);
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	attempts_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_that_fails_too_often_is_told),
		cmocka_unit_test(one_address_does_not_hold_back_another),
		cmocka_unit_test(zero_is_no_limit),
		cmocka_unit_test(a_full_table_forgets_the_longest_ago_and_keeps_the_newest),
		cmocka_unit_test(wrong_passwords_do_not_hold_back_what_time_gives_to_keys),
		cmocka_unit_test(questions_are_counted_beside_failures),
		cmocka_unit_test(an_address_has_so_many_places_and_keeps_them_whoever_else_comes),
		cmocka_unit_test(freeing_nothing_is_fine),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
