/* UUID version 7 (RFC 9562, 5.7): ids that grow with time, so that new rows land beside each other.
 * Owner: nobody; a value of 16 bytes. Any thread.
 * The nil UUID stands for "none" everywhere in this code; it is never given out.
 * Never guessable: 74 random bits from the system beside the time.
 * Next: store/db.h, which stores them as 16 bytes. */
#ifndef INNKEEPER_BASE_UUID_H
#define INNKEEPER_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

#define UUID_TEXT_SIZE 37 /* 36 characters and a NUL */

struct uuid {
	uint8_t bytes[16];
};

struct uuid uuid_new(void);               /* of this millisecond */
struct uuid uuid_new_at(int64_t time_ms); /* of a given one: rows brought in late keep their place in time */
bool uuid_is_nil(const struct uuid *id);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
void uuid_format(const struct uuid *id, char out[UUID_TEXT_SIZE]); /* lower case */

/* The 8-4-4-4-12 form in either case, any version. ERR_INVALID for anything else and for nil. */
enum err uuid_parse(struct text text, struct uuid *out) WARN_UNUSED;

#endif
