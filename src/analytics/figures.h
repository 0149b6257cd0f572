/* Figures of a range of days, out of the rollups: exact, at a price that its days bound and not what happened in them.
 * Owner: results live in the arena or where the caller says. The thread that holds the db, in one transaction, so that
 * all figures are of one moment.
 * A range falls into days, whole blocks of 32 days, and days: at most three look-ups a figure.
 * Never reads a raw row. Next: api/analytics.c, which lays them out. */
#ifndef INNKEEPER_ANALYTICS_FIGURES_H
#define INNKEEPER_ANALYTICS_FIGURES_H

#include "analytics/metric.h"
#include "base/arena.h"
#include "store/db.h"

#define FIGURES_DAYS_MAX 7305 /* of a range: twenty years */

struct figures {
	struct db *db;
	struct arena *arena;
	int64_t edition;
	struct text zone; /* whose days they are */
};

/* Which figures the scope that is entered reads. ERR_UNAVAILABLE: they are being counted for the first time. */
enum err figures_open(struct figures *out, struct db *db, struct arena *arena) WARN_UNUSED;

struct range {
	bool ever; /* all time; else `from` to `to`, inclusive */
	int64_t from;
	int64_t to;
};

/* What adds up, a facet's labels together. */
enum err figures_count(const struct figures *figures, enum metric metric, const struct range *range,
		       int64_t *out) WARN_UNUSED;

/* What is counted once: distinct members. */
enum err figures_members(const struct figures *figures, enum metric metric, const struct range *range,
			 int64_t *out) WARN_UNUSED;

/* The same for each single day of a range that is not `ever`: `out` holds a number for each. */
enum err figures_count_by_day(const struct figures *figures, enum metric metric, const struct range *range,
			      int64_t *out) WARN_UNUSED;
enum err figures_members_by_day(const struct figures *figures, enum metric metric, const struct range *range,
				int64_t *out) WARN_UNUSED;

struct figure_label {
	struct text label;
	int64_t amount;
};

/* A facet's labels, the largest amount first, then by label. */
enum err figures_labels(const struct figures *figures, enum metric metric, const struct range *range,
			struct figure_label **out, size_t *count) WARN_UNUSED;

#endif
