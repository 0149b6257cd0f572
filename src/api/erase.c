#include "api/erase.h"

#include <string.h>

#include "api/chat_find.h"
#include "base/clock.h"

#define DAY_MILLISECONDS INT64_C(86400000)
#define PIECE_MEMORY     ((size_t)64 * 1024 * 1024)

static void put_receipt(struct json_out *out, const char *name, const struct erase_receipt *receipt)
{
	json_key(out, name);
	json_open_object(out);
	for (size_t i = 0; i < erase_part_count; i++) {
		int64_t rows;

		memcpy(&rows, (const char *)receipt + erase_parts[i].offset, sizeof rows);
		json_key(out, erase_parts[i].name);
		json_put_int(out, rows);
	}
	json_close_object(out);
}

/* What is written down of a retention. */
struct record {
	struct audit_entry entry;
	struct buffer detail;
};

static enum err write_record(struct db *db, void *context)
{
	const struct record *record = context;

	return audit_write(db, &record->entry);
}

enum err erase_older(const struct house *house, const struct scope *scope, int64_t before, enum audit_actor actor,
		     struct erase_receipt *receipt)
{
	struct record record = { .entry = { .at = clock_now(), .actor = actor, .action = "retention.apply" } };
	struct json_out out;
	enum err err = retention_apply(house->writer, house->ledgers, scope, before, &house->draining, receipt);
	enum err recorded = OK;

	if (memcmp(receipt, &(struct erase_receipt){ 0 }, sizeof *receipt) == 0)
		return err;
	/* Also of a part, if it ended early. */
	buffer_init(&record.detail, 4096);
	json_out_init(&out, &record.detail);
	json_open_object(&out);
	json_key(&out, "before");
	json_put_time(&out, before);
	put_receipt(&out, "erased", receipt);
	json_close_object(&out);
	record.entry.detail = (struct text){ record.detail.at, record.detail.length };
	recorded = record.detail.failed ? ERR_MEMORY : writer_perform(house->writer, scope, write_record, &record);
	buffer_fini(&record.detail);
	return err == OK ? recorded : err;
}

/* What is erased beside the call's own transaction, piece by piece. */
struct pieces {
	struct call *call;
	enum err (*erase)(struct call *call, struct erasing *erasing, struct pieces *pieces);
	struct erase_person person; /* of a visitor */
	struct erase_receipt receipt;
	bool more;
};

static enum err run_piece(struct db *db, void *context)
{
	struct pieces *pieces = context;
	struct call *call = pieces->call;
	struct arena arena;
	struct erasing erasing = { .counting = { .ledger = house_ledger(call->house, db),
						 .db = db,
						 .scope = call->scope,
						 .arena = &arena },
				   .receipt = pieces->receipt };
	enum err err;

	arena_init(&arena, PIECE_MEMORY);
	call->db = db;
	err = pieces->erase(call, &erasing, pieces);
	call->db = NULL;
	arena_fini(&arena);
	pieces->receipt = erasing.receipt;
	return err;
}

/* Until little is left, which goes with the call's own transaction and its record. What is not there is said there. */
static enum err run_pieces(struct pieces *pieces)
{
	enum err err = OK;

	pieces->more = true;
	while (err == OK && pieces->more)
		err = writer_perform(pieces->call->house->writer, pieces->call->scope, run_piece, pieces);
	return err == ERR_NOT_FOUND ? OK : err;
}

static struct pieces *prepare(struct call *call)
{
	struct pieces *pieces = arena_take(call->arena, sizeof *pieces);

	if (pieces != NULL)
		pieces->call = call;
	call->prepared = pieces;
	return pieces;
}

static enum err erase_some_of_chat(struct call *call, struct erasing *erasing, struct pieces *pieces)
{
	struct chat_by_external_id_out chat;
	enum err err = chat_find(call, call->parameters[0], &chat);

	return err == OK ? erase_chat_some(erasing, chat.number, &pieces->more) : err;
}

static enum err erase_some_of_visitor(struct call *call, struct erasing *erasing, struct pieces *pieces)
{
	(void)call;
	return erase_visitor_some(erasing, &pieces->person, &pieces->more);
}

static enum err uncount_some(struct call *call, struct erasing *erasing, struct pieces *pieces)
{
	(void)call;
	return erase_uncount(erasing, &pieces->more);
}

enum err erase_chat_prepare(struct call *call)
{
	struct pieces *pieces = prepare(call);

	if (pieces == NULL)
		return ERR_MEMORY;
	pieces->erase = erase_some_of_chat;
	return run_pieces(pieces);
}

