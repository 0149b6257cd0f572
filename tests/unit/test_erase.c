#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analytics/build.h"
#include "analytics/recount.h"
#include "auth/tenant.h"
#include "base/clock.h"
#include "erase/erase.h"
#include "fixture.h"
#include "search/words.h"
#include "store/query.h"

#define A "X'61616161616161616161616161616161'"

struct house {
	struct fixture fixture;
	const struct scope *scopes[2]; /* of a and b, which say the same */
	sqlite3 *plain;
	struct db *db;
	struct ledger *ledger;
};

static struct erasing begin(struct house *house, const struct scope *scope)
{
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, scope), OK);
	return (struct erasing){
		.counting = { .ledger = house->ledger, .db = house->db, .scope = scope, .arena = &house->fixture.arena }
	};
}

static void end(struct house *house)
{
	assert_int_equal(db_leave(house->db, true), OK);
	ledger_end_item(house->ledger, true);
	assert_int_equal(ledger_settle(house->db, house->ledger), OK);
	assert_int_equal(db_end(house->db, true), OK);
}

/* Rows of both organizations: a visitor v (id 16 times 7) with chats 1 (b: 3) and 2 (b: 4), of which the first has a
 * summary and three messages; a view, a mention and a web result in each chat, and one of each that is nobody's. */
static void fill(struct house *house, const char *organization, int first)
{
	char *sql = sqlite3_mprintf(
	    "INSERT INTO visitors (organization_id, id, email, created_at, last_active_at) "
	    "VALUES (%s, X'37373737373737373737373737373737', 'CANARY@example.org', 1, 1);"
	    "INSERT INTO chats (number, organization_id, id, chat_id, session_id, visitor_id, status, created_at) "
	    "VALUES "
	    "(%d, %s, randomblob(16), 'one', 's', X'37373737373737373737373737373737', 'active', 1), "
	    "(%d, %s, randomblob(16), 'two', 's', X'37373737373737373737373737373737', 'active', 1);"
	    "INSERT INTO chat_activity (chat_number, organization_id, updated_at, message_count) "
	    "SELECT number, organization_id, 1, 0 FROM chats WHERE number >= %d;"
	    "INSERT INTO chat_summaries (chat_number, organization_id, topic_summary, summarized_at) "
	    "VALUES (%d, %s, 'CANARYTOPIC', 1);"
	    "INSERT INTO article_mentions (organization_id, id, article_id, article_name, article_slug, article_type, "
	    "chat_id, mentioned_at) SELECT %s, randomblob(16), 'a', 'a', 'a', 'Article', column1, 1 "
	    "FROM (VALUES ('one'), ('two'), (NULL));"
	    "INSERT INTO article_views (organization_id, id, article_id, article_name, article_slug, article_type, "
	    "chat_id, visitor_id, viewed_at) SELECT %s, randomblob(16), 'a', 'a', 'a', 'Article', column1, column2, 1 "
	    "FROM "
	    "(VALUES ('one', NULL), ('two', NULL), (NULL, NULL), (NULL, X'37373737373737373737373737373737'));"
	    "INSERT INTO web_mentions (organization_id, id, article_url, article_title, chat_id, session_id, "
	    "visitor_id, "
	    "metadata, mentioned_at, created_at) SELECT %s, randomblob(16), 'u', 't', column1, 's', column2, '{}', 1, "
	    "1 "
	    "FROM (VALUES ('one', NULL), ('two', NULL), (NULL, NULL), (NULL, X'37373737373737373737373737373737'))",
	    organization, first, organization, first + 1, organization, first, first, organization, organization,
	    organization, organization);

	fixture_run(house->plain, sql);
	sqlite3_free(sql);
}

/* A conversation's chain, through SQL: `count` messages. */
static void talk(struct house *house, int chat, int count)
{
	char *sql = sqlite3_mprintf(
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
	    "INSERT INTO messages (organization_id, chat_number, previous, id, role, content, created_at) "
	    "SELECT c.organization_id, c.number, CASE WHEN i = 1 THEN NULL ELSE "
	    "(SELECT coalesce(max(number), 0) FROM messages) + i - 1 END, randomblob(16), 'assistant', 'CANARYWORD ' "
	    "|| i, 1 "
	    "FROM n, chats AS c WHERE c.number = %d ORDER BY i;"
	    "UPDATE chat_activity SET message_count = %d, last_message = (SELECT max(number) FROM messages) "
	    "WHERE chat_number = %d",
	    count, chat, count, chat);

	fixture_run(house->plain, sql);
	sqlite3_free(sql);
}

