#include "sql_scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_block {
	struct pool_block *next;
	max_align_t bytes[];
};

void *pool_take(struct pool *pool, size_t size)
{
	struct pool_block *block = NULL;

	if (size <= SIZE_MAX - sizeof(*block))
		block = calloc(1, sizeof(*block) + size);
	if (block == NULL) {
		fputs("statement_compiler: out of memory\n", stderr);
		exit(1);
	}
	block->next = pool->blocks;
	pool->blocks = block;
	return block->bytes;
}

void pool_fini(struct pool *pool)
{
	while (pool->blocks != NULL) {
		struct pool_block *block = pool->blocks;
		pool->blocks = block->next;
		free(block);
	}
}

char *pool_string(struct pool *pool, const char *at, size_t length)
{
	char *copy = pool_take(pool, length + 1);

	memcpy(copy, at, length);
	return copy;
}

char *pool_format(struct pool *pool, const char *format, ...)
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
	char *copy = pool_string(pool, text, (size_t)length);
	free(text);
	return copy;
}

void *pool_grow(struct pool *pool, void *list, size_t count, size_t size)
{
	/* Full exactly when the count is a power of two (or nothing). */
	if ((count & (count - 1)) != 0 && count != 0)
		return list;
	if (count > SIZE_MAX / 2 / size) {
		fputs("statement_compiler: out of memory\n", stderr);
		exit(1);
	}
	void *grown = pool_take(pool, (count == 0 ? 1 : count * 2) * size);
	if (count > 0)
		memcpy(grown, list, count * size);
	return grown;
}

void fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

struct source source_read(struct pool *pool, const char *file)
{
	struct source source = { .file = file, .at = "" };
	FILE *stream = fopen(file, "rb");
	char *text = NULL;
	size_t length = 0, capacity = 0;

	if (stream == NULL)
		fail(file, 1, "the file cannot be opened: %s", strerror(errno));
	for (;;) {
		if (capacity - length < 2) {
			capacity = capacity == 0 ? 16384 : capacity * 2;
			char *grown = pool_take(pool, capacity);
			if (length > 0)
				memcpy(grown, text, length);
			text = grown;
		}
		size_t got = fread(text + length, 1, capacity - length - 1, stream);
		if (got == 0)
			break;
		length += got;
	}
	bool broken = ferror(stream) != 0;
	fclose(stream);
	if (broken)
		fail(file, 1, "the file cannot be read");
	text[length] = '\0';
	source.at = text;
	source.length = length;
	return source;
}

/* The C library's own tests depend on the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_part(char c)
{
	return is_name_start(c) || is_digit(c);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* A comment that can only stand before a text: inside one, its semicolon was forgotten. */
static bool is_annotation(const char *comment)
{
	static const char *const words[] = { "name:", "in:", "out:", "sqlite:", "postgres:" };

	comment += 2;
	while (*comment == ' ')
		comment++;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(comment, words[i], strlen(words[i])) == 0)
			return true;
	}
	return false;
}

/* Steps over white space and comments; true if there was any. */
static bool skip_blanks(const struct source *source, struct position *position, struct sql *sql)
{
	size_t start = position->offset;

	for (;;) {
		const char *at = source->at + position->offset;
		if (is_blank(*at)) {
			position->line += *at == '\n';
			position->offset++;
		} else if (at[0] == '-' && at[1] == '-') {
			sql->marked = sql->marked || is_annotation(at);
			position->offset += strcspn(at, "\n");
		} else if (at[0] == '/' && at[1] == '*') {
			const char *end = strstr(at + 2, "*/");
			if (end == NULL)
				fail(source->file, position->line, "a comment is not closed");
			for (const char *c = at + 2; c < end; c++) {
				/* PostgreSQL nests comments, SQLite does not. */
				if (c[0] == '/' && c[1] == '*')
					fail(source->file, position->line, "a comment holds another comment");
				position->line += *c == '\n';
			}
			position->offset += (size_t)(end + 2 - at);
		} else {
			return position->offset > start;
		}
	}
}

/* The length of a quoted thing with its quotes; a doubled quote stands for itself. */
static size_t quoted_length(const struct source *source, const struct position *position, const char *at)
{
	char quote = *at;
	size_t length = 1;

	for (;;) {
		if (at[length] == '\0')
			fail(source->file, position->line, "a quoted text is not closed");
		if (at[length] == quote && at[length + 1] == quote) {
			length += 2;
		} else if (at[length++] == quote) {
			return length;
		}
	}
}

static const char *unquoted(struct pool *pool, const char *at, size_t length)
{
	char *name = pool_take(pool, length);
	size_t count = 0;

	for (size_t i = 1; i + 1 < length; i++) {
		name[count++] = lower(at[i]);
		i += at[i] == '"';
	}
	return name;
}

static void scan_word(struct pool *pool, const struct source *source, struct position *position, struct token *token)
{
	const char *at = token->at;

	while (is_name_part(at[token->length]))
		token->length++;
	if (at[token->length] == '\'') {
		/* E'..', U&'..' and their like have escapes that one engine alone knows. */
		if (token->length != 1 || lower(at[0]) != 'x')
			fail(source->file, position->line,
			     "only plain strings and x'blobs' are read alike by both engines");
		token->kind = TOKEN_STRING;
		token->length += quoted_length(source, position, at + 1);
		return;
	}
	token->kind = TOKEN_WORD;
	char *name = pool_string(pool, at, token->length);
	for (char *c = name; *c != '\0'; c++)
		*c = lower(*c);
	token->name = name;
}

