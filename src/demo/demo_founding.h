/* Founds a demonstration's organization through the control socket, or takes up the one of an earlier start.
 * Owner: texts live in the caller's arena. Main's thread.
 * A password is made here and shown once; the database keeps its hash alone.
 * Never touches an organization that no demonstration founded: another one with the same slug is an error.
 * Next: cli/control_client.h. */
#ifndef INNKEEPER_CLI_DEMO_FOUNDING_H
#define INNKEEPER_CLI_DEMO_FOUNDING_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "demo/demo_data.h"

#define DEMO_PASSWORD_SIZE 21 /* 20 characters and a NUL */

struct demo_tenant {
	const struct demo_organization *organization;
	const char *key;
	char password[DEMO_PASSWORD_SIZE]; /* "": it was shown at an earlier start */
	bool founded;                      /* just now: it has no history yet */
};

enum err demo_found(const char *socket_path, const struct demo_organization *organization, struct arena *arena,
		    struct demo_tenant *out, struct fault *fault) WARN_UNUSED;

#endif
