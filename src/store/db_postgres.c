#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/engine.h"
#include "store/postgres_roles.h"
#include "store/postgres_statements.h"
#include "store/postgres_wire.h"

/* us for each answer: the server itself ends a reader's statement after two seconds, a writer's after sixty. */
#define READER_WAIT ((int64_t)3000000)
#define WRITER_WAIT ((int64_t)65000000)

/* What every connection is told first. Acknowledged means synced, whatever the server's own setting; a statement's plan
 * is made once. `statement_timeout` and `lock_timeout`: a reader that takes this long would hold up others; a writer
 * waits for another process's batch, and not for ever. `enable_seqscan`: a plan made while a table is nearly empty must
 * be right when it has grown. Citus hands SET LOCAL on to its nodes when it is told to; to others the word means
 * nothing. What we leave behind when we are gone, or taken to be, ends soon: it may hold an organization's lock
 * (become). The text that is thrown away: where the C library is glibc, a process that has once freed so much keeps
 * memory for its next statement, which it would else give back and fault in again, for half as much time as the
 * statement takes (mallopt(3), "dynamic mmap threshold"; bench/README.md). */
#define SETTINGS_OF_ALL                                                                                                \
	"SET search_path = innkeeper, pg_temp; SET client_encoding = 'UTF8'; SET plan_cache_mode = "                   \
	"force_generic_plan;"                                                                                          \
	"SET citus.propagate_set_commands = 'local'; SET jit = off; SET enable_seqscan = off;"                         \
	"SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;"                  \
	"SET tcp_user_timeout = '10s'; SELECT pg_catalog.length(pg_catalog.repeat(' ', 4194304));"
static const char settings_of_reader[] =
    SETTINGS_OF_ALL "SET statement_timeout = '2s'; SET idle_in_transaction_session_timeout = '5min'";
static const char settings_of_writer[] =
    SETTINGS_OF_ALL "SET synchronous_commit = on; SET statement_timeout = '60s'; SET lock_timeout = '10s';"
		    "SET idle_in_transaction_session_timeout = '30s'";
static const char settings_of_migration[] =
    "SET ROLE innkeeper_owner; SET search_path = innkeeper, pg_temp; SET client_encoding = 'UTF8';"
    "SET client_min_messages = warning; SET synchronous_commit = on; SET lock_timeout = '10s'";

static const char *const settings_for[] = {
	[DB_READ] = settings_of_reader, [DB_WRITE] = settings_of_writer, [DB_MIGRATE] = settings_of_migration
};

static void postgres_close(struct db *given)
{
	struct postgres *db = (struct postgres *)given;

	postgres_statements_stop(db);
	postgres_statements_give_up(db);
	postgres_line_free(db->line);
	postgres_statements_forget(db);
	free(db);
}

/* All of it for the writer's first connection, and for each one that comes in the place of another: what was true at
 * the start need not be any more. The others of the start follow the writer's at once: of them only what is their own.
 */
static enum err check_roles(struct postgres *db, struct fault *fault)
{
	const bool follows = !db->reached && (db->use == DB_READ || db->follows);
	struct fault reason = { 0 };
	enum err err;

	if (db->use == DB_MIGRATE)
		return OK;
	err = follows ? postgres_roles_check_again(db->line, fault == NULL ? &reason : fault)
		      : postgres_roles_check(db->line, fault == NULL ? &reason : fault);
	if (err == OK)
		return OK;
	if (fault == NULL)
		LOG(db->log, LOG_ERROR, "the database is not used", LOG_STRING("reason", reason.sentence));
	postgres_line_refuse(db->line);
	return fault == NULL ? ERR_UNAVAILABLE : err;
}

static enum err reach(struct postgres *db, struct fault *fault)
{
	bool fresh = false;
	enum err err = postgres_line_open(db->line, &fresh, fault);

	if (!fresh)
		return err;
	postgres_statements_forget(db);
	err = check_roles(db, fault);
	db->reached = db->reached || err == OK;
	return err;
}

static const int64_t wait_for[] = { [DB_READ] = READER_WAIT, [DB_WRITE] = WRITER_WAIT, [DB_MIGRATE] = 0 };

/* Answers are limited from the start; a reader who needs more asks for a transaction without. */
static void wait_as_usual(struct postgres *db)
{
	postgres_line_limit(db->line, wait_for[db->use]);
}

static enum err postgres_open(struct db **out, struct text url, enum db_use use, const struct log *log,
			      struct fault *fault)
{
	struct postgres *db = calloc(1, sizeof *db);
	enum err err;

