#include "sql_mention.h"

#include <stdint.h>
#include <string.h>

enum join { JOIN_INNER, JOIN_LEFT, JOIN_OTHER };

/* What an open parenthesis or CASE encloses. */
struct frame {
	int id;
	int level;
	bool query;          /* a SELECT, UPDATE or DELETE began in it */
	bool from;           /* within the list of tables: a comma is followed by a table */
	bool table_position; /* a table is due next */
	bool subquery;       /* opened where a table was due */
	bool is_case;        /* closed by END */
	bool takes_from;     /* the arguments of a function that knows FROM: extract(year FROM x) */
	int clause;          /* 0: none whose conditions every row passes */
	bool clause_is_on;
	enum join join;       /* of the table before ON */
	size_t open_betweens; /* how many of the next ANDs belong to a BETWEEN */
	bool and_of_between;  /* the last AND did */
	size_t joined;        /* the mention before ON */
};

struct walk {
	struct pool *pool;
	const struct schema *schema;
	const struct sql *sql;
	const char **ctes;
	size_t cte_count;
	struct frame *frames; /* by depth; no more than tokens */
	size_t depth;         /* of the open one; the statement itself is 0 */
	int frame_count, level_count, clause_count;
	bool *has_or; /* by clause; no more clauses than tokens */
	struct mentions found;
};

static const char *const behind_table[] = {
	"where",     "join",   "left",        "right",  "full",   "inner",  "cross",     "natural", "on",
	"using",     "group",  "order",       "having", "limit",  "offset", "fetch",     "for",     "union",
	"intersect", "except", "window",      "set",    "values", "select", "returning", "default", "indexed",
	"not",       "with",   "tablesample", "and",    "or",     "outer",  NULL,
};

/* Keywords behind which the list of tables and the conditions before them are over. */
static const char *const clause_starts[] = {
	"select", "group",     "having", "order",     "limit", "offset", "fetch", "window",
	"union",  "intersect", "except", "returning", "set",   "values", "for",   NULL,
};

/* What may follow a condition that stands for itself. */
static const char *const behind_condition[] = {
	"and",    "where", "group",     "having", "order",     "limit", "offset", "fetch",
	"window", "union", "intersect", "except", "returning", "for",   "join",   "left",
	"right",  "full",  "inner",     "cross",  "natural",   "on",    NULL,
};

static struct frame *top(struct walk *walk)
{
	return &walk->frames[walk->depth];
}

static void refuse(const struct walk *walk, size_t at, const char *sentence)
{
	fail(walk->sql->file, sql_line(walk->sql, at), "%s", sentence);
}

/* The names that WITH gives, wherever it stands: the engine knows where each can be seen. */
static void find_ctes(struct walk *walk)
{
	const struct sql *sql = walk->sql;

	for (size_t i = 0; i < sql->count; i++) {
		if (!sql_word(sql, i, "with"))
			continue;
		size_t at = sql_word(sql, i + 1, "recursive") ? i + 2 : i + 1;
		for (;;) {
			size_t next = at + 1;
			if (sql_name(sql, at) && sql_sign(sql, next, '('))
				next = sql_behind_group(sql, next);
			if (!sql_name(sql, at) || !sql_word(sql, next, "as"))
				break;
			const char *name = sql_at(sql, at)->name;
			if (schema_find(walk->schema, name) != NULL)
				fail(sql->file, sql_line(sql, at), "WITH %s hides the table of that name", name);
			walk->ctes = pool_grow(walk->pool, walk->ctes, walk->cte_count, sizeof(*walk->ctes));
			walk->ctes[walk->cte_count++] = name;
			next += sql_word(sql, next + 1, "not") ? 2 : 1;
			next += sql_word(sql, next, "materialized");
			if (!sql_sign(sql, next, '('))
				refuse(walk, next, "a query in parentheses is expected here");
			next = sql_behind_group(sql, next);
			if (!sql_sign(sql, next, ','))
				break;
			at = next + 1;
		}
	}
}

