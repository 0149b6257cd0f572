#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/archive_inside.h"
#include "store/place.h"
#include "store/seal_file.h"

/* Nothing to roll back to, and one sync at the end: half a file is thrown away. */
static const char setup[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536;"
    "PRAGMA encoding = 'UTF-8'; PRAGMA application_id = 0x494e4b4f; PRAGMA user_version = 1; BEGIN;"
    "CREATE TABLE manifest (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
    "CREATE TABLE manifest_tables (name TEXT PRIMARY KEY, row_count INTEGER NOT NULL, sha256 TEXT NOT NULL) STRICT";

static enum err check_name(struct archive *archive)
{
	struct stat file;

	if (archive->path[0] != '/')
		return archive_fail(archive, ERR_INVALID, "The file must be named from the root",
				    "for example /var/backups/fort-myers.organization");
	if (place_is_side_name(archive->path))
		return archive_fail(archive, ERR_INVALID, "SQLite keeps its own files under such names",
				    "choose another ending");
	if (lstat(archive->path, &file) == 0)
		return archive_fail(archive, ERR_CONFLICT, "An export never overwrites a file",
				    "choose another name, or move what is there away");
	return OK;
}

static enum err begin_file(struct archive *archive)
{
	int number;

	if (asprintf(&archive->making, "%s.partial-%ld", archive->path, (long)getpid()) < 0) {
		archive->making = NULL;
		return fault_set(archive->fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	}
	number = seal_file_begin(archive->making, &archive->fd);
	archive->made = number == 0;
	if (number == EWOULDBLOCK)
		return archive_fail(archive, ERR_CONFLICT, "The same file is being made already",
				    "wait until that is done");
	return number == 0
		   ? OK
		   : archive_fail_errno(archive, number,
					"No file can be made there; give a folder that is there and may be written");
}

static enum err open_database(struct archive *archive)
{
	if (sqlite3_open_v2(archive->making, &archive->sqlite,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL) != SQLITE_OK)
		return archive_fail_sqlite(archive, "The file cannot be opened");
	sqlite3_extended_result_codes(archive->sqlite, 1);
	if (sqlite3_exec(archive->sqlite, setup, NULL, NULL, NULL) != SQLITE_OK)
		return archive_fail_sqlite(archive, "The file cannot be written");
	return OK;
}

enum err archive_create(struct archive **out, struct text path, const struct log *log, struct fault *fault)
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
	if (archive->path == NULL) {
		archive_close(archive);
		return fault_set(fault, ERR_INVALID, NULL, "path", "The file needs a name.");
	}
	err = check_name(archive);
	if (err == OK)
		err = begin_file(archive);
	if (err == OK)
		err = open_database(archive);
	if (err != OK) {
		archive_close(archive);
		return err;
	}
	*out = archive;
	return OK;
}

static const char *sqlite_type(enum column_type type)
{
	switch (type) {
	case COLUMN_UUID:
		return "BLOB";
	case COLUMN_TEXT:
	case COLUMN_JSON:
		return "TEXT";
	case COLUMN_REAL:
		return "REAL";
	case COLUMN_INT:
	case COLUMN_BOOL:
	case COLUMN_TIME:
		return "INTEGER";
	}
	return "ANY";
}

/* The first column is what rows stand by, if there is one that can. */
static bool is_key(const struct column *first)
{
	return strcmp(first->name, "number") == 0 || strcmp(first->name, "chat_number") == 0 ||
	       strcmp(first->name, "id") == 0;
}

static enum err make_table(struct archive *archive, struct archive_table *table)
{
	const struct statement *statement = table->statement;
	sqlite3_str *create = sqlite3_str_new(archive->sqlite);
	sqlite3_str *insert = sqlite3_str_new(archive->sqlite);
	char *create_sql;
	char *insert_sql;
	enum err err = OK;

	sqlite3_str_appendf(create, "CREATE TABLE \"%w\" (", table->name);
	sqlite3_str_appendf(insert, "INSERT INTO \"%w\" VALUES (", table->name);
	for (size_t i = 0; i < statement->out_count; i++) {
		const struct column *column = &statement->out[i];

		sqlite3_str_appendf(create, "%s\"%w\" %s%s", i == 0 ? "" : ", ", column->name,
				    sqlite_type(column->type), i == 0 && is_key(column) ? " PRIMARY KEY" : "");
		sqlite3_str_appendf(insert, "%s?%d", i == 0 ? "" : ", ", (int)i + 1);
	}
	sqlite3_str_appendall(create, ") STRICT");
	sqlite3_str_appendall(insert, ")");
	create_sql = sqlite3_str_finish(create);
	insert_sql = sqlite3_str_finish(insert);
	if (create_sql == NULL || insert_sql == NULL)
		err = fault_set(archive->fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	else if (sqlite3_exec(archive->sqlite, create_sql, NULL, NULL, NULL) != SQLITE_OK ||
		 sqlite3_prepare_v2(archive->sqlite, insert_sql, -1, &table->rows, NULL) != SQLITE_OK)
		err = archive_fail_sqlite(archive, "The file cannot be written");
	sqlite3_free(create_sql);
	sqlite3_free(insert_sql);
	return err;
}

enum err archive_table(struct archive *archive, const char *name, enum statement_id id, size_t *which)
{
	struct archive_table *table = &archive->tables[archive->table_count];

	assert(archive->table_count < ARCHIVE_TABLES && strlen(name) < ARCHIVE_NAME_MAX);
	*which = archive->table_count++;
	snprintf(table->name, sizeof table->name, "%s", name);
	table->statement = &statements[id];
	return make_table(archive, table);
}

static int bind_member(sqlite3_stmt *insert, int index, const struct column *column, const char *member)
{
	const struct uuid nil = { 0 };
	struct text text;
	int64_t number;

	switch (column->type) {
	case COLUMN_UUID:
		if (memcmp(member, &nil, sizeof nil) == 0)
			return sqlite3_bind_null(insert, index);
		return sqlite3_bind_blob(insert, index, member, sizeof nil, SQLITE_STATIC);
	case COLUMN_TEXT:
	case COLUMN_JSON:
		memcpy(&text, member, sizeof text);
		return text.at == NULL
			   ? sqlite3_bind_null(insert, index)
			   : sqlite3_bind_text64(insert, index, text.at, text.length, SQLITE_STATIC, SQLITE_UTF8);
	case COLUMN_INT:
	case COLUMN_TIME:
		memcpy(&number, member, sizeof number);
		return number == INT64_MIN ? sqlite3_bind_null(insert, index)
					   : sqlite3_bind_int64(insert, index, number);
	case COLUMN_REAL:
	case COLUMN_BOOL: /* no table that moves has one */
		break;
	}
	return SQLITE_MISUSE;
}

enum err archive_add(struct archive *archive, size_t which, const void *row)
{
	const struct archive_table *table = &archive->tables[which];
	const struct statement *statement = table->statement;
	int status = SQLITE_OK;

	for (size_t i = 0; status == SQLITE_OK && i < statement->out_count; i++)
		status = bind_member(table->rows, (int)i + 1, &statement->out[i],
				     (const char *)row + statement->out[i].offset);
	if (status == SQLITE_OK)
		status = sqlite3_step(table->rows);
	sqlite3_reset(table->rows);
	sqlite3_clear_bindings(table->rows);
	if (status == SQLITE_DONE)
		return OK;
	if ((status & 0xff) == SQLITE_CONSTRAINT)
		return ERR_CONFLICT;
	return archive_fail_sqlite(archive, "The file cannot be written; free some space or choose another folder");
}

static enum err put(struct archive *archive, const char *sql, struct text name, struct text value, int64_t number)
{
	sqlite3_stmt *insert = NULL;
	int status = sqlite3_prepare_v2(archive->sqlite, sql, -1, &insert, NULL);

	if (status == SQLITE_OK) {
		sqlite3_bind_text64(insert, 1, name.at, name.length, SQLITE_STATIC, SQLITE_UTF8);
		sqlite3_bind_text64(insert, 2, value.at, value.length, SQLITE_STATIC, SQLITE_UTF8);
		sqlite3_bind_int64(insert, 3, number);
		status = sqlite3_step(insert);
	}
	sqlite3_finalize(insert);
	return status == SQLITE_DONE ? OK : archive_fail_sqlite(archive, "The file cannot be written");
}

static enum err put_number(struct archive *archive, const char *name, int64_t number)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%lld", (long long)number);
	return put(archive, "INSERT INTO manifest (name, value) VALUES (?1, ?2)", text_of(name), text_of(digits), 0);
}

static enum err put_text(struct archive *archive, const char *name, struct text text)
{
	return put(archive, "INSERT INTO manifest (name, value) VALUES (?1, ?2)", text_of(name), text, 0);
}

static enum err put_manifest(struct archive *archive, const struct archive_manifest *manifest)
{
	char id[UUID_TEXT_SIZE];
	enum err err = put_number(archive, "format", manifest->format);

	uuid_format(&manifest->organization, id);
	if (err == OK)
		err = put_number(archive, "schema", manifest->schema);
	if (err == OK)
		err = put_text(archive, "organization", text_of(id));
	if (err == OK)
		err = put_text(archive, "slug", manifest->slug);
	if (err == OK)
		err = put_text(archive, "organization_name", manifest->organization_name);
	if (err == OK)
		err = put_text(archive, "engine", manifest->engine);
	if (err == OK)
		err = put_number(archive, "made_at", manifest->made_at);
	for (size_t i = 0; err == OK && i < archive->table_count; i++) {
		struct archive_table *table = &archive->tables[i];

		sqlite3_finalize(table->rows);
		table->rows = NULL;
		err = archive_digest(archive, table->name, &table->count, table->checksum);
		if (err == OK)
			err = put(archive, "INSERT INTO manifest_tables (name, sha256, row_count) VALUES (?1, ?2, ?3)",
				  text_of(table->name), text_of(table->checksum), table->count);
	}
	return err;
}

enum err archive_finish(struct archive *archive, const struct archive_manifest *manifest, struct archive_result *out)
{
	enum err err = put_manifest(archive, manifest);
	int number;

	if (err == OK && sqlite3_exec(archive->sqlite, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		err = archive_fail_sqlite(archive, "The file cannot be written");
	if (err != OK)
		return err;
	if (sqlite3_close(archive->sqlite) != SQLITE_OK)
		return archive_fail_sqlite(archive, "The file cannot be closed");
	archive->sqlite = NULL;
	number = seal_file_put(archive->fd, SEAL_FILE_ORGANIZATION, &out->bytes, out->checksum);
	if (number != 0)
		return archive_fail_errno(archive, number, "The disk does not take the file");
	number = seal_file_publish(archive->making, archive->path);
	if (number != 0)
		return archive_fail_errno(archive, number, "The file cannot get its name; choose another one");
	archive->made = false;
	return OK;
}
