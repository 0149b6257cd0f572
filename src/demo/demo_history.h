/* What happened before the demonstration began: days of conversations, the same for the same seed and day.
 * Owner: main's thread, while the server already answers.
 * Goes through POST /api/batch like any concierge that brings its past along, in the order of time.
 * Never goes past `now`; ends early when SIGINT or SIGTERM (blocked) is waiting.
 * Next: demo_script.h, where the conversations come from. */
#ifndef INNKEEPER_CLI_DEMO_HISTORY_H
#define INNKEEPER_CLI_DEMO_HISTORY_H

#include <stdbool.h>

#include "base/err.h"
#include "demo/demo_data.h"

struct demo_history {
	const struct demo_organization *organization;
	const char *url; /* of the server, without a slash at its end */
	const char *key;
	uint64_t seed;
	int64_t days; /* today is the last of them */
	int64_t now;  /* ms since 1970 */
};

/* Writes it all and says on standard error how far it is. ERR_UNAVAILABLE with the reason when the server refuses;
 * OK also when it was interrupted: the signal is still waiting. */
enum err demo_history_write(const struct demo_history *history, struct fault *fault) WARN_UNUSED;

#endif
