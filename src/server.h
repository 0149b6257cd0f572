/* The house as a running process: its parts started in order, stopped in the other.
 * Owner: main's thread. One of them per process; the lock beside the database says so to others.
 * Started with `listen` NULL it serves the control socket alone: that is how a command works beside no server.
 * Never answers a request before everything it needs runs; never ends while something acknowledged is not durable.
 * Next: cli/options.h (where the options come from), api/dispatch.h (what is served). */
#ifndef INNKEEPER_SERVER_H
#define INNKEEPER_SERVER_H

#include <stdint.h>

#include "auth/oidc_provider.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"

struct server_options {
	struct text database; /* as db_open takes it */
	const char *listen;   /* "127.0.0.1:8080"; NULL: the control socket only */
	const char *control;  /* path of the control socket; NULL: none */
	const char *trusted_proxy;
	int64_t threads; /* of HTTP */
	int64_t max_connections;
	int64_t header_timeout; /* seconds */
	int64_t body_timeout;   /* seconds */
	int64_t idle_timeout;   /* seconds */
	int64_t max_body;       /* bytes */
	int64_t queue;          /* writes waiting at most */
	int64_t auth_failures_per_minute;
	struct oidc_options oidc; /* its issuer NULL: none */
	bool signup_open;
	const struct log *log;
};

struct server;

/* Everything up to listening. ERR_CONFLICT: another process has the database. */
enum err server_start(struct server **out, const struct server_options *options, struct fault *fault) WARN_UNUSED;

uint16_t server_port(const struct server *server);

/* Waits for SIGTERM or SIGINT. They must be blocked in every thread: server_block_signals, before the first one starts.
 */
void server_block_signals(void);
void server_wait(void);

/* Drains: no new connections, what is under way is answered, what was acknowledged is durable. Below ten seconds. */
void server_stop(struct server *server);

#endif
