#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "api/reply.h"
#include "base/clock.h"
#include "fixture.h"
#include "store/query.h"
#include "store/readers.h"

#define READERS 2
#define THREADS 8
#define VISITS  200

struct house {
	struct fixture fixture;
	const struct scope *scopes[2]; /* 'a' and 'b' */
	struct readers *readers;
};

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);
	struct fault fault;

	fixture_open(&house->fixture);
	house->scopes[0] = fixture_organization(&house->fixture, 'a');
	house->scopes[1] = fixture_organization(&house->fixture, 'b');
	assert_int_equal(readers_new(&house->readers, house->fixture.url, READERS, &house->fixture.log, &fault), OK);
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	readers_free(house->readers);
	fixture_close(&house->fixture);
	test_free(house);
	return 0;
}

/* Whose row the one visible organization is; 0: none or an error. */
static char who(struct db *db)
{
	struct organization_show_out out;
	char slug = 0;

	if (db_start(db, STATEMENT_ORGANIZATION_SHOW, NULL) != OK)
		return 0;
	if (db_step(db, STATEMENT_ORGANIZATION_SHOW, &out) == OK && out.slug.length == 1)
		slug = out.slug.at[0];
	db_stop(db, STATEMENT_ORGANIZATION_SHOW);
	return slug;
}

struct visitor {
	struct house *house;
	size_t number;
	size_t wrong;
};

static void *visit(void *given)
{
	struct visitor *visitor = given;

	for (size_t i = 0; i < VISITS; i++) {
		const size_t which = (visitor->number + i) % 2;
		struct reading reading;

		if (readers_enter(visitor->house->readers, visitor->house->scopes[which], &reading) != OK) {
			visitor->wrong++;
			continue;
		}
		visitor->wrong += who(reading.db) != "ab"[which];
		readers_leave(visitor->house->readers, &reading);
	}
	return NULL;
}

static void more_threads_than_readers_each_see_their_scope(void **state)
{
	struct house *house = *state;
	struct visitor visitors[THREADS];
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++) {
		visitors[i] = (struct visitor){ .house = house, .number = i };
		assert_int_equal(pthread_create(&threads[i], NULL, visit, &visitors[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(visitors[i].wrong, 0);
	}
}

struct waiter {
	struct house *house;
	struct reading got;
	enum err err;
	pthread_mutex_t lock;
	bool entered;
};

static void *wait_for_one(void *given)
{
	struct waiter *waiter = given;

	waiter->err = readers_enter(waiter->house->readers, waiter->house->scopes[0], &waiter->got);
	pthread_mutex_lock(&waiter->lock);
	waiter->entered = true;
	pthread_mutex_unlock(&waiter->lock);
	return NULL;
}

static void who_comes_when_all_are_out_waits_for_the_first_to_return(void **state)
{
	struct house *house = *state;
	struct waiter waiter = { .house = house };
	struct reading out[READERS];
	struct db *returned;
	pthread_t thread;

	pthread_mutex_init(&waiter.lock, NULL);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(readers_enter(house->readers, house->scopes[i], &out[i]), OK);
	assert_ptr_not_equal(out[0].db, out[1].db);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_one, &waiter), 0);
	pthread_mutex_lock(&waiter.lock);
	assert_false(waiter.entered);
	pthread_mutex_unlock(&waiter.lock);
	returned = out[1].db;
	readers_leave(house->readers, &out[1]);
	pthread_join(thread, NULL);
	/* The one that was b's is a's now. */
	assert_int_equal(waiter.err, OK);
	assert_ptr_equal(waiter.got.db, returned);
	assert_int_equal(who(waiter.got.db), 'a');
	readers_leave(house->readers, &waiter.got);
	readers_leave(house->readers, &out[0]);
	pthread_mutex_destroy(&waiter.lock);
}

static void what_one_left_open_is_closed_for_the_next(void **state)
{
	struct house *house = *state;
	struct organization_show_out out;
	struct reading reading;

	for (int i = 0; i < 2 * READERS; i++) {
		assert_int_equal(readers_enter(house->readers, house->scopes[i % 2], &reading), OK);
		assert_int_equal(who(reading.db), "ab"[i % 2]);
		assert_int_equal(db_start(reading.db, STATEMENT_ORGANIZATION_SHOW, NULL), OK);
		assert_int_equal(db_step(reading.db, STATEMENT_ORGANIZATION_SHOW, &out), OK);
		readers_leave(house->readers, &reading);
	}
}

static void each_visit_sees_the_newest_moment(void **state)
{
	struct house *house = *state;
	sqlite3 *plain = fixture_plain(&house->fixture);
	struct reading reading;

	assert_int_equal(readers_enter(house->readers, house->scopes[0], &reading), OK);
	assert_int_equal(who(reading.db), 'a');
	fixture_run(plain, "UPDATE organizations SET slug = 'z' WHERE slug = 'a'");
	assert_int_equal(who(reading.db), 'a');
	readers_leave(house->readers, &reading);
	assert_int_equal(readers_enter(house->readers, house->scopes[0], &reading), OK);
	assert_int_equal(who(reading.db), 'z');
	readers_leave(house->readers, &reading);
	sqlite3_close(plain);
}

static void a_visit_that_reads_for_too_long_is_ended_and_the_caller_told(void **state)
{
	const struct fault none = { 0 };
	struct house *house = *state;
	struct reading reading;
	int64_t began;

	assert_int_equal(readers_enter(house->readers, house->scopes[0], &reading), OK);
	began = clock_monotonic();
	while (who(reading.db) == 'a')
		assert_true(clock_monotonic() - began < 10 * READERS_MOST_MICROSECONDS);
	assert_in_range(clock_monotonic() - began, READERS_MOST_MICROSECONDS / 2, 10 * READERS_MOST_MICROSECONDS);
	readers_leave(house->readers, &reading);
	assert_int_equal(reply_status(ERR_TOO_SLOW), 503);
	assert_string_equal(reply_code(ERR_TOO_SLOW, &none), "too_slow");
	assert_non_null(strstr(reply_sentence(ERR_TOO_SLOW, &none), "ask for less"));
	/* Who comes next has as much time, and who may take more takes it. */
	assert_int_equal(readers_enter(house->readers, house->scopes[0], &reading), OK);
	assert_int_equal(who(reading.db), 'a');
	db_limit(reading.db, 1);
	readers_take_time(&reading);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(who(reading.db), 'a');
	readers_leave(house->readers, &reading);
}

static void without_a_database_there_are_none(void **state)
{
	struct house *house = *state;
	struct readers *readers = NULL;
	struct fault fault = { 0 };

	assert_int_equal(readers_new(&readers, TEXT("sqlite:/nowhere/at/all"), 3, &house->fixture.log, &fault),
			 ERR_STORAGE);
	assert_null(readers);
	assert_true(fault.sentence[0] != '\0');
	readers_free(NULL);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(more_threads_than_readers_each_see_their_scope),
		HOUSE(who_comes_when_all_are_out_waits_for_the_first_to_return),
		HOUSE(what_one_left_open_is_closed_for_the_next),
		HOUSE(each_visit_sees_the_newest_moment),
		HOUSE(a_visit_that_reads_for_too_long_is_ended_and_the_caller_told),
		HOUSE(without_a_database_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
