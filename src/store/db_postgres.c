#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/engine.h"
#include "store/postgres_foresight.h"
#include "store/postgres_line.h"
#include "store/postgres_roles.h"
#include "store/postgres_wire.h"

#define SCOPES_DEEP 8
#define FETCH_ROWS  "250" /* of a statement that may give very many; each may be a megabyte */

/* What every connection is told first. Acknowledged means synced, whatever the server's own setting; a statement's plan
 * is made once. `statement_timeout` and `lock_timeout`: a reader that takes this long would hold up others; a writer
 * waits for another process's batch, and not for ever. Citus hands SET LOCAL on to its nodes when it is told to; to
 * others the word means nothing. */
static const char settings_of_reader[] =
    "SET search_path = innkeeper, pg_temp; SET client_encoding = 'UTF8'; SET plan_cache_mode = force_generic_plan;"
    "SET citus.propagate_set_commands = 'local'; SET jit = off; SET statement_timeout = '2s';"
    "SET idle_in_transaction_session_timeout = '5min'";
static const char settings_of_writer[] =
    "SET search_path = innkeeper, pg_temp; SET client_encoding = 'UTF8'; SET plan_cache_mode = force_generic_plan;"
    "SET citus.propagate_set_commands = 'local'; SET jit = off; SET synchronous_commit = on;"
    "SET statement_timeout = '60s'; SET lock_timeout = '10s';"
    "SET idle_in_transaction_session_timeout = '5min'";
static const char settings_of_migration[] =
    "SET ROLE innkeeper_owner; SET search_path = innkeeper, pg_temp; SET client_encoding = 'UTF8';"
    "SET client_min_messages = warning; SET synchronous_commit = on; SET lock_timeout = '10s'";

static const char *const settings_for[] = {
	[DB_READ] = settings_of_reader, [DB_WRITE] = settings_of_writer, [DB_MIGRATE] = settings_of_migration
};

/* A statement under way. */
struct running {
	struct postgres_answer answer;
	int row;     /* the next one to give */
	bool open;   /* started and not stopped */
	bool cursor; /* its rows are fetched piece by piece */
	bool declared;
};

struct postgres {
	struct db db; /* first: what the others see */
	struct postgres_line *line;
	enum db_use use;
	const struct log *log;
	const struct scope *scopes[SCOPES_DEEP];
	size_t depth;
	struct uuid bound; /* whose rows the transaction shows now; nil: the system's */
	bool is_bound;
	bool reached; /* at least once */
	bool begun;
	bool care; /* of this transaction: db_set_care */
	bool wants_care;
	size_t writes[SCOPES_DEEP + 1]; /* since each scope was entered */
	struct postgres_foresight foresight;
	int64_t changed;
	int64_t inserted;
	bool prepared[STATEMENT_COUNT];
	struct postgres_answer described[STATEMENT_COUNT];
	bool fits[STATEMENT_COUNT];
	struct running running[STATEMENT_COUNT];
};

static const char *name_of(enum statement_id id)
{
	return statements[id].name;
}

static void postgres_stop(struct db *given, enum statement_id id)
{
	struct postgres *db = (struct postgres *)given;
	struct running *running = &db->running[id];
	char command[80];

	if (!running->open)
		return;
	postgres_line_give_up(db->line, &running->answer);
	PQclear(running->answer.result);
	if (running->declared && postgres_line_stands(db->line)) {
		snprintf(command, sizeof command, "CLOSE many_%d", (int)id);
		postgres_line_command(db->line, command, name_of(id), NULL);
	}
	*running = (struct running){ 0 };
}

static void stop_all(struct postgres *db)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		if (db->running[i].open)
			postgres_stop(&db->db, (enum statement_id)i);
}

static void forget_prepared(struct postgres *db)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		PQclear(db->described[i].result);
		db->described[i] = (struct postgres_answer){ 0 };
		db->prepared[i] = false;
		db->fits[i] = false;
	}
}

static void postgres_close(struct db *given)
{
	struct postgres *db = (struct postgres *)given;

	stop_all(db);
	postgres_foresight_clear(&db->foresight, db->line);
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		postgres_line_give_up(db->line, &db->described[i]);
	postgres_line_free(db->line);
	forget_prepared(db);
	free(db);
}

