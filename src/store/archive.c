#include "store/archive.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/archive_inside.h"
#include "store/db.h"
#include "store/place.h"
#include "store/seal_file.h"

#define ROW_MAX (4 * 1024 * 1024) /* bytes of one row */

/* The reason comes before the file, since a sentence is cut at its end. */
enum err archive_fail(struct archive *archive, enum err err, const char *what, const char *reason)
{
	if (err == ERR_STORAGE || err == ERR_UNAVAILABLE || err == ERR_MEMORY)
		LOG(archive->log, LOG_ERROR, "a file of an organization failed", LOG_STRING("while", what),
		    LOG_STRING("reason", reason), LOG_STRING("file", archive->path));
	fault_set(archive->fault, err, NULL, err == ERR_INVALID || err == ERR_CONFLICT ? "path" : NULL, "%s (%s): %s",
		  what, reason, archive->path);
	return err;
}

enum err archive_fail_errno(struct archive *archive, int number, const char *what)
{
	return archive_fail(archive, seal_file_err(number), what, strerrordesc_np(number));
}

enum err archive_fail_sqlite(struct archive *archive, const char *what)
{
	const int status = archive->sqlite == NULL ? SQLITE_NOMEM : sqlite3_errcode(archive->sqlite) & 0xff;
	const enum err err = status == SQLITE_NOMEM  ? ERR_MEMORY
			     : status == SQLITE_FULL ? ERR_UNAVAILABLE
						     : ERR_STORAGE;

	return archive_fail(archive, err, what,
			    archive->sqlite == NULL ? "out of memory" : sqlite3_errmsg(archive->sqlite));
}

static enum err damaged(struct archive *archive, const char *reason)
{
	return archive_fail(archive, ERR_INVALID,
			    "The file is damaged or no export of Innkeeper, and nothing was stored; take another one",
			    reason);
}

char *archive_path(struct text path)
{
	char *out = NULL;

	if (path.length == 0 || path.length > PATH_MAX || memchr(path.at, '\0', path.length) != NULL ||
	    asprintf(&out, "%.*s", (int)path.length, path.at) < 0)
		return NULL;
	return out;
}

static void hash_number(crypto_hash_sha256_state *hash, char letter, uint64_t number)
{
	unsigned char bytes[9] = { (unsigned char)letter };

	for (int i = 0; i < 8; i++)
		bytes[i + 1] = (unsigned char)(number >> (56 - 8 * i));
	crypto_hash_sha256_update(hash, bytes, sizeof bytes);
}

static void hash_value(crypto_hash_sha256_state *hash, sqlite3_stmt *rows, int column)
{
	const int type = sqlite3_column_type(rows, column);
	const void *bytes;
	double real;
	uint64_t bits;
	int length;

	switch (type) {
	case SQLITE_INTEGER:
		hash_number(hash, 'i', (uint64_t)sqlite3_column_int64(rows, column));
		return;
	case SQLITE_FLOAT:
		real = sqlite3_column_double(rows, column);
		memcpy(&bits, &real, sizeof bits);
		hash_number(hash, 'f', bits);
		return;
	case SQLITE_TEXT:
	case SQLITE_BLOB:
		bytes = type == SQLITE_TEXT ? (const void *)sqlite3_column_text(rows, column)
					    : sqlite3_column_blob(rows, column);
		length = sqlite3_column_bytes(rows, column);
		hash_number(hash, type == SQLITE_TEXT ? 't' : 'b', (uint64_t)length);
		if (length > 0)
			crypto_hash_sha256_update(hash, bytes, (unsigned long long)length);
		return;
	default:
		crypto_hash_sha256_update(hash, (const unsigned char *)"n", 1);
	}
}

