#include "legacy/value.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_in.h"

#define SECONDS_MOST      INT64_C(100000000000) /* beyond it, milliseconds: the year 5138 against 1973 */
#define MILLISECONDS_MOST INT64_C(100000000000000)
#define MICROSECONDS_MOST INT64_C(100000000000000000)
#define TIME_BYTES        64

/* Behind at most `length` bytes, between two characters. */
static size_t cut_at(struct text text, size_t length)
{
	while (length > 0 && ((unsigned char)text.at[length] & 0xC0) == 0x80)
		length--;
	return length;
}

struct text legacy_text(struct arena *arena, const struct legacy_row *row, enum legacy_column column, size_t max,
			enum legacy_need need, struct legacy_record *record)
{
	const char *name = legacy_column_name(column);
	struct text text = row->values[column];

	if (text.at != NULL)
		text = text_trim(text);
	if (text.at == NULL || text.length == 0) {
		if (need == LEGACY_REQUIRED)
			legacy_refuse(record, arena, "%s is missing.", name);
		return (struct text){ 0 };
	}
	if (!text_is_utf8(text)) {
		if (need != LEGACY_CUT)
			legacy_refuse(record, arena, "%s is not UTF-8, or holds a NUL.", name);
		else
			legacy_note(record, arena, "%s is not UTF-8, or holds a NUL: left out.", name);
		return (struct text){ 0 };
	}
	if (text.length <= max)
		return text;
	if (need != LEGACY_CUT) {
		legacy_refuse(record, arena, "%s is longer than %zu bytes.", name, max);
		return (struct text){ 0 };
	}
	legacy_note(record, arena, "%s is longer than %zu bytes: cut.", name, max);
	text.length = cut_at(text, max);
	return text;
}

struct text legacy_content(struct arena *arena, const struct legacy_row *row, struct legacy_record *record)
{
	const struct text text = row->values[LEGACY_CONTENT];

	if (text.length == 0)
		legacy_refuse(record, arena, "content is empty.");
	else if (text.length > LEGACY_BODY_BYTES)
		legacy_refuse(record, arena, "content is longer than %d bytes.", LEGACY_BODY_BYTES);
	else if (!text_is_utf8(text))
		legacy_refuse(record, arena, "content is not UTF-8, or holds a NUL.");
	return text;
}

/* Digits, and perhaps a fraction. */
static bool parse_number(struct text text, int64_t *out)
{
	const char *point = memchr(text.at, '.', text.length);
	const struct text whole = { text.at, point == NULL ? text.length : (size_t)(point - text.at) };
	int64_t number;
	int64_t thousandths = 0;

	if (whole.length == 0 || whole.at[0] == '-' || text_to_int(whole, &number) != OK || number > MICROSECONDS_MOST)
		return false;
	for (size_t i = whole.length + 1, unit = 100; i < text.length; i++, unit /= 10) {
		if (isdigit((unsigned char)text.at[i]) == 0)
			return false;
		thousandths += (int64_t)unit * (text.at[i] - '0');
	}
	if (number < SECONDS_MOST)
		*out = number * 1000 + thousandths;
	else
		*out = number < MILLISECONDS_MOST ? number : number / 1000;
	return true;
}

bool legacy_parse_time(struct text text, int64_t *out)
{
	char whole[TIME_BYTES + 4];
	int length;

	text = text_trim(text);
	if (text.length == 0 || text.length > TIME_BYTES)
		return false;
	if (parse_number(text, out))
		return true;
	if (text.length > 4 && text_equal_ignoring_case((struct text){ text.at + text.length - 4, 4 }, TEXT(" utc")))
		text.length -= 4;
	/* PostgreSQL leaves out minutes that are none: "+00". */
	length = snprintf(whole, sizeof whole, "%.*s", (int)text.length, text.at);
	if (text.length > 13 && (text.at[text.length - 3] == '+' || text.at[text.length - 3] == '-'))
		length += snprintf(whole + length, sizeof whole - (size_t)length, ":00");
	return clock_parse((struct text){ whole, (size_t)length }, out) == OK;
}

int64_t legacy_time(struct arena *arena, const struct legacy_row *row, enum legacy_column column,
		    struct legacy_record *record)
{
	const struct text text = row->values[column];
	int64_t time;

	if (text.length == 0)
		return DB_NULL;
	if (legacy_parse_time(text, &time))
		return time;
	legacy_note(record, arena, "%s is no time: left out.", legacy_column_name(column));
	return DB_NULL;
}

bool legacy_flag(const struct legacy_row *row, enum legacy_column column)
{
	static const char *const yes[] = { "t", "true", "1", "yes", "y", "on" };
	const struct text text = row->values[column];

	for (size_t i = 0; text.at != NULL && i < sizeof yes / sizeof yes[0]; i++)
		if (text_equal_ignoring_case(text_trim(text), text_of(yes[i])))
			return true;
	return false;
}

/* Takes out \u0000, and no backslash that stands for itself. */
static struct text without_nul(struct arena *arena, struct text text)
{
	char *out = arena_take(arena, text.length);
	size_t length = 0;

	if (out == NULL)
		return (struct text){ 0 };
	for (size_t i = 0; i < text.length;) {
		const size_t left = text.length - i;

		if (left >= 6 && memcmp(text.at + i, "\\u0000", 6) == 0) {
			i += 6;
			continue;
		}
		if (text.at[i] == '\\' && left > 1)
			out[length++] = text.at[i++];
		out[length++] = text.at[i++];
	}
	return (struct text){ out, length };
}

enum err legacy_object(struct arena *arena, const struct legacy_row *row, enum legacy_column column,
		       const struct json_value **out, struct legacy_record *record)
{
	const char *name = legacy_column_name(column);
	struct text text = row->values[column];
	enum err err;

	*out = NULL;
	if (text.at != NULL)
		text = text_trim(text);
	if (text.at == NULL || text.length == 0 || text_equal(text, TEXT("null")))
		return OK;
	if (text.length > LEGACY_JSON_BYTES) {
		legacy_note(record, arena, "%s is larger than %d bytes: left out.", name, LEGACY_JSON_BYTES);
		return OK;
	}
	if (memmem(text.at, text.length, "\\u0000", 6) != NULL) {
		const size_t before = text.length;

		text = without_nul(arena, text);
		if (text.at == NULL)
			return ERR_MEMORY;
		if (text.length != before)
			legacy_note(record, arena, "%s holds U+0000: taken out.", name);
	}
	err = json_parse(text, arena, out, NULL);
	if (arena->failed)
		return ERR_MEMORY;
	if (err == OK && json_is_object(*out))
		return OK;
	*out = NULL;
	legacy_note(record, arena, "%s is no JSON object that is kept exactly: left out.", name);
	return OK;
}

/* "anonymous-" and 8 characters. */
static bool is_placeholder(struct text email)
{
	static const char host[] = "@concierge.local";
	const size_t name = sizeof "anonymous-" - 1 + 8;

	return text_starts(email, TEXT("anonymous-")) && email.length == name + sizeof host - 1 &&
	       memcmp(email.at + name, host, sizeof host - 1) == 0;
}

struct text legacy_email(struct arena *arena, const struct legacy_row *row, struct legacy_record *record)
{
	const struct text raw = row->values[LEGACY_EMAIL];
	struct text email = { 0 };

	if (raw.at == NULL || text_trim(raw).length == 0)
		return email;
	if (text_email(arena, raw, &email) != OK) {
		legacy_note(record, arena, "email is none: left out.");
		return (struct text){ 0 };
	}
	if (is_placeholder(email))
		email = (struct text){ 0 };
	return email;
}
