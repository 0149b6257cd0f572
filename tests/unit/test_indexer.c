#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/tenant.h"
#include "base/clock.h"
#include "fixture.h"
#include "search/indexer.h"
#include "search/words.h"
#include "store/query.h"

#define MANY 20000

struct house {
	struct fixture fixture;
	const struct scope *a;
	const struct scope *b;
	sqlite3 *plain;
	struct db *db;
};

static void settle_chats(struct house *house)
{
	fixture_run(house->plain, "INSERT INTO chat_activity (chat_number, organization_id, updated_at, message_count) "
				  "SELECT number, organization_id, 1, 0 FROM chats WHERE number NOT IN "
				  "(SELECT chat_number FROM chat_activity)");
}

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);

	fixture_open(&house->fixture);
	house->a = fixture_organization(&house->fixture, 'a');
	house->b = fixture_organization(&house->fixture, 'b');
	house->plain = fixture_plain(&house->fixture);
	house->db = fixture_db(&house->fixture, DB_WRITE);
	fixture_run(house->plain,
		    "INSERT INTO chats (number, organization_id, id, chat_id, session_id, status, "
		    "created_at) VALUES (1, X'61616161616161616161616161616161', X'01', 'a1', 's', 'active', 1), "
		    "(2, X'62626262626262626262626262626262', X'02', 'b2', 's', 'active', 1), "
		    "(3, X'61616161616161616161616161616161', X'03', 'a3', 's', 'active', 1)");
	settle_chats(house);
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	db_close(house->db);
	assert_int_equal(sqlite3_close(house->plain), SQLITE_OK);
	fixture_close(&house->fixture);
	test_free(house);
	return 0;
}

static void say(struct house *house, int chat, const char *text)
{
	char *sql =
	    sqlite3_mprintf("INSERT INTO messages (organization_id, chat_number, id, role, content, created_at) "
			    "SELECT organization_id, number, randomblob(16), 'user', %Q, 1 FROM chats "
			    "WHERE number = %d",
			    text, chat);

	fixture_run(house->plain, sql);
	sqlite3_free(sql);
}

/* One step; whether there is more. `keep` false: the process ends before its commit. */
static bool step(struct house *house, bool keep)
{
	const struct search_doors doors = { .system = tenant_system(), .open = tenant_scope };
	bool more = false;

	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(search_step(house->db, &doors, &more), OK);
	assert_int_equal(db_end(house->db, keep), OK);
	return more;
}

static void catch_up(struct house *house)
{
	while (step(house, true))
		;
}

/* The chats that a search finds, one after the other: "a3 a1". */
static const char *found(struct house *house, const struct scope *scope, const char *words, int64_t before)
{
	struct chat_page_of_search_in in = { .before_place = before == INT32_MAX ? INT64_MAX : before << 32,
					     .before_time = INT64_MAX,
					     .min_lead_score = DB_NULL,
					     .limit = 50 };
	struct chat_page_of_search_out row;
	struct text *const expression = &in.words;
	char chats[1024] = "";
	enum err err;

	assert_int_equal(words_of_query(text_of(words), &house->fixture.arena, expression), OK);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, scope), OK);
	err = db_start(house->db, STATEMENT_CHAT_PAGE_OF_SEARCH, &in);
	while (err == OK && (err = db_step(house->db, STATEMENT_CHAT_PAGE_OF_SEARCH, &row)) == OK)
		snprintf(chats + strlen(chats), sizeof chats - strlen(chats), "%s%.*s", chats[0] == '\0' ? "" : " ",
			 (int)row.chat_id.length, row.chat_id.at);
	assert_int_equal(err, ERR_NOT_FOUND);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_end(house->db, true), OK);
	return text_copy(&house->fixture.arena, text_of(chats)).at;
}

#define ALL INT32_MAX

