#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "erase/erase.h"
#include "move/move.h"
#include "search/indexer.h"
#include "store/query.h"

#define ROWS_AT_ONCE      128
#define MESSAGES_AT_ONCE  1000
#define PIECE_MEMORY      ((size_t)64 * 1024 * 1024)
#define LEFT_MILLISECONDS 60000   /* without a step: whoever was at it is gone */
#define TIDY_MICROSECONDS 5000000 /* of one round of the job */

static const char *const first_names[] = {
	[REMOVED_CHATS] = "chats",       [REMOVED_CHAT_ACTIVITY] = "chat_activity",
	[REMOVED_MESSAGES] = "messages", [REMOVED_CHAT_SUMMARIES] = "chat_summaries",
	[REMOVED_SESSIONS] = "sessions", [REMOVED_ACCOUNTS] = "accounts",
};

/* What goes one after the other; then the tables of move_leavings. */
enum { STAGE_ERASURES, STAGE_MESSAGES, STAGE_CHATS, STAGE_TABLES };

struct removing {
	const struct move_place *place;
	const struct moving *moving;
	struct move_receipt receipt; /* of what is durable */
	struct move_receipt next;    /* of this piece too */
	int64_t after;               /* messages up to this number are gone */
	int64_t next_after;
	size_t stage; /* that it has come to */
	size_t next_stage;
	struct arena arena; /* of this piece */
	int64_t mark;       /* up to which message words are in the index */
	int64_t began;      /* the piece: clock_monotonic; INT64_MAX: it goes to the end */
	bool done;
};

size_t move_receipt_count(void)
{
	return REMOVED_TABLES + move_leaving_count;
}

const char *move_receipt_name(size_t index)
{
	return index < REMOVED_TABLES ? first_names[index] : move_leavings[index - REMOVED_TABLES].name;
}

/* A line for each table: what an earlier version removed of a table that is none any more is left out. */
static void read_receipt(struct text text, struct move_receipt *receipt)
{
	const char *at = text.at;

	while (at != NULL && at < text.at + text.length) {
		const size_t left = text.length - (size_t)(at - text.at);
		const char *end = memchr(at, '\n', left);
		const char *blank = memchr(at, ' ', left);

		if (end == NULL || blank == NULL || blank > end)
			return;
		for (size_t i = 0; i < move_receipt_count(); i++)
			if (text_equal((struct text){ at, (size_t)(blank - at) }, text_of(move_receipt_name(i))) &&
			    text_to_int((struct text){ blank + 1, (size_t)(end - blank - 1) }, &receipt->rows[i]) != OK)
				receipt->rows[i] = 0;
		at = end + 1;
	}
}

void move_receipt_write(const struct move_receipt *receipt, struct buffer *out)
{
	for (size_t i = 0; i < move_receipt_count(); i++)
		if (receipt->rows[i] != 0)
			buffer_format(out, "%s %lld\n", move_receipt_name(i), (long long)receipt->rows[i]);
}

static enum err note_receipt(struct db *db, const struct move_receipt *receipt)
{
	struct buffer text;
	enum err err = ERR_MEMORY;

	buffer_init(&text, MOVE_RECEIPT_MAX);
	move_receipt_write(receipt, &text);
	if (!text.failed)
		err =
		    db_send(db, STATEMENT_MOVING_NOTE, &(struct moving_note_in){ .receipt = { text.at, text.length } });
	buffer_fini(&text);
	return err;
}

/* What the ledger knows of the organization's figures is read anew, also by who takes its id again. */
static enum err forget_figures(const struct removing *removing, struct db *db)
{
	struct ledger *ledger = removing->place->ledgers[db_lane(db)];
	struct book *book;
	enum err err = ledger_book(ledger, db, removing->moving->scope, &book);

	if (err == OK)
		ledger_changed(ledger, book);
	return err;
}

/* From here on nobody sees it, and nothing of it opens anything. */
static enum err hide(struct db *db, void *context)
{
	struct removing *removing = context;
	const struct move_place *place = removing->place;
	struct moving_receipt_out row = { 0 };
	int64_t sessions = 0;
	enum err err = query_run(
	    db, STATEMENT_MOVING_LEAVE,
	    &(struct moving_leave_in){ .moving_by = *moves_process(place->moves), .moving_at = clock_now() }, NULL);

