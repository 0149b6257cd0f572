#include "base/json_in.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_out.h"
#include "base/json_tree.h"

#define TEXT_BYTES   200   /* of a text whose field states no maximum */
#define OBJECT_BYTES 65536 /* of an object whose field states none */
#define NOTHING      ((struct json_tree_view){ .kind = JSON_TREE_NULL })

static_assert(JSON_DEPTH == JSON_TREE_DEPTH, "the depth that is promised is the one that is checked");

/* One object on its way into a handler's struct. */
struct filling {
	struct arena *arena;
	struct fault *fault;
	const struct filling *outer; /* of a list's element: where the list stands */
	const char *list;            /* its name there */
	size_t index;
};

void json_in_init(void)
{
	json_tree_init();
}

enum err json_parse(struct text body, struct arena *arena, const struct json_value **out, struct fault *fault)
{
	return json_tree_parse(body, arena, out, fault);
}

bool json_is_object(const struct json_value *value)
{
	return json_tree_look(value).kind == JSON_TREE_OBJECT;
}

bool json_is_array(const struct json_value *value)
{
	return json_tree_look(value).kind == JSON_TREE_ARRAY;
}

size_t json_count(const struct json_value *array)
{
	return json_tree_count(array);
}

const struct json_value *json_at(const struct json_value *array, size_t index)
{
	return json_tree_at(array, index);
}

const struct json_value *json_member(const struct json_value *object, const char *name)
{
	return json_tree_member(object, text_of(name));
}

struct text json_member_text(const struct json_value *object, const char *name)
{
	return json_text(json_member(object, name));
}

struct text json_text(const struct json_value *value)
{
	return json_tree_look(value).text;
}

bool json_is_true(const struct json_value *value)
{
	return json_tree_look(value).flag;
}

static enum err out_of_memory(struct fault *fault)
{
	return fault_set(fault, ERR_TOO_LARGE, NULL, NULL, "The request needs more memory than it may use.");
}

/* `articles[3].slug`; of an element itself, with an empty name, `articles[3]`. NULL when the arena has no room. */
static const char *full_name(const struct filling *filling, const char *name)
{
	if (!filling->outer)
		return name;
	const char *list = full_name(filling->outer, filling->list);
	if (!list)
		return NULL;
	size_t size = strlen(list) + strlen(name) + sizeof "[18446744073709551615].";
	char *whole = arena_take(filling->arena, size);
	if (whole)
		(void)snprintf(whole, size, "%s[%zu]%s%s", list, filling->index, name[0] ? "." : "", name);
	return whole;
}

/* `format` goes on behind the field's name: "is required.". */
__attribute__((format(printf, 4, 5))) static enum err refuse(const struct filling *filling, const char *name,
							     const char *code, const char *format, ...)
{
	char reason[160];
	va_list arguments;
	const char *whole = full_name(filling, name);

	if (!whole)
		return out_of_memory(filling->fault);
	va_start(arguments, format);
	(void)vsnprintf(reason, sizeof reason, format, arguments);
	va_end(arguments);
	return fault_set(filling->fault, ERR_INVALID, code, whole, "The field %s %s", whole, reason);
}

__attribute__((format(printf, 3, 4))) static enum err invalid(const struct filling *filling,
							      const struct json_field *field, const char *format, ...)
{
	char reason[160];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(reason, sizeof reason, format, arguments);
	va_end(arguments);
	return refuse(filling, field->name, "invalid_field", "%s", reason);
}

static enum err fill_text(const struct filling *filling, const struct json_field *field,
			  const struct json_tree_view *given, void *member)
{
	int64_t most = field->max ? field->max : TEXT_BYTES;

	if (given->kind != JSON_TREE_TEXT)
		return invalid(filling, field, "must be a text.");
	if ((int64_t)given->text.length < field->min)
		return invalid(filling, field, "is shorter than %lld bytes.", (long long)field->min);
	if ((int64_t)given->text.length > most)
		return invalid(filling, field, "is longer than %lld bytes.", (long long)most);
	*(struct text *)member = given->text;
	return OK;
}

static enum err fill_email(const struct filling *filling, const struct json_field *field,
			   const struct json_tree_view *given, void *member)
{
	if (given->kind != JSON_TREE_TEXT)
		return invalid(filling, field, "must be a text.");
	enum err err = text_email(filling->arena, given->text, member);
	if (err == ERR_MEMORY)
		return out_of_memory(filling->fault);
	return err ? invalid(filling, field, "is not an e-mail address.") : OK;
}

