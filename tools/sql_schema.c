#include "sql_schema.h"

#include <string.h>

static struct table *find(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (!schema->tables[i].dropped && strcmp(schema->tables[i].name, name) == 0)
			return &schema->tables[i];
	}
	return NULL;
}

const struct table *schema_find(const struct schema *schema, const char *name)
{
	return find(schema, name);
}

static void add_column(struct pool *pool, struct table *table, const char *name)
{
	table->columns = pool_grow(pool, table->columns, table->column_count, sizeof(*table->columns));
	table->columns[table->column_count++] = name;
}

static size_t find_column(const struct sql *sql, const struct table *table, size_t at)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (strcmp(table->columns[i], sql_at(sql, at)->name) == 0)
			return i;
	}
	fail(sql->file, sql_line(sql, at), "table %s has no column %s", table->name, sql_at(sql, at)->name);
}

/* A table's name, which stands alone: a schema before it would hide which table is meant. */
static const char *table_name(const struct sql *sql, size_t at)
{
	if (!sql_name(sql, at))
		fail(sql->file, sql_line(sql, at), "a table's name is expected here");
	if (sql_sign(sql, at + 1, '.'))
		fail(sql->file, sql_line(sql, at), "a table is named without a schema");
	return sql_at(sql, at)->name;
}

static void read_elements(struct pool *pool, const struct sql *sql, struct table *table, size_t open)
{
	static const char *const constraints[] = { "primary", "unique", "check", "foreign", "constraint", NULL };
	size_t end = sql_behind_group(sql, open) - 1;
	size_t at = open + 1;

	while (at < end) {
		if (!sql_name(sql, at))
			fail(sql->file, sql_line(sql, at), "a column of table %s is expected here", table->name);
		if (!sql_any(sql, at, constraints))
			add_column(pool, table, sql_at(sql, at)->name);
		while (at < end && !sql_sign(sql, at, ','))
			at = sql_sign(sql, at, '(') ? sql_behind_group(sql, at) : at + 1;
		at++;
	}
	if (table->column_count == 0)
		fail(sql->file, sql_line(sql, open), "table %s has no columns", table->name);
}

static void create_table(struct pool *pool, struct schema *schema, const struct sql *sql, size_t at)
{
	bool unless_there = sql_word(sql, at, "if");
	struct table table = { 0 };

	if (unless_there)
		at += 3;
	table.name = table_name(sql, at);
	if (find(schema, table.name) != NULL) {
		if (unless_there)
			return;
		fail(sql->file, sql_line(sql, at), "table %s is there already", table.name);
	}
	if (!sql_sign(sql, at + 1, '('))
		fail(sql->file, sql_line(sql, at), "table %s needs a list of columns", table.name);
	read_elements(pool, sql, &table, at + 1);
	schema->tables = pool_grow(pool, schema->tables, schema->count, sizeof(*schema->tables));
	schema->tables[schema->count++] = table;
}

/* Full text: `CREATE VIRTUAL TABLE name USING fts5 (column, …, option = value, …)`. */
static void create_search(struct pool *pool, struct schema *schema, const struct sql *sql, size_t at)
{
	struct table table = { .name = table_name(sql, at), .search = true };

	if (find(schema, table.name) != NULL)
		fail(sql->file, sql_line(sql, at), "table %s is there already", table.name);
	if (!sql_word(sql, at + 1, "using") || !sql_word(sql, at + 2, "fts5") || !sql_sign(sql, at + 3, '('))
		fail(sql->file, sql_line(sql, at), "a virtual table is one USING fts5 (…)");
	size_t end = sql_behind_group(sql, at + 3) - 1;
	for (size_t i = at + 4; i < end; i++) {
		if (sql_name(sql, i) && (sql_sign(sql, i + 1, ',') || i + 1 == end) && !sql_sign(sql, i - 1, '='))
			add_column(pool, &table, sql_at(sql, i)->name);
	}
	if (table.column_count != 1)
		fail(sql->file, sql_line(sql, at), "table %s needs one column: its words", table.name);
	schema->tables = pool_grow(pool, schema->tables, schema->count, sizeof(*schema->tables));
	schema->tables[schema->count++] = table;
}

