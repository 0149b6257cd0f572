/* The log: one JSON object a line on a file descriptor, each line whole.
 * Owner: the process; made in main, passed down const. Any thread.
 * Fields are name and value; texts are cut at 500 bytes, control characters and invalid UTF-8 escaped.
 * Never holds a key, a message's content, an e-mail or a request's path: routes are named by their pattern.
 * Next: docs/operate.md lists the fields. */
#ifndef INNKEEPER_BASE_LOG_H
#define INNKEEPER_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/log_buffer.h"
#include "base/text.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log {
	int fd;
	enum log_level least;      /* lines below it are not written */
	struct log_buffer *buffer; /* gathers lines of busy servers; NULL: each line in a write of its own */
};

struct log_field {
	const char *name;
	enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_REAL } kind;
	struct text text;
	int64_t number;
	double real;
};

#define LOG_TEXT(n, t)   ((struct log_field){ .name = (n), .kind = LOG_FIELD_TEXT, .text = (t) })
#define LOG_STRING(n, s) LOG_TEXT(n, text_of(s))
#define LOG_INT(n, i)    ((struct log_field){ .name = (n), .kind = LOG_FIELD_INT, .number = (int64_t)(i) })
#define LOG_REAL(n, r)   ((struct log_field){ .name = (n), .kind = LOG_FIELD_REAL, .real = (r) })

/* {"time":…,"level":…,"message":…, fields}. `message` is a literal sentence; a field with an absent text is left out.
 */
void log_write(const struct log *log, enum log_level level, const char *message, const struct log_field *fields,
	       size_t count);

#define LOG(log, level, message, ...)                                                                                  \
	log_write((log), (level), (message), (const struct log_field[]){ __VA_ARGS__ },                                \
		  sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

/* "debug", "info", "warning", "error". */
enum err log_level_of(struct text name, enum log_level *out) WARN_UNUSED;

#endif