static enum err find_person(struct call *call, struct erase_person *person)
{
	struct reading reading;
	struct uuid id;
	enum err err = call_parameter_id(call, 0, &id);

	if (err == OK)
		err = readers_enter(call->house->readers, call->scope, &reading);
	if (err != OK)
		return err;
	err = erase_find_person(reading.db, call->arena, &id, person);
	readers_leave(call->house->readers, &reading);
	return err;
}

enum err erase_visitor_prepare(struct call *call)
{
	struct pieces *pieces = prepare(call);
	enum err err = pieces == NULL ? ERR_MEMORY : find_person(call, &pieces->person);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	pieces->erase = erase_some_of_visitor;
	return run_pieces(pieces);
}

static struct erasing begin(struct call *call)
{
	const struct pieces *pieces = call->prepared;

	return (struct erasing){ .counting = call_counting(call), .receipt = pieces->receipt };
}

static enum err answer(struct call *call, const struct erasing *erasing)
{
	call_put_success(call);
	put_receipt(call->out, "erased", &erasing->receipt);
	return OK;
}

enum err erase_chat_handle(struct call *call)
{
	struct erasing erasing = begin(call);
	struct chat_by_external_id_out chat;
	enum err err = chat_find(call, call->parameters[0], &chat);

	if (err != OK)
		return err;
	err = erase_chat(&erasing, chat.number);
	call->audit_target = chat.chat_id;
	return err == OK ? answer(call, &erasing) : err;
}

enum err erase_visitor_handle(struct call *call)
{
	struct erasing erasing = begin(call);
	struct uuid id;
	enum err err = call_parameter_id(call, 0, &id);

	if (err == OK)
		err = erase_visitor(&erasing, &id);
	call->audit_target = call->parameters[0];
	return err == OK ? answer(call, &erasing) : err;
}

/* If it fails, the steps in the background do it. */
void erase_conclude(struct call *call)
{
	struct pieces *pieces = call->prepared;

	enum err err;

	pieces->erase = uncount_some;
	err = run_pieces(pieces);
	if (err != OK)
		LOG(call->house->log, LOG_WARNING, "what an erased chat said is uncounted later",
		    LOG_TEXT("request_id", call->request_id), LOG_INT("err", err));
}

struct retention_input {
	int64_t days;
	int64_t before;
	bool dry_run;
};

#define AT(member) .offset = offsetof(struct retention_input, member)
static const struct json_field retention_fields[] = {
	{ .name = "days",
	  .kind = JSON_INT,
	  AT(days),
	  .min = 1,
	  .max = RETENTION_DAYS_MAX,
	  .about = "Instead of the organization's own retention." },
	{ .name = "before", .kind = JSON_TIME, AT(before), .about = "Instead of days: everything from before." },
	{ .name = "dryRun", .kind = JSON_FLAG, AT(dry_run), .about = "Count, erase nothing." },
};
#undef AT
const struct json_shape retention_body = JSON_SHAPE(retention_input, retention_fields);

/* From when on data is kept. */
static enum err find_moment(struct call *call, const struct retention_input *in, int64_t *before)
{
	struct retention_days_out own = { .retention_days = in->days };
	struct reading reading;
	enum err err = OK;

	*before = in->before;
	if (in->before != JSON_ABSENT)
		return OK;
	if (in->days == JSON_ABSENT) {
		err = readers_enter(call->house->readers, call->scope, &reading);
		if (err != OK)
			return err;
		err = query_one(reading.db, STATEMENT_RETENTION_DAYS, NULL, &own, call->arena);
		readers_leave(call->house->readers, &reading);
	}
	if (err == OK && own.retention_days == DB_NULL)
		return call_fail(call, ERR_INVALID, "days",
				 "This organization keeps its data for ever: say how many days to keep.");
	*before = call->now - own.retention_days * DAY_MILLISECONDS;
	return err;
}

enum err retention_handle(struct call *call)
{
	const struct retention_input *in = call->input;
	struct erase_receipt receipt = { 0 };
	int64_t before;
	enum err err = find_moment(call, in, &before);

	if (err == OK)
		err = in->dry_run ? retention_count(call->house->readers, call->scope, before, &receipt)
				  : erase_older(call->house, call->scope, before, AUDIT_OPERATOR, &receipt);
	if (err != OK)
		return err;
	call_put_success(call);
	json_key(call->out, "before");
	json_put_time(call->out, before);
	put_receipt(call->out, in->dry_run ? "would_erase" : "erased", &receipt);
	return OK;
}
