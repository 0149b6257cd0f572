#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/bucket.h"

#define SECOND INT64_C(1000000)

static void a_new_bucket_holds_one_minutes_worth(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	for (int64_t i = 0; i < 60; i++) {
		struct bucket_state taken = bucket_take(&bucket, 60, 1000 * SECOND);

		assert_true(taken.allowed);
		assert_int_equal(taken.limit, 60);
		assert_int_equal(taken.remaining, 59 - i);
		assert_int_equal(taken.reset, i + 1);
		assert_int_equal(taken.retry_after, 0);
	}
	struct bucket_state refused = bucket_take(&bucket, 60, 1000 * SECOND);
	assert_false(refused.allowed);
	assert_int_equal(refused.remaining, 0);
	assert_int_equal(refused.retry_after, 1);
	assert_int_equal(refused.reset, 60);
}

static void a_refusal_costs_nothing(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_true(bucket_take(&bucket, 6, SECOND).allowed);
	for (int i = 0; i < 1000; i++)
		assert_false(bucket_take(&bucket, 6, SECOND).allowed);
	/* Six a minute: one every ten seconds, however often it was asked in between. */
	assert_false(bucket_take(&bucket, 6, 10 * SECOND).allowed);
	assert_true(bucket_take(&bucket, 6, 11 * SECOND).allowed);
	assert_false(bucket_take(&bucket, 6, 11 * SECOND).allowed);
}

static void it_refills_evenly_and_no_further_than_full(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	for (int i = 0; i < 120; i++)
		assert_true(bucket_take(&bucket, 120, SECOND).allowed);
	assert_int_equal(bucket_take(&bucket, 120, 31 * SECOND).remaining, 59);
	assert_int_equal(bucket_take(&bucket, 120, 3600 * SECOND).remaining, 119);
	assert_int_equal(bucket_take(&bucket, 120, INT64_MAX).remaining, 119);
}

static void a_steady_pace_below_the_limit_always_passes(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	for (int64_t i = 1; i <= 10000; i++)
		assert_true(bucket_take(&bucket, 7, i * 60 * SECOND / 7 + i).allowed);
}

static void it_says_when_to_come_again(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	assert_true(bucket_take(&bucket, 1, SECOND).allowed);
	struct bucket_state refused = bucket_take(&bucket, 1, SECOND);
	assert_false(refused.allowed);
	assert_int_equal(refused.retry_after, 60);
	refused = bucket_take(&bucket, 1, 46 * SECOND);
	assert_false(refused.allowed);
	assert_int_equal(refused.retry_after, 15);
	/* Never "0 seconds" for what is refused. */
	refused = bucket_take(&bucket, 1, 61 * SECOND - 1);
	assert_false(refused.allowed);
	assert_int_equal(refused.retry_after, 1);
	assert_true(bucket_take(&bucket, 1, 61 * SECOND + 1).allowed);
}

static void a_clock_that_stands_or_goes_back_gives_nothing(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	assert_true(bucket_take(&bucket, 1, 100 * SECOND).allowed);
	assert_false(bucket_take(&bucket, 1, 100 * SECOND).allowed);
	assert_false(bucket_take(&bucket, 1, 1 * SECOND).allowed);
}

static void a_limit_that_is_lowered_holds_at_once(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	for (int i = 0; i < 50; i++)
		assert_true(bucket_take(&bucket, 100, SECOND).allowed);
	assert_false(bucket_take(&bucket, 10, SECOND).allowed);
	assert_int_equal(bucket_take(&bucket, 10, SECOND).remaining, 0);
	assert_true(bucket_take(&bucket, 100, SECOND).allowed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_bucket_holds_one_minutes_worth),
		cmocka_unit_test(a_refusal_costs_nothing),
		cmocka_unit_test(it_refills_evenly_and_no_further_than_full),
		cmocka_unit_test(a_steady_pace_below_the_limit_always_passes),
		cmocka_unit_test(it_says_when_to_come_again),
		cmocka_unit_test(a_clock_that_stands_or_goes_back_gives_nothing),
		cmocka_unit_test(a_limit_that_is_lowered_holds_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
