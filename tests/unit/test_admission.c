#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/admission_queue.h"
#include "store/saturation.h"

#define MILLISECOND INT64_C(1000)
#define SECOND      INT64_C(1000000)
#define START       (1000 * SECOND)
#define SHARE       0.04

/* The queue, as a server would use it, with a clock that is moved by hand. */
struct waiting_room {
	struct admission_queue queue;
	int64_t now;
	struct admission_ticket tickets[ADMISSION_WAITING + 1];
	size_t made;
};

static int open_room(void **state)
{
	struct waiting_room *room = test_calloc(1, sizeof *room);

	admission_queue_init(&room->queue, SHARE);
	room->now = START;
	*state = room;
	return 0;
}

static int close_room(void **state)
{
	test_free(*state);
	return 0;
}

static struct uuid organization(unsigned number)
{
	struct uuid id = { { 0 } };

	memcpy(id.bytes, &number, sizeof number);
	return id;
}

static struct admission_ticket *join(struct waiting_room *room, unsigned number)
{
	struct admission_ticket *ticket = &room->tickets[room->made++];

	ticket->organization = organization(number);
	return admission_queue_join(&room->queue, ticket, room->now) ? ticket : NULL;
}

static struct admission_ticket *next(struct waiting_room *room, enum admission_verdict expected)
{
	struct admission_ticket *ticket;
	int64_t until;

	assert_int_equal(admission_queue_next(&room->queue, room->now, false, &ticket, &until), expected);
	return ticket;
}

/* Uses up what was saved, so that the bucket is empty now. */
static void use_up(struct waiting_room *room)
{
	admission_queue_charge(&room->queue, room->now, (int64_t)(ADMISSION_SAVED * SHARE));
}

static void reads_take_their_share_of_time_and_no_more(void **state)
{
	struct waiting_room *room = *state;
	const int64_t end = START + 100 * SECOND;
	int64_t read = 0;

	/* Reads of 300 microseconds, as many as may. */
	for (; room->now < end; room->now += 100) {
		while (admission_queue_is_free(&room->queue, room->now)) {
			admission_queue_charge(&room->queue, room->now, 300);
			read += 300;
		}
	}
	assert_in_range(read, (int64_t)(100 * SECOND * SHARE),
			(int64_t)((100 * SECOND + ADMISSION_SAVED) * SHARE) + 300);
}

static void what_was_saved_in_a_rest_is_half_a_second_of_it(void **state)
{
	struct waiting_room *room = *state;
	int64_t read = 0;

	room->now += 1000 * SECOND;
	while (admission_queue_is_free(&room->queue, room->now)) {
		admission_queue_charge(&room->queue, room->now, 100);
		read += 100;
	}
	assert_in_range(read, (int64_t)(ADMISSION_SAVED * SHARE), (int64_t)(ADMISSION_SAVED * SHARE) + 200);
}

static void who_comes_while_somebody_waits_does_not_go_before(void **state)
{
	struct waiting_room *room = *state;
	struct admission_ticket *first;

	use_up(room);
	admission_queue_charge(&room->queue, room->now, 100);
	assert_false(admission_queue_is_free(&room->queue, room->now));
	first = join(room, 1);
	room->now += 100 * MILLISECOND;
	assert_false(admission_queue_is_free(&room->queue, room->now));
	assert_ptr_equal(next(room, ADMISSION_READ), first);
	assert_true(admission_queue_is_free(&room->queue, room->now));
}

static void organizations_take_turns_and_each_is_served_in_order(void **state)
{
	struct waiting_room *room = *state;
	/* Organization 1 has come with three before 2 and 3 came with two and one. */
	struct admission_ticket *a[3] = { join(room, 1), join(room, 1), join(room, 1) };
	struct admission_ticket *b[2] = { join(room, 2), join(room, 2) };
	struct admission_ticket *c = join(room, 3);
	struct admission_ticket *const order[] = { a[0], b[0], c, a[1], b[1], a[2] };

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		assert_ptr_equal(next(room, ADMISSION_READ), order[i]);
	assert_null(next(room, ADMISSION_LATER));
	assert_int_equal(room->queue.waiting, 0);
}

