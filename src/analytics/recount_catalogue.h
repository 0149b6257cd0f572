/* The recount's part about web pages and articles: one row each, as their raw rows tell.
 * Owner: recount.c, for the time of one recount; one thread.
 * Raw rows are shown to it one after the other, then it is compared with what is stored.
 * Never holds more than the names of what there is.
 * Next: recount.c. */
#ifndef INNKEEPER_ANALYTICS_RECOUNT_CATALOGUE_H
#define INNKEEPER_ANALYTICS_RECOUNT_CATALOGUE_H

#include "analytics/recount.h"
#include "analytics/tally.h"

struct catalogue_thing;

struct catalogue {
	struct tally names; /* a row for each thing, in the same order */
	struct catalogue_thing *list;
	size_t room;
};

void catalogue_init(struct catalogue *catalogue, size_t text_cap /* bytes */);
void catalogue_fini(struct catalogue *catalogue);

/* A web result; they come in the order of their time, then number. */
enum err catalogue_see_page(struct catalogue *pages, struct text url, struct text title, int64_t mentioned_at,
			    bool clicked) WARN_UNUSED;

/* A mention or a view; in any order. */
enum err catalogue_see_article(struct catalogue *articles, struct text id, struct text name, struct text slug,
			       struct text type, int64_t at) WARN_UNUSED;

/* Whom a difference is told. */
struct catalogue_listener {
	void (*tell)(void *context, const struct recount_difference *difference);
	void *context;
};

/* Against what is stored; nothing more can be seen afterwards. */
enum err catalogue_compare_pages(struct catalogue *pages, struct db *db,
				 const struct catalogue_listener *listener) WARN_UNUSED;
enum err catalogue_compare_articles(struct catalogue *articles, struct db *db,
				    const struct catalogue_listener *listener) WARN_UNUSED;

#endif
