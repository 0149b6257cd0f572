#include <curl/curl.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/verb.h"
#include "demo/demo_concierge.h"
#include "demo/demo_folder.h"
#include "demo/demo_founding.h"
#include "demo/demo_history.h"

#define URL_SIZE 128

/* As --days, --seed and --pace say. */
struct wishes {
	int64_t days;
	int64_t seed;
	int64_t pace; /* ms; 0: no concierge */
};

static const struct {
	const char *name;
	size_t offset;
	int64_t fallback;
	int64_t most;
} bounds[] = {
	{ "days", offsetof(struct wishes, days), 90, 3650 },
	{ "seed", offsetof(struct wishes, seed), 1, INT64_MAX },
	{ "pace", offsetof(struct wishes, pace), 2000, 60000 },
};

struct demo {
	struct wishes wishes;
	struct server_options options;
	struct server *server;
	const char *folder; /* NULL: the database was given and stays */
	char url[URL_SIZE];
	struct demo_tenant tenants[DEMO_ORGANIZATIONS];
	struct demo_concierge *concierges[DEMO_ORGANIZATIONS];
};

static enum err read_wishes(const struct verb *verb, const struct verb_arguments *arguments, struct wishes *out,
			    struct fault *fault)
{
	for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
		int64_t number = bounds[i].fallback;

		for (size_t at = 0; at < VERB_OPTIONS && verb->options[at].about != NULL; at++) {
			if (strcmp(verb->options[at].member, bounds[i].name) != 0 || arguments->values[at].at == NULL)
				continue;
			if (text_to_int(arguments->values[at], &number) != OK || number < 0 || number > bounds[i].most)
				return fault_set(fault, ERR_INVALID, NULL, bounds[i].name,
						 "--%s must be a number from 0 to %lld.", bounds[i].name,
						 (long long)bounds[i].most);
		}
		memcpy((char *)out + bounds[i].offset, &number, sizeof number);
	}
	return OK;
}

/* Warnings at least: what a server says of its daily work would bury the address and the keys. */
static enum err read_level(const struct settings *settings, struct log *log, struct fault *fault)
{
	if (log_level_of(text_of(settings->log_level), &log->least) != OK)
		return fault_set(fault, ERR_INVALID, NULL, "log-level",
				 "--log-level must be debug, info, warning or error.");
	if (log->least < LOG_WARNING)
		log->least = LOG_WARNING;
	return OK;
}

/* Where this machine reaches the server: an address that means "all of mine" is none to connect to. */
static void make_url(struct demo *demo)
{
	const char *listen = demo->options.listen;
	const char *colon = strrchr(listen, ':');
	const int length = colon == NULL ? (int)strlen(listen) : (int)(colon - listen);
	const struct text host = { listen, (size_t)length };
	const unsigned port = server_port(demo->server);

	if (text_equal(host, TEXT("0.0.0.0")))
		snprintf(demo->url, sizeof demo->url, "http://127.0.0.1:%u", port);
	else if (text_equal(host, TEXT("[::]")))
		snprintf(demo->url, sizeof demo->url, "http://[::1]:%u", port);
	else
		snprintf(demo->url, sizeof demo->url, "http://%.*s:%u", length, listen, port);
}

static enum err found_all(struct demo *demo, struct arena *arena, struct fault *fault)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < DEMO_ORGANIZATIONS; i++)
		err = demo_found(demo->options.control, demo_organizations[i], arena, &demo->tenants[i], fault);
	return err;
}

