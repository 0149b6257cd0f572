#include "store/row_security.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/search_guard.h"

/* What is being prepared right now; it decides what the authorizer lets pass. */
enum mode {
	MODE_CLOSED,      /* nothing but what a search table does within: also what a re-preparation meets */
	MODE_SETUP,       /* our own views and triggers */
	MODE_TRANSACTION, /* BEGIN, COMMIT, SAVEPOINT, … */
	MODE_SYSTEM,
	MODE_TENANT,
};

#define MARK_SIZE 40 /* "inner_" and 32 random hex digits and a NUL */

struct row_security {
	sqlite3 *sqlite;
	enum mode mode;
	const char *write_target;
	bool writes;              /* guards are there, so a target may be given at all */
	char inner[MARK_SIZE];    /* how the inner views' names begin: unknown to any statement */
	char guard[MARK_SIZE];    /* how the triggers' names begin */
	const struct uuid *bound; /* NULL, or what follows */
	struct uuid organization;
};

/* SQL functions that statements may call. Whatever is not here (load_extension, readfile, fts internals) does not
 * exist. */
static const char *const functions[] = {
	"abs", "avg", "coalesce", "count", "iif",   "ifnull", "instr", "length", "like",  "lower", "ltrim", "match",
	"max", "min", "nullif",   "round", "rtrim", "substr", "sum",   "tenant", "total", "trim",  "upper", NULL,
};

/* Triggers of the schema that ask for a parent where a foreign key would cost too much. Their names are no secret, but
 * a write holds no query, so nothing in its own text can take one of them. */
static const char *const parents[] = { "messages_parent_insert", "messages_parent_update", NULL };

static bool is_one_of(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (sqlite3_stricmp(name, *list) == 0)
			return true;
	return false;
}

static const struct protected_table *protected_by_name(const char *name)
{
	for (size_t i = 0; name != NULL && i < protected_table_count; i++)
		if (sqlite3_stricmp(name, protected_tables[i].name) == 0)
			return &protected_tables[i];
	return NULL;
}

static const struct search_table *search_by_name(const char *name)
{
	for (size_t i = 0; name != NULL && i < search_table_count; i++)
		if (sqlite3_stricmp(name, search_tables[i].name) == 0)
			return &search_tables[i];
	return NULL;
}

/* The tables that a search table is made of: https://www.sqlite.org/fts5.html#fts5_data_structures. */
static bool is_shadow(const char *name)
{
	static const char *const parts[] = { "_data", "_idx", "_content", "_docsize", "_config", NULL };

	for (size_t i = 0; name != NULL && i < search_table_count; i++) {
		const size_t length = strlen(search_tables[i].name);

		if (sqlite3_strnicmp(name, search_tables[i].name, (int)length) == 0 && is_one_of(name + length, parts))
			return true;
	}
	return false;
}

/* organizations itself: its rows are their own owners. */
static bool is_house(const struct protected_table *table)
{
	return strcmp(table->owner_column, "id") == 0;
}

static bool begins(const char *context, const char *mark)
{
	return context != NULL && strncmp(context, mark, strlen(mark)) == 0;
}

static bool is_schema_table(const char *name)
{
	return name == NULL || sqlite3_strnicmp(name, "sqlite_", 7) == 0;
}

static bool asks_for_parent(const struct row_security *security, const char *context)
{
	return security->write_target != NULL && context != NULL && is_one_of(context, parents);
}

/* The columns outside of the tenants' tables that a foreign key asks for: an account's, and, when an organization goes,
 * where the sessions are. */
static bool is_key(const struct row_security *security, const char *column)
{
	const struct protected_table *target = protected_by_name(security->write_target);

	if (column == NULL)
		return false;
	return strcmp(column, "id") == 0 ||
	       (target != NULL && is_house(target) && strcmp(column, "entered_organization_id") == 0);
}

static bool may_read(const struct row_security *security, const char *table, const char *column, const char *schema,
		     const char *context)
{
	const bool in_file = schema != NULL && strcmp(schema, "main") == 0;
	const bool temporary = schema != NULL && strcmp(schema, "temp") == 0;

	if (is_schema_table(table) || is_shadow(table))
		return false;
	if (in_file && (begins(context, security->guard) || asks_for_parent(security, context)))
		return true;
	/* Which documents match, and no more: no rank, no column of words, no count of all. */
	if (search_by_name(table) != NULL)
		return security->mode == MODE_TENANT && security->write_target == NULL && in_file && column != NULL &&
		       (sqlite3_stricmp(column, "rowid") == 0 || sqlite3_stricmp(column, table) == 0);
	/* Also for the system, which has no use for it: the outer view is refused then, and SQLite's error names that
	 * one. */
	if (protected_by_name(table) == NULL && temporary)
		return begins(table, security->inner);
	if (security->mode == MODE_SYSTEM)
		return in_file;
	if (in_file && begins(context, security->inner))
		return true;
	/* A write reads its own target, and parents and children for the foreign keys' sake (of accounts, which no
	 * organization owns, the key alone). It can reach no row of them otherwise, since a write holds no query
	 * (holds_query). */
	if (in_file && security->write_target != NULL && context == NULL)
		return protected_by_name(table) != NULL || is_key(security, column);
	return temporary;
}

