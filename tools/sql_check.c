#include "sql_check.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "sql_mention.h"

/* One text under check. */
struct check {
	struct pool *pool;
	const struct sql_statement *statement;
	const struct sql *sql;
	enum engine engine;
	bool *used; /* which parameters this text or another one uses */
	struct mentions mentions;
	const struct mention *target; /* NULL: the statement reads */
};

/* The parts of a list, each from `start` to before `end`. */
struct item {
	size_t start, end;
};

struct items {
	struct item *list;
	size_t count;
	size_t end; /* behind the last */
};

static const char *const behind_list[] = {
	"from",   "where", "group",     "having", "order",     "limit", "offset", "fetch",
	"window", "union", "intersect", "except", "returning", "for",   "on",     NULL,
};

static struct items read_items(const struct check *check, size_t at)
{
	const struct sql *sql = check->sql;
	struct items items = { 0 };
	struct item item = { at, at };

	for (;;) {
		bool ends = at >= sql->count || sql_sign(sql, at, ')') ||
			    (sql_any(sql, at, behind_list) && !sql_sign(sql, at - 1, '.') &&
			     !(sql_word(sql, at, "from") && sql_word(sql, at - 1, "distinct") && at - 1 > item.start));
		if (ends || sql_sign(sql, at, ',')) {
			item.end = at;
			if (items.count > 0 || !ends || item.end > item.start) {
				items.list = pool_grow(check->pool, items.list, items.count, sizeof(*items.list));
				items.list[items.count++] = item;
			}
			items.end = at;
			if (ends)
				return items;
			item.start = ++at;
		} else {
			at = sql_sign(sql, at, '(') ? sql_behind_group(sql, at) : at + 1;
		}
	}
}

/* The next such keyword outside of parentheses, SIZE_MAX if there is none. */
static size_t find_outermost(const struct sql *sql, size_t at, const char *keyword)
{
	while (at < sql->count) {
		if (sql_word(sql, at, keyword) && !sql_sign(sql, at - 1, '.'))
			return at;
		at = sql_sign(sql, at, '(') ? sql_behind_group(sql, at) : at + 1;
	}
	return SIZE_MAX;
}

static struct items read_select_list(const struct check *check, size_t select)
{
	const struct sql *sql = check->sql;
	size_t at = select + 1;

	if (sql_word(sql, at, "distinct") && sql_word(sql, at + 1, "on") && sql_sign(sql, at + 2, '('))
		at = sql_behind_group(sql, at + 2);
	else if (sql_word(sql, at, "distinct") || sql_word(sql, at, "all"))
		at++;
	return read_items(check, at);
}

static void check_verbs(const struct check *check)
{
	static const char *const verbs[] = { "select", "with", "insert", "update", "delete", NULL };
	static const char *const writes[] = { "insert", "delete", "merge", "truncate", NULL };
	static const char *const before_update[] = { "do", "for", "key", NULL };
	static const char *const before_group[] = { "in", "using", "replace", NULL };
	const struct sql *sql = check->sql;

	if (!sql_any(sql, 0, verbs))
		fail(sql->file, sql_line(sql, 0), "a text begins with SELECT, WITH, INSERT, UPDATE or DELETE");
	/* INSERT OR REPLACE deletes whatever row is in the way, whosoever's it is. */
	if (sql_word(sql, 1, "or"))
		fail(sql->file, sql_line(sql, 1), "OR is refused here: write ON CONFLICT, which both engines know");
	for (size_t i = 1; i < sql->count; i++) {
		const struct token *token = sql_at(sql, i);
		if (token->kind != TOKEN_WORD || sql_sign(sql, i - 1, '.'))
			continue;
		bool writes_again =
		    sql_any(sql, i, writes) || (sql_word(sql, i, "update") && !sql_any(sql, i - 1, before_update));
		if (writes_again && sql_word(sql, 0, "with"))
			fail(sql->file, token->line, "WITH before a write is refused");
		if (writes_again)
			fail(sql->file, token->line, "a second %s is refused: a text writes once", token->name);
		if (sql_word(sql, i, "into") && !(i == 1 && sql_word(sql, 0, "insert")))
			fail(sql->file, token->line, "INTO is refused outside of INSERT INTO");
		/* `TABLE chats` is a query of PostgreSQL, `x IN chats` one of SQLite. */
		if (sql_word(sql, i, "table"))
			fail(sql->file, token->line, "TABLE is refused: write SELECT");
		if (sql_any(sql, i, before_group) && !sql_sign(sql, i + 1, '('))
			fail(sql->file, token->line, "a parenthesis is expected behind %s", token->name);
	}
}

