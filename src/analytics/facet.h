/* What a chat or a visitor is a case of: device, city, country, interests. Pure functions of what was sent.
 * Owner: results borrow from what was given, or live in the arena.
 * Rules are the wire contract's: what counts for nothing gives an absent text.
 * Never changes its mind about old rows: a stored chat must give tomorrow what it gave today, or be recounted.
 * Next: counting.c, recount.c. */
#ifndef INNKEEPER_ANALYTICS_FACET_H
#define INNKEEPER_ANALYTICS_FACET_H

#include "analytics/metric.h"
#include "base/arena.h"
#include "base/text.h"

/* Mobile (phones and tablets), Desktop, or Unknown (no user agent). */
struct text facet_device(struct text user_agent);

/* Of "City, State, Country" the first part and the last; the country by its usual name. Absent when the address, or the
 * part, is empty, `unknown`, `n/a` or an IP address. At most 100 characters. */
struct text facet_city(struct text location);
struct text facet_country(struct text location);

struct interest {
	enum metric metric; /* METRIC_SEASON and so on */
	struct text value;
};

struct interests {
	const struct interest *list; /* no value twice for one metric */
	size_t count;
};

/* Of a visitor's metadata (JSON, or absent): `season` and `travelerType`, a text or an object whose `name`, `label` or
 * `value` is one; `preferences` and `vibes`, lists of texts, the first hundred of each. ERR_MEMORY. */
enum err facet_interests(struct arena *arena, struct text metadata, struct interests *out) WARN_UNUSED;

#endif
