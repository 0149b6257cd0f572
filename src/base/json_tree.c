#include "base/json_tree.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES  400 /* longer ones are refused unread */
#define ALWAYS_KEPT   15  /* significant digits that any double of normal size keeps (DBL_DIG) */
#define EVER_KEPT     17  /* digits that tell all doubles apart (DBL_DECIMAL_DIG) */
#define SURELY_NORMAL 307 /* a decimal exponent up to here neither overflows nor loses digits */
#define MOST_EXPONENT 100000

/* jansson's allocator knows no context, so the arena of the call under way stands here, for this thread alone. */
static _Thread_local struct arena *current;

static void *take(size_t size)
{
	return current ? arena_take(current, size) : NULL;
}

static void give_back(void *at)
{
	(void)at; /* the arena goes as a whole */
}

void json_tree_init(void)
{
	json_set_alloc_funcs(take, give_back);
	json_object_seed(0); /* from the system's randomness, now rather than in the first request */
}

struct place {
	size_t line;
	size_t column;
};

static struct place place_of(struct text body, size_t offset)
{
	struct place place = { 1, 1 };

	for (size_t i = 0; i < offset; i++) {
		if (body.at[i] == '\n')
			place = (struct place){ place.line + 1, 1 };
		else if ((body.at[i] & 0xC0) != 0x80)
			place.column++;
	}
	return place;
}

static bool is_digit(char letter)
{
	return letter >= '0' && letter <= '9';
}

/* A number token taken apart. Digits count from the first to the last that is not 0. */
struct number {
	bool well_formed;
	size_t digits;               /* significant ones; 0 for zero */
	char significant[EVER_KEPT]; /* filled when there are no more than that */
	long exponent;               /* decimal, of the first significant digit */
};

static size_t skip_digits(struct text token, size_t at)
{
	while (at < token.length && is_digit(token.at[at]))
		at++;
	return at;
}

/* `from` to `end` are the digits and perhaps a point, `whole` of them before it. */
static void count_digits(struct text token, size_t from, size_t end, size_t whole, struct number *number)
{
	size_t seen = 0;

	for (size_t i = from; i < end; i++) {
		if (token.at[i] == '.')
			continue;
		seen++;
		if (token.at[i] == '0')
			continue;
		if (number->digits == 0)
			number->exponent = (long)whole - (long)seen;
		number->digits = seen - (size_t)((long)whole - number->exponent) + 1;
	}
	if (number->digits > EVER_KEPT)
		return;
	size_t at = from;
	for (size_t i = 0; i < number->digits; at++)
		if (token.at[at] != '.' && (i > 0 || token.at[at] != '0'))
			number->significant[i++] = token.at[at];
}

static bool take_exponent(struct text token, size_t *at, long *exponent)
{
	size_t start = *at + 1;
	long value = 0;

	bool minus = start < token.length && token.at[start] == '-';
	if (start < token.length && (token.at[start] == '-' || token.at[start] == '+'))
		start++;
	*at = skip_digits(token, start);
	for (size_t i = start; i < *at; i++)
		if (value < MOST_EXPONENT)
			value = value * 10 + (token.at[i] - '0');
	*exponent = minus ? -value : value;
	return *at > start;
}

/* RFC 8259, 6. */
static struct number number_of(struct text token)
{
	struct number number = { 0 };
	size_t from = token.length && token.at[0] == '-' ? 1 : 0;
	size_t at = skip_digits(token, from);
	size_t whole = at - from;
	long exponent = 0;

	if (whole == 0 || (whole > 1 && token.at[from] == '0'))
		return number;
	if (at < token.length && token.at[at] == '.') {
		size_t fraction = at + 1;

		at = skip_digits(token, fraction);
		if (at == fraction)
			return number;
	}
	count_digits(token, from, at, whole, &number);
	if (at < token.length && (token.at[at] == 'e' || token.at[at] == 'E') && !take_exponent(token, &at, &exponent))
		return number;
	number.exponent += exponent;
	number.well_formed = at == token.length;
	return number;
}

/* Whether a double holds this number: it must print, with as many digits, as the same digits. */
static bool is_kept(struct text token, const struct number *number)
{
	char copy[NUMBER_BYTES + 1];
	char printed[40];

	if (number->digits == 0)
		return true;
	if (number->digits <= ALWAYS_KEPT && labs(number->exponent) <= SURELY_NORMAL)
		return true;
	if (number->digits > EVER_KEPT)
		return false;
	memcpy(copy, token.at, token.length);
	copy[token.length] = '\0';
	double value = fabs(strtod(copy, NULL));
	if (!isfinite(value))
		return false;
	(void)snprintf(printed, sizeof printed, "%.*e", (int)number->digits - 1, value);
	if (number->digits > 1)
		memmove(printed + 1, printed + 2, number->digits - 1); /* over the point */
	return memcmp(printed, number->significant, number->digits) == 0;
}

bool json_tree_number(struct text text, double *out)
{
	char copy[NUMBER_BYTES + 1];

	if (text.length > NUMBER_BYTES)
		return false;
	struct number number = number_of(text);
	if (!number.well_formed || !is_kept(text, &number))
		return false;
	memcpy(copy, text.at, text.length);
	copy[text.length] = '\0';
	*out = strtod(copy, NULL);
	return true;
}

static size_t end_of_string(struct text body, size_t at)
{
	for (at++; at < body.length && body.at[at] != '"'; at++)
		if (body.at[at] == '\\')
			at++;
	return at;
}

static size_t end_of_number(struct text body, size_t at)
{
	while (at < body.length && (is_digit(body.at[at]) || body.at[at] == '.' || body.at[at] == '+' ||
				    body.at[at] == '-' || body.at[at] == 'e' || body.at[at] == 'E'))
		at++;
	return at;
}

