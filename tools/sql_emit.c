#include "sql_emit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql_mention.h"

/* C17 5.2.4.1 promises 4095 characters of a string; a longer text is written as an array of characters. */
#define STRING_LIMIT 4000
#define LINE_LENGTH  100

static void add(struct output *output, const char *at, size_t length)
{
	if (output->capacity - output->length <= length) {
		size_t capacity = (output->length + length + 1) * 2;
		char *grown = pool_take(output->pool, capacity);
		if (output->length > 0)
			memcpy(grown, output->at, output->length);
		output->at = grown;
		output->capacity = capacity;
	}
	memcpy(output->at + output->length, at, length);
	output->length += length;
}

__attribute__((format(printf, 2, 3))) static void print(struct output *output, const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		fputs("statement_compiler: out of memory\n", stderr);
		exit(1);
	}
	add(output, text, (size_t)length);
	free(text);
}

static const char *upper(struct pool *pool, const char *name)
{
	char *copy = pool_string(pool, name, strlen(name));

	for (char *c = copy; *c != '\0'; c++) {
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	}
	return copy;
}

static const char *member(struct pool *pool, const char *name)
{
	static const char *const keywords[] = {
		"asm",    "auto",     "bool",   "break",  "case",     "char",     "const",  "continue", "default",
		"do",     "double",   "else",   "enum",   "extern",   "false",    "float",  "for",      "goto",
		"if",     "inline",   "int",    "long",   "register", "restrict", "return", "short",    "signed",
		"sizeof", "static",   "struct", "switch", "true",     "typedef",  "typeof", "union",    "unsigned",
		"void",   "volatile", "while",  "linux",  "unix",
	};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (strcmp(keywords[i], name) == 0)
			return pool_format(pool, "%s_", name);
	}
	return name;
}

/* One character within a constant quoted by `quote`. `before` guards against trigraphs, which C17 still reads. */
static void print_character(struct output *output, char c, char quote, char before)
{
	if (c == '\n')
		add(output, "\\n", 2);
	else if (c == '\t')
		add(output, "\\t", 2);
	else if (c == quote || c == '\\' || (c == '?' && before == '?'))
		print(output, "\\%c", c);
	else if (c < ' ' || c > '~')
		print(output, "\\%03o", (unsigned)(unsigned char)c);
	else
		add(output, &c, 1);
}

static void print_string(struct output *output, const char *text, size_t length)
{
	size_t column = 0;

	add(output, "\t\"", 2);
	for (size_t i = 0; i < length; i++) {
		print_character(output, text[i], '"', i > 0 ? text[i - 1] : '\0');
		column++;
		if (i + 1 < length && (text[i] == '\n' || (text[i] == ' ' && column >= LINE_LENGTH))) {
			add(output, "\"\n\t\"", 4);
			column = 0;
		}
	}
	add(output, "\"", 1);
}

static void print_array(struct output *output, const char *text, size_t length)
{
	add(output, "\t{ ", 3);
	for (size_t i = 0; i < length; i++) {
		add(output, "'", 1);
		print_character(output, text[i], '\'', '\0');
		add(output, "', ", 3);
		if (text[i] == '\n' || i % 24 == 23)
			add(output, "\n\t  ", 4);
	}
	add(output, "'\\0' }", 6);
}

static void print_constant(struct output *output, const char *name, const char *text, size_t length)
{
	print(output, "static const char %s[] =\n", name);
	if (length <= STRING_LIMIT)
		print_string(output, text, length);
	else
		print_array(output, text, length);
	print(output, ";\n");
}

static void print_members(struct output *output, const char *name, const char *direction, const struct values *values)
{
	if (values->count == 0)
		return;
	print(output, "\nstruct %s_%s {\n", name, direction);
	for (size_t i = 0; i < values->count; i++)
		print(output, "\t%s%s;\n", values->list[i].type->member, member(output->pool, values->list[i].name));
	print(output, "};\n");
}

