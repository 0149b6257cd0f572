#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/copy.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/query.h"
#include "store/scope_make.h"

#define TRAILER 40

static const struct scope system_scope = { .system = true };

/* A folder with a database of the house, and where its backup goes. */
struct house {
	char folder[64];
	char database[128];
	char url[160];
	char backup[200];
	struct log log;
	struct fault fault;
	struct copy_result result;
};

static sqlite3 *open_raw(const char *path)
{
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(sqlite, 5000);
	return sqlite;
}

static void run(sqlite3 *sqlite, const char *sql)
{
	assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
}

static int64_t number(sqlite3 *sqlite, const char *sql)
{
	sqlite3_stmt *row;
	int64_t out;

	assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &row, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	out = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return out;
}

static int64_t number_in(const char *path, const char *sql)
{
	sqlite3 *sqlite = open_raw(path);
	int64_t out = number(sqlite, sql);

	sqlite3_close(sqlite);
	return out;
}

/* Organizations numbered from 1, with names long enough to fill some pages. */
static void add_organizations(const char *path, int count)
{
	sqlite3 *sqlite = open_raw(path);
	char sql[500];

	snprintf(sql, sizeof sql,
		 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO "
		 "organizations (id, slug, organization_name, created_at, updated_at) "
		 "SELECT randomblob(16), hex(randomblob(8)), hex(randomblob(100)), i, i FROM n",
		 count);
	run(sqlite, sql);
	sqlite3_close(sqlite);
}

#define COUNT_ORGANIZATIONS "SELECT count(*) FROM organizations"

static void open_house(struct house *house)
{
	memset(house, 0, sizeof *house);
	snprintf(house->folder, sizeof house->folder, "/tmp/innkeeper-copy-XXXXXX");
	assert_non_null(mkdtemp(house->folder));
	snprintf(house->database, sizeof house->database, "%s/house.db", house->folder);
	snprintf(house->url, sizeof house->url, "sqlite:%s", house->database);
	snprintf(house->backup, sizeof house->backup, "%s/house.backup", house->folder);
	house->log = (struct log){ .fd = open("/dev/null", O_WRONLY | O_CLOEXEC), .least = LOG_DEBUG };
	assert_int_equal(migrate(text_of(house->url), migrations, migration_count, &house->log, NULL, &house->fault),
			 OK);
}

/* How many files of the folder have `part` in their names; the last one's path goes to `out`, unless it is NULL. */
static int files_with(const struct house *house, const char *part, char out[400])
{
	DIR *folder = opendir(house->folder);
	const struct dirent *entry;
	int count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.' || strstr(entry->d_name, part) == NULL)
			continue;
		count++;
		if (out != NULL)
			snprintf(out, 400, "%s/%s", house->folder, entry->d_name);
	}
	closedir(folder);
	return count;
}

static void close_house(struct house *house)
{
	char path[400];

	while (files_with(house, "", path) > 0)
		assert_int_equal(remove(path), 0);
	assert_int_equal(rmdir(house->folder), 0);
	close(house->log.fd);
}

static enum err backup(struct house *house)
{
	return copy_backup(text_of(house->url), text_of(house->backup), &house->log, &house->result, &house->fault);
}

static enum err restore(struct house *house)
{
	return copy_restore(text_of(house->url), text_of(house->backup), &house->log, &house->result, &house->fault);
}

static char *read_all(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	char *bytes;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	*size = (size_t)status.st_size;
	bytes = malloc(*size + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, *size, file), *size);
	fclose(file);
	return bytes;
}

