/* A statement's values as PostgreSQL's binary protocol has them, and its errors as the house has them.
 * Owner: nobody; borrowed memory throughout. The connection's thread.
 * A parameter's text is borrowed from the in struct, a row's text from its result.
 * Never converts: a column of another type than the statement says is refused when the statement is prepared.
 * Source: https://www.postgresql.org/docs/15/protocol.html, errcodes-appendix.html. Next: db_postgres.c. */
#ifndef INNKEEPER_STORE_POSTGRES_WIRE_H
#define INNKEEPER_STORE_POSTGRES_WIRE_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"
#include "base/uuid.h"
#include "store/statement.h"

#define POSTGRES_PARAMETERS 40
#define POSTGRES_BINARY     1 /* a value's or a result's format */

struct postgres_parameters {
	int count;
	Oid types[POSTGRES_PARAMETERS];
	const char *values[POSTGRES_PARAMETERS];
	int lengths[POSTGRES_PARAMETERS]; /* bytes */
	int formats[POSTGRES_PARAMETERS];
	unsigned char numbers[POSTGRES_PARAMETERS][8]; /* where values of 64 bits and less lie */
};

/* The types of a value and of an array of them. */
Oid postgres_type(enum column_type type);
Oid postgres_array_type(enum column_type type);

/* The types alone, for preparing. */
void postgres_types(struct postgres_parameters *out, const struct statement *statement);

/* `organization`: of the scope, NULL for the system's; `in`: the statement's in struct, NULL if it has none. */
void postgres_bind(struct postgres_parameters *out, const struct statement *statement, const struct uuid *organization,
		   const void *in);

/* The organization as the first parameter, before others are added. */
void postgres_bind_organization(struct postgres_parameters *out, const struct uuid *organization);

/* One text as the only parameter, of a question that is no statement. */
void postgres_bind_one(struct postgres_parameters *out, struct text text);

/* Whether what a statement gives (from PQdescribePrepared) is what its annotation says. */
bool postgres_fits(const PGresult *described, const struct statement *statement);

/* One row into the statement's out struct. */
void postgres_read(const PGresult *result, int row, const struct statement *statement, void *out);

/* The number in a column of 64 bits. */
int64_t postgres_read_number(const PGresult *result, int row, int column);

/* Of a failed result. */
enum err postgres_err(const PGresult *result);

#endif
