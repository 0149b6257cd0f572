/* The dashboard's figures: totals, days one by one, conversion, who the chats and visitors are.
 * Owner: called by dispatch.c; see call.h. Each reads rollups alone, in the reading transaction it is called in.
 * All take the days of range.h; the same figures of the days before stand in `previous` when asked for (null: before
 * all time there is nothing). Never rounds a count; percentages have one decimal. Next: analytics/figures.h. */
#ifndef INNKEEPER_API_ANALYTICS_H
#define INNKEEPER_API_ANALYTICS_H

#include "api/call.h"

extern const struct json_shape analytics_query;

enum err analytics_summary(struct call *call) WARN_UNUSED;
enum err analytics_activity(struct call *call) WARN_UNUSED;
enum err analytics_totals(struct call *call) WARN_UNUSED;
enum err analytics_conversion(struct call *call) WARN_UNUSED;
enum err analytics_composition(struct call *call) WARN_UNUSED;
enum err analytics_interests(struct call *call) WARN_UNUSED;

#endif
