#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "api/asking.h"
#include "fixture.h"

#define THREADS 8
#define MOST    6 /* of one party */

struct job {
	struct asking_item item;
	struct door *door; /* passed while it runs, or NULL */
	struct order *order;
	size_t number;
	bool admitted;
	atomic_int runs;
};

/* In which order jobs ran, and who waits for how many. */
struct order {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	size_t numbers[ASKING_WAITING + 8];
	size_t count;
};

static void order_init(struct order *order)
{
	memset(order, 0, sizeof *order);
	pthread_mutex_init(&order->lock, NULL);
	pthread_cond_init(&order->moved, NULL);
}

static void order_await(struct order *order, size_t count)
{
	pthread_mutex_lock(&order->lock);
	while (order->count < count)
		pthread_cond_wait(&order->moved, &order->lock);
	pthread_mutex_unlock(&order->lock);
}

static void order_fini(struct order *order)
{
	pthread_cond_destroy(&order->moved);
	pthread_mutex_destroy(&order->lock);
}

static void run(void *context, bool admitted)
{
	struct job *job = context;

	if (job->door != NULL)
		door_pass(job->door);
	job->admitted = admitted;
	atomic_fetch_add(&job->runs, 1);
	pthread_mutex_lock(&job->order->lock);
	job->order->numbers[job->order->count++] = job->number;
	pthread_cond_broadcast(&job->order->moved);
	pthread_mutex_unlock(&job->order->lock);
}

static struct asking_party party_of(char letter, bool organization)
{
	struct asking_party party = { .organization = organization };

	memset(party.bytes, letter, sizeof party.bytes);
	return party;
}

static enum err submit(struct asking *asking, struct job *job, struct order *order, struct door *door, char party,
		       size_t number)
{
	const struct asking_party whose = party_of(party, true);

	*job = (struct job){ .order = order, .door = door, .number = number };
	job->item.run = run;
	job->item.context = job;
	return asking_submit(asking, &job->item, &whose);
}

static void a_party_never_has_all_threads(void **state)
{
	static struct job jobs[THREADS];
	static struct job other;
	struct asking *asking;
	struct order order;
	struct order others;
	struct door door;

	(void)state;
	order_init(&order);
	order_init(&others);
	door_init(&door);
	assert_int_equal(asking_start(&asking, "asking", THREADS, ASKING_PATIENCE), OK);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(submit(asking, &jobs[i], &order, &door, 'a', i), OK);
	door_await(&door, MOST);
	/* Another one's is run while these hold all that they may. */
	assert_int_equal(submit(asking, &other, &others, NULL, 'b', 0), OK);
	order_await(&others, 1);
	assert_int_equal(order.count, 0);
	assert_int_equal(asking_waiting(asking), THREADS - MOST);
	door_open(&door);
	order_await(&order, THREADS);
	assert_int_equal(asking_waiting(asking), 0);
	asking_free(asking);
	door_fini(&door);
	order_fini(&others);
	order_fini(&order);
}

static void parties_take_turns_and_each_is_served_in_its_order(void **state)
{
	static struct job jobs[12];
	static struct job held;
	static const size_t wanted[12] = { 0, 10, 20, 1, 11, 2, 3, 4, 5, 6, 7, 8 };
	struct asking *asking;
	struct order order;
	struct order first;
	struct door door;

	(void)state;
	order_init(&order);
	order_init(&first);
	door_init(&door);
	assert_int_equal(asking_start(&asking, "asking", 1, ASKING_PATIENCE), OK);
	assert_int_equal(submit(asking, &held, &first, &door, 'x', 0), OK);
	door_await(&door, 1);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(submit(asking, &jobs[i], &order, NULL, 'a', i), OK);
	assert_int_equal(submit(asking, &jobs[9], &order, NULL, 'b', 10), OK);
	assert_int_equal(submit(asking, &jobs[10], &order, NULL, 'b', 11), OK);
	assert_int_equal(submit(asking, &jobs[11], &order, NULL, 'c', 20), OK);
	door_open(&door);
	order_await(&order, 12);
	assert_memory_equal(order.numbers, wanted, sizeof wanted);
	asking_free(asking);
	door_fini(&door);
	order_fini(&first);
	order_fini(&order);
}

