#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/size.h"

#define EMAIL_BYTES      254
#define FIRST_CAPACITY   ((size_t)256)
#define BYTES_OF(byte)   (UINT64_C(0x0101010101010101) * (byte))
#define CONTINUES(byte)  (((byte)&0xC0) == 0x80)
#define IS_SPACE(letter) ((letter) == ' ' || ((letter) >= '\t' && (letter) <= '\r'))

struct text text_of(const char *string)
{
	return string ? (struct text){ string, strlen(string) } : (struct text){ NULL, 0 };
}

bool text_equal(struct text a, struct text b)
{
	if (!a.at || !b.at)
		return !a.at && !b.at;
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

static char lower(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter;
}

bool text_equal_ignoring_case(struct text a, struct text b)
{
	if (!a.at || !b.at)
		return !a.at && !b.at;
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	return true;
}

bool text_starts(struct text text, struct text prefix)
{
	if (!text.at || !prefix.at || prefix.length > text.length)
		return false;
	return prefix.length == 0 || memcmp(text.at, prefix.at, prefix.length) == 0;
}

struct text text_trim(struct text text)
{
	while (text.length && IS_SPACE(text.at[0])) {
		text.at++;
		text.length--;
	}
	while (text.length && IS_SPACE(text.at[text.length - 1]))
		text.length--;
	return text;
}

struct text text_copy(struct arena *arena, struct text text)
{
	if (!text.at)
		return text;
	char *copy = arena_copy(arena, text.at, text.length);
	return copy ? (struct text){ copy, text.length } : (struct text){ NULL, 0 };
}

struct text text_first(struct text text, size_t characters)
{
	size_t end = 0;

	while (end < text.length && characters--) {
		end++;
		while (end < text.length && CONTINUES(text.at[end]))
			end++;
	}
	text.length = end;
	return text;
}

/* The length of the UTF-8 sequence at `at`, of which `left` bytes are there; 0 when it is none (RFC 3629, 4). */
static size_t sequence_length(const unsigned char *at, size_t left)
{
	if (at[0] < 0x80)
		return at[0] != 0;
	if (at[0] < 0xC2 || at[0] > 0xF4)
		return 0;
	size_t length = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
	if (left < length)
		return 0;
	unsigned char least = at[0] == 0xE0 ? 0xA0 : at[0] == 0xF0 ? 0x90 : 0x80;
	unsigned char most = at[0] == 0xED ? 0x9F : at[0] == 0xF4 ? 0x8F : 0xBF;
	if (at[1] < least || at[1] > most)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (!CONTINUES(at[i]))
			return 0;
	return length;
}

bool text_is_utf8(struct text text)
{
	const unsigned char *at = (const unsigned char *)text.at;
	size_t left = text.length;

	while (left) {
		uint64_t eight;

		if (left >= sizeof eight) {
			memcpy(&eight, at, sizeof eight);
			/* A high bit of the difference shows a NUL, one of the bytes themselves what is not ASCII. */
			if (((eight | (eight - BYTES_OF(1))) & BYTES_OF(0x80)) == 0) {
				at += sizeof eight;
				left -= sizeof eight;
				continue;
			}
		}
		size_t length = sequence_length(at, left);
		if (length == 0)
			return false;
		at += length;
		left -= length;
	}
	return true;
}

static bool is_address(struct text text)
{
	const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text.at;
	size_t left = text.length;
	const char *sign = memchr(text.at, '@', text.length);

	if (text.length > EMAIL_BYTES || !sign || sign == text.at || sign == text.at + text.length - 1 ||
	    memchr(sign + 1, '@', left - (size_t)(sign + 1 - text.at)))
		return false;
	while (left) {
		utf8proc_int32_t character;
		utf8proc_ssize_t length = utf8proc_iterate(at, (utf8proc_ssize_t)left, &character);

		if (length <= 0)
			return false;
		switch (utf8proc_category(character)) {
		case UTF8PROC_CATEGORY_CC:
		case UTF8PROC_CATEGORY_ZS:
		case UTF8PROC_CATEGORY_ZL:
		case UTF8PROC_CATEGORY_ZP:
			return false;
		default:
			at += length;
			left -= (size_t)length;
		}
	}
	return true;
}

static enum err fold(struct text text, utf8proc_uint8_t **out, size_t *bytes)
{
	const utf8proc_ssize_t length = utf8proc_map((const utf8proc_uint8_t *)text.at, (utf8proc_ssize_t)text.length,
						     out, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);

	if (length < 0)
		return length == UTF8PROC_ERROR_NOMEM ? ERR_MEMORY : ERR_INVALID;
	*bytes = (size_t)length;
	return OK;
}

enum err text_fold(struct arena *arena, struct text text, struct text *out)
{
	utf8proc_uint8_t *folded = NULL;
	size_t bytes = 0;
	enum err err;

	*out = (struct text){ NULL, 0 };
	if (text.length == 0) {
		*out = text;
		return OK;
	}
	if (!text_is_utf8(text))
		return ERR_INVALID;
	err = fold(text, &folded, &bytes);
	if (err != OK)
		return err;
	*out = text_copy(arena, (struct text){ (const char *)folded, bytes });
	free(folded);
	return out->at ? OK : ERR_MEMORY;
}

bool text_holds(struct text text, struct text part)
{
	return part.length == 0 || (text.length > 0 && memmem(text.at, text.length, part.at, part.length) != NULL);
}

enum err text_email(struct arena *arena, struct text raw, struct text *out)
{
	struct text trimmed = text_trim(raw);
	utf8proc_uint8_t *folded = NULL;
	enum err err = ERR_INVALID;

	*out = (struct text){ NULL, 0 };
	/* Composing shortens a text, but never to less than a quarter. */
	if (!trimmed.length || trimmed.length > (size_t)4 * EMAIL_BYTES || !text_is_utf8(trimmed))
		return ERR_INVALID;
	size_t bytes = 0;
	err = fold(trimmed, &folded, &bytes);
	if (err != OK)
		return err;
	err = ERR_INVALID;
	struct text whole = { (const char *)folded, bytes };
	if (is_address(whole)) {
		*out = text_copy(arena, whole);
		err = out->at ? OK : ERR_MEMORY;
	}
	free(folded);
	return err;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = lower(digit);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

enum err text_percent_decode(struct arena *arena, struct text raw, bool plus, struct text *out)
{
	size_t length = 0;

	*out = (struct text){ NULL, 0 };
	char *decoded = arena_copy(arena, raw.at, raw.length);
	if (!decoded)
		return ERR_MEMORY;
	for (size_t i = 0; i < raw.length; i++) {
		char letter = raw.at[i];

		if (letter == '+' && plus) {
			letter = ' ';
		} else if (letter == '%') {
			if (raw.length - i < 3)
				return ERR_INVALID;
			int high = hex_value(raw.at[i + 1]);
			int low = hex_value(raw.at[i + 2]);
			if (high < 0 || low < 0)
				return ERR_INVALID;
			letter = (char)(high * 16 + low);
			i += 2;
		}
		decoded[length++] = letter;
	}
	decoded[length] = '\0';
	/* A U+0000, however it was written, is not valid here. */
	if (!text_is_utf8((struct text){ decoded, length }))
		return ERR_INVALID;
	*out = (struct text){ decoded, length };
	return OK;
}

enum err text_to_int(struct text text, int64_t *out)
{
	bool minus = text.length && text.at[0] == '-';
	int64_t value = 0;

	if (text.length == (minus ? 1 : 0))
		return ERR_INVALID;
	for (size_t i = minus ? 1 : 0; i < text.length; i++) {
		int digit = text.at[i] - '0';

		/* Counted downwards: the least of int64_t has no positive twin. */
		if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit, &value))
			return ERR_INVALID;
	}
	if (!minus && value == INT64_MIN)
		return ERR_INVALID;
	*out = minus ? value : -value;
	return OK;
}

