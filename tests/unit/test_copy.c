#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "copy_house.h"
#include "fixture.h"

#define TRAILER 40

/* What a program prints first, up to a blank. */
static void program(const char *const *arguments, char out[200])
{
	int ends[2];
	int status = -1;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		execvp(arguments[0], (char *const *)arguments);
		_exit(127);
	}
	assert_true(child > 0);
	close(ends[1]);
	got = read(ends[0], out, 199);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(got > 0);
	out[got] = '\0';
	out[strcspn(out, " \n")] = '\0';
}

struct writing {
	const char *path;
	_Atomic bool stop;
	_Atomic int commits;
};

/* Every commit leaves as many rows in the one table as in the other, and the tally at their number. Pages of all ages
 * change: the oldest rows are rewritten too. */
static void *write_on(void *given)
{
	struct writing *writing = given;
	sqlite3 *sqlite = copy_house_sqlite(writing->path);

	fixture_run(sqlite, "PRAGMA synchronous = OFF");
	while (!atomic_load(&writing->stop)) {
		fixture_run(sqlite, "BEGIN IMMEDIATE; INSERT INTO debit (text) VALUES (hex(randomblob(200)));"
				    "UPDATE tally SET rows = rows + 1, at = 1 + rows % 3000;"
				    "UPDATE debit SET moved = moved + 1 WHERE number = (SELECT at FROM tally);"
				    "UPDATE credit SET moved = moved + 1 WHERE number = (SELECT at FROM tally);"
				    "INSERT INTO credit (text) VALUES (hex(randomblob(200))); COMMIT");
		atomic_fetch_add(&writing->commits, 1);
	}
	sqlite3_close(sqlite);
	return NULL;
}

static void check_balance(const char *path)
{
	sqlite3 *sqlite = copy_house_sqlite(path);
	int64_t rows = fixture_number(sqlite, "SELECT rows FROM tally");

	assert_true(rows >= 3000);
	assert_int_equal(fixture_number(sqlite, "SELECT count(*) FROM debit"), rows);
	assert_int_equal(fixture_number(sqlite, "SELECT count(*) FROM credit"), rows);
	assert_int_equal(fixture_number(sqlite, "SELECT count(*) FROM debit JOIN credit USING (number, moved)"), rows);
	assert_int_equal(fixture_number(sqlite, "SELECT sum(moved) FROM debit"), rows - 3000);
	sqlite3_close(sqlite);
}

static void a_backup_is_one_moment_while_another_thread_commits(void **state)
{
	struct copy_house house;
	struct writing writing = { 0 };
	pthread_t thread;
	sqlite3 *sqlite;

	(void)state;
	copy_house_open(&house);
	sqlite = copy_house_sqlite(house.database);
	fixture_run(sqlite, "CREATE TABLE debit (number INTEGER PRIMARY KEY, moved INTEGER DEFAULT 0, text TEXT);"
			    "CREATE TABLE credit (number INTEGER PRIMARY KEY, moved INTEGER DEFAULT 0, text TEXT);"
			    "CREATE TABLE tally (rows INTEGER, at INTEGER); INSERT INTO tally VALUES (3000, 0);"
			    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
			    "INSERT INTO debit (text) SELECT hex(randomblob(200)) FROM n;"
			    "INSERT INTO credit (text) SELECT text FROM debit");
	sqlite3_close(sqlite);
	writing.path = house.database;
	assert_int_equal(pthread_create(&thread, NULL, write_on, &writing), 0);
	for (int i = 0; i < 8; i++) {
		int before = atomic_load(&writing.commits);

		while (atomic_load(&writing.commits) < before + 5)
			usleep(1000);
		before = atomic_load(&writing.commits);
		assert_int_equal(copy_house_backup(&house), OK);
		/* They did go on committing meanwhile, or this test shows nothing. */
		assert_true(atomic_load(&writing.commits) > before);
		check_balance(house.backup);
		assert_int_equal(unlink(house.backup), 0);
	}
	atomic_store(&writing.stop, true);
	pthread_join(thread, NULL);
	check_balance(house.database);
	assert_int_equal(copy_house_files(&house, ".partial-", NULL), 0);
	copy_house_close(&house);
}

