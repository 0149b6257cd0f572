/* The statement compiler: reads sql/, refuses what breaks a rule, writes the C that the store is built on.
 * statement_compiler SQL_FOLDER OUT_FOLDER
 * An output that would not change is not touched, so that make builds nothing anew. */
#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sql_check.h"
#include "sql_emit.h"
#include "sql_schema.h"
#include "sql_statement.h"

struct names {
	const char **list;
	size_t count;
};

static bool ends_with(const char *name, const char *ending)
{
	size_t length = strlen(name), tail = strlen(ending);

	return length >= tail && strcmp(name + length - tail, ending) == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The files of a folder that end in .sql, sorted by name: the order of bytes, whatever the locale. */
static struct names list_folder(struct pool *pool, const char *folder)
{
	struct names names = { 0 };
	const struct dirent *entry;
	DIR *stream = opendir(folder);

	if (stream == NULL)
		fail(folder, 1, "the folder cannot be opened: %s", strerror(errno));
	while ((entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] == '.' || !ends_with(entry->d_name, ".sql"))
			continue;
		names.list = pool_grow(pool, names.list, names.count, sizeof(*names.list));
		names.list[names.count++] = pool_string(pool, entry->d_name, strlen(entry->d_name));
	}
	closedir(stream);
	if (names.count > 1)
		qsort(names.list, names.count, sizeof(*names.list), compare_names);
	return names;
}

/* The scanner ends at a NUL, so what stood behind one would go unchecked. */
static struct source read_sql(struct pool *pool, const char *path)
{
	const struct source source = source_read(pool, path);

	if (memchr(source.at, '\0', source.length) != NULL)
		fail(path, 1, "the file holds a NUL byte");
	return source;
}

static const char *checksum(struct pool *pool, const struct source *source)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char *hex = pool_take(pool, 2 * sizeof(hash) + 1);

	crypto_hash_sha256(hash, (const unsigned char *)source->at, source->length);
	return sodium_bin2hex(hex, 2 * sizeof(hash) + 1, hash, sizeof(hash));
}

/* NNNN_name.sql, small letters, digits and underscores; 0 if the file is named otherwise. */
static int migration_number(const char *name)
{
	size_t digits = strspn(name, "0123456789");
	size_t letters = strspn(name + digits, "abcdefghijklmnopqrstuvwxyz0123456789_");

	if (digits != 4 || name[4] != '_' || letters < 2 || strcmp(name + digits + letters, ".sql") != 0)
		return 0;
	return (name[0] - '0') * 1000 + (name[1] - '0') * 100 + (name[2] - '0') * 10 + (name[3] - '0');
}

/* A text for PostgreSQL alone stands beside the migration it belongs to. */
static const char *companion(struct pool *pool, const char *name)
{
	return pool_format(pool, "%.*s.postgres.sql", (int)(strlen(name) - strlen(".sql")), name);
}

static bool is_there(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->list[i], name) == 0)
			return true;
	}
	return false;
}

static void check_companion(struct pool *pool, const struct names *names, const char *path, const char *name)
{
	size_t stem = strlen(name) - strlen(".postgres.sql");
	const char *common = pool_format(pool, "%.*s.sql", (int)stem, name);

	if (!is_there(names, common))
		fail(path, 1, "there is no %s beside it", common);
}

static struct migration_file read_migration(struct pool *pool, const char *folder, const struct names *names,
					    const char *name, struct schema schemas[ENGINE_COUNT])
{
	const char *other = companion(pool, name);
	struct migration_file file = { .number = migration_number(name),
				       .name = pool_string(pool, name, strlen(name) - strlen(".sql")) };

	for (int engine = 0; engine < ENGINE_COUNT; engine++) {
		const bool apart = engine == ENGINE_POSTGRES && is_there(names, other);
		const char *path = pool_format(pool, "%s/%s", folder, apart ? other : name);

		file.sources[engine] = read_sql(pool, path);
		file.checksums[engine] = checksum(pool, &file.sources[engine]);
		schema_read(pool, &schemas[engine], &file.sources[engine],
			    apart ? DIALECT_POSTGRES_SCRIPT : DIALECT_COMMON);
	}
	return file;
}

