/* One JSON text as a tree: the only room that knows jansson.
 * Owner: the arena of the parse holds the whole tree. One thread at a time per arena.
 * The text is scanned once before jansson sees it: depth, and numbers that a double would not keep (RFC 7493, 2.2).
 * Never includes json_out.h or json_in.h: jansson has names of theirs.
 * Next: base/json_in.h, which is what other floors use. */
#ifndef INNKEEPER_BASE_JSON_TREE_H
#define INNKEEPER_BASE_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#define JSON_TREE_DEPTH 32

struct json_value; /* opaque: jansson's */

enum json_tree_kind {
	JSON_TREE_NULL,
	JSON_TREE_FLAG,
	JSON_TREE_INT,
	JSON_TREE_REAL,
	JSON_TREE_TEXT,
	JSON_TREE_OBJECT,
	JSON_TREE_ARRAY,
};

/* What a value is; `text` borrows from the arena. */
struct json_tree_view {
	enum json_tree_kind kind;
	bool flag;
	int64_t number;
	double real;
	struct text text;
	const struct json_value *value; /* of an object or an array */
};

/* Sets jansson's allocator and the seed of its hashes. Once, before the first thread starts. */
void json_tree_init(void);

/* As json_parse of json_in.h. `fault` may be NULL. */
enum err json_tree_parse(struct text body, struct arena *arena, const struct json_value **out,
			 struct fault *fault) WARN_UNUSED;

/* A number alone, as JSON writes it: false when it is none, or none that a double keeps. */
bool json_tree_number(struct text text, double *out) WARN_UNUSED;

struct json_tree_view json_tree_look(const struct json_value *value); /* NULL: as null */

size_t json_tree_count(const struct json_value *array); /* 0 for anything else */
const struct json_value *json_tree_at(const struct json_value *array, size_t index);

/* NULL when there is no such member, or no object. */
const struct json_value *json_tree_member(const struct json_value *object, struct text name);

/* The members in the order sent; `step` is NULL behind the last. */
struct json_tree_member {
	void *step;
	struct text name;
	const struct json_value *value;
};
struct json_tree_member json_tree_first(const struct json_value *object);
struct json_tree_member json_tree_next(const struct json_value *object, struct json_tree_member member);

#endif
