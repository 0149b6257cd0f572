#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "store/query.h"
#include "store/writer.h"

#define THREADS          8
#define ITEMS_PER_THREAD 2000

struct house {
	struct fixture fixture;
	const struct scope *a;
	const struct scope *b;
	sqlite3 *plain; /* for the writer's thread inside done, or the test's after all are done */
	struct writer *writer;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t moved;
	size_t done;
};

/* One write: an article's mention named `name`, then `outcome`. */
struct note {
	struct writer_item item;
	struct house *house;
	struct uuid id;
	char name[24];
	enum err outcome;
	struct door *door;   /* passed before writing, or NULL */
	const char *look_up; /* a name in the same scope that it asks for, or NULL */
	enum err found;
	enum err answer;
	int64_t seen; /* rows of that name that another connection saw when done was called */
	int answers;
};

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);

	fixture_open(&house->fixture);
	house->a = fixture_organization(&house->fixture, 'a');
	house->b = fixture_organization(&house->fixture, 'b');
	house->plain = fixture_plain(&house->fixture);
	pthread_mutex_init(&house->lock, NULL);
	pthread_cond_init(&house->moved, NULL);
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	writer_free(house->writer);
	assert_int_equal(sqlite3_close(house->plain), SQLITE_OK);
	fixture_close(&house->fixture);
	pthread_cond_destroy(&house->moved);
	pthread_mutex_destroy(&house->lock);
	test_free(house);
	return 0;
}

static void start(struct house *house, size_t queue_limit, size_t batch_limit)
{
	struct fault fault = { 0 };

	assert_int_equal(writer_start(&house->writer,
				      &(struct writer_options){ .url = house->fixture.url,
								.queue_limit = queue_limit,
								.batch_limit = batch_limit,
								.log = &house->fixture.log,
								.metrics = house->fixture.metrics },
				      &fault),
			 OK);
}

static void stop(struct house *house)
{
	writer_free(house->writer);
	house->writer = NULL;
}

static enum err write_note(struct db *db, void *context)
{
	struct note *note = context;
	const struct text name = text_of(note->name);
	struct visitor_by_email_out out;
	enum err err;

	if (note->door != NULL)
		door_pass(note->door);
	err = query_run(
	    db, STATEMENT_VISITOR_CREATE,
	    &(struct visitor_create_in){ .id = note->id, .email = name, .source = TEXT("test"), .created_at = 1 },
	    NULL);
	if (err == OK && note->look_up != NULL)
		note->found = query_one(db, STATEMENT_VISITOR_BY_EMAIL,
					&(struct visitor_by_email_in){ .email = text_of(note->look_up) }, &out,
					&note->house->fixture.arena);
	return err == OK ? note->outcome : err;
}

static int64_t rows_named(struct house *house, const char *name)
{
	char sql[128];

	snprintf(sql, sizeof sql, "SELECT count(*) FROM visitors WHERE email = '%s'", name);
	return fixture_number(house->plain, sql);
}

static void note_done(void *context, enum err outcome)
{
	struct note *note = context;

	note->answer = outcome;
	note->answers++;
	note->seen = rows_named(note->house, note->name);
	pthread_mutex_lock(&note->house->lock);
	note->house->done++;
	pthread_cond_broadcast(&note->house->moved);
	pthread_mutex_unlock(&note->house->lock);
}

static void make(struct note *note, struct house *house, const struct scope *scope, const char *name)
{
	*note = (struct note){ .house = house, .id = uuid_new(), .found = OK };
	snprintf(note->name, sizeof note->name, "%s", name);
	note->item = (struct writer_item){ .scope = scope, .run = write_note, .done = note_done, .context = note };
}

static void submit(struct note *note)
{
	assert_int_equal(writer_submit(note->house->writer, &note->item), OK);
}

static void await(struct house *house, size_t count)
{
	pthread_mutex_lock(&house->lock);
	while (house->done < count)
		pthread_cond_wait(&house->moved, &house->lock);
	pthread_mutex_unlock(&house->lock);
}

