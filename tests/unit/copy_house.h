/* What tests of backups and of restoring stand on: a folder with a database of the house, and where its backup goes.
 * Owner: one test. A failure to set up fails the test.
 * Files are read and written whole, so that a test can put a wrong byte anywhere.
 * Never leaves a file behind once it is closed.
 * Next: test_copy.c, test_restore.c. */
#ifndef TESTS_UNIT_COPY_HOUSE_H
#define TESTS_UNIT_COPY_HOUSE_H

#include <sqlite3.h>

#include "store/copy.h"

struct copy_house {
	char folder[64];
	char database[128];
	char url[160];
	char backup[200];
	struct log log;
	struct fault fault;
	struct copy_result result;
};

#define COUNT_ORGANIZATIONS "SELECT count(*) FROM organizations"

void copy_house_open(struct copy_house *house);
void copy_house_close(struct copy_house *house);

enum err copy_house_backup(struct copy_house *house);
enum err copy_house_restore(struct copy_house *house);

/* How many files of the folder have `part` in their names; the last one's path goes to `out`, unless it is NULL. */
int copy_house_files(const struct copy_house *house, const char *part, char out[400]);

/* Organizations numbered from 1, with names long enough to fill some pages. */
void copy_house_fill(const char *path, int count);

sqlite3 *copy_house_sqlite(const char *path);                 /* closed by the caller */
int64_t copy_house_number(const char *path, const char *sql); /* the first column of the first row */
char *copy_house_read(const char *path, size_t *size);        /* freed by the caller */
void copy_house_write(const char *path, const char *bytes, size_t size);

#endif
