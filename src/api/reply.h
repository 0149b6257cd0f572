/* How an outcome becomes an HTTP reply: the one table of errors.
 * Owner: nobody; fills the request's reply. Any thread.
 * An error's body is {"error", "code"} and, for a field, "field".
 * Never tells SQL, a path, a stack, or whether something exists elsewhere.
 * Next: dispatch.c. */
#ifndef INNKEEPER_API_REPLY_H
#define INNKEEPER_API_REPLY_H

#include "base/json_out.h"
#include "net/http.h"

/* The status, code and sentence of an outcome; what the fault leaves open is filled from the table. */
unsigned reply_status(enum err err);
const char *reply_code(enum err err, const struct fault *fault);
const char *reply_sentence(enum err err, const struct fault *fault);

/* The members error, code and field into an object that is open. */
void reply_members(enum err err, const struct fault *fault, struct json_out *out);

/* The whole reply: any body begun before is thrown away. */
void reply_fault(struct http_request *request, enum err err, const struct fault *fault);

/* The same for what has a status of its own (404 of a path, 405, and net's refusals). */
void reply_refusal(struct http_request *request, unsigned status, const char *code, const char *sentence);

#endif