/* Holds the writer inside an item, so that what is submitted now waits together. */
static void hold(struct note *holder, struct house *house, struct door *door)
{
	door_init(door);
	make(holder, house, house->a, "holder");
	holder->door = door;
	submit(holder);
	door_await(door, 1);
}

static void an_answer_comes_when_another_connection_sees_the_row(void **state)
{
	struct house *house = *state;
	struct note notes[20];
	struct note holder;
	struct door door;

	start(house, 100, 100);
	hold(&holder, house, &door);
	assert_int_equal(rows_named(house, "holder"), 0);
	for (size_t i = 0; i < 20; i++) {
		char name[24];

		snprintf(name, sizeof name, "n%zu", i);
		make(&notes[i], house, house->a, name);
		submit(&notes[i]);
	}
	assert_int_equal(writer_depth(house->writer), 20);
	door_open(&door);
	await(house, 21);
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(notes[i].answer, OK);
		assert_int_equal(notes[i].answers, 1);
		assert_int_equal(notes[i].seen, 1);
	}
	assert_int_equal(holder.seen, 1);
	assert_int_equal(house->fixture.metrics->batch_size.sum, 21);
	door_fini(&door);
}

static void two_organizations_in_one_batch_do_not_see_each_other(void **state)
{
	struct house *house = *state;
	struct note holder;
	struct note a;
	struct note b;
	struct note again;
	struct door door;

	start(house, 100, 100);
	hold(&holder, house, &door);
	make(&a, house, house->a, "same");
	a.look_up = "holder";
	make(&b, house, house->b, "same");
	b.look_up = "holder";
	make(&again, house, house->a, "same");
	submit(&a);
	submit(&b);
	submit(&again);
	door_open(&door);
	await(house, 4);
	assert_int_equal(a.answer, OK);
	assert_int_equal(a.found, OK);
	assert_int_equal(b.answer, OK);
	assert_int_equal(b.found, ERR_NOT_FOUND);
	assert_int_equal(again.answer, ERR_CONFLICT);
	assert_int_equal(fixture_number(house->plain, "SELECT count(DISTINCT organization_id) FROM visitors "
						      "WHERE email = 'same'"),
			 2);
	assert_int_equal(rows_named(house, "same"), 2);
	door_fini(&door);
}

static void a_failing_item_undoes_itself_alone(void **state)
{
	static const enum err outcomes[] = { OK, ERR_INVALID, OK, ERR_NOT_FOUND, ERR_STORAGE, OK };
	struct house *house = *state;
	struct note notes[6];
	struct note holder;
	struct door door;

	start(house, 100, 100);
	hold(&holder, house, &door);
	for (size_t i = 0; i < 6; i++) {
		char name[24];

		snprintf(name, sizeof name, "n%zu", i);
		make(&notes[i], house, i % 2 == 0 ? house->a : house->b, name);
		notes[i].outcome = outcomes[i];
		submit(&notes[i]);
	}
	door_open(&door);
	await(house, 7);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(notes[i].answer, outcomes[i]);
		assert_int_equal(notes[i].seen, outcomes[i] == OK ? 1 : 0);
	}
	door_fini(&door);
}

static void an_item_of_an_organization_that_is_not_there_fails_alone(void **state)
{
	struct house *house = *state;
	struct note lost;
	struct note kept;

	fixture_run(house->plain, "DELETE FROM organizations WHERE slug = 'b'");
	start(house, 100, 100);
	make(&lost, house, house->b, "lost");
	make(&kept, house, house->a, "kept");
	submit(&lost);
	submit(&kept);
	await(house, 2);
	assert_int_equal(lost.answer, ERR_CONFLICT);
	assert_int_equal(lost.seen, 0);
	assert_int_equal(kept.answer, OK);
	assert_int_equal(kept.seen, 1);
}