static bool is_cte(const struct walk *walk, const char *name)
{
	for (size_t i = 0; i < walk->cte_count; i++) {
		if (strcmp(walk->ctes[i], name) == 0)
			return true;
	}
	return false;
}

static void add_mention(struct walk *walk, const struct mention *mention)
{
	struct mentions *found = &walk->found;

	for (size_t i = 0; i < found->count; i++) {
		const struct mention *other = &found->list[i];
		if (other->level == mention->level && other->qualifier != NULL && mention->qualifier != NULL &&
		    strcmp(other->qualifier, mention->qualifier) == 0)
			fail(walk->sql->file, sql_line(walk->sql, mention->at), "'%s' names two tables of one query",
			     mention->qualifier);
	}
	found->list = pool_grow(walk->pool, found->list, found->count, sizeof(*found->list));
	found->list[found->count++] = *mention;
}

/* The alias at `at`, if there is one; returns the index behind it. */
static size_t read_alias(struct walk *walk, size_t at, bool insert, struct mention *mention)
{
	const struct sql *sql = walk->sql;
	bool as = sql_word(sql, at, "as");

	at += as;
	if (as && !sql_name(sql, at))
		refuse(walk, at, "an alias is expected here");
	if (!as && (insert || !sql_name(sql, at) || sql_any(sql, at, behind_table)))
		return at;
	mention->qualifier = sql_at(sql, at)->name;
	mention->aliased = true;
	return at + 1;
}

/* A table, a CTE or a function at `at`; returns the index behind it and its alias. */
static size_t read_mention(struct walk *walk, size_t at, bool target)
{
	const struct sql *sql = walk->sql;
	const char *name = sql_at(sql, at)->name;
	bool insert = target && sql_word(sql, at - 1, "into");

	if (!sql_name(sql, at))
		refuse(walk, at, "a table's name is expected here");
	if (sql_sign(sql, at + 1, '.'))
		refuse(walk, at, "a table is named without a schema");
	struct mention mention = { .at = at, .qualifier = name, .target = target };
	mention.level = top(walk)->level;
	mention.frame = top(walk)->id;
	mention.table = schema_find(walk->schema, name);
	bool called = sql_sign(sql, at + 1, '(') && !insert;
	if (mention.table == NULL && called && !target)
		mention.kind = MENTION_FUNCTION;
	else if (mention.table == NULL && is_cte(walk, name) && !target)
		mention.kind = MENTION_CTE;
	else if (mention.table == NULL || called)
		fail(sql->file, sql_line(sql, at), "'%s' is not a table", name);
	size_t end = called ? at + 1 : read_alias(walk, at + 1, insert, &mention);
	if (mention.kind == MENTION_FUNCTION)
		read_alias(walk, sql_behind_group(sql, at + 1), false, &mention);
	add_mention(walk, &mention);
	top(walk)->table_position = false;
	return end;
}

static void open_frame(struct walk *walk, size_t at, bool is_case)
{
	static const char *const with_from[] = { "extract", "substring", "trim", "overlay", NULL };
	static const char *const starts_query[] = { "select", "with", "values", NULL };
	const struct frame outer = *top(walk);
	struct frame frame = { .id = ++walk->frame_count, .level = outer.level, .is_case = is_case };

	if (!is_case && outer.table_position) {
		frame.subquery = sql_any(walk->sql, at + 1, starts_query);
		frame.from = frame.table_position = !frame.subquery;
		top(walk)->table_position = false;
	}
	frame.takes_from = !is_case && sql_any(walk->sql, at - 1, with_from);
	walk->frames[++walk->depth] = frame;
}

static void close_frame(struct walk *walk, size_t at, bool is_case)
{
	const struct frame closed = *top(walk);

	if (walk->depth == 0 || closed.is_case != is_case)
		refuse(walk, at, is_case ? "this END closes nothing" : "this parenthesis closes nothing");
	if (closed.table_position)
		refuse(walk, at, "a table's name is expected here");
	walk->depth--;
	if (closed.subquery) {
		struct mention mention = {
			.kind = MENTION_SUBQUERY, .at = at, .level = top(walk)->level, .frame = top(walk)->id
		};
		read_alias(walk, at + 1, false, &mention);
		add_mention(walk, &mention);
	}
}

