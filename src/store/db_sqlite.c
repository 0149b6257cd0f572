#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/engine.h"
#include "store/row_security.h"
#include "store/sqlite_wire.h"

/* What a savepoint may need to undo stays in memory up to here, behind it in an unlinked temporary file. SQLite writes
 * the whole piece at once and cuts a single write at 128 KiB, so never more. (temp_store = MEMORY would keep it in
 * pieces of a kilobyte and walk them at each release: a third of the time of a large batch.) */
#define SAVEPOINT_BYTES  (127 * 1024)
#define SCOPES_DEEP      8
#define BUSY_MS          5000  /* readers meet a lock only while the log is reset */
#define WRITER_CACHE_KIB 65536 /* the pages that random chats' activity dirties, at 100,000 chats ten times over */
#define READER_CACHE_KIB 8192
#define CHECKPOINT_PAGES 4096 /* of the log: measured best of 1024 to 8192 for rate and tail at random chats */

/* Steps of SQLite's machine between two looks at the clock: some dozens of microseconds. What is done inside of one
 * step, FTS5's walk through its lists, is only seen by the three that each page of a list takes: 8 of them are 0.3 ms.
 */
#define STEPS_UNHURRIED 2000
#define STEPS_HURRIED   8

enum transaction { BEGIN_READ, BEGIN_WRITE, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, ROLLBACK_TO, TRANSACTION_COUNT };

static const char *const transaction_texts[TRANSACTION_COUNT] = {
	[BEGIN_READ] = "BEGIN",
	[BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[SAVEPOINT] = "SAVEPOINT item",
	[RELEASE] = "RELEASE item",
	[ROLLBACK_TO] = "ROLLBACK TO item",
};

struct sqlite {
	struct db db; /* first: what the others see */
	sqlite3 *sqlite;
	struct row_security *security; /* NULL while migrating */
	enum db_use use;
	const struct log *log;
	char *path;
	const struct scope *scopes[SCOPES_DEEP];
	size_t depth;
	int64_t changed;
	int64_t deadline;            /* of a reader's transaction, clock_monotonic */
	const struct budget *budget; /* NULL: no hurry */
	int pages_logged;            /* in the log after the last commit */
	int pages_home;              /* of them, already moved to the file */
	bool deleted;                /* rows, since the log was emptied: it may still hold what they said */
	sqlite3_stmt *transactions[TRANSACTION_COUNT];
	sqlite3_stmt *prepared[STATEMENT_COUNT]; /* made at first use, kept */
	bool open[STATEMENT_COUNT];              /* started and not stopped */
};

static enum err sqlite_init(void)
{
	/* Each connection has one thread at a time: only the library's own lists need a lock. */
	if (sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_MULTITHREAD) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, SAVEPOINT_BYTES) != SQLITE_OK ||
	    sqlite3_initialize() != SQLITE_OK)
		return ERR_STORAGE;
	return OK;
}

static void log_failure(const struct sqlite *db, const char *what)
{
	/* SQLite's own message may name a value of a constraint in no case; it names columns and files. */
	LOG(db->log, LOG_ERROR, "database error", LOG_STRING("while", what),
	    LOG_INT("code", sqlite3_extended_errcode(db->sqlite)), LOG_STRING("reason", sqlite3_errmsg(db->sqlite)));
}

static enum err err_of(const struct sqlite *db, int status, const char *what)
{
	/* The log's index in shared memory cannot grow: a full disk too, met in a file that holds nothing to last. */
	if (status == SQLITE_IOERR_SHMSIZE)
		status = SQLITE_FULL;
	switch (status & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return OK;
	case SQLITE_CONSTRAINT:
		if (status == SQLITE_CONSTRAINT_TRIGGER && strcmp(sqlite3_errmsg(db->sqlite), "no such parent") != 0) {
			log_failure(db, what);
			return ERR_DENIED;
		}
		return ERR_CONFLICT;
	case SQLITE_AUTH:
		log_failure(db, what);
		return ERR_DENIED;
	case SQLITE_FULL:
	case SQLITE_BUSY:
		log_failure(db, what);
		return ERR_UNAVAILABLE;
	case SQLITE_NOMEM:
		return ERR_MEMORY;
	case SQLITE_TOOBIG:
		return ERR_TOO_LARGE;
	case SQLITE_INTERRUPT:
		return ERR_TOO_SLOW;
	default:
		log_failure(db, what);
		return ERR_STORAGE;
	}
}

