#include "api/reply_shape.h"

#include <string.h>

#include "statements.h"
#include "store/statement.h"

#define DEPTH_MAX   8
#define MEMBERS_MAX 64
#define STATUS_OK   200

/* The notation as far as it was read. */
struct reading {
	const char *at;
	const char *end;
	int depth;
	bool wrong;
};

/* Members of an object that are always there, gathered while its properties are written. */
struct required {
	struct text names[MEMBERS_MAX];
	size_t count;
};

static const struct {
	const char *name;
	const char *type; /* of JSON; NULL: any */
	const char *format;
} words[] = {
	{ "text", "string", NULL },   { "id", "string", "uuid" },  { "int", "integer", NULL },
	{ "number", "number", NULL }, { "flag", "boolean", NULL }, { "time", "string", "date-time" },
	{ "object", "object", NULL }, { "any", NULL, NULL },
};

/* As db columns come out: query_rows. */
static const char *const column_words[] = {
	[COLUMN_UUID] = "id",   [COLUMN_TEXT] = "text", [COLUMN_INT] = "int",  [COLUMN_REAL] = "number",
	[COLUMN_BOOL] = "flag", [COLUMN_TIME] = "time", [COLUMN_JSON] = "any",
};

unsigned reply_shape_status(const char *notation, struct text *type)
{
	const struct text all = text_of(notation);
	const char *blank = all.at == NULL ? NULL : memchr(all.at, ' ', all.length);
	int64_t status;

	*type = all;
	if (blank == NULL || text_to_int((struct text){ all.at, (size_t)(blank - all.at) }, &status) != OK)
		return STATUS_OK;
	*type = (struct text){ blank + 1, all.length - (size_t)(blank + 1 - all.at) };
	return (unsigned)status;
}

static void skip_blanks(struct reading *reading)
{
	while (reading->at < reading->end && (*reading->at == ' ' || *reading->at == '\n' || *reading->at == '\t'))
		reading->at++;
}

static bool take(struct reading *reading, const char *mark)
{
	const size_t length = strlen(mark);

	skip_blanks(reading);
	if ((size_t)(reading->end - reading->at) < length || memcmp(reading->at, mark, length) != 0)
		return false;
	reading->at += length;
	return true;
}

static void expect(struct reading *reading, const char *mark)
{
	if (!take(reading, mark))
		reading->wrong = true;
}

static struct text take_name(struct reading *reading)
{
	const char *from;

	skip_blanks(reading);
	from = reading->at;
	while (reading->at < reading->end &&
	       ((*reading->at >= 'a' && *reading->at <= 'z') || (*reading->at >= 'A' && *reading->at <= 'Z') ||
		(*reading->at >= '0' && *reading->at <= '9') || *reading->at == '_'))
		reading->at++;
	if (reading->at == from)
		reading->wrong = true;
	return (struct text){ from, (size_t)(reading->at - from) };
}

static void put_name(struct json_out *out, struct text name)
{
	json_put_text(out, name);
	buffer_string(out->to, ":");
	out->first = true;
}

/* false: there is no such word. */
static bool put_word(struct json_out *out, struct text name, bool nullable)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!text_equal(name, text_of(words[i].name)))
			continue;
		json_open_object(out);
		if (words[i].type != NULL) {
			json_key(out, "type");
			if (nullable)
				json_open_array(out);
			json_put_string(out, words[i].type);
			if (nullable) {
				json_put_string(out, "null");
				json_close_array(out);
			}
		}
		if (words[i].format != NULL) {
			json_key(out, "format");
			json_put_string(out, words[i].format);
		}
		json_close_object(out);
		return true;
	}
	return false;
}

static const struct statement *find_statement(struct text name)
{
	for (size_t i = 0; i < statement_count; i++)
		if (text_equal(name, text_of(statements[i].name)))
			return &statements[i];
	return NULL;
}

static bool has_column(const struct statement *statement, struct text name)
{
	for (size_t i = 0; i < statement->out_count; i++)
		if (text_equal(name, text_of(statement->out[i].name)))
			return true;
	return false;
}

/* Names behind a row: which of its columns may be null. Each must be one. */
static void take_nullable(struct reading *reading, const struct statement *statement, struct required *nullable)
{
	nullable->count = 0;
	if (!take(reading, "("))
		return;
	do {
		const struct text name = take_name(reading);

		expect(reading, "?");
		if (!has_column(statement, name) || nullable->count == MEMBERS_MAX)
			reading->wrong = true;
		else
			nullable->names[nullable->count++] = name;
	} while (!reading->wrong && take(reading, ","));
	expect(reading, ")");
}

static void note_required(struct reading *reading, struct required *required, struct text name)
{
	for (size_t i = 0; i < required->count; i++)
		if (text_equal(required->names[i], name))
			reading->wrong = true;
	if (required->count == MEMBERS_MAX)
		reading->wrong = true;
	else
		required->names[required->count++] = name;
}

