/* The work that nobody waits for: what fails in it holds up nothing else, and no other organization. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "analytics/counting.h"
#include "api/house.h"
#include "auth/tenant.h"
#include "background.h"
#include "fixture.h"

#define A "X'61616161616161616161616161616161'"
#define B "X'62626262626262626262626262626262'"

struct rooms {
	struct fixture fixture;
	struct house house;
	struct db *db;
	sqlite3 *plain;
};

static int open_rooms(void **state)
{
	struct rooms *rooms = test_calloc(1, sizeof *rooms);

	fixture_open(&rooms->fixture);
	fixture_organization(&rooms->fixture, 'a');
	fixture_organization(&rooms->fixture, 'b');
	rooms->plain = fixture_plain(&rooms->fixture);
	rooms->db = fixture_db(&rooms->fixture, DB_WRITE);
	rooms->house.log = &rooms->fixture.log;
	assert_int_equal(ledger_new(&rooms->house.ledgers[0], &rooms->fixture.log), OK);
	*state = rooms;
	return 0;
}

static int close_rooms(void **state)
{
	struct rooms *rooms = *state;

	ledger_free(rooms->house.ledgers[0]);
	db_close(rooms->db);
	assert_int_equal(sqlite3_close(rooms->plain), SQLITE_OK);
	fixture_close(&rooms->fixture);
	test_free(rooms);
	return 0;
}

/* A chat of each organization with one user message; the figures of both are to be counted anew. */
static void fill(struct rooms *rooms)
{
	static const char *const organizations[] = { A, B };

	for (int i = 0; i < 2; i++) {
		char *sql = sqlite3_mprintf(
		    "INSERT INTO chats (number, organization_id, id, chat_id, session_id, status, created_at) "
		    "VALUES (%d, %s, randomblob(16), 'c', 's', 'active', 1);"
		    "INSERT INTO messages (number, organization_id, chat_number, id, role, content, created_at) "
		    "VALUES (%d, %s, %d, randomblob(16), 'user', 'word', 1);"
		    "INSERT INTO chat_activity (chat_number, organization_id, updated_at, message_count, last_message) "
		    "VALUES (%d, %s, 1, 1, %d);"
		    "INSERT INTO rollup_states (organization_id, edition, zone, newest_edition, build_edition, "
		    "build_zone, has_work) VALUES (%s, 0, 'UTC', 1, 1, 'UTC', 1)",
		    i + 1, organizations[i], i + 1, organizations[i], i + 1, i + 1, organizations[i], i + 1,
		    organizations[i]);

		fixture_run(rooms->plain, sql);
		sqlite3_free(sql);
	}
}

static bool turn(struct rooms *rooms)
{
	bool more = false;

	assert_int_equal(db_begin(rooms->db), OK);
	assert_int_equal(background_step(rooms->db, &rooms->house, &more), OK);
	assert_int_equal(ledger_settle(rooms->db, rooms->house.ledgers[0]), OK);
	assert_int_equal(db_end(rooms->db, true), OK);
	return more;
}

static void finish(struct rooms *rooms)
{
	int turns = 0;

	while (turn(rooms))
		assert_true(++turns < 1000);
}

static int64_t number(struct rooms *rooms, const char *sql)
{
	return fixture_number(rooms->plain, sql);
}

#define COUNTED_OF(organization)                                                                                       \
	"SELECT coalesce(sum(amount), 0) FROM rollup_counts WHERE edition = 1 AND metric = 2 AND span = 2 AND "        \
	"organization_id = " organization

static size_t times_logged(const struct rooms *rooms, const char *words)
{
	static const size_t most = 1 << 16;
	char *text = test_calloc(1, most + 1);
	size_t times = 0;

	assert_true(pread(rooms->fixture.log.fd, text, most, 0) >= 0);
	for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
		times++;
	test_free(text);
	return times;
}

static void an_organization_whose_zone_is_lost_holds_up_no_other(void **state)
{
	struct rooms *rooms = *state;

	fill(rooms);
	fixture_run(rooms->plain, "UPDATE rollup_states SET build_zone = 'Nowhere/Lost' WHERE organization_id = " A);
	finish(rooms);
	assert_int_equal(number(rooms, COUNTED_OF(B)), 1);
	assert_int_equal(number(rooms, "SELECT has_work FROM rollup_states WHERE organization_id = " B), 0);
	assert_int_equal(number(rooms, "SELECT last_message FROM search_progress"), 2);
	assert_int_equal(number(rooms, "SELECT has_work FROM rollup_states WHERE organization_id = " A), 1);
	for (int i = 0; i < 5; i++)
		turn(rooms);
	assert_int_equal(times_logged(rooms, "install tzdata"), 1);
	/* It is found again. */
	fixture_run(rooms->plain, "UPDATE rollup_states SET build_zone = 'UTC' WHERE organization_id = " A);
	finish(rooms);
	assert_int_equal(number(rooms, COUNTED_OF(A)), 1);
	assert_int_equal(number(rooms, "SELECT count(*) FROM rollup_states WHERE has_work <> 0"), 0);
}