void emit_header(struct output *output, const struct sql_statements *statements)
{
	print(output,
	      "/* Generated from sql/ by tools/statement_compiler.c: change the statements there, not here. */\n"
	      "#ifndef INNKEEPER_STATEMENTS_H\n#define INNKEEPER_STATEMENTS_H\n\n"
	      "#include <stdbool.h>\n#include <stdint.h>\n\n"
	      "#include \"base/text.h\"\n#include \"base/uuid.h\"\n#include \"store/statement.h\"\n\n"
	      "enum statement_id {\n");
	for (size_t i = 0; i < statements->count; i++)
		print(output, "\tSTATEMENT_%s,\n", upper(output->pool, statements->list[i].name));
	print(output, "\tSTATEMENT_COUNT\n};\n");
	for (size_t i = 0; i < statements->count; i++) {
		const struct sql_statement *statement = &statements->list[i];
		print_members(output, statement->name, "in", &statement->in);
		print_members(output, statement->name, "out", &statement->out);
	}
	print(output, "\n#endif\n");
}

/* A parameter's number: :organization is the first of a tenant statement, used or not. */
static void print_parameter(struct output *output, const struct sql_statement *statement, const char *name,
			    enum engine engine)
{
	size_t number = 1;
	const char *cast = "uuid";
	const char *brackets = "";

	if (strcmp(name, "organization") != 0) {
		size_t i = 0;
		while (strcmp(statement->in.list[i].name, name) != 0)
			i++;
		number = i + 1 + statement->tenant;
		cast = statement->in.list[i].type->cast;
		brackets = statement->rows ? "[]" : "";
	}
	if (engine == ENGINE_SQLITE)
		print(output, "?%zu", number);
	else
		print(output, "$%zu::%s%s", number, cast, brackets);
}

/* In SQLite a write goes past the views of the tenant to the table itself, and a system statement always does. */
static void print_token(struct output *output, const struct sql_statement *statement, const struct token *token,
			const struct mention *mention)
{
	bool direct = mention != NULL && (mention->target || !statement->tenant);

	if (direct)
		print(output, "main.");
	add(output, token->at, token->length);
	if (direct && !mention->target && !mention->aliased)
		print(output, " AS %.*s", (int)token->length, token->at);
}

/* An INSERT of a row whose number PostgreSQL gives; where another row may be in the way, nobody asks for it. */
static bool is_numbered(const struct schema *schema, const struct sql_statement *statement)
{
	const struct sql *sql = &statement->texts[ENGINE_POSTGRES];
	const struct table *table =
	    statement->write_target == NULL ? NULL : schema_find(schema, statement->write_target);

	if (!sql_word(sql, 0, "insert") || table == NULL || statement->rows)
		return false;
	for (size_t i = 0; i < sql->count; i++) {
		if (sql_word(sql, i, "conflict"))
			return false;
	}
	for (size_t i = 0; i < table->column_count; i++) {
		if (strcmp(table->columns[i], "number") == 0)
			return true;
	}
	return false;
}

/* NULL: the statement is not for this engine. */
static const char *engine_text(struct pool *pool, const struct schema *schema, const struct sql_statement *statement,
			       enum engine engine)
{
	struct output output = { .pool = pool };
	const struct sql *sql = &statement->texts[engine];
	const struct mentions mentions = mentions_read(pool, schema, sql);

	if (sql->count == 0)
		return NULL;
	for (size_t i = 0; i < sql->count; i++) {
		const struct token *token = sql_at(sql, i);
		const struct mention *mention = NULL;
		if (token->blank_before && i > 0)
			add(&output, " ", 1);
		if (token->kind == TOKEN_PARAMETER) {
			print_parameter(&output, statement, token->name, engine);
			continue;
		}
		for (size_t k = 0; k < mentions.count && engine == ENGINE_SQLITE; k++) {
			if (mentions.list[k].at == i && mentions.list[k].table != NULL)
				mention = &mentions.list[k];
		}
		print_token(&output, statement, token, mention);
	}
	if (engine == ENGINE_POSTGRES && is_numbered(schema, statement))
		print(&output, statement->out.count == 0 ? " RETURNING number" : ", number");
	add(&output, "", 1);
	return output.at;
}

