#include "store/postgres_statements.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres_wire.h"

#define FETCH_ROWS "250" /* of a statement that may give very many; each may be a megabyte */

static const char *name_of(enum statement_id id)
{
	return statements[id].name;
}

void postgres_statement_stop(struct db *given, enum statement_id id)
{
	struct postgres *db = (struct postgres *)given;
	struct postgres_running *running = &db->running[id];
	char command[80];

	if (!running->open)
		return;
	postgres_line_give_up(db->line, &running->answer);
	PQclear(running->answer.result);
	if (running->declared && postgres_line_stands(db->line)) {
		snprintf(command, sizeof command, "CLOSE many_%d", (int)id);
		postgres_line_command(db->line, command, name_of(id), NULL);
	}
	*running = (struct postgres_running){ 0 };
}

void postgres_statements_stop(struct postgres *db)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		if (db->running[i].open)
			postgres_statement_stop(&db->db, (enum statement_id)i);
}

void postgres_statements_forget(struct postgres *db)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		PQclear(db->prepared[i].described.result);
		PQclear(db->foreseen[i].described.result);
		db->prepared[i] = (struct postgres_preparation){ 0 };
		db->foreseen[i] = (struct postgres_preparation){ 0 };
	}
}

void postgres_statements_give_up(struct postgres *db)
{
	postgres_foresight_clear(&db->foresight, db->line);
	for (size_t i = 0; i < POSTGRES_GATHERS; i++)
		postgres_rows_fini(&db->gathered[i]);
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		postgres_line_give_up(db->line, &db->prepared[i].described);
		postgres_line_give_up(db->line, &db->foreseen[i].described);
	}
}