static bool step(struct house *house, bool erase, bool keep)
{
	const struct search_doors doors = { .system = tenant_system(), .open = tenant_scope };
	bool more = false;

	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(
	    erase ? erase_step(house->db, house->ledger, &doors, &more) : search_step(house->db, &doors, &more), OK);
	assert_int_equal(db_end(house->db, keep), OK);
	return more;
}

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);

	fixture_open(&house->fixture);
	house->scopes[0] = fixture_organization(&house->fixture, 'a');
	house->scopes[1] = fixture_organization(&house->fixture, 'b');
	house->plain = fixture_plain(&house->fixture);
	house->db = fixture_db(&house->fixture, DB_WRITE);
	assert_int_equal(ledger_new(&house->ledger, &house->fixture.log), OK);
	fill(house, A, 1);
	fill(house, "X'62626262626262626262626262626262'", 3);
	for (int chat = 1; chat <= 4; chat++)
		talk(house, chat, 3);
	for (int i = 0; i < 2; i++) {
		begin(house, house->scopes[i]);
		assert_int_equal(search_change_summary(house->db, 1 + 2 * i, (struct text){ 0 }, TEXT("CANARYTOPIC")),
				 OK);
		end(house);
	}
	while (step(house, false, true))
		;
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	ledger_free(house->ledger);
	db_close(house->db);
	assert_int_equal(sqlite3_close(house->plain), SQLITE_OK);
	fixture_close(&house->fixture);
	test_free(house);
	return 0;
}

static int64_t found(struct house *house, const struct scope *scope, const char *words)
{
	struct chat_page_of_search_in in = {
		.before_place = INT64_MAX, .before_time = INT64_MAX, .min_lead_score = DB_NULL, .limit = 50
	};
	int64_t count = 0;
	enum err err;

	assert_int_equal(words_of_query(text_of(words), &house->fixture.arena, &in.words), OK);
	begin(house, scope);
	err = db_start(house->db, STATEMENT_CHAT_PAGE_OF_SEARCH, &in);
	while (err == OK && (err = db_step(house->db, STATEMENT_CHAT_PAGE_OF_SEARCH, NULL)) == OK)
		count++;
	assert_int_equal(err, ERR_NOT_FOUND);
	end(house);
	return count;
}

static int64_t rows(struct house *house, const char *table, const char *organization)
{
	char *sql = sqlite3_mprintf("SELECT count(*) FROM %s WHERE organization_id = %s", table, organization);
	const int64_t count = fixture_number(house->plain, sql);

	sqlite3_free(sql);
	return count;
}

static void assert_untouched(struct house *house)
{
	const char *b = "X'62626262626262626262626262626262'";

	assert_int_equal(rows(house, "chats", b), 2);
	assert_int_equal(rows(house, "chat_activity", b), 2);
	assert_int_equal(rows(house, "chat_summaries", b), 1);
	assert_int_equal(rows(house, "messages", b), 6);
	assert_int_equal(rows(house, "visitors", b), 1);
	assert_int_equal(rows(house, "article_mentions", b), 3);
	assert_int_equal(rows(house, "article_views", b), 4);
	assert_int_equal(rows(house, "web_mentions", b), 4);
	assert_int_equal(found(house, house->scopes[1], "canaryword"), 2);
	assert_int_equal(found(house, house->scopes[1], "canarytopic"), 1);
}

