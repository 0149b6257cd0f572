#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What PostgreSQL has besides the tables of victim.c. */
static const char *const more_seeds[] = {
	"INSERT INTO search (organization_id, document, words) VALUES (?1, ?2, ARRAY[md5(?3)::uuid])",
	"INSERT INTO search_progress (organization_id, last_message, newest_message) VALUES (?1, ?2, ?2)",
	NULL,
};

/* The administrator's URL with another user and database. */
static void address_of(char *to, size_t size, const char *role, const char *name)
{
	const char *given = getenv("INNKEEPER_TEST_POSTGRES");
	const char *url = given == NULL ? "" : given;
	const char *host = url + strcspn(url, "@");
	const char *query = host + strcspn(host, "?");

	snprintf(to, size, "postgres://%s%.*s/%s%s", role, (int)strcspn(host, "/"), host, name, query);
}

static PGconn *connect_as_administrator(const char *name)
{
	char address[512];
	PGconn *line;

	address_of(address, sizeof address, "postgres", name);
	line = PQconnectdb(address);
	if (PQstatus(line) != CONNECTION_OK)
		fail_msg("%s: %s", address, PQerrorMessage(line));
	return line;
}

/* The first column of the first row, or "". Freed by the caller. */
static char *ask(PGconn *line, const char *sql)
{
	PGresult *result = PQexec(line, sql);
	char *answer;

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(line));
	answer = strdup(PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	assert_non_null(answer);
	return answer;
}

static void run(PGconn *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void run(PGconn *line, const char *format, ...)
{
	char sql[4096];
	va_list values;

	va_start(values, format);
	vsnprintf(sql, sizeof sql, format, values);
	va_end(values);
	free(ask(line, sql));
}

static void open_postgres(struct stage *stage)
{
	PGconn *line = connect_as_administrator("postgres");

	snprintf(stage->name, sizeof stage->name, "stage_%ld", (long)getpid());
	run(line, "CREATE DATABASE %s TEMPLATE %s", stage->name, getenv("INNKEEPER_TEST_TEMPLATE"));
	PQfinish(line);
	stage->postgres = connect_as_administrator(stage->name);
	run(stage->postgres,
	    "REVOKE CREATE, TEMPORARY, CONNECT ON DATABASE %s FROM PUBLIC; "
	    "GRANT CONNECT ON DATABASE %s TO innkeeper_migrator, innkeeper_server; "
	    "SET search_path = innkeeper; SET session_replication_role = replica; SET client_min_messages = error",
	    stage->name, stage->name);
	address_of(stage->address, sizeof stage->address, "innkeeper_server", stage->name);
	stage->url = text_of(stage->address);
}

void stage_open(struct stage *stage)
{
	memset(stage, 0, sizeof *stage);
	if (getenv("INNKEEPER_TEST_POSTGRES") != NULL) {
		fixture_empty(&stage->fixture);
		open_postgres(stage);
		return;
	}
	fixture_open(&stage->fixture);
	stage->sqlite = fixture_plain(&stage->fixture);
	stage->url = stage->fixture.url;
}

void stage_close(struct stage *stage)
{
	if (stage->postgres != NULL) {
		PGconn *line = connect_as_administrator("postgres");

		PQfinish(stage->postgres);
		run(line, "DROP DATABASE %s WITH (FORCE)", stage->name);
		PQfinish(line);
	}
	if (stage->sqlite != NULL)
		assert_int_equal(sqlite3_close(stage->sqlite), SQLITE_OK);
	fixture_close(&stage->fixture);
}

static void format_id(char letter, char text[UUID_TEXT_SIZE])
{
	const struct uuid id = fixture_id(letter);

	uuid_format(&id, text);
}

/* A seed of victim.c, its parameters written out. */
static void plant(PGconn *line, const char *seed, char letter, int64_t number, const char *words)
{
	char id[UUID_TEXT_SIZE];
	char sql[2048];
	size_t length = 0;

	format_id(letter, id);
	for (const char *at = seed; *at != '\0' && length + 64 < sizeof sql; at++) {
		if (*at != '?')
			sql[length++] = *at;
		else if (*++at == '1')
			length += (size_t)snprintf(sql + length, 64, "'%s'::uuid", id);
		else if (*at == '2')
			length += (size_t)snprintf(sql + length, 64, "%lld", (long long)number);
		else
			length += (size_t)snprintf(sql + length, 64, "'%s'", words);
	}
	sql[length] = '\0';
	run(line, "%s", sql);
}

static void settle_postgres(struct stage *stage, bool with_victim)
{
	PGconn *line = stage->postgres;

	for (size_t i = 0; i < postgres_table_count; i++)
		run(line, "DELETE FROM %s", postgres_tables[i].name);
	for (const char *const *seeds = victim_seeds; seeds != NULL; seeds = seeds == victim_seeds ? more_seeds : NULL)
		for (const char *const *seed = seeds; *seed != NULL; seed++) {
			plant(line, *seed, ATTACKER, ATTACKER_NUMBER, "OWN");
			if (with_victim)
				plant(line, *seed, VICTIM, VICTIM_NUMBER, "CANARY");
		}
	for (size_t i = 0; i < postgres_table_count; i++) {
		char sql[128];
		char *count;

		snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", postgres_tables[i].name);
		count = ask(line, sql);
		if (strcmp(count, with_victim ? "2" : "1") != 0)
			fail_msg("%s needs a row of the victim in victim.c or stage.c", postgres_tables[i].name);
		free(count);
	}
}

static void settle_sqlite(struct stage *stage, bool with_victim)
{
	const struct uuid id = fixture_id(VICTIM);
	char hex[33];

	victim_settle(stage->sqlite);
	text_hex(id.bytes, sizeof id.bytes, hex);
	for (size_t i = 0; !with_victim && i < protected_table_count; i++) {
		char *sql = sqlite3_mprintf("DELETE FROM \"%w\" WHERE \"%w\" = X'%s'", protected_tables[i].name,
					    protected_tables[i].owner_column, hex);

		fixture_run(stage->sqlite, sql);
		sqlite3_free(sql);
	}
}

void stage_settle(struct stage *stage, bool with_victim)
{
	if (stage->postgres != NULL)
		settle_postgres(stage, with_victim);
	else
		settle_sqlite(stage, with_victim);
}

static char *rows_of_postgres(struct stage *stage, char letter)
{
	char id[UUID_TEXT_SIZE];
	struct buffer rows;
	size_t length;
	char *text;

	format_id(letter, id);
	buffer_init(&rows, (size_t)1 << 20);
	for (size_t i = 0; i < postgres_table_count; i++) {
		char sql[512];
		char *table;

		snprintf(
		    sql, sizeof sql,
		    "SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '') FROM %s AS t WHERE %s = '%s'",
		    postgres_tables[i].name, postgres_tables[i].owner_column, id);
		table = ask(stage->postgres, sql);
		buffer_format(&rows, "%s\n%s\n", postgres_tables[i].name, table);
		free(table);
	}
	buffer_add(&rows, "", 1);
	text = buffer_detach(&rows, &length);
	buffer_fini(&rows);
	assert_non_null(text);
	return text;
}

char *stage_rows(struct stage *stage, char letter)
{
	char *rows;
	char *copy;

	if (stage->postgres != NULL)
		return rows_of_postgres(stage, letter);
	rows = victim_rows(stage->sqlite, letter);
	copy = strdup(rows);
	sqlite3_free(rows);
	assert_non_null(copy);
	return copy;
}
