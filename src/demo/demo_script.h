/* One conversation as a list of events, each the JSON body that a concierge sends, with its moment.
 * Owner: the caller's; the JSON lives in the script until it is written anew or ended. One thread at a time.
 * The history sends the events as items of batches, the live concierge one by one: both read the same.
 * Never knows a server.
 * Next: demo_history.h, demo_concierge.h. */
#ifndef INNKEEPER_CLI_DEMO_SCRIPT_H
#define INNKEEPER_CLI_DEMO_SCRIPT_H

#include "base/text.h"
#include "demo/demo_person.h"

#define DEMO_EVENTS 64 /* of one conversation at most */

enum demo_kind {
	DEMO_CHAT,
	DEMO_MESSAGE,
	DEMO_ARTICLE_MENTION,
	DEMO_ARTICLE_VIEW,
	DEMO_WEB_MENTIONS,
	DEMO_WEB_CLICK,
	DEMO_VISITOR,
	DEMO_USER,
	DEMO_KINDS
};

/* How each kind is called: as an item of a batch, as a route of its own. */
struct demo_kind_names {
	const char *batch;
	const char *path;
};
extern const struct demo_kind_names demo_kinds[DEMO_KINDS];

struct demo_event {
	int64_t after; /* ms behind the event before it */
	enum demo_kind kind;
	size_t offset; /* of its object in `json` */
	size_t length; /* bytes */
};

struct demo_script {
	struct demo_event events[DEMO_EVENTS];
	size_t count;
	struct buffer json;
};

void demo_script_init(struct demo_script *script);
void demo_script_fini(struct demo_script *script);

/* A new conversation in the place of the old one. `start` (ms since 1970) decides what month people plan for; `past`:
 * its end is known, so the chat says how it ended. ERR_MEMORY. */
enum err demo_script_write(struct demo_script *script, const struct demo_organization *organization,
			   struct demo_crowd *crowd, int64_t start, bool past) WARN_UNUSED;

#endif