/* A search table on SQLite: the engine itself puts the bound organization before every word, written or asked for
 * (store/search_guard.h), and row security knows the only two texts that write to it. */
static bool is_apart(const struct check *check, const struct mention *mention)
{
	return mention->table != NULL && mention->table->search && check->engine == ENGINE_SQLITE;
}

static void check_parameters(const struct check *check)
{
	const struct sql *sql = check->sql;
	const struct values *in = &check->statement->in;
	bool organization = false;

	for (size_t i = 0; i < sql->count; i++) {
		const struct token *token = sql_at(sql, i);
		size_t k = 0;
		if (token->kind != TOKEN_PARAMETER)
			continue;
		if (strcmp(token->name, "organization") == 0) {
			if (!check->statement->tenant)
				fail(sql->file, token->line, "a :system statement has no :organization");
			organization = true;
			continue;
		}
		while (k < in->count && strcmp(in->list[k].name, token->name) != 0)
			k++;
		if (k == in->count)
			fail(sql->file, token->line, ":%s is not among the parameters (in)", token->name);
		check->used[k] = true;
	}
	if (check->statement->tenant && !organization && !(check->target != NULL && is_apart(check, check->target)))
		fail(sql->file, sql_line(sql, 0), "a :tenant statement says :organization at least once");
}

static bool is_guarded(const struct check *check, size_t index)
{
	const struct mention *mention = &check->mentions.list[index];
	size_t guarded_tables = 0;

	for (size_t i = 0; i < check->mentions.count; i++)
		guarded_tables += check->mentions.list[i].table != NULL;
	for (size_t i = 0; i < check->mentions.guard_count; i++) {
		const struct guard *guard = &check->mentions.guards[i];
		bool named =
		    guard->qualifier == NULL ? guarded_tables == 1 : strcmp(guard->qualifier, mention->qualifier) == 0;
		if (named && guard->level == mention->level &&
		    strcmp(guard->column, mention->table->owner_column) == 0 &&
		    (guard->frame == -1 || guard->frame == mention->frame) &&
		    (guard->only_mention == SIZE_MAX || guard->only_mention == index))
			return true;
	}
	return false;
}

static bool is_organization(const struct sql *sql, const struct item *item)
{
	const struct token *token = sql_at(sql, item->start);
	size_t length = item->end - item->start;

	return token->kind == TOKEN_PARAMETER && strcmp(token->name, "organization") == 0 &&
	       (length == 1 || (length == 3 && sql_word(sql, item->start + 1, "as")));
}

/* The place of the owner in the column list of an INSERT; `behind` becomes the index behind that list. */
static size_t owner_place(const struct check *check, size_t *behind)
{
	const struct sql *sql = check->sql;
	const char *owner = check->target->table->owner_column;
	size_t open = check->target->at + 1;
	size_t place = SIZE_MAX;

	if (sql_word(sql, open, "as"))
		open += 2;
	if (!sql_sign(sql, open, '('))
		fail(sql->file, sql_line(sql, open), "an INSERT lists its columns");
	struct items columns = read_items(check, open + 1);
	for (size_t i = 0; i < columns.count; i++) {
		if (!sql_name(sql, columns.list[i].start) ||
		    strcmp(sql_at(sql, columns.list[i].start)->name, owner) != 0)
			continue;
		if (place != SIZE_MAX)
			fail(sql->file, sql_line(sql, open), "%s is listed twice", owner);
		place = i;
	}
	if (place == SIZE_MAX)
		fail(sql->file, sql_line(sql, open), "an INSERT into %s lists %s", check->target->table->name, owner);
	*behind = sql_behind_group(sql, open);
	return place;
}

static void check_row(const struct check *check, const struct items *row, size_t place, size_t at)
{
	if (place >= row->count || !is_organization(check->sql, &row->list[place]))
		fail(check->sql->file, sql_line(check->sql, at), "an INSERT into %s gives %s the value :organization",
		     check->target->table->name, check->target->table->owner_column);
}

