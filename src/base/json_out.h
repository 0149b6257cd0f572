/* JSON, written as it goes (RFC 8259): no tree, no allocation but the buffer's.
 * Owner: borrows the buffer. One thread at a time.
 * Commas are its own business; a text is escaped and has been checked as UTF-8 when it came in.
 * Never writes NaN or an infinity: null instead.
 * Next: base/json_in.h, the other direction. */
#ifndef INNKEEPER_BASE_JSON_OUT_H
#define INNKEEPER_BASE_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/uuid.h"

struct json_out {
	struct buffer *to;
	bool first; /* nothing stands yet in the object or array that is open */
};

void json_out_init(struct json_out *out, struct buffer *to);

void json_open_object(struct json_out *out);
void json_close_object(struct json_out *out);
void json_open_array(struct json_out *out);
void json_close_array(struct json_out *out);
void json_key(struct json_out *out, const char *name); /* a literal of ours: not escaped */

void json_put_text(struct json_out *out, struct text value);   /* absent: null */
void json_put_string(struct json_out *out, const char *value); /* NULL: null */
void json_put_int(struct json_out *out, int64_t value);
void json_put_real(struct json_out *out, double value); /* the shortest digits that read back as the same double */
void json_put_bool(struct json_out *out, bool value);
void json_put_null(struct json_out *out);
void json_put_raw(struct json_out *out, struct text json);          /* JSON already; absent: null */
void json_put_uuid(struct json_out *out, const struct uuid *value); /* nil: null */
void json_put_time(struct json_out *out, int64_t time);             /* INT64_MIN: null */

/* Where the writer stands, and back to there: an item that failed leaves nothing behind. */
struct json_mark {
	size_t length;
	bool first;
};
struct json_mark json_mark(const struct json_out *out);
void json_return_to(struct json_out *out, struct json_mark mark);

#endif