	*out = NULL;
	if (db == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	db->db.engine = &engine_postgres;
	db->use = use == DB_WRITE_ON ? DB_WRITE : use;
	db->follows = use == DB_WRITE_ON;
	db->care = true;
	db->log = log;
	err = postgres_line_new(&db->line, url, settings_for[db->use], log);
	if (err != OK) {
		free(db);
		return fault_set(fault, err, NULL, NULL, "Out of memory.");
	}
	wait_as_usual(db);
	err = reach(db, fault);
	if (err != OK) {
		postgres_close(&db->db);
		return err;
	}
	*out = &db->db;
	return OK;
}

static void command(struct postgres *db, const char *sql)
{
	postgres_line_command(db->line, sql, sql, NULL);
}

static enum err postgres_begin(struct db *given)
{
	struct postgres *db = (struct postgres *)given;
	enum err err;

	assert(db->depth == 0);
	wait_as_usual(db);
	err = reach(db, NULL);
	if (err != OK)
		return err;
	db->is_bound = false;
	db->begun = true;
	db->wants_care = false;
	db->lost = false;
	db->writes[0] = 0;
	/* A reader's sees one moment; of an organization one transaction writes at a time (become), so that a statement
	 * sees all that was committed before it. */
	command(db, db->use == DB_READ ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
				       : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
	return OK;
}

static enum err commit(struct postgres *db)
{
	struct postgres_answer answer;
	enum err err;

	postgres_line_command(db->line, "COMMIT", "COMMIT", &answer);
	err = postgres_line_rest(db->line);
	/* Of a transaction that failed, COMMIT is answered by ROLLBACK. */
	if (err == OK && answer.err == OK && strcmp(PQcmdStatus(answer.result), "COMMIT") != 0)
		err = ERR_UNAVAILABLE;
	else if (err == OK)
		err = answer.err;
	PQclear(answer.result);
	return err == OK ? OK : ERR_UNAVAILABLE;
}

/* What was sent may have failed in a way that only we see, by another number of rows, and COMMIT would keep it. With
 * care each scope has looked for itself. */
static bool has_failed(struct postgres *db)
{
	return !db->care && db->writes[0] > 0 && postgres_line_settle(db->line) != OK;
}

static void roll_back(struct postgres *db)
{
	command(db, "ROLLBACK");
	(void)postgres_line_rest(db->line); /* a line that fails even in this is closed, which undoes it too */
}

static enum err postgres_end(struct db *given, bool keep)
{
	struct postgres *db = (struct postgres *)given;
	enum err err;

	postgres_statements_stop(db);
	postgres_statements_settle(db, keep);
	db->depth = 0;
	db->is_bound = false;
	db->begun = false;
	if (!postgres_line_stands(db->line))
		return keep ? ERR_UNAVAILABLE : OK; /* the server has rolled back */
	if (keep && !db->lost && !has_failed(db)) {
		err = commit(db);
	} else {
		roll_back(db);
		err = keep ? ERR_UNAVAILABLE : OK;
	}
	db->wants_care = db->wants_care || (err != OK && !db->care && postgres_line_stands(db->line));
	return err;
}

static bool postgres_stands(const struct db *given)
{
	return postgres_line_stands(((const struct postgres *)given)->line);
}

static void postgres_limit(struct db *given, int64_t microseconds)
{
	struct postgres *db = (struct postgres *)given;

	if (microseconds != 0 || !db->begun || !postgres_line_stands(db->line))
		return;
	command(db, "SET LOCAL statement_timeout = 0");
	postgres_line_limit(db->line, 0);
}

static void savepoint(struct postgres *db, const char *verb)
{
	char text[48];

	snprintf(text, sizeof text, "%s scope_%zu", verb, db->depth);
	command(db, text);
}

static enum err postgres_enter(struct db *given, const struct scope *scope)
{
	struct postgres *db = (struct postgres *)given;

	assert(db->depth < POSTGRES_SCOPES && scope != NULL);
	if (!postgres_line_stands(db->line))
		return ERR_UNAVAILABLE;
	db->scopes[db->depth++] = scope;
	db->writes[db->depth] = 0;
	if (db->use != DB_READ && db->care)
		savepoint(db, "SAVEPOINT");
	return OK;
}

static const struct scope *postgres_scope(const struct db *given)
{
	const struct postgres *db = (const struct postgres *)given;

	assert(db->depth > 0);
	return db->scopes[db->depth - 1];
}

/* Undoes what was written since the scope was entered, its settings and its failures too. */
static enum err undo(struct postgres *db)
{
	(void)postgres_line_settle(db->line); /* what failed is undone with the rest */
	savepoint(db, "ROLLBACK TO SAVEPOINT");
	savepoint(db, "RELEASE SAVEPOINT");
	db->is_bound = false;
	return postgres_line_settle(db->line) == OK ? OK : ERR_STORAGE;
}

/* With a savepoint a failure is the scope's own, also one that shows only now. */
static enum err leave_with_care(struct postgres *db, bool keep)
{
	enum err failure;

