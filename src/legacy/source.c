#include "legacy/source.h"

#include <stdlib.h>

#define UNKNOWN_BYTES 4096

enum err legacy_source_open(struct legacy_source **out, struct text where, struct fault *fault)
{
	enum err err;

	*out = NULL;
	if (text_starts(where, TEXT("postgres://")) || text_starts(where, TEXT("postgresql://")))
		err = legacy_postgres_open(out, where, fault);
	else if (text_starts(where, TEXT("/")))
		err = legacy_folder_open(out, where, fault);
	else
		err = fault_set(fault, ERR_INVALID, NULL, "legacy",
				"The source is postgres://…, or a folder of CSV files.");
	if (err == OK)
		buffer_init(&(*out)->unknown, UNKNOWN_BYTES);
	return err;
}

void legacy_source_close(struct legacy_source *source)
{
	if (source == NULL)
		return;
	buffer_fini(&source->unknown);
	free(source->columns);
	source->kind->close(source);
}

enum err legacy_source_begin(struct legacy_source *source, const struct legacy_table *table, struct fault *fault)
{
	source->column_count = 0;
	buffer_cut(&source->unknown, 0);
	return source->kind->begin(source, table, fault);
}

void legacy_source_end(struct legacy_source *source)
{
	source->kind->end(source);
}

enum err legacy_source_next(struct legacy_source *source, struct arena *arena, struct legacy_row *row,
			    struct fault *fault)
{
	*row = (struct legacy_row){ 0 };
	return source->kind->next(source, arena, row, fault);
}

static enum legacy_column column_of(const struct legacy_table *table, struct text name)
{
	for (const enum legacy_column *i = table->columns; *i != LEGACY_NONE; i++)
		if (text_equal_ignoring_case(name, text_of(legacy_column_name(*i))))
			return *i;
	return LEGACY_NONE;
}

enum err legacy_source_columns(struct legacy_source *source, const struct legacy_table *table, const struct text *names,
			       size_t count, struct fault *fault)
{
	bool seen[LEGACY_COLUMNS] = { false };

	free(source->columns);
	source->columns = calloc(count == 0 ? 1 : count, sizeof *source->columns);
	if (source->columns == NULL)
		return ERR_MEMORY;
	source->column_count = count;
	for (size_t i = 0; i < count; i++) {
		const enum legacy_column column = column_of(table, names[i]);

		source->columns[i] = column;
		if (column == LEGACY_NONE) {
			if (source->unknown.length > 0)
				buffer_add(&source->unknown, ",", 1);
			buffer_text(&source->unknown, names[i]);
		} else if (seen[column]) {
			return fault_set(fault, ERR_INVALID, NULL, "legacy", "%s has the column %s twice.", table->name,
					 legacy_column_name(column));
		}
		seen[column] = true;
	}
	return OK;
}