static void a_full_queue_refuses_and_never_answers(void **state)
{
	struct house *house = *state;
	struct note notes[3];
	struct note holder;
	struct door door;

	start(house, 2, 100);
	hold(&holder, house, &door);
	for (size_t i = 0; i < 3; i++) {
		make(&notes[i], house, house->a, i == 0 ? "first" : i == 1 ? "second" : "third");
		assert_int_equal(writer_submit(house->writer, &notes[i].item), i < 2 ? OK : ERR_UNAVAILABLE);
	}
	assert_int_equal(writer_depth(house->writer), 2);
	assert_int_equal(house->fixture.metrics->rejected, 1);
	door_open(&door);
	await(house, 3);
	/* There is room again. */
	assert_int_equal(writer_perform(house->writer, house->a, write_note, &notes[2]), OK);
	stop(house);
	assert_int_equal(notes[2].answers, 0);
	assert_int_equal(rows_named(house, "third"), 1);
	door_fini(&door);
}

static void a_batch_has_its_limit(void **state)
{
	struct house *house = *state;
	struct note notes[10];
	struct note holder;
	struct door door;

	start(house, 100, 3);
	hold(&holder, house, &door);
	for (size_t i = 0; i < 10; i++) {
		char name[24];

		snprintf(name, sizeof name, "n%zu", i);
		make(&notes[i], house, house->a, name);
		submit(&notes[i]);
	}
	door_open(&door);
	await(house, 11);
	assert_true(house->fixture.metrics->batch_size.count >= 5);
	assert_int_equal(house->fixture.metrics->batch_size.sum, 11);
	/* None above four: a batch of three is in the bucket "up to four". */
	for (size_t i = 3; i <= METRICS_BUCKETS; i++)
		assert_int_equal(house->fixture.metrics->batch_size.buckets[i], 0);
	door_fini(&door);
}

static void stopping_finishes_what_waits(void **state)
{
	struct house *house = *state;
	struct note notes[100];
	struct note holder;
	struct door door;

	start(house, 1000, 7);
	hold(&holder, house, &door);
	for (size_t i = 0; i < 100; i++) {
		char name[24];

		snprintf(name, sizeof name, "n%zu", i);
		make(&notes[i], house, house->a, name);
		submit(&notes[i]);
	}
	door_open(&door);
	stop(house);
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(notes[i].answers, 1);
		assert_int_equal(notes[i].answer, OK);
	}
	assert_int_equal(house->done, 101);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM visitors"), 101);
	door_fini(&door);
}

struct crowd {
	struct house *house;
	size_t number;
	struct note *notes;
	size_t refused;
};

static enum err write_many(struct db *db, void *context)
{
	struct note *note = context;

	return query_run(db, STATEMENT_VISITOR_CREATE,
			 &(struct visitor_create_in){ .id = note->id, .email = text_of(note->name), .created_at = 1 },
			 NULL);
}

static void count_done(void *context, enum err outcome)
{
	struct note *note = context;

	note->answer = outcome;
	note->answers++;
	pthread_mutex_lock(&note->house->lock);
	note->house->done++;
	pthread_cond_broadcast(&note->house->moved);
	pthread_mutex_unlock(&note->house->lock);
}

static void *submit_many(void *given)
{
	struct crowd *crowd = given;

	for (size_t i = 0; i < ITEMS_PER_THREAD; i++) {
		struct note *note = &crowd->notes[i];
		char name[24];

		snprintf(name, sizeof name, "%zu.%zu", crowd->number, i);
		make(note, crowd->house, crowd->number % 2 == 0 ? crowd->house->a : crowd->house->b, name);
		note->item.run = write_many;
		note->item.done = count_done;
		if (writer_submit(crowd->house->writer, &note->item) != OK)
			crowd->refused++;
	}
	return NULL;
}

