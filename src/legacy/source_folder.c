/* A folder of CSV files, each named after its table, with a line of names above. The first pass notes where each row
 * begins and its time, the second reads them in order: memory for 24 bytes a row, whatever stands in them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/csv_in.h"
#include "legacy/source.h"
#include "legacy/value.h"

#define ROWS_MOST  ((size_t)50 * 1000 * 1000)
#define PATH_BYTES 4096

struct place {
	int64_t time;
	int64_t offset;
	int64_t line;
};

struct folder {
	struct legacy_source source;
	char path[PATH_BYTES];
	FILE *file;
	struct csv_in csv;
	struct place *places;
	size_t count;
	size_t room;
	size_t next;
};

static struct folder *folder_of(struct legacy_source *source)
{
	return (struct folder *)(void *)source;
}

static enum err no_csv(const struct folder *folder, const struct legacy_table *table, struct fault *fault)
{
	return fault_set(fault, ERR_INVALID, NULL, "legacy", "%s.csv has no line of column names: %s.", table->name,
			 folder->csv.wrong != NULL ? folder->csv.wrong : "it is empty");
}

static enum err read_names(struct folder *folder, const struct legacy_table *table, struct fault *fault)
{
	struct text names[CSV_CELLS];
	enum err err = csv_in_row(&folder->csv);

	if (err == ERR_INVALID || err == ERR_NOT_FOUND)
		return no_csv(folder, table, fault);
	if (err != OK)
		return err;
	for (size_t i = 0; i < folder->csv.count; i++) {
		names[i] = folder->csv.cells[i].at == NULL ? TEXT("") : text_trim(folder->csv.cells[i]);
		if (!text_is_utf8(names[i]))
			names[i] = TEXT("(no UTF-8)");
	}
	return legacy_source_columns(&folder->source, table, names, folder->csv.count, fault);
}

static enum err add_place(struct folder *folder, int64_t time, struct fault *fault)
{
	if (folder->count == ROWS_MOST)
		return fault_set(fault, ERR_TOO_LARGE, NULL, "legacy",
				 "A file has more than %zu rows: import it in parts.", ROWS_MOST);
	if (folder->count == folder->room) {
		const size_t room = folder->room == 0 ? 1024 : folder->room * 2;
		struct place *places = realloc(folder->places, room * sizeof *places);

		if (places == NULL)
			return ERR_MEMORY;
		folder->places = places;
		folder->room = room;
	}
	folder->places[folder->count++] = (struct place){ time, folder->csv.offset, folder->csv.line };
	return OK;
}

static size_t cell_of(const struct legacy_source *source, enum legacy_column column)
{
	for (size_t i = 0; i < source->column_count; i++)
		if (source->columns[i] == column)
			return i;
	return SIZE_MAX;
}

/* The cell that says when; SIZE_MAX: none. */
static size_t cell_of_time(const struct legacy_source *source, const struct legacy_table *table)
{
	for (size_t i = 0; i < sizeof table->times / sizeof table->times[0] && table->times[i] != LEGACY_NONE; i++)
		if (cell_of(source, table->times[i]) != SIZE_MAX)
			return cell_of(source, table->times[i]);
	return SIZE_MAX;
}

/* What has no time comes last. */
static enum err find_places(struct folder *folder, const struct legacy_table *table, struct fault *fault)
{
	const size_t cell = cell_of_time(&folder->source, table);
	enum err err = OK;

