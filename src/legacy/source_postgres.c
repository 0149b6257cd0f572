/* The old database itself: the only file besides the store that speaks to a PostgreSQL, and the only one that asks a
 * foreign one. Rows come one by one as they are read (libpq's single-row mode), so that a table of any size needs no
 * memory here. */
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "legacy/source.h"

#define COLUMNS_MOST    1600    /* PostgreSQL's own limit */
#define VALUE_MOST      1100000 /* characters: longer than anything that is taken */
#define QUESTION_BYTES  65536
#define CONNECT_SECONDS "10"

struct database {
	struct legacy_source source;
	PGconn *connection;
	bool asked; /* rows may still come */
};

static struct database *database_of(struct legacy_source *source)
{
	return (struct database *)(void *)source;
}

/* libpq's words end with a line end, and may be many lines. */
static enum err failed(const struct database *database, struct fault *fault)
{
	const char *words = PQerrorMessage(database->connection);

	return fault_set(fault, ERR_CONFLICT, NULL, "legacy", "The old database says: %.*s", (int)strcspn(words, "\n"),
			 words);
}

static enum err run(const struct database *database, const char *sql, struct fault *fault)
{
	PGresult *result = PQexec(database->connection, sql);
	const bool done = PQresultStatus(result) == PGRES_COMMAND_OK;

	PQclear(result);
	return done ? OK : failed(database, fault);
}

/* Which columns there are. */
static enum err ask_columns(struct database *database, const struct legacy_table *table, struct fault *fault)
{
	static const char question[] =
	    "SELECT a.attname FROM pg_catalog.pg_attribute AS a"
	    " WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
	char name[96];
	const char *values[] = { name };
	struct text names[COLUMNS_MOST];
	PGresult *result;
	enum err err;

	snprintf(name, sizeof name, "public.%s", table->name);
	result = PQexecParams(database->connection, question, 1, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) > COLUMNS_MOST) {
		err = failed(database, fault);
	} else if (PQntuples(result) == 0) {
		err = ERR_NOT_FOUND;
	} else {
		for (int i = 0; i < PQntuples(result); i++)
			names[i] = text_of(PQgetvalue(result, i, 0));
		err = legacy_source_columns(&database->source, table, names, (size_t)PQntuples(result), fault);
	}
	PQclear(result);
	return err;
}

static bool has(const struct legacy_source *source, enum legacy_column column)
{
	for (size_t i = 0; i < source->column_count; i++)
		if (source->columns[i] == column)
			return true;
	return false;
}

static void put_order(const struct legacy_source *source, const struct legacy_table *table, struct buffer *to)
{
	const char *between = " ORDER BY ";

	for (size_t i = 0; i < sizeof table->times / sizeof table->times[0] && table->times[i] != LEGACY_NONE; i++) {
		if (!has(source, table->times[i]))
			continue;
		buffer_format(to, "%s\"%s\"", between, legacy_column_name(table->times[i]));
		between = ", ";
		break;
	}
	if (has(source, LEGACY_ID))
		buffer_format(to, "%s\"%s\"", between, legacy_column_name(LEGACY_ID));
}

/* Asks for the columns that are known, each as text, and keeps of `columns` only those. */
static enum err ask_rows(struct database *database, const struct legacy_table *table, struct fault *fault)
{
	struct legacy_source *source = &database->source;
	struct buffer question;
	size_t known = 0;
	enum err err = OK;

	buffer_init(&question, QUESTION_BYTES);
	for (size_t i = 0; i < source->column_count; i++) {
		if (source->columns[i] == LEGACY_NONE)
			continue;
		buffer_format(&question, "%s pg_catalog.left(\"%s\"::pg_catalog.text, %d)", known == 0 ? "SELECT" : ",",
			      legacy_column_name(source->columns[i]), VALUE_MOST);
		source->columns[known++] = source->columns[i];
	}
	source->column_count = known;
	buffer_format(&question, " FROM public.\"%s\"", table->name);
	put_order(source, table, &question);
	buffer_add(&question, "", 1);
	if (known == 0)
		err = ERR_NOT_FOUND;
	else if (question.failed)
		err = ERR_MEMORY;
	else if (PQsendQuery(database->connection, question.at) == 0 || PQsetSingleRowMode(database->connection) == 0)
		err = failed(database, fault);
	database->asked = err == OK;
	buffer_fini(&question);
	return err;
}

