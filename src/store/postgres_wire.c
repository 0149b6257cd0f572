#include "store/postgres_wire.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "store/db.h"

/* https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_type.dat: these never change. */
enum { OID_BOOL = 16, OID_INT8 = 20, OID_TEXT = 25, OID_FLOAT8 = 701, OID_UUID = 2950 };
enum { OID_BOOLS = 1000, OID_INT8S = 1016, OID_TEXTS = 1009, OID_FLOAT8S = 1022, OID_UUIDS = 2951 };

static const Oid oids[] = {
	[COLUMN_UUID] = OID_UUID, [COLUMN_TEXT] = OID_TEXT, [COLUMN_INT] = OID_INT8,  [COLUMN_REAL] = OID_FLOAT8,
	[COLUMN_BOOL] = OID_BOOL, [COLUMN_TIME] = OID_INT8, [COLUMN_JSON] = OID_TEXT,
};

static const Oid array_oids[] = {
	[COLUMN_UUID] = OID_UUIDS, [COLUMN_TEXT] = OID_TEXTS, [COLUMN_INT] = OID_INT8S,  [COLUMN_REAL] = OID_FLOAT8S,
	[COLUMN_BOOL] = OID_BOOLS, [COLUMN_TIME] = OID_INT8S, [COLUMN_JSON] = OID_TEXTS,
};

Oid postgres_type(enum column_type type)
{
	return oids[type];
}

Oid postgres_array_type(enum column_type type)
{
	return array_oids[type];
}

static void put_number(struct postgres_parameters *out, int index, uint64_t bits)
{
	for (int i = 0; i < 8; i++)
		out->numbers[index][i] = (unsigned char)(bits >> (56 - 8 * i));
	out->values[index] = (const char *)out->numbers[index];
	out->lengths[index] = 8;
}

static uint64_t get_number(const char *at)
{
	uint64_t bits = 0;

	for (int i = 0; i < 8; i++)
		bits = bits << 8 | (unsigned char)at[i];
	return bits;
}

static void bind_uuid(struct postgres_parameters *out, int index, const void *from)
{
	if (uuid_is_nil(from))
		return;
	out->values[index] = from;
	out->lengths[index] = (int)sizeof(struct uuid);
}

static void bind_text(struct postgres_parameters *out, int index, const void *from)
{
	struct text text;

	memcpy(&text, from, sizeof text);
	out->values[index] = text.at;
	out->lengths[index] = (int)text.length;
}

static void bind_int(struct postgres_parameters *out, int index, const void *from)
{
	int64_t number;

	memcpy(&number, from, sizeof number);
	if (number != DB_NULL)
		put_number(out, index, (uint64_t)number);
}

static void bind_real(struct postgres_parameters *out, int index, const void *from)
{
	double real;
	uint64_t bits;

	memcpy(&real, from, sizeof real);
	memcpy(&bits, from, sizeof bits);
	if (!isnan(real))
		put_number(out, index, bits);
}

static void bind_bool(struct postgres_parameters *out, int index, const void *from)
{
	bool flag;

	memcpy(&flag, from, sizeof flag);
	out->numbers[index][0] = flag;
	out->values[index] = (const char *)out->numbers[index];
	out->lengths[index] = 1;
}

static void bind_column(struct postgres_parameters *out, int index, const struct column *column, const char *in)
{
	const void *from = in + column->offset;

	switch (column->type) {
	case COLUMN_UUID:
		bind_uuid(out, index, from);
		break;
	case COLUMN_TEXT:
	case COLUMN_JSON:
		bind_text(out, index, from);
		break;
	case COLUMN_INT:
	case COLUMN_TIME:
		bind_int(out, index, from);
		break;
	case COLUMN_REAL:
		bind_real(out, index, from);
		break;
	case COLUMN_BOOL:
		bind_bool(out, index, from);
		break;
	}
}

void postgres_types(struct postgres_parameters *out, const struct statement *statement)
{
	assert(statement->in_count < POSTGRES_PARAMETERS);
	out->count = 0;
	if (statement->kind == STATEMENT_TENANT)
		out->types[out->count++] = OID_UUID;
	for (size_t i = 0; i < statement->in_count; i++)
		out->types[out->count++] =
		    statement->rows ? array_oids[statement->in[i].type] : oids[statement->in[i].type];
}