static void a_backup_is_a_plain_file_that_sqlite_opens_with_its_trailer(void **state)
{
	struct copy_house house;
	char answer[200];
	struct stat file;
	size_t size;
	char *bytes;

	(void)state;
	copy_house_open(&house);
	copy_house_fill(house.database, 500);
	assert_int_equal(copy_house_backup(&house), OK);
	assert_int_equal(stat(house.backup, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	assert_int_equal(file.st_size, house.result.bytes);
	bytes = copy_house_read(house.backup, &size);
	assert_memory_equal(bytes + size - TRAILER, "INNKEEP1", 8);
	assert_int_equal((size - TRAILER) % 4096, 0);
	assert_int_equal(bytes[18], 1); /* no log: https://www.sqlite.org/fileformat.html, 1.3.3 */
	assert_int_equal(bytes[19], 1);
	free(bytes);
	program((const char *[]){ "sha256sum", house.backup, NULL }, answer);
	assert_string_equal(answer, house.result.checksum);
	program((const char *[]){ "sqlite3", "-readonly", house.backup, "PRAGMA integrity_check", NULL }, answer);
	assert_string_equal(answer, "ok");
	program((const char *[]){ "sqlite3", "-readonly", house.backup, COUNT_ORGANIZATIONS, NULL }, answer);
	assert_string_equal(answer, "500");
	assert_int_equal(copy_house_number(house.backup, COUNT_ORGANIZATIONS), 500);
	assert_int_equal(copy_house_files(&house, "house.backup", NULL), 1);
	/* Reading changed nothing. */
	assert_int_equal(copy_house_restore(&house), OK);
	copy_house_close(&house);
}

static void a_backup_never_overwrites(void **state)
{
	struct copy_house house;
	size_t size;
	char *bytes;

	(void)state;
	copy_house_open(&house);
	copy_house_write(house.backup, "mine", 4);
	assert_int_equal(copy_house_backup(&house), ERR_CONFLICT);
	assert_non_null(strstr(house.fault.sentence, house.backup));
	bytes = copy_house_read(house.backup, &size);
	assert_int_equal(size, 4);
	free(bytes);
	assert_int_equal(unlink(house.backup), 0);
	assert_int_equal(symlink("nowhere", house.backup), 0);
	assert_int_equal(copy_house_backup(&house), ERR_CONFLICT);
	assert_int_equal(copy_house_files(&house, ".partial-", NULL), 0);
	copy_house_close(&house);
}

static void a_backup_that_fails_leaves_nothing(void **state)
{
	struct copy_house house;

	(void)state;
	copy_house_open(&house);
	assert_int_equal(
	    copy_backup(text_of(house.url), TEXT("/nowhere/at/all"), &house.log, &house.result, &house.fault),
	    ERR_INVALID);
	assert_non_null(strstr(house.fault.sentence, "/nowhere/at/all"));
	assert_int_equal(copy_backup(text_of(house.url), TEXT("relative"), &house.log, &house.result, &house.fault),
			 ERR_INVALID);
	assert_int_equal(copy_backup(text_of(house.url), TEXT(""), &house.log, &house.result, &house.fault),
			 ERR_INVALID);
	assert_int_equal(copy_backup(text_of(house.url), TEXT("/proc/backup"), &house.log, &house.result, &house.fault),
			 ERR_INVALID); /* root may not write there either */
	assert_int_equal(
	    copy_backup(TEXT("sqlite:/nowhere.db"), text_of(house.backup), &house.log, &house.result, &house.fault),
	    ERR_NOT_FOUND);
	snprintf(house.backup, sizeof house.backup, "%s-journal", house.database);
	assert_int_equal(copy_house_backup(&house), ERR_INVALID);
	assert_int_equal(copy_house_files(&house, "backup", NULL) + copy_house_files(&house, "partial", NULL) +
			     copy_house_files(&house, "journal", NULL),
			 0);
	copy_house_close(&house);
}

static void a_damaged_database_makes_no_backup(void **state)
{
	struct copy_house house;
	size_t size;
	char *bytes;

	(void)state;
	copy_house_open(&house);
	copy_house_fill(house.database, 500);
	bytes = copy_house_read(house.database, &size);
	memset(bytes + size / 2 / 4096 * 4096, 0x55, 4096);
	copy_house_write(house.database, bytes, size);
	free(bytes);
	assert_int_equal(copy_house_backup(&house), ERR_STORAGE);
	assert_int_equal(copy_house_files(&house, "backup", NULL), 0);
	copy_house_close(&house);
}

static void a_file_left_by_a_crash_under_our_name_is_no_obstacle(void **state)
{
	struct copy_house house;
	char left[300];

	(void)state;
	copy_house_open(&house);
	snprintf(left, sizeof left, "%s.partial-%ld", house.backup, (long)getpid());
	copy_house_write(left, "half", 4);
	snprintf(left, sizeof left, "%s.restoring-%ld", house.database, (long)getpid());
	copy_house_write(left, "half", 4);
	assert_int_equal(copy_house_backup(&house), OK);
	assert_int_equal(copy_house_restore(&house), OK);
	assert_int_equal(copy_house_files(&house, "partial", NULL) + copy_house_files(&house, "restoring", NULL), 0);
	copy_house_close(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backup_is_one_moment_while_another_thread_commits),
		cmocka_unit_test(a_backup_is_a_plain_file_that_sqlite_opens_with_its_trailer),
		cmocka_unit_test(a_backup_never_overwrites),
		cmocka_unit_test(a_backup_that_fails_leaves_nothing),
		cmocka_unit_test(a_damaged_database_makes_no_backup),
		cmocka_unit_test(a_file_left_by_a_crash_under_our_name_is_no_obstacle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