static void print_all(const struct demo *demo)
{
	printf("Innkeeper runs at %s\n", demo->url);
	for (size_t i = 0; i < DEMO_ORGANIZATIONS; i++) {
		const struct demo_tenant *tenant = &demo->tenants[i];

		printf("\n%s\n  slug      %s\n  API key   %s\n  sign-in   %s\n  password  %s\n",
		       tenant->organization->name, tenant->organization->slug, tenant->key, tenant->organization->email,
		       tenant->password[0] != '\0' ? tenant->password : "as shown at the first start");
	}
	printf("\nReport a chat of your own:\n  curl -s %s/api/chats/create -H 'x-api-key: %s' "
	       "-H 'Content-Type: application/json' -d '{\"sessionId\": \"my-first-session\"}'\n",
	       demo->url, demo->tenants[0].key);
	printf("\nSign in, and see this month's figures beside those of the month before:\n"
	       "  curl -s -c cookies.txt %s/api/auth/login "
	       "-H 'Content-Type: application/json' -d '{\"email\": \"%s\", \"password\": \"%s\"}'\n"
	       "  curl -s -b cookies.txt '%s/api/analytics/summary-metrics?days=30&compare=previous'\n",
	       demo->url, demo->tenants[0].organization->email,
	       demo->tenants[0].password[0] != '\0' ? demo->tenants[0].password : "...", demo->url);
	printf("\nStop with Ctrl-C. %s%.*s\n",
	       demo->folder != NULL ? "The database is temporary and goes too." : "The database stays: ",
	       demo->folder != NULL ? 0 : (int)demo->options.database.length, demo->options.database.at);
	fflush(stdout);
}

static enum err write_histories(const struct demo *demo, struct fault *fault)
{
	const int64_t now = clock_now();
	enum err err = OK;

	for (size_t i = 0; err == OK && i < DEMO_ORGANIZATIONS; i++) {
		const struct demo_history history = { .organization = demo->tenants[i].organization,
						      .url = demo->url,
						      .key = demo->tenants[i].key,
						      .seed = (uint64_t)demo->wishes.seed * DEMO_ORGANIZATIONS + i,
						      .days = demo->wishes.days,
						      .now = now };

		if (demo->tenants[i].founded && history.days > 0)
			err = demo_history_write(&history, fault);
	}
	return err;
}

static enum err start_concierges(struct demo *demo, struct fault *fault)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && demo->wishes.pace > 0 && i < DEMO_ORGANIZATIONS; i++) {
		struct demo_concierge_options options = { .organization = demo->tenants[i].organization,
							  .url = demo->url,
							  .key = demo->tenants[i].key,
							  .pace = demo->wishes.pace };

		randombytes_buf(&options.seed, sizeof options.seed);
		err = demo_concierge_start(&demo->concierges[i], &options);
	}
	return err == OK ? OK : fault_set(fault, err, NULL, NULL, "A concierge could not be started.");
}

/* Everything that happens while the server runs, until a signal. */
static enum err perform(struct demo *demo, struct arena *arena, struct fault *fault)
{
	enum err err = found_all(demo, arena, fault);

	if (err != OK)
		return err;
	make_url(demo);
	print_all(demo);
	err = write_histories(demo, fault);
	if (err == OK)
		err = start_concierges(demo, fault);
	if (err == OK)
		server_wait();
	for (size_t i = 0; i < DEMO_ORGANIZATIONS; i++)
		demo_concierge_stop(demo->concierges[i]);
	return err;
}

static enum err start_and_perform(struct demo *demo, const struct settings *settings, const struct log *log,
				  struct arena *arena, struct fault *fault)
{
	struct settings own = *settings;
	bool remote = false;
	enum err err = db_know(text_of(own.database), &remote, fault);

	if (err == OK && remote)
		return fault_set(fault, ERR_INVALID, NULL, "database",
				 "A demonstration is kept in a file: give --database as sqlite:PATH, or leave it out.");
	if (err == OK && !settings->database_given)
		err = demo_folder_make(arena, &demo->folder, &own.database, fault);
	if (err == OK)
		err = settings_server(&own, log, arena, &demo->options, fault);
	server_block_signals();
	if (err == OK)
		err = server_start(&demo->server, &demo->options, fault);
	if (err == OK)
		err = perform(demo, arena, fault);
	server_stop(demo->server);
	if (demo->folder != NULL)
		demo_folder_remove(demo->folder);
	return err;
}

int demo_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
	     struct arena *arena)
{
	struct log log = { .fd = STDERR_FILENO, .least = LOG_WARNING };
	struct demo demo = { 0 };
	struct fault fault = { 0 };
	enum err err = read_wishes(verb, arguments, &demo.wishes, &fault);

	if (err == OK)
		err = read_level(settings, &log, &fault);
	if (err != OK) {
		verb_failed(&fault);
		return EXIT_USAGE;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return verb_failed(&fault);
	err = start_and_perform(&demo, settings, &log, arena, &fault);
	curl_global_cleanup();
	return err == OK ? EXIT_SUCCESS : verb_failed(&fault);
}