/* An update of the row in the way is of this organization only if the key in the way is. */
static void check_upsert(const struct check *check, size_t behind)
{
	const struct sql *sql = check->sql;
	size_t conflict = find_outermost(sql, behind, "conflict");
	bool owned = false;

	if (conflict == SIZE_MAX || find_outermost(sql, conflict, "update") == SIZE_MAX)
		return;
	if (find_outermost(sql, conflict + 1, "conflict") != SIZE_MAX)
		fail(sql->file, sql_line(sql, conflict), "a second ON CONFLICT is refused");
	if (sql_sign(sql, conflict + 1, '(')) {
		struct items key = read_items(check, conflict + 2);
		for (size_t i = 0; i < key.count; i++)
			owned = owned ||
				(key.list[i].end == key.list[i].start + 1 && sql_name(sql, key.list[i].start) &&
				 strcmp(sql_at(sql, key.list[i].start)->name, check->target->table->owner_column) == 0);
	}
	if (!owned)
		fail(sql->file, sql_line(sql, conflict), "ON CONFLICT … DO UPDATE names a key with %s",
		     check->target->table->owner_column);
}

static void check_insert(const struct check *check)
{
	const struct sql *sql = check->sql;
	size_t at, behind;
	size_t place;

	assert(check->target != NULL); /* an INSERT has one */
	place = owner_place(check, &behind);
	at = behind;
	if (sql_word(sql, at, "values")) {
		do {
			if (!sql_sign(sql, ++at, '('))
				fail(sql->file, sql_line(sql, at), "a row of values is expected here");
			struct items row = read_items(check, at + 1);
			check_row(check, &row, place, at);
			at = sql_behind_group(sql, at);
		} while (sql_sign(sql, at, ','));
	} else if (!sql_word(sql, at, "select") && !sql_word(sql, at, "with")) {
		fail(sql->file, sql_line(sql, at), "VALUES or SELECT is expected behind the columns of an INSERT");
	} else if (find_outermost(sql, at, "values") != SIZE_MAX) {
		fail(sql->file, sql_line(sql, at), "VALUES is refused beside SELECT");
	}
	for (at = find_outermost(sql, at, "select"); at != SIZE_MAX; at = find_outermost(sql, at + 1, "select")) {
		struct items row = read_select_list(check, at);
		check_row(check, &row, place, at);
	}
	check_upsert(check, behind);
}

/* No UPDATE, nor that of ON CONFLICT, hands a row to another organization. */
static void check_set(const struct check *check)
{
	const struct sql *sql = check->sql;
	const char *owner = check->target->table->owner_column;

	for (size_t set = find_outermost(sql, 0, "set"); set != SIZE_MAX; set = find_outermost(sql, set + 1, "set")) {
		struct items items = read_items(check, set + 1);
		for (size_t i = 0; i < items.count; i++) {
			size_t start = items.list[i].start;
			size_t end = start + 1;
			if (sql_sign(sql, start, '('))
				end = sql_behind_group(sql, start);
			for (size_t k = start; k < end; k++) {
				if (sql_name(sql, k) && strcmp(sql_at(sql, k)->name, owner) == 0)
					fail(sql->file, sql_line(sql, k), "%s may not be set", owner);
			}
		}
	}
}

static void check_tenant(const struct check *check)
{
	const struct sql *sql = check->sql;
	size_t guarded = 0;

	for (size_t i = 0; i < check->mentions.count; i++) {
		const struct mention *mention = &check->mentions.list[i];
		if (mention->table != NULL && mention->table->owner_column == NULL)
			fail(sql->file, sql_line(sql, mention->at),
			     "table %s is global: a :tenant statement cannot name it", mention->table->name);
	}
	for (size_t i = 0; i < check->mentions.count; i++) {
		const struct mention *mention = &check->mentions.list[i];
		if (mention->table == NULL || is_apart(check, mention))
			continue;
		guarded++;
		if (mention->target && sql_word(sql, 0, "insert"))
			check_insert(check);
		else if (!is_guarded(check, i))
			fail(sql->file, sql_line(sql, mention->at),
			     "table %s needs %s.%s = :organization as a condition of its own in its WHERE or ON",
			     mention->table->name, mention->qualifier, mention->table->owner_column);
	}
	for (size_t i = 0; guarded == 0 && check->target == NULL && i < check->mentions.count; i++) {
		if (is_apart(check, &check->mentions.list[i]))
			fail(sql->file, sql_line(sql, check->mentions.list[i].at),
			     "search table %s is read beside a table of the organization's",
			     check->mentions.list[i].table->name);
	}
	if (check->target != NULL && !is_apart(check, check->target))
		check_set(check);
}

static void check_system(const struct check *check)
{
	const struct sql *sql = check->sql;

	for (size_t i = 0; i < check->mentions.count; i++) {
		const struct mention *mention = &check->mentions.list[i];
		if (mention->table != NULL && mention->table->search)
			fail(sql->file, sql_line(sql, mention->at),
			     "table %s holds words of organizations: a :system statement cannot name it",
			     mention->table->name);
	}
}

