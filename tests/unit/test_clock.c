#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/budget.h"
#include "base/clock.h"

static void assert_parsed(const char *text, const char *expected)
{
	char written[CLOCK_TEXT_SIZE];
	int64_t time;

	assert_int_equal(clock_parse(text_of(text), &time), OK);
	clock_format(time, written);
	assert_string_equal(written, expected);
}

static void every_usual_form_is_read(void **state)
{
	(void)state;
	assert_parsed("2026-11-23", "2026-11-23T00:00:00.000Z");
	assert_parsed("2026-11-23T15:04", "2026-11-23T15:04:00.000Z");
	assert_parsed("2026-11-23 15:04:05", "2026-11-23T15:04:05.000Z");
	assert_parsed("2026-11-23t15:04:05.6789999z", "2026-11-23T15:04:05.678Z");
	assert_parsed("2026-11-23T15:04:05.6Z", "2026-11-23T15:04:05.600Z");
	assert_parsed("2026-11-23T15:04+05:45", "2026-11-23T09:19:00.000Z");
	assert_parsed("2026-11-23T15:04:05-0330", "2026-11-23T18:34:05.000Z");
	assert_parsed("2024-02-29", "2024-02-29T00:00:00.000Z");
	assert_parsed("2000-02-29", "2000-02-29T00:00:00.000Z");
	assert_parsed("1970-01-01", "1970-01-01T00:00:00.000Z");
	assert_parsed("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z");
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-11",
		"2026-1-1",
		"2026-13-01",
		"2026-00-01",
		"2026-01-00",
		"2026-04-31",
		"2026-02-29",
		"2100-02-29",
		"2026-11-23T",
		"2026-11-23T15",
		"2026-11-23T24:00",
		"2026-11-23T15:60",
		"2026-11-23T23:59:60Z",
		"2026-11-23T15:04:05.",
		"2026-11-23T15:04:05.Z",
		"2026-11-23T15:04Z ",
		"2026-11-23T15:04+5",
		"2026-11-23T15:04+24:00",
		"2026-11-23T15:04+05:60",
		"2026-11-23Z",
		" 2026-11-23",
		"1969-12-31T23:59:59.999Z",
		"1970-01-01T00:00+00:01",
		"9999-12-31T23:59-00:01",
		"-026-11-23",
		"2026-11-23T15:04:05x",
		NULL,
	};
	int64_t time = 7;

	(void)state;
	for (const char *const *at = bad; *at; at++)
		assert_int_equal(clock_parse(text_of(*at), &time), ERR_INVALID);
	assert_int_equal(clock_parse(text_of(NULL), &time), ERR_INVALID);
	assert_int_equal(clock_parse((struct text){ "2026-11-23T15:04\0", 17 }, &time), ERR_INVALID);
	assert_int_equal(time, 7);
}

static void days_agree_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = -719528; day <= 2932896; day += 97) {
		char written[CLOCK_TEXT_SIZE];
		char expected[16];
		struct tm tm;
		time_t seconds = (time_t)(day * 86400);

		clock_format(day * 86400000, written);
		gmtime_r(&seconds, &tm);
		char *at = expected;
		int numbers[] = { (tm.tm_year + 1900) / 100, (tm.tm_year + 1900) % 100, tm.tm_mon + 1, tm.tm_mday };
		for (int i = 0; i < 4; i++) {
			*at++ = (char)('0' + numbers[i] / 10);
			*at++ = (char)('0' + numbers[i] % 10);
			if (i == 1 || i == 2)
				*at++ = '-';
		}
		assert_memory_equal(written, expected, 10);
		assert_string_equal(written + 10, "T00:00:00.000Z");
		if (day >= 0) {
			int64_t back;

			assert_int_equal(clock_parse(text_of(written), &back), OK);
			assert_true(back == day * 86400000);
		}
	}
}

static void a_time_beyond_the_years_is_held_at_their_ends(void **state)
{
	char written[CLOCK_TEXT_SIZE];

	(void)state;
	clock_format(INT64_MIN, written);
	assert_string_equal(written, "0000-01-01T00:00:00.000Z");
	clock_format(INT64_MAX, written);
	assert_string_equal(written, "9999-12-31T23:59:59.999Z");
	clock_format(-1, written);
	assert_string_equal(written, "1969-12-31T23:59:59.999Z");
}

static void the_clocks_move_forward(void **state)
{
	int64_t before = clock_monotonic();

	(void)state;
	assert_true(clock_now() > INT64_C(1700000000000));
	assert_true(clock_monotonic() >= before);
}

static void a_budget_is_spent_by_work_and_not_before(void **state)
{
	struct budget hour = budget_begin(INT64_C(3600) * 1000 * 1000);
	struct budget little = budget_begin(2000);
	const int64_t worked = clock_worked();

	(void)state;
	while (!budget_spent(&little))
		assert_true(clock_worked() - worked < INT64_C(1000000));
	assert_true(clock_worked() - worked >= 1000 || clock_monotonic() - little.begun >= 20 * little.most);
	assert_false(budget_spent(&hour));
	hour.most = 0;
	assert_true(budget_spent(&hour));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_usual_form_is_read),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(days_agree_with_the_c_library),
		cmocka_unit_test(a_time_beyond_the_years_is_held_at_their_ends),
		cmocka_unit_test(the_clocks_move_forward),
		cmocka_unit_test(a_budget_is_spent_by_work_and_not_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