static void chats_are_found_by_the_words_of_one_message_newest_first(void **state)
{
	struct house *house = *state;

	say(house, 1, "Where is the Beach?");
	say(house, 3, "A beach house");
	say(house, 3, "beach, again");
	say(house, 3, "100% of C++");
	assert_string_equal(found(house, house->a, "beach", ALL), "");
	catch_up(house);
	assert_string_equal(found(house, house->a, "beach", ALL), "a3 a1");
	assert_string_equal(found(house, house->a, "BEACH", 3), "a1");
	assert_string_equal(found(house, house->a, "be", ALL), "a3 a1");
	assert_string_equal(found(house, house->a, "beach hou", ALL), "a3");
	assert_string_equal(found(house, house->a, "beac house", ALL), "");
	assert_string_equal(found(house, house->a, "house again", ALL), "");
	assert_string_equal(found(house, house->a, "%", ALL), "a3");
	assert_string_equal(found(house, house->a, "C++", ALL), "a3");
	assert_string_equal(found(house, house->a, "\"", ALL), "");
	assert_string_equal(found(house, house->a, "?", ALL), "a1");
	assert_string_equal(found(house, house->a, "beach NOT house", ALL), "");
}

static void two_organizations_with_the_same_words_find_their_own(void **state)
{
	struct house *house = *state;

	say(house, 1, "the same words");
	say(house, 2, "the same words and a secret");
	say(house, 3, "the same words");
	catch_up(house);
	assert_string_equal(found(house, house->a, "same", ALL), "a3 a1");
	assert_string_equal(found(house, house->b, "same", ALL), "b2");
	assert_string_equal(found(house, house->a, "secret", ALL), "");
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM search_data WHERE instr(block, 'secret')"),
			 0);
}

static void a_crash_between_two_steps_leaves_no_hole_and_no_double(void **state)
{
	struct house *house = *state;
	size_t steps = 0;

	fixture_run(
	    house->plain,
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
	    "INSERT INTO chats (number, organization_id, id, chat_id, session_id, status, created_at) "
	    "SELECT 1000 + i, X'61616161616161616161616161616161', randomblob(16), 'c' || i, 's', 'active', 1 FROM n");
	fixture_run(
	    house->plain,
	    "INSERT INTO messages (organization_id, chat_number, id, role, content, created_at) "
	    "SELECT organization_id, number, randomblob(16), 'user', 'word' || number || ' shared', 1 FROM chats");
	settle_chats(house);
	while (step(house, steps % 2 == 1))
		steps++;
	catch_up(house);
	assert_true(steps > 5);
	for (int64_t before = 2001; before > 1001; before -= 50) {
		const char *page = found(house, house->a, "shared", before);

		assert_int_equal(strtol(page + 1, NULL, 10), before - 1001);
		for (size_t i = 0, at = 0; i < 50; i++, at += strcspn(page + at, " ") + 1)
			assert_int_equal(strtol(page + at + 1, NULL, 10), before - 1001 - (int64_t)i);
	}
	assert_string_equal(found(house, house->a, "word1500", ALL), "c500");
}

/* Each piece is merged with all others later: one for every other message would cost ten times the indexing. */
static void a_step_leaves_one_piece_for_each_organization(void **state)
{
	struct house *house = *state;

	for (int i = 0; i < 150; i++)
		say(house, 3 - i % 3, "a beach");
	assert_false(step(house, true));
	assert_int_equal(fixture_number(house->plain, "SELECT count(DISTINCT segid) FROM search_idx"), 2);
	assert_string_equal(found(house, house->a, "beach", ALL), "a3 a1");
	assert_string_equal(found(house, house->b, "beach", ALL), "b2");
}

static void a_message_that_is_gone_before_its_turn_is_never_indexed(void **state)
{
	struct house *house = *state;

	say(house, 1, "kept first");
	say(house, 1, "gone");
	say(house, 3, "kept last");
	fixture_run(house->plain, "DELETE FROM messages WHERE content = 'gone'");
	catch_up(house);
	assert_string_equal(found(house, house->a, "gone", ALL), "");
	assert_string_equal(found(house, house->a, "kept", ALL), "a3 a1");
}