	while (err == OK) {
		int64_t time = INT64_MAX;

		err = csv_in_row(&folder->csv);
		if (err != OK && err != ERR_INVALID)
			break;
		if (err == OK && cell < folder->csv.count && folder->csv.cells[cell].at != NULL &&
		    !legacy_parse_time(folder->csv.cells[cell], &time))
			time = INT64_MAX;
		err = add_place(folder, time, fault);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static int compare(const void *left, const void *right)
{
	const struct place *a = left;
	const struct place *b = right;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void end(struct legacy_source *source)
{
	struct folder *folder = folder_of(source);

	if (folder->file == NULL)
		return;
	csv_in_fini(&folder->csv);
	fclose(folder->file);
	free(folder->places);
	folder->file = NULL;
	folder->places = NULL;
	folder->count = folder->room = folder->next = 0;
}

/* A pipe is not waited for, and a device has no end. A file that may not be looked at is none that is not there. */
static enum err open_file(struct folder *folder, const struct legacy_table *table, struct fault *fault)
{
	char path[PATH_BYTES + 64];
	struct stat status;
	int fd;

	snprintf(path, sizeof path, "%s/%s.csv", folder->path, table->name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOENT)
		return ERR_NOT_FOUND;
	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		folder->file = fdopen(fd, "r");
	if (folder->file != NULL)
		return OK;
	if (fd >= 0)
		close(fd);
	return fault_set(fault, ERR_INVALID, NULL, "legacy", "%s.csv cannot be read.", table->name);
}

static enum err begin(struct legacy_source *source, const struct legacy_table *table, struct fault *fault)
{
	struct folder *folder = folder_of(source);
	enum err err = open_file(folder, table, fault);

	if (err != OK)
		return err;
	csv_in_init(&folder->csv, folder->file);
	err = read_names(folder, table, fault);
	if (err == OK)
		err = find_places(folder, table, fault);
	if (err == ERR_STORAGE)
		err = fault_set(fault, ERR_CONFLICT, NULL, "legacy", "%s.csv cannot be read to its end.", table->name);
	if (err != OK)
		end(source);
	else if (folder->count > 0)
		qsort(folder->places, folder->count, sizeof *folder->places, compare);
	return err;
}

static enum err next(struct legacy_source *source, struct arena *arena, struct legacy_row *row, struct fault *fault)
{
	struct folder *folder = folder_of(source);
	struct csv_in *csv = &folder->csv;
	const struct place *place;
	char line[32];
	enum err err;

	if (folder->next == folder->count)
		return ERR_NOT_FOUND;
	place = &folder->places[folder->next++];
	snprintf(line, sizeof line, "line %lld", (long long)place->line);
	row->place = text_copy(arena, text_of(line));
	err = csv_in_seek(csv, place->offset, place->line);
	if (err == OK)
		err = csv_in_row(csv);
	if (err == ERR_STORAGE || err == ERR_NOT_FOUND)
		return fault_set(fault, ERR_CONFLICT, NULL, "legacy", "A file was changed while it was read.");
	row->wrong = csv->wrong;
	if (err == OK && csv->count != source->column_count) {
		row->wrong = "it has more or fewer cells than there are columns";
		err = ERR_INVALID;
	}
	for (size_t i = 0; err == OK && i < csv->count; i++)
		if (source->columns[i] != LEGACY_NONE)
			row->values[source->columns[i]] = text_copy(arena, csv->cells[i]);
	return err == OK && arena->failed ? ERR_MEMORY : err;
}

static void close_folder(struct legacy_source *source)
{
	end(source);
	free(folder_of(source));
}

enum err legacy_folder_open(struct legacy_source **out, struct text path, struct fault *fault)
{
	static const struct legacy_kind_of_source kind = { begin, next, end, close_folder };
	struct folder *folder = calloc(1, sizeof *folder);
	struct stat status;

	if (folder == NULL)
		return ERR_MEMORY;
	snprintf(folder->path, sizeof folder->path, "%.*s", (int)path.length, path.at);
	if (path.length >= PATH_BYTES || stat(folder->path, &status) != 0 || !S_ISDIR(status.st_mode)) {
		free(folder);
		return fault_set(fault, ERR_INVALID, NULL, "legacy",
				 "There is no such folder, or the server may not look into it.");
	}
	folder->source.kind = &kind;
	*out = &folder->source;
	return OK;
}
