#include "store/postgres_line.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/postgres_reach.h"

#define RETRY_FIRST 50000   /* us between two attempts to open; doubles */
#define RETRY_LAST  1000000 /* up to here: ready again well within five seconds of the server */
#define OPENING     3000000 /* us that the first answer of a new connection may take, as connecting may */
#define SILENCE     2000000 /* us without the answer that is waited for, and the server is asked whether it is there */

enum kind { QUESTION, SYNC };

struct sent {
	enum kind kind;
	struct postgres_answer *answer; /* NULL: nobody looks */
	const char *what;
	size_t rows; /* that it must have changed; 0: any number */
};

struct postgres_line {
	PGconn *connection; /* NULL: the line does not stand */
	char *url;
	char *settings;
	const struct log *log;
	int64_t retry_at; /* clock_monotonic */
	int64_t retry_in;
	int64_t patience;   /* us that an answer may take; 0: as long as it takes */
	bool told;          /* the log knows that it cannot be opened */
	enum err failure;   /* of a question nobody looks at, since the last settle */
	struct sent *queue; /* a ring of what was sent and has no answer yet */
	size_t first, count, room;
};

enum err postgres_line_new(struct postgres_line **out, struct text url, const char *settings, const struct log *log)
{
	struct postgres_line *line = calloc(1, sizeof *line);

	*out = NULL;
	if (line == NULL)
		return ERR_MEMORY;
	line->log = log;
	line->url = strndup(url.at, url.length);
	line->settings = strdup(settings);
	if (line->url == NULL || line->settings == NULL) {
		postgres_line_free(line);
		return ERR_MEMORY;
	}
	*out = line;
	return OK;
}

void postgres_line_free(struct postgres_line *line)
{
	if (line == NULL)
		return;
	postgres_line_close(line);
	free(line->queue);
	free(line->settings);
	free(line->url);
	free(line);
}

void postgres_line_limit(struct postgres_line *line, int64_t microseconds)
{
	line->patience = microseconds;
}

bool postgres_line_stands(const struct postgres_line *line)
{
	return line->connection != NULL;
}

static void arrive(struct postgres_line *line, const struct sent *sent, PGresult *result, enum err err)
{
	if (sent->answer == NULL) {
		if (err == OK && sent->rows > 0 && strtoull(PQcmdTuples(result), NULL, 10) != sent->rows)
			err = ERR_CONFLICT;
		if (err != OK && line->failure == OK)
			line->failure = err;
		PQclear(result);
		return;
	}
	sent->answer->arrived = true;
	sent->answer->err = err;
	sent->answer->result = result;
}

static struct sent pop(struct postgres_line *line)
{
	const struct sent sent = line->queue[line->first];

	line->first = (line->first + 1) % line->room;
	line->count--;
	return sent;
}

void postgres_line_close(struct postgres_line *line)
{
	while (line->count > 0) {
		const struct sent sent = pop(line);

		if (sent.kind == QUESTION)
			arrive(line, &sent, NULL, ERR_UNAVAILABLE);
	}
	PQfinish(line->connection);
	line->connection = NULL;
}

static void lose_because(struct postgres_line *line, const char *reason)
{
	LOG(line->log, LOG_WARNING, "the connection to the database is lost", LOG_STRING("reason", reason));
	postgres_line_close(line);
}

static void lose(struct postgres_line *line)
{
	lose_because(line, PQerrorMessage(line->connection));
}

/* Waits until the next answer can be taken without waiting; false: it has not come in time. What breaks meanwhile shows
 * when it is taken. */
static bool await(struct postgres_line *line, int64_t patience)
{
	const int64_t until = clock_monotonic() + patience;

	while (PQisBusy(line->connection) == 1) {
		const int unsent = PQflush(line->connection);
		const int64_t left = until - clock_monotonic();
		struct pollfd socket = { .fd = PQsocket(line->connection),
					 .events = (short)(unsent == 1 ? POLLIN | POLLOUT : POLLIN) };

		if (unsent < 0 || (poll(&socket, 1, left <= 0 ? 0 : (int)(left / 1000) + 1) > 0 &&
				   PQconsumeInput(line->connection) == 0))
			return true;
		if (left <= 0)
			return PQisBusy(line->connection) != 1;
	}
	return true;
}

/* Whether the other side has closed it meanwhile; asks nobody. */
static bool has_ended(struct postgres_line *line)
{
	struct pollfd socket = { .fd = PQsocket(line->connection), .events = POLLIN };

	if (poll(&socket, 1, 0) <= 0)
		return false;
	return PQconsumeInput(line->connection) == 0 || PQstatus(line->connection) != CONNECTION_OK;
}

static bool set_up(struct postgres_line *line)
{
	bool done;

	if (PQstatus(line->connection) != CONNECTION_OK)
		return false;
	done = PQsendQuery(line->connection, line->settings) == 1;
	/* One answer for each setting, and NULL behind the last. */
	for (PGresult *result = NULL; done; PQclear(result)) {
		if (!await(line, OPENING))
			return false;
		result = PQgetResult(line->connection);
		if (result == NULL)
			break;
		done = PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
	}
	return done && PQsetnonblocking(line->connection, 1) == 0 && PQenterPipelineMode(line->connection) == 1;
}

