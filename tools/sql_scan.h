/* SQL as tokens, with the line of each: what both engines read alike, and nothing that only one would.
 * Owner: everything lives in the compiler's pool until it ends. One thread.
 * The first error ends the program: `file:line: sentence` on stderr, exit code 1.
 * Never guesses: a quoting that the two engines read differently is refused, so no name can hide in it.
 * Next: tools/sql_schema.h and tools/sql_statement.h, which read these tokens. */
#ifndef INNKEEPER_TOOLS_SQL_SCAN_H
#define INNKEEPER_TOOLS_SQL_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* Memory of one run, freed at once. */
struct pool {
	struct pool_block *blocks;
};

void *pool_take(struct pool *pool, size_t size); /* zeroed; a failure ends the program */
void pool_fini(struct pool *pool);
char *pool_string(struct pool *pool, const char *at, size_t length);
char *pool_format(struct pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The list with room for one more behind its `count` items; always called before each append. */
void *pool_grow(struct pool *pool, void *list, size_t count, size_t size);

_Noreturn void fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A whole file, with a NUL behind it. */
struct source {
	const char *file;
	const char *at;
	size_t length;
};

struct source source_read(struct pool *pool, const char *file);

/* Where reading stands in a source. */
struct position {
	size_t offset;
	int line;
};

enum token_kind {
	TOKEN_END,    /* behind the last one, as often as one looks */
	TOKEN_WORD,   /* a bare name or keyword */
	TOKEN_QUOTED, /* "a name" */
	TOKEN_STRING, /* 'a string' or x'a blob' */
	TOKEN_NUMBER,
	TOKEN_PARAMETER, /* :name */
	TOKEN_SIGN,      /* one character of an operator or separator; `::` is one token */
};

struct token {
	enum token_kind kind;
	const char *at; /* as written, in the source */
	size_t length;
	const char *name; /* of a word or quoted name: unquoted, ASCII lower case; of a parameter: without its colon */
	int line;
	bool blank_before; /* white space or a comment */
};

/* One SQL statement, without its semicolon. */
struct sql {
	const char *file;
	struct token *tokens;
	size_t count;
	bool ended;  /* with a semicolon */
	bool marked; /* with an annotation comment (`-- name:` and the like) before any semicolon */
	int last_line;
};

enum dialect {
	DIALECT_COMMON,          /* both engines read it, or SQLite alone */
	DIALECT_POSTGRES,        /* a `[` is a sign: arrays. Elsewhere it is refused, for SQLite quotes names so */
	DIALECT_POSTGRES_SCRIPT, /* and a body may stand between $$ and $$: functions */
};

/* Reads up to and over the next semicolon, or to the end of the source, and moves the position there. */
struct sql sql_scan(struct pool *pool, const struct source *source, struct position *position, enum dialect dialect);

/* The token at an index; before the first and behind the last one an empty TOKEN_END. */
const struct token *sql_at(const struct sql *sql, size_t index);
bool sql_word(const struct sql *sql, size_t index, const char *keyword);
bool sql_sign(const struct sql *sql, size_t index, char sign);
bool sql_name(const struct sql *sql, size_t index);                             /* a bare or quoted name */
bool sql_any(const struct sql *sql, size_t index, const char *const *keywords); /* NULL-terminated */
/* The index behind the parenthesis that closes the one at `open`. */
size_t sql_behind_group(const struct sql *sql, size_t open);
int sql_line(const struct sql *sql, size_t index);

#endif
