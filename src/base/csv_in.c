#include "base/csv_in.h"

#include <string.h>
#include <sys/types.h>

void csv_in_init(struct csv_in *in, FILE *from)
{
	*in = (struct csv_in){ .from = from, .next_line = 1 };
	buffer_init(&in->bytes, CSV_ROW_BYTES);
}

void csv_in_fini(struct csv_in *in)
{
	buffer_fini(&in->bytes);
}

static int take(struct csv_in *in)
{
	const int byte = getc_unlocked(in->from);

	if (byte != EOF)
		in->next_offset++;
	if (byte == '\n')
		in->next_line++;
	return byte;
}

static void put(struct csv_in *in, int byte)
{
	const char one = (char)byte;

	buffer_add(&in->bytes, &one, 1);
}

static bool pass_mark(struct csv_in *in)
{
	static const unsigned char mark[] = { 0xEF, 0xBB, 0xBF };
	unsigned char first[sizeof mark];

	if (fread(first, 1, sizeof first, in->from) == sizeof first && memcmp(first, mark, sizeof mark) == 0) {
		in->next_offset = sizeof mark;
		return true;
	}
	clearerr(in->from);
	return fseeko(in->from, 0, SEEK_SET) == 0;
}

/* What follows on a cell, or -2 when the row is no CSV. */
static int read_quoted(struct csv_in *in)
{
	for (;;) {
		int byte = take(in);

		if (byte == EOF) {
			in->wrong = "a quote is not closed";
			return -2;
		}
		if (byte == '"') {
			byte = take(in);
			if (byte == '\r')
				byte = take(in) == '\n' ? '\n' : 'x';
			if (byte == ',' || byte == '\n' || byte == EOF)
				return byte;
			if (byte != '"') {
				in->wrong = "something stands behind a closing quote";
				return -2;
			}
		}
		if (in->bytes.length >= CSV_ROW_BYTES - 1) {
			in->wrong = "it is longer than a row may be";
			return -2;
		}
		put(in, byte);
	}
}

static int read_plain(struct csv_in *in, int byte)
{
	for (;; byte = take(in)) {
		if (byte == '\r') {
			byte = take(in);
			if (byte != '\n')
				in->wrong = "a carriage return stands alone";
			return byte == '\n' ? byte : -2;
		}
		if (byte == ',' || byte == '\n' || byte == EOF)
			return byte;
		if (byte == '"')
			in->wrong = "a quote stands within a cell that has none around it";
		else if (in->bytes.length >= CSV_ROW_BYTES - 1)
			in->wrong = "it is longer than a row may be";
		if (in->wrong != NULL)
			return -2;
		put(in, byte);
	}
}

static int read_cell(struct csv_in *in)
{
	int byte;

	if (in->count == CSV_CELLS) {
		in->wrong = "it has too many cells";
		return -2;
	}
	byte = take(in);
	in->starts[in->count] = in->bytes.length;
	in->quoted[in->count] = byte == '"';
	in->count++;
	return byte == '"' ? read_quoted(in) : read_plain(in, byte);
}

static void pass_line(struct csv_in *in)
{
	int byte;

	do {
		byte = take(in);
	} while (byte != '\n' && byte != EOF);
}

static enum err read_row(struct csv_in *in)
{
	int end;

	in->line = in->next_line;
	in->offset = in->next_offset;
	in->count = 0;
	in->wrong = NULL;
	buffer_cut(&in->bytes, 0);
	do {
		end = read_cell(in);
	} while (end == ',');
	if (ferror(in->from) != 0)
		return ERR_STORAGE;
	if (in->bytes.failed)
		return ERR_MEMORY;
	if (end == -2) {
		pass_line(in);
		return ERR_INVALID;
	}
	in->starts[in->count] = in->bytes.length;
	for (size_t i = 0; i < in->count; i++) {
		const size_t length = in->starts[i + 1] - in->starts[i];
		const char *at = in->bytes.at == NULL ? "" : in->bytes.at + in->starts[i];

		in->cells[i] = (struct text){ length == 0 && !in->quoted[i] ? NULL : at, length };
	}
	return end == EOF && in->count == 1 && in->cells[0].at == NULL ? ERR_NOT_FOUND : OK;
}

enum err csv_in_row(struct csv_in *in)
{
	enum err err;

	if (in->next_offset == 0 && !pass_mark(in))
		return ERR_STORAGE;
	do {
		err = read_row(in);
	} while (err == OK && in->count == 1 && in->cells[0].at == NULL);
	return err;
}

enum err csv_in_seek(struct csv_in *in, int64_t offset, int64_t line)
{
	in->next_line = line;
	if (in->next_offset == offset)
		return OK;
	in->next_offset = offset;
	return fseeko(in->from, (off_t)offset, SEEK_SET) == 0 ? OK : ERR_STORAGE;
}