/* The body of a function, $$ … $$, with its quotes. */
static size_t dollar_length(const struct source *source, const struct position *position, const char *at)
{
	const char *end = at[1] == '$' ? strstr(at + 2, "$$") : NULL;

	if (end == NULL)
		fail(source->file, position->line, "a body stands between $$ and $$");
	return (size_t)(end + 2 - at);
}

static void scan_sign(struct pool *pool, const struct source *source, struct position *position, struct token *token,
		      enum dialect dialect)
{
	const char *at = token->at;

	token->kind = TOKEN_SIGN;
	token->length = 1;
	if (at[0] == ':' && at[1] == ':') {
		token->length = 2;
	} else if (at[0] == ':' && is_name_start(at[1])) {
		while (is_name_part(at[token->length]))
			token->length++;
		token->kind = TOKEN_PARAMETER;
		token->name = pool_string(pool, at + 1, token->length - 1);
	} else if (at[0] == '$' && dialect == DIALECT_POSTGRES_SCRIPT) {
		token->kind = TOKEN_STRING;
		token->length = dollar_length(source, position, at);
	} else if (at[0] == '?' || at[0] == '$' || (at[0] == '@' && is_name_part(at[1]))) {
		fail(source->file, position->line, "'%c' is refused here: parameters are written :name", at[0]);
	} else if (at[0] == '`' || at[0] == '\\' || (at[0] == '[' && dialect == DIALECT_COMMON)) {
		fail(source->file, position->line, "'%c' is refused here: names are quoted with \"", at[0]);
	} else if ((unsigned char)at[0] < ' ' || at[0] == 0x7f) {
		fail(source->file, position->line, "a control character is refused here");
	}
}

static void scan_token(struct pool *pool, const struct source *source, struct position *position, struct token *token,
		       enum dialect dialect)
{
	const char *at = source->at + position->offset;

	token->at = at;
	token->line = position->line;
	if (is_name_start(*at)) {
		scan_word(pool, source, position, token);
	} else if (*at == '"') {
		token->kind = TOKEN_QUOTED;
		token->length = quoted_length(source, position, at);
		token->name = unquoted(pool, at, token->length);
	} else if (*at == '\'') {
		token->kind = TOKEN_STRING;
		token->length = quoted_length(source, position, at);
	} else if (is_digit(*at)) {
		token->kind = TOKEN_NUMBER;
		while (is_name_part(at[token->length]) || at[token->length] == '.')
			token->length++;
	} else {
		scan_sign(pool, source, position, token, dialect);
	}
	for (size_t i = 0; i < token->length; i++)
		position->line += at[i] == '\n';
	position->offset += token->length;
}

struct sql sql_scan(struct pool *pool, const struct source *source, struct position *position, enum dialect dialect)
{
	struct sql sql = { .file = source->file, .last_line = position->line };

	for (;;) {
		struct token token = { .blank_before = skip_blanks(source, position, &sql) };
		char next = source->at[position->offset];
		sql.last_line = position->line;
		if (next == '\0')
			return sql;
		if (next == ';') {
			position->offset++;
			sql.ended = true;
			return sql;
		}
		scan_token(pool, source, position, &token, dialect);
		sql.tokens = pool_grow(pool, sql.tokens, sql.count, sizeof(*sql.tokens));
		sql.tokens[sql.count++] = token;
	}
}

const struct token *sql_at(const struct sql *sql, size_t index)
{
	static const struct token end = { .kind = TOKEN_END, .at = "", .name = "" };

	/* An index below the first wraps round and is behind the last. */
	return index < sql->count ? &sql->tokens[index] : &end;
}

bool sql_word(const struct sql *sql, size_t index, const char *keyword)
{
	const struct token *token = sql_at(sql, index);

	return token->kind == TOKEN_WORD && strcmp(token->name, keyword) == 0;
}

bool sql_sign(const struct sql *sql, size_t index, char sign)
{
	const struct token *token = sql_at(sql, index);

	return token->kind == TOKEN_SIGN && token->length == 1 && token->at[0] == sign;
}

bool sql_name(const struct sql *sql, size_t index)
{
	enum token_kind kind = sql_at(sql, index)->kind;

	return kind == TOKEN_WORD || kind == TOKEN_QUOTED;
}

bool sql_any(const struct sql *sql, size_t index, const char *const *keywords)
{
	for (; *keywords != NULL; keywords++) {
		if (sql_word(sql, index, *keywords))
			return true;
	}
	return false;
}

size_t sql_behind_group(const struct sql *sql, size_t open)
{
	size_t depth = 0;

	for (size_t i = open; i < sql->count; i++) {
		if (sql_sign(sql, i, '('))
			depth++;
		else if (sql_sign(sql, i, ')') && --depth == 0)
			return i + 1;
	}
	fail(sql->file, sql_line(sql, open), "a parenthesis is not closed");
}

int sql_line(const struct sql *sql, size_t index)
{
	return index < sql->count ? sql->tokens[index].line : sql->last_line;
}
