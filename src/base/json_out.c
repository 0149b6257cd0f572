#include "base/json_out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define BYTES_OF(byte) (UINT64_C(0x0101010101010101) * (byte))

void json_out_init(struct json_out *out, struct buffer *to)
{
	*out = (struct json_out){ .to = to, .first = true };
}

/* Every value and every key begins here. */
static void comma(struct json_out *out)
{
	if (!out->first)
		buffer_add(out->to, ",", 1);
	out->first = false;
}

static void literal(struct json_out *out, struct text text)
{
	comma(out);
	buffer_text(out->to, text);
}

void json_open_object(struct json_out *out)
{
	literal(out, TEXT("{"));
	out->first = true;
}

void json_close_object(struct json_out *out)
{
	buffer_add(out->to, "}", 1);
	out->first = false;
}

void json_open_array(struct json_out *out)
{
	literal(out, TEXT("["));
	out->first = true;
}

void json_close_array(struct json_out *out)
{
	buffer_add(out->to, "]", 1);
	out->first = false;
}

void json_key(struct json_out *out, const char *name)
{
	literal(out, TEXT("\""));
	buffer_string(out->to, name);
	buffer_add(out->to, "\":", 2);
	out->first = true;
}

static bool must_escape(unsigned char byte)
{
	return byte < 0x20 || byte == '"' || byte == '\\';
}

/* How many bytes at `at` need no escape; eight at a time: a byte below a bound sets its high bit in the difference,
 * and a false alarm beside it only sends these eight through the slow way. */
static size_t clean_run(const char *at, size_t left)
{
	size_t run = 0;
	uint64_t eight;

	while (left - run >= sizeof eight) {
		memcpy(&eight, at + run, sizeof eight);
		uint64_t control = (eight - BYTES_OF(0x20)) & ~eight;
		uint64_t quote = eight ^ BYTES_OF('"');
		uint64_t backslash = eight ^ BYTES_OF('\\');
		quote = (quote - BYTES_OF(1)) & ~quote;
		backslash = (backslash - BYTES_OF(1)) & ~backslash;
		if ((control | quote | backslash) & BYTES_OF(0x80))
			break;
		run += sizeof eight;
	}
	while (run < left && !must_escape((unsigned char)at[run]))
		run++;
	return run;
}

static void escape(struct buffer *to, unsigned char byte)
{
	static const char short_forms[0x20] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };
	char escaped[8] = "\\u00";

	if (byte >= 0x20 || short_forms[byte]) {
		escaped[1] = byte >= 0x20 ? (char)byte : short_forms[byte];
		buffer_add(to, escaped, 2);
	} else {
		text_hex(&byte, 1, escaped + 4);
		buffer_add(to, escaped, 6);
	}
}

void json_put_text(struct json_out *out, struct text value)
{
	size_t at = 0;

	if (!value.at) {
		json_put_null(out);
		return;
	}
	literal(out, TEXT("\""));
	while (at < value.length) {
		size_t run = clean_run(value.at + at, value.length - at);

		buffer_add(out->to, value.at + at, run);
		at += run;
		if (at < value.length)
			escape(out->to, (unsigned char)value.at[at++]);
	}
	buffer_add(out->to, "\"", 1);
}

void json_put_string(struct json_out *out, const char *value)
{
	json_put_text(out, text_of(value));
}

void json_put_int(struct json_out *out, int64_t value)
{
	comma(out);
	buffer_int(out->to, value);
}

void json_put_real(struct json_out *out, double value)
{
	char digits[32];
	int length = 0;

	if (!isfinite(value)) {
		json_put_null(out);
		return;
	}
	/* Whole numbers that a double counts one by one; a negative zero keeps its sign below. */
	if (fabs(value) < 1e15 && value == trunc(value) && (value != 0 || !signbit(value))) {
		json_put_int(out, (int64_t)value);
		return;
	}
	/* 15 digits are always kept, 17 always suffice (IEEE 754). */
	for (int precision = 15; precision <= 17; precision++) {
		length = snprintf(digits, sizeof digits, "%.*g", precision, value);
		if (strtod(digits, NULL) == value)
			break;
	}
	literal(out, (struct text){ digits, (size_t)length });
}

void json_put_bool(struct json_out *out, bool value)
{
	literal(out, value ? TEXT("true") : TEXT("false"));
}

void json_put_null(struct json_out *out)
{
	literal(out, TEXT("null"));
}

void json_put_raw(struct json_out *out, struct text json)
{
	literal(out, json.at ? json : TEXT("null"));
}

void json_put_uuid(struct json_out *out, const struct uuid *value)
{
	char quoted[UUID_TEXT_SIZE + 2] = "\"";

	if (uuid_is_nil(value)) {
		json_put_null(out);
		return;
	}
	uuid_format(value, quoted + 1);
	quoted[UUID_TEXT_SIZE] = '"';
	literal(out, (struct text){ quoted, UUID_TEXT_SIZE + 1 });
}

void json_put_time(struct json_out *out, int64_t time)
{
	char quoted[CLOCK_TEXT_SIZE + 2] = "\"";

	if (time == INT64_MIN) {
		json_put_null(out);
		return;
	}
	clock_format(time, quoted + 1);
	quoted[CLOCK_TEXT_SIZE] = '"';
	literal(out, (struct text){ quoted, CLOCK_TEXT_SIZE + 1 });
}

struct json_mark json_mark(const struct json_out *out)
{
	return (struct json_mark){ .length = out->to->length, .first = out->first };
}

void json_return_to(struct json_out *out, struct json_mark mark)
{
	buffer_cut(out->to, mark.length);
	out->first = mark.first;
}
