/* A concierge's HTTP: one kept-alive connection to the server, with an organization's key.
 * Owner: demo_client_new and demo_client_free. One thread at a time.
 * A request ends when `stop` turns true, at the latest within a second; else after ten.
 * Never goes through a proxy, never follows a redirect, never raises a signal.
 * Next: demo_history.h, demo_concierge.h. */
#ifndef INNKEEPER_CLI_DEMO_CLIENT_H
#define INNKEEPER_CLI_DEMO_CLIENT_H

#include <stdatomic.h>

#include "base/err.h"
#include "base/text.h"

struct demo_client;

/* `url` without a slash at its end, `key` and `stop` are borrowed as long as the client lives. */
enum err demo_client_new(struct demo_client **out, const char *url, const char *key,
			 const atomic_bool *stop) WARN_UNUSED;
void demo_client_free(struct demo_client *client);

/* OK: answered with a status below 300, and the reply is borrowed until the next call. ERR_UNAVAILABLE with the reason
 * otherwise. */
enum err demo_client_post(struct demo_client *client, const char *path, struct text body, struct text *reply,
			  struct fault *fault) WARN_UNUSED;

#endif