static void start_clause(struct walk *walk, bool is_on)
{
	struct frame *frame = top(walk);

	frame->clause = ++walk->clause_count;
	frame->clause_is_on = is_on;
	frame->open_betweens = 0;
	frame->joined = walk->found.count - 1;
}

static void read_from(struct walk *walk, size_t at)
{
	const struct sql *sql = walk->sql;
	struct frame *frame = top(walk);

	/* a IS [NOT] DISTINCT FROM b compares. */
	if (sql_word(sql, at - 1, "distinct") &&
	    (sql_word(sql, at - 2, "is") || (sql_word(sql, at - 2, "not") && sql_word(sql, at - 3, "is"))))
		return;
	if (!frame->query && frame->takes_from)
		return;
	if (!frame->query)
		refuse(walk, at, "FROM is expected behind SELECT, UPDATE or DELETE");
	frame->from = frame->table_position = true;
	frame->clause = 0;
	frame->join = JOIN_INNER;
}

static void read_join(struct walk *walk, size_t at)
{
	struct frame *frame = top(walk);
	size_t kind = sql_word(walk->sql, at - 1, "outer") ? at - 2 : at - 1;

	if (!frame->from)
		refuse(walk, at, "JOIN is expected behind FROM");
	frame->join = JOIN_INNER;
	if (sql_word(walk->sql, kind, "left"))
		frame->join = JOIN_LEFT;
	else if (sql_word(walk->sql, kind, "right") || sql_word(walk->sql, kind, "full"))
		frame->join = JOIN_OTHER;
	frame->table_position = true;
	frame->clause = 0;
}

/* A condition `[alias.]column = :organization` that stands for itself: behind WHERE, ON or AND, before an end. */
static void read_guard(struct walk *walk, size_t parameter)
{
	const struct sql *sql = walk->sql;
	const struct frame *frame = top(walk);
	struct guard guard = { .level = frame->level, .frame = -1, .only_mention = SIZE_MAX, .clause = frame->clause };
	size_t column = parameter - 2;
	size_t start = column;
	bool ends = parameter + 1 >= sql->count || sql_sign(sql, parameter + 1, ')') ||
		    sql_sign(sql, parameter + 1, ',') || sql_any(sql, parameter + 1, behind_condition);

	if (frame->clause == 0 || !ends || parameter < 3 || !sql_sign(sql, parameter - 1, '=') ||
	    !sql_name(sql, column))
		return;
	if (sql_sign(sql, column - 1, '.')) {
		start = column - 2;
		if (!sql_name(sql, start) || sql_sign(sql, start - 1, '.'))
			return;
		guard.qualifier = sql_at(sql, start)->name;
	}
	bool stands = sql_word(sql, start - 1, "where") || sql_word(sql, start - 1, "on") ||
		      (sql_word(sql, start - 1, "and") && !frame->and_of_between);
	if (!stands || (frame->clause_is_on && frame->join == JOIN_OTHER))
		return;
	if (frame->clause_is_on) {
		guard.frame = frame->id;
		if (frame->join == JOIN_LEFT)
			guard.only_mention = frame->joined;
	}
	guard.column = sql_at(sql, column)->name;
	walk->found.guards =
	    pool_grow(walk->pool, walk->found.guards, walk->found.guard_count, sizeof(*walk->found.guards));
	walk->found.guards[walk->found.guard_count++] = guard;
}

