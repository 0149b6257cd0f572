#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/bulletin.h"
#include "api/conversations.h"
#include "auth/tenant.h"
#include "postgres_house.h"
#include "store/query.h"

#define OURS  'a'
#define NOTES 6
#define WORDS 4096

/* Writes that nobody waits for (db_send) and that fail: each alone, with what it had to tell others. */
struct scene {
	struct postgres_house of;
	PGconn *plain; /* without the house's own code; hears notices */
	const struct scope *ours;
	struct writer *writer;
	struct bulletin *bulletins[WRITER_LANES];
	struct door door;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t moved;
	size_t done;
	size_t idled;
};

enum fate { STORED, DOUBLE, MISSING };

/* One write: a visitor, whose e-mail says which. */
struct note {
	struct writer_item item;
	struct scene *scene;
	enum fate fate;
	struct uuid id; /* also what others hear */
	char email[24];
	bool holds; /* passes the door first */
	unsigned again;
	enum err answer;
	int answers;
};

static void end_item(void *context, struct db *db, bool kept)
{
	const struct scene *scene = context;

	bulletin_end_item(scene->bulletins[db_lane(db)], kept);
}

static enum err settle(struct db *db, void *context)
{
	const struct scene *scene = context;

	return bulletin_send(scene->bulletins[db_lane(db)], db);
}

static enum err send_visitor(struct db *db, const struct uuid *id, const char *email);

/* A step of work that nobody waits for, of which one part always fails and another does not: as of two organizations.
 */
static enum err idle(struct db *db, void *context, bool *more)
{
	struct scene *scene = context;
	const struct uuid ids[] = { uuid_new(), uuid_new() };
	enum err err = OK;

	for (size_t i = 0; err == OK && scene->idled < 3 && i < 2; i++) {
		const char *emails[] = { "held", scene->idled < 2 ? "first step" : "second step" };
		enum err left;

		err = db_enter(db, scene->ours);
		if (err == OK)
			err = send_visitor(db, &ids[i], emails[i]);
		if (err == OK && i == 0)
			err = db_catch_up(db);
		left = db_leave(db, err == OK);
		err = i == 0 && left == OK ? OK : left;
	}
	pthread_mutex_lock(&scene->lock);
	scene->idled += scene->idled < 3;
	pthread_cond_broadcast(&scene->moved);
	pthread_mutex_unlock(&scene->lock);
	*more = scene->idled < 3;
	return err;
}

static void forget(void *context, struct db *db)
{
	const struct scene *scene = context;

	bulletin_forget(scene->bulletins[db_lane(db)]);
}

static int open_house(void **state)
{
	struct scene *scene = test_calloc(1, sizeof *scene);
	const struct uuid id = fixture_id(OURS);
	char text[UUID_TEXT_SIZE];
	char sql[256];

	postgres_house_open(&scene->of);
	scene->plain = postgres_house_reach(&scene->of, "postgres");
	uuid_format(&id, text);
	snprintf(sql, sizeof sql,
		 "SET search_path = innkeeper; LISTEN innkeeper; INSERT INTO organizations "
		 "(id, slug, organization_name, created_at, updated_at) VALUES ('%s', 'a', 'A', 1, 1)",
		 text);
	postgres_run(scene->plain, sql);
	scene->ours = tenant_scope(&scene->of.fixture.arena, &id);
	for (size_t i = 0; i < WRITER_LANES; i++)
		assert_int_equal(bulletin_new(&scene->bulletins[i]), OK);
	door_init(&scene->door);
	pthread_mutex_init(&scene->lock, NULL);
	pthread_cond_init(&scene->moved, NULL);
	*state = scene;
	return 0;
}

static int close_house(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < WRITER_LANES; i++)
		bulletin_free(scene->bulletins[i]);
	PQfinish(scene->plain);
	pthread_cond_destroy(&scene->moved);
	pthread_mutex_destroy(&scene->lock);
	door_fini(&scene->door);
	postgres_house_close(&scene->of);
	test_free(scene);
	return 0;
}

static void start_with(struct scene *scene, enum err (*step)(struct db *db, void *context, bool *more))
{
	struct fault fault = { 0 };
	const struct writer_options options = {
		.url = scene->of.fixture.url,
		.queue_limit = 100,
		.batch_limit = 100,
		.hooks = { .context = scene, .end_item = end_item, .settle = settle, .forget = forget, .idle = step },
		.log = &scene->of.fixture.log,
		.metrics = scene->of.fixture.metrics,
	};

	if (writer_start(&scene->writer, &options, &fault) != OK)
		fail_msg("%s", fault.sentence);
}