	arena_init(&removing->arena, PIECE_MEMORY);
	if (err == OK)
		err = moving_end_sessions(db, &removing->moving->id, &sessions);
	if (err == OK)
		err = query_one(db, STATEMENT_MOVING_RECEIPT, NULL, &row, &removing->arena);
	if (err == OK) {
		read_receipt(row.receipt, &removing->next);
		removing->next.rows[REMOVED_SESSIONS] += sessions;
		err = note_receipt(db, &removing->next);
	}
	if (err == OK)
		place->hide(place->context, db, &removing->moving->id);
	arena_fini(&removing->arena);
	return err;
}

static bool is_late(const struct removing *removing)
{
	return move_piece_is_over(removing->place, removing->began);
}

/* Of chats that were erased before; their messages were told of then. ERR_NOT_FOUND: there is none left. */
static enum err remove_erasures(struct removing *removing, struct db *db)
{
	struct leave_find_erasure_out row;
	enum err err = OK;

	while (err == OK && !is_late(removing)) {
		int64_t count;

		err = query_one(db, STATEMENT_LEAVE_FIND_ERASURE, NULL, &row, &removing->arena);
		if (err == OK)
			err = erase_messages_some(db, row.chat_number, removing->mark, &removing->arena,
						  &row.next_message, &count);
		if (err == OK && row.next_message != DB_NULL)
			err = db_send(
			    db, STATEMENT_ERASURE_MOVE,
			    &(struct erasure_move_in){ .number = row.number, .next_message = row.next_message });
		else if (err == OK)
			err =
			    db_send(db, STATEMENT_ERASURE_FINISH, &(struct erasure_finish_in){ .number = row.number });
		arena_fini(&removing->arena);
	}
	return err;
}

/* Where they are found by their organization. ERR_NOT_FOUND: there is none left. */
static enum err remove_messages(struct removing *removing, struct db *db)
{
	enum err err = OK;

	while (err == OK && !is_late(removing)) {
		const struct leave_find_messages_in in = { .after = removing->next_after, .limit = MESSAGES_AT_ONCE };
		struct leave_find_messages_out next;
		int64_t count = 0;

		err = query_one(db, STATEMENT_LEAVE_FIND_MESSAGES, &in, &next, &removing->arena);
		if (err == OK && next.until == DB_NULL)
			err = ERR_NOT_FOUND;
		if (err == OK)
			err = query_run(db, STATEMENT_LEAVE_MESSAGES,
					&(struct leave_messages_in){ .after = in.after, .until = next.until }, &count);
		if (err == OK)
			removing->next_after = next.until;
		removing->next.rows[REMOVED_MESSAGES] += count;
	}
	return err;
}

/* Of a chat whose messages are gone. */
static enum err remove_chat(struct removing *removing, struct db *db, const struct leave_find_chats_out *chat)
{
	int64_t *rows = removing->next.rows;
	enum err err = OK;

	if (chat->topic_summary.at != NULL && !removing->place->remote)
		err = search_change_summary(db, chat->number, chat->topic_summary, (struct text){ 0 });
	if (err == OK && chat->summary_of != DB_NULL)
		err = db_send(db, STATEMENT_ERASE_CHAT_SUMMARY,
			      &(struct erase_chat_summary_in){ .chat_number = chat->number });
	if (err == OK)
		err = db_send(db, STATEMENT_ERASE_CHAT_ACTIVITY,
			      &(struct erase_chat_activity_in){ .chat_number = chat->number });
	if (err == OK)
		err = db_send(db, STATEMENT_ERASE_CHAT_ROW, &(struct erase_chat_row_in){ .number = chat->number });
	rows[REMOVED_CHATS]++;
	rows[REMOVED_CHAT_ACTIVITY]++;
	rows[REMOVED_CHAT_SUMMARIES] += chat->summary_of != DB_NULL;
	return err;
}

/* Its messages from the newest back; the chat itself once they are gone. */
static enum err remove_from_chat(struct removing *removing, struct db *db, const struct leave_find_chats_out *chat)
{
	int64_t next = removing->place->remote ? DB_NULL : chat->last_message;
	int64_t count = 0;
	enum err err = OK;

	if (next != DB_NULL)
		err = erase_messages_some(db, chat->number, removing->mark, &removing->arena, &next, &count);
	removing->next.rows[REMOVED_MESSAGES] += count;
	if (err == OK && next != DB_NULL)
		return db_send(db, STATEMENT_MOVE_CHAT_HEAD,
			       &(struct move_chat_head_in){ .chat_number = chat->number, .last_message = next });
	return err == OK ? remove_chat(removing, db, chat) : err;
}

/* Some rows of a table, read to the end: nothing may walk an index that is changed under it. Of their texts those in
 * the first `columns` are kept. */
