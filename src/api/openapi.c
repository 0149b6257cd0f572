#include "api/openapi.h"

#include <stdio.h>
#include <string.h>

#include "api/list.h"
#include "api/reply_shape.h"
#include "base/version.h"

#define DOCUMENT_MAX ((size_t)4 * 1024 * 1024)
#define TEXT_BYTES   200 /* of a text whose field states no maximum, as in json_in.c */
#define EMAIL_BYTES  254

/* One document on its way. */
struct writing {
	struct json_out out;
	const struct route *wrong; /* whose `.reply` is missing or wrong */
};

static void put_member(struct json_out *out, const char *name, const char *value)
{
	json_key(out, name);
	json_put_string(out, value);
}

static void put_number(struct json_out *out, const char *name, int64_t value)
{
	json_key(out, name);
	json_put_int(out, value);
}

static const struct {
	const char *type;
	const char *format;
} kinds[] = {
	[JSON_TEXT] = { "string", NULL },        [JSON_EMAIL] = { "string", "email" },
	[JSON_CHOICE] = { "string", NULL },      [JSON_INT] = { "integer", NULL },
	[JSON_NUMBER] = { "number", NULL },      [JSON_FLAG] = { "boolean", NULL },
	[JSON_TIME] = { "string", "date-time" }, [JSON_OBJECT] = { "object", NULL },
	[JSON_LIST] = { "array", NULL },
};

/* Bytes are what counts; no text has more characters than that. */
static void put_bounds(struct json_out *out, const struct json_field *field)
{
	switch (field->kind) {
	case JSON_TEXT:
		if (field->min > 0 || field->required)
			put_number(out, "minLength", 1);
		put_number(out, "maxLength", field->max != 0 ? field->max : TEXT_BYTES);
		break;
	case JSON_EMAIL:
		put_number(out, "maxLength", EMAIL_BYTES);
		break;
	case JSON_INT:
		put_number(out, "minimum", field->min);
		if (field->max != 0)
			put_number(out, "maximum", field->max);
		break;
	case JSON_LIST:
		if (field->min > 0)
			put_number(out, "minItems", field->min);
		if (field->max != 0)
			put_number(out, "maxItems", field->max);
		break;
	case JSON_CHOICE:
	case JSON_NUMBER:
	case JSON_FLAG:
	case JSON_TIME:
	case JSON_OBJECT:
		break;
	}
}

static void put_shape(struct json_out *out, const struct json_shape *shape, const char *batch);

/* null counts as not given, so it may stand for what is not required. */
static void put_type(struct json_out *out, const struct json_field *field, bool nullable)
{
	json_key(out, "type");
	if (nullable)
		json_open_array(out);
	json_put_string(out, kinds[field->kind].type);
	if (nullable) {
		json_put_string(out, "null");
		json_close_array(out);
	}
}

static void put_choices(struct json_out *out, const struct json_field *field, bool nullable)
{
	json_key(out, "enum");
	json_open_array(out);
	for (const char *const *choice = field->choices; *choice != NULL; choice++)
		json_put_string(out, *choice);
	if (nullable)
		json_put_null(out);
	json_close_array(out);
}

static void put_field(struct json_out *out, const struct json_field *field, bool nullable)
{
	json_open_object(out);
	put_type(out, field, nullable);
	if (kinds[field->kind].format != NULL)
		put_member(out, "format", kinds[field->kind].format);
	put_bounds(out, field);
	if (field->kind == JSON_CHOICE)
		put_choices(out, field, nullable);
	if (field->fallback != NULL)
		put_member(out, "default", field->fallback);
	if (field->kind == JSON_LIST) {
		json_key(out, "items");
		put_shape(out, field->items, NULL);
	}
	if (field->about != NULL)
		put_member(out, "description", field->about);
	json_close_object(out);
}

static void put_alias(struct json_out *out, const struct json_field *field)
{
	char words[160];

	json_key(out, field->alias);
	json_open_object(out);
	put_type(out, field, true);
	json_key(out, "deprecated");
	json_put_bool(out, true);
	snprintf(words, sizeof words, "An older name of %s.", field->name);
	put_member(out, "description", words);
	json_close_object(out);
}

