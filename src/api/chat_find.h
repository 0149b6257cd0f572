/* A chat by either of its ids: the concierge's chat_id, or our own.
 * Owner: called by handlers; see call.h.
 * The concierge's name wins, since it chose it.
 * Never finds a chat of another organization.
 * Next: visitors.c, users.c. */
#ifndef INNKEEPER_API_CHAT_FIND_H
#define INNKEEPER_API_CHAT_FIND_H

#include "api/call.h"

/* ERR_NOT_FOUND when there is none. */
enum err chat_find(struct call *call, struct text either_id, struct chat_by_external_id_out *out) WARN_UNUSED;

#endif
