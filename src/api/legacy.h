/* The import from an older single-tenant CRM, as the operator asks for it.
 * Owner: called by dispatch.c; see call.h. Runs on an errand's thread, in the organization's scope.
 * Answers when it is done, with how many rows of what; the log tells of its progress.
 * Never answers with what stands in a row.
 * Next: legacy/legacy.h. */
#ifndef INNKEEPER_API_LEGACY_H
#define INNKEEPER_API_LEGACY_H

#include "api/call.h"

extern const struct json_shape legacy_body;

enum err legacy_take(struct call *call) WARN_UNUSED;

#endif
