#include "api/batch.h"

#include <string.h>

#include "api/conversations.h"
#include "api/live.h"
#include "api/reply.h"

struct item {
	const struct route *route; /* NULL when err is not OK */
	void *input;
	enum err refused; /* when it was read */
	enum err err;
	struct fault fault;
};

struct batch {
	struct item *items;
	size_t count;
};

static enum err read_item(struct call *call, const struct json_value *value, struct item *item)
{
	struct text type;

	if (!json_is_object(value))
		return fault_set(&item->fault, ERR_INVALID, "invalid_json", NULL, "An item must be a JSON object.");
	type = json_member_text(value, "type");
	if (type.at == NULL)
		return fault_set(&item->fault, ERR_INVALID, "missing_field", "type", "type is needed.");
	item->route = route_of_batch_type(type);
	if (item->route == NULL)
		return fault_set(&item->fault, ERR_INVALID, NULL, "type", "There is no such type of item.");
	item->input = arena_take(call->arena, item->route->body->size);
	if (item->input == NULL)
		return ERR_TOO_LARGE;
	return json_fill(value, item->route->body, call->arena, item->input, &item->fault);
}

/* One, or as many as the elements of its lists. */
static size_t rows_of(const struct item *item)
{
	const struct json_shape *shape = item->route->body;
	size_t rows = 0;

	for (size_t i = 0; i < shape->count; i++) {
		struct json_list list;

		if (shape->fields[i].kind != JSON_LIST)
			continue;
		memcpy(&list, (const char *)item->input + shape->fields[i].offset, sizeof list);
		rows += list.count;
	}
	return rows == 0 ? 1 : rows;
}

/* What comes behind the rows that a batch may store is refused; a smaller item may still fit. */
static void limit_rows(struct batch *batch)
{
	size_t room = BATCH_ROWS;

	for (size_t i = 0; i < batch->count; i++) {
		struct item *item = &batch->items[i];
		const size_t rows = item->err == OK ? rows_of(item) : 0;

		if (rows <= room)
			room -= rows;
		else
			item->err =
			    fault_set(&item->fault, ERR_TOO_LARGE, NULL, NULL,
				      "A batch stores at most %d rows: send this item in another one.", BATCH_ROWS);
	}
}

static enum err too_many(struct call *call)
{
	return call_fail(call, ERR_TOO_LARGE, NULL, "A batch holds at most %d items.", BATCH_ITEMS);
}

static enum err read_array(struct call *call, struct batch *batch)
{
	const struct json_value *array;
	enum err err = json_parse(call->body, call->arena, &array, &call->fault);

	if (err != OK)
		return err;
	if (!json_is_array(array))
		return fault_set(&call->fault, ERR_INVALID, "invalid_json", NULL,
				 "The body must be an array of items.");
	if (json_count(array) > BATCH_ITEMS)
		return too_many(call);
	for (; batch->count < json_count(array); batch->count++) {
		struct item *item = &batch->items[batch->count];

		item->err = read_item(call, json_at(array, batch->count), item);
	}
	return OK;
}

static void read_line(struct call *call, struct text line, struct item *item)
{
	const struct json_value *value;

	item->err = json_parse(line, call->arena, &value, &item->fault);
	if (item->err == OK)
		item->err = read_item(call, value, item);
}

static enum err read_lines(struct call *call, struct batch *batch)
{
	const char *at = call->body.at;
	const char *end = at + call->body.length;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline == NULL ? end : newline;
		const struct text line = text_trim((struct text){ at, (size_t)(stop - at) });

		at = newline == NULL ? end : newline + 1;
		if (line.length == 0)
			continue;
		if (batch->count == BATCH_ITEMS)
			return too_many(call);
		read_line(call, line, &batch->items[batch->count++]);
	}
	return OK;
}

/* A sender that says so sends lines, whatever the first of them looks like. */
static bool says_lines(const struct call *call)
{
	static const char *const types[] = { "application/x-ndjson", "application/ndjson", "application/jsonl" };
	const struct text given = http_header(call->request, "content-type");

	for (size_t i = 0; given.at != NULL && i < sizeof types / sizeof types[0]; i++) {
		const struct text type = text_of(types[i]);

		if (given.length >= type.length &&
		    text_equal_ignoring_case((struct text){ given.at, type.length }, type))
			return true;
	}
	return false;
}

