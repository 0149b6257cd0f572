#include "server.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/admission.h"
#include "api/asking.h"
#include "api/bulletin.h"
#include "api/conversations.h"
#include "api/dispatch.h"
#include "api/list_csv.h"
#include "api/live_hub.h"
#include "api/openapi.h"
#include "api/places.h"
#include "api/route.h"
#include "background.h"
#include "base/clock.h"
#include "jobs.h"
#include "move/moves.h"
#include "store/lease.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/notices.h"

#define DRAIN_MILLISECONDS 7000 /* of the ten seconds that stopping may take */
#define SLOW_QUEUE         256
#define ERRAND_THREADS     4 /* a backup must not hold up who signs in */
#define BATCH_ITEMS        1024
#define ASKING_THREADS     8 /* of a remote database, each with a connection of its own */
/* Beside one for each HTTP thread, or each that asks in its place: the control socket's, the slow thread, a job,
 * delayed reads, errands. Each holds one at most, so that nobody ever waits for what a long errand reads with. */
#define EXTRA_READERS (4 + ERRAND_THREADS)

struct server {
	struct search_awaits awaits[WRITER_LANES];
	struct conversations conversations[WRITER_LANES];
	struct server_options options;
	struct lock *lock;
	struct house house;
	struct http_application application;
	struct http *http;
	struct jobs *jobs;
	struct notices *notices;
};

/* What the writer's thread does beside its items. */
static void end_item(void *given, struct db *db, bool kept)
{
	const struct house *house = given;

	ledger_end_item(house_ledger(house, db), kept);
	if (house->remote)
		bulletin_end_item(house->bulletins[db_lane(db)], kept);
}

static void foresee(void *given, struct db *db)
{
	const struct house *house = given;

	conversations_foresee(&house->conversations[db_lane(db)], db);
}

static enum err catch_up(void *given, struct db *db)
{
	const struct house *house = given;

	return conversations_flush(&house->conversations[db_lane(db)], db);
}

static enum err settle(struct db *db, void *given)
{
	const struct house *house = given;

	enum err err = catch_up(given, db);

	conversations_clear(&house->conversations[db_lane(db)]);
	if (err == OK)
		err = ledger_settle(db, house_ledger(house, db));
	if (err == OK)
		err = search_settle(&house->awaits[db_lane(db)], db);
	if (err == OK && house->remote)
		err = bulletin_send(house->bulletins[db_lane(db)], db);
	return err;
}

static void forget(void *given, struct db *db)
{
	const struct house *house = given;

	ledger_forget(house_ledger(house, db));
	search_forget(&house->awaits[db_lane(db)]);
	conversations_clear(&house->conversations[db_lane(db)]);
	if (house->remote)
		bulletin_forget(house->bulletins[db_lane(db)]);
	/* The first lane's thread asks for it. */
	if (house->lease != NULL && db_lane(db) == 0)
		lease_forget(house->lease);
}

/* A database of our own is brought to this version. Another one is changed by its administrator alone. */
static enum err bring_up(const struct server *server, struct fault *fault)
{
	const struct server_options *options = &server->options;
	const enum err err = server->house.remote
				 ? migrate_check(options->database, migrations, migration_count, options->log, fault)
				 : migrate(options->database, migrations, migration_count, options->log, NULL, fault);

	/* A database of another version is not one that another process has. */
	return err == ERR_CONFLICT ? ERR_INVALID : err;
}

/* Each has a connection of its own. Where one command is served, one will do. */
static size_t asking_threads(const struct server *server)
{
	return server->options.listen == NULL ? 1 : ASKING_THREADS;
}

static size_t reading_threads(const struct server *server)
{
	return server->house.remote ? asking_threads(server) : (size_t)server->options.threads;
}

static enum err start_store(struct server *server, struct fault *fault)
{
	const struct server_options *options = &server->options;
	struct house *house = &server->house;
	const struct writer_options writer = { .url = options->database,
					       .queue_limit = (size_t)options->queue,
					       .batch_limit = BATCH_ITEMS,
					       .lanes = options->listen == NULL ? 1 : 0,
					       .hooks = { .context = house,
							  .end_item = end_item,
							  .foresee = foresee,
							  .catch_up = catch_up,
							  .settle = settle,
							  .forget = forget,
							  .idle = background_step },
					       .log = options->log,
					       .metrics = house->metrics };
	const struct notices_options notices = {
		.url = options->database, .heard = bulletin_heard, .context = house, .log = options->log
	};
	enum err err = db_know(options->database, &house->remote, fault);

	if (err == OK && house->remote)
		err = lease_new(&house->lease, "background");
	if (err == OK)
		err = lock_take(options->database, &server->lock, fault);
	if (err == OK)
		err = bring_up(server, fault);
	/* Before the first key is remembered. */
	if (err == OK && house->remote)
		err = notices_start(&server->notices, &notices, fault);
	if (err == OK)
		err = writer_start(&house->writer, &writer, fault);
	if (err == OK)
		err = readers_new(&house->readers, options->database, EXTRA_READERS + reading_threads(server),
				  options->log, fault);
	return err;
}

static enum err describe(struct house *house, struct fault *fault)
{
	const struct route *wrong;
	enum err err = openapi_make(&house->openapi, &wrong);

	if (err != OK)
		return fault_set(fault, err, NULL, NULL, "Out of memory.");
	if (wrong != NULL)
		LOG(house->log, LOG_ERROR, "the API's description says nothing of what a route answers",
		    LOG_STRING("method", wrong->method), LOG_STRING("route", wrong->path));
	return OK;
}