static void start(struct scene *scene)
{
	start_with(scene, NULL);
}

static enum err send_visitor(struct db *db, const struct uuid *id, const char *email)
{
	return db_send(
	    db, STATEMENT_VISITOR_CREATE,
	    &(struct visitor_create_in){ .id = *id, .email = text_of(email), .source = TEXT("test"), .created_at = 1 });
}

static enum err change_nobody(struct db *db, const struct uuid *id)
{
	return db_send(db, STATEMENT_VISITOR_CHANGE,
		       &(struct visitor_change_in){ .id = *id, .email = TEXT("x"), .last_active_at = 1 });
}

static enum err write_note(struct db *db, void *context)
{
	struct note *note = context;

	if (note->holds)
		door_pass(&note->scene->door);
	bulletin_keys(note->scene->bulletins[db_lane(db)], &note->id);
	if (note->fate == MISSING)
		return change_nobody(db, &note->id);
	return send_visitor(db, &note->id, note->email);
}

static void note_done(void *context, enum err outcome)
{
	struct note *note = context;

	note->answer = outcome;
	note->answers++;
	pthread_mutex_lock(&note->scene->lock);
	note->scene->done++;
	pthread_cond_broadcast(&note->scene->moved);
	pthread_mutex_unlock(&note->scene->lock);
}

static void note_again(void *context)
{
	struct note *note = context;

	note->again++;
}

static void submit(struct note *note, struct scene *scene, enum fate fate, const char *email, bool again)
{
	note->scene = scene;
	note->fate = fate;
	note->id = uuid_new();
	snprintf(note->email, sizeof note->email, "%s", email);
	note->item = (struct writer_item){ .scope = scene->ours,
					   .run = write_note,
					   .done = note_done,
					   .again = again ? note_again : NULL,
					   .context = note };
	assert_int_equal(writer_submit(scene->writer, &note->item), OK);
}

static void await(struct scene *scene, size_t count)
{
	pthread_mutex_lock(&scene->lock);
	while (scene->done < count)
		pthread_cond_wait(&scene->moved, &scene->lock);
	pthread_mutex_unlock(&scene->lock);
}

static int64_t rows_of(struct scene *scene, const char *email)
{
	PGresult *result;
	char sql[128];
	int64_t rows;

	snprintf(sql, sizeof sql, "SELECT count(*) FROM visitors WHERE email = '%s'", email);
	result = postgres_ask(scene->plain, sql);
	rows = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return rows;
}

static bool is_told(const char *words, const struct note *note)
{
	char id[UUID_TEXT_SIZE];

	uuid_format(&note->id, id);
	return strstr(words, id) != NULL;
}

/* All that was said until the note was told. */
static void hear_until(struct scene *scene, const struct note *note, char words[WORDS])
{
	struct pollfd socket = { .fd = PQsocket(scene->plain), .events = POLLIN };
	size_t length = 0;

	words[0] = '\0';
	while (!is_told(words, note)) {
		PGnotify *heard = PQnotifies(scene->plain);

		if (heard == NULL) {
			assert_int_equal(poll(&socket, 1, 10000), 1);
			assert_int_equal(PQconsumeInput(scene->plain), 1);
			continue;
		}
		length += (size_t)snprintf(words + length, WORDS - length, "%s", heard->extra);
		PQfreemem(heard);
		assert_true(length < WORDS);
	}
}

/* Several items that wait together, some of which fail by what they sent. `again`: they may be run twice, and so run
 * without care first. */
static void check_batch(struct scene *scene, const enum fate fates[NOTES], bool again)
{
	static const char *const emails[NOTES] = { "first", "second", "third", "fourth", "fifth", "sixth" };
	struct note held = { .holds = true };
	struct note notes[NOTES] = { 0 };
	struct note last = { 0 };
	char words[WORDS];

	start(scene);
	submit(&held, scene, STORED, "held", again);
	door_await(&scene->door, 1);
	for (size_t i = 0; i < NOTES; i++)
		submit(&notes[i], scene, fates[i], fates[i] == DOUBLE ? "held" : emails[i], again);
	door_open(&scene->door);
	await(scene, 1 + NOTES);
	/* Nothing of it is left over for the next. */
	submit(&last, scene, STORED, "last", again);
	await(scene, 2 + NOTES);
	hear_until(scene, &last, words);
	assert_int_equal(held.answer, OK);
	assert_true(is_told(words, &held));
	for (size_t i = 0; i < NOTES; i++) {
		assert_int_equal(notes[i].answers, 1);
		assert_int_equal(notes[i].answer, fates[i] == STORED ? OK : ERR_CONFLICT);
		assert_true(notes[i].again <= again);
		assert_true(fates[i] == STORED || notes[i].again == again);
		assert_int_equal(is_told(words, &notes[i]), fates[i] == STORED);
		assert_int_equal(rows_of(scene, emails[i]), fates[i] == STORED);
	}
	assert_int_equal(rows_of(scene, "held"), 1);
	assert_int_equal(last.answer, OK);
	assert_int_equal(last.again, 0);
	writer_free(scene->writer);
}