enum err batch_read(struct call *call)
{
	struct batch *batch = arena_take(call->arena, sizeof *batch);
	const struct text body = text_trim(call->body);
	enum err err;

	if (batch == NULL)
		return ERR_MEMORY;
	batch->items = arena_take_many(call->arena, BATCH_ITEMS, sizeof *batch->items);
	if (batch->items == NULL)
		return ERR_MEMORY;
	call->input = batch;
	if (body.length == 0)
		return fault_set(&call->fault, ERR_INVALID, "invalid_json", NULL,
				 "The body is empty; send an array of items, or one item a line.");
	err = body.at[0] == '{' || says_lines(call) ? read_lines(call, batch) : read_array(call, batch);
	if (err == OK)
		limit_rows(batch);
	for (size_t i = 0; i < batch->count; i++)
		batch->items[i].refused = batch->items[i].err;
	return err;
}

static void refuse(struct json_out *errors, size_t index, enum err err, const struct fault *fault)
{
	json_open_object(errors);
	json_key(errors, "index");
	json_put_int(errors, (int64_t)index);
	json_key(errors, "status");
	json_put_int(errors, reply_status(err));
	reply_members(err, fault, errors);
	json_close_object(errors);
}

/* An item in a savepoint of its own, its answer behind its index. ERR_STORAGE: the whole batch is lost. */
static enum err store_item(struct call *call, struct item *item, size_t index)
{
	const struct json_mark mark = json_mark(call->out);
	struct call own = *call;
	enum err err = OK;

	if (item->route->foresee == NULL)
		err = conversations_flush(&call->house->conversations[db_lane(call->db)], call->db);
	if (err == OK)
		err = db_enter(call->db, call->scope);
	if (err != OK)
		return ERR_STORAGE;
	json_open_object(call->out);
	json_key(call->out, "index");
	json_put_int(call->out, (int64_t)index);
	own.input = item->input;
	own.idempotency_key = (struct text){ 0 };
	own.fault = (struct fault){ 0 };
	own.first_note = NULL;
	own.last_note = NULL;
	item->err = item->route->handle(&own);
	item->fault = own.fault;
	json_close_object(call->out);
	err = db_leave(call->db, item->err == OK);
	if (err != OK && err != ERR_STORAGE) { /* the item alone has failed */
		item->err = err;
		err = OK;
	}
	if (item->err != OK)
		json_return_to(call->out, mark);
	ledger_end_item(house_ledger(call->house, call->db), item->err == OK);
	if (err == OK && item->err == OK)
		live_join_notes(call, &own);
	return err;
}

void batch_foresee(struct call *call, enum foresight round)
{
	const struct batch *batch = call->input;
	struct call own = *call;

	for (size_t i = 0; i < batch->count; i++) {
		if (batch->items[i].refused != OK || batch->items[i].route->foresee == NULL)
			continue;
		own.input = batch->items[i].input;
		own.idempotency_key = (struct text){ 0 };
		batch->items[i].route->foresee(&own, round);
	}
}

enum err batch_store(struct call *call)
{
	const struct batch *batch = call->input;
	struct buffer buffer;
	struct json_out errors;
	enum err err = OK;

	buffer_init(&buffer, BATCH_BODY);
	json_out_init(&errors, &buffer);
	json_open_array(&errors);
	json_key(call->out, "successes");
	json_open_array(call->out);
	for (size_t i = 0; err == OK && i < batch->count; i++) {
		struct item *item = &batch->items[i];

		item->err = item->refused;
		if (item->err == OK)
			err = store_item(call, item, i);
		if (err == OK && item->err != OK)
			refuse(&errors, i, item->err, &item->fault);
	}
	json_close_array(call->out);
	json_close_array(&errors);
	json_key(call->out, "errors");
	json_put_raw(call->out, (struct text){ buffer.at, buffer.length });
	if (err == OK && buffer.failed)
		err = ERR_MEMORY;
	buffer_fini(&buffer);
	call->status = 207;
	return err;
}
