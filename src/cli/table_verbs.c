/* The binary's own tables as JSON, for programs: what is made from them (the isolation suite) knows a new route or
 * statement without anybody writing it down twice. */
#include <stdlib.h>

#include "api/route.h"
#include "base/json_out.h"
#include "cli/verb.h"
#include "store/statement.h"

#define TABLE_MAX ((size_t)4 * 1024 * 1024) /* bytes */

static const char *const credentials[] = {
	[PUBLIC] = "public", [KEY] = "key",         [SESSION] = "session",
	[GUEST] = "guest",   [CONTROL] = "control", [TENANT] = "tenant",
};
static const char *const threads[] = { [HERE] = "here", [READS] = "reads", [WRITES] = "writes", [SLOWLY] = "slowly" };
static const char *const answers[] = {
	[OBJECT] = "object", [ARRAY] = "array", [PLAIN_TEXT] = "text", [DOCUMENT] = "document", [REDIRECT] = "redirect",
};
static const char *const kinds[] = {
	[JSON_TEXT] = "text", [JSON_EMAIL] = "email",   [JSON_CHOICE] = "choice",
	[JSON_INT] = "int",   [JSON_NUMBER] = "number", [JSON_FLAG] = "flag",
	[JSON_TIME] = "time", [JSON_OBJECT] = "object", [JSON_LIST] = "list",
};
static const char *const types[] = {
	[COLUMN_UUID] = "uuid", [COLUMN_TEXT] = "text", [COLUMN_INT] = "int",   [COLUMN_REAL] = "real",
	[COLUMN_BOOL] = "bool", [COLUMN_TIME] = "time", [COLUMN_JSON] = "json",
};

static void put_string(struct json_out *out, const char *name, const char *value)
{
	json_key(out, name);
	json_put_string(out, value);
}

static void put_bool(struct json_out *out, const char *name, bool value)
{
	json_key(out, name);
	json_put_bool(out, value);
}

static void put_shape(struct json_out *out, const struct json_shape *shape);

static void put_field(struct json_out *out, const struct json_field *field)
{
	json_open_object(out);
	put_string(out, "name", field->name);
	put_string(out, "alias", field->alias);
	put_string(out, "kind", kinds[field->kind]);
	put_bool(out, "required", field->required);
	json_key(out, "min");
	json_put_int(out, field->min);
	json_key(out, "max");
	json_put_int(out, field->max);
	json_key(out, "choices");
	json_open_array(out);
	for (const char *const *choice = field->choices; choice != NULL && *choice != NULL; choice++)
		json_put_string(out, *choice);
	json_close_array(out);
	json_key(out, "items");
	put_shape(out, field->items);
	json_close_object(out);
}

/* null: there is none. */
static void put_shape(struct json_out *out, const struct json_shape *shape)
{
	if (shape == NULL) {
		json_put_null(out);
		return;
	}
	json_open_array(out);
	for (size_t i = 0; i < shape->count; i++)
		put_field(out, &shape->fields[i]);
	json_close_array(out);
}

static void put_parameters(struct json_out *out, const char *path)
{
	json_open_array(out);
	for (const char *at = path; *at != '\0'; at++) {
		const struct text rest = text_of(at + 1);
		size_t length = 0;

		if (*at != '{')
			continue;
		while (length < rest.length && rest.at[length] != '}')
			length++;
		json_put_text(out, (struct text){ rest.at, length });
	}
	json_close_array(out);
}

static void put_route(struct json_out *out, const struct route *route)
{
	json_open_object(out);
	put_string(out, "method", route->method);
	put_string(out, "path", route->path);
	json_key(out, "parameters");
	put_parameters(out, route->path);
	put_string(out, "credential", credentials[route->credential]);
	put_string(out, "least", route->credential == SESSION ? role_names[route->least] : NULL);
	put_string(out, "runs", threads[route->runs]);
	put_bool(out, "computes", route->prepare != NULL && !route->errand);
	put_string(out, "answer", answers[route->answer]);
	put_bool(out, "streams", route->reply != NULL && text_equal(text_of(route->reply), TEXT("text/event-stream")));
	put_bool(out, "cors", route->cors);
	put_bool(out, "parts", route->parts);
	put_string(out, "batch", route->batch);
	put_string(out, "audit", route->audit);
	json_key(out, "query");
	put_shape(out, route->query);
	json_key(out, "body");
	put_shape(out, route->body);
	put_bool(out, "reads_body", route->body != NULL || route->read != NULL);
	put_string(out, "reply", route->reply);
	put_string(out, "about", route->about);
	json_close_object(out);
}

static void put_columns(struct json_out *out, const char *name, const struct column *columns, size_t count)
{
	json_key(out, name);
	json_open_array(out);
	for (size_t i = 0; i < count; i++) {
		json_open_object(out);
		put_string(out, "name", columns[i].name);
		put_string(out, "type", types[columns[i].type]);
		json_close_object(out);
	}
	json_close_array(out);
}

static void put_statement(struct json_out *out, const struct statement *statement)
{
	json_open_object(out);
	put_string(out, "name", statement->name);
	put_string(out, "kind", statement->kind == STATEMENT_TENANT ? "tenant" : "system");
	put_bool(out, "many", statement->many);
	put_columns(out, "in", statement->in, statement->in_count);
	put_columns(out, "out", statement->out, statement->out_count);
	put_string(out, "writes", statement->write_target);
	json_key(out, "engines");
	json_open_array(out);
	if (statement->sqlite != NULL)
		json_put_string(out, "sqlite");
	if (statement->postgres != NULL)
		json_put_string(out, "postgres");
	json_close_array(out);
	json_close_object(out);
}

static void put_routes(struct json_out *out)
{
	for (size_t i = 0; i < route_count; i++)
		put_route(out, &routes[i]);
}

static void put_statements(struct json_out *out)
{
	for (size_t i = 0; i < statement_count; i++)
		put_statement(out, &statements[i]);
}

static int print_json(void (*put_rows)(struct json_out *out))
{
	struct json_out out;
	struct buffer buffer;
	bool printed;

	buffer_init(&buffer, TABLE_MAX);
	json_out_init(&out, &buffer);
	json_open_array(&out);
	put_rows(&out);
	json_close_array(&out);
	printed =
	    !buffer.failed && fwrite(buffer.at, 1, buffer.length, stdout) == buffer.length && putchar('\n') != EOF;
	buffer_fini(&buffer);
	return printed ? EXIT_SUCCESS : verb_failed(&(struct fault){ 0 });
}

int routes_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
	       struct arena *arena)
{
	(void)verb, (void)settings, (void)arena;
	if (arguments->values[0].at != NULL)
		return print_json(put_routes);
	for (size_t i = 0; i < route_count; i++)
		printf("%-7s %-36s %-8s %s\n", routes[i].method, routes[i].path, credentials[routes[i].credential],
		       routes[i].about);
	return EXIT_SUCCESS;
}

int statements_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
		   struct arena *arena)
{
	(void)verb, (void)settings, (void)arena;
	if (arguments->values[0].at != NULL)
		return print_json(put_statements);
	for (size_t i = 0; i < statement_count; i++)
		printf("%-40s %-7s %s\n", statements[i].name,
		       statements[i].kind == STATEMENT_TENANT ? "tenant" : "system",
		       statements[i].write_target == NULL ? "" : statements[i].write_target);
	return EXIT_SUCCESS;
}
