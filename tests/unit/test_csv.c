#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/csv.h"

static void expect_cell(const char *value, size_t length, const char *cell)
{
	struct buffer buffer;
	struct csv_out out;

	buffer_init(&buffer, 1 << 20);
	csv_out_init(&out, &buffer);
	csv_put_text(&out, (struct text){ value, length });
	csv_end_line(&out);
	buffer_add(&buffer, "", 1);
	assert_false(buffer.failed);
	assert_memory_equal(buffer.at + buffer.length - 3, "\r\n", 2);
	buffer.at[buffer.length - 3] = '\0';
	assert_string_equal(buffer.at, cell);
	buffer_fini(&buffer);
}
#define EXPECT_CELL(value, cell) expect_cell(value, sizeof(value) - 1, cell)

static void a_plain_text_stands_as_it_is(void **state)
{
	(void)state;
	EXPECT_CELL("Fort Myers", "Fort Myers");
	EXPECT_CELL("it's", "it's");
	EXPECT_CELL("a=b+c-d@e", "a=b+c-d@e");
	EXPECT_CELL("\xC3\xA4\xF0\x9F\x98\x80", "\xC3\xA4\xF0\x9F\x98\x80");
}

static void what_parts_cells_or_lines_is_quoted(void **state)
{
	(void)state;
	EXPECT_CELL("a,b", "\"a,b\"");
	EXPECT_CELL("a\"b", "\"a\"\"b\"");
	EXPECT_CELL("\"", "\"\"\"\"");
	EXPECT_CELL("\"\"", "\"\"\"\"\"\"");
	EXPECT_CELL("a\r\nb", "\"a\r\nb\"");
	EXPECT_CELL("a\nb", "\"a\nb\"");
	EXPECT_CELL("a;b", "\"a;b\"");
	EXPECT_CELL("a\tb", "\"a\tb\"");
	EXPECT_CELL(" a", "\" a\"");
	EXPECT_CELL("a ", "\"a \"");
	EXPECT_CELL(" ", "\" \"");
}

static void a_formula_becomes_a_text(void **state)
{
	(void)state;
	EXPECT_CELL("=1+1", "'=1+1");
	EXPECT_CELL("+1", "'+1");
	EXPECT_CELL("-1", "'-1");
	EXPECT_CELL("@SUM(A1)", "'@SUM(A1)");
	EXPECT_CELL("=", "'=");
	EXPECT_CELL("\t=1", "\"'\t=1\"");
	EXPECT_CELL("\r=1", "\"'\r=1\"");
	EXPECT_CELL("\n=1", "\"'\n=1\"");
	EXPECT_CELL("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0");
	EXPECT_CELL("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
}

static void absent_and_empty_differ(void **state)
{
	(void)state;
	EXPECT_CELL("", "\"\"");
	expect_cell(NULL, 0, "");
}

static void a_line_holds_cells_of_all_types(void **state)
{
	const struct uuid id = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };
	const char *wanted = "a,-5,1.5,true,01020304-0506-0708-090a-0b0c0d0e0f10,2026-11-23T15:04:05.678Z\r\n"
			     ",,,false,,\r\n-0.25,\r\n";
	struct buffer buffer;
	struct csv_out out;

	(void)state;
	buffer_init(&buffer, 1 << 20);
	csv_out_init(&out, &buffer);
	csv_put_text(&out, TEXT("a"));
	csv_put_int(&out, -5);
	csv_put_real(&out, 1.5);
	csv_put_bool(&out, true);
	csv_put_uuid(&out, &id);
	csv_put_time(&out, INT64_C(1795446245678));
	csv_end_line(&out);
	csv_put_text(&out, (struct text){ 0 });
	csv_put_int(&out, INT64_MIN);
	csv_put_real(&out, NAN);
	csv_put_bool(&out, false);
	csv_put_uuid(&out, &(struct uuid){ { 0 } });
	csv_put_time(&out, INT64_MIN);
	csv_end_line(&out);
	csv_put_real(&out, -0.25);
	csv_put_real(&out, INFINITY);
	csv_end_line(&out);
	assert_int_equal(buffer.length, strlen(wanted));
	assert_memory_equal(buffer.at, wanted, buffer.length);
	buffer_fini(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_text_stands_as_it_is),
		cmocka_unit_test(what_parts_cells_or_lines_is_quoted),
		cmocka_unit_test(a_formula_becomes_a_text),
		cmocka_unit_test(absent_and_empty_differ),
		cmocka_unit_test(a_line_holds_cells_of_all_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