	if (!keep)
		return undo(db);
	if (db->writes[db->depth] == 0) {
		savepoint(db, "RELEASE SAVEPOINT");
		return OK;
	}
	failure = postgres_line_settle(db->line);
	if (failure == OK) {
		savepoint(db, "RELEASE SAVEPOINT");
		return OK;
	}
	if (!postgres_line_stands(db->line) || undo(db) != OK)
		return ERR_STORAGE;
	return failure == ERR_STORAGE ? ERR_DENIED : failure;
}

static enum err postgres_leave(struct db *given, bool keep)
{
	struct postgres *db = (struct postgres *)given;
	enum err err = OK;

	assert(db->depth > 0);
	postgres_statements_stop(db);
	postgres_statements_ask(db);
	if (!postgres_line_stands(db->line))
		err = ERR_UNAVAILABLE;
	else if (db->use != DB_READ && db->care)
		err = leave_with_care(db, keep);
	else if (db->use != DB_READ && !keep && db->writes[db->depth] > 0)
		err = ERR_UNAVAILABLE; /* it cannot be undone by itself */
	db->lost = db->lost || (err != OK && !db->care);
	db->wants_care = db->wants_care || (err != OK && !db->care && postgres_line_stands(db->line));
	db->depth--;
	db->writes[db->depth] += keep && err == OK ? db->writes[db->depth + 1] : 0;
	return err == OK || (db->care && db->use != DB_READ && postgres_line_stands(db->line)) ? err : ERR_STORAGE;
}

static enum err postgres_catch_up(struct db *given)
{
	struct postgres *db = (struct postgres *)given;
	enum err err;

	postgres_statements_flush(db);
	err = postgres_line_settle(db->line);
	return err == ERR_STORAGE ? ERR_DENIED : err;
}

static void postgres_set_care(struct db *given, bool care)
{
	((struct postgres *)given)->care = care;
}

static bool postgres_looks_ahead(const struct db *given)
{
	const struct postgres *db = (const struct postgres *)given;

	return db->use == DB_WRITE && !db->care;
}

static bool postgres_wants_care(const struct db *given)
{
	return ((const struct postgres *)given)->wants_care;
}

static enum err postgres_notify(struct db *given, struct text words)
{
	struct postgres *db = (struct postgres *)given;
	struct postgres_parameters parameters;

	if (!postgres_line_stands(db->line))
		return ERR_UNAVAILABLE;
	postgres_bind_one(&parameters, words);
	postgres_line_ask(db->line, "SELECT pg_catalog.pg_notify('innkeeper', $1)", &parameters, "notify", NULL);
	return OK;
}

static int64_t postgres_changed(const struct db *given)
{
	return ((const struct postgres *)given)->changed;
}

static int64_t postgres_inserted(const struct db *given)
{
	return ((const struct postgres *)given)->inserted;
}

static enum err postgres_script(struct db *given, const char *sql, struct fault *fault)
{
	struct postgres *db = (struct postgres *)given;

	assert(db->use == DB_MIGRATE);
	return postgres_line_script(db->line, sql, fault);
}

/* The server does this by itself. */
static enum err postgres_tidy(struct db *given, bool idle)
{
	(void)given;
	(void)idle;
	return OK;
}

static int64_t postgres_size(struct db *given)
{
	struct postgres *db = (struct postgres *)given;
	struct postgres_answer answer;
	int64_t bytes = 0;

	postgres_line_command(db->line, "SELECT pg_catalog.pg_database_size(current_database())::text", "database size",
			      &answer);
	postgres_line_wait(db->line, &answer);
	if (answer.err == OK && answer.result != NULL)
		bytes = strtoll(PQgetvalue(answer.result, 0, 0), NULL, 10);
	PQclear(answer.result);
	return bytes;
}

static const char *const schemes[] = { "postgres://", "postgresql://", NULL };

const struct engine engine_postgres = {
	.schemes = schemes,
	.remote = true,
	.open = postgres_open,
	.close = postgres_close,
	.begin = postgres_begin,
	.end = postgres_end,
	.stands = postgres_stands,
	.limit = postgres_limit,
	.enter = postgres_enter,
	.scope = postgres_scope,
	.leave = postgres_leave,
	.start = postgres_statement_start,
	.step = postgres_statement_step,
	.stop = postgres_statement_stop,
	.send = postgres_statement_send,
	.foresee = postgres_statement_foresee,
	.catch_up = postgres_catch_up,
	.set_care = postgres_set_care,
	.wants_care = postgres_wants_care,
	.looks_ahead = postgres_looks_ahead,
	.notify = postgres_notify,
	.changed = postgres_changed,
	.inserted = postgres_inserted,
	.script = postgres_script,
	.tidy = postgres_tidy,
	.size = postgres_size,
};