/* What must be there; a field with an older name may come by that. */
static void put_required(struct json_out *out, const struct json_shape *shape, const char *batch)
{
	bool any = batch != NULL;

	for (size_t i = 0; i < shape->count; i++)
		any = any || (shape->fields[i].required && shape->fields[i].alias == NULL);
	if (!any)
		return;
	json_key(out, "required");
	json_open_array(out);
	if (batch != NULL)
		json_put_string(out, "type");
	for (size_t i = 0; i < shape->count; i++)
		if (shape->fields[i].required && shape->fields[i].alias == NULL)
			json_put_string(out, shape->fields[i].name);
	json_close_array(out);
}

/* `batch`: the `type` of an item of /api/batch, or NULL. */
static void put_shape(struct json_out *out, const struct json_shape *shape, const char *batch)
{
	json_open_object(out);
	put_member(out, "type", "object");
	json_key(out, "properties");
	json_open_object(out);
	if (batch != NULL) {
		json_key(out, "type");
		json_open_object(out);
		put_member(out, "const", batch);
		json_close_object(out);
	}
	for (size_t i = 0; i < shape->count; i++) {
		json_key(out, shape->fields[i].name);
		put_field(out, &shape->fields[i], !shape->fields[i].required);
		if (shape->fields[i].alias != NULL)
			put_alias(out, &shape->fields[i]);
	}
	json_close_object(out);
	put_required(out, shape, batch);
	json_close_object(out);
}

static void open_content(struct json_out *out, const char *type)
{
	json_key(out, "content");
	json_open_object(out);
	json_key(out, type);
	json_open_object(out);
	json_key(out, "schema");
}

static void close_content(struct json_out *out)
{
	json_close_object(out);
	json_close_object(out);
}

/* What /api/batch takes: items of every route that may stand in one. */
static void put_batch(struct json_out *out)
{
	json_open_object(out);
	put_member(out, "type", "array");
	put_member(out, "description", "Or the same objects one a line, as application/x-ndjson.");
	json_key(out, "items");
	json_open_object(out);
	json_key(out, "oneOf");
	json_open_array(out);
	for (size_t i = 0; i < route_count; i++)
		if (routes[i].batch != NULL)
			put_shape(out, routes[i].body, routes[i].batch);
	json_close_array(out);
	json_close_object(out);
	json_close_object(out);
}

static void put_body(struct json_out *out, const struct route *route)
{
	bool required = route->read != NULL;

	if (route->body == NULL && route->read == NULL)
		return;
	for (size_t i = 0; route->body != NULL && i < route->body->count; i++)
		required = required || route->body->fields[i].required;
	json_key(out, "requestBody");
	json_open_object(out);
	json_key(out, "required");
	json_put_bool(out, required);
	open_content(out, "application/json");
	if (route->body != NULL)
		put_shape(out, route->body, NULL);
	else
		put_batch(out);
	close_content(out);
	json_close_object(out);
}

static void open_parameter(struct json_out *out, struct text name, const char *in, bool required)
{
	json_open_object(out);
	json_key(out, "name");
	json_put_text(out, name);
	put_member(out, "in", in);
	json_key(out, "required");
	json_put_bool(out, required);
}

static void put_path_parameters(struct json_out *out, const struct route *route)
{
	for (const char *at = strchr(route->path, '{'); at != NULL; at = strchr(at, '{')) {
		const char *end = strchr(at, '}');

		open_parameter(out, (struct text){ at + 1, (size_t)(end - at - 1) }, "path", true);
		json_key(out, "schema");
		json_open_object(out);
		put_member(out, "type", "string");
		json_close_object(out);
		json_close_object(out);
		at = end;
	}
}

static void put_parameters(struct json_out *out, const struct route *route)
{
	if (route->query == NULL && strchr(route->path, '{') == NULL)
		return;
	json_key(out, "parameters");
	json_open_array(out);
	put_path_parameters(out, route);
	for (size_t i = 0; route->query != NULL && i < route->query->count; i++) {
		const struct json_field *field = &route->query->fields[i];

		open_parameter(out, text_of(field->name), "query", field->required);
		if (field->about != NULL)
			put_member(out, "description", field->about);
		json_key(out, "schema");
		put_field(out, field, false);
		json_close_object(out);
	}
	json_close_array(out);
}

static void put_scheme(struct json_out *out, const char *name)
{
	json_open_object(out);
	if (name != NULL) {
		json_key(out, name);
		json_open_array(out);
		json_close_array(out);
	}
	json_close_object(out);
}

