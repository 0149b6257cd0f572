/* Answers that were asked for before they are wanted, each found again by its question.
 * Owner: a db_postgres.c connection; of one transaction. Its thread.
 * A question is a statement and its values, the organization among them. An answer is given once: the next question is
 * about another moment. Never waits but in take. Next: db_postgres.c. */
#ifndef INNKEEPER_STORE_POSTGRES_FORESIGHT_H
#define INNKEEPER_STORE_POSTGRES_FORESIGHT_H

#include <stdbool.h>

#include "statements.h"
#include "store/postgres_line.h"

struct postgres_foreseen;

struct postgres_foresight {
	struct postgres_foreseen *first;
};

/* Where the answer is to come; NULL: the question stands there already, is too long, or memory is out. */
struct postgres_answer *postgres_foresight_add(struct postgres_foresight *foresight, enum statement_id id,
					       const struct postgres_parameters *parameters);

/* The answer to a question, waited for. False: it was not foreseen, or failed. */
bool postgres_foresight_take(struct postgres_foresight *foresight, struct postgres_line *line, enum statement_id id,
			     const struct postgres_parameters *parameters, struct postgres_answer *out);

/* Answers that were not wanted are dropped. */
void postgres_foresight_clear(struct postgres_foresight *foresight, struct postgres_line *line);

#endif
