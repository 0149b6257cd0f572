#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy_house.h"
#include "fixture.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/query.h"
#include "store/scope_make.h"

#define TRAILER 40

static const struct scope system_scope = { .system = true };

static void refused(struct copy_house *house, const char *bytes, size_t size)
{
	copy_house_write(house->backup, bytes, size);
	assert_int_equal(copy_house_restore(house), ERR_INVALID);
}

static void every_damage_is_refused_and_touches_nothing(void **state)
{
	struct copy_house house;
	size_t size;
	char *bytes;
	struct stat before;
	struct stat after;

	(void)state;
	copy_house_open(&house);
	copy_house_fill(house.database, 20);
	assert_int_equal(copy_house_backup(&house), OK);
	bytes = copy_house_read(house.backup, &size);
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
	assert_int_equal(copy_house_restore(&house), ERR_NOT_FOUND);
	assert_int_equal(mkdir(house.backup, 0700), 0);
	assert_int_equal(copy_house_restore(&house), ERR_INVALID);
	assert_int_equal(rmdir(house.backup), 0);
	assert_int_equal(mkfifo(house.backup, 0600), 0);
	assert_int_equal(copy_house_restore(&house), ERR_INVALID);
	assert_int_equal(stat(house.database, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	assert_int_equal(copy_house_files(&house, "replaced", NULL) + copy_house_files(&house, "restoring", NULL), 0);
	/* And whole it is taken. */
	assert_int_equal(unlink(house.backup), 0);
	copy_house_write(house.backup, bytes, size);
	assert_int_equal(copy_house_restore(&house), OK);
	free(bytes);
	copy_house_close(&house);
}

static void a_restored_database_opens_with_its_rows_and_the_old_one_is_kept(void **state)
{
	struct copy_house house;
	struct copy_result made;
	struct migration_newest_out newest = { 0 };
	struct arena arena;
	struct db *db;
	char kept[400];

	(void)state;
	copy_house_open(&house);
	copy_house_fill(house.database, 100);
	assert_int_equal(copy_house_backup(&house), OK);
	made = house.result;
	copy_house_fill(house.database, 23);
	assert_int_equal(copy_house_restore(&house), OK);
	assert_int_equal(house.result.bytes, made.bytes);
	assert_string_equal(house.result.checksum, made.checksum);
	assert_int_equal(copy_house_files(&house, "house.db.replaced-", kept), 1);
	assert_int_equal(strlen(strstr(kept, ".replaced-")), strlen(".replaced-20261123T150405Z"));
	assert_int_equal(copy_house_files(&house, "house.db", NULL), 2);
	assert_int_equal(copy_house_number(kept, COUNT_ORGANIZATIONS), 123);

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
	assert_int_equal(copy_house_number(house.database, COUNT_ORGANIZATIONS), 100);
	/* Again within the same second: no name is taken twice. */
	assert_int_equal(copy_house_restore(&house), OK);
	assert_int_equal(copy_house_files(&house, "house.db.replaced-", NULL), 2);
	copy_house_close(&house);
}

/* A database as a killed server leaves it: copied while its log is full and open. */
static void crash(struct copy_house *house)
{
	static const char *const parts[] = { "", "-wal" };
	char *bytes[2];
	size_t sizes[2];
	char path[200];
	sqlite3 *sqlite = copy_house_sqlite(house->database);

	fixture_run(sqlite, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
	fixture_run(sqlite, "INSERT INTO organizations (id, slug, organization_name, created_at, updated_at) VALUES "
			    "(randomblob(16), 'in the log', 'alone', 1, 1)");
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s%s", house->database, parts[i]);
		bytes[i] = copy_house_read(path, &sizes[i]);
	}
	sqlite3_close(sqlite);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s%s", house->database, parts[i]);
		copy_house_write(path, bytes[i], sizes[i]);
		free(bytes[i]);
	}
}

static void what_only_the_log_has_is_kept_with_the_old_database(void **state)
{
	struct copy_house house;
	char kept[400];

	(void)state;
	copy_house_open(&house);
	assert_int_equal(copy_house_backup(&house), OK);
	crash(&house);
	assert_int_equal(copy_house_files(&house, "house.db-wal", NULL), 1);
	assert_int_equal(copy_house_restore(&house), OK);
	assert_int_equal(copy_house_files(&house, "house.db", NULL), 2);
	assert_int_equal(copy_house_files(&house, "house.db.replaced-", kept), 1);
	assert_int_equal(copy_house_number(kept, COUNT_ORGANIZATIONS), 1);
	assert_int_equal(copy_house_number(house.database, COUNT_ORGANIZATIONS), 0);
	copy_house_close(&house);
}

static void a_database_too_damaged_for_its_log_keeps_it_beside(void **state)
{
	struct copy_house house;
	char damaged[4096];
	char log_path[200];
	char kept[400];
	size_t size;
	size_t kept_size;
	char *bytes;
	char *kept_bytes;

	(void)state;
	copy_house_open(&house);
	assert_int_equal(copy_house_backup(&house), OK);
	memset(damaged, 0x55, sizeof damaged);
	copy_house_write(house.database, damaged, sizeof damaged);
	snprintf(log_path, sizeof log_path, "%s-journal", house.database);
	copy_house_write(log_path, damaged, sizeof damaged);
	snprintf(log_path, sizeof log_path, "%s-wal", house.database);
	copy_house_write(log_path, "what is left of a log", 21);
	bytes = copy_house_read(log_path, &size);
	assert_int_equal(copy_house_restore(&house), OK);
	assert_int_equal(copy_house_files(&house, "house.db-", NULL), 0);
	assert_int_equal(copy_house_files(&house, "restoring", NULL), 0);
	assert_int_equal(copy_house_number(house.database, COUNT_ORGANIZATIONS), 0);
	if (copy_house_files(&house, "-wal", kept) == 1) {
		assert_non_null(strstr(kept, "house.db.replaced-"));
		kept_bytes = copy_house_read(kept, &kept_size);
		assert_int_equal(kept_size, size);
		assert_memory_equal(kept_bytes, bytes, size);
		free(kept_bytes);
	} else {
		fail_msg("the log is gone");
	}
	free(bytes);
	copy_house_close(&house);
}

static void an_empty_place_takes_a_backup_and_no_orphaned_log(void **state)
{
	struct copy_house house;
	char log_path[200];
	char kept[400];

	(void)state;
	copy_house_open(&house);
	copy_house_fill(house.database, 7);
	assert_int_equal(copy_house_backup(&house), OK);
	assert_int_equal(unlink(house.database), 0);
	assert_int_equal(copy_house_restore(&house), OK);
	assert_int_equal(copy_house_number(house.database, COUNT_ORGANIZATIONS), 7);
	assert_int_equal(copy_house_files(&house, "replaced", NULL), 0);
	crash(&house);
	assert_int_equal(unlink(house.database), 0);
	snprintf(log_path, sizeof log_path, "%s-wal", house.database);
	assert_int_equal(copy_house_restore(&house), OK);
	assert_int_not_equal(access(log_path, F_OK), 0);
	assert_int_equal(copy_house_number(house.database, COUNT_ORGANIZATIONS), 7);
	assert_int_equal(copy_house_files(&house, "replaced", kept), 1);
	assert_non_null(strstr(kept, "-wal"));
	copy_house_close(&house);
}

static void a_database_in_use_is_not_replaced(void **state)
{
	struct copy_house house;
	struct stat before;
	struct stat after;
	struct db *db;

	(void)state;
	copy_house_open(&house);
	assert_int_equal(copy_house_backup(&house), OK);
	assert_int_equal(db_open(&db, text_of(house.url), DB_WRITE, &house.log, &house.fault), OK);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_end(db, false), OK);
	assert_int_equal(stat(house.database, &before), 0);
	assert_int_equal(copy_house_restore(&house), ERR_CONFLICT);
	assert_non_null(strstr(house.fault.sentence, "in use"));
	assert_int_equal(stat(house.database, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(copy_house_files(&house, "re", NULL), 0);
	db_close(db);
	assert_int_equal(copy_house_restore(&house), OK);
	copy_house_close(&house);
}

static void a_backup_of_a_newer_schema_or_another_program_is_refused(void **state)
{
	struct copy_house house;
	sqlite3 *sqlite;

	(void)state;
	copy_house_open(&house);
	sqlite = copy_house_sqlite(house.database);
	fixture_run(sqlite, "INSERT INTO migrations VALUES (9999, 'tomorrow', 'x', 1)");
	assert_int_equal(copy_house_backup(&house), OK);
	assert_int_equal(copy_house_restore(&house), ERR_CONFLICT);
	assert_non_null(strstr(house.fault.sentence, "newer"));
	assert_int_equal(unlink(house.backup), 0);
	fixture_run(sqlite, "DELETE FROM migrations");
	assert_int_equal(copy_house_backup(&house), OK);
	assert_int_equal(copy_house_restore(&house), ERR_INVALID);
	assert_int_equal(unlink(house.backup), 0);
	fixture_run(sqlite, "DROP TABLE migrations");
	assert_int_equal(copy_house_backup(&house), OK);
	assert_int_equal(copy_house_restore(&house), ERR_INVALID);
	sqlite3_close(sqlite);
	assert_int_equal(copy_house_files(&house, "re", NULL), 0);
	copy_house_close(&house);
}

static void a_restore_through_a_symbolic_link_replaces_what_it_leads_to(void **state)
{
	struct copy_house house;
	char alias[200];
	char url[220];
	struct stat status;

	(void)state;
	copy_house_open(&house);
	assert_int_equal(copy_house_backup(&house), OK);
	copy_house_fill(house.database, 3);
	snprintf(alias, sizeof alias, "%s/alias.db", house.folder);
	snprintf(url, sizeof url, "sqlite:%s", alias);
	assert_int_equal(symlink("house.db", alias), 0);
	assert_int_equal(copy_restore(text_of(url), text_of(house.backup), &house.log, &house.result, &house.fault),
			 OK);
	assert_int_equal(lstat(alias, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(copy_house_number(house.database, COUNT_ORGANIZATIONS), 0);
	assert_int_equal(copy_house_files(&house, "house.db.replaced-", NULL), 1);
	copy_house_close(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