static struct migration_files read_migrations(struct pool *pool, const char *folder,
					      struct schema schemas[ENGINE_COUNT])
{
	struct migration_files files = { 0 };
	const struct names names = list_folder(pool, folder);

	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.list[i];
		const char *path = pool_format(pool, "%s/%s", folder, name);
		int expected = (int)files.count + 1;
		if (ends_with(name, ".postgres.sql")) {
			check_companion(pool, &names, path, name);
			continue;
		}
		if (migration_number(name) == 0)
			fail(path, 1, "a migration is named NNNN_name.sql, from 0001 on");
		if (migration_number(name) != expected)
			fail(path, 1, "migration %04d is expected here", expected);
		files.list = pool_grow(pool, files.list, files.count, sizeof(*files.list));
		files.list[files.count++] = read_migration(pool, folder, &names, name, schemas);
	}
	if (files.count == 0)
		fail(folder, 1, "there is no migration");
	for (int engine = 0; engine < ENGINE_COUNT; engine++)
		schema_finish(&schemas[engine]);
	return files;
}

static struct script_files read_scripts(struct pool *pool, const char *folder)
{
	struct script_files scripts = { 0 };
	const struct names names = list_folder(pool, folder);

	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.list[i];
		struct script_file script = { .name = pool_string(pool, name, strlen(name) - strlen(".sql")),
					      .source = read_sql(pool, pool_format(pool, "%s/%s", folder, name)) };
		scripts.list = pool_grow(pool, scripts.list, scripts.count, sizeof(*scripts.list));
		scripts.list[scripts.count++] = script;
	}
	return scripts;
}

static struct sql_statements read_statements(struct pool *pool, const char *folder,
					     const struct schema schemas[ENGINE_COUNT])
{
	struct sql_statements statements = { 0 };
	const struct names names = list_folder(pool, folder);

	for (size_t i = 0; i < names.count; i++) {
		const struct source source = read_sql(pool, pool_format(pool, "%s/%s", folder, names.list[i]));
		statements_read(pool, &statements, &source);
	}
	for (size_t i = 0; i < statements.count; i++)
		statement_check(pool, schemas, &statements.list[i]);
	return statements;
}

static bool is_unchanged(struct pool *pool, const char *path, const struct output *output)
{
	if (access(path, F_OK) != 0)
		return false;
	const struct source there = source_read(pool, path);
	return there.length == output->length && memcmp(there.at, output->at, output->length) == 0;
}

/* Through a file beside it, so that a full disk leaves the old one whole. */
static void write_output(struct pool *pool, const char *folder, const char *name, const struct output *output)
{
	const char *path = pool_format(pool, "%s/%s", folder, name);
	const char *fresh = pool_format(pool, "%s.new", path);

	if (is_unchanged(pool, path, output))
		return;
	FILE *stream = fopen(fresh, "wb");
	if (stream == NULL)
		fail(fresh, 1, "the file cannot be written: %s", strerror(errno));
	bool written = fwrite(output->at, 1, output->length, stream) == output->length;
	if (fclose(stream) != 0 || !written || rename(fresh, path) != 0) {
		int reason = errno;
		unlink(fresh);
		fail(path, 1, "the file cannot be written: %s", strerror(reason));
	}
}

int main(int count, char **arguments)
{
	struct pool pool = { 0 };
	struct schema schemas[ENGINE_COUNT] = { 0 };

	if (count != 3) {
		fputs("usage: statement_compiler SQL_FOLDER OUT_FOLDER\n", stderr);
		return 2;
	}
	const char *folder = arguments[1];
	const struct migration_files files = read_migrations(&pool, pool_format(&pool, "%s/schema", folder), schemas);
	const struct sql_statements statements = read_statements(&pool, folder, schemas);
	const char *postgres = pool_format(&pool, "%s/postgres", folder);
	const struct script_files scripts =
	    access(postgres, F_OK) == 0 ? read_scripts(&pool, postgres) : (struct script_files){ 0 };
	struct output header = { .pool = &pool }, texts = { .pool = &pool }, migrations = { .pool = &pool };
	emit_header(&header, &statements);
	emit_statements(&texts, schemas, &statements);
	emit_migrations(&migrations, &files, &scripts);
	if (mkdir(arguments[2], 0777) != 0 && errno != EEXIST)
		fail(arguments[2], 1, "the folder cannot be made: %s", strerror(errno));
	write_output(&pool, arguments[2], "statements.h", &header);
	write_output(&pool, arguments[2], "statements.c", &texts);
	write_output(&pool, arguments[2], "migrations.c", &migrations);
	pool_fini(&pool);
	return 0;
}
