#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "analytics/tally.h"

static const int64_t numbers[TALLY_NUMBERS] = { 1, 2, 3, 4, 5, 6 };

/* Labels come from outside: nobody can tell beforehand which of them fall on one place. */
static void where_a_label_falls_is_a_secret(void **state)
{
	struct tally tallies[2];
	size_t place;
	size_t alike = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		tally_init(&tallies[i], 1 << 20);
	for (int n = 0; n < 100; n++) {
		char label[16];

		snprintf(label, sizeof label, "%d", n);
		for (size_t i = 0; i < 2; i++)
			assert_int_equal(tally_place(&tallies[i], numbers, text_of(label), &place), OK);
		alike += tallies[0].rows[place].hash == tallies[1].rows[place].hash;
	}
	assert_int_equal(alike, 0);
	for (size_t i = 0; i < 2; i++)
		tally_fini(&tallies[i]);
}

static void every_key_has_its_amount(void **state)
{
	struct tally tally;
	struct text label = TEXT("x");

	(void)state;
	tally_init(&tally, 1 << 20);
	for (int round = 0; round < 2; round++) {
		for (int n = 0; n < 3000; n++) {
			const int64_t key[TALLY_NUMBERS] = { n % 1000 };

			assert_int_equal(tally_add(&tally, key, n % 2 == 0 ? TEXT("") : label, n % 1000), OK);
		}
		assert_int_equal(tally.count, 1000);
		tally_sort(&tally);
		for (int n = 0; n < 1000; n++) {
			assert_int_equal(tally.rows[n].numbers[0], n);
			assert_int_equal(tally.rows[n].amount, 3 * n);
			assert_int_equal(tally.rows[n].label.length, n % 2);
		}
		tally_clear(&tally);
	}
	tally_fini(&tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_a_label_falls_is_a_secret),
		cmocka_unit_test(every_key_has_its_amount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
