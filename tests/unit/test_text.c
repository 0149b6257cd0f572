#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "base/text.h"

static void absent_and_empty_differ(void **state)
{
	struct text absent = text_of(NULL);

	(void)state;
	assert_true(text_equal(absent, absent));
	assert_false(text_equal(absent, TEXT("")));
	assert_true(text_equal(text_of("a"), TEXT("a")));
	assert_false(text_equal(TEXT("a"), TEXT("b")));
	assert_true(text_equal_ignoring_case(TEXT("Content-TYPE"), TEXT("content-type")));
	assert_false(text_equal_ignoring_case(TEXT("[a"), TEXT("{a")));
	assert_true(text_starts(TEXT("Bearer x"), TEXT("Bearer ")));
	assert_false(text_starts(TEXT("B"), TEXT("Be")));
}

static void a_text_is_trimmed_and_cut_at_characters(void **state)
{
	(void)state;
	assert_true(text_equal(text_trim(TEXT(" \t\r\n a b \v\f")), TEXT("a b")));
	assert_int_equal(text_trim(TEXT(" \n ")).length, 0);
	assert_true(text_equal(text_first(TEXT("a\xC3\xA9\xF0\x9F\x98\x80z"), 3), TEXT("a\xC3\xA9\xF0\x9F\x98\x80")));
	assert_int_equal(text_first(TEXT("ab"), 500).length, 2);
	assert_int_equal(text_first(TEXT("ab"), 0).length, 0);
}

