#include "base/log.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_BYTES 4096
#define TEXT_BYTES 500
#define END        "}\n"

/* A line grows on the stack: a log that asked for memory could not say that there is none. */
struct line {
	size_t length;
	bool full;
	char bytes[LINE_BYTES];
};

static const struct {
	struct text name;
	enum log_level level;
} levels[] = {
	{ { "debug", 5 }, LOG_DEBUG },
	{ { "info", 4 }, LOG_INFO },
	{ { "warning", 7 }, LOG_WARNING },
	{ { "error", 5 }, LOG_ERROR },
};

enum err log_level_of(struct text name, enum log_level *out)
{
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		if (text_equal(name, levels[i].name)) {
			*out = levels[i].level;
			return OK;
		}
	}
	return ERR_INVALID;
}

static const char *level_name(enum log_level level)
{
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
		if (levels[i].level == level)
			return levels[i].name.at;
	return "error";
}

static void add(struct line *line, const char *bytes, size_t length)
{
	if (line->full || length > sizeof line->bytes - (sizeof END - 1) - line->length) {
		line->full = true;
		return;
	}
	memcpy(line->bytes + line->length, bytes, length);
	line->length += length;
}

static void add_string(struct line *line, const char *string)
{
	add(line, string, strlen(string));
}

/* Writes the character at `at` and says how many bytes it took. Control characters (also those of Unicode's second
 * block, which some terminals obey) are escaped; a byte that is not UTF-8 becomes the replacement character. */
static size_t add_character(struct line *line, const char *at, size_t left)
{
	unsigned char lead = (unsigned char)at[0];
	size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
	unsigned char control = lead;
	char escaped[8] = "\\u00";

	if (lead == '"' || lead == '\\') {
		add(line, "\\", 1);
		add(line, at, 1);
		return 1;
	}
	if (lead >= 0x80 && (length > left || !text_is_utf8((struct text){ at, length }))) {
		add_string(line, "\\ufffd");
		return 1;
	}
	if (length == 2 && lead == 0xC2)
		control = (unsigned char)at[1];
	if (control < 0x20 || control == 0x7F || (length == 2 && control < 0xA0)) {
		text_hex(&control, 1, escaped + 4);
		add(line, escaped, 6);
	} else {
		add(line, at, length);
	}
	return length;
}

/* At most TEXT_BYTES bytes of `text`, and no part of a character. */
static struct text cut(struct text text)
{
	size_t end = TEXT_BYTES;

	if (text.length <= TEXT_BYTES)
		return text;
	while (end > TEXT_BYTES - 3 && (text.at[end] & 0xC0) == 0x80)
		end--;
	return (struct text){ text.at, end };
}

static void add_text(struct line *line, struct text text)
{
	struct text shown = cut(text);
	size_t at = 0;

	add(line, "\"", 1);
	while (at < shown.length && !line->full)
		at += add_character(line, shown.at + at, shown.length - at);
	add(line, "\"", 1);
}

static void add_number(struct line *line, const struct log_field *field)
{
	char digits[32];

	if (field->kind == LOG_FIELD_INT)
		(void)snprintf(digits, sizeof digits, "%lld", (long long)field->number);
	else if (isfinite(field->real))
		(void)snprintf(digits, sizeof digits, "%.12g", field->real);
	else
		(void)snprintf(digits, sizeof digits, "null");
	add_string(line, digits);
}

/* A field that does not fit is left out whole: the line stays one JSON object. */
static void add_field(struct line *line, const struct log_field *field)
{
	size_t before = line->length;

	if (field->kind == LOG_FIELD_TEXT && !field->text.at)
		return;
	add_string(line, ",\"");
	add_string(line, field->name);
	add_string(line, "\":");
	if (field->kind == LOG_FIELD_TEXT)
		add_text(line, field->text);
	else
		add_number(line, field);
	if (line->full) {
		line->length = before;
		line->full = false;
	}
}

/* What cannot be written has nowhere to be reported. */
static void write_line(int fd, const struct line *line)
{
	ssize_t written;

	do
		written = write(fd, line->bytes, line->length);
	while (written < 0 && errno == EINTR);
}

void log_write(const struct log *log, enum log_level level, const char *message, const struct log_field *fields,
	       size_t count)
{
	struct line line;
	char time[CLOCK_TEXT_SIZE];
	int saved = errno; /* the caller's survives */

	if (level < log->least)
		return;
	line.length = 0;
	line.full = false;
	clock_format(clock_now(), time);
	add_string(&line, "{\"time\":\"");
	add_string(&line, time);
	add_string(&line, "\",\"level\":\"");
	add_string(&line, level_name(level));
	add_string(&line, "\",\"message\":");
	add_text(&line, text_of(message));
	for (size_t i = 0; i < count; i++)
		add_field(&line, &fields[i]);
	memcpy(line.bytes + line.length, END, sizeof END - 1);
	line.length += sizeof END - 1;
	if (log->buffer != NULL)
		log_buffer_add(log->buffer, line.bytes, line.length, level >= LOG_WARNING);
	else
		write_line(log->fd, &line);
	errno = saved;
}