static void read_condition(struct walk *walk, size_t at)
{
	const struct sql *sql = walk->sql;
	struct frame *frame = top(walk);

	if (sql_word(sql, at, "where")) {
		frame->from = false;
		frame->clause = 0;
		if (frame->query)
			start_clause(walk, false);
	} else if (sql_word(sql, at, "on") && sql_word(sql, at + 1, "conflict")) {
		/* Its conditions are about the row in the way, not about what was selected. */
		frame->from = false;
		frame->clause = 0;
		frame->level = ++walk->level_count;
	} else if (sql_word(sql, at, "on") && frame->from) {
		start_clause(walk, true);
	} else if (sql_word(sql, at, "or") && frame->clause != 0) {
		walk->has_or[frame->clause] = true;
	} else if (sql_word(sql, at, "between")) {
		frame->open_betweens++;
	} else if (sql_word(sql, at, "and")) {
		frame->and_of_between = frame->open_betweens > 0;
		if (frame->and_of_between)
			frame->open_betweens--;
	}
}

static void read_word(struct walk *walk, size_t at)
{
	const struct sql *sql = walk->sql;
	struct frame *frame = top(walk);

	if (sql_word(sql, at, "from")) {
		read_from(walk, at);
	} else if (sql_word(sql, at, "join")) {
		read_join(walk, at);
	} else if (sql_word(sql, at, "case")) {
		open_frame(walk, at, true);
	} else if (sql_word(sql, at, "end")) {
		close_frame(walk, at, true);
	} else if (sql_any(sql, at, clause_starts)) {
		frame->from = false;
		frame->clause = 0;
		if (sql_word(sql, at, "select")) {
			frame->query = true;
			frame->level = ++walk->level_count;
		}
	} else {
		read_condition(walk, at);
	}
}

/* The verb of a write and its target; returns the index behind them, 0 for a statement that reads. */
static size_t read_target(struct walk *walk)
{
	const struct sql *sql = walk->sql;
	static const char *const verbs[] = { "insert", "update", "delete", NULL };

	if (!sql_any(sql, 0, verbs))
		return 0;
	size_t target = sql_word(sql, 0, "update") ? 1 : 2;
	if ((sql_word(sql, 0, "insert") && !sql_word(sql, 1, "into")) ||
	    (sql_word(sql, 0, "delete") && !sql_word(sql, 1, "from")))
		refuse(walk, 1, "INTO or FROM is expected behind the verb");
	top(walk)->query = !sql_word(sql, 0, "insert");
	return read_mention(walk, target, true);
}

struct mentions mentions_read(struct pool *pool, const struct schema *schema, const struct sql *sql)
{
	struct walk walk = { .pool = pool, .schema = schema, .sql = sql };
	size_t at, kept = 0;

	walk.frames = pool_take(pool, sizeof(*walk.frames) * (sql->count + 1));
	walk.has_or = pool_take(pool, sizeof(*walk.has_or) * (sql->count + 1));
	find_ctes(&walk);
	at = read_target(&walk);
	while (at < sql->count) {
		const struct token *token = sql_at(sql, at);
		bool lateral = sql_word(sql, at, "lateral");
		if (sql_sign(sql, at, '(')) {
			open_frame(&walk, at, false);
		} else if (sql_sign(sql, at, ')')) {
			close_frame(&walk, at, false);
		} else if (top(&walk)->table_position && !lateral) {
			at = read_mention(&walk, at, false);
			continue;
		} else if (sql_sign(sql, at, ',') && top(&walk)->from) {
			top(&walk)->table_position = true;
			top(&walk)->clause = 0;
			top(&walk)->join = JOIN_INNER;
		} else if (token->kind == TOKEN_WORD && !sql_sign(sql, at - 1, '.')) {
			read_word(&walk, at);
		} else if (token->kind == TOKEN_PARAMETER && strcmp(token->name, "organization") == 0) {
			read_guard(&walk, at);
		}
		at++;
	}
	if (walk.depth != 0 || top(&walk)->table_position)
		refuse(&walk, sql->count, "the text ends too early");
	for (size_t i = 0; i < walk.found.guard_count; i++) {
		if (!walk.has_or[walk.found.guards[i].clause])
			walk.found.guards[kept++] = walk.found.guards[i];
	}
	walk.found.guard_count = kept;
	return walk.found;
}
