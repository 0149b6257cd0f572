/* CSV, written as it goes (RFC 4180): cells into a buffer, commas and line ends its own business.
 * Owner: borrows the buffer. One thread at a time.
 * What a spreadsheet would run as a formula is made a text by an apostrophe (OWASP, "CSV Injection"); numbers stay.
 * Never changes a text otherwise: UTF-8 in, UTF-8 out, no byte order mark.
 * Next: store/query.h, which writes a statement's rows. */
#ifndef INNKEEPER_BASE_CSV_H
#define INNKEEPER_BASE_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/uuid.h"

struct csv_out {
	struct buffer *to;
	bool first; /* nothing stands yet in the line */
};

void csv_out_init(struct csv_out *out, struct buffer *to);

void csv_put_text(struct csv_out *out, struct text value); /* absent: an empty cell; empty: "" */
void csv_put_int(struct csv_out *out, int64_t value);      /* INT64_MIN: an empty cell */
void csv_put_real(struct csv_out *out, double value);      /* as JSON has it; NaN and infinities: an empty cell */
void csv_put_bool(struct csv_out *out, bool value);        /* true, false */
void csv_put_uuid(struct csv_out *out, const struct uuid *value); /* nil: an empty cell */
void csv_put_time(struct csv_out *out, int64_t time);             /* ISO 8601; INT64_MIN: an empty cell */
void csv_end_line(struct csv_out *out);

#endif
