#include "store/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "statements.h"
#include "store/db.h"
#include "store/place.h"
#include "store/seal_file.h"

#define STEP_PAGES 256 /* between them SQLite lets go of the file it writes */
#define BUSY_MS    5000

/* What a file must answer before it is called a backup, or put in a database's place. */
static const struct {
	const char *question;
	const char *good;
} checks[] = {
	{ "PRAGMA integrity_check(1)", "ok" },
	{ "PRAGMA foreign_key_check", "" },
};

/* One call at work. The texts are its own. */
struct copy {
	const struct log *log;
	struct fault *fault;
	char *database; /* without symbolic links, as SQLite names the files beside it */
	char *path;     /* the backup */
	char *making;   /* the new file, until it is whole */
	int fd;         /* of `making`, flocked; -1 */
	bool made;      /* `making` is ours to remove */
};

/* The reason comes before the file, since a sentence is cut at its end. What is no caller's doing goes to the log too:
 * an answer of 500 does not say it. */
static enum err fail(struct copy *copy, enum err err, const char *file, const char *what, const char *reason)
{
	if (err == ERR_STORAGE || err == ERR_UNAVAILABLE || err == ERR_MEMORY)
		LOG(copy->log, LOG_ERROR, "copying a database failed", LOG_STRING("while", what),
		    LOG_STRING("reason", reason), LOG_STRING("file", file));
	fault_set(copy->fault, err, NULL, err == ERR_INVALID || err == ERR_CONFLICT ? "path" : NULL, "%s (%s): %s",
		  what, reason, file);
	return err;
}

static enum err out_of_memory(struct copy *copy)
{
	fault_set(copy->fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	return ERR_MEMORY;
}

static enum err fail_errno(struct copy *copy, int number, const char *file, const char *what)
{
	return fail(copy, seal_file_err(number), file, what, strerrordesc_np(number));
}

static enum err fail_sqlite(struct copy *copy, sqlite3 *sqlite, const char *file, const char *what)
{
	const int status = sqlite == NULL ? SQLITE_NOMEM : sqlite3_errcode(sqlite) & 0xff;
	const enum err err = status == SQLITE_NOMEM                           ? ERR_MEMORY
			     : status == SQLITE_FULL || status == SQLITE_BUSY ? ERR_UNAVAILABLE
									      : ERR_STORAGE;

	return fail(copy, err, file, what, sqlite == NULL ? "out of memory" : sqlite3_errmsg(sqlite));
}

static char *joined(const char *path, const char *suffix)
{
	char *out = NULL;

	return asprintf(&out, "%s%s", path, suffix) < 0 ? NULL : out;
}

static char *named(struct text path)
{
	char *out = NULL;

	return asprintf(&out, "%.*s", (int)path.length, path.at) < 0 ? NULL : out;
}

static bool is_there(const char *path)
{
	struct stat file;

	return lstat(path, &file) == 0;
}

/* `making` stands beside `target`: a rename stays on one disk. */
static enum err copy_init(struct copy *copy, struct text url, struct text path, bool restoring)
{
	const struct text scheme = TEXT("sqlite:");
	char suffix[40];
	char *resolved;
	bool remote = false;

	if (db_know(url, &remote, copy->fault) == OK && remote) {
		fault_set(copy->fault, ERR_INVALID, NULL, "database",
			  "This copies SQLite's file. A PostgreSQL is copied by pg_dump, and put back by pg_restore "
			  "(docs/scale.md).");
		return ERR_INVALID;
	}
	if (!text_starts(url, scheme) || url.length == scheme.length || url.length > PATH_MAX) {
		fault_set(copy->fault, ERR_INVALID, NULL, "database",
			  "The database must be given as sqlite:PATH, for example sqlite:innkeeper.db.");
		return ERR_INVALID;
	}
	if (path.length == 0 || path.length > PATH_MAX || memchr(path.at, '\0', path.length) != NULL) {
		fault_set(copy->fault, ERR_INVALID, NULL, "path",
			  "The backup's file needs a name, of at most %d bytes.", PATH_MAX);
		return ERR_INVALID;
	}
	copy->path = named(path);
	copy->database = named((struct text){ url.at + scheme.length, url.length - scheme.length });
	if (copy->path == NULL || copy->database == NULL)
		return out_of_memory(copy);
	resolved = realpath(copy->database, NULL);
	if (resolved != NULL) {
		free(copy->database);
		copy->database = resolved;
	}
	snprintf(suffix, sizeof suffix, ".%s-%ld", restoring ? "restoring" : "partial", (long)getpid());
	copy->making = joined(restoring ? copy->database : copy->path, suffix);
	return copy->making == NULL ? out_of_memory(copy) : OK;
}

static void copy_fini(struct copy *copy)
{
	if (copy->made) {
		unlink(copy->making);
		place_remove_sides(copy->making);
	}
	if (copy->fd >= 0)
		close(copy->fd);
	free(copy->database);
	free(copy->path);
	free(copy->making);
}

static enum err begin_file(struct copy *copy)
{
	const int number = seal_file_begin(copy->making, &copy->fd);