void postgres_bind(struct postgres_parameters *out, const struct statement *statement, const struct uuid *organization,
		   const void *in)
{
	int index = 0;

	postgres_types(out, statement);
	for (int i = 0; i < out->count; i++) {
		out->values[i] = NULL;
		out->lengths[i] = 0;
		out->formats[i] = POSTGRES_BINARY;
	}
	if (statement->kind == STATEMENT_TENANT)
		bind_uuid(out, index++, organization);
	for (size_t i = 0; i < statement->in_count; i++)
		bind_column(out, index++, &statement->in[i], in);
}

void postgres_bind_one(struct postgres_parameters *out, struct text text)
{
	out->count = 1;
	out->types[0] = OID_TEXT;
	out->values[0] = text.at;
	out->lengths[0] = (int)text.length;
	out->formats[0] = POSTGRES_BINARY;
}

void postgres_bind_organization(struct postgres_parameters *out, const struct uuid *organization)
{
	out->count = 1;
	out->types[0] = OID_UUID;
	out->values[0] = NULL;
	out->lengths[0] = 0;
	out->formats[0] = POSTGRES_BINARY;
	bind_uuid(out, 0, organization);
}

bool postgres_fits(const PGresult *described, const struct statement *statement)
{
	if ((size_t)PQnfields(described) != statement->out_count + statement->numbered ||
	    (statement->numbered && PQftype(described, (int)statement->out_count) != OID_INT8))
		return false;
	for (size_t i = 0; i < statement->out_count; i++)
		if (PQftype(described, (int)i) != oids[statement->out[i].type])
			return false;
	return true;
}

static void read_column(const PGresult *result, int row, int index, const struct column *column, char *out)
{
	void *to = out + column->offset;
	const bool null = PQgetisnull(result, row, index) != 0;
	const char *at = PQgetvalue(result, row, index);
	struct text text = { 0 };
	int64_t number = DB_NULL;
	uint64_t bits;
	double real = (double)NAN;
	bool flag;

	switch (column->type) {
	case COLUMN_UUID:
		memset(to, 0, sizeof(struct uuid));
		if (!null)
			memcpy(to, at, sizeof(struct uuid));
		break;
	case COLUMN_TEXT:
	case COLUMN_JSON:
		if (!null)
			text = (struct text){ at, (size_t)PQgetlength(result, row, index) };
		memcpy(to, &text, sizeof text);
		break;
	case COLUMN_INT:
	case COLUMN_TIME:
		if (!null)
			number = (int64_t)get_number(at);
		memcpy(to, &number, sizeof number);
		break;
	case COLUMN_REAL:
		bits = null ? 0 : get_number(at);
		if (!null)
			memcpy(&real, &bits, sizeof real);
		memcpy(to, &real, sizeof real);
		break;
	case COLUMN_BOOL:
		flag = !null && at[0] != 0;
		memcpy(to, &flag, sizeof flag);
		break;
	}
}

void postgres_read(const PGresult *result, int row, const struct statement *statement, void *out)
{
	for (size_t i = 0; i < statement->out_count; i++)
		read_column(result, row, (int)i, &statement->out[i], out);
}

int64_t postgres_read_number(const PGresult *result, int row, int column)
{
	return (int64_t)get_number(PQgetvalue(result, row, column));
}

static const struct known {
	const char *state; /* the beginning of it */
	enum err err;
} known[] = {
	{ "23502", ERR_CONFLICT },    /* not_null_violation */
	{ "23503", ERR_CONFLICT },    /* foreign_key_violation */
	{ "23505", ERR_CONFLICT },    /* unique_violation */
	{ "23514", ERR_CONFLICT },    /* check_violation */
	{ "42501", ERR_DENIED },      /* insufficient_privilege, row security's check too */
	{ "54", ERR_TOO_LARGE },      /* program limit exceeded */
	{ "53", ERR_UNAVAILABLE },    /* insufficient resources: the disk, memory, connections */
	{ "57014", ERR_TOO_SLOW },    /* query_canceled: a statement took too long */
	{ "57", ERR_UNAVAILABLE },    /* operator intervention: cancelled, shut down, starting */
	{ "58", ERR_UNAVAILABLE },    /* a system error of its own */
	{ "40", ERR_UNAVAILABLE },    /* rolled back for another's sake: a deadlock */
	{ "55P03", ERR_UNAVAILABLE }, /* lock_not_available */
	{ "08", ERR_UNAVAILABLE },    /* connection */
	{ "25", ERR_UNAVAILABLE },    /* invalid transaction state: a standby for the moment, or an earlier failure */
};

enum err postgres_err(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (state == NULL)
		return ERR_UNAVAILABLE; /* libpq's own: the connection is lost */
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strncmp(state, known[i].state, strlen(known[i].state)) == 0)
			return known[i].err;
	return ERR_STORAGE;
}