static void what_was_sent_and_fails_fails_alone_and_tells_nobody(void **state)
{
	static const enum fate fates[NOTES] = { STORED, DOUBLE, STORED, MISSING, STORED, STORED };

	check_batch(*state, fates, false);
}

static void it_does_so_too_when_it_was_tried_without_care_first(void **state)
{
	static const enum fate fates[NOTES] = { STORED, DOUBLE, STORED, MISSING, STORED, STORED };

	check_batch(*state, fates, true);
}

/* The server finds nothing wrong: that no row was changed is seen by us, and before what else was sent is kept. */
static void what_changes_no_row_is_no_success_and_nothing_is_stored_twice(void **state)
{
	static const enum fate fates[NOTES] = { STORED, MISSING, STORED, STORED, STORED, MISSING };

	check_batch(*state, fates, true);
}

/* As an item of /api/batch: in a scope of its own inside one transaction. */
static void a_scope_whose_sent_write_fails_is_undone_alone(void **state)
{
	struct scene *scene = *state;
	struct db *db = fixture_db(&scene->of.fixture, DB_WRITE);
	const struct uuid id = uuid_new();
	const struct uuid twice = uuid_new();
	const struct uuid other = uuid_new();

	db_set_care(db, true);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_enter(db, scene->ours), OK);
	assert_int_equal(send_visitor(db, &id, "one"), OK);
	assert_int_equal(db_leave(db, true), OK);
	assert_int_equal(db_enter(db, scene->ours), OK);
	assert_int_equal(send_visitor(db, &other, "lost"), OK); /* before what fails, in the same scope */
	assert_int_equal(send_visitor(db, &twice, "one"), OK);
	assert_int_equal(db_leave(db, true), ERR_CONFLICT);
	assert_int_equal(db_enter(db, scene->ours), OK);
	assert_int_equal(send_visitor(db, &twice, "two"), OK);
	assert_int_equal(db_leave(db, true), OK);
	assert_int_equal(db_end(db, true), OK);
	assert_int_equal(rows_of(scene, "one"), 1);
	assert_int_equal(rows_of(scene, "lost"), 0);
	assert_int_equal(rows_of(scene, "two"), 1);
	db_close(db);
}

static bool is_logged(const struct scene *scene, const char *words)
{
	static const size_t most = 1 << 16;
	char *text = test_calloc(1, most + 1);
	bool found;

	assert_true(pread(scene->of.fixture.log.fd, text, most, 0) >= 0);
	found = strstr(text, words) != NULL;
	test_free(text);
	return found;
}

/* Whoever passes over that a scope could not be undone by itself. */
static void what_was_to_be_undone_without_care_is_not_kept_with_the_rest(void **state)
{
	struct scene *scene = *state;
	struct db *db = fixture_db(&scene->of.fixture, DB_WRITE);
	const struct uuid ids[] = { uuid_new(), uuid_new() };

	db_set_care(db, false);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_enter(db, scene->ours), OK);
	assert_int_equal(send_visitor(db, &ids[0], "half"), OK);
	assert_int_equal(db_leave(db, false), ERR_STORAGE);
	assert_int_equal(db_enter(db, scene->ours), OK);
	assert_int_equal(send_visitor(db, &ids[1], "rest"), OK);
	assert_int_equal(db_leave(db, true), OK);
	assert_int_equal(db_end(db, true), ERR_UNAVAILABLE);
	assert_true(db_wants_care(db));
	assert_int_equal(rows_of(scene, "half"), 0);
	assert_int_equal(rows_of(scene, "rest"), 0);
	db_close(db);
}

#define CHAT 7

