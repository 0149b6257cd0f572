/* Another edition of an organization's figures: for another time zone, or because the one there is was found wrong.
 * Owner: the writer's thread, in the organization's scope.
 * It is built in small steps out of raw rows, beside the one that is read, which stays exact meanwhile: an event whose
 * raw row the build has passed moves both. Then it is read instead, in one transaction, and the old one's rows are
 * removed in steps. What is under way stands in rollup_states: a crash resumes.
 * Never holds the writer longer than some milliseconds, but for one conversation as a whole.
 * Next: background.c, which drives it; counting.c, which asks how far it is. */
#ifndef INNKEEPER_ANALYTICS_BUILD_H
#define INNKEEPER_ANALYTICS_BUILD_H

#include "analytics/counting.h"

/* The organization's days are those of `zone` from now on: the figures follow as soon as they are built. Also sets the
 * organization's time_zone. ERR_INVALID: no such zone. */
enum err build_change_zone(const struct counting *counting, struct text zone, int64_t now) WARN_UNUSED;

/* Of an organization whose raw rows came without figures: they are counted for the first time, by the days of `zone`.
 */
enum err build_first(const struct counting *counting, struct text zone) WARN_UNUSED;

/* The figures are counted again from raw rows, in their time zone. */
enum err build_again(const struct counting *counting) WARN_UNUSED;

/* The next step of what is under way. `*more`: there is more to do. */
enum err build_step(const struct counting *counting, bool *more) WARN_UNUSED;

/* The same, of so many raw rows at most. */
enum err build_step_of(const struct counting *counting, int64_t rows, size_t messages, bool *more) WARN_UNUSED;

struct build_progress {
	bool building;
	struct text zone;       /* of the figures that are read; absent: none are complete yet */
	struct text build_zone; /* of those that are built */
	int64_t done;           /* raw rows */
	int64_t total;          /* about; 0: not known */
};

/* For the settings: any connection in the organization's scope. */
enum err build_look(struct db *db, struct arena *arena, struct build_progress *out) WARN_UNUSED;

/* What `verify --repair` mends beside the edition: the rows of one page, article or chat as their raw rows say. */
enum err build_repair_page(const struct counting *counting, struct text url) WARN_UNUSED;
enum err build_repair_article(const struct counting *counting, struct text article_id) WARN_UNUSED;
enum err build_repair_chat(const struct counting *counting, int64_t chat_number) WARN_UNUSED;

#endif