static enum err configure(struct sqlite *db)
{
	char *pragmas = sqlite3_mprintf(
	    "PRAGMA cache_size = -%d; PRAGMA foreign_keys = ON;"
	    "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
	    /* What is erased shall not be read from free pages. Storing frees none, so it pays nothing. */
	    "PRAGMA secure_delete = ON; %s",
	    db->use == DB_READ ? READER_CACHE_KIB : WRITER_CACHE_KIB,
	    db->use == DB_READ ? "" : "PRAGMA journal_mode = WAL");
	int status = pragmas == NULL ? SQLITE_NOMEM : sqlite3_exec(db->sqlite, pragmas, NULL, NULL, NULL);

	sqlite3_free(pragmas);
	return err_of(db, status, "configuring");
}

static enum err prepare_transactions(struct sqlite *db)
{
	for (size_t i = 0; i < TRANSACTION_COUNT; i++) {
		int status;

		if (db->security != NULL) {
			enum err err =
			    row_security_prepare_transaction(db->security, transaction_texts[i], &db->transactions[i]);
			if (err != OK)
				return err;
			continue;
		}
		status = sqlite3_prepare_v2(db->sqlite, transaction_texts[i], -1, &db->transactions[i], NULL);
		if (status != SQLITE_OK)
			return err_of(db, status, "preparing");
	}
	return OK;
}

/* https://www.sqlite.org/c3ref/wal_hook.html: after each commit, how many pages the log holds. */
static int note_log(void *given, sqlite3 *sqlite, const char *schema, int pages)
{
	struct sqlite *db = given;

	(void)sqlite;
	(void)schema;
	if (pages < db->pages_home)
		db->pages_home = 0; /* the log began anew */
	db->pages_logged = pages;
	return SQLITE_OK;
}

/* https://www.sqlite.org/c3ref/progress_handler.html: not 0 ends what is running. */
static int is_too_late(void *given)
{
	const struct sqlite *db = given;

	return (db->budget != NULL && budget_spent(db->budget)) || clock_monotonic() >= db->deadline;
}

static void watch_time(struct sqlite *db)
{
	const bool watched = db->use == DB_READ && (db->budget != NULL || db->deadline != INT64_MAX);

	sqlite3_progress_handler(db->sqlite, db->budget == NULL ? STEPS_UNHURRIED : STEPS_HURRIED,
				 watched ? is_too_late : NULL, db);
}

static void sqlite_limit(struct db *given, int64_t microseconds)
{
	struct sqlite *db = (struct sqlite *)given;

	db->deadline = microseconds == 0 ? INT64_MAX : clock_monotonic() + microseconds;
	watch_time(db);
}

static void sqlite_hurry(struct db *given, const struct budget *budget)
{
	struct sqlite *db = (struct sqlite *)given;

	db->budget = budget;
	watch_time(db);
}

static enum err open_file(struct sqlite *db, struct fault *fault)
{
	const int flags = db->use == DB_READ    ? SQLITE_OPEN_READONLY
			  : db->use == DB_WRITE ? SQLITE_OPEN_READWRITE
						: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int status;