static enum err start_parts(struct server *server, struct fault *fault)
{
	const struct server_options *options = &server->options;
	struct house *house = &server->house;
	enum err err = metrics_new(&house->metrics, route_count);

	if (err == OK)
		err = api_keys_new(&house->keys);
	if (err == OK)
		err = attempts_new(&house->attempts, server->options.auth_failures_per_minute);
	if (err == OK)
		err = live_hub_new(&house->live, LIVE_HEARTBEAT_MS);
	if (err == OK)
		err = places_new(&house->downloads, LIST_CSV_DOWNLOADS, LIST_CSV_DOWNLOADS_EACH);
	if (err == OK)
		err = moves_new(&house->moves);
	for (size_t i = 0; err == OK && i < WRITER_LANES; i++) {
		err = ledger_new(&house->ledgers[i], house->log);
		if (err == OK)
			err = bulletin_new(&house->bulletins[i]);
	}
	if (err != OK)
		return fault_set(fault, err, NULL, NULL, "Out of memory.");
	err = start_store(server, fault);
	if (err != OK)
		return err;
	err = seal_key_load(house->writer, "seal", &house->seal);
	if (err != OK)
		return fault_set(fault, err, NULL, NULL, "The database's key could not be loaded: see the log.");
	err = describe(house, fault);
	if (err == OK && options->listen != NULL && options->oidc.issuer != NULL)
		err = oidc_provider_new(&house->oidc, &options->oidc, fault);
	if (err != OK)
		return err;
	err = worker_start(&house->slow, "slow", 1, SLOW_QUEUE);
	if (err == OK)
		err = asking_start(&house->errands, "errands", ERRAND_THREADS, INT64_MAX);
	if (err == OK && house->remote)
		err = asking_start(&house->asking, "asking", asking_threads(server), ASKING_PATIENCE);
	if (err == OK)
		err = admission_start(&house->admission, house->writer, house->metrics);
	if (err == OK)
		err = jobs_start(&server->jobs, house);
	return err == OK ? OK : fault_set(fault, err, NULL, NULL, "A thread could not be started.");
}

static enum err start_http(struct server *server, struct fault *fault)
{
	const struct server_options *options = &server->options;
	const struct http_options http = { .listen = options->listen,
					   .control_path = options->control,
					   .threads = (unsigned)options->threads,
					   .max_connections = (unsigned)options->max_connections,
					   .header_timeout = (unsigned)options->header_timeout,
					   .body_timeout = (unsigned)options->body_timeout,
					   .idle_timeout = (unsigned)options->idle_timeout,
					   .trusted_proxy = options->trusted_proxy,
					   .log = options->log };

	server->application = dispatch_application(&server->house);
	return http_start(&server->http, &http, &server->application, fault);
}

enum err server_start(struct server **out, const struct server_options *options, struct fault *fault)
{
	struct server *server = calloc(1, sizeof *server);
	enum err err;

	*out = NULL;
	if (server == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	server->options = *options;
	server->house.awaits = server->awaits;
	server->house.conversations = server->conversations;
	server->house.log = options->log;
	server->house.database = options->database;
	server->house.body_limit = (size_t)options->max_body;
	server->house.started_at = clock_now();
	server->house.signup_open = options->signup_open;
	server->house.leads = options->listen != NULL;
	err = start_parts(server, fault);
	if (err == OK)
		err = start_http(server, fault);
	if (err != OK) {
		server_stop(server);
		return err;
	}
	*out = server;
	return OK;
}

uint16_t server_port(const struct server *server)
{
	return http_port(server->http);
}

static void end_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

void server_block_signals(void)
{
	sigset_t set;

	end_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void server_wait(void)
{
	sigset_t set;
	int which;

	end_signals(&set);
	while (sigwait(&set, &which) != 0)
		;
}

void server_stop(struct server *server)
{
	struct house *house;

	if (server == NULL)
		return;
	house = &server->house;
	atomic_store(&house->draining, true);
	admission_open(house->admission);
	/* Nothing new is admitted, so nothing that others say matters any more. */
	notices_hang_up(server->notices);
	writer_forsake(house->writer);
	readers_forsake(house->readers);
	if (server->http != NULL)
		http_drain(server->http, DRAIN_MILLISECONDS);
	/* Who still sends a body when the time is up is served, or refused by what has stopped: freed is what handlers
	 * reach only once the HTTP threads have ended. */
	jobs_stop(server->jobs);
	worker_stop(house->slow);
	oidc_provider_stop(house->oidc);
	asking_stop(house->errands);
	asking_stop(house->asking);
	admission_stop(house->admission);
	background_stop(house);
	writer_stop(house->writer); /* answers all that waits */
	notices_stop(server->notices);
	live_hub_stop(house->live);
	if (server->http != NULL)
		http_stop(server->http);
	live_hub_free(house->live);
	admission_free(house->admission);
	asking_free(house->asking);
	asking_free(house->errands);
	worker_free(house->slow);
	writer_free(house->writer);
	places_free(house->downloads);
	moves_free(house->moves);
	for (size_t i = 0; i < WRITER_LANES; i++) {
		ledger_free(house->ledgers[i]);
		bulletin_free(house->bulletins[i]);
		conversations_fini(&server->conversations[i]);
		search_awaits_fini(&server->awaits[i]);
	}
	readers_free(house->readers);
	oidc_provider_free(house->oidc);
	free((void *)house->openapi.at);
	attempts_free(house->attempts);
	api_keys_free(house->keys);
	metrics_free(house->metrics);
	lease_free(house->lease);
	lock_release(server->lock);
	free(server);
}