static enum err fill_choice(const struct filling *filling, const struct json_field *field,
			    const struct json_tree_view *given, void *member)
{
	char names[120] = "";
	size_t length = 0;

	for (const char *const *choice = field->choices; *choice; choice++) {
		if (given->kind == JSON_TREE_TEXT && text_equal(given->text, text_of(*choice))) {
			*(struct text *)member = given->text;
			return OK;
		}
		int added = snprintf(names + length, sizeof names - length, "%s%s", length ? ", " : "", *choice);
		if (added > 0 && (size_t)added < sizeof names - length)
			length += (size_t)added;
		else
			names[length] = '\0';
	}
	return invalid(filling, field, "must be one of: %s.", names);
}

static enum err fill_int(const struct filling *filling, const struct json_field *field,
			 const struct json_tree_view *given, void *member)
{
	if (given->kind != JSON_TREE_INT)
		return invalid(filling, field, "must be an integer.");
	if (given->number < field->min)
		return invalid(filling, field, "must be at least %lld.", (long long)field->min);
	if (field->max && given->number > field->max)
		return invalid(filling, field, "must be at most %lld.", (long long)field->max);
	*(int64_t *)member = given->number;
	return OK;
}

static enum err fill_number(const struct filling *filling, const struct json_field *field,
			    const struct json_tree_view *given, void *member)
{
	if (given->kind != JSON_TREE_INT && given->kind != JSON_TREE_REAL)
		return invalid(filling, field, "must be a number.");
	*(double *)member = given->kind == JSON_TREE_INT ? (double)given->number : given->real;
	return OK;
}

static enum err fill_flag(const struct filling *filling, const struct json_field *field,
			  const struct json_tree_view *given, void *member)
{
	if (given->kind != JSON_TREE_FLAG)
		return invalid(filling, field, "must be true or false.");
	*(bool *)member = given->flag;
	return OK;
}

static enum err fill_time(const struct filling *filling, const struct json_field *field,
			  const struct json_tree_view *given, void *member)
{
	if (given->kind != JSON_TREE_TEXT || clock_parse(given->text, member))
		return invalid(filling, field, "must be a time in ISO 8601, such as 2026-11-23T15:04:05Z.");
	return OK;
}

static void write_value(struct json_out *out, const struct json_value *value);

/* A key from outside is escaped, unlike those that json_key writes. */
static void write_member(struct json_out *out, struct text name, const struct json_value *value)
{
	json_put_text(out, name);
	buffer_add(out->to, ":", 1);
	out->first = true;
	write_value(out, value);
}

/* As deep as the text was nested: JSON_DEPTH at most. */
static void write_value(struct json_out *out, const struct json_value *value)
{
	struct json_tree_view view = json_tree_look(value);
	struct json_tree_member member;

	switch (view.kind) {
	case JSON_TREE_NULL:
		json_put_null(out);
		break;
	case JSON_TREE_FLAG:
		json_put_bool(out, view.flag);
		break;
	case JSON_TREE_INT:
		json_put_int(out, view.number);
		break;
	case JSON_TREE_REAL:
		json_put_real(out, view.real);
		break;
	case JSON_TREE_TEXT:
		json_put_text(out, view.text);
		break;
	case JSON_TREE_OBJECT:
		json_open_object(out);
		for (member = json_tree_first(value); member.step; member = json_tree_next(value, member))
			write_member(out, member.name, member.value);
		json_close_object(out);
		break;
	case JSON_TREE_ARRAY:
		json_open_array(out);
		for (size_t i = 0; i < json_tree_count(value); i++)
			write_value(out, json_tree_at(value, i));
		json_close_array(out);
		break;
	}
}

/* Moves what was written into the arena. */
static enum err keep(struct arena *arena, struct buffer *buffer, struct text *out)
{
	*out =
	    buffer->failed ? (struct text){ NULL, 0 } : text_copy(arena, (struct text){ buffer->at, buffer->length });
	buffer_fini(buffer);
	return out->at ? OK : ERR_MEMORY;
}

static enum err fill_object(const struct filling *filling, const struct json_field *field,
			    const struct json_tree_view *given, void *member)
{
	size_t most = field->max ? (size_t)field->max : OBJECT_BYTES;
	struct text *text = member;
	struct buffer buffer;
	struct json_out out;

	if (given->kind != JSON_TREE_OBJECT)
		return invalid(filling, field, "must be an object.");
	/* No longer than a small multiple of the body, whose length is bounded. */
	buffer_init(&buffer, SIZE_MAX);
	json_out_init(&out, &buffer);
	write_value(&out, given->value);
	if (!buffer.failed && buffer.length > most) {
		buffer_fini(&buffer);
		return invalid(filling, field, "is longer than %zu bytes.", most);
	}
	return keep(filling->arena, &buffer, text) ? out_of_memory(filling->fault) : OK;
}