static void a_number_is_never_given_twice_so_no_message_is_missed(void **state)
{
	struct house *house = *state;

	say(house, 1, "first");
	say(house, 1, "gone");
	catch_up(house);
	fixture_run(house->plain, "DELETE FROM messages WHERE content = 'gone'");
	say(house, 1, "late");
	catch_up(house);
	assert_string_equal(found(house, house->a, "late", ALL), "a1");
}

static void in_scope(struct house *house, const struct scope *scope)
{
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, scope), OK);
}

static void leave(struct house *house)
{
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_end(house->db, true), OK);
}

static void what_is_removed_is_found_no_more(void **state)
{
	struct house *house = *state;
	int64_t mark = 0;
	int64_t number;

	say(house, 1, "one two");
	say(house, 1, "two three");
	catch_up(house);
	number = fixture_number(house->plain, "SELECT number FROM messages WHERE content = 'two three'");
	in_scope(house, house->a);
	assert_int_equal(search_reached(house->db, tenant_system(), &mark), OK);
	assert_int_equal(mark, number);
	assert_int_equal(search_remove_message(house->db, 1, number, TEXT("two three")), OK);
	leave(house);
	assert_string_equal(found(house, house->a, "three", ALL), "");
	assert_string_equal(found(house, house->a, "two", ALL), "a1");
	/* Another organization's cannot be removed, whatever is said of them. */
	in_scope(house, house->b);
	assert_int_equal(search_remove_message(house->db, 1, number - 1, TEXT("one two")), OK);
	leave(house);
	assert_string_equal(found(house, house->a, "one", ALL), "a1");
}

static void a_summary_is_found_as_it_stands(void **state)
{
	struct house *house = *state;

	in_scope(house, house->a);
	assert_int_equal(search_change_summary(house->db, 1, (struct text){ 0 }, TEXT("Asked for boats")), OK);
	leave(house);
	assert_string_equal(found(house, house->a, "boats", ALL), "a1");
	in_scope(house, house->a);
	assert_int_equal(search_change_summary(house->db, 1, TEXT("Asked for boats"), TEXT("Asked for fish")), OK);
	leave(house);
	assert_string_equal(found(house, house->a, "boats", ALL), "");
	assert_string_equal(found(house, house->a, "asked fish", ALL), "a1");
	assert_string_equal(found(house, house->b, "fish", ALL), "");
}

static void the_index_tells_how_far_it_lies_behind(void **state)
{
	struct house *house = *state;
	const int64_t now = clock_now();
	int64_t messages;
	int64_t milliseconds;

	in_scope(house, tenant_system());
	assert_int_equal(search_lag(house->db, now, &messages, &milliseconds), OK);
	leave(house);
	assert_int_equal(messages, 0);
	assert_int_equal(milliseconds, 0);
	say(house, 1, "one");
	say(house, 1, "two");
	/* 0x0191 0000 0000 ms since 1970, as a UUID version 7 begins. */
	fixture_run(house->plain, "UPDATE messages SET id = X'01910000000070008000000000000000'");
	in_scope(house, tenant_system());
	assert_int_equal(search_lag(house->db, 0x019100000000 + 1500, &messages, &milliseconds), OK);
	leave(house);
	assert_int_equal(messages, 2);
	assert_int_equal(milliseconds, 1500);
	catch_up(house);
	in_scope(house, tenant_system());
	assert_int_equal(search_lag(house->db, now, &messages, &milliseconds), OK);
	leave(house);
	assert_int_equal(messages, 0);
	assert_int_equal(milliseconds, 0);
}