static bool may_write(const struct row_security *security, int action, const char *table, const char *column,
		      const char *schema, const char *context)
{
	const struct protected_table *protected_table = protected_by_name(table);

	if (!security->writes || schema == NULL || strcmp(schema, "main") != 0 || context != NULL ||
	    is_schema_table(table) || is_shadow(table))
		return false;
	if (search_by_name(table) != NULL)
		return security->write_target != NULL && column == NULL &&
		       sqlite3_stricmp(table, security->write_target) == 0;
	if (security->mode == MODE_SYSTEM)
		return true;
	if (protected_table == NULL || security->write_target == NULL ||
	    sqlite3_stricmp(table, security->write_target) != 0)
		return false;
	/* A tenant makes no organization, and removes none but itself, when it is going: the guard sees to that. */
	if (column == NULL)
		return !is_house(protected_table) || action == SQLITE_DELETE;
	return sqlite3_stricmp(column, protected_table->owner_column) != 0;
}

/* A write holds no query, but its guards do: their one SELECT raises the error. */
static bool may_select(const struct row_security *security, const char *context)
{
	return security->write_target == NULL || begins(context, security->guard) || asks_for_parent(security, context);
}

/* A search table prepares texts of its own on the tables it is made of, whenever it first needs one. No statement of
 * ours gets that far: one that names such a table was refused when it was prepared. */
static bool may_within(int action, const char *first, const char *schema, const char *context)
{
	if (context != NULL)
		return false;
	switch (action) {
	case SQLITE_SELECT: /* what it reads is asked for table by table */
		return true;
	case SQLITE_READ:
	case SQLITE_INSERT:
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
		return schema != NULL && strcmp(schema, "main") == 0 && is_shadow(first);
	case SQLITE_PRAGMA: /* whether another connection has written */
		return first != NULL && strcmp(first, "data_version") == 0;
	default:
		return false;
	}
}

/* https://www.sqlite.org/c3ref/set_authorizer.html; `context` is the innermost view or trigger. */
static int authorize(void *given, int action, const char *first, const char *second, const char *schema,
		     const char *context)
{
	const struct row_security *security = given;
	bool allowed = false;

	if (security->mode == MODE_SETUP)
		return SQLITE_OK;
	if (security->mode == MODE_TRANSACTION)
		return action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT ? SQLITE_OK : SQLITE_DENY;
	if (security->mode == MODE_CLOSED)
		return may_within(action, first, schema, context) ? SQLITE_OK : SQLITE_DENY;
	switch (action) {
	case SQLITE_SELECT:
		allowed = may_select(security, context);
		break;
	case SQLITE_RECURSIVE:
		allowed = security->write_target == NULL;
		break;
	case SQLITE_FUNCTION:
		allowed = second != NULL && is_one_of(second, functions);
		break;
	case SQLITE_READ:
		allowed = may_read(security, first, second, schema, context);
		break;
	case SQLITE_INSERT:
	case SQLITE_DELETE:
		allowed = may_write(security, action, first, NULL, schema, context);
		break;
	case SQLITE_UPDATE:
		allowed = may_write(security, action, first, second, schema, context);
		break;
	default:
		break;
	}
	return allowed ? SQLITE_OK : SQLITE_DENY;
}

/* SQL's tenant(): the organization bound, or NULL, which equals no row's. */
static void tenant(sqlite3_context *context, int count, sqlite3_value **values)
{
	const struct row_security *security = sqlite3_user_data(context);

	(void)count;
	(void)values;
	if (security->bound != NULL)
		sqlite3_result_blob(context, security->organization.bytes, sizeof security->organization.bytes,
				    SQLITE_STATIC);
	else
		sqlite3_result_null(context);
}

static enum err run(sqlite3 *sqlite, char *sql)
{
	int status = sql == NULL ? SQLITE_NOMEM : sqlite3_exec(sqlite, sql, NULL, NULL, NULL);

	sqlite3_free(sql);
	return status == SQLITE_OK ? OK : ERR_STORAGE;
}

static enum err make_views(const struct row_security *security, const struct protected_table *table)
{
	sqlite3_str *columns = sqlite3_str_new(security->sqlite);
	char *list;
	enum err err;