static void a_chat_goes_with_all_that_hangs_on_it(void **state)
{
	struct house *house = *state;
	struct erasing erasing = begin(house, house->scopes[0]);

	assert_int_equal(erase_chat(&erasing, 1), OK);
	end(house);
	assert_int_equal(erasing.receipt.chats, 1);
	assert_int_equal(erasing.receipt.messages, 3);
	assert_int_equal(erasing.receipt.chat_summaries, 1);
	assert_int_equal(erasing.receipt.article_mentions, 1);
	assert_int_equal(erasing.receipt.article_views, 1);
	assert_int_equal(erasing.receipt.web_mentions, 1);
	assert_int_equal(erasing.receipt.visitors, 0);
	/* Before any step: nobody finds it any more. */
	assert_int_equal(found(house, house->scopes[0], "canaryword"), 1);
	assert_int_equal(found(house, house->scopes[0], "canarytopic"), 0);
	while (step(house, true, true))
		;
	assert_int_equal(rows(house, "chats", A), 1);
	assert_int_equal(rows(house, "messages", A), 3);
	assert_int_equal(rows(house, "chat_activity", A), 1);
	assert_int_equal(rows(house, "erasures", A), 0);
	assert_int_equal(rows(house, "article_mentions", A), 2);
	assert_int_equal(rows(house, "article_views", A), 3);
	assert_int_equal(rows(house, "web_mentions", A), 3);
	assert_int_equal(found(house, house->scopes[0], "canaryword"), 1);
	assert_untouched(house);
	erasing = begin(house, house->scopes[0]);
	assert_int_equal(erase_chat(&erasing, 1), ERR_NOT_FOUND);
	end(house);
}

static void a_visitor_goes_with_all_chats_and_links(void **state)
{
	struct house *house = *state;
	struct uuid id;
	struct erasing erasing = begin(house, house->scopes[0]);

	memset(&id, '7', sizeof id);
	assert_int_equal(erase_visitor(&erasing, &id), OK);
	end(house);
	while (step(house, true, true))
		;
	assert_int_equal(erasing.receipt.visitors, 1);
	assert_int_equal(erasing.receipt.chats, 2);
	assert_int_equal(erasing.receipt.messages, 6);
	assert_int_equal(erasing.receipt.article_views, 3);
	assert_int_equal(erasing.receipt.web_mentions, 4); /* one carries the session alone */
	assert_int_equal(erasing.receipt.article_mentions, 2);
	assert_int_equal(rows(house, "visitors", A), 0);
	assert_int_equal(rows(house, "chats", A), 0);
	assert_int_equal(rows(house, "messages", A), 0);
	assert_int_equal(rows(house, "article_views", A), 1); /* nobody's */
	assert_int_equal(rows(house, "web_mentions", A), 0);
	assert_int_equal(rows(house, "article_mentions", A), 1);
	assert_int_equal(found(house, house->scopes[0], "canaryword"), 0);
	assert_untouched(house);
}

static void another_organizations_chat_and_visitor_are_not_there(void **state)
{
	struct house *house = *state;
	struct uuid id;
	struct erasing erasing = begin(house, house->scopes[0]);

	assert_int_equal(erase_chat(&erasing, 3), ERR_NOT_FOUND);
	memset(&id, '8', sizeof id);
	assert_int_equal(erase_visitor(&erasing, &id), ERR_NOT_FOUND);
	end(house);
	assert_untouched(house);
}

static void a_message_that_was_not_indexed_yet_leaves_nothing_either(void **state)
{
	struct house *house = *state;
	struct erasing erasing;

	talk(house, 1, 5);
	erasing = begin(house, house->scopes[0]);
	assert_int_equal(erase_chat(&erasing, 1), OK);
	end(house);
	/* The index may come first, or last: it is the same. */
	step(house, false, true);
	while (step(house, true, true) || step(house, false, true))
		;
	assert_int_equal(rows(house, "erasures", A), 0);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM messages WHERE number > 12"), 0);
	assert_untouched(house);
}

static void a_long_conversation_goes_in_small_steps_through_crashes(void **state)
{
	struct house *house = *state;
	struct erasing erasing;
	int64_t longest = 0;
	int64_t began;
	size_t steps = 0;

	fixture_run(house->plain, "DELETE FROM messages WHERE chat_number = 1");
	talk(house, 1, 100000);
	while (step(house, false, true))
		;
	began = clock_monotonic();
	erasing = begin(house, house->scopes[0]);
	assert_int_equal(erase_chat(&erasing, 1), OK);
	end(house);
	assert_int_equal(erasing.receipt.messages, 100000);
	print_message("hidden in %lld ms\n", (long long)(clock_monotonic() - began) / 1000);
	for (bool more = true; more; steps++) {
		began = clock_monotonic();
		more = step(house, true, steps % 16 != 3); /* every now and then the process ends before its commit */
		if (clock_monotonic() - began > longest)
			longest = clock_monotonic() - began;
	}
	print_message("%zu steps, the longest %lld us\n", steps, (long long)longest);
	assert_true(steps > 20);
	assert_int_equal(rows(house, "messages", A), 3);
	assert_int_equal(rows(house, "erasures", A), 0);
	assert_int_equal(found(house, house->scopes[0], "canaryword"), 1);
	assert_untouched(house);
}