static void print_columns(struct output *output, const char *name, const char *direction, const struct values *values)
{
	if (values->count == 0)
		return;
	print(output, "static const struct column %s_%s_columns[] = {\n", name, direction);
	for (size_t i = 0; i < values->count; i++) {
		const struct value *value = &values->list[i];
		print(output, "\t{ \"%s\", %s, offsetof(struct %s_%s, %s) },\n", value->name, value->type->constant,
		      name, direction, member(output->pool, value->name));
	}
	print(output, "};\n");
}

static const char *const engine_names[ENGINE_COUNT] = { [ENGINE_SQLITE] = "sqlite", [ENGINE_POSTGRES] = "postgres" };

static void print_parts(struct output *output, const struct schema schemas[ENGINE_COUNT],
			const struct sql_statement *statement)
{
	print(output, "\n");
	print_columns(output, statement->name, "in", &statement->in);
	print_columns(output, statement->name, "out", &statement->out);
	for (int engine = 0; engine < ENGINE_COUNT; engine++) {
		const char *text = engine_text(output->pool, &schemas[engine], statement, (enum engine)engine);
		if (text != NULL)
			print_constant(output,
				       pool_format(output->pool, "%s_%s", statement->name, engine_names[engine]), text,
				       strlen(text));
	}
}

static void print_row(struct output *output, const struct schema *postgres, const struct sql_statement *statement)
{
	const char *name = statement->name;

	print(output, "\t[STATEMENT_%s] = {\n", upper(output->pool, name));
	print(output, "\t\t.name = \"%s\",\n", name);
	print(output, "\t\t.kind = %s,\n", statement->tenant ? "STATEMENT_TENANT" : "STATEMENT_SYSTEM");
	if (is_numbered(postgres, statement))
		print(output, "\t\t.numbered = true,\n");
	if (statement->many)
		print(output, "\t\t.many = true,\n");
	if (statement->rows)
		print(output, "\t\t.rows = true,\n");
	if (statement->write_target != NULL)
		print(output, "\t\t.write_target = \"%s\",\n", statement->write_target);
	for (int engine = 0; engine < ENGINE_COUNT; engine++) {
		if (statement->texts[engine].count > 0)
			print(output, "\t\t.%s = %s_%s,\n", engine_names[engine], name, engine_names[engine]);
	}
	if (statement->in.count > 0)
		print(output, "\t\t.in = %s_in_columns,\n\t\t.in_count = %zu,\n", name, statement->in.count);
	if (statement->out.count > 0)
		print(output, "\t\t.out = %s_out_columns,\n\t\t.out_count = %zu,\n", name, statement->out.count);
	print(output, "\t},\n");
}

static void print_protected_tables(struct output *output, const struct schema *schema)
{
	struct output rows = { .pool = output->pool };
	size_t count = 0;

	for (size_t i = 0; i < schema->count; i++) {
		const struct table *table = &schema->tables[i];
		if (table->dropped || table->owner_column == NULL || table->search)
			continue;
		print(output, "\nstatic const char *const table_%zu_columns[] = { /* %s */\n", count, table->name);
		for (size_t k = 0; k < table->column_count; k++)
			print(output, "\t\"%s\",\n", table->columns[k]);
		print(output, "\tNULL,\n};\n");
		print(&rows, "\t{ \"%s\", \"%s\", table_%zu_columns },\n", table->name, table->owner_column, count++);
	}
	/* C knows no empty array. */
	if (count == 0)
		print(&rows, "\t{ NULL, NULL, NULL },\n");
	print(output, "\nconst struct protected_table protected_tables[] = {\n");
	add(output, rows.at, rows.length);
	print(output, "};\nconst size_t protected_table_count = %zu;\n", count);
}