static enum err fill_struct(const struct filling *filling, const struct json_value *object,
			    const struct json_shape *shape, void *out);

static enum err fill_list(const struct filling *filling, const struct json_field *field,
			  const struct json_tree_view *given, void *member)
{
	struct json_list *list = member;

	if (given->kind != JSON_TREE_ARRAY)
		return invalid(filling, field, "must be an array.");
	size_t count = json_tree_count(given->value);
	if ((int64_t)count < field->min)
		return invalid(filling, field, "must have at least %lld elements.", (long long)field->min);
	if (field->max && (int64_t)count > field->max)
		return invalid(filling, field, "must have at most %lld elements.", (long long)field->max);
	char *items = arena_take_many(filling->arena, count, field->items->size);
	if (!items)
		return out_of_memory(filling->fault);
	for (size_t i = 0; i < count; i++) {
		struct filling inner = { filling->arena, filling->fault, filling, field->name, i };
		const struct json_value *element = json_tree_at(given->value, i);

		if (!json_is_object(element))
			return refuse(&inner, "", "invalid_field", "must be an object.");
		enum err err = fill_struct(&inner, element, field->items, items + i * field->items->size);
		if (err)
			return err;
	}
	*list = (struct json_list){ .items = items, .count = count, .given = true };
	return OK;
}

static enum err (*const fillers[])(const struct filling *filling, const struct json_field *field,
				   const struct json_tree_view *given, void *member) = {
	[JSON_TEXT] = fill_text, [JSON_EMAIL] = fill_email,   [JSON_CHOICE] = fill_choice,
	[JSON_INT] = fill_int,   [JSON_NUMBER] = fill_number, [JSON_FLAG] = fill_flag,
	[JSON_TIME] = fill_time, [JSON_OBJECT] = fill_object, [JSON_LIST] = fill_list,
};

/* The struct's bytes are 0 already: absent texts, false flags, no list. */
static void set_absent(const struct json_field *field, void *member)
{
	switch (field->kind) {
	case JSON_TEXT:
	case JSON_CHOICE:
		*(struct text *)member = text_of(field->fallback);
		break;
	case JSON_INT:
	case JSON_TIME:
		*(int64_t *)member = JSON_ABSENT;
		break;
	case JSON_NUMBER:
		*(double *)member = NAN;
		break;
	case JSON_EMAIL:
	case JSON_FLAG:
	case JSON_OBJECT:
	case JSON_LIST:
		break;
	}
}

static bool is_given(const struct json_field *field, const struct json_tree_view *view)
{
	if (view->kind == JSON_TREE_TEXT && view->text.length == 0)
		return field->kind == JSON_OBJECT || field->kind == JSON_LIST || field->clears;
	return view->kind != JSON_TREE_NULL;
}

static enum err fill_member(const struct filling *filling, const struct json_field *field,
			    const struct json_tree_view *given, void *out)
{
	void *member = (char *)out + field->offset;

	set_absent(field, member);
	if (is_given(field, given))
		return fillers[field->kind](filling, field, given, member);
	if (field->required)
		return refuse(filling, field->name, "missing_field", "is required.");
	return OK;
}

static struct json_tree_view look_at(const struct json_field *field, const struct json_value *object, const char *name)
{
	const struct json_value *value = json_tree_member(object, text_of(name));
	struct json_tree_view view = json_tree_look(value);

	if (field->clears && value && view.kind == JSON_TREE_NULL)
		view = (struct json_tree_view){ .kind = JSON_TREE_TEXT, .text = TEXT("") };
	return view;
}

static enum err fill_struct(const struct filling *filling, const struct json_value *object,
			    const struct json_shape *shape, void *out)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct json_field *field = &shape->fields[i];
		struct json_tree_view given = look_at(field, object, field->name);

		if (field->alias && !is_given(field, &given))
			given = look_at(field, object, field->alias);
		enum err err = fill_member(filling, field, &given, out);
		if (err)
			return err;
	}
	return OK;
}

enum err json_fill(const struct json_value *object, const struct json_shape *shape, struct arena *arena, void *out,
		   struct fault *fault)
{
	struct filling filling = { .arena = arena, .fault = fault };

	memset(out, 0, shape->size);
	if (!json_is_object(object))
		return fault_set(fault, ERR_INVALID, "invalid_json", NULL, "The body must be one JSON object.");
	return fill_struct(&filling, object, shape, out);
}

/* What a text from outside JSON means for this field; one that means nothing stays a text, which the field refuses. */
static struct json_tree_view read_text(const struct json_field *field, struct text text)
{
	struct json_tree_view view = { .kind = JSON_TREE_TEXT, .text = text };

