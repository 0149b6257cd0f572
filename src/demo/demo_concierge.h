/* A simulated concierge: a thread that holds a few conversations at once and reports them over HTTP, one by one.
 * Owner: demo_concierge_start and demo_concierge_stop, main's thread.
 * Speaks as any client would: the single routes, its organization's key, the server's address.
 * Never ends the process: what fails is counted and told once.
 * Next: demo_script.h, where the conversations come from. */
#ifndef INNKEEPER_CLI_DEMO_CONCIERGE_H
#define INNKEEPER_CLI_DEMO_CONCIERGE_H

#include "base/err.h"
#include "demo/demo_data.h"

struct demo_concierge;

struct demo_concierge_options {
	const struct demo_organization *organization;
	const char *url; /* of the server, without a slash at its end; borrowed until the stop */
	const char *key; /* borrowed until the stop */
	uint64_t seed;   /* another one each time: its chats must be new */
	int64_t pace;    /* ms between two events, about */
};

enum err demo_concierge_start(struct demo_concierge **out, const struct demo_concierge_options *options) WARN_UNUSED;

/* Ends at once, in the middle of a conversation if need be, and says how many requests failed. NULL is fine. */
void demo_concierge_stop(struct demo_concierge *concierge);

#endif