/* Waits for the next answer as long as may be, and while the server is there. False: it is given up. What was sent may
 * still be done: nobody knows. */
static bool await_patiently(struct postgres_line *line)
{
	const int64_t began = clock_monotonic();

	for (;;) {
		const int64_t left = line->patience == 0 ? INT64_MAX : began + line->patience - clock_monotonic();
		const bool last = left < 2 * (int64_t)SILENCE;

		if (await(line, last ? left : SILENCE))
			return true;
		if (last)
			return false;
		if (!postgres_reach_answers(line->url, line->connection))
			return await(line, 0); /* it may have come meanwhile */
	}
}

static void wait_before_retry(struct postgres_line *line)
{
	line->retry_in = line->retry_in == 0 ? RETRY_FIRST : line->retry_in * 2;
	line->retry_in = line->retry_in > RETRY_LAST ? RETRY_LAST : line->retry_in;
	line->retry_at = clock_monotonic() + line->retry_in;
}

void postgres_line_refuse(struct postgres_line *line)
{
	postgres_line_close(line);
	wait_before_retry(line);
}

static enum err fail_to_open(struct postgres_line *line, struct fault *fault)
{
	const char *reason = line->connection == NULL ? "out of memory" : PQerrorMessage(line->connection);

	if (!line->told)
		LOG(line->log, LOG_WARNING, "the database cannot be reached", LOG_STRING("reason", reason));
	line->told = true;
	if (fault != NULL)
		fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The database cannot be reached: %.*s.",
			  (int)strcspn(reason, "\n"), reason);
	PQfinish(line->connection);
	line->connection = NULL;
	wait_before_retry(line);
	return ERR_UNAVAILABLE;
}

enum err postgres_line_open(struct postgres_line *line, bool *fresh, struct fault *fault)
{
	*fresh = false;
	if (line->connection != NULL && has_ended(line))
		lose(line);
	if (line->connection != NULL) {
		line->retry_in = 0; /* it was of use */
		return OK;
	}
	if (clock_monotonic() < line->retry_at)
		return fault == NULL ? ERR_UNAVAILABLE
				     : fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The database cannot be reached.");
	line->failure = OK;
	line->connection = postgres_reach_connect(line->url, "innkeeper");
	if (line->connection == NULL || !set_up(line))
		return fail_to_open(line, fault);
	if (line->told)
		LOG(line->log, LOG_INFO, "the database is reached again", LOG_STRING("host", PQhost(line->connection)));
	line->told = false;
	*fresh = true;
	return OK;
}

static bool make_room(struct postgres_line *line)
{
	const size_t room = line->room == 0 ? 64 : line->room * 2;
	struct sent *queue;

	if (line->count < line->room)
		return true;
	queue = calloc(room, sizeof *queue);
	if (queue == NULL)
		return false;
	for (size_t i = 0; line->room > 0 && i < line->count; i++)
		queue[i] = line->queue[(line->first + i) % line->room];
	free(line->queue);
	line->queue = queue;
	line->first = 0;
	line->room = room;
	return true;
}

/* What libpq took, or did not. */
static void push(struct postgres_line *line, bool taken, struct sent sent)
{
	if (taken && make_room(line)) {
		line->queue[(line->first + line->count++) % line->room] = sent;
		return;
	}
	if (line->connection != NULL)
		lose(line);
	if (sent.kind == QUESTION)
		arrive(line, &sent, NULL, ERR_UNAVAILABLE);
}

static void begin_answer(struct postgres_answer *answer)
{
	if (answer != NULL)
		*answer = (struct postgres_answer){ 0 };
}

void postgres_line_command(struct postgres_line *line, const char *sql, const char *what,
			   struct postgres_answer *answer)
{
	const bool stands = line->connection != NULL;

	begin_answer(answer);
	push(line, stands && PQsendQueryParams(line->connection, sql, 0, NULL, NULL, NULL, NULL, POSTGRES_BINARY) == 1,
	     (struct sent){ .kind = QUESTION, .answer = answer, .what = what });
}

void postgres_line_prepare(struct postgres_line *line, const char *name, const char *what, const char *sql,
			   const struct postgres_parameters *parameters, struct postgres_answer *described)
{
	const bool stands = line->connection != NULL;

	begin_answer(described);
	push(line, stands && PQsendPrepare(line->connection, name, sql, parameters->count, parameters->types) == 1,
	     (struct sent){ .kind = QUESTION, .what = what });
	push(line, line->connection != NULL && PQsendDescribePrepared(line->connection, name) == 1,
	     (struct sent){ .kind = QUESTION, .answer = described, .what = what });
}

void postgres_line_run(struct postgres_line *line, const char *name, const char *what,
		       const struct postgres_parameters *parameters, size_t rows, struct postgres_answer *answer)
{
	const bool stands = line->connection != NULL;

	begin_answer(answer);
	push(line,
	     stands && PQsendQueryPrepared(line->connection, name, parameters->count, parameters->values,
					   parameters->lengths, parameters->formats, POSTGRES_BINARY) == 1,
	     (struct sent){ QUESTION, answer, what, rows });
}

