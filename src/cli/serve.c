#include <string.h>
#include <unistd.h>

#include "cli/verb.h"
#include "store/copy.h"
#include "store/db.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/postgres_distribute.h"
#include "store/postgres_setup.h"

int serve_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
	      struct arena *arena)
{
	struct log log = { .fd = STDERR_FILENO, .least = LOG_INFO };
	struct server_options options;
	struct server *server;
	struct fault fault = { 0 };
	enum err err = log_level_of(text_of(settings->log_level), &log.least);

	(void)verb;
	(void)arguments;
	if (err != OK)
		fault_set(&fault, err, NULL, "log-level", "--log-level must be debug, info, warning or error.");
	if (err == OK)
		err = settings_server(settings, &log, arena, &options, &fault);
	if (err != OK) {
		verb_failed(&fault);
		return EXIT_USAGE;
	}
	server_block_signals();
	if (log_buffer_start(&log.buffer, log.fd) != OK) {
		fault_set(&fault, ERR_MEMORY, NULL, NULL, "The log's thread could not be started.");
		return verb_failed(&fault);
	}
	if (server_start(&server, &options, &fault) != OK) {
		log_buffer_stop(log.buffer);
		return verb_failed(&fault);
	}
	LOG(&log, LOG_INFO, "ready", LOG_STRING("listen", options.listen), LOG_INT("port", server_port(server)));
	log_buffer_flush(log.buffer);
	server_wait();
	LOG(&log, LOG_INFO, "draining", LOG_INT("port", server_port(server)));
	server_stop(server);
	log_write(&log, LOG_INFO, "stopped", NULL, 0);
	log_buffer_stop(log.buffer);
	return 0;
}

/* Takes the database for a moment, or says who has it. */
static enum err take_database(const struct settings *settings, struct arena *arena, const struct log *log,
			      struct server_options *options, struct lock **lock, struct fault *fault)
{
	enum err err = settings_server(settings, log, arena, options, fault);

	return err == OK ? lock_take(options->database, lock, fault) : err;
}

static void print_setup(const struct postgres_setup *setup)
{
	if (setup->server_url.at != NULL)
		printf("\"server_url\":\"%.*s\",", (int)setup->server_url.length, setup->server_url.at);
	if (setup->migrator_url.at != NULL)
		printf("\"migrator_url\":\"%.*s\",", (int)setup->migrator_url.length, setup->migrator_url.at);
}

/* As the administrator of a PostgreSQL database also makes the roles that are missing, and prints how to connect as
 * them: the only time. */
int migrate_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
		struct arena *arena)
{
	const struct log log = { .fd = STDERR_FILENO, .least = LOG_INFO };
	struct postgres_setup setup = { 0 };
	struct server_options options;
	struct lock *lock = NULL;
	struct fault fault = { 0 };
	const bool distribute = arguments->values[1].at != NULL;
	int64_t distributed = 0;
	size_t applied = 0;
	bool remote = false;
	enum err err = take_database(settings, arena, &log, &options, &lock, &fault);

	(void)verb;
	if (err == OK)
		err = db_know(options.database, &remote, &fault);
	if (err == OK && distribute && !remote)
		err = fault_set(&fault, ERR_INVALID, NULL, "distribute",
				"Only a PostgreSQL with Citus can be distributed: give its URL as --database.");
	if (err == OK && remote)
		err = postgres_set_up(options.database, arguments->values[0].at != NULL, arena, &setup, &fault);
	if (err == OK)
		err = migrate(options.database, migrations, migration_count, &log, &applied, &fault);
	if (err == OK && distribute)
		err = postgres_distribute_tables(options.database, &distributed, &fault);
	lock_release(lock);
	if (err != OK)
		return verb_failed(&fault);
	putchar('{');
	print_setup(&setup);
	if (distribute)
		printf("\"distributed\":%lld,", (long long)distributed);
	printf("\"applied\":%zu,\"schema\":%zu}\n", applied, migration_count);
	return 0;
}

int restore_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
		struct arena *arena)
{
	const struct log log = { .fd = STDERR_FILENO, .least = LOG_INFO };
	struct server_options options;
	struct copy_result result;
	struct lock *lock = NULL;
	struct fault fault = { 0 };
	enum err err = take_database(settings, arena, &log, &options, &lock, &fault);

	(void)verb;
	if (err == OK)
		err = copy_restore(options.database, arguments->values[0], &log, &result, &fault);
	lock_release(lock);
	if (err != OK)
		return verb_failed(&fault);
	printf("{\"bytes\":%lld,\"sha256\":\"%s\"}\n", (long long)result.bytes, result.checksum);
	return 0;
}
