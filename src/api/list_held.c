#include "api/list_held.h"

#include <string.h>

#include "api/list_csv.h"

#define PIECE_ROWS 500

struct held_stream {
	struct list_held held;
	size_t next; /* row */
	size_t end;
	struct buffer text; /* on its way out */
	size_t sent;        /* bytes of it */
};

static const void *row_at(const struct list_held *held, size_t index)
{
	return held->rows + index * held->size;
}

static void put_rows(struct held_stream *stream)
{
	const struct list_held *held = &stream->held;

	buffer_cut(&stream->text, 0);
	stream->sent = 0;
	for (size_t i = 0; i < PIECE_ROWS && stream->next < stream->end; i++, stream->next++) {
		struct csv_out out;

		csv_out_init(&out, &stream->text);
		query_cells_csv(held->statement, 0, row_at(held, stream->next), &out);
	}
}

static enum http_more give(struct call *call, struct http_piece *piece)
{
	struct held_stream *stream = call->stream;

	if (stream->sent == stream->text.length)
		put_rows(stream);
	if (stream->text.failed)
		return HTTP_MORE_FAILED;
	if (stream->text.length == 0)
		return HTTP_MORE_ENDED;
	const size_t left = stream->text.length - stream->sent;

	piece->length = left < piece->room ? left : piece->room;
	memcpy(piece->at, stream->text.at + stream->sent, piece->length);
	stream->sent += piece->length;
	return HTTP_MORE;
}

static void end(struct call *call)
{
	struct held_stream *stream = call->stream;

	buffer_fini(&stream->text);
	list_csv_end(call);
}

static enum err answer_csv(struct call *call, const struct list_held *held, size_t end_of_page)
{
	struct held_stream *stream = arena_take(call->arena, sizeof *stream);
	struct csv_out names;
	enum err err;

	if (stream == NULL)
		return ERR_MEMORY;
	err = list_csv_begin(call, held->file);
	if (err != OK)
		return err;
	*stream = (struct held_stream){ .held = *held, .next = held->first, .end = end_of_page };
	buffer_init(&stream->text, SIZE_MAX / 2);
	csv_out_init(&names, &stream->text);
	query_names_csv(held->statement, 0, &names);
	call->stream = stream;
	call->more = give;
	call->ended = end;
	return OK;
}

static void answer_json(struct call *call, const struct list_held *held, size_t end_of_page)
{
	json_key(call->out, held->member);
	json_open_array(call->out);
	for (size_t i = held->first; i < end_of_page; i++) {
		json_open_object(call->out);
		query_members(held->statement, row_at(held, i), call->out);
		json_close_object(call->out);
	}
	json_close_array(call->out);
}

enum err list_held_answer(struct call *call, const struct list_held *held)
{
	const struct list_query *query = call->query;
	const bool csv = list_wants_csv(call);
	const size_t left = held->count - held->first;
	size_t most = csv ? left : LIST_LIMIT;

	if (query->limit != JSON_ABSENT)
		most = (size_t)query->limit;
	const size_t end_of_page = held->first + (most < left ? most : left);

	if (csv)
		return answer_csv(call, held, end_of_page);
	answer_json(call, held, end_of_page);
	if (end_of_page == held->count)
		return OK;
	return list_put_link(call, held->cursor(call, row_at(held, end_of_page - 1)));
}
