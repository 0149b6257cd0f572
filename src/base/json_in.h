/* JSON from outside, strict: parsed by jansson into an arena, then filled into a handler's struct by a descriptor.
 * Owner: everything made here lives in the arena given. One thread at a time per arena.
 * Strict: UTF-8, no duplicate key, no U+0000, depth 32, numbers that a double keeps exactly or not at all (RFC 7493).
 * Never calls malloc per value: jansson allocates from the arena of the call.
 * Next: api/routes.c, where the descriptors hang. */
#ifndef INNKEEPER_BASE_JSON_IN_H
#define INNKEEPER_BASE_JSON_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#define JSON_DEPTH  32
#define JSON_ABSENT INT64_MIN /* an int or a time that was not given */

/* How a value is checked and what the handler's struct holds for it. null counts as not given, and so does an empty
 * text unless a list or an object is meant, or the field `clears`. A fault's field may live in the arena. */
enum json_kind {
	JSON_TEXT,   /* struct text; min..max bytes; an empty optional text counts as not given */
	JSON_EMAIL,  /* struct text, as text_email makes it */
	JSON_CHOICE, /* struct text, one of `choices` */
	JSON_INT,    /* int64_t, min..max; JSON_ABSENT */
	JSON_NUMBER, /* double; NaN when not given */
	JSON_FLAG,   /* bool; false when not given */
	JSON_TIME,   /* int64_t ms, ISO 8601 in JSON; JSON_ABSENT */
	JSON_OBJECT, /* struct text: the object, compact, keys in the order sent; at most max bytes */
	JSON_LIST,   /* struct json_list of `items`; min..max elements */
};

struct json_shape;

struct json_field {
	const char *name;
	const char *alias; /* an older name, taken when `name` is not given; or NULL */
	enum json_kind kind;
	bool required;
	bool clears;   /* of a JSON_TEXT: null and an empty text are given, both as an empty text */
	size_t offset; /* of the member in the handler's struct */
	int64_t min;
	int64_t max;                    /* 0: none, but for texts 200 bytes */
	const char *fallback;           /* text of a choice or text that was not given, or NULL */
	const char *const *choices;     /* NULL-terminated */
	const struct json_shape *items; /* elements of a list: objects */
	const char *about;              /* for people: the API page is made from it */
};

struct json_shape {
	size_t size; /* of the handler's struct */
	const struct json_field *fields;
	size_t count;
};

#define JSON_SHAPE(type, table)                                                                                        \
	{                                                                                                              \
		sizeof(struct type), (table), sizeof(table) / sizeof((table)[0])                                       \
	}

struct json_list {
	void *items; /* `count` structs of the shape's size */
	size_t count;
	bool given;
};

struct json_value; /* opaque; lives in the arena */

/* Sets the allocator of jansson. Once, before the first thread starts. */
void json_in_init(void);

/* One JSON text. ERR_INVALID with code invalid_json and a place ("line 3, column 7"), ERR_TOO_LARGE past the arena's
 * cap. */
enum err json_parse(struct text body, struct arena *arena, const struct json_value **out,
		    struct fault *fault) WARN_UNUSED;

/* Fills `out` (shape->size bytes, zeroed here) from an object. Unknown members are ignored. ERR_INVALID with
 * missing_field or invalid_field and the field's name. */
enum err json_fill(const struct json_value *object, const struct json_shape *shape, struct arena *arena, void *out,
		   struct fault *fault) WARN_UNUSED;

/* The same from a query string's or a command line's pairs: numbers and times are read from text. Pairs are
 * `name`/`value`, already decoded. A name given twice is ERR_INVALID. */
struct json_pair {
	struct text name;
	struct text value;
};
enum err json_fill_pairs(const struct json_pair *pairs, size_t count, const struct json_shape *shape,
			 struct arena *arena, void *out, struct fault *fault) WARN_UNUSED;

bool json_is_object(const struct json_value *value);
bool json_is_array(const struct json_value *value);
size_t json_count(const struct json_value *array);
const struct json_value *json_at(const struct json_value *array, size_t index);
/* NULL when there is no such member, or no object. */
const struct json_value *json_member(const struct json_value *object, const char *name);
/* A member's text, or absent. */
struct text json_member_text(const struct json_value *object, const char *name);
struct text json_text(const struct json_value *value); /* absent when it is none */
bool json_is_true(const struct json_value *value);     /* true itself: no text, no number */

/* `over` merged key by key (one level) into `base`: keys of `base` keep their place, new ones follow. Either may be
 * absent. Both are objects that json_parse took. The result is compact and lives in the arena. */
enum err json_merge(struct arena *arena, struct text base, struct text over, struct text *out) WARN_UNUSED;

/* A value as it is written shortest, in the arena. */
enum err json_compact(struct arena *arena, const struct json_value *value, struct text *out) WARN_UNUSED;

/* An object without some of its members (NULL-terminated names), compact, in the arena. */
enum err json_without(struct arena *arena, const struct json_value *object, const char *const *names,
		      struct text *out) WARN_UNUSED;

#endif