enum err archive_digest(struct archive *archive, const char *name, int64_t *count, char checksum[ARCHIVE_CHECKSUM_SIZE])
{
	char *sql = sqlite3_mprintf("SELECT * FROM \"%w\" ORDER BY rowid", name);
	unsigned char digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state hash;
	sqlite3_stmt *rows = NULL;
	int status = sql == NULL ? SQLITE_NOMEM : sqlite3_prepare_v2(archive->sqlite, sql, -1, &rows, NULL);

	sqlite3_free(sql);
	crypto_hash_sha256_init(&hash);
	*count = 0;
	if (status == SQLITE_OK) {
		while ((status = sqlite3_step(rows)) == SQLITE_ROW) {
			crypto_hash_sha256_update(&hash, (const unsigned char *)"r", 1);
			for (int i = 0; i < sqlite3_column_count(rows); i++)
				hash_value(&hash, rows, i);
			++*count;
		}
	}
	sqlite3_finalize(rows);
	crypto_hash_sha256_final(&hash, digest);
	text_hex(digest, sizeof digest, checksum);
	if (status == SQLITE_DONE)
		return OK;
	return archive->making == NULL ? damaged(archive, sqlite3_errmsg(archive->sqlite))
				       : archive_fail_sqlite(archive, "The file cannot be read back");
}

/* A file may be made by anybody: it is neither written nor locked, none of its own SQL is trusted, and a table is a
 * table: however its text is written, it cannot be a module's. */
static enum err open_database(struct archive *archive)
{
	char *uri = NULL;
	sqlite3_str *escaped = sqlite3_str_new(NULL);
	int status;

