#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "move/tables.h"

/* Tables that do not move, and why. */
static const char *const left_out[] = {
	"organizations", /* one row, by a statement of its own */
	"erasures",      /* what is gone already */
	"rollup_counts", /* counted anew */
	"rollup_members", "rollup_gaps", "rollup_states", NULL,
};

/* Columns that do not move. */
static const char *const omitted[] = {
	"organization_id", /* the scope's */
	"counted_edition",
	"counted_day", /* of figures that are counted anew */
	NULL,
};

static bool is_one_of(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(name, *list) == 0)
			return true;
	return false;
}

static bool has_column(const struct column *columns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(columns[i].name, name) == 0)
			return true;
	return false;
}

static const struct move_table *find(const char *name)
{
	for (size_t i = 0; i < move_table_count; i++)
		if (strcmp(move_tables[i].name, name) == 0)
			return &move_tables[i];
	return NULL;
}

static void every_table_moves_with_every_column(void **state)
{
	(void)state;
	for (size_t i = 0; i < protected_table_count; i++) {
		const struct protected_table *table = &protected_tables[i];
		const struct move_table *moves = find(table->name);

		if (is_one_of(table->name, left_out)) {
			assert_null(moves);
			continue;
		}
		if (moves == NULL) {
			fail_msg("%s is not in move/tables.c", table->name);
			return;
		}
		for (const char *const *column = table->columns; *column != NULL; column++)
			if (!is_one_of(*column, omitted) &&
			    !has_column(statements[moves->out].out, statements[moves->out].out_count, *column))
				fail_msg("%s of %s does not go out", *column, table->name);
	}
}

/* But for the number, which is given anew. */
static void what_goes_out_comes_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < move_table_count; i++) {
		const struct statement *out = &statements[move_tables[i].out];
		const struct statement *in = &statements[move_tables[i].in];

		for (size_t k = 0; k < out->out_count; k++) {
			const char *name = out->out[k].name;

			if (strcmp(name, "number") != 0 && !has_column(in->in, in->in_count, name))
				fail_msg("%s of %s does not come in", name, move_tables[i].name);
		}
	}
}

static void the_organization_itself_moves_with_every_column(void **state)
{
	static const char *const not_moved[] = { "number",    "status",         "moving", "moving_by",
						 "moving_at", "moving_receipt", NULL };
	const struct statement *out = &statements[STATEMENT_MOVE_OUT_ORGANIZATIONS];
	const struct statement *in = &statements[STATEMENT_MOVE_IN_ORGANIZATION];

	(void)state;
	for (size_t i = 0; i < protected_table_count; i++) {
		if (strcmp(protected_tables[i].name, "organizations") != 0)
			continue;
		for (const char *const *column = protected_tables[i].columns; *column != NULL; column++) {
			if (is_one_of(*column, not_moved))
				continue;
			if (!has_column(out->out, out->out_count, *column))
				fail_msg("%s does not go out", *column);
			if (!has_column(in->in, in->in_count, *column))
				fail_msg("%s does not come in", *column);
		}
	}
	assert_true(has_column(out->out, out->out_count, "status"));
}

static bool is_removed(const char *name)
{
	static const char *const with_their_chat[] = {
		"organizations", "chats", "chat_activity", "messages", "chat_summaries", "erasures", NULL
	};

	for (size_t i = 0; i < move_leaving_count; i++)
		if (strcmp(move_leavings[i].name, name) == 0)
			return true;
	return is_one_of(name, with_their_chat);
}

static void every_table_of_either_engine_is_emptied(void **state)
{
	(void)state;
	for (size_t i = 0; i < protected_table_count; i++)
		if (!is_removed(protected_tables[i].name))
			fail_msg("%s is not emptied", protected_tables[i].name);
	for (size_t i = 0; i < postgres_table_count; i++)
		if (!is_removed(postgres_tables[i].name))
			fail_msg("%s is not emptied", postgres_tables[i].name);
}

/* What identifies a row is handed from the one to the other as it lies in memory. */
static void what_finds_a_row_removes_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < move_leaving_count; i++) {
		const struct statement *find_rows = &statements[move_leavings[i].find];
		const struct statement *removal = &statements[move_leavings[i].remove];

		assert_string_equal(removal->write_target, move_leavings[i].name);
		assert_true(find_rows->many); /* it is not read to its end */
		assert_int_equal(find_rows->in_count, 0);
		assert_true(find_rows->out_count >= removal->in_count);
		for (size_t k = 0; k < removal->in_count; k++) {
			assert_string_equal(find_rows->out[k].name, removal->in[k].name);
			assert_int_equal(find_rows->out[k].type, removal->in[k].type);
			assert_int_equal(find_rows->out[k].offset, removal->in[k].offset);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_moves_with_every_column),
		cmocka_unit_test(what_goes_out_comes_in),
		cmocka_unit_test(the_organization_itself_moves_with_every_column),
		cmocka_unit_test(every_table_of_either_engine_is_emptied),
		cmocka_unit_test(what_finds_a_row_removes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
