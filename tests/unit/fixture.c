#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth/tenant.h"
#include "store/migrate.h"

#define ARENA_CAP (16 << 20)

void fixture_empty(struct fixture *fixture)
{
	char path[96];

	assert_true(sodium_init() >= 0);
	memset(fixture, 0, sizeof *fixture);
	snprintf(fixture->folder, sizeof fixture->folder, "/tmp/innkeeper_unit_XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->path, sizeof fixture->path, "%s/db", fixture->folder);
	snprintf(fixture->address, sizeof fixture->address, "sqlite:%s", fixture->path);
	fixture->url = text_of(fixture->address);
	snprintf(path, sizeof path, "%s/log", fixture->folder);
	fixture->log = (struct log){ .fd = open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600) };
	assert_true(fixture->log.fd >= 0);
	arena_init(&fixture->arena, ARENA_CAP);
	assert_int_equal(metrics_new(&fixture->metrics, 1), OK);
}

void fixture_open(struct fixture *fixture)
{
	struct fault fault = { 0 };

	fixture_empty(fixture);
	if (migrate(fixture->url, migrations, migration_count, &fixture->log, NULL, &fault) != OK)
		fail_msg("%s", fault.sentence);
}

void fixture_close(struct fixture *fixture)
{
	DIR *folder = opendir(fixture->folder);

	close(fixture->log.fd);
	arena_fini(&fixture->arena);
	metrics_free(fixture->metrics);
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	rmdir(fixture->folder);
}

sqlite3 *fixture_plain(const struct fixture *fixture)
{
	sqlite3 *plain = NULL;

	assert_int_equal(sqlite3_open_v2(fixture->path, &plain, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
			 SQLITE_OK);
	sqlite3_busy_timeout(plain, 10000);
	fixture_run(plain, "PRAGMA synchronous = OFF");
	return plain;
}

void fixture_run(sqlite3 *plain, const char *sql)
{
	if (sqlite3_exec(plain, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(plain));
}

int64_t fixture_number(sqlite3 *plain, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;

	if (sqlite3_prepare_v2(plain, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(plain));
	if (sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	return number;
}

struct uuid fixture_id(char letter)
{
	struct uuid id;

	memset(id.bytes, letter, sizeof id.bytes);
	return id;
}

const struct scope *fixture_organization(struct fixture *fixture, char letter)
{
	const struct uuid id = fixture_id(letter);
	sqlite3 *plain = fixture_plain(fixture);
	char sql[512];
	char hex[33];

	text_hex(id.bytes, sizeof id.bytes, hex);
	snprintf(sql, sizeof sql,
		 "INSERT INTO organizations (id, slug, organization_name, created_at, updated_at) "
		 "VALUES (X'%s', '%c', 'Organization %c', 1, 1)",
		 hex, letter, letter);
	fixture_run(plain, sql);
	sqlite3_close(plain);
	return tenant_scope(&fixture->arena, &id);
}

struct db *fixture_db(const struct fixture *fixture, enum db_use use)
{
	struct fault fault = { 0 };
	struct db *db = NULL;

	if (db_open(&db, fixture->url, use, &fixture->log, &fault) != OK)
		fail_msg("%s", fault.sentence);
	return db;
}

bool fixture_logged(const struct fixture *fixture, const char *words)
{
	static const size_t most = 1 << 16;
	char *text = test_malloc(most);
	ssize_t length = pread(fixture->log.fd, text, most, 0);
	bool found = length > 0 && memmem(text, (size_t)length, words, strlen(words)) != NULL;

	test_free(text);
	return found;
}

void door_init(struct door *door)
{
	*door = (struct door){ 0 };
	pthread_mutex_init(&door->lock, NULL);
	pthread_cond_init(&door->moved, NULL);
}

void door_fini(struct door *door)
{
	pthread_cond_destroy(&door->moved);
	pthread_mutex_destroy(&door->lock);
}

void door_pass(struct door *door)
{
	pthread_mutex_lock(&door->lock);
	door->waiting++;
	pthread_cond_broadcast(&door->moved);
	while (!door->open)
		pthread_cond_wait(&door->moved, &door->lock);
	pthread_mutex_unlock(&door->lock);
}

void door_open(struct door *door)
{
	pthread_mutex_lock(&door->lock);
	door->open = true;
	pthread_cond_broadcast(&door->moved);
	pthread_mutex_unlock(&door->lock);
}

void door_await(struct door *door, size_t count)
{
	pthread_mutex_lock(&door->lock);
	while (door->waiting < count)
		pthread_cond_wait(&door->moved, &door->lock);
	pthread_mutex_unlock(&door->lock);
}