/* How many of the first columns are not shown. */
static size_t take_hidden(struct reading *reading)
{
	int64_t count = 0;

	if (take(reading, ".") && (text_to_int(take_name(reading), &count) != OK || count < 0))
		reading->wrong = true;
	return (size_t)count;
}

/* The columns of a statement as properties of an object that is open. */
static void put_columns(struct reading *reading, struct text name, struct required *required, struct json_out *out)
{
	const struct statement *statement = find_statement(name);
	struct required nullable;
	size_t hidden;

	if (statement == NULL || statement->out_count == 0) {
		reading->wrong = true;
		return;
	}
	hidden = take_hidden(reading);
	if (hidden >= statement->out_count)
		reading->wrong = true;
	take_nullable(reading, statement, &nullable);
	for (size_t i = hidden; i < statement->out_count; i++) {
		const struct text column = text_of(statement->out[i].name);
		bool null = false;

		for (size_t j = 0; j < nullable.count; j++)
			null = null || text_equal(nullable.names[j], column);
		note_required(reading, required, column);
		put_name(out, column);
		if (!put_word(out, text_of(column_words[statement->out[i].type]), null))
			reading->wrong = true;
	}
}

static void put_type(struct reading *reading, struct json_out *out);

static void put_member(struct reading *reading, struct required *required, struct json_out *out)
{
	struct text name;
	bool optional;

	if (take(reading, "...")) {
		put_columns(reading, take_name(reading), required, out);
		return;
	}
	name = take_name(reading);
	optional = take(reading, "?");
	expect(reading, ":");
	if (!optional)
		note_required(reading, required, name);
	put_name(out, name);
	put_type(reading, out);
}

static void close_object(const struct required *required, struct json_out *out)
{
	json_close_object(out);
	if (required->count > 0) {
		json_key(out, "required");
		json_open_array(out);
		for (size_t i = 0; i < required->count; i++)
			json_put_text(out, required->names[i]);
		json_close_array(out);
	}
	json_close_object(out);
}

static void open_object(struct json_out *out)
{
	json_open_object(out);
	json_key(out, "type");
	json_put_string(out, "object");
	json_key(out, "properties");
	json_open_object(out);
}

static void put_object(struct reading *reading, struct json_out *out)
{
	struct required required = { .count = 0 };

	open_object(out);
	if (!take(reading, "}")) {
		do
			put_member(reading, &required, out);
		while (!reading->wrong && take(reading, ","));
		expect(reading, "}");
	}
	close_object(&required, out);
}

static void put_list(struct reading *reading, struct json_out *out)
{
	json_open_object(out);
	json_key(out, "type");
	json_put_string(out, "array");
	json_key(out, "items");
	put_type(reading, out);
	expect(reading, "]");
	json_close_object(out);
}

static void put_named(struct reading *reading, struct json_out *out)
{
	const struct text name = take_name(reading);
	const struct json_mark mark = json_mark(out);
	struct required required = { .count = 0 };

	if (text_equal(name, TEXT("true"))) {
		json_open_object(out);
		json_key(out, "const");
		json_put_bool(out, true);
		json_close_object(out);
		return;
	}
	if (put_word(out, name, false)) {
		if (take(reading, "?")) {
			json_return_to(out, mark);
			(void)put_word(out, name, true);
		}
		return;
	}
	open_object(out);
	put_columns(reading, name, &required, out);
	close_object(&required, out);
}

/* Whether the object, list or row that begins here is followed by a "?". */
static bool is_nullable(const struct reading *reading)
{
	const char *at = reading->at;
	int open = 0;

	if (at == reading->end || (*at != '{' && *at != '['))
		return false;
	for (; at < reading->end; at++) {
		open += *at == '{' || *at == '[' ? 1 : 0;
		open -= *at == '}' || *at == ']' ? 1 : 0;
		if (open == 0)
			return at + 1 < reading->end && at[1] == '?';
	}
	return false;
}

static void put_plain(struct reading *reading, struct json_out *out)
{
	if (take(reading, "{"))
		put_object(reading, out);
	else if (take(reading, "["))
		put_list(reading, out);
	else
		put_named(reading, out);
}

/* As deep as DEPTH_MAX. */
static void put_type(struct reading *reading, struct json_out *out)
{
	skip_blanks(reading);
	if (reading->wrong || reading->depth == DEPTH_MAX) {
		reading->wrong = true;
		return;
	}
	reading->depth++;
	if (is_nullable(reading)) {
		json_open_object(out);
		json_key(out, "anyOf");
		json_open_array(out);
		put_plain(reading, out);
		expect(reading, "?");
		json_open_object(out);
		json_key(out, "type");
		json_put_string(out, "null");
		json_close_object(out);
		json_close_array(out);
		json_close_object(out);
	} else {
		put_plain(reading, out);
	}
	reading->depth--;
}

bool reply_shape_write(struct text type, struct json_out *out)
{
	struct reading reading = { 0 };

	if (type.at == NULL)
		return false;
	reading.at = type.at;
	reading.end = type.at + type.length;
	put_type(&reading, out);
	skip_blanks(&reading);
	return !reading.wrong && reading.at == reading.end;
}