static void what_eight_threads_submit_is_all_there(void **state)
{
	struct house *house = *state;
	struct crowd crowds[THREADS];
	pthread_t threads[THREADS];

	start(house, (size_t)THREADS * ITEMS_PER_THREAD, 512);
	for (size_t i = 0; i < THREADS; i++) {
		crowds[i] = (struct crowd){ .house = house,
					    .number = i,
					    .notes = test_calloc(ITEMS_PER_THREAD, sizeof(struct note)) };
		assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &crowds[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	await(house, (size_t)THREADS * ITEMS_PER_THREAD);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(crowds[i].refused, 0);
		for (size_t j = 0; j < ITEMS_PER_THREAD; j++) {
			assert_int_equal(crowds[i].notes[j].answers, 1);
			assert_int_equal(crowds[i].notes[j].answer, OK);
		}
		test_free(crowds[i].notes);
	}
	assert_int_equal(fixture_number(house->plain, "SELECT count(DISTINCT email) FROM visitors"),
			 THREADS * ITEMS_PER_THREAD);
	assert_int_equal(fixture_number(house->plain, "SELECT count(*) FROM visitors AS v JOIN organizations AS o "
						      "ON o.id = v.organization_id WHERE o.slug = 'a'"),
			 THREADS * ITEMS_PER_THREAD / 2);
	assert_int_equal(house->fixture.metrics->batch_size.sum, THREADS * ITEMS_PER_THREAD);
	assert_int_equal(house->fixture.metrics->rejected, 0);
}

static void performing_waits_for_the_outcome_and_tells_it(void **state)
{
	struct house *house = *state;
	struct note note;

	start(house, 10, 10);
	make(&note, house, house->a, "performed");
	assert_int_equal(writer_perform(house->writer, house->a, write_note, &note), OK);
	assert_int_equal(rows_named(house, "performed"), 1);
	assert_int_equal(writer_perform(house->writer, house->a, write_note, &note), ERR_CONFLICT);
	make(&note, house, house->a, "undone");
	note.outcome = ERR_FORBIDDEN;
	assert_int_equal(writer_perform(house->writer, house->a, write_note, &note), ERR_FORBIDDEN);
	assert_int_equal(rows_named(house, "undone"), 0);
}

/* A request whose body comes when the server has given up waiting for it. */
static void what_comes_after_the_stop_is_refused(void **state)
{
	struct house *house = *state;
	struct note note;

	start(house, 100, 7);
	make(&note, house, house->a, "late");
	writer_stop(house->writer);
	assert_int_equal(writer_submit(house->writer, &note.item), ERR_UNAVAILABLE);
	assert_int_equal(writer_perform(house->writer, house->a, write_note, &note), ERR_UNAVAILABLE);
	assert_int_equal(writer_depth(house->writer), 0);
	assert_false(writer_is_saturated(house->writer));
	stop(house);
	assert_int_equal(note.answers, 0);
	assert_int_equal(rows_named(house, "late"), 0);
}

static void without_a_database_it_does_not_start(void **state)
{
	struct house *house = *state;
	struct fault fault = { 0 };
	struct writer *writer = NULL;

	assert_int_equal(writer_start(&writer,
				      &(struct writer_options){ .url = TEXT("sqlite:/nowhere/at/all"),
								.queue_limit = 1,
								.batch_limit = 1,
								.log = &house->fixture.log,
								.metrics = house->fixture.metrics },
				      &fault),
			 ERR_STORAGE);
	assert_null(writer);
	assert_true(fault.sentence[0] != '\0');
	writer_stop(NULL);
	writer_free(NULL);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(an_answer_comes_when_another_connection_sees_the_row),
		HOUSE(two_organizations_in_one_batch_do_not_see_each_other),
		HOUSE(a_failing_item_undoes_itself_alone),
		HOUSE(an_item_of_an_organization_that_is_not_there_fails_alone),
		HOUSE(a_full_queue_refuses_and_never_answers),
		HOUSE(a_batch_has_its_limit),
		HOUSE(stopping_finishes_what_waits),
		HOUSE(what_comes_after_the_stop_is_refused),
		HOUSE(what_eight_threads_submit_is_all_there),
		HOUSE(performing_waits_for_the_outcome_and_tells_it),
		HOUSE(without_a_database_it_does_not_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
