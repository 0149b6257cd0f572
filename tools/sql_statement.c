#include "sql_statement.h"

#include <string.h>

static const struct value_type value_types[] = {
	{ "uuid", "COLUMN_UUID", "struct uuid ", "uuid" }, { "text", "COLUMN_TEXT", "struct text ", "text" },
	{ "int", "COLUMN_INT", "int64_t ", "bigint" },     { "real", "COLUMN_REAL", "double ", "double precision" },
	{ "bool", "COLUMN_BOOL", "bool ", "boolean" },     { "time", "COLUMN_TIME", "int64_t ", "bigint" },
	{ "json", "COLUMN_JSON", "struct text ", "text" },
};

/* What the reader of one file knows. */
struct reader {
	struct pool *pool;
	const struct source *source;
	struct position position;
	struct sql_statements *statements;
	struct sql_statement *statement; /* the open one, or NULL before the first */
	struct values *continued;        /* the list that an indented comment line continues, or NULL */
	bool given[ENGINE_COUNT];        /* texts of the open statement */
	bool chosen[ENGINE_COUNT];       /* the engines of the text that comes next */
	bool choosing;                   /* `-- sqlite:` or `-- postgres:` stood before it */
};

/* Names become C: small letters, digits and underscores. */
static bool is_plain_name(const char *name)
{
	if (*name < 'a' || *name > 'z')
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* A column that is read may be spelled as answers spell it: leadScore. */
static bool is_column_name(const char *name)
{
	if (*name < 'a' || *name > 'z')
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

static const char *next_word(struct reader *reader, const char **at)
{
	*at += strspn(*at, " \t\r");
	size_t length = strcspn(*at, " \t\r\n,");
	const char *word = pool_string(reader->pool, *at, length);
	*at += length;
	*at += strspn(*at, " \t\r");
	return word;
}

static const struct value_type *find_type(struct reader *reader, const char *word)
{
	for (size_t i = 0; i < sizeof(value_types) / sizeof(value_types[0]); i++) {
		if (strcmp(value_types[i].word, word) == 0)
			return &value_types[i];
	}
	fail(reader->source->file, reader->position.line, "'%s' is not a type: uuid text int real bool time json",
	     word);
}

static void read_values(struct reader *reader, struct values *values, const char *line)
{
	const char *file = reader->source->file;
	const char *at = line;

	for (;;) {
		at += strspn(at, " \t\r");
		if (*at == '\0')
			return;
		struct value value = { .name = next_word(reader, &at) };
		if (!is_plain_name(value.name) && !(values == &reader->statement->out && is_column_name(value.name)))
			fail(file, reader->position.line, "'%s' is not a name: small letters, digits and _",
			     value.name);
		value.type = find_type(reader, next_word(reader, &at));
		for (size_t i = 0; i < values->count; i++) {
			if (strcmp(values->list[i].name, value.name) == 0)
				fail(file, reader->position.line, "'%s' stands here twice", value.name);
		}
		values->list = pool_grow(reader->pool, values->list, values->count, sizeof(*values->list));
		values->list[values->count++] = value;
		if (*at != ',' && *at != '\0')
			fail(file, reader->position.line, "a comma is expected behind '%s'", value.name);
		at += *at == ',';
	}
}

static void finish_statement(struct reader *reader)
{
	const struct sql_statement *open = reader->statement;
	const char *missing = NULL;

	if (open == NULL)
		return;
	if (!reader->given[ENGINE_SQLITE] && !reader->given[ENGINE_POSTGRES])
		missing = "no text";
	else if (!reader->given[ENGINE_SQLITE])
		missing = "no text for SQLite";
	else if (!reader->given[ENGINE_POSTGRES])
		missing = "no text for PostgreSQL";
	else if (reader->choosing)
		missing = "no text behind its last engine's line";
	if (missing != NULL)
		fail(open->file, open->line, "statement %s has %s", open->name, missing);
}

static void start_statement(struct reader *reader, const char *line)
{
	/* STATEMENT_COUNT, STATEMENT_TENANT and STATEMENT_SYSTEM mean something else. */
	static const char *const taken[] = { "count", "tenant", "system" };
	struct sql_statements *statements = reader->statements;
	struct sql_statement statement = { .file = reader->source->file, .line = reader->position.line };

	finish_statement(reader);
	statement.name = next_word(reader, &line);
	const char *kind = next_word(reader, &line);
	if (!is_plain_name(statement.name))
		fail(statement.file, statement.line, "'%s' is not a name: small letters, digits and _", statement.name);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (strcmp(taken[i], statement.name) == 0)
			fail(statement.file, statement.line, "a statement cannot be named '%s'", statement.name);
	}
	statement.tenant = strcmp(kind, ":tenant") == 0;
	if (!statement.tenant && strcmp(kind, ":system") != 0)
		fail(statement.file, statement.line, "'%s' is not a kind: :tenant or :system", kind);
	if (*line != '\0') {
		const char *how = next_word(reader, &line);
		statement.many = strcmp(how, ":many") == 0;
		statement.rows = strcmp(how, ":rows") == 0;
		if ((!statement.many && !statement.rows) || *line != '\0')
			fail(statement.file, statement.line,
			     "nothing but :many or :rows may follow the kind of a statement");
	}
	for (size_t i = 0; i < statements->count; i++) {
		const struct sql_statement *other = &statements->list[i];
		if (strcmp(other->name, statement.name) == 0)
			fail(statement.file, statement.line, "statement %s is there already: %s:%d", statement.name,
			     other->file, other->line);
	}
	statements->list = pool_grow(reader->pool, statements->list, statements->count, sizeof(*statements->list));
	statements->list[statements->count++] = statement;
	reader->statement = &statements->list[statements->count - 1];
	memset(reader->given, 0, sizeof(reader->given));
	memset(reader->chosen, true, sizeof(reader->chosen));
	reader->choosing = false;
}

static void choose_engine(struct reader *reader, enum engine engine, const char *rest)
{
	const char *word = rest + strspn(rest, " \t\r");
	const bool none = strncmp(word, "none", 4) == 0 && word[4 + strspn(word + 4, " \t\r")] == '\0';

	if (*word != '\0' && !none)
		fail(reader->source->file, reader->position.line, "an engine's line stands alone, or says none");
	if (reader->choosing)
		fail(reader->source->file, reader->position.line, "the engine's line before this one has no text");
	if (none) {
		reader->given[engine] = true; /* and its text stays empty */
		reader->chosen[engine] = false;
		return;
	}
	memset(reader->chosen, false, sizeof(reader->chosen));
	reader->chosen[engine] = true;
	reader->choosing = true;
}

static void start_values(struct reader *reader, struct values *values, const char *line)
{
	if (values->line != 0)
		fail(reader->source->file, reader->position.line, "this annotation stands there twice");
	if (reader->given[ENGINE_SQLITE] || reader->given[ENGINE_POSTGRES])
		fail(reader->source->file, reader->position.line, "this annotation stands behind a text");
	values->line = reader->position.line;
	reader->continued = values;
	read_values(reader, values, line);
}

/* The rest behind `word`, or NULL if the line does not begin with it. */
static const char *behind(const char *line, const char *word)
{
	size_t length = strlen(word);

	return strncmp(line, word, length) == 0 ? line + length : NULL;
}

static void read_comment(struct reader *reader, const char *line)
{
	size_t indent = strspn(line + 2, " \t");
	const char *content = line + 2 + indent;
	struct values *continued = reader->continued;
	const char *rest;

	reader->continued = NULL;
	if ((rest = behind(content, "name:")) != NULL) {
		start_statement(reader, rest);
		return;
	}
	if (reader->statement == NULL)
		return;
	if ((rest = behind(content, "in:")) != NULL) {
		start_values(reader, &reader->statement->in, rest);
	} else if ((rest = behind(content, "out:")) != NULL) {
		start_values(reader, &reader->statement->out, rest);
	} else if ((rest = behind(content, "sqlite:")) != NULL) {
		choose_engine(reader, ENGINE_SQLITE, rest);
	} else if ((rest = behind(content, "postgres:")) != NULL) {
		choose_engine(reader, ENGINE_POSTGRES, rest);
	} else if (continued != NULL && indent > 1 && *content != '\0' && *content != '\r') {
		reader->continued = continued;
		read_values(reader, continued, content);
	}
}

static void read_text(struct reader *reader)
{
	const char *file = reader->source->file;
	int line = reader->position.line;
	struct sql_statement *statement = reader->statement;

	if (statement == NULL)
		fail(file, line, "a text stands before the first name");
	reader->continued = NULL;
	const enum dialect dialect = reader->chosen[ENGINE_SQLITE] ? DIALECT_COMMON : DIALECT_POSTGRES;
	struct sql sql = sql_scan(reader->pool, reader->source, &reader->position, dialect);
	if (!sql.ended || sql.marked)
		fail(file, line, "the text of %s does not end with ;", statement->name);
	if (sql.count == 0)
		fail(file, line, "the text of %s is empty", statement->name);
	for (int engine = 0; engine < ENGINE_COUNT; engine++) {
		if (!reader->chosen[engine])
			continue;
		if (reader->given[engine])
			fail(file, line, "statement %s has a text for this engine already", statement->name);
		reader->given[engine] = true;
		statement->texts[engine] = sql;
	}
	reader->choosing = false;
	memset(reader->chosen, true, sizeof(reader->chosen));
}

void statements_read(struct pool *pool, struct sql_statements *statements, const struct source *source)
{
	struct reader reader = { .pool = pool, .source = source, .statements = statements };

	reader.position.line = 1;
	while (reader.position.offset < source->length) {
		const char *at = source->at + reader.position.offset;
		size_t length = strcspn(at, "\n");
		size_t blank = strspn(at, " \t\r");
		if (blank >= length) {
			reader.continued = NULL;
		} else if (at[blank] == '-' && at[blank + 1] == '-') {
			read_comment(&reader, pool_string(pool, at + blank, length - blank));
		} else {
			read_text(&reader);
			continue;
		}
		reader.position.offset += length;
		if (at[length] == '\n') {
			reader.position.offset++;
			reader.position.line++;
		}
	}
	finish_statement(&reader);
}