/* Many rows at once are PostgreSQL's alone, where a write looks at its own table through the same policy as a read, and
 * each mention is guarded by itself. */
static bool may_look_at_itself(const struct check *check)
{
	return check->statement->rows && check->engine == ENGINE_POSTGRES;
}

static void check_write(const struct check *check)
{
	const struct sql *sql = check->sql;
	const struct table *table = check->target->table;

	for (size_t i = 0; i < check->mentions.count; i++) {
		const struct mention *mention = &check->mentions.list[i];
		if (mention != check->target && mention->table == table && !may_look_at_itself(check))
			fail(sql->file, sql_line(sql, mention->at), "a write names its table %s once", table->name);
	}
	for (size_t i = 0; i < sql->count; i++) {
		if (table->owner_column != NULL && !sql_word(sql, 0, "insert") && sql_word(sql, i, "select"))
			fail(sql->file, sql_line(sql, i), "an UPDATE or DELETE of %s holds no SELECT", table->name);
	}
}

static void check_columns(const struct check *check, const struct items *items, size_t at)
{
	const struct sql *sql = check->sql;
	size_t expected = check->statement->out.count;

	for (size_t i = 0; i < items->count; i++) {
		size_t last = items->list[i].end - 1;
		if (sql_sign(sql, last, '*') && (last == items->list[i].start || sql_sign(sql, last - 1, '.')))
			fail(sql->file, sql_line(sql, last), "* is refused: name the columns");
	}
	if (items->count != expected)
		fail(sql->file, sql_line(sql, at), "the text gives %zu columns, its annotation (out) %zu", items->count,
		     expected);
}

static void check_out(const struct check *check)
{
	const struct sql *sql = check->sql;
	struct items items = { 0 };

	if (check->target != NULL) {
		size_t returning = find_outermost(sql, 0, "returning");
		if (returning != SIZE_MAX)
			items = read_items(check, returning + 1);
		check_columns(check, &items, returning);
		return;
	}
	size_t select = find_outermost(sql, 0, "select");
	if (select == SIZE_MAX)
		fail(sql->file, sql_line(sql, 0), "WITH is followed by a SELECT");
	for (; select != SIZE_MAX; select = find_outermost(sql, select + 1, "select")) {
		items = read_select_list(check, select);
		check_columns(check, &items, select);
	}
}

void statement_check(struct pool *pool, const struct schema schemas[ENGINE_COUNT], struct sql_statement *statement)
{
	for (size_t i = 0; i < statement->in.count; i++) {
		if (strcmp(statement->in.list[i].name, "organization") == 0)
			fail(statement->file, statement->in.line,
			     "the organization comes from the scope, not from a parameter (in)");
	}
	bool *used = pool_take(pool, (statement->in.count + 1) * sizeof(*used));
	for (int engine = 0; engine < ENGINE_COUNT; engine++) {
		struct check check = { .pool = pool,
				       .used = used,
				       .statement = statement,
				       .sql = &statement->texts[engine],
				       .engine = (enum engine)engine };
		const char *target = NULL;
		if (check.sql->count == 0)
			continue;
		check_verbs(&check);
		check.mentions = mentions_read(pool, &schemas[engine], check.sql);
		if (check.mentions.count > 0 && check.mentions.list[0].target) {
			check.target = &check.mentions.list[0];
			target = check.target->table->name;
			check_write(&check);
		}
		check_parameters(&check);
		if (statement->tenant)
			check_tenant(&check);
		else
			check_system(&check);
		check_out(&check);
		if (engine > 0 && statement->texts[ENGINE_SQLITE].count > 0 &&
		    ((target == NULL) != (statement->write_target == NULL) ||
		     (target != NULL && strcmp(target, statement->write_target) != 0)))
			fail(statement->file, statement->line, "the two texts of %s write different tables",
			     statement->name);
		statement->write_target = target;
	}
	if (statement->rows && (!statement->tenant || statement->write_target == NULL || statement->in.count == 0 ||
				statement->out.count > 0))
		fail(statement->file, statement->line,
		     "a statement of :rows is a :tenant's, writes, has values (in) and gives nothing (out)");
	for (size_t k = 0; k < statement->in.count; k++) {
		if (!used[k])
			fail(statement->file, statement->in.line, "parameter %s is not used in the text",
			     statement->in.list[k].name);
	}
}