static enum err find_rows(struct removing *removing, struct db *db, enum statement_id id, size_t columns,
			  union query_row **rows, size_t *count)
{
	const int64_t limit = ROWS_AT_ONCE; /* for who takes one */
	const struct statement *statement = &statements[id];
	enum err err;

	*count = 0;
	*rows = arena_take_many(&removing->arena, ROWS_AT_ONCE, sizeof **rows);
	if (*rows == NULL)
		return ERR_MEMORY;
	err = db_start(db, id, &limit);
	while (err == OK && *count < ROWS_AT_ONCE && (err = db_step(db, id, &(*rows)[*count])) == OK) {
		for (size_t i = 0; i < columns; i++) {
			char *member = (*rows)[*count].bytes + statement->out[i].offset;
			struct text text;

			if (statement->out[i].type != COLUMN_TEXT)
				continue;
			memcpy(&text, member, sizeof text);
			text = text_copy(&removing->arena, text);
			memcpy(member, &text, sizeof text);
		}
		++*count;
	}
	db_stop(db, id);
	if (err == ERR_NOT_FOUND)
		err = *count > 0 ? OK : ERR_NOT_FOUND;
	return removing->arena.failed ? ERR_MEMORY : err;
}

/* ERR_NOT_FOUND: there is none left. */
static enum err remove_chats(struct removing *removing, struct db *db)
{
	const size_t columns = statements[STATEMENT_LEAVE_FIND_CHATS].out_count;
	enum err err = OK;

	while (err == OK && !is_late(removing)) {
		union query_row *rows;
		size_t count;

		err = find_rows(removing, db, STATEMENT_LEAVE_FIND_CHATS, columns, &rows, &count);
		for (size_t i = 0; err == OK && i < count && (i == 0 || !is_late(removing)); i++)
			err = remove_from_chat(removing, db, (const void *)&rows[i]);
		arena_fini(&removing->arena);
	}
	return err;
}

static enum err remove_row(struct removing *removing, struct db *db, const struct move_leaving *table,
			   const union query_row *row)
{
	const struct move_out_users_out *user = (const void *)row;
	bool gone = false;
	enum err err = db_send(db, table->remove, row);

	if (err == OK && table->remove == STATEMENT_LEAVE_USERS && !uuid_is_nil(&user->account_id))
		err = moving_drop_account(db, &removing->arena, &user->account_id, &gone);
	removing->next.rows[REMOVED_ACCOUNTS] += gone;
	return err;
}

/* ERR_NOT_FOUND: the table is empty. */
static enum err remove_rows(struct removing *removing, struct db *db, size_t which)
{
	const struct move_leaving *table = &move_leavings[which];
	const size_t columns = statements[table->remove].in_count;
	enum err err = table->remote && !removing->place->remote ? ERR_NOT_FOUND : OK;

	while (err == OK && !is_late(removing)) {
		union query_row *rows;
		size_t count;

		err = find_rows(removing, db, table->find, columns, &rows, &count);
		for (size_t i = 0; err == OK && i < count; i++)
			err = remove_row(removing, db, table, &rows[i]);
		if (err == OK)
			removing->next.rows[REMOVED_TABLES + which] += (int64_t)count;
		arena_fini(&removing->arena);
	}
	return err;
}

/* Everything is empty, in this very transaction: itself. */
static enum err remove_organization(struct removing *removing, struct db *db)
{
	int64_t sessions = 0;
	int64_t organizations = 0;
	enum err err = forget_figures(removing, db);

	if (err == OK)
		err = moving_end_sessions(db, &removing->moving->id, &sessions);
	if (err == OK)
		err = query_run(db, STATEMENT_LEAVE_ORGANIZATION, NULL, &organizations);
	if (err == OK && organizations != 1)
		err = ERR_STORAGE;
	removing->next.rows[REMOVED_SESSIONS] += sessions;
	removing->done = err == OK;
	return err;
}

/* ERR_NOT_FOUND: there is none left. */
static enum err remove_stage(struct removing *removing, struct db *db, size_t stage)
{
	switch (stage) {
	case STAGE_ERASURES:
		return remove_erasures(removing, db);
	case STAGE_MESSAGES:
		return removing->place->remote ? remove_messages(removing, db) : ERR_NOT_FOUND;
	case STAGE_CHATS:
		return remove_chats(removing, db);
	default:
		return remove_rows(removing, db, stage - STAGE_TABLES);
	}
}

/* From a stage on, as far as the time allows. ERR_NOT_FOUND: none of them has anything left. */
static enum err remove_stages(struct removing *removing, struct db *db, size_t stage)
{
	enum err err = ERR_NOT_FOUND;