/* One of these is enough; the empty one is nobody's. */
static void put_security(struct json_out *out, const struct route *route)
{
	json_key(out, "security");
	json_open_array(out);
	switch (route->credential) {
	case KEY:
		put_scheme(out, "key");
		put_scheme(out, "bearer");
		break;
	case SESSION:
		put_scheme(out, "session");
		break;
	case GUEST:
		put_scheme(out, NULL);
		put_scheme(out, "session");
		break;
	case PUBLIC:
	case CONTROL:
	case TENANT:
		break;
	}
	json_close_array(out);
}

static void put_reference(struct json_out *out, const char *status, const char *to)
{
	json_key(out, status);
	json_open_object(out);
	put_member(out, "$ref", to);
	json_close_object(out);
}

static void put_success(struct writing *writing, const struct route *route, struct text type)
{
	const struct json_mark mark = json_mark(&writing->out);

	if (reply_shape_write(type, &writing->out))
		return;
	json_return_to(&writing->out, mark);
	json_open_object(&writing->out);
	json_close_object(&writing->out);
	if (writing->wrong == NULL)
		writing->wrong = route;
}

static void put_string_header(struct json_out *out, const char *name, const char *about)
{
	json_key(out, "headers");
	json_open_object(out);
	json_key(out, name);
	json_open_object(out);
	if (about != NULL)
		put_member(out, "description", about);
	json_key(out, "schema");
	json_open_object(out);
	put_member(out, "type", "string");
	json_close_object(out);
	json_close_object(out);
	json_close_object(out);
}

/* Those whose query has list.h's `format`. */
static bool is_list(const struct route *route)
{
	for (size_t i = 0; route->query != NULL && i < route->query->count; i++)
		if (route->query->fields[i].choices == list_formats)
			return true;
	return false;
}

/* Beside the type that is open. */
static void put_csv(struct json_out *out)
{
	json_close_object(out);
	json_key(out, "text/csv");
	json_open_object(out);
	json_key(out, "schema");
	json_open_object(out);
	put_member(out, "type", "string");
	json_close_object(out);
}

static void put_reply(struct writing *writing, const struct route *route)
{
	struct json_out *out = &writing->out;
	struct text type = { 0 };
	char status[16];

	snprintf(status, sizeof status, "%u",
		 route->answer == REDIRECT ? 302 : reply_shape_status(route->reply, &type));
	json_key(out, status);
	json_open_object(out);
	put_member(out, "description", route->answer == REDIRECT ? "Where to go on." : "Done.");
	if (is_list(route))
		put_string_header(
		    out, "Link",
		    "Of JSON, when there are more rows, or may be, also when the page has fewer than its limit "
		    "or none: <address>; rel=\"next\". Follow it until there is none.");
	if (route->answer == REDIRECT) {
		put_string_header(out, "Location", NULL);
	} else if (route->answer == PLAIN_TEXT) {
		open_content(out, route->reply != NULL ? route->reply : "text/plain");
		json_open_object(out);
		put_member(out, "type", "string");
		json_close_object(out);
		close_content(out);
	} else {
		open_content(out, "application/json");
		put_success(writing, route, type);
		if (is_list(route))
			put_csv(out);
		close_content(out);
	}
	json_close_object(out);
}

/* "get_api_users_id" of GET /api/users/{id} */
static void put_name(struct json_out *out, const struct route *route)
{
	char name[160];
	int length = snprintf(name, sizeof name, "%s%s", route->method, route->path);

	for (int i = 0; i < length && i < (int)sizeof name; i++) {
		const char byte = name[i];

		if (byte >= 'A' && byte <= 'Z')
			name[i] = (char)(byte + 'a' - 'A');
		else if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '\0'))
			name[i] = '_';
	}
	put_member(out, "operationId", name);
}

static void put_operation(struct writing *writing, const struct route *route)
{
	struct json_out *out = &writing->out;
	char words[80];

	json_open_object(out);
	put_name(out, route);
	put_member(out, "summary", route->about);
	if (route->credential == SESSION && route->least > MEMBER) {
		snprintf(words, sizeof words, "Takes the role %s.", role_names[route->least]);
		put_member(out, "description", words);
	}
	put_security(out, route);
	put_parameters(out, route);
	put_body(out, route);
	json_key(out, "responses");
	json_open_object(out);
	put_reply(writing, route);
	put_reference(out, "4XX", "#/components/responses/Refused");
	put_reference(out, "5XX", "#/components/responses/Failed");
	json_close_object(out);
	json_close_object(out);
}