static enum err begin(struct legacy_source *source, const struct legacy_table *table, struct fault *fault)
{
	struct database *database = database_of(source);
	enum err err = ask_columns(database, table, fault);

	return err == OK ? ask_rows(database, table, fault) : err;
}

static enum err next(struct legacy_source *source, struct arena *arena, struct legacy_row *row, struct fault *fault)
{
	struct database *database = database_of(source);
	PGresult *result = PQgetResult(database->connection);
	enum err err = OK;

	if (PQresultStatus(result) == PGRES_TUPLES_OK) {
		err = ERR_NOT_FOUND;
	} else if (PQresultStatus(result) != PGRES_SINGLE_TUPLE || (size_t)PQnfields(result) != source->column_count) {
		err = failed(database, fault);
	} else {
		for (int i = 0; i < PQnfields(result); i++) {
			const struct text value = { PQgetvalue(result, 0, i), (size_t)PQgetlength(result, 0, i) };

			if (PQgetisnull(result, 0, i) == 0)
				row->values[source->columns[i]] = text_copy(arena, value);
		}
		err = arena->failed ? ERR_MEMORY : OK;
	}
	PQclear(result);
	return err;
}

/* Rows that nobody wants any more are not waited for. */
static void end(struct legacy_source *source)
{
	struct database *database = database_of(source);
	PGresult *result = database->asked ? PQgetResult(database->connection) : NULL;
	PGcancel *cancel = result == NULL ? NULL : PQgetCancel(database->connection);
	char words[256];

	database->asked = false;
	if (cancel != NULL)
		(void)PQcancel(cancel, words, sizeof words);
	PQfreeCancel(cancel);
	for (; result != NULL; result = PQgetResult(database->connection))
		PQclear(result);
}

static void close_database(struct legacy_source *source)
{
	PQfinish(database_of(source)->connection);
	free(source);
}

/* One moment, for reading only, every time written the same way. A role that sees only part of the rows is an error,
 * and not a smaller table. */
static enum err set_up(const struct database *database, struct fault *fault)
{
	static const char *const commands[] = {
		"SET search_path TO pg_catalog",
		"SET TIME ZONE 'UTC'",
		"SET DateStyle TO 'ISO, YMD'",
		"SET row_security TO off",
		"SET statement_timeout TO 0",
		"SET idle_in_transaction_session_timeout TO 0",
		"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
	};
	enum err err = OK;

	for (size_t i = 0; err == OK && i < sizeof commands / sizeof commands[0]; i++)
		err = run(database, commands[i], fault);
	return err;
}

enum err legacy_postgres_open(struct legacy_source **out, struct text url, struct fault *fault)
{
	static const struct legacy_kind_of_source kind = { begin, next, end, close_database };
	/* What the URL says behind these wins. A server that is gone is noticed within a minute. */
	static const char *const names[] = { "connect_timeout",
					     "keepalives_idle",
					     "keepalives_interval",
					     "keepalives_count",
					     "application_name",
					     "client_encoding",
					     "dbname",
					     NULL };
	struct database *database = calloc(1, sizeof *database);
	char *whole = strndup(url.at, url.length);
	const char *const values[] = { CONNECT_SECONDS, "30", "10", "3", "innkeeper import", "UTF8", whole, NULL };
	enum err err = database == NULL || whole == NULL ? ERR_MEMORY : OK;

	if (err == OK) {
		database->source.kind = &kind;
		database->connection = PQconnectdbParams(names, values, 1);
		err =
		    PQstatus(database->connection) == CONNECTION_OK ? set_up(database, fault) : failed(database, fault);
	}
	if (err != OK && database != NULL)
		PQfinish(database->connection);
	free(whole);
	if (err != OK) {
		free(database);
		return err;
	}
	*out = &database->source;
	return OK;
}
