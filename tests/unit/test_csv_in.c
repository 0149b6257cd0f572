#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/csv_in.h"

struct reading {
	FILE *file;
	struct csv_in csv;
};

static void open_text(struct reading *reading, const char *text, size_t length)
{
	reading->file = tmpfile();
	assert_non_null(reading->file);
	assert_int_equal(fwrite(text, 1, length, reading->file), length);
	rewind(reading->file);
	csv_in_init(&reading->csv, reading->file);
}

static void close_text(struct reading *reading)
{
	csv_in_fini(&reading->csv);
	fclose(reading->file);
}

static void expect_row(struct reading *reading, size_t count, const char *const *cells)
{
	assert_int_equal(csv_in_row(&reading->csv), OK);
	assert_int_equal(reading->csv.count, count);
	for (size_t i = 0; i < count; i++) {
		if (cells[i] == NULL)
			assert_null(reading->csv.cells[i].at);
		else
			assert_true(text_equal(reading->csv.cells[i], text_of(cells[i])));
	}
}
#define OPEN(reading, text) open_text((reading), (text), sizeof(text) - 1)
#define ROW(reading, ...)                                                                                              \
	expect_row((reading), sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *),                           \
		   (const char *const[]){ __VA_ARGS__ })

static void expect_wrong(struct reading *reading, const char *why)
{
	assert_int_equal(csv_in_row(&reading->csv), ERR_INVALID);
	assert_string_equal(reading->csv.wrong, why);
}

static void cells_are_what_stands_between_commas_and_quotes(void **state)
{
	struct reading reading;

	(void)state;
	OPEN(&reading, "\xEF\xBB\xBFid,name\r\n1,\"a \"\"b\"\", c\r\nd\"\n\n,\"\"\n x ,y");
	ROW(&reading, "id", "name");
	assert_int_equal(reading.csv.offset, 3);
	ROW(&reading, "1", "a \"b\", c\r\nd");
	assert_int_equal(reading.csv.line, 2);
	ROW(&reading, NULL, "");
	assert_int_equal(reading.csv.line, 5);
	ROW(&reading, " x ", "y");
	assert_int_equal(csv_in_row(&reading.csv), ERR_NOT_FOUND);
	close_text(&reading);
}

static void what_is_no_csv_is_told_and_passed_over(void **state)
{
	struct reading reading;

	(void)state;
	OPEN(&reading, "a\"b,c\n\"a\"b\n1\r2\n\"a\nb\"c,d\nfine,row\n\"open,\n");
	expect_wrong(&reading, "a quote stands within a cell that has none around it");
	expect_wrong(&reading, "something stands behind a closing quote");
	expect_wrong(&reading, "a carriage return stands alone");
	expect_wrong(&reading, "something stands behind a closing quote");
	ROW(&reading, "fine", "row");
	expect_wrong(&reading, "a quote is not closed");
	assert_int_equal(csv_in_row(&reading.csv), ERR_NOT_FOUND);
	close_text(&reading);
}

static void a_row_has_a_limit_of_cells_and_of_bytes(void **state)
{
	static char text[CSV_ROW_BYTES + 16];
	struct reading reading;

	(void)state;
	memset(text, ',', CSV_CELLS);
	memcpy(text + CSV_CELLS, "\nok\n", 4);
	open_text(&reading, text, CSV_CELLS + 4);
	expect_wrong(&reading, "it has too many cells");
	ROW(&reading, "ok");
	close_text(&reading);

	memset(text, ',', CSV_CELLS - 1);
	open_text(&reading, text, CSV_CELLS - 1);
	assert_int_equal(csv_in_row(&reading.csv), OK);
	assert_int_equal(reading.csv.count, CSV_CELLS);
	close_text(&reading);

	memset(text, 'x', sizeof text);
	memcpy(text + sizeof text - 4, "\nok\n", 4);
	open_text(&reading, text, sizeof text);
	expect_wrong(&reading, "it is longer than a row may be");
	ROW(&reading, "ok");
	close_text(&reading);
}

static void a_row_is_found_again_where_it_began(void **state)
{
	struct reading reading;
	int64_t offset;
	int64_t line;

	(void)state;
	OPEN(&reading, "a\n\"b\nb\"\nc\n");
	ROW(&reading, "a");
	ROW(&reading, "b\nb");
	offset = reading.csv.offset;
	line = reading.csv.line;
	ROW(&reading, "c");
	assert_int_equal(csv_in_seek(&reading.csv, offset, line), OK);
	ROW(&reading, "b\nb");
	assert_int_equal(reading.csv.line, 2);
	ROW(&reading, "c");
	assert_int_equal(reading.csv.line, 4);
	close_text(&reading);
}

static void bytes_of_every_kind_are_kept(void **state)
{
	struct reading reading;

	(void)state;
	OPEN(&reading, "a\0b,\xFF\n");
	assert_int_equal(csv_in_row(&reading.csv), OK);
	assert_int_equal(reading.csv.cells[0].length, 3);
	assert_memory_equal(reading.csv.cells[0].at, "a\0b", 3);
	assert_int_equal(reading.csv.cells[1].length, 1);
	close_text(&reading);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_are_what_stands_between_commas_and_quotes),
		cmocka_unit_test(what_is_no_csv_is_told_and_passed_over),
		cmocka_unit_test(a_row_has_a_limit_of_cells_and_of_bytes),
		cmocka_unit_test(a_row_is_found_again_where_it_began),
		cmocka_unit_test(bytes_of_every_kind_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
