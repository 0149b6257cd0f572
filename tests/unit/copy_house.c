#include "copy_house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "store/migrate.h"

sqlite3 *copy_house_sqlite(const char *path)
{
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(sqlite, 5000);
	return sqlite;
}

int64_t copy_house_number(const char *path, const char *sql)
{
	sqlite3 *sqlite = copy_house_sqlite(path);
	int64_t out = fixture_number(sqlite, sql);

	sqlite3_close(sqlite);
	return out;
}

void copy_house_fill(const char *path, int count)
{
	sqlite3 *sqlite = copy_house_sqlite(path);
	char sql[500];

	snprintf(sql, sizeof sql,
		 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO "
		 "organizations (id, slug, organization_name, created_at, updated_at) "
		 "SELECT randomblob(16), hex(randomblob(8)), hex(randomblob(100)), i, i FROM n",
		 count);
	fixture_run(sqlite, sql);
	sqlite3_close(sqlite);
}

void copy_house_open(struct copy_house *house)
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

int copy_house_files(const struct copy_house *house, const char *part, char out[400])
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

void copy_house_close(struct copy_house *house)
{
	char path[400];

	while (copy_house_files(house, "", path) > 0)
		assert_int_equal(remove(path), 0);
	assert_int_equal(rmdir(house->folder), 0);
	close(house->log.fd);
}

enum err copy_house_backup(struct copy_house *house)
{
	return copy_backup(text_of(house->url), text_of(house->backup), &house->log, &house->result, &house->fault);
}

enum err copy_house_restore(struct copy_house *house)
{
	return copy_restore(text_of(house->url), text_of(house->backup), &house->log, &house->result, &house->fault);
}

char *copy_house_read(const char *path, size_t *size)
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

void copy_house_write(const char *path, const char *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}