static void a_single_read_waits_for_one_of_each_other_organization(void **state)
{
	struct waiting_room *room = *state;
	struct admission_ticket *single;

	for (int i = 0; i < 100; i++)
		(void)join(room, 1);
	/* One that comes back at once, whenever it was served, gains nothing by that. */
	(void)join(room, 2);
	for (unsigned i = 0; i < 20; i++) {
		const unsigned served = next(room, ADMISSION_READ)->organization.bytes[0];

		assert_int_equal(served, i % 2 + 1);
		if (served == 2)
			(void)join(room, 2);
	}
	single = join(room, 3);
	assert_int_equal(next(room, ADMISSION_READ)->organization.bytes[0], 1);
	assert_int_equal(next(room, ADMISSION_READ)->organization.bytes[0], 2);
	assert_ptr_equal(next(room, ADMISSION_READ), single);
}

static void what_one_read_took_too_long_holds_others_up_a_second_at_most(void **state)
{
	struct waiting_room *room = *state;
	struct admission_ticket *ticket;
	struct admission_ticket *handed;
	int64_t until;

	admission_queue_charge(&room->queue, room->now, 3600 * SECOND);
	ticket = join(room, 1);
	assert_int_equal(admission_queue_next(&room->queue, room->now, false, &handed, &until), ADMISSION_LATER);
	assert_int_equal(until, room->now + ADMISSION_OWED);
	room->now = until;
	assert_ptr_equal(next(room, ADMISSION_READ), ticket);
}

static void nobody_waits_longer_than_is_promised(void **state)
{
	struct waiting_room *room = *state;
	struct admission_ticket *b = join(room, 2);
	struct admission_ticket *a[3];

	room->now++;
	for (size_t i = 0; i < 3; i++)
		a[i] = join(room, 1);
	/* Always something has just been read that took long. */
	for (int64_t end = START + ADMISSION_PATIENCE; room->now < end; room->now += 100 * MILLISECOND) {
		admission_queue_charge(&room->queue, room->now, SECOND);
		assert_null(next(room, ADMISSION_LATER));
	}
	/* Each organization is served something, and what else has waited as long is told so. */
	assert_ptr_equal(next(room, ADMISSION_READ), b);
	assert_ptr_equal(next(room, ADMISSION_READ), a[0]);
	assert_ptr_equal(next(room, ADMISSION_REFUSED), a[1]);
	assert_ptr_equal(next(room, ADMISSION_REFUSED), a[2]);
	assert_null(next(room, ADMISSION_LATER));
}

static void while_it_is_open_all_are_served_at_once(void **state)
{
	struct waiting_room *room = *state;
	struct admission_ticket *ticket;
	int64_t until;

	admission_queue_charge(&room->queue, room->now, SECOND);
	for (int i = 0; i < 3; i++)
		(void)join(room, 1);
	room->now += 2 * (int64_t)ADMISSION_PATIENCE;
	for (int i = 0; i < 3; i++)
		assert_int_equal(admission_queue_next(&room->queue, room->now, true, &ticket, &until), ADMISSION_READ);
	assert_int_equal(admission_queue_next(&room->queue, room->now, true, &ticket, &until), ADMISSION_LATER);
	assert_int_equal(until, INT64_MAX);
}

static void one_organization_cannot_take_every_place(void **state)
{
	struct waiting_room *room = *state;

	for (size_t i = 0; i < ADMISSION_OF_ORGANIZATION; i++)
		assert_non_null(join(room, 1));
	assert_null(join(room, 1));
	assert_non_null(join(room, 2));
}