/* Of a writer's first connection, and of each one that comes in the place of another: what was true at the start need
 * not be any more. */
static enum err check_roles(struct postgres *db, struct fault *fault)
{
	struct fault reason = { 0 };
	enum err err;

	if (db->use == DB_MIGRATE || (db->use == DB_READ && !db->reached))
		return OK;
	err = postgres_roles_check(db->line, fault == NULL ? &reason : fault);
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
	forget_prepared(db);
	err = check_roles(db, fault);
	db->reached = db->reached || err == OK;
	return err;
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
	db->use = use;
	db->care = true;
	db->log = log;
	err = postgres_line_new(&db->line, url, settings_for[use], log);
	if (err != OK) {
		free(db);
		return fault_set(fault, err, NULL, NULL, "Out of memory.");
	}
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
	enum err err = reach(db, NULL);

	assert(db->depth == 0);
	if (err != OK)
		return err;
	db->is_bound = false;
	db->begun = true;
	db->wants_care = false;
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
	db->wants_care = err != OK && !db->care && postgres_line_stands(db->line);
	return err == OK ? OK : ERR_UNAVAILABLE;
}

static enum err postgres_end(struct db *given, bool keep)
{
	struct postgres *db = (struct postgres *)given;

	stop_all(db);
	postgres_foresight_clear(&db->foresight, db->line);
	db->depth = 0;
	db->is_bound = false;
	db->begun = false;
	if (!postgres_line_stands(db->line))
		return keep ? ERR_UNAVAILABLE : OK; /* the server has rolled back */
	if (keep)
		return commit(db);
	command(db, "ROLLBACK");
	(void)postgres_line_rest(db->line); /* a line that fails even in this is closed, which undoes it too */
	return OK;
}

/* A reader's statements are limited from the start; who needs more asks for a transaction without. */
static void postgres_limit(struct db *given, int64_t microseconds)
{
	struct postgres *db = (struct postgres *)given;

	if (microseconds == 0 && db->begun && postgres_line_stands(db->line))
		command(db, "SET LOCAL statement_timeout = 0");
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

	assert(db->depth < SCOPES_DEEP && scope != NULL);
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
	stop_all(db);
	if (!postgres_line_stands(db->line))
		err = ERR_UNAVAILABLE;
	else if (db->use != DB_READ && db->care)
		err = leave_with_care(db, keep);
	else if (db->use != DB_READ && !keep && db->writes[db->depth] > 0)
		err = ERR_UNAVAILABLE; /* it cannot be undone by itself */
	db->wants_care = db->wants_care || (err != OK && !db->care && postgres_line_stands(db->line));
	db->depth--;
	db->writes[db->depth] += keep && err == OK ? db->writes[db->depth + 1] : 0;
	return err == OK || (db->care && db->use != DB_READ && postgres_line_stands(db->line)) ? err : ERR_STORAGE;
}

/* Of one organization one transaction writes at a time, whichever process it is of: what a handler read, it may rely
 * on. Any number will do that two organizations seldom share. */
static int64_t lock_of(const struct uuid *organization)
{
	int64_t halves[2];

	memcpy(halves, organization->bytes, sizeof halves);
	return halves[0] ^ halves[1];
}

/* Makes the transaction show the rows of the scope entered. SET LOCAL and not set_config(): Citus hands it on. The id
 * is one that we format ourselves. */
static void become(struct postgres *db, const struct uuid *organization)
{
	const struct uuid nobody = { 0 };
	char id[UUID_TEXT_SIZE];
	char text[128];

	if (organization == NULL)
		organization = &nobody;
	if (db->use == DB_MIGRATE || (db->is_bound && uuid_equal(&db->bound, organization)))
		return;
	if (uuid_is_nil(organization)) {
		command(db, "SET LOCAL ROLE innkeeper_system");
	} else {
		if (!db->is_bound || uuid_is_nil(&db->bound))
			command(db, "SET LOCAL ROLE NONE");
		uuid_format(organization, id);
		snprintf(text, sizeof text, "SET LOCAL innkeeper.organization = '%s'", id);
		command(db, text);
		if (db->use == DB_WRITE) {
			snprintf(text, sizeof text, "SELECT pg_advisory_xact_lock(%lld)",
				 (long long)lock_of(organization));
			command(db, text);
		}
	}
	db->bound = *organization;
	db->is_bound = true;
}

