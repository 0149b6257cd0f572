#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "base/worker.h"
#include "fixture.h"

#define MANY    1000
#define THREADS 4

struct trace {
	size_t order[MANY];
	size_t count;
	pthread_t thread;
};

struct job {
	struct worker_item item;
	struct trace *trace;
	struct door *door;
	size_t number;
	size_t runs;
};

static void run_job(void *context)
{
	struct job *job = context;

	if (job->door != NULL)
		door_pass(job->door);
	job->trace->thread = pthread_self();
	job->trace->order[job->trace->count++] = job->number;
	job->runs++;
}

static void make(struct job *job, struct trace *trace, size_t number)
{
	*job = (struct job){ .trace = trace, .number = number };
	job->item = (struct worker_item){ .run = run_job, .context = job };
}

static void work_is_done_in_its_order_on_a_thread_of_its_own(void **state)
{
	static struct job jobs[MANY];
	static struct trace trace;
	struct worker *worker;

	(void)state;
	assert_int_equal(worker_start(&worker, "test", 1, MANY), OK);
	for (size_t i = 0; i < MANY; i++) {
		make(&jobs[i], &trace, i);
		assert_int_equal(worker_submit(worker, &jobs[i].item), OK);
	}
	/* Stopping drops nothing that was taken. */
	worker_free(worker);
	assert_int_equal(trace.count, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(trace.order[i], i);
	assert_false(pthread_equal(trace.thread, pthread_self()));
}

static void a_full_queue_refuses(void **state)
{
	struct job jobs[5];
	struct trace trace = { 0 };
	struct worker *worker;
	struct door door;

	(void)state;
	door_init(&door);
	assert_int_equal(worker_start(&worker, "test", 1, 2), OK);
	for (size_t i = 0; i < 5; i++)
		make(&jobs[i], &trace, i);
	jobs[0].door = &door;
	assert_int_equal(worker_submit(worker, &jobs[0].item), OK);
	door_await(&door, 1); /* taken: it does not wait any more */
	assert_int_equal(worker_submit(worker, &jobs[1].item), OK);
	assert_int_equal(worker_submit(worker, &jobs[2].item), OK);
	assert_int_equal(worker_submit(worker, &jobs[3].item), ERR_UNAVAILABLE);
	assert_int_equal(worker_submit(worker, &jobs[4].item), ERR_UNAVAILABLE);
	door_open(&door);
	worker_free(worker);
	assert_int_equal(trace.count, 3);
	assert_int_equal(jobs[3].runs, 0);
	assert_int_equal(jobs[4].runs, 0);
	door_fini(&door);
}

static void free_job(void *context)
{
	free(context);
}

static void a_job_may_free_itself(void **state)
{
	struct worker *worker;

	(void)state;
	assert_int_equal(worker_start(&worker, "test", 1, 100), OK);
	for (size_t i = 0; i < 100; i++) {
		struct worker_item *item = calloc(1, sizeof *item);

		assert_non_null(item);
		item->run = free_job;
		item->context = item;
		assert_int_equal(worker_submit(worker, item), OK);
	}
	worker_free(worker);
}

struct submitter {
	struct worker *worker;
	struct job *jobs;
};

static void *submit_all(void *given)
{
	struct submitter *submitter = given;

	for (size_t i = 0; i < MANY / THREADS; i++)
		if (worker_submit(submitter->worker, &submitter->jobs[i].item) != OK)
			abort();
	return NULL;
}

static void threads_may_submit_at_the_same_time(void **state)
{
	static struct job jobs[MANY];
	static struct trace trace;
	struct submitter submitters[THREADS];
	pthread_t threads[THREADS];
	struct worker *worker;

	(void)state;
	assert_int_equal(worker_start(&worker, "test", 1, MANY), OK);
	for (size_t i = 0; i < MANY; i++)
		make(&jobs[i], &trace, i);
	for (size_t i = 0; i < THREADS; i++) {
		submitters[i] = (struct submitter){ worker, &jobs[i * (MANY / THREADS)] };
		assert_int_equal(pthread_create(&threads[i], NULL, submit_all, &submitters[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	worker_free(worker);
	assert_int_equal(trace.count, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(jobs[i].runs, 1);
}

static void a_worker_of_several_threads_waits_for_none_of_them(void **state)
{
	struct job jobs[THREADS + 1];
	struct trace traces[THREADS + 1] = { 0 };
	struct worker *worker;
	struct door doors[2];

	(void)state;
	door_init(&doors[0]);
	door_init(&doors[1]);
	assert_int_equal(worker_start(&worker, "test", THREADS, MANY), OK);
	for (size_t i = 0; i < THREADS + 1; i++) {
		make(&jobs[i], &traces[i], i);
		jobs[i].door = &doors[i < THREADS - 1 ? 0 : 1];
		assert_int_equal(worker_submit(worker, &jobs[i].item), OK);
	}
	door_await(&doors[0], THREADS - 1);
	/* All but one are held up: both of the others are done, one after the other. */
	door_open(&doors[1]);
	door_await(&doors[1], 2);
	door_open(&doors[0]);
	worker_free(worker);
	for (size_t i = 0; i < THREADS + 1; i++)
		assert_int_equal(jobs[i].runs, 1);
	door_fini(&doors[0]);
	door_fini(&doors[1]);
}

/* A reply that is late, of a server that ends: what it would have had done is refused, however it comes. */
static void what_comes_after_the_stop_is_refused(void **state)
{
	struct trace trace = { 0 };
	struct worker *worker;
	struct job jobs[2];

	(void)state;
	make(&jobs[0], &trace, 0);
	make(&jobs[1], &trace, 1);
	assert_int_equal(worker_start(&worker, "test", 1, 10), OK);
	assert_int_equal(worker_submit(worker, &jobs[0].item), OK);
	worker_stop(worker);
	assert_int_equal(worker_submit(worker, &jobs[1].item), ERR_UNAVAILABLE);
	worker_stop(worker);
	worker_free(worker);
	assert_int_equal(trace.count, 1);
}

static void stopping_an_idle_worker_or_none_returns(void **state)
{
	struct worker *worker;

	(void)state;
	assert_int_equal(worker_start(&worker, "test", 1, 1), OK);
	worker_free(worker);
	worker_stop(NULL);
	worker_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_is_done_in_its_order_on_a_thread_of_its_own),
		cmocka_unit_test(a_full_queue_refuses),
		cmocka_unit_test(a_job_may_free_itself),
		cmocka_unit_test(threads_may_submit_at_the_same_time),
		cmocka_unit_test(a_worker_of_several_threads_waits_for_none_of_them),
		cmocka_unit_test(what_comes_after_the_stop_is_refused),
		cmocka_unit_test(stopping_an_idle_worker_or_none_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