	for (size_t i = 0; table->columns[i] != NULL; i++)
		sqlite3_str_appendf(columns, "%s\"%w\"", i == 0 ? "" : ", ", table->columns[i]);
	list = sqlite3_str_finish(columns);
	if (list == NULL)
		return ERR_MEMORY;
	err = run(security->sqlite,
		  sqlite3_mprintf("CREATE TEMP VIEW \"%s_%w\" AS SELECT %s FROM main.\"%w\" WHERE \"%w\" = tenant();"
				  "CREATE TEMP VIEW \"%w\" AS SELECT %s FROM \"%s_%w\"",
				  security->inner, table->name, list, table->name, table->owner_column, table->name,
				  list, security->inner, table->name));
	sqlite3_free(list);
	return err;
}

static enum err make_guards(const struct row_security *security, const struct protected_table *table)
{
	/* The system makes organizations, and nobody is bound then. It changes and removes none. One that is going
	 * removes itself. */
	const char *unless = is_house(table) ? "tenant() IS NOT NULL AND " : "";
	const char *stays = is_house(table) ? " OR OLD.moving IS NOT 'out'" : "";

	return run(security->sqlite,
		   sqlite3_mprintf("CREATE TEMP TRIGGER \"%s_insert_%w\" BEFORE INSERT ON main.\"%w\" "
				   "WHEN %sNEW.\"%w\" IS NOT tenant() BEGIN SELECT RAISE(ABORT, 'row security'); END;"
				   "CREATE TEMP TRIGGER \"%s_update_%w\" BEFORE UPDATE ON main.\"%w\" "
				   "WHEN OLD.\"%w\" IS NOT tenant() OR NEW.\"%w\" IS NOT tenant() "
				   "BEGIN SELECT RAISE(ABORT, 'row security'); END;"
				   "CREATE TEMP TRIGGER \"%s_delete_%w\" BEFORE DELETE ON main.\"%w\" "
				   "WHEN OLD.\"%w\" IS NOT tenant()%s BEGIN SELECT RAISE(ABORT, 'row security'); END;",
				   security->guard, table->name, table->name, unless, table->owner_column,
				   security->guard, table->name, table->name, table->owner_column, table->owner_column,
				   security->guard, table->name, table->name, table->owner_column, stays));
}

/* Its module reads its own settings when the table is first named: now, since no statement may. */
static enum err open_search(const struct row_security *security, const struct search_table *table)
{
	return run(security->sqlite, sqlite3_mprintf("SELECT rowid FROM main.\"%w\" WHERE \"%w\" MATCH '\"x\"'",
						     table->name, table->name));
}

static void make_mark(char mark[MARK_SIZE], const char *kind)
{
	uint8_t random[16];
	char hex[2 * sizeof random + 1];

	randombytes_buf(random, sizeof random);
	sodium_bin2hex(hex, sizeof hex, random, sizeof random);
	snprintf(mark, MARK_SIZE, "%s_%s", kind, hex);
}

/* https://www.sqlite.org/security.html: what a schema or a statement from outside must not be able to do. */
static enum err harden(sqlite3 *sqlite)
{
	static const struct {
		int option;
		int value;
	} settings[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 1 },
		{ SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 },
		/* Plans do not depend on what is bound: else binding LIKE's pattern prepares anew, which is denied. */
		{ SQLITE_DBCONFIG_ENABLE_QPSG, 1 },
	};

	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
		if (sqlite3_db_config(sqlite, settings[i].option, settings[i].value, NULL) != SQLITE_OK)
			return ERR_STORAGE;
	sqlite3_limit(sqlite, SQLITE_LIMIT_ATTACHED, 0);
	/* Without it INSERT OR REPLACE would remove a row and fire no guard. */
	return sqlite3_exec(sqlite, "PRAGMA recursive_triggers = ON", NULL, NULL, NULL) == SQLITE_OK ? OK : ERR_STORAGE;
}

enum err row_security_new(struct row_security **out, sqlite3 *sqlite, bool writes)
{
	struct row_security *security = calloc(1, sizeof *security);
	enum err err;

	*out = NULL;
	if (security == NULL)
		return ERR_MEMORY;
	security->sqlite = sqlite;
	security->mode = MODE_SETUP;
	security->writes = writes;
	make_mark(security->inner, "inner");
	make_mark(security->guard, "guard");
	err = harden(sqlite);
	if (err == OK &&
	    sqlite3_create_function(sqlite, "tenant", 0, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
				    security, tenant, NULL, NULL) != SQLITE_OK)
		err = ERR_STORAGE;
	if (err == OK)
		err = search_guard_install(sqlite, &security->bound);
	for (size_t i = 0; err == OK && i < search_table_count; i++)
		err = open_search(security, &search_tables[i]);
	for (size_t i = 0; err == OK && i < protected_table_count; i++) {
		err = make_views(security, &protected_tables[i]);
		if (err == OK && writes)
			err = make_guards(security, &protected_tables[i]);
	}
	if (err == OK && sqlite3_set_authorizer(sqlite, authorize, security) != SQLITE_OK)
		err = ERR_STORAGE;
	security->mode = MODE_CLOSED;
	if (err != OK) {
		free(security);
		return err;
	}
	*out = security;
	return OK;
}