/* A link that leads nowhere: the first step of the build counts, then fails. */
static void a_step_that_fails_half_way_leaves_nothing_and_holds_up_nothing(void **state)
{
	struct rooms *rooms = *state;

	fill(rooms);
	fixture_run(rooms->plain, "UPDATE messages SET previous = 77 WHERE organization_id = " A);
	finish(rooms);
	assert_int_equal(number(rooms, COUNTED_OF(A)), 0);
	assert_int_equal(number(rooms, "SELECT count(*) FROM rollup_counts WHERE edition = 1 AND organization_id = " A),
			 0);
	assert_int_equal(number(rooms, COUNTED_OF(B)), 1);
	assert_int_equal(number(rooms, "SELECT last_message FROM search_progress"), 2);
	fixture_run(rooms->plain, "UPDATE messages SET previous = NULL");
	finish(rooms);
	assert_int_equal(number(rooms, COUNTED_OF(A)), 1);
}

/* The older erasure waits until its days can be told again, the other does not wait for it. */
static void an_organization_whose_chats_cannot_be_uncounted_holds_up_no_other(void **state)
{
	struct rooms *rooms = *state;

	fill(rooms);
	finish(rooms);
	fixture_run(rooms->plain, "DELETE FROM chat_activity; DELETE FROM chats;"
				  "UPDATE rollup_states SET zone = 'Nowhere/Lost' WHERE organization_id = " A);
	fixture_run(
	    rooms->plain,
	    "INSERT INTO erasures (number, organization_id, chat_number, next_message, session_id, counted_message, "
	    "edition) VALUES (1, " A ", 1, 1, 's', 1, 1), (2, " B ", 2, 2, NULL, NULL, NULL)");
	finish(rooms);
	assert_int_equal(number(rooms, "SELECT count(*) FROM messages WHERE organization_id = " B), 0);
	assert_int_equal(number(rooms, "SELECT count(*) FROM erasures WHERE organization_id = " B), 0);
	assert_int_equal(number(rooms, "SELECT count(*) FROM messages WHERE organization_id = " A), 1);
	assert_int_equal(number(rooms, COUNTED_OF(A)), 1);
	fixture_run(rooms->plain, "UPDATE rollup_states SET zone = 'UTC' WHERE organization_id = " A);
	finish(rooms);
	assert_int_equal(number(rooms, "SELECT count(*) FROM messages"), 0);
	assert_int_equal(number(rooms, "SELECT count(*) FROM erasures"), 0);
	assert_int_equal(number(rooms, COUNTED_OF(A)), 0);
}

/* A list that grows moves: what was found in it before is looked up again. */
static void an_event_is_counted_while_the_books_move(void **state)
{
	struct rooms *rooms = *state;
	struct arena *arena = &rooms->fixture.arena;
	const struct uuid a = fixture_id('a');
	struct counting counting = { rooms->house.ledgers[0], rooms->db, tenant_scope(arena, &a), arena };
	const struct counted_message said = { 1, TEXT("s"), 1 };
	struct counted_last last = { DB_NULL, DB_NULL };

	fill(rooms);
	assert_int_equal(db_begin(rooms->db), OK);
	for (uint16_t i = 0; i < 255; i++) {
		struct uuid id = { .bytes = { (uint8_t)i, 1 } };
		const struct scope *scope = tenant_scope(arena, &id);
		struct book *book;

		assert_int_equal(db_enter(rooms->db, scope), OK);
		assert_int_equal(ledger_book(rooms->house.ledgers[0], rooms->db, scope, &book), OK);
		assert_int_equal(db_leave(rooms->db, true), OK);
	}
	assert_int_equal(db_enter(rooms->db, counting.scope), OK);
	assert_int_equal(counting_message(&counting, &said, &last), OK);
	assert_int_equal(last.edition, 0);
	assert_int_equal(last.day, 0);
	assert_int_equal(db_leave(rooms->db, true), OK);
	ledger_end_item(rooms->house.ledgers[0], true);
	assert_int_equal(ledger_settle(rooms->db, rooms->house.ledgers[0]), OK);
	assert_int_equal(db_end(rooms->db, true), OK);
}

#define ROOMS(test) cmocka_unit_test_setup_teardown(test, open_rooms, close_rooms)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOMS(an_organization_whose_zone_is_lost_holds_up_no_other),
		ROOMS(an_organization_whose_chats_cannot_be_uncounted_holds_up_no_other),
		ROOMS(an_event_is_counted_while_the_books_move),
		ROOMS(a_step_that_fails_half_way_leaves_nothing_and_holds_up_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