/* A preparation that was sent behind a failure was passed over. */
static bool is_prepared(const struct postgres *db, enum statement_id id)
{
	return db->prepared[id] && (!db->described[id].arrived || db->described[id].err == OK);
}

static void prepare(struct postgres *db, enum statement_id id)
{
	struct postgres_parameters parameters;

	if (is_prepared(db, id))
		return;
	PQclear(db->described[id].result);
	postgres_types(&parameters, &statements[id]);
	postgres_line_prepare(db->line, name_of(id), statements[id].postgres, &parameters, &db->described[id]);
	db->prepared[id] = true;
}

/* What the statement gives is what its annotation says: known once its description has come. */
static enum err check_fit(struct postgres *db, enum statement_id id)
{
	struct postgres_answer *described = &db->described[id];

	if (db->fits[id] || statements[id].many)
		return OK;
	postgres_line_wait(db->line, described);
	if (described->err != OK || described->result == NULL) {
		db->prepared[id] = false;
		return described->err == OK ? ERR_UNAVAILABLE : described->err;
	}
	db->fits[id] = postgres_fits(described->result, &statements[id]);
	PQclear(described->result);
	described->result = NULL;
	if (!db->fits[id])
		LOG(db->log, LOG_ERROR, "a statement gives other columns than it says",
		    LOG_STRING("statement", name_of(id)));
	return db->fits[id] ? OK : ERR_STORAGE;
}

/* Rows that may be very many are taken through a cursor. */
static enum err declare(struct postgres *db, enum statement_id id, const struct postgres_parameters *parameters)
{
	const char *text = statements[id].postgres;
	char *declaration = NULL;

	if (asprintf(&declaration, "DECLARE many_%d NO SCROLL CURSOR FOR %s", (int)id, text) < 0)
		return ERR_MEMORY;
	postgres_line_ask(db->line, declaration, parameters, name_of(id), NULL);
	free(declaration);
	db->running[id].cursor = true;
	db->running[id].declared = true;
	return OK;
}

static void fetch(struct postgres *db, enum statement_id id)
{
	char text[64];

	snprintf(text, sizeof text, "FETCH " FETCH_ROWS " FROM many_%d", (int)id);
	postgres_line_command(db->line, text, name_of(id), &db->running[id].answer);
	db->running[id].row = 0;
}

static enum err admit(const struct postgres *db, enum statement_id id)
{
	const struct statement *statement = &statements[id];
	const bool system = db->depth > 0 && scope_organization(db->scopes[db->depth - 1]) == NULL;

	if (db->depth == 0 || system != (statement->kind == STATEMENT_SYSTEM))
		return ERR_DENIED;
	if (statement->write_target != NULL && db->use == DB_READ)
		return ERR_DENIED;
	return statement->postgres == NULL ? ERR_DENIED : OK;
}

static void postgres_foresee(struct db *given, enum statement_id id, const void *in)
{
	struct postgres *db = (struct postgres *)given;
	struct postgres_parameters parameters;
	struct postgres_answer *answer;
	const struct uuid *organization;

	if (db->care || admit(db, id) != OK || !postgres_line_stands(db->line))
		return;
	organization = scope_organization(db->scopes[db->depth - 1]);
	if (organization == NULL)
		return;
	postgres_bind(&parameters, &statements[id], organization, in);
	answer = postgres_foresight_add(&db->foresight, id, &parameters);
	if (answer == NULL)
		return; /* it was asked for, or will be when it is wanted */
	become(db, organization);
	prepare(db, id);
	postgres_line_run(db->line, name_of(id), &parameters, false, answer);
}

static enum err postgres_send(struct db *given, enum statement_id id, const void *in)
{
	struct postgres *db = (struct postgres *)given;
	struct postgres_parameters parameters;
	const struct uuid *organization;
	enum err err = admit(db, id);