/* A number that is not well formed is left to jansson, which says so. */
static bool number_is_acceptable(struct text token)
{
	if (token.length > NUMBER_BYTES)
		return false;
	struct number number = number_of(token);
	return !number.well_formed || is_kept(token, &number);
}

/* Up to its first error the text is cut into tokens here as jansson does it; behind that it does not matter. */
static enum err scan(struct text body, struct fault *fault)
{
	size_t depth = 0;

	for (size_t i = 0; i < body.length; i++) {
		char byte = body.at[i];

		if (byte == '"') {
			i = end_of_string(body, i);
		} else if (byte == '{' || byte == '[') {
			if (++depth <= JSON_TREE_DEPTH)
				continue;
			struct place place = place_of(body, i);
			return fault_set(fault, ERR_INVALID, "invalid_json", NULL,
					 "The JSON is nested deeper than %d levels at line %zu, column %zu.",
					 JSON_TREE_DEPTH, place.line, place.column);
		} else if (byte == '}' || byte == ']') {
			depth -= depth > 0;
		} else if (byte == '-' || is_digit(byte)) {
			size_t end = end_of_number(body, i);

			if (!number_is_acceptable((struct text){ body.at + i, end - i })) {
				struct place place = place_of(body, i);
				return fault_set(fault, ERR_INVALID, "invalid_json", NULL,
						 "The number at line %zu, column %zu is one that a 64-bit float does "
						 "not keep exactly; send it as a text.",
						 place.line, place.column);
			}
			i = end - 1;
		}
	}
	return OK;
}

/* In words of ours: jansson's quote the body. */
static enum err syntax_fault(const json_error_t *error, struct fault *fault)
{
	static const char *const sentences[] = {
		[json_error_invalid_utf8] = "The body is not valid UTF-8",
		[json_error_premature_end_of_input] = "The JSON ends too early",
		[json_error_end_of_input_expected] = "The body goes on behind the end of the JSON",
		[json_error_null_character] = "A text holds the character U+0000, which is not accepted",
		[json_error_null_byte_in_key] = "A key holds the character U+0000, which is not accepted",
		[json_error_duplicate_key] = "An object holds the same key twice",
		[json_error_numeric_overflow] = "A number is too large; send it as a text",
	};
	size_t code = (size_t)json_error_code(error);
	const char *sentence = code < sizeof sentences / sizeof sentences[0] ? sentences[code] : NULL;

	return fault_set(fault, ERR_INVALID, "invalid_json", NULL, "%s: line %d, column %d.",
			 sentence ? sentence : "The body is not valid JSON", error->line, error->column);
}

enum err json_tree_parse(struct text body, struct arena *arena, const struct json_value **out, struct fault *fault)
{
	json_error_t error;

	*out = NULL;
	if (text_trim(body).length == 0)
		return fault_set(fault, ERR_INVALID, "invalid_json", NULL, "The body is empty; send one JSON object.");
	enum err err = scan(body, fault);
	if (err)
		return err;
	current = arena;
	json_t *tree = json_loadb(body.at, body.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	current = NULL;
	if (tree) {
		*out = (const struct json_value *)tree;
		return OK;
	}
	if (arena->failed)
		return fault_set(fault, ERR_TOO_LARGE, NULL, NULL,
				 "The JSON needs more memory than a request may use.");
	return syntax_fault(&error, fault);
}

static struct text text_of_string(const json_t *string)
{
	return (struct text){ json_string_value(string), json_string_length(string) };
}

struct json_tree_view json_tree_look(const struct json_value *value)
{
	const json_t *json = (const json_t *)value;
	struct json_tree_view view = { .kind = JSON_TREE_NULL };

	if (!json)
		return view;
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return (struct json_tree_view){ .kind = JSON_TREE_OBJECT, .value = value };
	case JSON_ARRAY:
		return (struct json_tree_view){ .kind = JSON_TREE_ARRAY, .value = value };
	case JSON_STRING:
		return (struct json_tree_view){ .kind = JSON_TREE_TEXT, .text = text_of_string(json) };
	case JSON_INTEGER:
		return (struct json_tree_view){ .kind = JSON_TREE_INT, .number = json_integer_value(json) };
	case JSON_REAL:
		return (struct json_tree_view){ .kind = JSON_TREE_REAL, .real = json_real_value(json) };
	case JSON_TRUE:
	case JSON_FALSE:
		return (struct json_tree_view){ .kind = JSON_TREE_FLAG, .flag = json_is_true(json) };
	case JSON_NULL:
		break;
	}
	return view;
}

size_t json_tree_count(const struct json_value *array)
{
	return json_array_size((const json_t *)array);
}

const struct json_value *json_tree_at(const struct json_value *array, size_t index)
{
	return (const struct json_value *)json_array_get((const json_t *)array, index);
}

const struct json_value *json_tree_member(const struct json_value *object, struct text name)
{
	return (const struct json_value *)json_object_getn((const json_t *)object, name.at, name.length);
}

static struct json_tree_member member_at(void *step)
{
	if (!step)
		return (struct json_tree_member){ 0 };
	return (struct json_tree_member){
		.step = step,
		.name = { json_object_iter_key(step), json_object_iter_key_len(step) },
		.value = (const struct json_value *)json_object_iter_value(step),
	};
}

/* jansson walks an object without changing it, but does not say so in its types. */
struct json_tree_member json_tree_first(const struct json_value *object)
{
	return member_at(json_object_iter((json_t *)object));
}

struct json_tree_member json_tree_next(const struct json_value *object, struct json_tree_member member)
{
	return member_at(json_object_iter_next((json_t *)object, member.step));
}