static void only_utf8_is_taken_as_utf8(void **state)
{
	static const struct text good[] = {
		{ "", 0 },
		{ "plain text of more than eight", 29 },
		{ "\xC2\x80", 2 },
		{ "12345678\xEF\xBF\xBF", 11 },
		{ "\xED\x9F\xBF\xEE\x80\x80", 6 },
		{ "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 8 },
		{ "\x7F", 1 },
	};
	static const struct text bad[] = {
		{ "\0", 1 },
		{ "1234567\0", 8 },
		{ "\x80", 1 },
		{ "\xC0\x80", 2 },
		{ "\xC1\xBF", 2 },
		{ "\xC3", 1 },
		{ "\xE0\x9F\xBF", 3 },
		{ "\xED\xA0\x80", 3 },
		{ "\xF0\x8F\xBF\xBF", 4 },
		{ "\xF4\x90\x80\x80", 4 },
		{ "\xF5\x80\x80\x80", 4 },
		{ "\xE2\x82", 2 },
		{ "\xE2\x82z", 3 },
		{ "12345678\xFF", 9 },
		{ "\xF0\x9F\x98z", 4 },
		{ "\x01\0aaaaaa", 8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(text_is_utf8(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(text_is_utf8(bad[i]));
}

static void assert_email(const char *raw, const char *expected)
{
	struct arena arena;
	struct text email;

	arena_init(&arena, 4096);
	assert_int_equal(text_email(&arena, text_of(raw), &email), expected ? OK : ERR_INVALID);
	assert_true(text_equal(email, text_of(expected)));
	arena_fini(&arena);
}

static void an_email_is_trimmed_composed_and_folded(void **state)
{
	(void)state;
	assert_email("  Ann@Example.COM\n", "ann@example.com");
	assert_email("JOSE\xCC\x81@x", "jos\xC3\xA9@x");
	assert_email("Stra\xC3\x9F"
		     "e@x.de",
		     "strasse@x.de");
}

static void what_is_no_email_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   " ",
					   "a",
					   "@",
					   "a@",
					   "@b",
					   "a@b@c",
					   "a b@c",
					   "a@b\tc",
					   "a@b\xC2\xA0"
					   "c",
					   "a\xC2\x85@b",
					   "a@\xFF",
					   "a\x7F@b",
					   NULL };
	char longest[256];

	(void)state;
	for (const char *const *at = bad; *at; at++)
		assert_email(*at, NULL);
	assert_email(NULL, NULL);
	memset(longest, 'a', 255);
	longest[1] = '@';
	longest[255] = '\0';
	assert_email(longest, NULL);
	longest[254] = '\0';
	assert_email(longest, longest);
}

static void an_email_that_finds_no_memory_says_so(void **state)
{
	struct arena arena;
	struct text email;

	(void)state;
	arena_init(&arena, 0);
	assert_int_equal(text_email(&arena, TEXT("a@b"), &email), ERR_MEMORY);
	assert_null(email.at);
	assert_int_equal(text_percent_decode(&arena, TEXT("a"), false, &email), ERR_MEMORY);
	assert_null(text_copy(&arena, TEXT("a")).at);
	arena_fini(&arena);
}

static void percent_encoding_is_decoded_or_refused(void **state)
{
	static const char *const bad[] = { "%", "a%2", "%zz", "%00", "%ff", "%C3", "%-1", NULL };
	struct arena arena;
	struct text out;

	(void)state;
	arena_init(&arena, 4096);
	assert_int_equal(text_percent_decode(&arena, TEXT("a%2Fb%c3%A9+"), false, &out), OK);
	assert_true(text_equal(out, TEXT("a/b\xC3\xA9+")));
	assert_int_equal(text_percent_decode(&arena, TEXT("a+b%2B"), true, &out), OK);
	assert_true(text_equal(out, TEXT("a b+")));
	for (const char *const *at = bad; *at; at++)
		assert_int_equal(text_percent_decode(&arena, text_of(*at), true, &out), ERR_INVALID);
	arena_fini(&arena);
}

static void integers_are_read_within_64_bits(void **state)
{
	static const char *const bad[] = { "",
					   "-",
					   "+1",
					   " 1",
					   "1 ",
					   "1.0",
					   "0x1",
					   "9223372036854775808",
					   "-9223372036854775809",
					   "99999999999999999999",
					   NULL };
	int64_t value = 7;

	(void)state;
	for (const char *const *at = bad; *at; at++)
		assert_int_equal(text_to_int(text_of(*at), &value), ERR_INVALID);
	assert_int_equal(value, 7);
	assert_int_equal(text_to_int(TEXT("-9223372036854775808"), &value), OK);
	assert_true(value == INT64_MIN);
	assert_int_equal(text_to_int(TEXT("9223372036854775807"), &value), OK);
	assert_true(value == INT64_MAX);
}

static void hex_base62_and_crc32_match_known_values(void **state)
{
	char out[16] = "";

	(void)state;
	text_hex((const uint8_t *)"\x00\xAF\x10", 3, out);
	assert_string_equal(out, "00af10");
	text_base62(61 + 62 * 10, 6, out);
	assert_memory_equal(out, "0000Az", 6);
	assert_true(text_crc32("123456789", 9) == 0xCBF43926);
	assert_true(text_crc32("", 0) == 0);
}

static void sizes_that_overflow_are_noticed(void **state)
{
	size_t out;

	(void)state;
	assert_false(size_add(SIZE_MAX, 1, &out));
	assert_false(size_multiply(SIZE_MAX / 2, 3, &out));
	assert_true(size_add(1, 2, &out));
	assert_int_equal(out, 3);
}

static void a_buffer_grows_and_hands_its_bytes_over(void **state)
{
	struct buffer buffer;
	size_t length;

	(void)state;
	buffer_init(&buffer, 100000);
	buffer_int(&buffer, INT64_MIN);
	buffer_string(&buffer, "|");
	buffer_int(&buffer, 0);
	buffer_format(&buffer, "%s-%0300d", "x", 1);
	buffer_text(&buffer, text_of(NULL));
	char *bytes = buffer_detach(&buffer, &length);
	assert_int_equal(length, 20 + 1 + 1 + 2 + 300);
	assert_memory_equal(bytes, "-9223372036854775808|0x-000", 27);
	free(bytes);
	assert_null(buffer_detach(&buffer, &length));
	assert_int_equal(length, 0);
	buffer_fini(&buffer);
}

static void a_buffer_past_its_limit_stays_failed(void **state)
{
	struct buffer buffer;
	size_t length;

	(void)state;
	buffer_init(&buffer, 10);
	buffer_format(&buffer, "%s", "1234567890");
	assert_false(buffer.failed);
	buffer_string(&buffer, "1");
	assert_true(buffer.failed);
	buffer_cut(&buffer, 0);
	buffer_string(&buffer, "1");
	assert_int_equal(buffer.length, 0);
	assert_null(buffer_detach(&buffer, &length));
	buffer_fini(&buffer);
	buffer_format(&buffer, "%s", "12345678901");
	assert_true(buffer.failed);
	assert_int_equal(buffer.length, 0);
	buffer_fini(&buffer);
}

static void a_cut_forgets_only_what_is_behind(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 100);
	buffer_string(&buffer, "keep this");
	buffer_cut(&buffer, 4);
	buffer_cut(&buffer, 50);
	buffer_string(&buffer, "!");
	assert_memory_equal(buffer.at, "keep!", 5);
	assert_int_equal(buffer.length, 5);
	buffer_fini(&buffer);
}

static void a_long_fault_is_cut_between_characters(void **state)
{
	struct fault fault;
	char many[400];

	(void)state;
	for (size_t i = 0; i < 399; i += 3)
		memcpy(many + i, "\xE2\x82\xAC", 3);
	many[399] = '\0';
	for (int lead = 0; lead < 3; lead++) {
		assert_int_equal(fault_set(&fault, ERR_INVALID, "c", "f", "%.*s%s", lead, "ab", many), ERR_INVALID);
		assert_true(strlen(fault.sentence) >= sizeof fault.sentence - 3);
		assert_true(text_is_utf8(text_of(fault.sentence)));
	}
	assert_int_equal(fault_set(NULL, ERR_MEMORY, NULL, NULL, "x"), ERR_MEMORY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_and_empty_differ),
		cmocka_unit_test(a_text_is_trimmed_and_cut_at_characters),
		cmocka_unit_test(only_utf8_is_taken_as_utf8),
		cmocka_unit_test(an_email_is_trimmed_composed_and_folded),
		cmocka_unit_test(what_is_no_email_is_refused),
		cmocka_unit_test(an_email_that_finds_no_memory_says_so),
		cmocka_unit_test(percent_encoding_is_decoded_or_refused),
		cmocka_unit_test(integers_are_read_within_64_bits),
		cmocka_unit_test(hex_base62_and_crc32_match_known_values),
		cmocka_unit_test(sizes_that_overflow_are_noticed),
		cmocka_unit_test(a_buffer_grows_and_hands_its_bytes_over),
		cmocka_unit_test(a_buffer_past_its_limit_stays_failed),
		cmocka_unit_test(a_cut_forgets_only_what_is_behind),
		cmocka_unit_test(a_long_fault_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
