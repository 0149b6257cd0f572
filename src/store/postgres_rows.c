#include "store/postgres_rows.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE 20
#define MOST_ROWS   256
#define MOST_BYTES  ((size_t)1 << 20) /* of a column, which behind it takes one value more */
#define COLUMN_SIZE ((size_t)256 << 20)

static void put32(char *at, uint32_t value)
{
	const uint32_t wire = htonl(value);

	memcpy(at, &wire, sizeof wire);
}

enum err postgres_rows_begin(struct postgres_rows *rows, const struct statement *statement,
			     const struct uuid *organization)
{
	static const char header[HEADER_SIZE];

	if (rows->statement != statement) {
		postgres_rows_fini(rows);
		rows->columns = calloc(statement->in_count + 1, sizeof *rows->columns);
		if (rows->columns == NULL)
			return ERR_MEMORY;
		rows->statement = statement;
		for (size_t i = 0; i < statement->in_count; i++)
			buffer_init(&rows->columns[i], COLUMN_SIZE);
	}
	rows->organization = *organization;
	rows->count = 0;
	for (size_t i = 0; i < statement->in_count; i++) {
		rows->columns[i].failed = false;
		buffer_cut(&rows->columns[i], 0);
		buffer_add(&rows->columns[i], header, sizeof header);
		if (rows->columns[i].failed)
			return ERR_MEMORY;
	}
	return OK;
}

void postgres_rows_fini(struct postgres_rows *rows)
{
	for (size_t i = 0; rows->columns != NULL && i < rows->statement->in_count; i++)
		buffer_fini(&rows->columns[i]);
	free(rows->columns);
	*rows = (struct postgres_rows){ 0 };
}

/* An element: its length and its bytes; -1: NULL. */
static void put_value(struct buffer *column, const char *value, int length)
{
	char size[4];

	put32(size, value == NULL ? UINT32_MAX : (uint32_t)length);
	buffer_add(column, size, sizeof size);
	if (value != NULL)
		buffer_add(column, value, (size_t)length);
}

enum err postgres_rows_add(struct postgres_rows *rows, const struct postgres_parameters *row)
{
	const size_t first = (size_t)row->count - rows->statement->in_count;
	size_t lengths[POSTGRES_PARAMETERS];
	bool failed = false;

	for (size_t i = 0; i < rows->statement->in_count; i++) {
		lengths[i] = rows->columns[i].length;
		put_value(&rows->columns[i], row->values[first + i], row->lengths[first + i]);
		failed = failed || rows->columns[i].failed;
	}
	for (size_t i = 0; failed && i < rows->statement->in_count; i++) {
		rows->columns[i].failed = false;
		buffer_cut(&rows->columns[i], lengths[i]);
	}
	rows->count += !failed;
	return failed ? ERR_MEMORY : OK;
}

bool postgres_rows_full(const struct postgres_rows *rows)
{
	bool full = rows->count >= MOST_ROWS;

	for (size_t i = 0; !full && rows->count > 0 && i < rows->statement->in_count; i++)
		full = rows->columns[i].length >= MOST_BYTES;
	return full;
}

void postgres_rows_bind(struct postgres_rows *rows, struct postgres_parameters *out)
{
	postgres_bind_organization(out, &rows->organization);
	for (size_t i = 0; i < rows->statement->in_count; i++) {
		struct buffer *column = &rows->columns[i];

		put32(column->at, 1);     /* dimension */
		put32(column->at + 4, 1); /* some may be NULL */
		put32(column->at + 8, postgres_type(rows->statement->in[i].type));
		put32(column->at + 12, (uint32_t)rows->count);
		put32(column->at + 16, 1); /* the first one's index */
		out->types[out->count] = postgres_array_type(rows->statement->in[i].type);
		out->values[out->count] = column->at;
		out->lengths[out->count] = (int)column->length;
		out->formats[out->count] = POSTGRES_BINARY;
		out->count++;
	}
}
