#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"

struct writing {
	struct buffer buffer;
	struct json_out out;
};

static void start(struct writing *writing, size_t limit)
{
	buffer_init(&writing->buffer, limit);
	json_out_init(&writing->out, &writing->buffer);
}

static void assert_written(struct writing *writing, const char *expected)
{
	assert_false(writing->buffer.failed);
	assert_int_equal(writing->buffer.length, strlen(expected));
	assert_memory_equal(writing->buffer.at, expected, strlen(expected));
	buffer_fini(&writing->buffer);
}

static void commas_stand_between_and_nowhere_else(void **state)
{
	struct writing w;

	(void)state;
	start(&w, 1000);
	json_open_object(&w.out);
	json_key(&w.out, "a");
	json_open_array(&w.out);
	json_close_array(&w.out);
	json_key(&w.out, "b");
	json_open_array(&w.out);
	json_put_int(&w.out, -1);
	json_open_object(&w.out);
	json_close_object(&w.out);
	json_put_bool(&w.out, true);
	json_put_raw(&w.out, TEXT("{}"));
	json_close_array(&w.out);
	json_key(&w.out, "c");
	json_put_bool(&w.out, false);
	json_close_object(&w.out);
	assert_written(&w, "{\"a\":[],\"b\":[-1,{},true,{}],\"c\":false}");
}

static void what_is_absent_is_null(void **state)
{
	struct uuid nil = { 0 };
	struct writing w;

	(void)state;
	start(&w, 1000);
	json_open_array(&w.out);
	json_put_text(&w.out, text_of(NULL));
	json_put_string(&w.out, NULL);
	json_put_raw(&w.out, text_of(NULL));
	json_put_uuid(&w.out, &nil);
	json_put_time(&w.out, INT64_MIN);
	json_put_real(&w.out, (double)NAN);
	json_put_real(&w.out, (double)-INFINITY);
	json_put_null(&w.out);
	json_put_string(&w.out, "");
	json_close_array(&w.out);
	assert_written(&w, "[null,null,null,null,null,null,null,null,\"\"]");
}

static void ids_and_times_are_texts(void **state)
{
	struct uuid id = { .bytes = { 0xF8, 0x1D, 0x4F, 0xAE, 0x7D, 0xEC, 0x11, 0xD0, 0xA7, 0x65, 0x00, 0xA0, 0xC9,
				      0x1E, 0x6B, 0xF6 } };
	struct writing w;

	(void)state;
	start(&w, 1000);
	json_open_array(&w.out);
	json_put_uuid(&w.out, &id);
	json_put_time(&w.out, 1001);
	json_close_array(&w.out);
	assert_written(&w, "[\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\",\"1970-01-01T00:00:01.001Z\"]");
}

/* Every byte at every place of a word of eight, since clean bytes are skipped by words. */
static void each_byte_is_escaped_when_it_must_wherever_it_stands(void **state)
{
	(void)state;
	for (int byte = 1; byte < 0x80; byte++) {
		for (size_t place = 0; place < 19; place++) {
			char text[20] = "abcdefghijklmnopqrs";
			struct writing w;

			text[place] = (char)byte;
			start(&w, 1000);
			json_put_string(&w.out, text);
			bool escaped = byte < 0x20 || byte == '"' || byte == '\\';
			assert_int_equal(w.buffer.at[1 + place] == '\\', escaped);
			assert_memory_equal(w.buffer.at + 1, text, place);
			size_t rest = 19 - place - 1;
			assert_memory_equal(w.buffer.at + w.buffer.length - 1 - rest, text + place + 1, rest);
			if (!escaped)
				assert_int_equal(w.buffer.length, 21);
			buffer_fini(&w.buffer);
		}
	}
}

static void escapes_take_their_short_form_where_there_is_one(void **state)
{
	struct writing w;

	(void)state;
	start(&w, 1000);
	json_put_text(&w.out, TEXT("\"\\/\b\f\n\r\t\x01\x1F\x7F\xC3\xA9"));
	assert_written(&w, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\xC3\xA9\"");
}

static void a_real_takes_its_shortest_digits(void **state)
{
	static const struct {
		double value;
		const char *expected;
	} cases[] = {
		{ 0.0, "0" },
		{ -0.0, "-0" },
		{ 3.0, "3" },
		{ -12.5, "-12.5" },
		{ 0.1, "0.1" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 1e14, "100000000000000" },
		{ 1e300, "1e+300" },
		{ 9007199254740994.0, "9007199254740994" },
		{ 5e-324, "4.94065645841247e-324" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct writing w;

		start(&w, 1000);
		json_put_real(&w.out, cases[i].value);
		assert_written(&w, cases[i].expected);
		assert_true(strtod(cases[i].expected, NULL) == cases[i].value);
	}
}

static void an_item_that_failed_leaves_nothing_behind(void **state)
{
	struct writing w;

	(void)state;
	start(&w, 1000);
	json_open_array(&w.out);
	struct json_mark first = json_mark(&w.out);
	json_put_int(&w.out, 1);
	json_return_to(&w.out, first);
	json_put_int(&w.out, 2);
	struct json_mark second = json_mark(&w.out);
	json_open_object(&w.out);
	json_key(&w.out, "half");
	json_return_to(&w.out, second);
	json_put_int(&w.out, 3);
	json_close_array(&w.out);
	assert_written(&w, "[2,3]");
}

static void a_full_buffer_stays_failed(void **state)
{
	struct writing w;

	(void)state;
	start(&w, 8);
	json_open_array(&w.out);
	struct json_mark mark = json_mark(&w.out);
	json_put_string(&w.out, "too long for it");
	json_return_to(&w.out, mark);
	json_close_array(&w.out);
	assert_true(w.buffer.failed);
	buffer_fini(&w.buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_stand_between_and_nowhere_else),
		cmocka_unit_test(what_is_absent_is_null),
		cmocka_unit_test(ids_and_times_are_texts),
		cmocka_unit_test(each_byte_is_escaped_when_it_must_wherever_it_stands),
		cmocka_unit_test(escapes_take_their_short_form_where_there_is_one),
		cmocka_unit_test(a_real_takes_its_shortest_digits),
		cmocka_unit_test(an_item_that_failed_leaves_nothing_behind),
		cmocka_unit_test(a_full_buffer_stays_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