static void write_all(const char *path, const char *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

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
	sqlite3 *sqlite = open_raw(writing->path);

	run(sqlite, "PRAGMA synchronous = OFF");
	while (!atomic_load(&writing->stop)) {
		run(sqlite, "BEGIN IMMEDIATE; INSERT INTO debit (text) VALUES (hex(randomblob(200)));"
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
	sqlite3 *sqlite = open_raw(path);
	int64_t rows = number(sqlite, "SELECT rows FROM tally");

	assert_true(rows >= 3000);
	assert_int_equal(number(sqlite, "SELECT count(*) FROM debit"), rows);
	assert_int_equal(number(sqlite, "SELECT count(*) FROM credit"), rows);
	assert_int_equal(number(sqlite, "SELECT count(*) FROM debit JOIN credit USING (number, moved)"), rows);
	assert_int_equal(number(sqlite, "SELECT sum(moved) FROM debit"), rows - 3000);
	sqlite3_close(sqlite);
}

static void a_backup_is_one_moment_while_another_thread_commits(void **state)
{
	struct house house;
	struct writing writing = { 0 };
	pthread_t thread;
	sqlite3 *sqlite;

	(void)state;
	open_house(&house);
	sqlite = open_raw(house.database);
	run(sqlite, "CREATE TABLE debit (number INTEGER PRIMARY KEY, moved INTEGER DEFAULT 0, text TEXT);"
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
		assert_int_equal(backup(&house), OK);
		/* They did go on committing meanwhile, or this test shows nothing. */
		assert_true(atomic_load(&writing.commits) > before);
		check_balance(house.backup);
		assert_int_equal(unlink(house.backup), 0);
	}
	atomic_store(&writing.stop, true);
	pthread_join(thread, NULL);
	check_balance(house.database);
	assert_int_equal(files_with(&house, ".partial-", NULL), 0);
	close_house(&house);
}

static void a_backup_is_a_plain_file_that_sqlite_opens_with_its_trailer(void **state)
{
	struct house house;
	char answer[200];
	struct stat file;
	size_t size;
	char *bytes;

	(void)state;
	open_house(&house);
	add_organizations(house.database, 500);
	assert_int_equal(backup(&house), OK);
	assert_int_equal(stat(house.backup, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	assert_int_equal(file.st_size, house.result.bytes);
	bytes = read_all(house.backup, &size);
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
	assert_int_equal(number_in(house.backup, COUNT_ORGANIZATIONS), 500);
	assert_int_equal(files_with(&house, "house.backup", NULL), 1);
	/* Reading changed nothing. */
	assert_int_equal(restore(&house), OK);
	close_house(&house);
}

static void a_backup_never_overwrites(void **state)
{
	struct house house;
	size_t size;
	char *bytes;

	(void)state;
	open_house(&house);
	write_all(house.backup, "mine", 4);
	assert_int_equal(backup(&house), ERR_CONFLICT);
	assert_non_null(strstr(house.fault.sentence, house.backup));
	bytes = read_all(house.backup, &size);
	assert_int_equal(size, 4);
	free(bytes);
	assert_int_equal(unlink(house.backup), 0);
	assert_int_equal(symlink("nowhere", house.backup), 0);
	assert_int_equal(backup(&house), ERR_CONFLICT);
	assert_int_equal(files_with(&house, ".partial-", NULL), 0);
	close_house(&house);
}

static void a_backup_that_fails_leaves_nothing(void **state)
{
	struct house house;

	(void)state;
	open_house(&house);
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
	assert_int_equal(backup(&house), ERR_INVALID);
	assert_int_equal(files_with(&house, "backup", NULL) + files_with(&house, "partial", NULL) +
			     files_with(&house, "journal", NULL),
			 0);
	close_house(&house);
}

static void a_damaged_database_makes_no_backup(void **state)
{
	struct house house;
	size_t size;
	char *bytes;

	(void)state;
	open_house(&house);
	add_organizations(house.database, 500);
	bytes = read_all(house.database, &size);
	memset(bytes + size / 2 / 4096 * 4096, 0x55, 4096);
	write_all(house.database, bytes, size);
	free(bytes);
	assert_int_equal(backup(&house), ERR_STORAGE);
	assert_int_equal(files_with(&house, "backup", NULL), 0);
	close_house(&house);
}

static void a_file_left_by_a_crash_under_our_name_is_no_obstacle(void **state)
{
	struct house house;
	char left[300];

	(void)state;
	open_house(&house);
	snprintf(left, sizeof left, "%s.partial-%ld", house.backup, (long)getpid());
	write_all(left, "half", 4);
	snprintf(left, sizeof left, "%s.restoring-%ld", house.database, (long)getpid());
	write_all(left, "half", 4);
	assert_int_equal(backup(&house), OK);
	assert_int_equal(restore(&house), OK);
	assert_int_equal(files_with(&house, "partial", NULL) + files_with(&house, "restoring", NULL), 0);
	close_house(&house);
}

static void refused(struct house *house, const char *bytes, size_t size)
{
	write_all(house->backup, bytes, size);
	assert_int_equal(restore(house), ERR_INVALID);
}

static void every_damage_is_refused_and_touches_nothing(void **state)
{
	struct house house;
	size_t size;
	char *bytes;
	struct stat before;
	struct stat after;

	(void)state;
	open_house(&house);
	add_organizations(house.database, 20);
	assert_int_equal(backup(&house), OK);
	bytes = read_all(house.backup, &size);
	assert_int_equal(stat(house.database, &before), 0);
	for (size_t at = 0; at < size; at += at < 200 || at + 300 > size ? 7 : 4099) {
		bytes[at] = (char)(bytes[at] ^ (1 << at % 8));
		refused(&house, bytes, size);
		bytes[at] = (char)(bytes[at] ^ (1 << at % 8));
	}
	for (size_t at = size - TRAILER; at < size; at++) {
		bytes[at] = (char)(bytes[at] ^ 0x80);
		refused(&house, bytes, size);
		bytes[at] = (char)(bytes[at] ^ 0x80);
	}
	for (size_t length = 0; length < size; length += length < 100 ? 1 : 8191)
		refused(&house, bytes, length);
	refused(&house, bytes, size - 1);
	refused(&house, bytes, size - TRAILER);
	refused(&house, bytes, size + 1); /* a byte too many: the NUL or whatever stands behind */
	assert_int_equal(unlink(house.backup), 0);
	assert_int_equal(restore(&house), ERR_NOT_FOUND);
	assert_int_equal(mkdir(house.backup, 0700), 0);
	assert_int_equal(restore(&house), ERR_INVALID);
	assert_int_equal(rmdir(house.backup), 0);
	assert_int_equal(mkfifo(house.backup, 0600), 0);
	assert_int_equal(restore(&house), ERR_INVALID);
	assert_int_equal(stat(house.database, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	assert_int_equal(files_with(&house, "replaced", NULL) + files_with(&house, "restoring", NULL), 0);
	/* And whole it is taken. */
	assert_int_equal(unlink(house.backup), 0);
	write_all(house.backup, bytes, size);
	assert_int_equal(restore(&house), OK);
	free(bytes);
	close_house(&house);
}

static void a_restored_database_opens_with_its_rows_and_the_old_one_is_kept(void **state)
{
	struct house house;
	struct copy_result made;
	struct migration_newest_out newest = { 0 };
	struct arena arena;
	struct db *db;
	char kept[400];

	(void)state;
	open_house(&house);
	add_organizations(house.database, 100);
	assert_int_equal(backup(&house), OK);
	made = house.result;
	add_organizations(house.database, 23);
	assert_int_equal(restore(&house), OK);
	assert_int_equal(house.result.bytes, made.bytes);
	assert_string_equal(house.result.checksum, made.checksum);
	assert_int_equal(files_with(&house, "house.db.replaced-", kept), 1);
	assert_int_equal(strlen(strstr(kept, ".replaced-")), strlen(".replaced-20261123T150405Z"));
	assert_int_equal(files_with(&house, "house.db", NULL), 2);
	assert_int_equal(number_in(kept, COUNT_ORGANIZATIONS), 123);

	assert_int_equal(db_open(&db, text_of(house.url), DB_WRITE, &house.log, &house.fault), OK);
	arena_init(&arena, 1 << 16);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_enter(db, &system_scope), OK);
	assert_int_equal(query_one(db, STATEMENT_MIGRATION_NEWEST, NULL, &newest, &arena), OK);
	assert_int_equal(newest.number, migration_count);
	assert_int_equal(db_leave(db, true), OK);
	assert_int_equal(db_end(db, true), OK);
	db_close(db);
	arena_fini(&arena);
	assert_int_equal(number_in(house.database, COUNT_ORGANIZATIONS), 100);
	/* Again within the same second: no name is taken twice. */
	assert_int_equal(restore(&house), OK);
	assert_int_equal(files_with(&house, "house.db.replaced-", NULL), 2);
	close_house(&house);
}

/* A database as a killed server leaves it: copied while its log is full and open. */
static void crash(struct house *house)
{
	static const char *const parts[] = { "", "-wal" };
	char *bytes[2];
	size_t sizes[2];
	char path[200];
	sqlite3 *sqlite = open_raw(house->database);

	run(sqlite, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
	run(sqlite, "INSERT INTO organizations (id, slug, organization_name, created_at, updated_at) VALUES "
		    "(randomblob(16), 'in the log', 'alone', 1, 1)");
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s%s", house->database, parts[i]);
		bytes[i] = read_all(path, &sizes[i]);
	}
	sqlite3_close(sqlite);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s%s", house->database, parts[i]);
		write_all(path, bytes[i], sizes[i]);
		free(bytes[i]);
	}
}

static void what_only_the_log_has_is_kept_with_the_old_database(void **state)
{
	struct house house;
	char kept[400];

	(void)state;
	open_house(&house);
	assert_int_equal(backup(&house), OK);
	crash(&house);
	assert_int_equal(files_with(&house, "house.db-wal", NULL), 1);
	assert_int_equal(restore(&house), OK);
	assert_int_equal(files_with(&house, "house.db", NULL), 2);
	assert_int_equal(files_with(&house, "house.db.replaced-", kept), 1);
	assert_int_equal(number_in(kept, COUNT_ORGANIZATIONS), 1);
	assert_int_equal(number_in(house.database, COUNT_ORGANIZATIONS), 0);
	close_house(&house);
}

static void a_database_too_damaged_for_its_log_keeps_it_beside(void **state)
{
	struct house house;
	char damaged[4096];
	char log_path[200];
	char kept[400];
	size_t size;
	size_t kept_size;
	char *bytes;
	char *kept_bytes;

	(void)state;
	open_house(&house);
	assert_int_equal(backup(&house), OK);
	memset(damaged, 0x55, sizeof damaged);
	write_all(house.database, damaged, sizeof damaged);
	snprintf(log_path, sizeof log_path, "%s-journal", house.database);
	write_all(log_path, damaged, sizeof damaged);
	snprintf(log_path, sizeof log_path, "%s-wal", house.database);
	write_all(log_path, "what is left of a log", 21);
	bytes = read_all(log_path, &size);
	assert_int_equal(restore(&house), OK);
	assert_int_equal(files_with(&house, "house.db-", NULL), 0);
	assert_int_equal(files_with(&house, "restoring", NULL), 0);
	assert_int_equal(number_in(house.database, COUNT_ORGANIZATIONS), 0);
	if (files_with(&house, "-wal", kept) == 1) {
		assert_non_null(strstr(kept, "house.db.replaced-"));
		kept_bytes = read_all(kept, &kept_size);
		assert_int_equal(kept_size, size);
		assert_memory_equal(kept_bytes, bytes, size);
		free(kept_bytes);
	} else {
		fail_msg("the log is gone");
	}
	free(bytes);
	close_house(&house);
}

static void an_empty_place_takes_a_backup_and_no_orphaned_log(void **state)
{
	struct house house;
	char log_path[200];
	char kept[400];

	(void)state;
	open_house(&house);
	add_organizations(house.database, 7);
	assert_int_equal(backup(&house), OK);
	assert_int_equal(unlink(house.database), 0);
	assert_int_equal(restore(&house), OK);
	assert_int_equal(number_in(house.database, COUNT_ORGANIZATIONS), 7);
	assert_int_equal(files_with(&house, "replaced", NULL), 0);
	crash(&house);
	assert_int_equal(unlink(house.database), 0);
	snprintf(log_path, sizeof log_path, "%s-wal", house.database);
	assert_int_equal(restore(&house), OK);
	assert_int_not_equal(access(log_path, F_OK), 0);
	assert_int_equal(number_in(house.database, COUNT_ORGANIZATIONS), 7);
	assert_int_equal(files_with(&house, "replaced", kept), 1);
	assert_non_null(strstr(kept, "-wal"));
	close_house(&house);
}

static void a_database_in_use_is_not_replaced(void **state)
{
	struct house house;
	struct stat before;
	struct stat after;
	struct db *db;

	(void)state;
	open_house(&house);
	assert_int_equal(backup(&house), OK);
	assert_int_equal(db_open(&db, text_of(house.url), DB_WRITE, &house.log, &house.fault), OK);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_end(db, false), OK);
	assert_int_equal(stat(house.database, &before), 0);
	assert_int_equal(restore(&house), ERR_CONFLICT);
	assert_non_null(strstr(house.fault.sentence, "in use"));
	assert_int_equal(stat(house.database, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(files_with(&house, "re", NULL), 0);
	db_close(db);
	assert_int_equal(restore(&house), OK);
	close_house(&house);
}

static void a_backup_of_a_newer_schema_or_another_program_is_refused(void **state)
{
	struct house house;
	sqlite3 *sqlite;

	(void)state;
	open_house(&house);
	sqlite = open_raw(house.database);
	run(sqlite, "INSERT INTO migrations VALUES (9999, 'tomorrow', 'x', 1)");
	assert_int_equal(backup(&house), OK);
	assert_int_equal(restore(&house), ERR_CONFLICT);
	assert_non_null(strstr(house.fault.sentence, "newer"));
	assert_int_equal(unlink(house.backup), 0);
	run(sqlite, "DELETE FROM migrations");
	assert_int_equal(backup(&house), OK);
	assert_int_equal(restore(&house), ERR_INVALID);
	assert_int_equal(unlink(house.backup), 0);
	run(sqlite, "DROP TABLE migrations");
	assert_int_equal(backup(&house), OK);
	assert_int_equal(restore(&house), ERR_INVALID);
	sqlite3_close(sqlite);
	assert_int_equal(files_with(&house, "re", NULL), 0);
	close_house(&house);
}

static void a_restore_through_a_symbolic_link_replaces_what_it_leads_to(void **state)
{
	struct house house;
	char alias[200];
	char url[220];
	struct stat status;

	(void)state;
	open_house(&house);
	assert_int_equal(backup(&house), OK);
	add_organizations(house.database, 3);
	snprintf(alias, sizeof alias, "%s/alias.db", house.folder);
	snprintf(url, sizeof url, "sqlite:%s", alias);
	assert_int_equal(symlink("house.db", alias), 0);
	assert_int_equal(copy_restore(text_of(url), text_of(house.backup), &house.log, &house.result, &house.fault),
			 OK);
	assert_int_equal(lstat(alias, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(number_in(house.database, COUNT_ORGANIZATIONS), 0);
	assert_int_equal(files_with(&house, "house.db.replaced-", NULL), 1);
	close_house(&house);
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
		cmocka_unit_test(every_damage_is_refused_and_touches_nothing),
		cmocka_unit_test(a_restored_database_opens_with_its_rows_and_the_old_one_is_kept),
		cmocka_unit_test(what_only_the_log_has_is_kept_with_the_old_database),
		cmocka_unit_test(a_database_too_damaged_for_its_log_keeps_it_beside),
		cmocka_unit_test(an_empty_place_takes_a_backup_and_no_orphaned_log),
		cmocka_unit_test(a_database_in_use_is_not_replaced),
		cmocka_unit_test(a_backup_of_a_newer_schema_or_another_program_is_refused),
		cmocka_unit_test(a_restore_through_a_symbolic_link_replaces_what_it_leads_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