	for (; err == ERR_NOT_FOUND && stage < STAGE_TABLES + move_leaving_count; stage++) {
		err = remove_stage(removing, db, stage);
		removing->next_stage = stage;
	}
	return err;
}

/* A piece goes on at the stage that the one before came to, so that it comes further however slow the database is. The
 * last one looks at all of them once more. The words of messages go with the messages, or all together where they have
 * a table of rows. */
static enum err remove_some(struct db *db, void *context)
{
	struct removing *removing = context;
	const bool remote = removing->place->remote;
	enum err err = remote ? OK : search_reached(db, moving_system(), &removing->mark);

	removing->next = removing->receipt;
	removing->next_after = removing->after;
	removing->began = clock_monotonic();
	arena_init(&removing->arena, PIECE_MEMORY);
	if (err == OK)
		err = remove_stages(removing, db, removing->stage);
	if (err == ERR_NOT_FOUND) {
		removing->began = INT64_MAX;
		err = remove_stages(removing, db, 0);
	}
	if (err == ERR_NOT_FOUND) {
		err = remove_organization(removing, db);
	} else if (err == OK) {
		err = note_receipt(db, &removing->next);
		if (err == OK)
			err = move_note_step(removing->place, db);
	}
	arena_fini(&removing->arena);
	return err;
}

static int64_t sum(const struct move_receipt *receipt)
{
	int64_t rows = 0;

	for (size_t i = 0; i < move_receipt_count(); i++)
		rows += receipt->rows[i];
	return rows;
}

/* Until it is gone, or `until` (clock_monotonic). */
static enum err remove_until(struct removing *removing, int64_t until)
{
	const struct move_place *place = removing->place;
	enum err err = move_piece(place, removing->moving->scope, hide, removing);

	if (err == OK) {
		removing->receipt = removing->next;
		place->hidden(place->context, &removing->moving->id);
	}
	while (err == OK && !removing->done && clock_monotonic() < until) {
		err = move_piece(place, removing->moving->scope, remove_some, removing);
		if (err == OK) {
			moves_step(place->moves, sum(&removing->next) - sum(&removing->receipt));
			removing->receipt = removing->next;
			removing->after = removing->next_after;
			removing->stage = removing->next_stage;
		}
	}
	return err;
}

enum err move_remove(const struct move_place *place, const struct moving *moving, struct move_receipt *receipt,
		     struct fault *fault)
{
	struct removing removing = { .place = place, .moving = moving };
	enum err err;

	moves_part(place->moves, "rows", 0);
	err = remove_until(&removing, INT64_MAX);
	*receipt = removing.receipt;
	if (err == OK)
		LOG(place->log, LOG_INFO, "organization removed", LOG_INT("rows", sum(receipt)));
	else if (fault->sentence[0] == '\0')
		fault_set(
		    fault, err, NULL, NULL,
		    "Not all of the organization could be removed yet: nobody sees it any more, and the rest goes by "
		    "itself.");
	return err;
}

bool move_is_left(const struct move_place *place, const struct moving *moving)
{
	return moving->way != MOVING_NOT && (!place->remote || uuid_equal(&moving->by, moves_process(place->moves)) ||
					     moving->at == DB_NULL || clock_now() - moving->at > LEFT_MILLISECONDS);
}

static void tidy(const struct move_place *place)
{
	const int64_t until = clock_monotonic() + TIDY_MICROSECONDS;
	struct moving moving = { 0 };
	struct arena arena;
	enum err err = OK;

	arena_init(&arena, PIECE_MEMORY);
	while (err == OK && clock_monotonic() < until && !atomic_load(place->ending)) {
		const struct uuid after = moving.id;
		struct removing removing = { .place = place, .moving = &moving };

		err = moving_next(place->readers, &arena, &after, &moving);
		if (err != OK || !move_is_left(place, &moving))
			continue;
		err = remove_until(&removing, until);
		if (err == OK && removing.done)
			LOG(place->log, LOG_INFO, "what a move had left was removed",
			    LOG_INT("rows", sum(&removing.receipt)));
	}
	arena_fini(&arena);
	if (err != OK && err != ERR_NOT_FOUND)
		LOG(place->log, LOG_WARNING, "what a move has left is removed later", LOG_INT("err", err));
}

void move_tidy(const struct move_place *place)
{
	if (!moves_begin(place->moves, "tidy", 0))
		return;
	tidy(place);
	moves_end(place->moves);
}
