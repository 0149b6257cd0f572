#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"

static void memory_is_zeroed_aligned_and_apart(void **state)
{
	struct arena arena;
	unsigned char *before = NULL;

	(void)state;
	arena_init(&arena, 1 << 20);
	for (size_t size = 0; size < 300; size++) {
		unsigned char *at = arena_take(&arena, size);

		assert_non_null(at);
		assert_int_equal((uintptr_t)at % 16, 0);
		assert_ptr_not_equal(at, before);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(at[i], 0);
		memset(at, 0xAA, size);
		before = at;
	}
	arena_fini(&arena);
}

static void a_large_take_leaves_the_newest_block_in_use(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4 << 20);
	char *first = arena_take(&arena, 16);
	char *large = arena_take(&arena, 1 << 20);
	assert_non_null(large);
	memset(large, 1, 1 << 20);
	assert_ptr_equal(arena_take(&arena, 16), first + 16);
	arena_fini(&arena);
}

static void past_the_cap_it_fails_and_stays_failed(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 1024);
	assert_non_null(arena_take(&arena, 1000));
	assert_null(arena_take(&arena, 100));
	assert_true(arena.failed);
	assert_null(arena_take(&arena, 1));
	assert_null(arena_copy(&arena, "a", 1));
	arena_fini(&arena);
	assert_non_null(arena_take(&arena, 1000));
	arena_fini(&arena);
}

static void many_small_takes_stay_below_the_cap(void **state)
{
	struct arena arena;
	size_t count = 0;

	(void)state;
	arena_init(&arena, 200000);
	while (arena_take(&arena, 48))
		count++;
	assert_in_range(count, 200000 / 48 * 9 / 10, 200000 / 48);
	assert_true(arena.taken <= 200000);
	arena_fini(&arena);
}

static void a_product_that_overflows_fails(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, SIZE_MAX);
	assert_null(arena_take_many(&arena, SIZE_MAX / 2, 3));
	assert_true(arena.failed);
	arena_fini(&arena);
	assert_null(arena_take(&arena, SIZE_MAX));
	arena_fini(&arena);
	assert_null(arena_copy(&arena, "", SIZE_MAX));
	arena_fini(&arena);
}

static void a_copy_ends_with_a_nul_and_may_be_empty(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 1024);
	memset(arena_take(&arena, 64), 0xAA, 64);
	assert_string_equal(arena_copy(&arena, "lobby", 3), "lob");
	assert_string_equal(arena_copy(&arena, NULL, 0), "");
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(a_large_take_leaves_the_newest_block_in_use),
		cmocka_unit_test(past_the_cap_it_fails_and_stays_failed),
		cmocka_unit_test(many_small_takes_stay_below_the_cap),
		cmocka_unit_test(a_product_that_overflows_fails),
		cmocka_unit_test(a_copy_ends_with_a_nul_and_may_be_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