static void tell_difference(void *context, const struct recount_difference *difference)
{
	(void)context;
	print_error("%s: stored %lld, counted %lld\n", difference->table, (long long)difference->stored.number,
		    (long long)difference->counted.number);
}

static void assert_exact(struct house *house)
{
	struct recount result;

	begin(house, house->scopes[0]);
	assert_int_equal(recount_all(house->db, &result, tell_difference, NULL), OK);
	assert_true(result.complete);
	assert_int_equal(result.differences, 0);
	end(house);
}

static bool step_build(struct house *house)
{
	const struct erasing of = begin(house, house->scopes[0]);
	bool more = false;

	assert_int_equal(build_step(&of.counting, &more), OK);
	end(house);
	return more;
}

static bool step_uncounting(struct house *house)
{
	struct erasing erasing = begin(house, house->scopes[0]);
	bool more = false;

	assert_int_equal(erase_uncount(&erasing, &more), OK);
	end(house);
	return more;
}

/* What it costs who waits behind it; and what `verify` says on the way. */
static void a_long_conversation_is_counted_and_uncounted_in_small_steps(void **state)
{
	struct house *house = *state;
	struct erasing erasing;
	size_t built = 0;
	size_t uncounted = 0;

	/* What was put here behind the figures' back is counted by the build, but for web results. */
	fixture_run(house->plain, "DELETE FROM messages WHERE chat_number = 1; DELETE FROM web_mentions");
	talk(house, 1, 50000);
	fixture_run(house->plain, "UPDATE messages SET role = 'user', created_at = (number % 400) * 86400000 "
				  "WHERE chat_number = 1");
	erasing = begin(house, house->scopes[0]);
	assert_int_equal(build_again(&erasing.counting), OK);
	end(house);
	while (step_build(house))
		built++;
	assert_exact(house);
	erasing = begin(house, house->scopes[0]);
	assert_int_equal(erase_chat(&erasing, 1), OK);
	end(house);
	assert_exact(house);
	for (; step_uncounting(house); uncounted++)
		assert_exact(house);
	assert_int_equal(
	    fixture_number(house->plain, "SELECT count(*) FROM rollup_counts WHERE metric = 2 AND amount <> 0"), 0);
	/* Nothing is removed before it is uncounted. */
	assert_int_equal(rows(house, "messages", A), 50003);
	print_message("counted in %zu steps, uncounted in %zu\n", built, uncounted);
	assert_true(built > 5);
	assert_true(uncounted > 5);
}