/* A chat of two messages, the newest of them number 20. */
static void make_chat(struct scene *scene)
{
	const struct uuid id = fixture_id(OURS);
	char text[UUID_TEXT_SIZE];
	char sql[400];

	uuid_format(&id, text);
	snprintf(sql, sizeof sql,
		 "INSERT INTO chats (number, organization_id, id, chat_id, session_id, status, created_at) "
		 "VALUES (7, '%s', gen_random_uuid(), 'c', 's', 'active', 1); "
		 "INSERT INTO chat_activity (chat_number, organization_id, updated_at, message_count, last_message) "
		 "VALUES (7, '%s', 1, 2, 20)",
		 text, text);
	postgres_run(scene->plain, sql);
}

static int64_t ask_number(struct scene *scene, const char *sql)
{
	PGresult *result = postgres_ask(scene->plain, sql);
	const int64_t number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);

	PQclear(result);
	return number;
}

/* A transaction that has read the chat ahead, and adds message 31 to it; message 30, if `between`, comes by another way
 * before what was read is written. */
static void move_chat(struct scene *scene, bool between, enum err outcome)
{
	const struct conversation read = { .scope = scene->ours,
					   .chat_id = TEXT("c"),
					   .number = CHAT,
					   .message_count = 2,
					   .last_message = 20,
					   .counted_edition = DB_NULL,
					   .counted_day = DB_NULL,
					   .updated_at = 2,
					   .previous = 20 };
	const struct move_in_chat_activity_in other = {
		.chat_number = CHAT, .updated_at = 2, .message_count = 3, .last_message = 30
	};
	struct db *db = fixture_db(&scene->of.fixture, DB_WRITE);
	struct conversations conversations = { 0 };
	struct conversation *chat;

	db_set_care(db, false);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(conversations_add(&conversations, &read, &chat), OK);
	assert_int_equal(db_enter(db, scene->ours), OK);
	if (between)
		assert_int_equal(db_send(db, STATEMENT_MOVE_IN_CHAT_ACTIVITY, &other), OK);
	assert_int_equal(db_leave(db, true), OK);
	chat->last_message = 31;
	chat->message_count++;
	chat->messages++;
	assert_int_equal(conversations_flush(&conversations, db), OK);
	assert_int_equal(db_end(db, true), outcome);
	assert_int_equal(db_wants_care(db), outcome != OK);
	conversations_fini(&conversations);
	db_close(db);
}

/* What was read ahead is not written over what has come since: then the transaction is lost, to be done with care. */
static void a_chat_that_is_changed_behind_a_conversations_back_is_not_written_over(void **state)
{
	struct scene *scene = *state;

	make_chat(scene);
	move_chat(scene, true, ERR_UNAVAILABLE);
	assert_int_equal(ask_number(scene, "SELECT last_message FROM chat_activity"), 20);
	assert_int_equal(ask_number(scene, "SELECT message_count FROM chat_activity"), 2);
	move_chat(scene, false, OK);
	assert_int_equal(ask_number(scene, "SELECT last_message FROM chat_activity"), 31);
	assert_int_equal(ask_number(scene, "SELECT message_count FROM chat_activity"), 3);
}

/* The first step is tried without care, then with; the next one knows. */
static void a_part_of_a_background_step_that_always_fails_fails_alone(void **state)
{
	struct scene *scene = *state;
	struct note held = { 0 };

	start(scene);
	submit(&held, scene, STORED, "held", true);
	await(scene, 1);
	writer_free(scene->writer);
	start_with(scene, idle);
	pthread_mutex_lock(&scene->lock);
	while (scene->idled < 3)
		pthread_cond_wait(&scene->moved, &scene->lock);
	pthread_mutex_unlock(&scene->lock);
	writer_free(scene->writer);
	assert_int_equal(scene->idled, 3);
	assert_int_equal(rows_of(scene, "first step"), 1);
	assert_int_equal(rows_of(scene, "second step"), 1);
	assert_false(is_logged(scene, "not stored"));
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(what_was_sent_and_fails_fails_alone_and_tells_nobody),
		HOUSE(it_does_so_too_when_it_was_tried_without_care_first),
		HOUSE(what_changes_no_row_is_no_success_and_nothing_is_stored_twice),
		HOUSE(a_scope_whose_sent_write_fails_is_undone_alone),
		HOUSE(what_was_to_be_undone_without_care_is_not_kept_with_the_rest),
		HOUSE(a_part_of_a_background_step_that_always_fails_fails_alone),
		HOUSE(a_chat_that_is_changed_behind_a_conversations_back_is_not_written_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