	/* The file is the operator's alone from its first moment; SQLite gives its log the same mode. */
	if (db->use == DB_MIGRATE) {
		int made = open(db->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (made >= 0)
			close(made);
	}
	status = sqlite3_open_v2(db->path, &db->sqlite, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (status != SQLITE_OK)
		return fault_set(fault, ERR_STORAGE, NULL, NULL, "The database %s cannot be opened: %s.", db->path,
				 db->sqlite == NULL ? "out of memory" : sqlite3_errmsg(db->sqlite));
	sqlite3_extended_result_codes(db->sqlite, 1);
	sqlite3_busy_timeout(db->sqlite, BUSY_MS);
	if (configure(db) != OK)
		return fault_set(fault, ERR_STORAGE, NULL, NULL, "The database %s cannot be used: %s.", db->path,
				 sqlite3_errmsg(db->sqlite));
	/* Behind the pragmas: wal_autocheckpoint takes the hook for itself. */
	sqlite3_wal_hook(db->sqlite, note_log, db);
	return OK;
}

static void sqlite_close(struct db *given)
{
	struct sqlite *db = (struct sqlite *)given;

	if (db == NULL)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(db->prepared[i]);
	for (size_t i = 0; i < TRANSACTION_COUNT; i++)
		sqlite3_finalize(db->transactions[i]);
	if (sqlite3_close(db->sqlite) != SQLITE_OK)
		log_failure(db, "closing");
	row_security_free(db->security);
	free(db->path);
	free(db);
}

static enum err sqlite_open(struct db **out, struct text url, enum db_use use, const struct log *log,
			    struct fault *fault)
{
	const struct text scheme = TEXT("sqlite:");
	struct sqlite *db;
	enum err err;

	*out = NULL;
	if (!text_starts(url, scheme) || url.length == scheme.length)
		return fault_set(fault, ERR_INVALID, NULL, "database",
				 "The database must be given as sqlite:PATH, for example sqlite:innkeeper.db.");
	db = calloc(1, sizeof *db);
	if (db == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	db->db.engine = &engine_sqlite;
	db->use = use;
	db->deadline = INT64_MAX;
	db->log = log;
	db->pages_logged = 1; /* what an earlier process left in the log is not known: the first db_tidy looks */
	db->path = strndup(url.at + scheme.length, url.length - scheme.length);
	err = db->path == NULL ? fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.") : open_file(db, fault);
	if (err == OK && use != DB_MIGRATE) {
		err = row_security_new(&db->security, db->sqlite, use == DB_WRITE);
		if (err != OK)
			fault_set(fault, err, NULL, NULL,
				  "The database %s does not have the tables that this version needs: %s.", db->path,
				  sqlite3_errmsg(db->sqlite));
	}
	if (err == OK && (err = prepare_transactions(db)) != OK)
		fault_set(fault, err, NULL, NULL, "The database %s cannot be used: %s.", db->path,
			  sqlite3_errmsg(db->sqlite));
	if (err != OK) {
		sqlite_close(&db->db);
		return err;
	}
	*out = &db->db;
	return OK;
}

static enum err transact(struct sqlite *db, enum transaction which)
{
	sqlite3_stmt *statement = db->transactions[which];
	int status = sqlite3_step(statement);
	int again = sqlite3_reset(statement);

	return err_of(db, status == SQLITE_DONE ? again : status, transaction_texts[which]);
}

static enum err sqlite_begin(struct db *given)
{
	struct sqlite *db = (struct sqlite *)given;

	assert(db->depth == 0);
	return transact(db, db->use == DB_READ ? BEGIN_READ : BEGIN_WRITE);
}

static void sqlite_stop(struct db *given, enum statement_id id)
{
	struct sqlite *db = (struct sqlite *)given;

	if (!db->open[id])
		return;
	/* Its status repeats what db_step has told. */
	(void)sqlite3_reset(db->prepared[id]);
	(void)sqlite3_clear_bindings(db->prepared[id]);
	db->open[id] = false;
}

static void stop_all(struct sqlite *db)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		if (db->open[i])
			sqlite_stop(&db->db, (enum statement_id)i);
}

static enum err sqlite_end(struct db *given, bool keep)
{
	struct sqlite *db = (struct sqlite *)given;
	enum err err;

	stop_all(db);
	db->budget = NULL;
	sqlite_limit(&db->db, 0); /* what ends must not be ended */
	db->depth = 0;
	if (db->security != NULL)
		row_security_bind(db->security, NULL);
	if (sqlite3_get_autocommit(db->sqlite))
		return keep ? ERR_STORAGE : OK; /* SQLite has already rolled back */
	if (!keep)
		return transact(db, ROLLBACK);
	err = transact(db, COMMIT);
	if (err != OK && !sqlite3_get_autocommit(db->sqlite) && transact(db, ROLLBACK) != OK)
		err = ERR_STORAGE;
	return err;
}

static void bind_scope(struct sqlite *db)
{
	if (db->security == NULL)
		return;
	row_security_bind(db->security, db->depth == 0 ? NULL : scope_organization(db->scopes[db->depth - 1]));
}

static enum err sqlite_enter(struct db *given, const struct scope *scope)
{
	struct sqlite *db = (struct sqlite *)given;

	assert(db->depth < SCOPES_DEEP && scope != NULL);
	if (db->use != DB_READ) {
		enum err err = transact(db, SAVEPOINT);

		if (err != OK)
			return err;
	}
	db->scopes[db->depth++] = scope;
	bind_scope(db);
	return OK;
}

static const struct scope *sqlite_scope(const struct db *given)
{
	const struct sqlite *db = (const struct sqlite *)given;

	assert(db->depth > 0);
	return db->scopes[db->depth - 1];
}

static enum err sqlite_leave(struct db *given, bool keep)
{
	struct sqlite *db = (struct sqlite *)given;
	enum err err = OK;

	assert(db->depth > 0);
	stop_all(db);
	db->depth--;
	bind_scope(db);
	if (db->use == DB_READ)
		return OK;
	if (sqlite3_get_autocommit(db->sqlite))
		return ERR_STORAGE;
	if (!keep)
		err = transact(db, ROLLBACK_TO);
	if (err == OK)
		err = transact(db, RELEASE);
	return err == OK ? OK : ERR_STORAGE;
}

static enum err prepared(struct sqlite *db, enum statement_id id, sqlite3_stmt **out)
{
	const struct statement *statement = &statements[id];
	const bool system = db->depth > 0 && scope_organization(db->scopes[db->depth - 1]) == NULL;
	enum err err = OK;

	*out = NULL;
	if (db->depth == 0 || system != (statement->kind == STATEMENT_SYSTEM))
		return ERR_DENIED;
	if (statement->write_target != NULL && db->use == DB_READ)
		return ERR_DENIED;
	if (db->prepared[id] == NULL && db->security == NULL) {
		err = err_of(db,
			     sqlite3_prepare_v3(db->sqlite, statement->sqlite, -1, SQLITE_PREPARE_PERSISTENT,
						&db->prepared[id], NULL),
			     statement->name);
	} else if (db->prepared[id] == NULL) {
		err = system ? row_security_prepare_system(db->security, statement->sqlite, &db->prepared[id])
			     : row_security_prepare_tenant(db->security, statement->sqlite, statement->write_target,
							   &db->prepared[id]);
		if (err != OK)
			log_failure(db, statement->name);
	}
	*out = db->prepared[id];
	return err;
}

static enum err sqlite_start(struct db *given, enum statement_id id, const void *in)
{
	struct sqlite *db = (struct sqlite *)given;
	const struct statement *statement = &statements[id];
	const struct uuid *organization;
	sqlite3_stmt *prepared_statement;
	enum err err = prepared(db, id, &prepared_statement);
	int status;

	if (err != OK)
		return err;
	if (db->open[id])
		sqlite_stop(&db->db, id);
	organization = scope_organization(db->scopes[db->depth - 1]);
	status = sqlite_bind(prepared_statement, statement, organization, in);
	if (status != SQLITE_OK)
		return err_of(db, status, statement->name);
	db->open[id] = true;
	return OK;
}

static enum err sqlite_step(struct db *given, enum statement_id id, void *out)
{
	struct sqlite *db = (struct sqlite *)given;
	const struct statement *statement = &statements[id];
	sqlite3_stmt *row = db->prepared[id];
	int status;

	assert(db->open[id]);
	status = sqlite3_step(row);
	if (status == SQLITE_ROW) {
		if (out != NULL)
			sqlite_read(row, statement, out);
		return OK;
	}
	if (status == SQLITE_DONE) {
		db->changed = statement->write_target == NULL ? 0 : sqlite3_changes64(db->sqlite);
		db->deleted = db->deleted || (db->changed > 0 && strncmp(statement->sqlite, "DELETE", 6) == 0);
		return ERR_NOT_FOUND;
	}
	return err_of(db, status, statement->name);
}

static int64_t sqlite_changed(const struct db *given)
{
	const struct sqlite *db = (const struct sqlite *)given;

	return db->changed;
}

static int64_t sqlite_inserted(const struct db *given)
{
	const struct sqlite *db = (const struct sqlite *)given;

	return sqlite3_last_insert_rowid(db->sqlite);
}

static enum err sqlite_script(struct db *given, const char *sql, struct fault *fault)
{
	struct sqlite *db = (struct sqlite *)given;

	assert(db->use == DB_MIGRATE);
	if (sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fault_set(fault, ERR_STORAGE, NULL, NULL, "%s", sqlite3_errmsg(db->sqlite));
	return OK;
}

/* Empties the log when everything in it is home: else what was deleted could be read from it until newer pages happen
 * to cover it. Waits for no reader; one that holds an old moment puts it off. */
static enum err empty_log(struct sqlite *db)
{
	int status;

	sqlite3_busy_timeout(db->sqlite, 0);
	status = sqlite3_wal_checkpoint_v2(db->sqlite, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(db->sqlite, BUSY_MS);
	if (status == SQLITE_OK) {
		db->deleted = false;
		db->pages_logged = 0;
		db->pages_home = 0;
	}
	return status == SQLITE_BUSY ? OK : err_of(db, status, "emptying the log");
}

static enum err sqlite_tidy(struct db *given, bool idle)
{
	struct sqlite *db = (struct sqlite *)given;
	int logged = 0;
	int home = 0;
	int status;

	if (db->pages_logged - db->pages_home < (idle ? 1 : CHECKPOINT_PAGES))
		return OK;
	status = sqlite3_wal_checkpoint_v2(db->sqlite, "main", SQLITE_CHECKPOINT_PASSIVE, &logged, &home);
	if (status == SQLITE_OK)
		db->pages_home = home;
	if (status == SQLITE_OK && idle && db->deleted && home == logged)
		return empty_log(db);
	return status == SQLITE_BUSY ? OK : err_of(db, status, "moving the log home");
}

static int64_t sqlite_size(struct db *given)
{
	struct sqlite *db = (struct sqlite *)given;
	static const char *const suffixes[] = { "", "-wal" };
	int64_t bytes = 0;

	for (size_t i = 0; i < 2; i++) {
		char *path = sqlite3_mprintf("%s%s", db->path, suffixes[i]);
		struct stat file;

		if (path != NULL && stat(path, &file) == 0)
			bytes += file.st_size;
		sqlite3_free(path);
	}
	return bytes;
}

static const char *const schemes[] = { "sqlite:", NULL };

const struct engine engine_sqlite = {
	.schemes = schemes,
	.init = sqlite_init,
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.end = sqlite_end,
	.limit = sqlite_limit,
	.hurry = sqlite_hurry,
	.enter = sqlite_enter,
	.scope = sqlite_scope,
	.leave = sqlite_leave,
	.start = sqlite_start,
	.step = sqlite_step,
	.stop = sqlite_stop,
	.changed = sqlite_changed,
	.inserted = sqlite_inserted,
	.script = sqlite_script,
	.tidy = sqlite_tidy,
	.size = sqlite_size,
};
