#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "api/places.h"

static struct uuid organization(size_t number)
{
	struct uuid id;

	memset(id.bytes, (int)number + 1, sizeof id.bytes);
	return id;
}

static bool enter(struct places *places, size_t number)
{
	const struct uuid id = organization(number);

	return places_enter(places, &id);
}

static void leave(struct places *places, size_t number)
{
	const struct uuid id = organization(number);

	places_leave(places, &id);
}

static void an_organization_has_its_share_and_others_have_theirs(void **state)
{
	struct places *places;

	(void)state;
	assert_int_equal(places_new(&places, 5, 2), OK);
	assert_true(enter(places, 0));
	assert_true(enter(places, 0));
	assert_false(enter(places, 0));
	assert_true(enter(places, 1));
	leave(places, 0);
	assert_true(enter(places, 0));
	assert_false(enter(places, 0));
	places_free(places);
}

static void all_together_have_no_more_than_there_are(void **state)
{
	struct places *places;

	(void)state;
	assert_int_equal(places_new(&places, 3, 2), OK);
	assert_true(enter(places, 0));
	assert_true(enter(places, 0));
	assert_true(enter(places, 1));
	assert_false(enter(places, 1));
	assert_false(enter(places, 2));
	leave(places, 0);
	assert_true(enter(places, 2));
	assert_false(enter(places, 0));
	places_free(places);
}

/* A row that was left and taken again must not be found twice, nor an organization in two rows. */
static void whoever_comes_and_goes_leaves_nothing(void **state)
{
	struct places *places;

	(void)state;
	assert_int_equal(places_new(&places, 2, 2), OK);
	for (size_t i = 0; i < 200; i++) {
		const size_t first = i % 7;
		const size_t second = (i + 1) % 7;

		assert_true(enter(places, first));
		assert_true(enter(places, second));
		assert_false(enter(places, first));
		leave(places, first);
		assert_true(enter(places, second));
		leave(places, second);
		leave(places, second);
	}
	places_free(places);
}

#define ALL   8
#define EACH  3
#define TURNS 20000

struct crowd {
	struct places *places;
	_Atomic size_t inside;
	_Atomic size_t inside_of[4];
	_Atomic bool broken;
};

static void *come_and_go(void *given)
{
	struct crowd *crowd = given;

	for (size_t i = 0; i < TURNS; i++) {
		const size_t number = i % 4;

		if (!enter(crowd->places, number))
			continue;
		if (atomic_fetch_add(&crowd->inside, 1) >= ALL ||
		    atomic_fetch_add(&crowd->inside_of[number], 1) >= EACH)
			atomic_store(&crowd->broken, true);
		atomic_fetch_sub(&crowd->inside_of[number], 1);
		atomic_fetch_sub(&crowd->inside, 1);
		leave(crowd->places, number);
	}
	return NULL;
}

static void threads_do_not_take_more_than_there_are(void **state)
{
	struct crowd crowd = { 0 };
	pthread_t threads[4];

	(void)state;
	assert_int_equal(places_new(&crowd.places, ALL, EACH), OK);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &crowd), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_false(atomic_load(&crowd.broken));
	for (size_t i = 0; i < EACH; i++)
		assert_true(enter(crowd.places, 0));
	places_free(crowd.places);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_organization_has_its_share_and_others_have_theirs),
		cmocka_unit_test(all_together_have_no_more_than_there_are),
		cmocka_unit_test(whoever_comes_and_goes_leaves_nothing),
		cmocka_unit_test(threads_do_not_take_more_than_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
