/* What test_figures.c believes: organizations whose events are stored, changed, undone, lost and erased at random, each
 * also written down in the plainest form.
 * Owner: one test; one thread.
 * figures_house.c runs transactions, figures_events.c lets things happen in them and figures_erasures.c takes them
 * away, figures_check.c counts one by one and compares. Never knows how a figure is kept. Next: analytics/counting.h.
 */
#ifndef TESTS_UNIT_FIGURES_MODEL_H
#define TESTS_UNIT_FIGURES_MODEL_H

#include "analytics/counting.h"
#include "fixture.h"

#define ROOM          600 /* events of a kind */
#define SESSIONS      9
#define ARTICLES      7
#define PAGES         5
#define CHAT_NAMES    8
#define DAY_MS        INT64_C(86400000)
#define SEASONS       3
#define PREFERENCES   3
#define SPREAD        70 /* days of events, about */
#define ORGANIZATIONS 2
#define ZONES         6
#define PLACES        6

extern const char *const model_zones[ZONES];

/* A chat's place, and what it counts as. */
struct model_place {
	const char *location;
	const char *city;
	const char *country;
};
extern const struct model_place model_places[PLACES];

struct model_chat {
	int64_t number;
	int64_t at;
	int session;
	int name;    /* CHAT_NAMES has it; below 0: a name of its own */
	int visitor; /* below 0: none */
	size_t place;
	struct counted_last last;
	int64_t last_message;
	int64_t moved_at; /* by itself or its newest message */
	bool gone;
};

struct model_message {
	int chat;
	int64_t at;
};

/* A mention, a view, or a web result. */
struct model_event {
	int64_t number;
	int64_t at;
	int64_t clicked_at;
	int what; /* article or page */
	int session;
	int name;    /* of a chat, which may not be there; below 0: none */
	int visitor; /* below 0: none */
	bool gone;
};

struct model_visitor {
	struct uuid id;
	int64_t number;
	int64_t at;
	int season; /* below 0: none */
	int preferences;
	bool gone;
};

/* All that is stored, in the plainest form. */
struct model {
	struct model_chat chats[ROOM];
	struct model_message messages[ROOM * 4];
	struct model_event mentions[ROOM];
	struct model_event views[ROOM];
	struct model_event web[ROOM];
	struct model_visitor visitors[ROOM];
	int chat_count;
	int message_count;
	int mention_count;
	int view_count;
	int web_count;
	int visitor_count;
};

struct model_organization {
	const struct scope *scope;
	struct model model;
	struct model at_item; /* as it was when the item began, and the transaction */
	struct model at_transaction;
};

struct model_house {
	struct fixture fixture;
	struct db *db; /* without row security, so that rows can be erased by a script */
	struct ledger *ledger;
	struct model_organization organizations[ORGANIZATIONS];
	struct model_organization *of; /* whose item runs */
	struct arena arena;
	uint64_t random;
	int64_t base; /* the middle of the events' time */
	int64_t organizations_made;
	size_t sequence;
};

/* A house without organizations; then new ones for the next sequence, whose seed it is. */
struct model_house *model_open(void);
void model_close(struct model_house *house);
void model_settle_in(struct model_house *house, uint64_t seed);

uint32_t model_any(struct model_house *house, uint32_t below);

/* Of the organization whose item runs. */
struct counting model_counting(struct model_house *house);

/* One event, stored, changed or erased: whatever comes. */
void model_happen(struct model_house *house);

/* A transaction of some items, each of some events; items may be undone, the transaction lost. */
void model_run_transaction(struct model_house *house, uint32_t items, bool changes_zone);

/* In transactions of their own: a wish, and one step of the work behind it; of the erasing of messages. */
void model_set_zone(struct model_house *house, struct model_organization *organization, const char *zone);
bool model_step_build(struct model_house *house, struct model_organization *organization);
bool model_step_erasing(struct model_house *house);
bool model_step_uncounting(struct model_house *house, struct model_organization *organization);
void model_finish(struct model_house *house);

/* Uncounts what is erased in small steps, between which the audit finds nothing; then compares the figures of some
 * ranges with the naive count. model_verify asks the audit, which must find nothing. */
void model_check(struct model_house *house, struct model_organization *organization, int ranges);
void model_verify(struct model_house *house, const struct model_organization *organization);

#endif
