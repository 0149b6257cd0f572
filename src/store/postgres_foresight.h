/* Answers that were asked for before they are wanted, each found again by its question.
 * Owner: a db_postgres.c connection; of one transaction. Its thread.
 * A question is a statement and its values, the organization among them; those of one statement are asked as one. An
 * answer is given once: the next question is about another moment.
 * Never waits but in take. Next: db_postgres.c. */
#ifndef INNKEEPER_STORE_POSTGRES_FORESIGHT_H
#define INNKEEPER_STORE_POSTGRES_FORESIGHT_H

#include <stdbool.h>

#include "statements.h"
#include "store/postgres_line.h"
#include "store/postgres_rows.h"

#define POSTGRES_FORESIGHT_PLACES 256 /* a power of two */

struct postgres_foreseen;

/* The questions of one statement and one organization that are asked together. */
struct postgres_asked {
	struct postgres_asked *next;
	enum statement_id id;
	struct postgres_rows rows;
	struct postgres_answer answer; /* to all of them */
	bool sent;
};

struct postgres_foresight {
	struct postgres_foreseen *places[POSTGRES_FORESIGHT_PLACES]; /* by their keys, chained */
	struct postgres_asked *first;
	size_t unsent;
};

/* A question as postgres_bind gives it. It is not foreseen if it stands there already, is too long, or memory is out.
 */
void postgres_foresight_add(struct postgres_foresight *foresight, enum statement_id id, const struct uuid *organization,
			    const struct postgres_parameters *parameters);

/* The next questions to send, with their answer to come into `answer`; NULL: all are sent. */
struct postgres_asked *postgres_foresight_next(struct postgres_foresight *foresight);

/* The text that asks for all rows of a statement's values at once, and behind each answer's columns says the question's
 * number, from 1 on. Freed by the caller; NULL: out of memory. A statement without values is asked by its own text. */
char *postgres_foresight_text(const struct statement *statement);

/* The answer to a question, waited for. False: it was not foreseen, or failed. */
bool postgres_foresight_take(struct postgres_foresight *foresight, struct postgres_line *line, enum statement_id id,
			     const struct postgres_parameters *parameters, struct postgres_answer *out);

/* Answers that were not wanted are dropped. */
void postgres_foresight_clear(struct postgres_foresight *foresight, struct postgres_line *line);

#endif