static void what_is_deleted_cannot_be_read_from_the_file(void **state)
{
	struct house *house = *state;
	struct uuid id;
	static const char *const suffixes[] = { "", "-wal" };

	memset(&id, '7', sizeof id);
	assert_int_equal(sqlite3_exec(house->plain, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < 2; i++) {
		struct erasing erasing = begin(house, house->scopes[i]);

		assert_int_equal(erase_visitor(&erasing, &id), OK);
		end(house);
	}
	while (step(house, true, true))
		;
	assert_int_equal(db_tidy(house->db, true), OK);
	for (size_t i = 0; i < 2; i++) {
		char path[128];
		static char bytes[8 << 20];
		size_t length;
		FILE *file;

		snprintf(path, sizeof path, "%s%s", house->fixture.path, suffixes[i]);
		file = fopen(path, "rb");
		assert_non_null(file);
		length = fread(bytes, 1, sizeof bytes, file);
		fclose(file);
		assert_null(memmem(bytes, length, "CANARY", 6));
		assert_true(i == 1 || length > 4096);
	}
}

static int64_t rows_left(struct house *house)
{
	return fixture_number(house->plain,
			      "SELECT (SELECT count(*) FROM web_mentions WHERE organization_id = " A ") + "
			      "(SELECT count(*) FROM article_views WHERE organization_id = " A ") + "
			      "(SELECT count(*) FROM chats WHERE organization_id = " A ")");
}

/* A piece, and how many rows it took; `keep`: its commit is not lost. */
static int64_t erase_piece(struct house *house, struct erase_person *person, struct erase_receipt *receipt, bool keep,
			   bool *more)
{
	const int64_t before = rows_left(house);
	struct erase_person moved = *person;
	struct erasing erasing = begin(house, house->scopes[0]);

	erasing.receipt = *receipt;
	assert_int_equal(erase_visitor_some(&erasing, &moved, more), OK);
	if (keep) {
		end(house);
		*receipt = erasing.receipt;
		*person = moved;
	} else {
		ledger_forget(house->ledger);
		assert_int_equal(db_leave(house->db, false), OK);
		assert_int_equal(db_end(house->db, false), OK);
	}
	return before - rows_left(house);
}

/* What a visitor of any size costs the one who waits behind it: no more than a piece. */
static void a_great_visitor_goes_in_small_pieces_through_crashes(void **state)
{
	struct house *house = *state;
	const struct uuid visitor = fixture_id('7');
	struct erase_receipt receipt = { 0 };
	struct erase_person person;
	struct erasing erasing;
	bool more = true;
	int pieces = 0;

	fixture_run(house->plain,
		    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
		    "INSERT INTO web_mentions (organization_id, id, article_url, article_title, chat_id, session_id, "
		    "visitor_id, metadata, mentioned_at, created_at) SELECT " A ", randomblob(16), 'u', 't', "
		    "CASE WHEN i % 2 = 0 THEN 'one' END, 's', X'37373737373737373737373737373737', '{}', 1, 1 FROM n");
	begin(house, house->scopes[0]);
	assert_int_equal(erase_find_person(house->db, &house->fixture.arena, &visitor, &person), OK);
	end(house);
	for (; more; pieces++)
		assert_in_range(erase_piece(house, &person, &receipt, pieces % 3 != 0, &more), 0, 5000);
	assert_in_range(pieces, 5, 20000);
	erasing = begin(house, house->scopes[0]);
	erasing.receipt = receipt;
	assert_int_equal(erase_visitor(&erasing, &visitor), OK);
	end(house);
	assert_int_equal(erasing.receipt.web_mentions, 20004);
	assert_int_equal(erasing.receipt.chats, 2);
	assert_int_equal(erasing.receipt.visitors, 1);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM web_mentions WHERE organization_id = " A),
			 0);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM web_mentions"), 4);
	print_message("%d pieces\n", pieces);
}

/* Words that wait to be removed would else be found in the chat that has the number next. */
static void the_newest_chats_number_is_not_given_again(void **state)
{
	struct house *house = *state;
	const struct scope *b = house->scopes[1];
	struct erasing erasing = begin(house, b);
	struct chat_create_in chat = { .id = uuid_new(),
				       .chat_id = TEXT("next"),
				       .session_id = TEXT("s"),
				       .status = TEXT("active"),
				       .created_at = 1 };

	assert_int_equal(erase_chat(&erasing, 3), OK);
	assert_int_equal(erase_chat(&erasing, 4), OK);
	end(house);
	begin(house, b);
	assert_int_equal(query_run(house->db, STATEMENT_CHAT_CREATE, &chat, NULL), OK);
	assert_int_equal(db_inserted(house->db), 5);
	assert_int_equal(query_run(house->db, STATEMENT_CHAT_ACTIVITY_CREATE,
				   &(struct chat_activity_create_in){ .chat_number = 5, .updated_at = 1 }, NULL),
			 OK);
	end(house);
	assert_int_equal(found(house, b, "canaryword"), 0);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(a_chat_goes_with_all_that_hangs_on_it),
		HOUSE(a_visitor_goes_with_all_chats_and_links),
		HOUSE(a_great_visitor_goes_in_small_pieces_through_crashes),
		HOUSE(the_newest_chats_number_is_not_given_again),
		HOUSE(another_organizations_chat_and_visitor_are_not_there),
		HOUSE(a_message_that_was_not_indexed_yet_leaves_nothing_either),
		HOUSE(a_long_conversation_goes_in_small_steps_through_crashes),
		HOUSE(a_long_conversation_is_counted_and_uncounted_in_small_steps),
		HOUSE(what_is_deleted_cannot_be_read_from_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