static void command(struct postgres *db, const char *sql)
{
	postgres_line_command(db->line, sql, sql, NULL);
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
static bool is_prepared(const struct postgres_preparation *preparation)
{
	return preparation->sent && (!preparation->described.arrived || preparation->described.err == OK);
}

static void prepare(struct postgres *db, enum statement_id id)
{
	struct postgres_preparation *preparation = &db->prepared[id];
	struct postgres_parameters parameters;

	if (is_prepared(preparation))
		return;
	PQclear(preparation->described.result);
	postgres_types(&parameters, &statements[id]);
	postgres_line_prepare(db->line, name_of(id), name_of(id), statements[id].postgres, &parameters,
			      &preparation->described);
	preparation->sent = true;
}

static void flush(struct postgres *db, struct postgres_rows *rows)
{
	const enum statement_id id = (enum statement_id)(rows->statement - statements);
	struct postgres_parameters parameters;

	become(db, &rows->organization);
	prepare(db, id);
	postgres_rows_bind(rows, &parameters);
	postgres_line_run(db->line, name_of(id), name_of(id), &parameters, rows->count, NULL);
	rows->count = 0;
}

void postgres_statements_flush(struct postgres *db)
{
	for (size_t i = 0; i < POSTGRES_GATHERS; i++)
		if (db->gathered[i].count > 0)
			flush(db, &db->gathered[i]);
}

/* Whether one of the two, neither of which waits for the other, could tell which of them came first. */
static bool meet(const struct statement *a, const struct statement *b)
{
	return strstr(a->postgres, b->write_target) != NULL || strstr(b->postgres, a->write_target) != NULL;
}

/* Whether rows of the statement can be written before or behind all that is gathered of others. */
static bool stands_alone(const struct postgres *db, const struct statement *statement, const struct uuid *organization)
{
	for (size_t i = 0; i < POSTGRES_GATHERS; i++) {
		const struct postgres_rows *rows = &db->gathered[i];

		if (rows->count > 0 && (!uuid_equal(&rows->organization, organization) ||
					(rows->statement != statement && meet(rows->statement, statement))))
			return false;
	}
	return true;
}

/* Where its rows are gathered; what another one has gathered there is sent. */
static struct postgres_rows *place_for(struct postgres *db, const struct statement *statement)
{
	struct postgres_rows *place = &db->gathered[0];

	for (size_t i = 0; i < POSTGRES_GATHERS; i++) {
		if (db->gathered[i].statement == statement)
			return &db->gathered[i];
		if (db->gathered[i].count < place->count)
			place = &db->gathered[i];
	}
	if (place->count > 0)
		flush(db, place);
	return place;
}

/* One row more of a statement that writes many at once. */
static enum err gather(struct postgres *db, enum statement_id id, const struct uuid *organization,
		       const struct postgres_parameters *row)
{
	struct postgres_rows *rows;
	enum err err = OK;

	if (!stands_alone(db, &statements[id], organization))
		postgres_statements_flush(db);
	rows = place_for(db, &statements[id]);
	if (rows->count == 0)
		err = postgres_rows_begin(rows, &statements[id], organization);
	if (err == OK)
		err = postgres_rows_add(rows, row);
	if (err == OK && (db->care || postgres_rows_full(rows)))
		flush(db, rows);
	return err;
}

/* Prepares the text that asks for many answers at once. */
static enum err prepare_foreseen(struct postgres *db, enum statement_id id, const char *name,
				 const struct postgres_parameters *parameters)
{
	struct postgres_preparation *preparation = &db->foreseen[id];
	char *text;

	if (is_prepared(preparation))
		return OK;
	text = postgres_foresight_text(&statements[id]);
	if (text == NULL)
		return ERR_MEMORY;
	PQclear(preparation->described.result);
	postgres_line_prepare(db->line, name, name_of(id), text, parameters, &preparation->described);
	free(text);
	preparation->sent = true;
	return OK;
}

void postgres_statements_settle(struct postgres *db, bool keep)
{
	if (keep && postgres_line_stands(db->line))
		postgres_statements_flush(db);
	for (size_t i = 0; i < POSTGRES_GATHERS; i++)
		db->gathered[i].count = 0;
	postgres_foresight_clear(&db->foresight, db->line);
}

/* Sends what was foreseen. What cannot be sent is asked when it is wanted. */
void postgres_statements_ask(struct postgres *db)
{
	struct postgres_asked *asked;

	while ((asked = postgres_foresight_next(&db->foresight)) != NULL) {
		struct postgres_parameters parameters;
		char name[80];

		asked->answer = (struct postgres_answer){ .arrived = true, .err = ERR_UNAVAILABLE };
		if (!postgres_line_stands(db->line))
			continue;
		postgres_statements_flush(db);
		become(db, &asked->rows.organization);
		postgres_rows_bind(&asked->rows, &parameters);
		snprintf(name, sizeof name, "%.60s_foreseen", name_of(asked->id));
		if (prepare_foreseen(db, asked->id, name, &parameters) == OK)
			postgres_line_run(db->line, name, name_of(asked->id), &parameters, 0, &asked->answer);
	}
}

/* What the statement gives is what its annotation says: known once its description has come. */
static enum err check_fit(struct postgres *db, enum statement_id id)
{
	struct postgres_preparation *preparation = &db->prepared[id];
	struct postgres_answer *described = &preparation->described;

	if (preparation->fits || statements[id].many)
		return OK;
	prepare(db, id); /* what was foreseen has asked by another text */
	postgres_line_wait(db->line, described);
	if (described->err != OK || described->result == NULL) {
		preparation->sent = false;
		return described->err == OK ? ERR_UNAVAILABLE : described->err;
	}
	preparation->fits = postgres_fits(described->result, &statements[id]);
	PQclear(described->result);
	described->result = NULL;
	if (!preparation->fits)
		LOG(db->log, LOG_ERROR, "a statement gives other columns than it says",
		    LOG_STRING("statement", name_of(id)));
	return preparation->fits ? OK : ERR_STORAGE;
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

/* Whether it may be asked here, and whose rows are meant; NULL: the system's. */
static enum err begin(const struct postgres *db, enum statement_id id, const struct uuid **organization)
{
	enum err err = admit(db, id);

	*organization = err == OK ? scope_organization(db->scopes[db->depth - 1]) : NULL;
	return err == OK && !postgres_line_stands(db->line) ? ERR_UNAVAILABLE : err;
}

void postgres_statement_foresee(struct db *given, enum statement_id id, const void *in)
{
	struct postgres *db = (struct postgres *)given;
	struct postgres_parameters parameters;
	const struct uuid *organization;

	if (db->care || begin(db, id, &organization) != OK || organization == NULL)
		return;
	postgres_bind(&parameters, &statements[id], organization, in);
	postgres_foresight_add(&db->foresight, id, organization, &parameters);
}

enum err postgres_statement_send(struct db *given, enum statement_id id, const void *in)
{
	struct postgres *db = (struct postgres *)given;
	struct postgres_parameters parameters;
	const struct uuid *organization;
	enum err err = begin(db, id, &organization);

	if (err != OK)
		return err;
	postgres_bind(&parameters, &statements[id], organization, in);
	if (statements[id].rows) {
		err = gather(db, id, organization, &parameters);
	} else {
		postgres_statements_flush(db);
		become(db, organization);
		prepare(db, id);
		postgres_line_run(db->line, name_of(id), name_of(id), &parameters, 1, NULL);
	}
	db->writes[db->depth] += err == OK;
	return err;
}

/* The statement's values; of one that writes many rows at once, as one row. */
static enum err bind(struct postgres *db, enum statement_id id, const struct uuid *organization, const void *in,
		     struct postgres_parameters *out)
{
	struct postgres_rows *rows;
	struct postgres_parameters row;
	enum err err;

	if (!statements[id].rows) {
		postgres_bind(out, &statements[id], organization, in);
		return OK;
	}
	postgres_bind(&row, &statements[id], organization, in);
	rows = place_for(db, &statements[id]);
	err = postgres_rows_begin(rows, &statements[id], organization);
	if (err == OK)
		err = postgres_rows_add(rows, &row);
	if (err == OK)
		postgres_rows_bind(rows, out);
	rows->count = 0;
	return err;
}

/* Whether a statement might notice that gathered rows are not there yet. A read sees only tables that its text names.
 */
static bool may_see(const struct postgres *db, enum statement_id id)
{
	for (size_t i = 0; i < POSTGRES_GATHERS; i++)
		if (db->gathered[i].count > 0 &&
		    (statements[id].write_target != NULL ||
		     strstr(statements[id].postgres, db->gathered[i].statement->write_target) != NULL))
			return true;
	return false;
}

/* Whether it has been asked; then its rows can be taken. */
static bool is_foreseen(struct postgres *db, enum statement_id id, const struct uuid *organization, const void *in)
{
	struct postgres_parameters parameters;

	if (db->foresight.first == NULL || organization == NULL)
		return false;
	postgres_bind(&parameters, &statements[id], organization, in);
	db->running[id].open =
	    postgres_foresight_take(&db->foresight, db->line, id, &parameters, &db->running[id].answer);
	return db->running[id].open;
}

enum err postgres_statement_start(struct db *given, enum statement_id id, const void *in)
{
	struct postgres *db = (struct postgres *)given;
	struct postgres_parameters parameters;
	const struct uuid *organization;
	enum err err = begin(db, id, &organization);

	if (err != OK)
		return err;
	if (db->running[id].open)
		postgres_statement_stop(given, id);
	/* What it was foreseen for is sent only if it is wanted now: there may be more to ask with it. */
	if (is_foreseen(db, id, organization, in))
		return OK;
	if (db->foresight.unsent > 0) {
		postgres_statements_ask(db);
		if (is_foreseen(db, id, organization, in))
			return OK;
	}
	if (may_see(db, id))
		postgres_statements_flush(db);
	err = bind(db, id, organization, in, &parameters);
	if (err != OK)
		return err;
	become(db, organization);
	if (statements[id].write_target != NULL)
		db->writes[db->depth]++;
	if (statements[id].many) {
		err = declare(db, id, &parameters);
		if (err == OK)
			fetch(db, id);
	} else {
		prepare(db, id);
		postgres_line_run(db->line, name_of(id), name_of(id), &parameters, 0, &db->running[id].answer);
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
	const struct postgres_running *running = &db->running[id];

	db->changed = statements[id].write_target == NULL ? 0 : number_of(PQcmdTuples(running->answer.result));
	return ERR_NOT_FOUND;
}

enum err postgres_statement_step(struct db *given, enum statement_id id, void *out)
{
	struct postgres *db = (struct postgres *)given;
	struct postgres_running *running = &db->running[id];
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