void text_hex(const uint8_t *bytes, size_t count, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

void text_base62(uint64_t value, size_t digits, char *out)
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	while (digits--) {
		out[digits] = alphabet[value % 62];
		value /= 62;
	}
}

uint32_t text_crc32(const void *bytes, size_t length)
{
	/* Half a byte at a time: what is summed here is short. */
	static const uint32_t table[16] = {
		0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
		0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
	};
	const uint8_t *at = bytes;
	uint32_t sum = 0xFFFFFFFF;

	for (size_t i = 0; i < length; i++) {
		sum ^= at[i];
		sum = (sum >> 4) ^ table[sum & 15];
		sum = (sum >> 4) ^ table[sum & 15];
	}
	return ~sum;
}

void buffer_init(struct buffer *buffer, size_t limit)
{
	*buffer = (struct buffer){ .limit = limit };
}

void buffer_fini(struct buffer *buffer)
{
	free(buffer->at);
	buffer_init(buffer, buffer->limit);
}

/* Room for `more` bytes; one byte behind the capacity is always there for the NUL of a formatted text. */
static bool reserve(struct buffer *buffer, size_t more)
{
	size_t needed;
	size_t bytes;

	if (buffer->failed)
		return false;
	if (buffer->at && more <= buffer->capacity - buffer->length)
		return true;
	if (!size_add(buffer->length, more, &needed) || needed > buffer->limit) {
		buffer->failed = true;
		return false;
	}
	size_t capacity = buffer->capacity < FIRST_CAPACITY / 2 ? FIRST_CAPACITY : buffer->capacity;
	if (buffer->capacity && !size_multiply(capacity, 2, &capacity))
		capacity = needed;
	if (capacity > buffer->limit)
		capacity = buffer->limit;
	if (capacity < needed)
		capacity = needed;
	char *at = size_add(capacity, 1, &bytes) ? realloc(buffer->at, bytes) : NULL;
	if (!at) {
		buffer->failed = true;
		return false;
	}
	buffer->at = at;
	buffer->capacity = capacity;
	return true;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
	if (length == 0 || !reserve(buffer, length))
		return;
	memcpy(buffer->at + buffer->length, bytes, length);
	buffer->length += length;
}

