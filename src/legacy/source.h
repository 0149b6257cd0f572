/* Where old rows come from: a PostgreSQL database, or a folder of CSV files. A table at a time, its rows oldest first.
 * Owner: the caller closes what it opened. One thread.
 * Reads only, and of PostgreSQL one moment: what is written there meanwhile is for the next run.
 * Never knows what a row means.
 * Next: table.h; source_postgres.c and source_folder.c, the two kinds. */
#ifndef INNKEEPER_LEGACY_SOURCE_H
#define INNKEEPER_LEGACY_SOURCE_H

#include "base/arena.h"
#include "legacy/table.h"

struct legacy_source;

struct legacy_kind_of_source {
	enum err (*begin)(struct legacy_source *source, const struct legacy_table *table, struct fault *fault);
	enum err (*next)(struct legacy_source *source, struct arena *arena, struct legacy_row *row,
			 struct fault *fault);
	void (*end)(struct legacy_source *source);
	void (*close)(struct legacy_source *source);
};

struct legacy_source {
	const struct legacy_kind_of_source *kind;
	/* Of the table begun: what each of its columns is here, LEGACY_NONE for one that is not known. */
	size_t column_count;
	enum legacy_column *columns;
	struct buffer unknown; /* their names, commas between */
};

/* `where`: postgres://…, or the absolute path of a folder. ERR_INVALID; ERR_CONFLICT: the database does not
 * answer, or not this. */
enum err legacy_source_open(struct legacy_source **out, struct text where, struct fault *fault) WARN_UNUSED;
void legacy_source_close(struct legacy_source *source);

/* ERR_NOT_FOUND: the source has no such table; nothing was begun. */
enum err legacy_source_begin(struct legacy_source *source, const struct legacy_table *table,
			     struct fault *fault) WARN_UNUSED;
void legacy_source_end(struct legacy_source *source);

/* The next row, in the arena. ERR_NOT_FOUND: no more. ERR_CONFLICT: the source is gone, or was changed. ERR_INVALID:
 * this one cannot be read, row->wrong and row->place say why and which. */
enum err legacy_source_next(struct legacy_source *source, struct arena *arena, struct legacy_row *row,
			    struct fault *fault) WARN_UNUSED;

/* For the two kinds: the columns of a table begun. ERR_INVALID: one is there twice. */
enum err legacy_source_columns(struct legacy_source *source, const struct legacy_table *table, const struct text *names,
			       size_t count, struct fault *fault) WARN_UNUSED;

enum err legacy_postgres_open(struct legacy_source **out, struct text url, struct fault *fault) WARN_UNUSED;
enum err legacy_folder_open(struct legacy_source **out, struct text path, struct fault *fault) WARN_UNUSED;

#endif
