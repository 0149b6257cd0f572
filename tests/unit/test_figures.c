/* Random events in random order, stored, changed, undone, lost and erased: every figure of every range asked for must
 * be what counting one by one gives, whatever the time zone, while it is changed, and `verify` must find nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "analytics/build.h"
#include "analytics/recount.h"
#include "base/json_tree.h"
#include "figures_model.h"

static size_t wanted_sequences(void)
{
	const char *given = getenv("INNKEEPER_FIGURES_SEQUENCES");
	int64_t count = 2000;

	if (given != NULL)
		assert_int_equal(text_to_int(text_of(given), &count), OK);
	return (size_t)count;
}

static void short_sequences_are_counted_exactly(void **state)
{
	struct model_house *house = *state;
	const size_t count = wanted_sequences();

	for (house->sequence = 1; house->sequence <= count; house->sequence++) {
		model_settle_in(house, house->sequence);
		for (size_t i = 0; i < ORGANIZATIONS; i++) {
			model_set_zone(house, &house->organizations[i], model_zones[(house->sequence + i) % ZONES]);
			while (model_any(house, 3) > 0 && model_step_build(house, &house->organizations[i]))
				;
		}
		for (int i = 0; i < 4; i++)
			model_run_transaction(house, 1 + model_any(house, 12), true);
		for (size_t i = 0; i < ORGANIZATIONS; i++) {
			model_check(house, &house->organizations[i], 3);
			model_verify(house, &house->organizations[i]);
		}
	}
	print_message("%zu sequences, seeds 1 to %zu\n", count, count);
}

static void long_histories_are_counted_exactly_while_the_zone_changes(void **state)
{
	struct model_house *house = *state;

	for (house->sequence = 100001; house->sequence <= 100006; house->sequence++) {
		model_settle_in(house, house->sequence);
		for (int i = 0; i < 60; i++) {
			model_run_transaction(house, 1 + model_any(house, 24), i % 3 == 0);
			if (i % 2 == 0)
				model_step_erasing(house);
			model_check(house, &house->organizations[i % ORGANIZATIONS], 2);
		}
		for (size_t i = 0; i < ORGANIZATIONS; i++)
			model_verify(house, &house->organizations[i]);
		model_finish(house);
		for (size_t i = 0; i < ORGANIZATIONS; i++) {
			model_check(house, &house->organizations[i], 40);
			model_verify(house, &house->organizations[i]);
		}
	}
	print_message("seeds 100001 to 100006\n");
}

static int64_t number_of(struct model_house *house, const char *sql)
{
	sqlite3 *plain = fixture_plain(&house->fixture);
	const int64_t number = fixture_number(plain, sql);

	sqlite3_close(plain);
	return number;
}

static void a_build_that_a_crash_ended_goes_on_and_leaves_nothing_behind(void **state)
{
	struct model_house *house = *state;

	model_settle_in(house, 7);
	for (int i = 0; i < 20; i++)
		model_run_transaction(house, 24, false);
	model_set_zone(house, &house->organizations[0], "Asia/Kathmandu");
	assert_true(model_step_build(house, &house->organizations[0]));
	ledger_free(house->ledger); /* what the process knew */
	assert_int_equal(ledger_new(&house->ledger, &house->fixture.log), OK);
	/* Events of the past and of now meanwhile, and another wish. */
	model_run_transaction(house, 24, false);
	model_set_zone(house, &house->organizations[0], "America/St_Johns");
	assert_true(model_step_build(house, &house->organizations[0]));
	model_run_transaction(house, 24, false);
	model_finish(house);
	model_check(house, &house->organizations[0], 40);
	model_verify(house, &house->organizations[0]);
	assert_int_equal(number_of(house, "SELECT edition FROM rollup_states"), 2);
	assert_int_equal(number_of(house, "SELECT count(*) FROM rollup_states WHERE has_work <> 0"), 0);
	assert_int_equal(number_of(house, "SELECT (SELECT count(*) FROM rollup_counts WHERE edition = 1) + "
					  "(SELECT count(*) FROM rollup_members WHERE edition = 1) + "
					  "(SELECT count(*) FROM rollup_gaps WHERE edition = 1)"),
			 0);
	assert_int_equal(number_of(house, "SELECT count(*) FROM organizations WHERE time_zone = 'America/St_Johns'"),
			 1);
}

