/* Who talks to a concierge: people with a session, a language, a device and a place, some of whom come back.
 * Owner: a crowd belongs to one history or one concierge. One thread at a time.
 * Names and addresses are made up; every e-mail ends in a domain that RFC 2606 keeps for examples.
 * Never forgets a person before DEMO_CROWD newer ones have come.
 * Next: demo_script.h. */
#ifndef INNKEEPER_CLI_DEMO_PERSON_H
#define INNKEEPER_CLI_DEMO_PERSON_H

#include "demo/demo_random.h"

#define DEMO_CROWD 256

struct demo_person {
	char session[24];
	char email[96];
	char name[64];
	enum demo_language language;
	const char *user_agent; /* NULL: the browser did not say */
	const char *location;   /* NULL: not known */
	bool identified;
};

struct demo_crowd {
	struct demo_random random;
	struct demo_person people[DEMO_CROWD];
	size_t count; /* ever seen */
};

void demo_crowd_init(struct demo_crowd *crowd, uint64_t seed);

/* Somebody new, or somebody who returns; borrowed until DEMO_CROWD calls later. */
struct demo_person *demo_crowd_next(struct demo_crowd *crowd);

#endif