	copy->made = number == 0;
	if (number == EWOULDBLOCK)
		return fail(copy, ERR_CONFLICT, copy->making, "The same file is being made already",
			    "wait until that is done");
	return number == 0 ? OK
			   : fail_errno(copy, number, copy->making,
					"No file can be made there; give a folder that is there and may be written");
}

/* Gives SQLite's handle also when it fails, for its message; the caller closes it in either case. */
static int open_sqlite(const char *path, int flags, sqlite3 **out)
{
	int status = sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);

	if (status == SQLITE_OK) {
		sqlite3_extended_result_codes(*out, 1);
		sqlite3_busy_timeout(*out, BUSY_MS);
	}
	return status;
}

/* The first column of the first row into `answer`, "" when there is no row. Gives SQLite's status. */
static int ask(sqlite3 *sqlite, const char *question, char *answer, size_t size)
{
	sqlite3_stmt *row = NULL;
	int status = sqlite3_prepare_v2(sqlite, question, -1, &row, NULL);

	answer[0] = '\0';
	if (status == SQLITE_OK)
		status = sqlite3_step(row);
	if (status == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(row, 0);

		snprintf(answer, size, "%s", text == NULL ? (const unsigned char *)"" : text);
	}
	sqlite3_finalize(row);
	return status == SQLITE_ROW || status == SQLITE_DONE ? SQLITE_OK : status;
}

/* `bad` is what to call a file that does not hold together. */
static enum err check_pages(struct copy *copy, sqlite3 *sqlite, enum err bad, const char *what)
{
	char answer[160];

	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		int status = ask(sqlite, checks[i].question, answer, sizeof answer);

		if ((status & 0xff) == SQLITE_NOMEM)
			return out_of_memory(copy);
		if (status != SQLITE_OK)
			return fail(copy, bad, copy->path, what, sqlite3_errmsg(sqlite));
		if (strcmp(answer, checks[i].good) != 0)
			return fail(copy, bad, copy->path, what, answer);
	}
	return OK;
}

/* The read transaction is open before the first page and ends after the last, so SQLite neither starts over when
 * somebody commits nor mixes two moments: https://www.sqlite.org/backup.html, https://www.sqlite.org/isolation.html.
 * The database's log cannot begin anew meanwhile; that is the whole price for the others. */
static enum err copy_pages(struct copy *copy, sqlite3 *from, sqlite3 *to)
{
	char answer[32];
	sqlite3_backup *backup;
	int status;

	if (sqlite3_exec(from, "PRAGMA wal_autocheckpoint = 0; BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
	    ask(from, "PRAGMA schema_version", answer, sizeof answer) != SQLITE_OK ||
	    sqlite3_txn_state(from, "main") != SQLITE_TXN_READ)
		return fail_sqlite(copy, from, copy->database, "The database cannot be read");
	/* Nothing to roll back to, and one sync at the end: half a copy is thrown away. */
	if (sqlite3_exec(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL) != SQLITE_OK)
		return fail_sqlite(copy, to, copy->making, "The backup cannot be written");
	backup = sqlite3_backup_init(to, "main", from, "main");
	if (backup == NULL)
		return fail_sqlite(copy, to, copy->making, "The backup cannot be begun");
	do
		status = sqlite3_backup_step(backup, STEP_PAGES);
	while (status == SQLITE_OK);
	/* What finish says, it says through `to` as well; it repeats what the step said. */
	if (sqlite3_backup_finish(backup) != SQLITE_OK || status != SQLITE_DONE)
		return fail_sqlite(copy, to, copy->making,
				   "The backup cannot be written; free some space or choose another folder");
	return OK;
}

static enum err copy_database(struct copy *copy)
{
	sqlite3 *from = NULL;
	sqlite3 *to = NULL;
	enum err err;