static void print_search_tables(struct output *output, const struct schema *schema)
{
	size_t count = 0;

	print(output, "\nconst struct search_table search_tables[] = {\n");
	for (size_t i = 0; i < schema->count; i++) {
		const struct table *table = &schema->tables[i];
		if (table->dropped || !table->search)
			continue;
		print(output, "\t{ \"%s\", \"%s\" },\n", table->name, table->columns[0]);
		count++;
	}
	/* C knows no empty array. */
	if (count == 0)
		print(output, "\t{ NULL, NULL },\n");
	print(output, "};\nconst size_t search_table_count = %zu;\n", count);
}

/* On PostgreSQL a search table is one of them. */
static void print_postgres_tables(struct output *output, const struct schema *schema)
{
	size_t count = 0;

	print(output, "\nconst struct protected_table postgres_tables[] = {\n");
	for (size_t i = 0; i < schema->count; i++) {
		const struct table *table = &schema->tables[i];
		if (table->dropped || table->owner_column == NULL)
			continue;
		print(output, "\t{ .name = \"%s\", .owner_column = \"%s\" },\n", table->name, table->owner_column);
		count++;
	}
	/* C knows no empty array. */
	if (count == 0)
		print(output, "\t{ .name = NULL },\n");
	print(output, "};\nconst size_t postgres_table_count = %zu;\n", count);
}

void emit_statements(struct output *output, const struct schema schemas[ENGINE_COUNT],
		     const struct sql_statements *statements)
{
	print(output,
	      "/* Generated from sql/ by tools/statement_compiler.c: change the statements there, not here. */\n"
	      "#include \"statements.h\"\n\n#include <stddef.h>\n");
	for (size_t i = 0; i < statements->count; i++)
		print_parts(output, schemas, &statements->list[i]);
	print(output, "\nconst struct statement statements[] = {\n");
	for (size_t i = 0; i < statements->count; i++)
		print_row(output, &schemas[ENGINE_POSTGRES], &statements->list[i]);
	if (statements->count == 0)
		print(output, "\t{ .name = NULL },\n");
	print(output, "};\nconst size_t statement_count = STATEMENT_COUNT;\n");
	print_protected_tables(output, &schemas[ENGINE_SQLITE]);
	print_search_tables(output, &schemas[ENGINE_SQLITE]);
	print_postgres_tables(output, &schemas[ENGINE_POSTGRES]);
}

void emit_migrations(struct output *output, const struct migration_files *files, const struct script_files *scripts)
{
	print(output,
	      "/* Generated from sql/schema/ by tools/statement_compiler.c: change the migrations there, not here. */\n"
	      "#include \"store/statement.h\"\n");
	for (size_t i = 0; i < files->count; i++) {
		const struct migration_file *file = &files->list[i];
		print(output, "\n");
		for (int engine = 0; engine < ENGINE_COUNT; engine++)
			print_constant(output, pool_format(output->pool, "%s_%04d", engine_names[engine], file->number),
				       file->sources[engine].at, file->sources[engine].length);
	}
	print(output, "\nconst struct migration migrations[] = {\n");
	for (size_t i = 0; i < files->count; i++) {
		const struct migration_file *file = &files->list[i];
		print(output, "\t{\n\t\t.number = %d,\n\t\t.name = \"%s\",\n", file->number, file->name);
		for (int engine = 0; engine < ENGINE_COUNT; engine++)
			print(output, "\t\t.%s = { %s_%04d, \"%s\" },\n", engine_names[engine], engine_names[engine],
			      file->number, file->checksums[engine]);
		print(output, "\t},\n");
	}
	print(output, "};\nconst size_t migration_count = %zu;\n", files->count);
	for (size_t i = 0; i < scripts->count; i++) {
		const struct script_file *script = &scripts->list[i];
		const char *name = pool_format(output->pool, "text_of_%s", script->name);
		print(output, "\n");
		print_constant(output, name, script->source.at, script->source.length);
		print(output, "const char *const postgres_%s = %s;\n", script->name, name);
	}
}
