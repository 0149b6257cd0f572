/* What a route answers, in a notation short enough for its row, and as JSON Schema (2020-12, the one of OpenAPI 3.1).
 * Owner: nobody; the notation is constant text of routes.c. Any thread.
 *
 *   reply   = [ status " " ] type            200 when it says none
 *   type    = ( word | object | list ) [ "?" ] | row        "?": or null
 *   word    = text id int number flag time true object any
 *   object  = "{" [ member { "," member } ] "}"
 *   member  = name [ "?" ] ":" type | "..." row             "?": may be missing; "...": the row's members
 *   list    = "[" type "]"
 *   row     = statement [ "." count ] [ "(" name "?" { "," name "?" } ")" ]
 *             its out columns behind the first `count`; those named may be null
 *
 * Never describes what a handler does not write: tests/api/openapi.test.mjs holds real answers against it.
 * Next: openapi.c, who asks; routes.c, where the notation stands. */
#ifndef INNKEEPER_API_REPLY_SHAPE_H
#define INNKEEPER_API_REPLY_SHAPE_H

#include <stdbool.h>

#include "base/json_out.h"

/* The status, and what is behind it. */
unsigned reply_shape_status(const char *notation, struct text *type);

/* Writes the schema of a type, a value of its own. false: the notation is wrong, and what was written is worthless. */
bool reply_shape_write(struct text type, struct json_out *out) __attribute__((warn_unused_result));

#endif