void postgres_line_ask(struct postgres_line *line, const char *sql, const struct postgres_parameters *parameters,
		       const char *what, struct postgres_answer *answer)
{
	const bool stands = line->connection != NULL;

	begin_answer(answer);
	push(line,
	     stands &&
		 PQsendQueryParams(line->connection, sql, parameters->count, parameters->types, parameters->values,
				   parameters->lengths, parameters->formats, POSTGRES_BINARY) == 1,
	     (struct sent){ .kind = QUESTION, .answer = answer, .what = what });
}

/* The message names columns and constraints; values stand in the detail, which is left out. */
static enum err judge(struct postgres_line *line, const struct sent *sent, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	enum err err;

	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		return OK;
	case PGRES_PIPELINE_ABORTED:
		return ERR_UNAVAILABLE;
	default:
		err = postgres_err(result);
		if (err != ERR_CONFLICT)
			LOG(line->log, LOG_ERROR, "database error", LOG_STRING("while", sent->what),
			    LOG_STRING("state", state == NULL ? "" : state),
			    LOG_STRING("reason", message == NULL ? "" : message));
		return err;
	}
}

static void sync_line(struct postgres_line *line)
{
	push(line, line->connection != NULL && PQpipelineSync(line->connection) == 1,
	     (struct sent){ .kind = SYNC, .what = "sync" });
}

/* The answer to the oldest question. False: the line is lost. */
static bool receive(struct postgres_line *line)
{
	PGresult *result;
	const struct sent *first = &line->queue[line->first];
	bool failed = false;

	if (PQisBusy(line->connection) == 1 && !await_patiently(line)) {
		lose_because(line, "no answer in time");
		wait_before_retry(line); /* who waits behind this one is answered, not made to wait too */
		return false;
	}
	result = PQgetResult(line->connection);
	if (result == NULL || PQstatus(line->connection) != CONNECTION_OK) {
		PQclear(result);
		lose(line);
		return false;
	}
	if (first->kind == SYNC) {
		PQclear(result);
		(void)pop(line);
		return true;
	}
	failed = PQresultStatus(result) == PGRES_FATAL_ERROR;
	arrive(line, first, result, judge(line, first, result));
	(void)pop(line);
	/* Each question's answers end with NULL. */
	while ((result = PQgetResult(line->connection)) != NULL)
		PQclear(result);
	/* What was sent behind a failure is passed over until the next sync. */
	if (failed)
		sync_line(line);
	return line->connection != NULL;
}

/* Tells the server to hand out what it has. */
static void press(struct postgres_line *line)
{
	if (line->connection != NULL && line->count > 0 && PQsendFlushRequest(line->connection) != 1)
		lose(line);
}

void postgres_line_wait(struct postgres_line *line, const struct postgres_answer *answer)
{
	press(line);
	while (!answer->arrived && line->connection != NULL && line->count > 0) {
		/* A sync that a failure put behind everything has a flush of its own. */
		if (!receive(line))
			return;
	}
}

void postgres_line_give_up(struct postgres_line *line, const struct postgres_answer *answer)
{
	for (size_t i = 0; i < line->count; i++) {
		struct sent *sent = &line->queue[(line->first + i) % line->room];

		if (sent->answer == answer)
			sent->answer = NULL;
	}
}

enum err postgres_line_settle(struct postgres_line *line)
{
	enum err failure;

	press(line);
	while (line->connection != NULL && line->count > 0)
		if (!receive(line))
			break;
	failure = line->connection == NULL ? ERR_UNAVAILABLE : line->failure;
	line->failure = OK;
	return failure;
}

enum err postgres_line_rest(struct postgres_line *line)
{
	enum err err;

	sync_line(line);
	err = postgres_line_settle(line);
	if (line->connection != NULL && PQtransactionStatus(line->connection) != PQTRANS_IDLE)
		postgres_line_close(line);
	return err;
}

/* Ends the pipeline, not the transaction. */
static enum err leave_pipeline(struct postgres_line *line)
{
	enum err err;

	sync_line(line);
	err = postgres_line_settle(line);
	if (err == OK && (PQexitPipelineMode(line->connection) != 1 || PQsetnonblocking(line->connection, 0) != 0))
		err = ERR_UNAVAILABLE;
	return err;
}

enum err postgres_line_script(struct postgres_line *line, const char *sql, struct fault *fault)
{
	enum err err = leave_pipeline(line);
	PGresult *result;

	if (err != OK)
		return fault_set(fault, err, NULL, NULL, "The database cannot be reached.");
	result = PQexec(line->connection, sql);
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		break;
	default:
		err = fault_set(fault, ERR_STORAGE, NULL, NULL, "%s", PQresultErrorMessage(result));
	}
	PQclear(result);
	if (PQsetnonblocking(line->connection, 1) != 0 || PQenterPipelineMode(line->connection) != 1)
		lose(line);
	return err;
}

PGconn *postgres_line_connection(struct postgres_line *line)
{
	return line->connection;
}