void row_security_free(struct row_security *security)
{
	free(security);
}

void row_security_bind(struct row_security *security, const struct uuid *organization)
{
	security->bound = NULL;
	if (organization != NULL) {
		security->organization = *organization;
		security->bound = &security->organization;
	}
}

static bool is_word_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       byte == '_';
}

/* No digit: the parameter in `?1IN chats` ends before the word. No byte past ASCII: to SQLite the mark U+FEFF before a
 * word is a blank. */
static bool begins_word(char byte)
{
	return is_word_byte(byte) && !(byte >= '0' && byte <= '9');
}

/* Whether a text holds a query, in any of its spellings: SELECT, TABLE-valued IN, VALUES as a source is harmless.
 * Cautious: the word inside a literal counts too. The authorizer alone does not do, since `x IN (SELECT …)` on an
 * indexed column is answered from the index without asking it for a SELECT. */
static bool holds_query(const char *sql)
{
	for (const char *at = sql; *at != '\0';) {
		const char *start = at;

		if (!begins_word(*at)) {
			at++;
			continue;
		}
		while (is_word_byte(*at))
			at++;
		if (at - start == 6 && sqlite3_strnicmp(start, "select", 6) == 0)
			return true;
		if (at - start == 2 && sqlite3_strnicmp(start, "in", 2) == 0) {
			while (isspace((unsigned char)*at))
				at++;
			if (*at != '(')
				return true;
		}
	}
	return false;
}

static enum err prepare(struct row_security *security, enum mode mode, const char *sql, const char *write_target,
			sqlite3_stmt **out)
{
	const char *rest = NULL;
	int status;

	*out = NULL;
	security->mode = mode;
	security->write_target = write_target;
	status = sqlite3_prepare_v3(security->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, out, &rest);
	security->mode = MODE_CLOSED;
	security->write_target = NULL;
	if (status == SQLITE_OK &&
	    (*out == NULL || rest[strspn(rest, " \t\r\n;")] != '\0' || sqlite3_stmt_isexplain(*out) != 0)) {
		/* Two statements in one text, or none, or a plan: it names the inner views. */
		sqlite3_finalize(*out);
		*out = NULL;
		return ERR_DENIED;
	}
	if (status == SQLITE_OK)
		return OK;
	return status == SQLITE_AUTH ? ERR_DENIED : ERR_STORAGE;
}

/* The two texts that write to a search table. What else its module takes by INSERT are commands upon the whole. */
static bool is_search_write(const char *sql, const struct search_table *table)
{
	char *add = sqlite3_mprintf("INSERT INTO main.%s (rowid, %s) VALUES (?2, ?3)", table->name, table->column);
	char *remove = sqlite3_mprintf("INSERT INTO main.%s (%s, rowid, %s) VALUES ('delete', ?2, ?3)", table->name,
				       table->name, table->column);
	const bool is = add != NULL && remove != NULL && (strcmp(sql, add) == 0 || strcmp(sql, remove) == 0);

	sqlite3_free(add);
	sqlite3_free(remove);
	return is;
}

enum err row_security_prepare_tenant(struct row_security *security, const char *sql, const char *write_target,
				     sqlite3_stmt **out)
{
	enum err err;

	*out = NULL;
	if (write_target != NULL && holds_query(sql))
		return ERR_DENIED;
	if (search_by_name(write_target) != NULL && !is_search_write(sql, search_by_name(write_target)))
		return ERR_DENIED;
	err = prepare(security, MODE_TENANT, sql, write_target, out);
	/* A text without a target that SQLite still calls a write cannot be (the authorizer has seen it); look all the
	 * same. */
	if (err == OK && write_target == NULL && !sqlite3_stmt_readonly(*out)) {
		sqlite3_finalize(*out);
		*out = NULL;
		return ERR_DENIED;
	}
	return err;
}

enum err row_security_prepare_system(struct row_security *security, const char *sql, sqlite3_stmt **out)
{
	return prepare(security, MODE_SYSTEM, sql, NULL, out);
}

enum err row_security_prepare_transaction(struct row_security *security, const char *sql, sqlite3_stmt **out)
{
	return prepare(security, MODE_TRANSACTION, sql, NULL, out);
}
