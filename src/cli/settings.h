/* Settings: each an option, an environment variable and a line of the config file, in one table.
 * Owner: main; read once, before any thread. Texts live as long as the process (arguments, environment) or in the
 * arena. An option wins over the environment, the environment over the file, the file over the default. Never guesses:
 * an unknown name, a number out of bounds or an unreadable file is an error that says which. Next: settings.c, the
 * table; docs/configure.md is checked against it. */
#ifndef INNKEEPER_CLI_SETTINGS_H
#define INNKEEPER_CLI_SETTINGS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "server.h"

struct settings {
	const char *config;
	const char *database;
	bool database_given; /* not merely the default */
	const char *control; /* NULL: the database's path and ".control" */
	const char *listen;
	const char *trusted_proxy;
	const char *log_level;
	int64_t threads;
	int64_t max_connections;
	int64_t header_timeout;
	int64_t body_timeout;
	int64_t idle_timeout;
	int64_t max_body;
	int64_t queue;
	int64_t auth_failures_per_minute;
	const char *public_url;
	const char *oidc_issuer; /* NULL: nobody signs in through a provider */
	const char *oidc_client_id;
	const char *oidc_client_secret;
	const char *signup;
};

/* Takes the options it knows out of `arguments` (`*count` of them, compacted in place), then the environment and the
 * config file. ERR_INVALID with the reason. */
enum err settings_read(struct settings *settings, int *count, char **arguments, struct arena *arena,
		       struct fault *fault) WARN_UNUSED;

/* What the server is started with. The control path is made in the arena. */
enum err settings_server(const struct settings *settings, const struct log *log, struct arena *arena,
			 struct server_options *out, struct fault *fault) WARN_UNUSED;

/* The table, for people. */
void settings_help(FILE *to);

#endif
