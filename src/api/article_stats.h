/* How often articles were mentioned and opened, one row each.
 * Owner: called by dispatch.c; see call.h.
 * Out of the rollups, with the names that the catalogue has.
 * Never a page whose totals are its own: they are of all.
 * Next: analytics/figures.h, list_held.h. */
#ifndef INNKEEPER_API_ARTICLE_STATS_H
#define INNKEEPER_API_ARTICLE_STATS_H

#include "api/call.h"

extern const struct json_shape article_stats_query;

enum err article_stats_show(struct call *call) WARN_UNUSED;

#endif
