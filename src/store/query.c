#include "store/query.h"

#include <string.h>

static bool is_text(const struct column *column)
{
	return column->type == COLUMN_TEXT || column->type == COLUMN_JSON;
}

static enum err keep_texts(const struct statement *statement, void *out, struct arena *arena)
{
	for (size_t i = 0; i < statement->out_count; i++) {
		char *member = (char *)out + statement->out[i].offset;
		struct text text;

		if (!is_text(&statement->out[i]))
			continue;
		memcpy(&text, member, sizeof text);
		text = text_copy(arena, text);
		memcpy(member, &text, sizeof text);
	}
	return arena->failed ? ERR_MEMORY : OK;
}

enum err query_one(struct db *db, enum statement_id id, const void *in, void *out, struct arena *arena)
{
	enum err err = db_start(db, id, in);

	if (err == OK)
		err = db_step(db, id, out);
	if (err == OK)
		err = keep_texts(&statements[id], out, arena);
	db_stop(db, id);
	return err;
}

enum err query_run(struct db *db, enum statement_id id, const void *in, int64_t *changed)
{
	enum err err = db_start(db, id, in);

	while (err == OK)
		err = db_step(db, id, NULL);
	db_stop(db, id);
	if (changed != NULL)
		*changed = err == ERR_NOT_FOUND ? db_changed(db) : 0;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err query_rows(struct db *db, enum statement_id id, const void *in, struct json_out *out)
{
	union query_row row;
	enum err err = db_start(db, id, in);

	while (err == OK && (err = db_step(db, id, &row)) == OK) {
		json_open_object(out);
		query_members(id, &row, out);
		json_close_object(out);
	}
	db_stop(db, id);
	return err == ERR_NOT_FOUND ? OK : err;
}

static void member(const struct column *column, const char *at, struct json_out *out)
{
	struct text text;
	struct uuid id;
	int64_t number;
	double real;
	bool flag;

	json_key(out, column->name);
	switch (column->type) {
	case COLUMN_UUID:
		memcpy(&id, at, sizeof id);
		json_put_uuid(out, &id);
		break;
	case COLUMN_TEXT:
		memcpy(&text, at, sizeof text);
		json_put_text(out, text);
		break;
	case COLUMN_JSON:
		memcpy(&text, at, sizeof text);
		json_put_raw(out, text);
		break;
	case COLUMN_INT:
		memcpy(&number, at, sizeof number);
		if (number == DB_NULL)
			json_put_null(out);
		else
			json_put_int(out, number);
		break;
	case COLUMN_TIME:
		memcpy(&number, at, sizeof number);
		json_put_time(out, number);
		break;
	case COLUMN_REAL:
		memcpy(&real, at, sizeof real);
		json_put_real(out, real);
		break;
	case COLUMN_BOOL:
		memcpy(&flag, at, sizeof flag);
		json_put_bool(out, flag);
		break;
	}
}

void query_members_behind(enum statement_id id, size_t hidden, const void *row, struct json_out *out)
{
	for (size_t i = hidden; i < statements[id].out_count; i++)
		member(&statements[id].out[i], (const char *)row + statements[id].out[i].offset, out);
}

void query_members(enum statement_id id, const void *row, struct json_out *out)
{
	query_members_behind(id, 0, row, out);
}

void query_names_csv(enum statement_id id, size_t hidden, struct csv_out *out)
{
	for (size_t i = hidden; i < statements[id].out_count; i++)
		csv_put_text(out, text_of(statements[id].out[i].name));
	csv_end_line(out);
}

static void cell(const struct column *column, const char *at, struct csv_out *out)
{
	struct text text;
	struct uuid id;
	int64_t number;
	double real;
	bool flag;

	switch (column->type) {
	case COLUMN_UUID:
		memcpy(&id, at, sizeof id);
		csv_put_uuid(out, &id);
		break;
	case COLUMN_TEXT:
	case COLUMN_JSON:
		memcpy(&text, at, sizeof text);
		csv_put_text(out, text);
		break;
	case COLUMN_INT:
		memcpy(&number, at, sizeof number);
		csv_put_int(out, number);
		break;
	case COLUMN_TIME:
		memcpy(&number, at, sizeof number);
		csv_put_time(out, number);
		break;
	case COLUMN_REAL:
		memcpy(&real, at, sizeof real);
		csv_put_real(out, real);
		break;
	case COLUMN_BOOL:
		memcpy(&flag, at, sizeof flag);
		csv_put_bool(out, flag);
		break;
	}
}

void query_cells_csv(enum statement_id id, size_t hidden, const void *row, struct csv_out *out)
{
	for (size_t i = hidden; i < statements[id].out_count; i++)
		cell(&statements[id].out[i], (const char *)row + statements[id].out[i].offset, out);
	csv_end_line(out);
}
