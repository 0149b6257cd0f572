#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/lock.h"

struct place {
	char folder[64];
	char url[128];
	char file[128];
};

static void make_place(struct place *place)
{
	snprintf(place->folder, sizeof place->folder, "/tmp/innkeeper-lock-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->url, sizeof place->url, "sqlite:%s/house.db", place->folder);
	snprintf(place->file, sizeof place->file, "%s/house.db.lock", place->folder);
}

static void remove_place(const struct place *place)
{
	unlink(place->file);
	assert_int_equal(rmdir(place->folder), 0);
}

/* What another process gets, which then dies without releasing anything. */
static enum err taken_by_another_process(const char *url)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		struct lock *lock;
		struct fault fault;

		_exit((int)lock_take(text_of(url), &lock, &fault));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return (enum err)WEXITSTATUS(status);
}

static void a_second_process_is_kept_out_until_the_first_lets_go(void **state)
{
	struct place place = { 0 };
	struct lock *lock;
	struct fault fault;

	(void)state;
	make_place(&place);
	assert_int_equal(lock_take(text_of(place.url), &lock, &fault), OK);
	assert_int_equal(taken_by_another_process(place.url), ERR_CONFLICT);
	lock_release(lock);
	assert_int_equal(taken_by_another_process(place.url), OK);
	remove_place(&place);
}

static void a_process_that_died_holds_nothing(void **state)
{
	struct place place = { 0 };
	struct lock *lock;
	struct fault fault;

	(void)state;
	make_place(&place);
	assert_int_equal(taken_by_another_process(place.url), OK);
	assert_int_equal(lock_take(text_of(place.url), &lock, &fault), OK);
	lock_release(lock);
	remove_place(&place);
}

static void the_same_process_cannot_take_it_twice_and_is_told_the_file(void **state)
{
	struct place place = { 0 };
	struct lock *first;
	struct lock *second;
	struct fault fault;

	(void)state;
	make_place(&place);
	assert_int_equal(lock_take(text_of(place.url), &first, &fault), OK);
	assert_int_equal(lock_take(text_of(place.url), &second, &fault), ERR_CONFLICT);
	assert_null(second);
	assert_int_equal(fault.err, ERR_CONFLICT);
	assert_non_null(strstr(fault.sentence, place.file));
	assert_non_null(strstr(fault.sentence, "server"));
	lock_release(first);
	remove_place(&place);
}

static void a_symbolic_link_leads_to_the_same_lock(void **state)
{
	struct place place = { 0 };
	struct lock *first;
	struct lock *second;
	struct fault fault;
	char alias[128];
	char url[160];
	FILE *database;

	(void)state;
	make_place(&place);
	snprintf(alias, sizeof alias, "%s/alias.db", place.folder);
	snprintf(url, sizeof url, "sqlite:%s", alias);
	database = fopen(place.url + strlen("sqlite:"), "w");
	assert_non_null(database);
	fclose(database);
	assert_int_equal(symlink("house.db", alias), 0);
	assert_int_equal(lock_take(text_of(place.url), &first, &fault), OK);
	assert_int_equal(lock_take(text_of(url), &second, &fault), ERR_CONFLICT);
	lock_release(first);
	assert_int_equal(unlink(alias), 0);
	assert_int_equal(unlink(place.url + strlen("sqlite:")), 0);
	remove_place(&place);
}

static void the_lock_file_is_the_owners_alone_and_stays(void **state)
{
	struct place place = { 0 };
	struct lock *lock;
	struct fault fault;
	struct stat file;

	(void)state;
	make_place(&place);
	assert_int_equal(lock_take(text_of(place.url), &lock, &fault), OK);
	lock_release(lock);
	lock_release(NULL);
	assert_int_equal(stat(place.file, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	remove_place(&place);
}

static void what_cannot_be_locked_is_refused_with_its_reason(void **state)
{
	struct place place = { 0 };
	struct lock *lock;
	struct fault fault;

	(void)state;
	make_place(&place);
	assert_int_equal(lock_take(TEXT("postgres:here"), &lock, &fault), ERR_INVALID);
	assert_int_equal(lock_take(TEXT("sqlite:"), &lock, &fault), ERR_INVALID);
	assert_int_equal(lock_take(TEXT("sqlite:/nowhere/at/all.db"), &lock, &fault), ERR_INVALID);
	assert_non_null(strstr(fault.sentence, "/nowhere/at/all.db.lock"));
	assert_int_equal(symlink("/etc/passwd", place.file), 0);
	assert_int_equal(lock_take(text_of(place.url), &lock, &fault), ERR_INVALID);
	assert_null(lock);
	remove_place(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_process_is_kept_out_until_the_first_lets_go),
		cmocka_unit_test(a_process_that_died_holds_nothing),
		cmocka_unit_test(the_same_process_cannot_take_it_twice_and_is_told_the_file),
		cmocka_unit_test(a_symbolic_link_leads_to_the_same_lock),
		cmocka_unit_test(the_lock_file_is_the_owners_alone_and_stays),
		cmocka_unit_test(what_cannot_be_locked_is_refused_with_its_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