static bool is_told(const struct route *route)
{
	return route->credential != CONTROL && route->credential != TENANT;
}

/* Rows of one path need not stand together in the table; in the document they do. */
static void put_paths(struct writing *writing)
{
	struct json_out *out = &writing->out;

	json_key(out, "paths");
	json_open_object(out);
	for (size_t i = 0; i < route_count; i++) {
		bool seen = !is_told(&routes[i]);

		for (size_t j = 0; !seen && j < i; j++)
			seen = strcmp(routes[i].path, routes[j].path) == 0;
		if (seen)
			continue;
		json_key(out, routes[i].path);
		json_open_object(out);
		for (size_t j = i; j < route_count; j++) {
			char method[16] = { 0 };

			if (!is_told(&routes[j]) || strcmp(routes[i].path, routes[j].path) != 0)
				continue;
			for (size_t k = 0; k < sizeof method - 1 && routes[j].method[k] != '\0'; k++)
				method[k] = (char)(routes[j].method[k] + 'a' - 'A');
			json_key(out, method);
			put_operation(writing, &routes[j]);
		}
		json_close_object(out);
	}
	json_close_object(out);
}

static void put_error_response(struct json_out *out, const char *name, const char *words)
{
	json_key(out, name);
	json_open_object(out);
	put_member(out, "description", words);
	open_content(out, "application/json");
	json_open_object(out);
	put_member(out, "$ref", "#/components/schemas/Error");
	json_close_object(out);
	close_content(out);
	json_close_object(out);
}

static void put_security_scheme(struct json_out *out, const char *name, const char *type, const char *in,
				const char *what, const char *words)
{
	json_key(out, name);
	json_open_object(out);
	put_member(out, "type", type);
	if (in != NULL) {
		put_member(out, "in", in);
		put_member(out, "name", what);
	} else {
		put_member(out, "scheme", what);
	}
	put_member(out, "description", words);
	json_close_object(out);
}

static void put_components(struct writing *writing)
{
	struct json_out *out = &writing->out;

	json_key(out, "components");
	json_open_object(out);
	json_key(out, "schemas");
	json_open_object(out);
	json_key(out, "Error");
	if (!reply_shape_write(TEXT("{error: text, code: text, field?: text}"), out))
		out->to->failed = true;
	json_close_object(out);
	json_key(out, "responses");
	json_open_object(out);
	put_error_response(out, "Refused", "The request is at fault; `code` says how, for programs.");
	put_error_response(out, "Failed", "The server is at fault, or busy (503, with Retry-After).");
	json_close_object(out);
	json_key(out, "securitySchemes");
	json_open_object(out);
	put_security_scheme(out, "key", "apiKey", "header", "x-api-key", "An organization's API key.");
	put_security_scheme(out, "bearer", "http", NULL, "bearer", "The same key as a bearer token.");
	put_security_scheme(out, "session", "apiKey", "cookie", "innkeeper_session",
			    "A member who is signed in. What changes something needs Content-Type: application/json.");
	json_close_object(out);
	json_close_object(out);
}

enum err openapi_make(struct text *out, const struct route **wrong)
{
	struct writing writing = { .wrong = NULL };
	struct buffer buffer;

	*out = (struct text){ 0 };
	buffer_init(&buffer, DOCUMENT_MAX);
	json_out_init(&writing.out, &buffer);
	json_open_object(&writing.out);
	put_member(&writing.out, "openapi", "3.1.0");
	json_key(&writing.out, "info");
	json_open_object(&writing.out);
	put_member(&writing.out, "title", "Innkeeper");
	put_member(&writing.out, "version", INNKEEPER_VERSION);
	put_member(&writing.out, "description", "The CRM behind AI chat concierges.");
	json_close_object(&writing.out);
	put_paths(&writing);
	put_components(&writing);
	json_close_object(&writing.out);
	*wrong = writing.wrong;
	out->at = buffer_detach(&buffer, &out->length);
	buffer_fini(&buffer);
	return out->at == NULL ? ERR_MEMORY : OK;
}

enum err openapi_show(struct call *call)
{
	json_put_raw(call->out, call->house->openapi);
	return OK;
}