static void an_address_and_an_organization_of_the_same_bytes_are_two(void **state)
{
	const struct asking_party address = party_of('a', false);
	static struct job jobs[ASKING_OF_PARTY + 2];
	static struct job held;
	struct asking *asking;
	struct order order;
	struct door door;

	(void)state;
	order_init(&order);
	door_init(&door);
	assert_int_equal(asking_start(&asking, "asking", 1, ASKING_PATIENCE), OK);
	assert_int_equal(submit(asking, &held, &order, &door, 'x', 0), OK);
	door_await(&door, 1);
	for (size_t i = 0; i < ASKING_OF_PARTY; i++)
		assert_int_equal(submit(asking, &jobs[i], &order, NULL, 'a', i), OK);
	/* One more of it is refused, and none of others. */
	assert_int_equal(submit(asking, &jobs[ASKING_OF_PARTY], &order, NULL, 'a', 0), ERR_UNAVAILABLE);
	assert_int_equal(asking_submit(asking, &jobs[ASKING_OF_PARTY].item, &address), OK);
	assert_int_equal(submit(asking, &jobs[ASKING_OF_PARTY + 1], &order, NULL, 'b', 0), OK);
	door_open(&door);
	asking_stop(asking);
	assert_int_equal(order.count, ASKING_OF_PARTY + 3);
	assert_int_equal(submit(asking, &held, &order, NULL, 'x', 0), ERR_UNAVAILABLE);
	asking_free(asking);
	door_fini(&door);
	order_fini(&order);
}

static void there_are_places_for_so_many_and_no_more(void **state)
{
	static struct job jobs[ASKING_WAITING + 1];
	static struct job held;
	struct asking *asking;
	struct order order;
	struct door door;

	(void)state;
	order_init(&order);
	door_init(&door);
	assert_int_equal(asking_start(&asking, "asking", 1, ASKING_PATIENCE), OK);
	assert_int_equal(submit(asking, &held, &order, &door, 'x', 0), OK);
	door_await(&door, 1);
	for (size_t i = 0; i < ASKING_WAITING; i++)
		assert_int_equal(submit(asking, &jobs[i], &order, NULL, (char)('a' + i % 20), i), OK);
	assert_int_equal(submit(asking, &jobs[ASKING_WAITING], &order, NULL, 'z', 0), ERR_UNAVAILABLE);
	door_open(&door);
	asking_free(asking);
	for (size_t i = 0; i < ASKING_WAITING; i++)
		assert_int_equal(atomic_load(&jobs[i].runs), 1);
	door_fini(&door);
	order_fini(&order);
}

static void who_has_waited_too_long_is_refused(void **state)
{
	static struct job held;
	static struct job late;
	struct asking *asking;
	struct order order;
	struct door door;

	(void)state;
	order_init(&order);
	door_init(&door);
	assert_int_equal(asking_start(&asking, "asking", 1, ASKING_PATIENCE), OK);
	assert_int_equal(submit(asking, &held, &order, &door, 'a', 0), OK);
	door_await(&door, 1);
	assert_int_equal(submit(asking, &late, &order, NULL, 'b', 1), OK);
	late.item.since -= ASKING_PATIENCE; /* nobody looks at it while the only thread is held */
	door_open(&door);
	order_await(&order, 2);
	assert_true(held.admitted);
	assert_false(late.admitted);
	asking_free(asking);
	door_fini(&door);
	order_fini(&order);
}

static void *open_door(void *given)
{
	door_open(given);
	return NULL;
}

static void what_is_withdrawn_has_run_to_its_end_or_never_runs(void **state)
{
	static struct job held;
	static struct job waiting[3];
	struct asking *asking;
	struct order order;
	struct door door;
	pthread_t opener;

	(void)state;
	order_init(&order);
	door_init(&door);
	assert_int_equal(asking_start(&asking, "asking", 1, ASKING_PATIENCE), OK);
	assert_int_equal(submit(asking, &held, &order, &door, 'a', 0), OK);
	door_await(&door, 1);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(submit(asking, &waiting[i], &order, NULL, 'b', 1 + i), OK);
	assert_true(asking_withdraw(asking, &waiting[2].item)); /* the last: another may be hung behind */
	assert_int_equal(submit(asking, &waiting[2], &order, NULL, 'b', 3), OK);
	assert_true(asking_withdraw(asking, &waiting[0].item));
	pthread_create(&opener, NULL, open_door, &door);
	assert_false(asking_withdraw(asking, &held.item));
	assert_int_equal(atomic_load(&held.runs), 1);
	pthread_join(opener, NULL);
	order_await(&order, 3);
	asking_free(asking);
	assert_int_equal(atomic_load(&waiting[0].runs), 0);
	assert_int_equal(atomic_load(&waiting[1].runs), 1);
	assert_int_equal(atomic_load(&waiting[2].runs), 1);
	assert_int_equal(order.count, 3);
	door_fini(&door);
	order_fini(&order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_party_never_has_all_threads),
		cmocka_unit_test(parties_take_turns_and_each_is_served_in_its_order),
		cmocka_unit_test(an_address_and_an_organization_of_the_same_bytes_are_two),
		cmocka_unit_test(there_are_places_for_so_many_and_no_more),
		cmocka_unit_test(who_has_waited_too_long_is_refused),
		cmocka_unit_test(what_is_withdrawn_has_run_to_its_end_or_never_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
