/* What one visitor has in mind: when, how many, for how much; and how a phrase speaks of it.
 * Owner: a value of one conversation. One thread at a time.
 * The plan stays the same through a conversation, so that its questions and answers fit together.
 * Never plans for the past: one to five months ahead of the chat.
 * Next: demo_script.c. */
#ifndef INNKEEPER_CLI_DEMO_PLAN_H
#define INNKEEPER_CLI_DEMO_PLAN_H

#include "base/text.h"
#include "demo/demo_person.h"

struct demo_plan {
	const struct demo_person *person;
	const struct demo_party *party;
	unsigned year;
	unsigned month;  /* 1 to 12 */
	unsigned day;    /* of arrival; the stay never leaves the month */
	unsigned nights; /* 2 to 6 */
	unsigned budget; /* US dollars a night */
};

void demo_plan_make(struct demo_plan *plan, const struct demo_person *person, struct demo_random *random,
		    int64_t start /* ms since 1970 */);

/* US dollars for the whole stay. */
unsigned demo_plan_total(const struct demo_plan *plan);

/* Appends the phrase with its {words} replaced; an unknown word stays as it is. */
void demo_plan_say(const struct demo_plan *plan, const char *phrase, struct buffer *to);

#endif