static void the_places_are_counted(void **state)
{
	struct waiting_room *room = *state;

	for (unsigned i = 0; i < ADMISSION_WAITING; i++)
		assert_non_null(join(room, i));
	assert_null(join(room, ADMISSION_WAITING));
	assert_non_null(next(room, ADMISSION_READ));
	room->made--;
	assert_non_null(join(room, ADMISSION_WAITING));
}

static void who_is_withdrawn_is_not_served(void **state)
{
	struct waiting_room *room = *state;
	struct admission_ticket *a[3] = { join(room, 1), join(room, 1), join(room, 1) };
	struct admission_ticket *b = join(room, 2);

	assert_true(admission_queue_withdraw(&room->queue, a[1]));
	assert_false(admission_queue_withdraw(&room->queue, a[1]));
	assert_true(admission_queue_withdraw(&room->queue, a[2]));
	struct admission_ticket *late = join(room, 1);

	assert_true(admission_queue_withdraw(&room->queue, a[0]));
	assert_ptr_equal(next(room, ADMISSION_READ), late);
	assert_true(admission_queue_withdraw(&room->queue, b));
	assert_null(next(room, ADMISSION_LATER));
	assert_int_equal(room->queue.waiting, 0);
	assert_int_equal(room->queue.turn_count, 0);
}

/* Tells of a second of commits, one a millisecond; `unbroken` of ten followed one another. */
static bool commits(struct saturation *saturation, int64_t *now, int unbroken)
{
	bool high = false;

	for (int i = 0; i < 1000; i++) {
		*now += MILLISECOND;
		high = saturation_note(saturation, *now, i % 10 < unbroken);
	}
	return high;
}

static void a_writer_that_never_pauses_is_saturated(void **state)
{
	struct saturation saturation = { 0 };
	int64_t now = START;

	(void)state;
	assert_false(commits(&saturation, &now, 0));
	assert_false(commits(&saturation, &now, 4));
	assert_true(commits(&saturation, &now, 7));
	/* It begins above a half and ends below an eighth. */
	assert_true(commits(&saturation, &now, 4));
	assert_false(commits(&saturation, &now, 1));
	assert_false(commits(&saturation, &now, 4));
	assert_true(commits(&saturation, &now, 10));
}

static void one_long_commit_saturates_nothing(void **state)
{
	struct saturation saturation = { 0 };
	int64_t now = START;

	(void)state;
	assert_false(saturation_note(&saturation, now, true));
	for (int i = 0; i < 10; i++) {
		now += 10 * SECOND; /* a pause, then a commit */
		assert_false(saturation_note(&saturation, now, false));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_take_their_share_of_time_and_no_more, open_room, close_room),
		cmocka_unit_test_setup_teardown(what_was_saved_in_a_rest_is_half_a_second_of_it, open_room, close_room),
		cmocka_unit_test_setup_teardown(who_comes_while_somebody_waits_does_not_go_before, open_room,
						close_room),
		cmocka_unit_test_setup_teardown(organizations_take_turns_and_each_is_served_in_order, open_room,
						close_room),
		cmocka_unit_test_setup_teardown(a_single_read_waits_for_one_of_each_other_organization, open_room,
						close_room),
		cmocka_unit_test_setup_teardown(what_one_read_took_too_long_holds_others_up_a_second_at_most, open_room,
						close_room),
		cmocka_unit_test_setup_teardown(nobody_waits_longer_than_is_promised, open_room, close_room),
		cmocka_unit_test_setup_teardown(while_it_is_open_all_are_served_at_once, open_room, close_room),
		cmocka_unit_test_setup_teardown(one_organization_cannot_take_every_place, open_room, close_room),
		cmocka_unit_test_setup_teardown(the_places_are_counted, open_room, close_room),
		cmocka_unit_test_setup_teardown(who_is_withdrawn_is_not_served, open_room, close_room),
		cmocka_unit_test(a_writer_that_never_pauses_is_saturated),
		cmocka_unit_test(one_long_commit_saturates_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
