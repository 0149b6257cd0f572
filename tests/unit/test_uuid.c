#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"

static void a_new_id_carries_its_time_version_and_variant(void **state)
{
	struct uuid id = uuid_new_at(INT64_C(0x0123456789AB));
	char text[UUID_TEXT_SIZE];

	(void)state;
	uuid_format(&id, text);
	assert_memory_equal(text, "01234567-89ab-7", 15);
	assert_non_null(strchr("89ab", text[19]));
	assert_int_equal(strlen(text), UUID_TEXT_SIZE - 1);
}

static void ids_of_one_millisecond_differ_and_later_ones_are_greater(void **state)
{
	struct uuid first = uuid_new_at(1000);
	struct uuid second = uuid_new_at(1000);
	struct uuid later = uuid_new_at(1001);

	(void)state;
	assert_false(uuid_equal(&first, &second));
	assert_true(memcmp(later.bytes, first.bytes, 16) > 0);
	assert_true(memcmp(later.bytes, second.bytes, 16) > 0);
	first = uuid_new();
	assert_true(memcmp(first.bytes, later.bytes, 16) > 0);
}

static void a_time_out_of_range_is_held_at_its_ends(void **state)
{
	struct uuid early = uuid_new_at(INT64_MIN);
	struct uuid late = uuid_new_at(INT64_MAX);

	(void)state;
	assert_memory_equal(early.bytes, "\0\0\0\0\0\0", 6);
	assert_memory_equal(late.bytes, "\xFF\xFF\xFF\xFF\xFF\xFF", 6);
	assert_false(uuid_is_nil(&early));
}

static void an_id_is_read_back_in_either_case(void **state)
{
	struct uuid id = uuid_new();
	struct uuid back;
	char text[UUID_TEXT_SIZE];

	(void)state;
	uuid_format(&id, text);
	assert_int_equal(uuid_parse(text_of(text), &back), OK);
	assert_true(uuid_equal(&id, &back));
	assert_int_equal(uuid_parse(TEXT("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"), &back), OK);
	uuid_format(&back, text);
	assert_string_equal(text, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
}

static void what_is_no_id_is_refused_and_so_is_nil(void **state)
{
	static const char *const bad[] = {
		"",
		"f81d4fae7dec11d0a76500a0c91e6bf6",
		"f81d4fae-7dec-11d0-a765-00a0c91e6bf",
		"{f81d4fae-7dec-11d0-a765}",
		"f81d4fae-7dec-11d0-a765-00a0c91e6bf6 ",
		"f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
		"f81d4fae-7dec-11d0-a76500a0c91e6bf6-",
		"00000000-0000-0000-0000-000000000000",
		NULL,
	};
	struct uuid id;

	(void)state;
	for (const char *const *at = bad; *at; at++)
		assert_int_equal(uuid_parse(text_of(*at), &id), ERR_INVALID);
	assert_int_equal(uuid_parse(text_of(NULL), &id), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_id_carries_its_time_version_and_variant),
		cmocka_unit_test(ids_of_one_millisecond_differ_and_later_ones_are_greater),
		cmocka_unit_test(a_time_out_of_range_is_held_at_its_ends),
		cmocka_unit_test(an_id_is_read_back_in_either_case),
		cmocka_unit_test(what_is_no_id_is_refused_and_so_is_nil),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
