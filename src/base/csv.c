#include "base/csv.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_out.h"

void csv_out_init(struct csv_out *out, struct buffer *to)
{
	*out = (struct csv_out){ .to = to, .first = true };
}

static void next_cell(struct csv_out *out)
{
	if (!out->first)
		buffer_add(out->to, ",", 1);
	out->first = false;
}

/* What a spreadsheet takes for the beginning of a formula, or skips to find one. */
static bool begins_formula(struct text value)
{
	return value.length > 0 && memchr("=+-@\t\r\n", value.at[0], 7) != NULL;
}

/* RFC 4180 asks for quotes around a comma, a quote or a line end. Some spreadsheets also part cells at a semicolon or a
 * tab, and trim blanks: then what stands behind would begin a cell of its own. */
static bool needs_quotes(struct text value)
{
	if (value.length == 0 || value.at[0] == ' ' || value.at[value.length - 1] == ' ')
		return true;
	for (size_t i = 0; i < value.length; i++)
		if (memchr(",\"\r\n;\t", value.at[i], 6) != NULL)
			return true;
	return false;
}

static void put_quoted(struct buffer *to, struct text value)
{
	while (value.length > 0) {
		const char *quote = memchr(value.at, '"', value.length);
		const size_t length = quote == NULL ? value.length : (size_t)(quote - value.at) + 1;

		buffer_add(to, value.at, length);
		if (quote != NULL)
			buffer_add(to, "\"", 1);
		value = (struct text){ value.at + length, value.length - length };
	}
}

void csv_put_text(struct csv_out *out, struct text value)
{
	next_cell(out);
	if (value.at == NULL)
		return;
	const bool quotes = needs_quotes(value);

	if (quotes)
		buffer_add(out->to, "\"", 1);
	if (begins_formula(value))
		buffer_add(out->to, "'", 1);
	if (quotes)
		put_quoted(out->to, value);
	else
		buffer_text(out->to, value);
	if (quotes)
		buffer_add(out->to, "\"", 1);
}

void csv_put_int(struct csv_out *out, int64_t value)
{
	next_cell(out);
	if (value != INT64_MIN)
		buffer_int(out->to, value);
}

void csv_put_real(struct csv_out *out, double value)
{
	struct json_out number;

	next_cell(out);
	json_out_init(&number, out->to);
	if (isfinite(value))
		json_put_real(&number, value);
}

void csv_put_bool(struct csv_out *out, bool value)
{
	next_cell(out);
	buffer_string(out->to, value ? "true" : "false");
}

void csv_put_uuid(struct csv_out *out, const struct uuid *value)
{
	char text[UUID_TEXT_SIZE];

	next_cell(out);
	if (uuid_is_nil(value))
		return;
	uuid_format(value, text);
	buffer_string(out->to, text);
}

void csv_put_time(struct csv_out *out, int64_t time)
{
	char text[CLOCK_TEXT_SIZE];

	next_cell(out);
	if (time == INT64_MIN)
		return;
	clock_format(time, text);
	buffer_string(out->to, text);
}

void csv_end_line(struct csv_out *out)
{
	buffer_add(out->to, "\r\n", 2);
	out->first = true;
}
