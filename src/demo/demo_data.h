/* What the demonstration speaks of: places, articles, web results, questions with their answers, people.
 * Owner: constant data of the binary. Any thread.
 * Public sights are real; houses, restaurants, websites and people are made up (RFC 2606 names), so that nobody real is
 * said to have done anything. A new conversation is a new row. Never holds a figure that the history computes.
 * Next: demo_script.h, which makes conversations of it. */
#ifndef INNKEEPER_CLI_DEMO_DATA_H
#define INNKEEPER_CLI_DEMO_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum demo_language { ENGLISH, SPANISH, GERMAN, FRENCH, DEMO_LANGUAGES };

enum demo_topic { OUTDOORS, SIGHTS, FOOD, STAY, TRAVEL, EVENTS, LEAD, BYE };

#define DEMO_REFERENCES 3
#define DEMO_PHRASINGS  3

struct demo_article {
	const char *title;
	const char *slug;
	const char *type;
};

struct demo_result {
	const char *url;
	const char *title;
	const char *content;
};

/* A question, in several phrasings, and its answer. {party}, {dates}, {month}, {nights}, {budget}, {total} and {email}
 * stand for what the visitor of this conversation has in mind. */
struct demo_exchange {
	enum demo_topic topic;
	enum demo_language language;
	bool opens; /* may begin a topic; another one is asked only where one of its articles was mentioned already */
	const char *questions[DEMO_PHRASINGS];
	const char *answer;
	uint8_t articles[DEMO_REFERENCES]; /* mentioned in the answer: index + 1; 0: none */
	uint8_t results[DEMO_REFERENCES];  /* shown from the web: index + 1; 0: none */
	const char *search;                /* what the web was asked for */
};

struct demo_organization {
	const char *name;
	const char *slug;
	const char *location;
	const char *website;
	const char *time_zone;
	const char *administrator;
	const char *email;
	const struct demo_article *articles;
	const struct demo_result *results;
	const struct demo_exchange *exchanges;
	size_t exchange_count;
};

/* An entry that is drawn as often as its weight says. */
struct demo_choice {
	const char *text; /* NULL: not given */
	unsigned weight;
};

struct demo_choices {
	const struct demo_choice *at;
	size_t count;
};

/* Who travels together. */
struct demo_party {
	const char *text;
	unsigned people;
};

struct demo_parties {
	const struct demo_party *at;
	size_t count;
};

#define DEMO_ORGANIZATIONS 2
#define DEMO_EXCHANGES     64 /* of an organization at most */

extern const struct demo_organization *const demo_organizations[DEMO_ORGANIZATIONS];
extern const struct demo_organization demo_fort_myers; /* demo_fort_myers.c */
extern const struct demo_organization demo_asheville;  /* demo_asheville.c */

extern const struct demo_choices demo_languages; /* in the order of the enumeration */
extern const struct demo_choices demo_user_agents;
extern const struct demo_choices demo_locations[DEMO_LANGUAGES];
extern const struct demo_choices demo_first_names[DEMO_LANGUAGES];
extern const struct demo_choices demo_last_names[DEMO_LANGUAGES];
extern const struct demo_choices demo_seasons;
extern const struct demo_choices demo_traveler_types;
extern const struct demo_choices demo_preferences;
extern const struct demo_choices demo_vibes;
extern const struct demo_parties demo_parties[DEMO_LANGUAGES];
extern const struct demo_choices demo_opening_topics; /* in the order of the enumeration */
extern const unsigned demo_hours[24];                 /* how busy each hour (UTC) is */
extern const unsigned demo_weekdays[7];               /* percent of an ordinary day, from Sunday */

const char *demo_month(enum demo_language language, unsigned month /* 1 to 12 */);

#endif
