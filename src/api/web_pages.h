/* Web results by their address, one row each: how often shown and clicked, the one shown last first.
 * Owner: called by dispatch.c; see call.h.
 * Out of a catalogue; what one chat or one visitor was shown is counted from its own rows.
 * Never tells a chat or visitor of another organization from one that was shown nothing.
 * Next: list.h; sql/web_pages.sql. */
#ifndef INNKEEPER_API_WEB_PAGES_H
#define INNKEEPER_API_WEB_PAGES_H

#include "api/call.h"

extern const struct json_shape web_pages_query;

enum err web_pages_list(struct call *call) WARN_UNUSED;

#endif
