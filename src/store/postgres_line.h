/* One connection to PostgreSQL: what is sent goes out together, and answers are taken in the order of the questions.
 * Owner: a db_postgres.c connection. Its thread.
 * Always in libpq's pipeline mode: sending waits for nobody; who needs an answer waits for it and for all before it.
 * Never keeps a line that broke, or whose state is not known: it is closed, and opened anew when next needed.
 * Source: https://www.postgresql.org/docs/15/libpq-pipeline-mode.html. Next: db_postgres.c. */
#ifndef INNKEEPER_STORE_POSTGRES_LINE_H
#define INNKEEPER_STORE_POSTGRES_LINE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "store/postgres_wire.h"

struct postgres_line;

/* What becomes of one question. */
struct postgres_answer {
	PGresult *result; /* NULL: none came. The asker's: PQclear */
	enum err err;     /* UNAVAILABLE also when it was passed over because of an earlier failure */
	bool arrived;
};

/* `url` as libpq takes it. Opens nothing yet. ERR_MEMORY. */
enum err postgres_line_new(struct postgres_line **out, struct text url, const char *settings,
			   const struct log *log) WARN_UNUSED;
void postgres_line_free(struct postgres_line *line);

/* Sees to it that the line stands: opens it if need be, but not again at once after a failure. `*fresh`: it was opened
 * just now, and nothing is prepared on it. ERR_UNAVAILABLE. `fault` (may be NULL) says why. */
enum err postgres_line_open(struct postgres_line *line, bool *fresh, struct fault *fault) WARN_UNUSED;
bool postgres_line_stands(const struct postgres_line *line);
void postgres_line_close(struct postgres_line *line);

/* How long each answer may take from now on; 0: as long as it takes, as at first. Behind it the line is lost: whoever
 * does not answer at all, not even that it took too long, is not there. In any case it is lost when an answer has not
 * come for some seconds and the server answers nobody else either. What was sent may then be done or not. */
void postgres_line_limit(struct postgres_line *line, int64_t microseconds);

/* What it leads to is not to be worked with: closes it, and it is not opened again at once. */
void postgres_line_refuse(struct postgres_line *line);

/* Questions. `answer` (NULL: nobody looks, but a failure is remembered) must live until it arrived or was given up.
 * A failure to send shows as an answer that arrives with ERR_UNAVAILABLE. `what` names it in the log, and lives on. */
void postgres_line_command(struct postgres_line *line, const char *sql, const char *what,
			   struct postgres_answer *answer);
void postgres_line_prepare(struct postgres_line *line, const char *name, const char *what, const char *sql,
			   const struct postgres_parameters *parameters, struct postgres_answer *described);
/* `rows`, if not 0: an answer nobody looks at must say that so many were changed. */
void postgres_line_run(struct postgres_line *line, const char *name, const char *what,
		       const struct postgres_parameters *parameters, size_t rows, struct postgres_answer *answer);
/* The same of a text that is not prepared. */
void postgres_line_ask(struct postgres_line *line, const char *sql, const struct postgres_parameters *parameters,
		       const char *what, struct postgres_answer *answer);

/* Waits for an answer. */
void postgres_line_wait(struct postgres_line *line, const struct postgres_answer *answer);

/* The asker is gone: the answer is dropped when it comes. */
void postgres_line_give_up(struct postgres_line *line, const struct postgres_answer *answer);

/* Waits for everything that was sent. Gives the first failure since the last call of questions nobody looks at. */
enum err postgres_line_settle(struct postgres_line *line);

/* Settles, and closes the line unless it is idle, in no transaction. */
enum err postgres_line_rest(struct postgres_line *line);

/* Runs a script of many commands, outside the pipeline. Nothing may be under way. */
enum err postgres_line_script(struct postgres_line *line, const char *sql, struct fault *fault) WARN_UNUSED;

/* The socket, to wait on; -1 when the line does not stand. And who has something to say without being asked. */
PGconn *postgres_line_connection(struct postgres_line *line);

#endif
