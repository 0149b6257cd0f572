#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define BUSY_MS    1000
#define SIDE_COUNT 3
#define NAME_TRIES 5 /* a second apart: the name of what was replaced has no smaller unit */

/* The first two may hold transactions that the file itself has not. */
static const char *const side_files[SIDE_COUNT] = { "-wal", "-journal", "-shm" };

static char *joined(const char *path, const char *suffix)
{
	char *out = NULL;

	return asprintf(&out, "%s%s", path, suffix) < 0 ? NULL : out;
}

static bool is_there(const char *path)
{
	struct stat file;

	return lstat(path, &file) == 0;
}

/* Does one thing to every side file of `from` that is there, `to` being the name it has beside another database. Gives
 * 0 or an errno; after the first failure it goes no further. */
static int each_side(const char *from, const char *to, int (*act)(const char *, const char *))
{
	int number = 0;

	for (size_t i = 0; number == 0 && i < SIDE_COUNT; i++) {
		char *here = joined(from, side_files[i]);
		char *there = joined(to, side_files[i]);

		if (here == NULL || there == NULL)
			number = ENOMEM;
		else if (is_there(here) && act(here, there) != 0)
			number = errno;
		free(here);
		free(there);
	}
	return number;
}

static int remove_here(const char *here, const char *there)
{
	(void)there;
	return unlink(here);
}

/* Under a second name; what holds no transaction needs none. */
static int keep(const char *here, const char *there)
{
	struct stat file;

	if (strcmp(strrchr(here, '-'), "-shm") == 0 || (stat(here, &file) == 0 && file.st_size == 0))
		return 0;
	return link(here, there);
}

static int find(const char *here, const char *there)
{
	(void)here;
	(void)there;
	errno = EEXIST;
	return -1;
}

void place_remove_sides(const char *path)
{
	(void)each_side(path, path, remove_here); /* mostly there is none */
}

bool place_is_side_name(const char *path)
{
	const size_t length = strlen(path);

	for (size_t i = 0; i < SIDE_COUNT; i++) {
		const size_t tail = strlen(side_files[i]);

		if (length >= tail && strcmp(path + length - tail, side_files[i]) == 0)
			return true;
	}
	return false;
}

int place_sync_folder(const char *path)
{
	char *copied = strdup(path);
	int fd = copied == NULL ? -1 : open(dirname(copied), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int number = fd < 0 || fsync(fd) != 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	free(copied);
	return number;
}

/* Moves what the log alone has into the file, so that what is kept is one file. Exclusively: a server that is up holds
 * the file shared, even while it does nothing. A database too damaged for it keeps its log. */
static enum err settle(const char *database, const struct log *log, struct fault *fault)
{
	static const char work[] = "PRAGMA locking_mode = EXCLUSIVE;"
				   "PRAGMA schema_version;" /* reading rolls back what a crash left half written */
				   "PRAGMA wal_checkpoint(TRUNCATE)";
	sqlite3 *sqlite = NULL;
	int status = sqlite3_open_v2(database, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (status == SQLITE_OK) {
		sqlite3_busy_timeout(sqlite, BUSY_MS);
		/* Else closing would delete a log that could not be read. */
		sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		status = sqlite3_exec(sqlite, work, NULL, NULL, NULL) & 0xff;
	}
	if (status == SQLITE_OK)
		sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	else if (status != SQLITE_BUSY)
		LOG(log, LOG_WARNING, "the log of the database that is replaced stays a file of its own",
		    LOG_STRING("reason", sqlite == NULL ? "out of memory" : sqlite3_errmsg(sqlite)),
		    LOG_STRING("file", database));
	sqlite3_close(sqlite);
	if (status == SQLITE_BUSY)
		return fault_set(fault, ERR_CONFLICT, NULL, "database",
				 "The database is in use; stop the server, or whatever else has it open, and try "
				 "again: %s",
				 database);
	return OK;
}

/* A name that nothing has yet, nor its side files. NULL with an errno. */
static char *name_to_keep(const char *database)
{
	for (int i = 0; i < NAME_TRIES; i++) {
		char time_text[CLOCK_TEXT_SIZE];
		char *name = NULL;

		clock_format(clock_now(), time_text);
		if (asprintf(&name, "%s.replaced-%.4s%.2s%.5s%.2s%.2sZ", database, time_text, time_text + 5,
			     time_text + 8, time_text + 14, time_text + 17) < 0) {
			errno = ENOMEM;
			return NULL;
		}
		if (!is_there(name) && each_side(name, name, find) == 0)
			return name;
		free(name);
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	}
	errno = EEXIST;
	return NULL;
}

/* The place is never empty: the new file takes the name under which the old one will be kept, then the two change names
 * at once. Gives 0 or an errno. */
static int exchange(const char *database, const char *fresh, const char *kept)
{
	int number;

	if (rename(fresh, kept) != 0)
		return errno;
	if (renameat2(AT_FDCWD, kept, AT_FDCWD, database, RENAME_EXCHANGE) == 0)
		return 0;
	number = errno;
	return rename(kept, fresh) == 0 ? number : errno;
}

/* For a database with a log, or a file system that exchanges no names. The log gets its second name before the file
 * gets its new one, and loses its first after: whenever it ends, `kept` or `database` has all. */
static int step_by_step(const char *database, const char *fresh, const char *kept)
{
	const bool present = is_there(database);
	int number = each_side(database, kept, keep);

	if (number == 0 && present && rename(database, kept) != 0)
		number = errno;
	if (number != 0) {
		place_remove_sides(kept);
		return number;
	}
	number = place_sync_folder(database);
	if (number == 0)
		number = each_side(database, database, remove_here);
	if (number == 0 && rename(fresh, database) != 0)
		number = errno;
	if (number == 0)
		return 0;
	/* Back: what of the log still has its first name is the same file. */
	place_remove_sides(database);
	if (each_side(kept, database, keep) == 0 && (!present || rename(kept, database) == 0))
		place_remove_sides(kept);
	return number;
}

enum err place_replace(const char *database, const char *fresh, const struct log *log, struct fault *fault)
{
	const bool present = is_there(database);
	bool sides = each_side(database, database, find) != 0;
	enum err err = present && sides ? settle(database, log, fault) : OK;
	int number = EINVAL;
	char *kept;

	if (err != OK)
		return err;
	kept = name_to_keep(database);
	if (kept == NULL)
		return fault_set(fault, errno == ENOMEM ? ERR_MEMORY : ERR_CONFLICT, NULL, "database",
				 "There is no name left for what is replaced (%s): %s", strerrordesc_np(errno),
				 database);
	sides = each_side(database, database, find) != 0;
	if (present && !sides)
		number = exchange(database, fresh, kept);
	if (number == EINVAL || number == ENOSYS)
		number = step_by_step(database, fresh, kept);
	if (number == 0 && (number = place_sync_folder(database)) != 0)
		err = fault_set(fault, ERR_STORAGE, NULL, "database",
				"The backup is in place, but whether a power cut would undo that is not known (%s). "
				"What was there is called %s",
				strerrordesc_np(number), kept);
	else if (number != 0)
		err = fault_set(fault, ERR_STORAGE, NULL, "database",
				"The backup cannot take the database's place (%s); what was there is called %s",
				strerrordesc_np(number), is_there(kept) ? kept : database);
	else if (present || each_side(kept, kept, find) != 0)
		LOG(log, LOG_INFO, "the database that was there is kept", LOG_STRING("file", kept));
	free(kept);
	return err;
}