	if (open_sqlite(copy->database, SQLITE_OPEN_READONLY, &from) != SQLITE_OK)
		err = fail_sqlite(copy, from, copy->database, "The database cannot be opened");
	else if (open_sqlite(copy->making, SQLITE_OPEN_READWRITE, &to) != SQLITE_OK)
		err = fail_sqlite(copy, to, copy->making, "The backup cannot be opened");
	else
		err = copy_pages(copy, from, to);
	if (sqlite3_close(to) != SQLITE_OK && err == OK)
		err = fail_sqlite(copy, to, copy->making, "The backup cannot be closed");
	if (sqlite3_close(from) != SQLITE_OK && err == OK)
		err = fail_sqlite(copy, from, copy->database, "The database cannot be closed");
	return err;
}

/* The copy says of itself that it has a log, since the database has; without one it is a single file that can be read
 * from a disk that cannot be written. */
static enum err make_plain(struct copy *copy)
{
	char answer[32] = "";
	sqlite3 *sqlite = NULL;
	enum err err = OK;

	if (open_sqlite(copy->making, SQLITE_OPEN_READWRITE, &sqlite) != SQLITE_OK ||
	    sqlite3_exec(sqlite, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF", NULL, NULL, NULL) !=
		SQLITE_OK ||
	    ask(sqlite, "PRAGMA journal_mode = DELETE", answer, sizeof answer) != SQLITE_OK)
		err = fail_sqlite(copy, sqlite, copy->making, "The backup cannot be finished");
	else if (strcmp(answer, "delete") != 0)
		err = fail(copy, ERR_STORAGE, copy->making, "The backup still wants a log", answer);
	else
		err = check_pages(copy, sqlite, ERR_STORAGE,
				  "The database is damaged, so a copy of it would be no backup; restore an older one");
	if (sqlite3_close(sqlite) != SQLITE_OK && err == OK)
		err = fail_sqlite(copy, sqlite, copy->making, "The backup cannot be closed");
	return err;
}

static enum err seal(struct copy *copy, struct copy_result *out)
{
	const int number = seal_file_put(copy->fd, SEAL_FILE_BACKUP, &out->bytes, out->checksum);

	return number == 0 ? OK : fail_errno(copy, number, copy->making, "The disk does not take the backup");
}

static enum err publish(struct copy *copy)
{
	const int number = seal_file_publish(copy->making, copy->path);

	if (number != 0)
		return fail_errno(copy, number, copy->path, "The backup cannot get its name; choose another one");
	copy->made = false;
	return OK;
}

static enum err check_names(struct copy *copy)
{
	struct stat file;

	if (copy->path[0] != '/')
		return fail(copy, ERR_INVALID, copy->path, "The backup's file must be named from the root",
			    "for example /var/backups/innkeeper.backup");
	if (place_is_side_name(copy->path))
		return fail(copy, ERR_INVALID, copy->path, "SQLite keeps its own files under such names",
			    "choose another ending");
	if (is_there(copy->path))
		return fail(copy, ERR_CONFLICT, copy->path, "A backup never overwrites a file",
			    "choose another name, or move what is there away");
	if (stat(copy->database, &file) != 0 || !S_ISREG(file.st_mode))
		return fail(copy, ERR_NOT_FOUND, copy->database, "There is no database to back up", "no such file");
	return OK;
}

enum err copy_backup(struct text url, struct text path, const struct log *log, struct copy_result *out,
		     struct fault *fault)
{
	struct copy copy = { .log = log, .fault = fault, .fd = -1 };
	enum err err = copy_init(&copy, url, path, false);

	memset(out, 0, sizeof *out);
	if (err == OK)
		err = check_names(&copy);
	if (err == OK)
		err = begin_file(&copy);
	if (err == OK)
		err = copy_database(&copy);
	if (err == OK)
		err = make_plain(&copy);
	if (err == OK)
		err = seal(&copy, out);
	if (err == OK)
		err = publish(&copy);
	if (err == OK)
		LOG(log, LOG_INFO, "backup made", LOG_STRING("file", copy.path), LOG_INT("bytes", out->bytes),
		    LOG_STRING("sha256", out->checksum));
	copy_fini(&copy);
	return err;
}

static enum err damaged(struct copy *copy, const char *reason)
{
	return fail(copy, ERR_INVALID, copy->path,
		    "The file is damaged or no backup of Innkeeper, and nothing was changed; take another one", reason);
}

/* The whole file; into `to` unless it is -1. */
static enum err read_backup(struct copy *copy, int from, int to, struct copy_result *out)
{
	const char *wrong = NULL;
	const int number = seal_file_read(from, to, SEAL_FILE_BACKUP, &out->bytes, out->checksum, &wrong);

