#include "store/notices.h"

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/postgres_reach.h"

#define RETRY_MS  250
#define ASK_MS    3000    /* of silence, and the line is tried: a machine that is gone says nothing */
#define ANSWER_US 3000000 /* that it may take */

struct notices {
	struct notices_options options;
	char *url;
	PGconn *connection; /* the thread's own once it runs; NULL: lost */
	int wake;           /* an eventfd: stop */
	pthread_t thread;
};

/* Waits until there is something to take; false: it took too long, or is to be stopped. What is broken shows later. */
static bool await(const struct notices *notices, PGconn *connection)
{
	const int64_t until = clock_monotonic() + ANSWER_US;
	struct pollfd sockets[] = {
		{ .fd = notices->wake, .events = POLLIN },
		{ .fd = PQsocket(connection), .events = POLLIN },
	};

	while (PQisBusy(connection) == 1) {
		const int64_t left = until - clock_monotonic();

		if (left <= 0)
			return false;
		if (poll(sockets, 2, (int)(left / 1000) + 1) <= 0)
			continue;
		if (sockets[0].revents != 0)
			return false;
		if (PQconsumeInput(connection) == 0)
			return true;
	}
	return true;
}

/* Asks what has one answer, without rows. False: it was not given, and the connection is of no more use. */
static bool ask(const struct notices *notices, PGconn *connection, const char *sql)
{
	bool answered = PQsendQuery(connection, sql) == 1;
	PGresult *result = NULL;

	for (bool more = answered; more; PQclear(result)) {
		if (!await(notices, connection))
			return false;
		result = PQgetResult(connection);
		more = result != NULL;
		answered = answered && (!more || PQresultStatus(result) == PGRES_COMMAND_OK ||
					PQresultStatus(result) == PGRES_TUPLES_OK);
	}
	return answered;
}

static PGconn *listen_to(const struct notices *notices, struct fault *fault)
{
	PGconn *connection = postgres_reach_connect(notices->url, "innkeeper (notices)");

	if (PQstatus(connection) == CONNECTION_OK && ask(notices, connection, "LISTEN innkeeper"))
		return connection;
	if (fault != NULL) {
		const char *reason = connection == NULL ? "out of memory" : PQerrorMessage(connection);

		fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The database cannot be listened to: %.*s.",
			  (int)strcspn(reason, "\n"), reason);
	}
	PQfinish(connection);
	return NULL;
}

static void lose(struct notices *notices)
{
	LOG(notices->options.log, LOG_WARNING, "the connection for notices is lost",
	    LOG_STRING("reason", PQerrorMessage(notices->connection)));
	PQfinish(notices->connection);
	notices->connection = NULL;
}

static void pass_on(struct notices *notices)
{
	PGnotify *notice;

	while ((notice = PQnotifies(notices->connection)) != NULL) {
		notices->options.heard(notices->options.context, text_of(notice->extra));
		PQfreemem(notice);
	}
}

/* False: to be stopped. */
static bool wait_for(struct notices *notices, int milliseconds)
{
	struct pollfd sockets[] = {
		{ .fd = notices->wake, .events = POLLIN },
		{ .fd = notices->connection == NULL ? -1 : PQsocket(notices->connection), .events = POLLIN },
	};
	const int ready = poll(sockets, 2, milliseconds);

	if (sockets[0].revents != 0)
		return false;
	if (notices->connection == NULL)
		return true;
	if (ready > 0 ? PQconsumeInput(notices->connection) == 0 || PQstatus(notices->connection) != CONNECTION_OK
		      : !ask(notices, notices->connection, "SELECT")) /* does anybody answer? */
		lose(notices);
	return true;
}

static void *work(void *given)
{
	struct notices *notices = given;

	pthread_setname_np(pthread_self(), "notices"); /* for top, gdb and perf */
	while (wait_for(notices, notices->connection == NULL ? RETRY_MS : ASK_MS)) {
		if (notices->connection == NULL) {
			notices->connection = listen_to(notices, NULL);
			if (notices->connection != NULL)
				notices->options.heard(notices->options.context, (struct text){ 0 });
		}
		if (notices->connection != NULL)
			pass_on(notices);
	}
	PQfinish(notices->connection);
	notices->connection = NULL;
	return NULL;
}

static void end(struct notices *notices)
{
	PQfinish(notices->connection);
	if (notices->wake >= 0)
		close(notices->wake);
	free(notices->url);
	free(notices);
}

enum err notices_start(struct notices **out, const struct notices_options *options, struct fault *fault)
{
	struct notices *notices = calloc(1, sizeof *notices);
	enum err err = OK;

	*out = NULL;
	if (notices == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	notices->options = *options;
	notices->url = strndup(options->url.at, options->url.length);
	notices->wake = eventfd(0, EFD_CLOEXEC);
	if (notices->url == NULL || notices->wake < 0)
		err = fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	if (err == OK) {
		notices->connection = listen_to(notices, fault);
		err = notices->connection == NULL ? ERR_UNAVAILABLE : OK;
	}
	if (err == OK && pthread_create(&notices->thread, NULL, work, notices) != 0)
		err = fault_set(fault, ERR_MEMORY, NULL, NULL, "The thread for notices could not be started.");
	if (err != OK) {
		end(notices);
		return err;
	}
	*out = notices;
	return OK;
}

void notices_hang_up(struct notices *notices)
{
	const uint64_t one = 1;

	if (notices == NULL)
		return;
	while (write(notices->wake, &one, sizeof one) < 0)
		;
}

void notices_stop(struct notices *notices)
{
	if (notices == NULL)
		return;
	notices_hang_up(notices);
	pthread_join(notices->thread, NULL);
	end(notices);
}
