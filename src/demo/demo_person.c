#include "demo/demo_person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define RETURNING 16 /* percent of chats */

static const char *const domains[] = { "example.com", "example.org", "example.net", "mail.example" };

void demo_crowd_init(struct demo_crowd *crowd, uint64_t seed)
{
	memset(crowd, 0, sizeof *crowd);
	demo_random_seed(&crowd->random, seed);
}

/* "Jürgen Großmann" becomes "jurgen.grossmann": what people take for an address. */
static void put_address(const char *name, int64_t number, const char *domain, char *out, size_t size)
{
	utf8proc_uint8_t *folded = NULL;
	char plain[64];
	size_t length = 0;

	if (utf8proc_map((const utf8proc_uint8_t *)name, 0, &folded,
			 UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK |
			     UTF8PROC_CASEFOLD) < 0)
		folded = NULL;
	for (const utf8proc_uint8_t *at = folded; at != NULL && *at != '\0' && length + 1 < sizeof plain; at++)
		if (*at >= 'a' && *at <= 'z')
			plain[length++] = (char)*at;
		else if (*at == ' ')
			plain[length++] = '.';
	plain[length] = '\0';
	free(folded);
	snprintf(out, size, "%s%lld@%s", plain, (long long)number, domain);
}

static void make_person(struct demo_random *random, struct demo_person *person)
{
	char hex[17];

	memset(person, 0, sizeof *person);
	demo_random_hex(random, 16, hex);
	snprintf(person->session, sizeof person->session, "sess_%s", hex);
	person->language = (enum demo_language)demo_random_index(random, &demo_languages);
	person->user_agent = demo_random_text(random, &demo_user_agents);
	person->location = demo_random_text(random, &demo_locations[person->language]);
	snprintf(person->name, sizeof person->name, "%s %s",
		 demo_random_text(random, &demo_first_names[person->language]),
		 demo_random_text(random, &demo_last_names[person->language]));
	put_address(person->name, demo_random_between(random, 2, 987),
		    domains[demo_random_between(random, 0, sizeof domains / sizeof domains[0] - 1)], person->email,
		    sizeof person->email);
}

struct demo_person *demo_crowd_next(struct demo_crowd *crowd)
{
	const size_t known = crowd->count < DEMO_CROWD ? crowd->count : DEMO_CROWD;
	struct demo_person *person;

	if (known > 0 && demo_random_chance(&crowd->random, RETURNING))
		return &crowd->people[demo_random_between(&crowd->random, 0, (int64_t)known - 1)];
	person = &crowd->people[crowd->count++ % DEMO_CROWD];
	make_person(&crowd->random, person);
	return person;
}
