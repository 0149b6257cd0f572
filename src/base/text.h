/* Texts from outside (pointer and length), growing buffers, and the encodings that the house speaks.
 * Owner: a text borrows; a buffer owns its bytes until buffer_fini or buffer_detach.
 * Failure of a buffer is sticky: remembered, tested once before the first byte leaves.
 * Never relies on a NUL at the end of a text; never uses the C library's locale.
 * Next: base/json_out.h, which writes into a buffer. */
#ifndef INNKEEPER_BASE_TEXT_H
#define INNKEEPER_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* `at` NULL means absent (SQL's NULL, JSON's missing); absent and empty differ. */
struct text {
	const char *at;
	size_t length; /* bytes */
};

#define TEXT(literal) ((struct text){ (literal), sizeof(literal) - 1 })

struct text text_of(const char *string); /* a NUL-terminated string, or NULL: absent */
bool text_equal(struct text a, struct text b);
bool text_equal_ignoring_case(struct text a, struct text b); /* ASCII letters only */
bool text_starts(struct text text, struct text prefix);
struct text text_trim(struct text text);                      /* ASCII white space at both ends */
struct text text_copy(struct arena *arena, struct text text); /* absent stays absent, also when memory is out */

/* The first `characters` code points of valid UTF-8. */
struct text text_first(struct text text, size_t characters);

/* Valid UTF-8 as RFC 3629 has it (no surrogates, no overlong forms, nothing past U+10FFFF) without U+0000. */
bool text_is_utf8(struct text text);

/* An e-mail as it is compared: trimmed, normalised (NFC) and case-folded with Unicode's full folding (utf8proc).
 * ERR_INVALID unless it has one `@` with something on both sides, no white space or control character, and at most 254
 * bytes (RFC 5321, 4.5.3.1.3). The result lives in the arena. */
enum err text_email(struct arena *arena, struct text raw, struct text *out) WARN_UNUSED;

/* A text as it is compared without case: normalised (NFC) and case-folded as an e-mail is. ERR_INVALID: no valid UTF-8.
 */
enum err text_fold(struct arena *arena, struct text text, struct text *out) WARN_UNUSED;

/* Whether `part` stands somewhere in the text, byte by byte; the empty one does. */
bool text_holds(struct text text, struct text part);

/* Decodes percent-encoding (RFC 3986, 2.1); `plus` turns `+` into a blank as forms do. ERR_INVALID on a lone `%`,
 * on %00 and on a result that is not UTF-8. */
enum err text_percent_decode(struct arena *arena, struct text raw, bool plus, struct text *out) WARN_UNUSED;

/* A decimal integer with an optional minus, nothing else around it, in range of int64_t. */
enum err text_to_int(struct text text, int64_t *out) WARN_UNUSED;

void text_hex(const uint8_t *bytes, size_t count, char *out /* 2 * count + 1 */);
/* The `digits` lowest base-62 digits (0-9 A-Z a-z) of `value`, most significant first, no NUL. */
void text_base62(uint64_t value, size_t digits, char *out);
/* CRC-32 as in zlib and PNG (ISO 3309). */
uint32_t text_crc32(const void *bytes, size_t length);

struct buffer {
	char *at;
	size_t length;
	size_t capacity;
	size_t limit; /* bytes; growth past it fails */
	bool failed;
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_fini(struct buffer *buffer);
void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_text(struct buffer *buffer, struct text text);
void buffer_string(struct buffer *buffer, const char *string);
void buffer_int(struct buffer *buffer, int64_t value);
void buffer_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Forgets everything behind `length`: an item that failed leaves nothing. */
void buffer_cut(struct buffer *buffer, size_t length);
/* A copy of what is written so far, in the arena; absent when the buffer failed or the arena is out. */
struct text buffer_copy(const struct buffer *buffer, struct arena *arena);
/* Hands the bytes over; the caller frees them with free(). NULL when the buffer failed or is empty. */
char *buffer_detach(struct buffer *buffer, size_t *length);

#endif
