/* What articles and web results were shown and opened, one row each.
 * Owner: called by dispatch.c; see call.h.
 * Out of rollups and catalogues; what one chat or one visitor was shown is counted from its own rows.
 * Never more than 1,000 rows.
 * Next: analytics/figures.h. */
#ifndef INNKEEPER_API_ARTICLE_STATS_H
#define INNKEEPER_API_ARTICLE_STATS_H

#include "api/call.h"

extern const struct json_shape article_stats_query;
extern const struct json_shape web_pages_query;

enum err article_stats_show(struct call *call) WARN_UNUSED;
enum err web_pages_list(struct call *call) WARN_UNUSED;

#endif