static void twenty_thousand_messages_are_indexed_in_two_seconds(void **state)
{
	struct house *house = *state;
	int64_t longest = 0;
	const int64_t started = clock_monotonic();

	fixture_run(
	    house->plain,
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
	    "INSERT INTO messages (organization_id, chat_number, id, role, content, created_at) "
	    "SELECT X'61616161616161616161616161616161', 1 + i % 2 * 2, randomblob(16), 'user', "
	    "'We are looking for a hotel near the beach with a pool, message ' || i || ' of ' || (i * 7919 % 5000) || "
	    "', and would like to go fishing on the second day.', 1 FROM n");
	for (bool more = true; more;) {
		const int64_t began = clock_monotonic();

		more = step(house, true);
		if (clock_monotonic() - began > longest)
			longest = clock_monotonic() - began;
	}
	print_message("%d messages in %lld ms, the longest step %lld us\n", MANY,
		      (long long)(clock_monotonic() - started) / 1000, (long long)longest);
	assert_string_equal(found(house, house->a, "fishing", ALL), "a3 a1");
	assert_int_equal(fixture_number(house->plain, "SELECT last_message FROM search_progress"), MANY);
#ifndef __SANITIZE_ADDRESS__
	assert_true(clock_monotonic() - started < 10000000);
#endif
}

/* What a search that asks for marks meets: places that only go back. */
static size_t marks_met(struct house *house, const char *question)
{
	struct chat_page_of_search_in in = {
		.before_place = INT64_MAX, .before_time = INT64_MAX, .min_lead_score = DB_NULL, .limit = MANY
	};
	struct chat_page_of_search_out row;
	size_t marks = 0;
	enum err err;

	assert_int_equal(words_of_query_and_marks(text_of(question), &house->fixture.arena, &in.words), OK);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, house->a), OK);
	err = db_start(house->db, STATEMENT_CHAT_PAGE_OF_SEARCH, &in);
	for (int64_t last = INT64_MAX; err == OK; last = row.sort_number) {
		err = db_step(house->db, STATEMENT_CHAT_PAGE_OF_SEARCH, &row);
		if (err != OK)
			break;
		assert_false(row.shown);
		assert_true(row.sort_number < last);
		marks++;
	}
	assert_int_equal(err, ERR_NOT_FOUND);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_end(house->db, true), OK);
	return marks;
}

static void marks_stand_among_the_documents_and_go_with_them(void **state)
{
	struct house *house = *state;

	fixture_run(house->plain, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
				  "INSERT INTO messages (organization_id, chat_number, id, role, content, created_at) "
				  "SELECT X'61616161616161616161616161616161', 1 + i % 2 * 2, randomblob(16), 'user', "
				  "CASE i / 2 % 2 WHEN 1 THEN 'rent' ELSE 'swim' END, 1 FROM n");
	catch_up(house);
	assert_in_range(marks_met(house, "rent swim"), MANY / 1024 / 2, MANY / 1024 * 2);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, house->a), OK);
	for (int64_t i = 1; i <= MANY; i++)
		assert_int_equal(
		    search_remove_message(house->db, 1 + i % 2 * 2, i, i / 2 % 2 == 1 ? TEXT("rent") : TEXT("swim")),
		    OK);
	assert_int_equal(db_leave(house->db, true), OK);
	assert_int_equal(db_end(house->db, true), OK);
	assert_int_equal(marks_met(house, "rent swim"), 0);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(chats_are_found_by_the_words_of_one_message_newest_first),
		HOUSE(two_organizations_with_the_same_words_find_their_own),
		HOUSE(a_crash_between_two_steps_leaves_no_hole_and_no_double),
		HOUSE(a_step_leaves_one_piece_for_each_organization),
		HOUSE(a_message_that_is_gone_before_its_turn_is_never_indexed),
		HOUSE(a_number_is_never_given_twice_so_no_message_is_missed),
		HOUSE(what_is_removed_is_found_no_more),
		HOUSE(a_summary_is_found_as_it_stands),
		HOUSE(the_index_tells_how_far_it_lies_behind),
		HOUSE(marks_stand_among_the_documents_and_go_with_them),
		HOUSE(twenty_thousand_messages_are_indexed_in_two_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
