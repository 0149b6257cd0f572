/* A connection to PostgreSQL as the files of its engine see it.
 * Owner: db_postgres.c makes and frees it. One thread at a time.
 * What is in the transaction and its scopes is db_postgres.c's, what is under way in them postgres_statements.c's.
 * Never included by others than these two.
 * Next: postgres_line.h (how it is spoken), postgres_statements.h. */
#ifndef INNKEEPER_STORE_POSTGRES_CONNECTION_H
#define INNKEEPER_STORE_POSTGRES_CONNECTION_H

#include "store/engine.h"
#include "store/postgres_foresight.h"
#include "store/postgres_line.h"
#include "store/postgres_rows.h"

#define POSTGRES_SCOPES  8 /* deep */
#define POSTGRES_GATHERS 4 /* statements of :rows at once */

/* A text that the server knows by a name. */
struct postgres_preparation {
	bool sent;
	bool fits; /* it gives what its annotation says */
	struct postgres_answer described;
};

/* A statement under way. */
struct postgres_running {
	struct postgres_answer answer;
	int row;     /* the next one to give */
	bool open;   /* started and not stopped */
	bool cursor; /* its rows are fetched piece by piece */
	bool declared;
};

struct postgres {
	struct db db; /* first: what the others see */
	struct postgres_line *line;
	enum db_use use;
	const struct log *log;
	const struct scope *scopes[POSTGRES_SCOPES];
	size_t depth;
	struct uuid bound; /* whose rows the transaction shows now; nil: the system's */
	bool is_bound;
	bool reached; /* at least once */
	bool follows; /* opened as DB_WRITE_ON */
	bool begun;
	bool care; /* of this transaction: db_set_care */
	bool wants_care;
	bool lost;                          /* it holds what was to be undone, and cannot be kept */
	size_t writes[POSTGRES_SCOPES + 1]; /* since each scope was entered */
	struct postgres_foresight foresight;
	struct postgres_rows
	    gathered[POSTGRES_GATHERS]; /* each to be written at once, before anything that may see it */
	int64_t changed;
	int64_t inserted;
	struct postgres_preparation prepared[STATEMENT_COUNT];
	struct postgres_preparation foreseen[STATEMENT_COUNT]; /* as they are asked ahead, many at once */
	struct postgres_running running[STATEMENT_COUNT];
};

#endif
