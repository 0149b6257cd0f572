#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_in.h"
#include "legacy/key_set.h"
#include "legacy/source.h"
#include "legacy/value.h"

static void times_of_many_forms_are_one_moment(void **state)
{
	static const char *const same[] = {
		"2025-11-18 12:34:56.789012+00",
		"2025-11-18T12:34:56.789Z",
		"2025-11-18 12:34:56.789+00:00",
		"2025-11-18 07:34:56.789-05",
		"2025-11-18T18:04:56.789+0530",
		"2025-11-18 12:34:56.789",
		" 2025-11-18 12:34:56.789 UTC ",
		"1763469296789",
		"1763469296.789",
		"1763469296789012",
	};
	int64_t time;

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		if (!legacy_parse_time(text_of(same[i]), &time) || time != INT64_C(1763469296789))
			fail_msg("%s is read as %lld", same[i], (long long)time);
	}
	assert_true(legacy_parse_time(TEXT("2025-11-18"), &time));
	assert_true(legacy_parse_time(TEXT("0"), &time));
	assert_int_equal(time, 0);
}

static void what_is_no_time_is_none(void **state)
{
	static const char *const none[] = { "",
					    " ",
					    "yesterday",
					    "infinity",
					    "-1",
					    "1e9",
					    "1.2.3",
					    "2025-13-01",
					    "2025-02-30",
					    "12:00",
					    "99999999999999999999",
					    "2025-11-18 12:34:56 BC",
					    ".5",
					    "+00",
					    "2025-11-18 25:00:00+00" };
	int64_t time;

	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		if (legacy_parse_time(text_of(none[i]), &time))
			fail_msg("%s is read as %lld", none[i], (long long)time);
}

struct one {
	struct arena arena;
	struct legacy_row row;
	struct legacy_record record;
};

static void open_one(struct one *one, enum legacy_column column, const char *value)
{
	*one = (struct one){ 0 };
	arena_init(&one->arena, 1 << 20);
	one->row.values[column] = text_of(value);
}

static void a_placeholder_is_no_email(void **state)
{
	static const struct {
		const char *raw;
		const char *email;
	} emails[] = {
		{ "anonymous-1a2b3c4d@concierge.local", NULL },
		{ " Anonymous-1A2B3C4D@Concierge.Local ", NULL },
		{ "anonymous-1a2b3c4d5@concierge.local", "anonymous-1a2b3c4d5@concierge.local" },
		{ "anonymous-1a2b3c4d@concierge.locals", "anonymous-1a2b3c4d@concierge.locals" },
		{ " Me@X.Example ", "me@x.example" },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof emails / sizeof emails[0]; i++) {
		struct one one;

		open_one(&one, LEGACY_EMAIL, emails[i].raw);
		assert_true(text_equal(legacy_email(&one.arena, &one.row, &one.record), text_of(emails[i].email)));
		assert_null(one.record.notes);
		arena_fini(&one.arena);
	}
}

static void a_text_is_cut_between_two_characters(void **state)
{
	struct one one;

	(void)state;
	open_one(&one, LEGACY_NAME, " a\xC3\xA4\xC3\xA4 ");
	assert_true(
	    text_equal(legacy_text(&one.arena, &one.row, LEGACY_NAME, 4, LEGACY_CUT, &one.record), TEXT("a\xC3\xA4")));
	assert_non_null(one.record.notes);
	assert_null(legacy_text(&one.arena, &one.row, LEGACY_NAME, 4, LEGACY_WHOLE, &one.record).at);
	assert_non_null(one.record.reason.at);
	arena_fini(&one.arena);
}

static void u0000_is_taken_out_of_json_and_a_backslash_that_stands_for_itself_is_not(void **state)
{
	const struct json_value *object;
	struct one one;

	(void)state;
	open_one(&one, LEGACY_METADATA, "{\"a\":\"x\\u0000y\\\\u0000\\\\\\u0000\"}");
	assert_int_equal(legacy_object(&one.arena, &one.row, LEGACY_METADATA, &object, &one.record), OK);
	assert_true(text_equal(json_member_text(object, "a"), TEXT("xy\\u0000\\")));
	assert_non_null(one.record.notes);
	arena_fini(&one.arena);
}

static void a_set_knows_its_keys_and_their_kinds(void **state)
{
	struct key_set set;
	char key[16];

	(void)state;
	key_set_init(&set);
	assert_false(key_set_has(&set, 'c', TEXT("1")));
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof key, "%d", i);
		assert_int_equal(key_set_add(&set, 'c', text_of(key)), OK);
		assert_int_equal(key_set_add(&set, 'c', text_of(key)), OK);
	}
	assert_int_equal(set.count, 5000);
	for (int i = 0; i < 10000; i++) {
		snprintf(key, sizeof key, "%d", i);
		assert_int_equal(key_set_has(&set, 'c', text_of(key)), i < 5000);
		assert_false(key_set_has(&set, 'v', text_of(key)));
	}
	key_set_fini(&set);
}

/* A pipe that nobody writes would be waited for for ever; what may not be followed is not missing. */
static void what_is_no_file_is_neither_waited_for_nor_passed_over(void **state)
{
	char folder[] = "/tmp/innkeeper_unit_XXXXXX";
	struct legacy_source *source;
	struct fault fault = { 0 };
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(legacy_source_open(&source, text_of(folder), &fault), OK);
	assert_int_equal(legacy_source_begin(source, &legacy_tables[0], &fault), ERR_NOT_FOUND);
	snprintf(path, sizeof path, "%s/%s.csv", folder, legacy_tables[0].name);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(legacy_source_begin(source, &legacy_tables[0], &fault), ERR_INVALID);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(path, path), 0);
	assert_int_equal(legacy_source_begin(source, &legacy_tables[0], &fault), ERR_INVALID);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(legacy_source_begin(source, &legacy_tables[0], &fault), ERR_INVALID);
	legacy_source_close(source);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_of_many_forms_are_one_moment),
		cmocka_unit_test(what_is_no_time_is_none),
		cmocka_unit_test(a_placeholder_is_no_email),
		cmocka_unit_test(a_text_is_cut_between_two_characters),
		cmocka_unit_test(u0000_is_taken_out_of_json_and_a_backslash_that_stands_for_itself_is_not),
		cmocka_unit_test(a_set_knows_its_keys_and_their_kinds),
		cmocka_unit_test(what_is_no_file_is_neither_waited_for_nor_passed_over),
	};

	json_in_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
