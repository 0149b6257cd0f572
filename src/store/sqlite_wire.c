#include "store/sqlite_wire.h"

#include <math.h>
#include <string.h>

#include "store/db.h"

static int bind_text(sqlite3_stmt *prepared_statement, int index, const void *from)
{
	struct text text;

	memcpy(&text, from, sizeof text);
	return text.at == NULL
		   ? sqlite3_bind_null(prepared_statement, index)
		   : sqlite3_bind_text64(prepared_statement, index, text.at, text.length, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_int(sqlite3_stmt *prepared_statement, int index, const void *from)
{
	int64_t value;

	memcpy(&value, from, sizeof value);
	return value == DB_NULL ? sqlite3_bind_null(prepared_statement, index)
				: sqlite3_bind_int64(prepared_statement, index, value);
}

static int bind_column(sqlite3_stmt *prepared_statement, int index, const struct column *column, const char *in)
{
	const void *from = in + column->offset;
	double real;
	bool flag;

	switch (column->type) {
	case COLUMN_UUID:
		return uuid_is_nil(from) ? sqlite3_bind_null(prepared_statement, index)
					 : sqlite3_bind_blob(prepared_statement, index, from, 16, SQLITE_STATIC);
	case COLUMN_TEXT:
	case COLUMN_JSON:
		return bind_text(prepared_statement, index, from);
	case COLUMN_INT:
	case COLUMN_TIME:
		return bind_int(prepared_statement, index, from);
	case COLUMN_REAL:
		memcpy(&real, from, sizeof real);
		return isnan(real) ? sqlite3_bind_null(prepared_statement, index)
				   : sqlite3_bind_double(prepared_statement, index, real);
	case COLUMN_BOOL:
		memcpy(&flag, from, sizeof flag);
		return sqlite3_bind_int(prepared_statement, index, flag ? 1 : 0);
	}
	return SQLITE_MISUSE;
}

int sqlite_bind(sqlite3_stmt *prepared, const struct statement *statement, const struct uuid *organization,
		const void *in)
{
	int index = 1;
	int status = SQLITE_OK;

	if (organization != NULL)
		status = sqlite3_bind_blob(prepared, index++, organization->bytes, 16, SQLITE_STATIC);
	for (size_t i = 0; status == SQLITE_OK && i < statement->in_count; i++)
		status = bind_column(prepared, index++, &statement->in[i], in);
	return status;
}

static void read_uuid(sqlite3_stmt *row, int index, void *to)
{
	const void *bytes = sqlite3_column_blob(row, index);

	memset(to, 0, sizeof(struct uuid));
	if (bytes != NULL && sqlite3_column_bytes(row, index) == 16)
		memcpy(to, bytes, sizeof(struct uuid));
}

static void read_column(sqlite3_stmt *row, int index, const struct column *column, char *out)
{
	void *to = out + column->offset;
	const bool null = sqlite3_column_type(row, index) == SQLITE_NULL;
	struct text text;
	int64_t number;
	double real;
	bool flag;

	switch (column->type) {
	case COLUMN_UUID:
		read_uuid(row, index, to);
		break;
	case COLUMN_TEXT:
	case COLUMN_JSON:
		text.at = (const char *)sqlite3_column_text(row, index);
		text.length = text.at == NULL ? 0 : (size_t)sqlite3_column_bytes(row, index);
		memcpy(to, &text, sizeof text);
		break;
	case COLUMN_INT:
	case COLUMN_TIME:
		number = null ? DB_NULL : sqlite3_column_int64(row, index);
		memcpy(to, &number, sizeof number);
		break;
	case COLUMN_REAL:
		real = null ? (double)NAN : sqlite3_column_double(row, index);
		memcpy(to, &real, sizeof real);
		break;
	case COLUMN_BOOL:
		flag = sqlite3_column_int(row, index) != 0;
		memcpy(to, &flag, sizeof flag);
		break;
	}
}

void sqlite_read(sqlite3_stmt *row, const struct statement *statement, void *out)
{
	for (size_t i = 0; i < statement->out_count; i++)
		read_column(row, (int)i, &statement->out[i], out);
}