	for (const char *at = archive->path; *at != '\0'; at++)
		if (*at == '/' || (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
		    (*at >= 'A' && *at <= 'Z'))
			sqlite3_str_appendchar(escaped, 1, *at);
		else
			sqlite3_str_appendf(escaped, "%%%02x", (unsigned)(unsigned char)*at);
	uri = sqlite3_str_finish(escaped);
	if (uri != NULL) {
		char *whole = sqlite3_mprintf("file:%s?mode=ro&immutable=1", uri);

		sqlite3_free(uri);
		uri = whole;
	}
	if (uri == NULL)
		return fault_set(archive->fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	status = sqlite3_open_v2(
	    uri, &archive->sqlite,
	    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	sqlite3_free(uri);
	if (status != SQLITE_OK)
		return archive_fail_sqlite(archive, "The file cannot be opened");
	sqlite3_limit(archive->sqlite, SQLITE_LIMIT_LENGTH, ROW_MAX);
	sqlite3_limit(archive->sqlite, SQLITE_LIMIT_ATTACHED, 0);
	if (sqlite3_db_config(archive->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(archive->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(archive->sqlite, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) != SQLITE_OK ||
	    sqlite3_drop_modules(archive->sqlite, NULL) != SQLITE_OK ||
	    sqlite3_exec(archive->sqlite, "PRAGMA cell_size_check = ON; PRAGMA query_only = ON", NULL, NULL, NULL) !=
		SQLITE_OK)
		return archive_fail_sqlite(archive, "The file cannot be opened");
	return OK;
}

/* The first column of the first row as a number; -1: there is none. */
static int64_t ask(struct archive *archive, const char *sql)
{
	sqlite3_stmt *rows = NULL;
	int64_t number = -1;

	if (sqlite3_prepare_v2(archive->sqlite, sql, -1, &rows, NULL) == SQLITE_OK && sqlite3_step(rows) == SQLITE_ROW)
		number = sqlite3_column_int64(rows, 0);
	sqlite3_finalize(rows);
	return number;
}

/* A value of the manifest, copied; absent: there is none. The caller frees it. */
static struct text look_up(struct archive *archive, const char *name)
{
	sqlite3_stmt *rows = NULL;
	struct text value = { 0 };

	if (sqlite3_prepare_v2(archive->sqlite, "SELECT value FROM manifest WHERE name = ?1", -1, &rows, NULL) ==
	    SQLITE_OK) {
		sqlite3_bind_text(rows, 1, name, -1, SQLITE_STATIC);
		if (sqlite3_step(rows) == SQLITE_ROW && sqlite3_column_type(rows, 0) == SQLITE_TEXT) {
			const char *text = (const char *)sqlite3_column_text(rows, 0);
			const size_t length = (size_t)sqlite3_column_bytes(rows, 0);

			value.at = text == NULL ? NULL : strndup(text, length);
			value.length = value.at == NULL ? 0 : strlen(value.at);
		}
	}
	sqlite3_finalize(rows);
	return value;
}

static bool look_up_number(struct archive *archive, const char *name, int64_t *out)
{
	const struct text value = look_up(archive, name);
	const bool is = value.at != NULL && text_to_int(value, out) == OK;

	free((void *)value.at);
	return is;
}

static enum err read_manifest(struct archive *archive, int64_t newest_schema)
{
	struct archive_manifest *manifest = &archive->manifest;
	struct text id;
	enum err err;

	if (ask(archive, "PRAGMA application_id") != ARCHIVE_APPLICATION_ID ||
	    ask(archive, "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')"
			 " OR (type = 'index' AND sql IS NOT NULL) OR sql LIKE 'create virtual%'") != 0 ||
	    /* A column that is computed costs what its maker likes. */
	    ask(archive, "SELECT count(*) FROM sqlite_schema AS s JOIN pragma_table_xinfo(s.name) AS c"
			 " WHERE s.type = 'table' AND c.hidden <> 0") != 0)
		return damaged(archive, "it is another kind of database");
	if (!look_up_number(archive, "format", &manifest->format) ||
	    !look_up_number(archive, "schema", &manifest->schema))
		return damaged(archive, "its manifest is not there");
	if (manifest->format > ARCHIVE_FORMAT || manifest->schema > newest_schema)
		return archive_fail(archive, ERR_INVALID, "The file was made by a newer Innkeeper",
				    "update this one first; nothing was stored");
	archive->held[0] = manifest->slug = look_up(archive, "slug");
	archive->held[1] = manifest->organization_name = look_up(archive, "organization_name");
	archive->held[2] = manifest->engine = look_up(archive, "engine");
	id = look_up(archive, "organization");
	err = id.at == NULL ? ERR_INVALID : uuid_parse(id, &manifest->organization);
	free((void *)id.at);
	if (err != OK || manifest->slug.at == NULL || manifest->organization_name.at == NULL ||
	    manifest->engine.at == NULL || manifest->format < 1 ||
	    !look_up_number(archive, "made_at", &manifest->made_at))
		return damaged(archive, "its manifest is not whole");
	return OK;
}

static enum err check_table(struct archive *archive, struct text name, int64_t count, struct text checksum)
{
	struct archive_table *table = &archive->tables[archive->table_count];
	char message[ARCHIVE_NAME_MAX + 40];
	enum err err;

	if (name.length >= ARCHIVE_NAME_MAX || archive->table_count == ARCHIVE_TABLES)
		return damaged(archive, "its manifest names what is none of its tables");
	snprintf(table->name, sizeof table->name, "%.*s", (int)name.length, name.at);
	archive->table_count++;
	err = archive_digest(archive, table->name, &table->count, table->checksum);
	if (err != OK)
		return err;
	snprintf(message, sizeof message, "the checksum of %s is wrong", table->name);
	return table->count == count && text_equal(checksum, text_of(table->checksum)) ? OK : damaged(archive, message);
}

static enum err check_tables(struct archive *archive)
{
	sqlite3_stmt *rows = NULL;
	int status = sqlite3_prepare_v2(
	    archive->sqlite, "SELECT name, row_count, sha256 FROM manifest_tables ORDER BY rowid", -1, &rows, NULL);
	enum err err = OK;

	while (err == OK && status == SQLITE_OK && (status = sqlite3_step(rows)) == SQLITE_ROW) {
		const struct text name = text_of((const char *)sqlite3_column_text(rows, 0));
		const struct text checksum = text_of((const char *)sqlite3_column_text(rows, 2));

		err = name.at == NULL || checksum.at == NULL
			  ? damaged(archive, "its manifest is not whole")
			  : check_table(archive, name, sqlite3_column_int64(rows, 1), checksum);
		status = SQLITE_OK;
	}
	sqlite3_finalize(rows);
	if (err == OK && status != SQLITE_DONE)
		return damaged(archive, sqlite3_errmsg(archive->sqlite));
	return err;
}

static enum err check_file(struct archive *archive)
{
	const int fd = open(archive->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct archive_result result;
	const char *wrong = NULL;
	int number;

	if (fd < 0)
		return archive_fail_errno(archive, errno, "The file cannot be read");
	number = seal_file_read(fd, -1, SEAL_FILE_ORGANIZATION, &result.bytes, result.checksum, &wrong);
	close(fd);
	if (number != 0)
		return archive_fail_errno(archive, number, "The file cannot be read");
	return wrong == NULL ? OK : damaged(archive, wrong);
}

enum err archive_open(struct archive **out, struct text path, int64_t newest_schema, const struct log *log,
		      struct fault *fault)
{
	struct archive *archive = calloc(1, sizeof *archive);
	enum err err;

	*out = NULL;
	if (archive == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	archive->fd = -1;
	archive->log = log;
	archive->fault = fault;
	archive->path = archive_path(path);
	if (archive->path == NULL || archive->path[0] != '/') {
		archive_close(archive);
		return fault_set(fault, ERR_INVALID, NULL, "path", "The file must be named from the root.");
	}
	err = check_file(archive);
	if (err == OK)
		err = open_database(archive);
	if (err == OK)
		err = read_manifest(archive, newest_schema);
	if (err == OK)
		err = check_tables(archive);
	if (err != OK) {
		archive_close(archive);
		return err;
	}
	*out = archive;
	return OK;
}

const struct archive_manifest *archive_manifest(const struct archive *archive)
{
	return &archive->manifest;
}

static struct archive_table *table_of(const struct archive *archive, const char *name)
{
	for (size_t i = 0; i < archive->table_count; i++)
		if (strcmp(archive->tables[i].name, name) == 0)
			return (struct archive_table *)&archive->tables[i];
	return NULL;
}

int64_t archive_count(const struct archive *archive, const char *name)
{
	const struct archive_table *table = table_of(archive, name);

	return table == NULL ? 0 : table->count;
}

static enum err find_columns(struct archive *archive, struct archive_table *table)
{
	const struct statement *statement = table->statement;

	free(table->columns);
	table->columns = calloc(statement->in_count + 1, sizeof *table->columns);
	if (table->columns == NULL)
		return fault_set(archive->fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	for (size_t i = 0; i <= statement->in_count; i++) {
		const char *wanted = i == statement->in_count ? "number" : statement->in[i].name;

		table->columns[i] = -1;
		for (int k = 0; k < sqlite3_column_count(table->rows); k++)
			if (strcmp(sqlite3_column_name(table->rows, k), wanted) == 0)
				table->columns[i] = k;
	}
	return OK;
}

enum err archive_read(struct archive *archive, const char *name, enum statement_id id, const char *by,
		      const struct uuid *value, size_t *which)
{
	struct archive_table *table = table_of(archive, name);
	char *sql;
	int status;

	if (table == NULL)
		return damaged(archive, "a table is not there");
	*which = (size_t)(table - archive->tables);
	sqlite3_finalize(table->rows);
	table->rows = NULL;
	table->statement = &statements[id];
	sql = by == NULL ? sqlite3_mprintf("SELECT * FROM \"%w\" ORDER BY rowid", name)
			 : sqlite3_mprintf("SELECT * FROM \"%w\" WHERE \"%w\" = ?1 ORDER BY rowid", name, by);
	status = sql == NULL ? SQLITE_NOMEM : sqlite3_prepare_v2(archive->sqlite, sql, -1, &table->rows, NULL);
	sqlite3_free(sql);
	if (status == SQLITE_NOMEM)
		return fault_set(archive->fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	if (status != SQLITE_OK)
		return damaged(archive, sqlite3_errmsg(archive->sqlite));
	if (by != NULL)
		sqlite3_bind_blob(table->rows, 1, value, sizeof *value, SQLITE_TRANSIENT);
	return find_columns(archive, table);
}

/* False: the value is not of the column's type. */
static bool take_member(sqlite3_stmt *rows, int from, const struct column *column, char *member)
{
	const int type = from < 0 ? SQLITE_NULL : sqlite3_column_type(rows, from);
	struct text text = { 0 };
	struct uuid id = { 0 };
	int64_t number = DB_NULL;

	switch (column->type) {
	case COLUMN_UUID:
		if (type == SQLITE_BLOB && sqlite3_column_bytes(rows, from) == (int)sizeof id)
			memcpy(&id, sqlite3_column_blob(rows, from), sizeof id);
		memcpy(member, &id, sizeof id);
		return type == SQLITE_NULL || !uuid_is_nil(&id);
	case COLUMN_TEXT:
	case COLUMN_JSON:
		if (type == SQLITE_TEXT) {
			text.at = (const char *)sqlite3_column_text(rows, from);
			text.length = (size_t)sqlite3_column_bytes(rows, from);
		}
		memcpy(member, &text, sizeof text);
		return type == SQLITE_NULL ||
		       (text.at != NULL && text.length <= ARCHIVE_TEXT_MAX && text_is_utf8(text));
	case COLUMN_INT:
	case COLUMN_TIME:
		if (type == SQLITE_INTEGER)
			number = sqlite3_column_int64(rows, from);
		memcpy(member, &number, sizeof number);
		if (type == SQLITE_INTEGER && column->type == COLUMN_TIME)
			return number >= 0 && number <= CLOCK_LATEST;
		return type == SQLITE_NULL || number != DB_NULL;
	case COLUMN_REAL:
	case COLUMN_BOOL: /* no table that moves has one */
		break;
	}
	return false;
}

enum err archive_next(struct archive *archive, size_t which, void *in, int64_t *number)
{
	struct archive_table *table = &archive->tables[which];
	const struct statement *statement = table->statement;
	const int status = sqlite3_step(table->rows);
	char message[2 * ARCHIVE_NAME_MAX + 40];

	if (status == SQLITE_DONE) {
		sqlite3_finalize(table->rows);
		table->rows = NULL;
		return ERR_NOT_FOUND;
	}
	if (status != SQLITE_ROW)
		return damaged(archive, sqlite3_errmsg(archive->sqlite));
	for (size_t i = 0; i < statement->in_count; i++) {
		if (take_member(table->rows, table->columns[i], &statement->in[i],
				(char *)in + statement->in[i].offset))
			continue;
		snprintf(message, sizeof message, "%s of a row in %s is none", statement->in[i].name, table->name);
		return damaged(archive, message);
	}
	if (number != NULL)
		*number = table->columns[statement->in_count] < 0
			      ? DB_NULL
			      : sqlite3_column_int64(table->rows, table->columns[statement->in_count]);
	return OK;
}

void archive_close(struct archive *archive)
{
	if (archive == NULL)
		return;
	for (size_t i = 0; i < archive->table_count; i++) {
		sqlite3_finalize(archive->tables[i].rows);
		free(archive->tables[i].columns);
	}
	sqlite3_close(archive->sqlite);
	for (size_t i = 0; i < sizeof archive->held / sizeof archive->held[0]; i++)
		free((void *)archive->held[i].at);
	if (archive->made) {
		unlink(archive->making);
		place_remove_sides(archive->making);
	}
	if (archive->fd >= 0)
		close(archive->fd);
	free(archive->path);
	free(archive->making);
	free(archive);
}