void buffer_text(struct buffer *buffer, struct text text)
{
	buffer_add(buffer, text.at, text.length);
}

void buffer_string(struct buffer *buffer, const char *string)
{
	buffer_add(buffer, string, strlen(string));
}

void buffer_int(struct buffer *buffer, int64_t value)
{
	char digits[20]; /* of INT64_MIN, with its sign */
	size_t start = sizeof digits;
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		digits[--start] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		digits[--start] = '-';
	buffer_add(buffer, digits + start, sizeof digits - start);
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	va_list again;

	if (!reserve(buffer, 0))
		return;
	va_start(arguments, format);
	va_copy(again, arguments);
	size_t room = buffer->capacity - buffer->length;
	int length = vsnprintf(buffer->at + buffer->length, room + 1, format, arguments);
	if (length < 0)
		buffer->failed = true;
	else if ((size_t)length > room && reserve(buffer, (size_t)length))
		(void)vsnprintf(buffer->at + buffer->length, (size_t)length + 1, format, again);
	if (!buffer->failed)
		buffer->length += (size_t)length;
	va_end(again);
	va_end(arguments);
}

void buffer_cut(struct buffer *buffer, size_t length)
{
	if (length < buffer->length)
		buffer->length = length;
}

struct text buffer_copy(const struct buffer *buffer, struct arena *arena)
{
	const struct text written = { buffer->at != NULL ? buffer->at : "", buffer->length };

	return text_copy(arena, buffer->failed ? text_of(NULL) : written);
}

char *buffer_detach(struct buffer *buffer, size_t *length)
{
	char *at = NULL;

	*length = 0;
	if (!buffer->failed && buffer->length) {
		at = buffer->at;
		*length = buffer->length;
		buffer->at = NULL;
		buffer_init(buffer, buffer->limit);
	}
	return at;
}