	assert(field->kind != JSON_OBJECT && field->kind != JSON_LIST); /* no pair holds one */
	switch (field->kind) {
	case JSON_INT:
		if (text_to_int(text, &view.number) == OK)
			view.kind = JSON_TREE_INT;
		break;
	case JSON_NUMBER:
		if (json_tree_number(text, &view.real))
			view.kind = JSON_TREE_REAL;
		break;
	case JSON_FLAG:
		view.flag = text_equal(text, TEXT("true")) || text_equal(text, TEXT("1"));
		if (view.flag || text_equal(text, TEXT("false")) || text_equal(text, TEXT("0")))
			view.kind = JSON_TREE_FLAG;
		break;
	case JSON_TEXT:
	case JSON_EMAIL:
	case JSON_CHOICE:
	case JSON_TIME:
		break;
	case JSON_OBJECT:
	case JSON_LIST:
		break;
	}
	return view;
}

static enum err find_pair(const struct filling *filling, const struct json_field *field, const char *name,
			  const struct json_pair *pairs, size_t count, struct json_tree_view *out)
{
	const struct json_pair *found = NULL;

	*out = NOTHING;
	for (size_t i = 0; i < count; i++) {
		if (!text_equal(pairs[i].name, text_of(name)))
			continue;
		if (found)
			return invalid(filling, field, "is given twice.");
		found = &pairs[i];
	}
	if (!found || !found->value.at)
		return OK;
	if (!text_is_utf8(found->value))
		return invalid(filling, field, "is not valid UTF-8.");
	*out = read_text(field, found->value);
	return OK;
}

enum err json_fill_pairs(const struct json_pair *pairs, size_t count, const struct json_shape *shape,
			 struct arena *arena, void *out, struct fault *fault)
{
	struct filling filling = { .arena = arena, .fault = fault };

	memset(out, 0, shape->size);
	for (size_t i = 0; i < shape->count; i++) {
		const struct json_field *field = &shape->fields[i];
		struct json_tree_view given;
		enum err err = find_pair(&filling, field, field->name, pairs, count, &given);

		if (!err && field->alias && !is_given(field, &given))
			err = find_pair(&filling, field, field->alias, pairs, count, &given);
		if (!err)
			err = fill_member(&filling, field, &given, out);
		if (err)
			return err;
	}
	return OK;
}

/* NULL in `out` when the text is absent. */
static enum err parse_object(struct arena *arena, struct text text, const struct json_value **out)
{
	*out = NULL;
	if (!text.at)
		return OK;
	enum err err = json_tree_parse(text, arena, out, NULL);
	if (err)
		return err;
	return json_is_object(*out) ? OK : ERR_INVALID;
}

enum err json_merge(struct arena *arena, struct text base, struct text over, struct text *out)
{
	const struct json_value *below;
	const struct json_value *above;
	struct json_tree_member member;
	struct buffer buffer;
	struct json_out writer;

	*out = (struct text){ NULL, 0 };
	enum err err = parse_object(arena, base, &below);
	if (!err)
		err = parse_object(arena, over, &above);
	if (err || (!below && !above))
		return err;
	buffer_init(&buffer, SIZE_MAX);
	json_out_init(&writer, &buffer);
	json_open_object(&writer);
	for (member = json_tree_first(below); member.step; member = json_tree_next(below, member)) {
		const struct json_value *newer = json_tree_member(above, member.name);

		write_member(&writer, member.name, newer ? newer : member.value);
	}
	for (member = json_tree_first(above); member.step; member = json_tree_next(above, member))
		if (!json_tree_member(below, member.name))
			write_member(&writer, member.name, member.value);
	json_close_object(&writer);
	return keep(arena, &buffer, out);
}

enum err json_compact(struct arena *arena, const struct json_value *value, struct text *out)
{
	struct buffer buffer;
	struct json_out writer;

	buffer_init(&buffer, SIZE_MAX);
	json_out_init(&writer, &buffer);
	write_value(&writer, value);
	return keep(arena, &buffer, out);
}

static bool is_among(struct text name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (text_equal(name, text_of(*names)))
			return true;
	return false;
}

enum err json_without(struct arena *arena, const struct json_value *object, const char *const *names, struct text *out)
{
	struct json_tree_member member;
	struct buffer buffer;
	struct json_out writer;

	buffer_init(&buffer, SIZE_MAX);
	json_out_init(&writer, &buffer);
	json_open_object(&writer);
	for (member = json_tree_first(object); member.step; member = json_tree_next(object, member))
		if (!is_among(member.name, names))
			write_member(&writer, member.name, member.value);
	json_close_object(&writer);
	return keep(arena, &buffer, out);
}
