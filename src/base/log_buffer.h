/* Gathers lines of the log, so that a busy server makes one system call for hundreds of them.
 * Owner: main; behind a struct log. Any thread adds; a thread of its own writes what has waited a fifth of a second.
 * A warning or an error is written at once, and with it all that came before.
 * Never reorders lines, and never drops one: a full buffer is written by whoever finds it full.
 * Next: base/log.h. */
#ifndef INNKEEPER_BASE_LOG_BUFFER_H
#define INNKEEPER_BASE_LOG_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct log_buffer;

/* `fd` is borrowed until log_buffer_stop. */
enum err log_buffer_start(struct log_buffer **out, int fd) WARN_UNUSED;

/* At most a line; `now`: do not let it wait. */
void log_buffer_add(struct log_buffer *buffer, const char *line, size_t length, bool now);

void log_buffer_flush(struct log_buffer *buffer);

/* Writes what waits and ends the thread. NULL is nothing. */
void log_buffer_stop(struct log_buffer *buffer);

#endif