static void drop_table(struct schema *schema, const struct sql *sql, size_t at)
{
	bool if_there = sql_word(sql, at, "if");

	if (if_there)
		at += 2;
	struct table *table = find(schema, table_name(sql, at));
	if (table != NULL)
		table->dropped = true;
	else if (!if_there)
		fail(sql->file, sql_line(sql, at), "there is no table %s to drop", sql_at(sql, at)->name);
	if (at + 1 < sql->count)
		fail(sql->file, sql_line(sql, at), "DROP TABLE takes one name and no more");
}

/* ENABLE, FORCE or NO FORCE ROW LEVEL SECURITY, which changes no column. */
static bool sets_row_security(const struct sql *sql, size_t verb)
{
	static const char *const verbs[] = { "enable", "disable", "force", NULL };

	if (sql_word(sql, verb, "no"))
		verb++;
	return sql_any(sql, verb, verbs) && sql_word(sql, verb + 1, "row") && sql_word(sql, verb + 2, "level");
}

static void alter_table(struct pool *pool, struct schema *schema, const struct sql *sql, size_t at)
{
	struct table *table = find(schema, table_name(sql, at));

	if (table == NULL)
		fail(sql->file, sql_line(sql, at), "there is no table %s to alter", sql_at(sql, at)->name);
	size_t verb = at + 1;
	size_t what = sql_word(sql, verb + 1, "column") ? verb + 2 : verb + 1;
	bool to_follows = sql_word(sql, what + 1, "to") && sql_name(sql, what + 2);
	if (sql_word(sql, verb, "rename") && sql_word(sql, verb + 1, "to")) {
		const char *name = table_name(sql, verb + 2);
		if (find(schema, name) != NULL)
			fail(sql->file, sql_line(sql, at), "table %s is there already", name);
		table->name = name;
	} else if (sql_word(sql, verb, "rename") && to_follows) {
		table->columns[find_column(sql, table, what)] = sql_at(sql, what + 2)->name;
	} else if (sql_word(sql, verb, "add") && sql_name(sql, what)) {
		add_column(pool, table, sql_at(sql, what)->name);
	} else if (sql_word(sql, verb, "drop") && sql_name(sql, what)) {
		size_t gone = find_column(sql, table, what);
		memmove(&table->columns[gone], &table->columns[gone + 1],
			(table->column_count - gone - 1) * sizeof(*table->columns));
		/* Appending doubles at powers of two only, so a shorter list starts one of its own. */
		const char **rest = table->columns;
		size_t count = table->column_count - 1;
		table->columns = NULL;
		table->column_count = 0;
		for (size_t i = 0; i < count; i++)
			add_column(pool, table, rest[i]);
	} else if (!sets_row_security(sql, verb)) {
		fail(sql->file, sql_line(sql, at), "ALTER TABLE is understood with RENAME, ADD and DROP COLUMN alone");
	}
}

static void read_statement(struct pool *pool, struct schema *schema, const struct sql *sql)
{
	static const char *const other_tables[] = { "temp", "temporary", "unlogged", NULL };

	if (sql_word(sql, 0, "create") && sql_any(sql, 1, other_tables) && sql_word(sql, 2, "table"))
		fail(sql->file, sql_line(sql, 0), "only plain tables are understood");
	if (sql_word(sql, 0, "create") && sql_word(sql, 1, "virtual"))
		create_search(pool, schema, sql, 3);
	else if (sql_word(sql, 0, "create") && sql_word(sql, 1, "table"))
		create_table(pool, schema, sql, 2);
	else if (sql_word(sql, 0, "drop") && sql_word(sql, 1, "table"))
		drop_table(schema, sql, 2);
	else if (sql_word(sql, 0, "alter") && sql_word(sql, 1, "table"))
		alter_table(pool, schema, sql, 2);
}

void schema_read(struct pool *pool, struct schema *schema, const struct source *source, enum dialect dialect)
{
	struct position position = { .offset = 0, .line = 1 };
	struct sql sql;

	do {
		sql = sql_scan(pool, source, &position, dialect);
		read_statement(pool, schema, &sql);
	} while (sql.ended);
}

void schema_finish(struct schema *schema)
{
	for (size_t i = 0; i < schema->count; i++) {
		struct table *table = &schema->tables[i];
		const char *owner = strcmp(table->name, "organizations") == 0 ? "id" : "organization_id";
		/* PostgreSQL's has that column; a plain tenant's table there. */
		if (table->search)
			table->owner_column = owner;
		for (size_t k = 0; k < table->column_count; k++) {
			if (strcmp(table->columns[k], owner) == 0)
				table->owner_column = owner;
		}
	}
}
