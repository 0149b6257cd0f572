/* The ways in which handlers use a statement: for one row, for its effect, for its rows as JSON.
 * Owner: results live in the arena given. The thread that holds the db.
 * Any engine: nothing here but the functions of db.h.
 * Never leaves a statement open.
 * Next: any handler in api/. */
#ifndef INNKEEPER_STORE_QUERY_H
#define INNKEEPER_STORE_QUERY_H

#include "base/arena.h"
#include "base/csv.h"
#include "base/json_out.h"
#include "store/db.h"

/* The first row, its texts copied into the arena. ERR_NOT_FOUND when there is none. */
enum err query_one(struct db *db, enum statement_id id, const void *in, void *out, struct arena *arena) WARN_UNUSED;

/* Runs a write whose rows nobody reads. `changed` (may be NULL) gets the number of rows it changed. */
enum err query_run(struct db *db, enum statement_id id, const void *in, int64_t *changed) WARN_UNUSED;

/* All rows as objects, one after the other, into an array that is open; names and types are the statement's columns. */
enum err query_rows(struct db *db, enum statement_id id, const void *in, struct json_out *out) WARN_UNUSED;

/* A row of any statement fits. */
union query_row {
	char bytes[1024];
	struct text text;
	double real;
	int64_t number;
};

/* The members of one row already read into the statement's out struct, into an object that is open. */
void query_members(enum statement_id id, const void *row, struct json_out *out);

/* The same without the first `hidden` columns. */
void query_members_behind(enum statement_id id, size_t hidden, const void *row, struct json_out *out);

/* The names of the columns behind the first `hidden`, and a row's cells, each as one line. */
void query_names_csv(enum statement_id id, size_t hidden, struct csv_out *out);
void query_cells_csv(enum statement_id id, size_t hidden, const void *row, struct csv_out *out);

#endif