	if (err != OK)
		return err;
	if (!postgres_line_stands(db->line))
		return ERR_UNAVAILABLE;
	organization = scope_organization(db->scopes[db->depth - 1]);
	become(db, organization);
	postgres_bind(&parameters, &statements[id], organization, in);
	prepare(db, id);
	postgres_line_run(db->line, name_of(id), &parameters, true, NULL);
	db->writes[db->depth]++;
	return OK;
}

static enum err postgres_catch_up(struct db *given)
{
	struct postgres *db = (struct postgres *)given;
	const enum err err = postgres_line_settle(db->line);

	return err == ERR_STORAGE ? ERR_DENIED : err;
}

static void postgres_set_care(struct db *given, bool care)
{
	((struct postgres *)given)->care = care;
}

static bool postgres_wants_care(const struct db *given)
{
	return ((const struct postgres *)given)->wants_care;
}

static enum err postgres_start(struct db *given, enum statement_id id, const void *in)
{
	struct postgres *db = (struct postgres *)given;
	struct postgres_parameters parameters;
	const struct uuid *organization;
	enum err err = admit(db, id);

	if (err != OK)
		return err;
	if (!postgres_line_stands(db->line))
		return ERR_UNAVAILABLE;
	if (db->running[id].open)
		postgres_stop(given, id);
	organization = scope_organization(db->scopes[db->depth - 1]);
	become(db, organization);
	postgres_bind(&parameters, &statements[id], organization, in);
	if (statements[id].write_target != NULL)
		db->writes[db->depth]++;
	if (statements[id].many) {
		err = declare(db, id, &parameters);
		if (err == OK)
			fetch(db, id);
	} else if (!postgres_foresight_take(&db->foresight, db->line, id, &parameters, &db->running[id].answer)) {
		prepare(db, id);
		postgres_line_run(db->line, name_of(id), &parameters, false, &db->running[id].answer);
	}
	db->running[id].open = err == OK;
	return err;
}

static int64_t number_of(const char *text)
{
	return text == NULL || *text == '\0' ? 0 : strtoll(text, NULL, 10);
}

/* All rows were given, or there are none: what a write did. */
static enum err finish(struct postgres *db, enum statement_id id)
{
	const struct running *running = &db->running[id];

	db->changed = statements[id].write_target == NULL ? 0 : number_of(PQcmdTuples(running->answer.result));
	return ERR_NOT_FOUND;
}

static enum err postgres_step(struct db *given, enum statement_id id, void *out)
{
	struct postgres *db = (struct postgres *)given;
	struct running *running = &db->running[id];
	enum err err;

	assert(running->open);
	for (;;) {
		postgres_line_wait(db->line, &running->answer);
		err = running->answer.err;
		if (err == OK)
			err = check_fit(db, id);
		if (err != OK || running->answer.result == NULL)
			return err == OK ? ERR_UNAVAILABLE : err;
		if (running->row < PQntuples(running->answer.result))
			break;
		if (!running->cursor || PQntuples(running->answer.result) == 0)
			return finish(db, id);
		PQclear(running->answer.result);
		fetch(db, id);
	}
	if (statements[id].numbered) {
		db->inserted =
		    postgres_read_number(running->answer.result, running->row, (int)statements[id].out_count);
		if (statements[id].out_count == 0)
			return finish(db, id);
	}
	if (out != NULL)
		postgres_read(running->answer.result, running->row, &statements[id], out);
	running->row++;
	return OK;
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
		bytes = number_of(PQgetvalue(answer.result, 0, 0));
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
	.limit = postgres_limit,
	.enter = postgres_enter,
	.scope = postgres_scope,
	.leave = postgres_leave,
	.start = postgres_start,
	.step = postgres_step,
	.stop = postgres_stop,
	.send = postgres_send,
	.catch_up = postgres_catch_up,
	.foresee = postgres_foresee,
	.set_care = postgres_set_care,
	.wants_care = postgres_wants_care,
	.notify = postgres_notify,
	.changed = postgres_changed,
	.inserted = postgres_inserted,
	.script = postgres_script,
	.tidy = postgres_tidy,
	.size = postgres_size,
};