static void an_unknown_zone_is_refused(void **state)
{
	static const char *const bad[] = { "",        "Nowhere",    "../etc/passwd", "/etc/localtime", "Europe//Berlin",
					   "Europe/", "EST5EDT,M3", "+05:45",        "Europe/Ber lin" };
	struct model_house *house = *state;
	struct counting c;

	model_settle_in(house, 8);
	house->of = &house->organizations[0];
	c = model_counting(house);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, house->of->scope), OK);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(build_change_zone(&c, text_of(bad[i]), 1), ERR_INVALID);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_end(house->db, true), OK);
}

static void count_difference(void *context, const struct recount_difference *difference)
{
	(void)context;
	(void)difference;
}

/* The differences of the first organization after a tampering, which is taken back. */
static int64_t differences_after(struct model_house *house, const char *tampering)
{
	struct recount result;
	struct fault fault = { 0 };

	assert_int_equal(db_begin(house->db), OK);
	if (db_script(house->db, tampering, &fault) != OK)
		fail_msg("%s: %s", tampering, fault.sentence);
	assert_int_equal(db_enter(house->db, house->organizations[0].scope), OK);
	assert_int_equal(recount_all(house->db, &result, count_difference, NULL), OK);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_end(house->db, false), OK);
	return result.differences;
}

static void whatever_is_tampered_with_is_found(void **state)
{
	static const char *const tamperings[] = {
		"UPDATE rollup_counts SET amount = amount + 1 WHERE metric = 1 AND span = 2",
		"DELETE FROM rollup_counts WHERE metric = 8",
		"UPDATE rollup_counts SET label = label || 'x' WHERE metric = 10",
		"UPDATE rollup_gaps SET amount = amount - 1 WHERE metric = 32 AND span = 0",
		"DELETE FROM rollup_gaps WHERE span = 1",
		"UPDATE rollup_members SET amount = 9 WHERE metric = 38",
		"DELETE FROM rollup_members WHERE metric = 33",
		"UPDATE web_pages SET clicks = clicks + 1",
		"UPDATE web_pages SET article_title = 'x'",
		"UPDATE web_pages SET last_mentioned = 5",
		"DELETE FROM web_pages",
		"DELETE FROM articles",
		"UPDATE articles SET seen_at = 5",
		"UPDATE chat_activity SET message_count = 77",
		"UPDATE chat_activity SET counted_day = 77 WHERE counted_day IS NOT NULL",
		"DELETE FROM article_mentions",
		"DELETE FROM article_views",
		"UPDATE web_mentions SET clicked_at = NULL",
		"UPDATE messages SET role = CASE role WHEN 'user' THEN 'assistant' ELSE 'user' END",
		"UPDATE visitors SET metadata = NULL",
		"UPDATE chats SET created_at = created_at + 86400000",
	};
	struct model_house *house = *state;

	model_settle_in(house, 9);
	for (int i = 0; i < 20; i++)
		model_run_transaction(house, 24, false);
	assert_int_equal(differences_after(house, "SELECT 1"), 0);
	for (size_t i = 0; i < sizeof tamperings / sizeof tamperings[0]; i++)
		if (differences_after(house, tamperings[i]) == 0)
			fail_msg("nothing was found after: %s", tamperings[i]);
}

static int open_house(void **state)
{
	*state = model_open();
	return 0;
}

static int close_house(void **state)
{
	model_close(*state);
	return 0;
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(short_sequences_are_counted_exactly),
		HOUSE(long_histories_are_counted_exactly_while_the_zone_changes),
		HOUSE(a_build_that_a_crash_ended_goes_on_and_leaves_nothing_behind),
		HOUSE(an_unknown_zone_is_refused),
		HOUSE(whatever_is_tampered_with_is_found),
	};

	json_tree_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
