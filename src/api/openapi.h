/* The API's description of itself: OpenAPI 3.1.0, made from the route table and its descriptors.
 * Owner: the text lives as long as the server, which makes it once and frees it. Any thread reads it.
 * Routes of the control socket are not in it: nobody reaches them over the network.
 * Never says of a body what the descriptor does not, or of a reply what the row's notation does not.
 * Next: reply_shape.h (the notation), base/json_in.h (the descriptors). */
#ifndef INNKEEPER_API_OPENAPI_H
#define INNKEEPER_API_OPENAPI_H

#include "api/call.h"

/* The document, one line; `*out` is freed by the caller. `*wrong` is the first row whose `.reply` is missing or wrong,
 * or NULL: what it answers is then left open, since a slip in a description stops no server. ERR_MEMORY. */
enum err openapi_make(struct text *out, const struct route **wrong) WARN_UNUSED;

/* GET /openapi.json */
enum err openapi_show(struct call *call) WARN_UNUSED;

#endif