	if (number != 0 && to >= 0)
		return fail_errno(copy, number, copy->making, "The backup cannot be copied; free some space");
	if (number != 0)
		wrong = strerrordesc_np(number);
	return wrong == NULL ? OK : damaged(copy, wrong);
}

/* Root restores for the user whose server opens it: the owner of what was there, else of the folder. */
static enum err give_to_owner(struct copy *copy)
{
	struct stat owner;
	bool found;

	if (geteuid() != 0)
		return OK;
	found = stat(copy->database, &owner) == 0;
	if (!found) {
		char *folder = strdup(copy->database);

		found = folder != NULL && stat(dirname(folder), &owner) == 0;
		free(folder);
	}
	if (found && fchown(copy->fd, owner.st_uid, owner.st_gid) == 0)
		return OK;
	return fail_errno(copy, errno, copy->making, "The file cannot be given to the database's owner");
}

/* Read twice: once to know that it is whole, before anything is made, and once to copy it; the second time may find
 * another file than the first, and says so. */
static enum err bring_in(struct copy *copy, struct copy_result *out)
{
	int from = open(copy->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum err err;

	if (from < 0 && (errno == ENOENT || errno == ENOTDIR))
		return fail(copy, ERR_NOT_FOUND, copy->path, "There is no such backup", strerrordesc_np(errno));
	if (from < 0)
		return fail_errno(copy, errno, copy->path, "The backup cannot be opened");
	err = read_backup(copy, from, -1, out);
	if (err == OK)
		err = begin_file(copy);
	if (err == OK)
		err = read_backup(copy, from, copy->fd, out);
	if (err == OK)
		err = give_to_owner(copy);
	if (err == OK && fsync(copy->fd) != 0)
		err = fail_errno(copy, errno, copy->making, "The disk does not take the copy");
	close(from);
	return err;
}

/* A checksum says that these bytes were written, not that they are a database of this house. */
static enum err check_contents(struct copy *copy)
{
	char newest[32];
	sqlite3 *sqlite = NULL;
	enum err err;

	if (open_sqlite(copy->making, SQLITE_OPEN_READONLY, &sqlite) != SQLITE_OK)
		err = fail_sqlite(copy, sqlite, copy->making, "The copy cannot be opened");
	else
		err = check_pages(copy, sqlite, ERR_INVALID,
				  "What the backup holds is damaged, and nothing was changed; take another one");
	if (err == OK && ask(sqlite, statements[STATEMENT_MIGRATION_NEWEST].sqlite, newest, sizeof newest) != SQLITE_OK)
		err = damaged(copy, sqlite3_errmsg(sqlite));
	if (err == OK && newest[0] == '\0')
		err = damaged(copy, "no migration was applied to it");
	if (err == OK && strtoll(newest, NULL, 10) > (long long)migration_count)
		err = fail(copy, ERR_CONFLICT, copy->path,
			   "The backup is of a newer version than this binary, and nothing was changed; restore it "
			   "with the newer one",
			   newest);
	if (sqlite3_close(sqlite) != SQLITE_OK && err == OK)
		err = fail_sqlite(copy, sqlite, copy->making, "The copy cannot be closed");
	place_remove_sides(copy->making);
	return err;
}

enum err copy_restore(struct text url, struct text path, const struct log *log, struct copy_result *out,
		      struct fault *fault)
{
	struct copy copy = { .log = log, .fault = fault, .fd = -1 };
	enum err err = copy_init(&copy, url, path, true);

	memset(out, 0, sizeof *out);
	if (err == OK)
		err = bring_in(&copy, out);
	if (err == OK)
		err = check_contents(&copy);
	if (err == OK)
		err = place_replace(copy.database, copy.making, log, fault);
	if (err == OK) {
		copy.made = false;
		LOG(log, LOG_INFO, "backup restored", LOG_STRING("file", copy.path), LOG_INT("bytes", out->bytes),
		    LOG_STRING("sha256", out->checksum));
	}
	copy_fini(&copy);
	return err;
}
