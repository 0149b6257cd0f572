/* An API key of an older system, taken over as it is, so that who has it need not be told.
 * Owner: called on any thread but the writer's; the key is borrowed.
 * The system's scope is entered to see whose the key is already.
 * Never takes one that another organization has or had, nor brings back one that was revoked.
 * Next: api_key.h. */
#ifndef INNKEEPER_AUTH_ADOPTING_H
#define INNKEEPER_AUTH_ADOPTING_H

#include "auth/api_key.h"
#include "store/writer.h"

/* `key` is plausible (api_key.h). ERR_CONFLICT: the organization has or had it already. ERR_FORBIDDEN: another one. */
enum err adopting_key(struct writer *writer, const struct scope *scope, struct text key, int64_t now) WARN_UNUSED;

#endif
