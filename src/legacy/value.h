/* One value of an old row as what we store: text, time, flag, JSON. What it is not, its record says.
 * Owner: results live in the arena, or borrow from the row. The importing thread.
 * Lenient where a meaning is certain (many ways to write a time), else refused or left out, and told.
 * Never lets through what the API would refuse: no UTF-8, U+0000, too long.
 * Next: people.c. */
#ifndef INNKEEPER_LEGACY_VALUE_H
#define INNKEEPER_LEGACY_VALUE_H

#include "legacy/record.h"

struct json_value; /* base/json_in.h */

enum legacy_need {
	LEGACY_REQUIRED, /* the row is refused without it */
	LEGACY_WHOLE,    /* the row is refused when it is too long */
	LEGACY_CUT,      /* what is too long is cut, and noted */
};

/* Trimmed; absent when it is empty. `max` in bytes. */
struct text legacy_text(struct arena *arena, const struct legacy_row *row, enum legacy_column column, size_t max,
			enum legacy_need need, struct legacy_record *record);

/* What is said, untouched, and required. */
struct text legacy_content(struct arena *arena, const struct legacy_row *row, struct legacy_record *record);

/* Milliseconds; DB_NULL: there is none. ISO 8601, PostgreSQL's own form, or a number since 1970 in seconds,
 * milliseconds or microseconds, told apart by its size. Anything else is noted and left out. */
int64_t legacy_time(struct arena *arena, const struct legacy_row *row, enum legacy_column column,
		    struct legacy_record *record);
/* The same text; false: it is none. */
bool legacy_parse_time(struct text text, int64_t *out);

bool legacy_flag(const struct legacy_row *row, enum legacy_column column); /* false when it cannot be told */

/* A JSON object, compact. What is none, or too large, is noted and left out; U+0000 is taken out of it. ERR_MEMORY. */
enum err legacy_object(struct arena *arena, const struct legacy_row *row, enum legacy_column column,
		       const struct json_value **out, struct legacy_record *record) WARN_UNUSED;

/* The e-mail as it is compared; absent: there is none, or a placeholder of the old system's. What is none is noted. */
struct text legacy_email(struct arena *arena, const struct legacy_row *row, struct legacy_record *record);

#endif
