#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "erase/erase.h"
#include "move/move.h"
#include "search/indexer.h"
#include "store/query.h"

#define ROWS_AT_ONCE      64
#define PIECE_MEMORY      ((size_t)64 * 1024 * 1024)
#define LEFT_MILLISECONDS 60000   /* without a step: whoever was at it is gone */
#define TIDY_MICROSECONDS 5000000 /* of one round of the job */
#define RECEIPT_MAX       4096    /* bytes */

static const char *const first_names[] = {
	[REMOVED_CHATS] = "chats",       [REMOVED_CHAT_ACTIVITY] = "chat_activity",
	[REMOVED_MESSAGES] = "messages", [REMOVED_CHAT_SUMMARIES] = "chat_summaries",
	[REMOVED_SESSIONS] = "sessions", [REMOVED_ACCOUNTS] = "accounts",
};

struct removing {
	const struct move_place *place;
	const struct moving *moving;
	struct move_receipt receipt; /* of what is durable */
	struct move_receipt next;    /* of this piece too */
	struct arena arena;          /* of this piece */
	int64_t mark;                /* up to which message words are in the index */
	int64_t until;               /* clock_monotonic */
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

static enum err note_receipt(struct db *db, const struct move_receipt *receipt)
{
	struct buffer text;
	enum err err = ERR_MEMORY;

	buffer_init(&text, RECEIPT_MAX);
	for (size_t i = 0; i < move_receipt_count(); i++)
		if (receipt->rows[i] != 0)
			buffer_format(&text, "%s %lld\n", move_receipt_name(i), (long long)receipt->rows[i]);
	if (!text.failed)
		err = query_run(db, STATEMENT_MOVING_NOTE,
				&(struct moving_note_in){ .receipt = { text.at, text.length } }, NULL);
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

/* The messages of a chat from the newest back; the chat itself once they are gone. */
static enum err remove_from_chat(struct removing *removing, struct db *db, const struct leave_find_chat_out *chat)
{
	int64_t *rows = removing->next.rows;
	int64_t next = chat->last_message;
	int64_t count = 0;
	int64_t summaries = 0;
	enum err err = OK;

	if (next != DB_NULL)
		err = erase_messages_some(db, chat->number, removing->mark, &removing->arena, &next, &count);
	rows[REMOVED_MESSAGES] += count;
	if (err == OK && next != DB_NULL)
		return query_run(db, STATEMENT_MOVE_CHAT_HEAD,
				 &(struct move_chat_head_in){ .chat_number = chat->number, .last_message = next },
				 NULL);
	if (err == OK && chat->topic_summary.at != NULL)
		err = search_change_summary(db, chat->number, chat->topic_summary, (struct text){ 0 });
	if (err == OK)
		err = query_run(db, STATEMENT_ERASE_CHAT_SUMMARY,
				&(struct erase_chat_summary_in){ .chat_number = chat->number }, &summaries);
	if (err == OK)
		err = query_run(db, STATEMENT_ERASE_CHAT_ACTIVITY,
				&(struct erase_chat_activity_in){ .chat_number = chat->number }, NULL);
	if (err == OK)
		err = query_run(db, STATEMENT_ERASE_CHAT_ROW, &(struct erase_chat_row_in){ .number = chat->number },
				NULL);
	rows[REMOVED_CHATS]++;
	rows[REMOVED_CHAT_ACTIVITY]++;
	rows[REMOVED_CHAT_SUMMARIES] += summaries;
	return err;
}

static bool is_late(const struct removing *removing)
{
	return clock_monotonic() >= removing->until;
}

/* ERR_NOT_FOUND: there is none left. */
static enum err remove_chats(struct removing *removing, struct db *db)
{
	struct leave_find_chat_out chat;
	enum err err = OK;

	while (err == OK && !is_late(removing)) {
		err = query_one(db, STATEMENT_LEAVE_FIND_CHAT, NULL, &chat, &removing->arena);
		if (err == OK)
			err = remove_from_chat(removing, db, &chat);
		arena_fini(&removing->arena);
	}
	return err;
}

/* Of chats that were erased before; their messages were told of then. */
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
			err = query_run(
			    db, STATEMENT_ERASURE_MOVE,
			    &(struct erasure_move_in){ .number = row.number, .next_message = row.next_message }, NULL);
		else if (err == OK)
			err = query_run(db, STATEMENT_ERASURE_FINISH,
					&(struct erasure_finish_in){ .number = row.number }, NULL);
		arena_fini(&removing->arena);
	}
	return err;
}

/* The first rows of a table, read to the end: nothing may walk an index that is changed under it. */
static enum err find_rows(struct removing *removing, struct db *db, enum statement_id id, union query_row **rows,
			  size_t *count)
{
	const int64_t limit = ROWS_AT_ONCE;
	const struct statement *statement = &statements[id];
	enum err err;

	*count = 0;
	*rows = arena_take_many(&removing->arena, ROWS_AT_ONCE, sizeof **rows);
	if (*rows == NULL)
		return ERR_MEMORY;
	err = db_start(db, id, &limit);
	while (err == OK && *count < ROWS_AT_ONCE && (err = db_step(db, id, &(*rows)[*count])) == OK) {
		for (size_t i = 0; i < statement->out_count; i++) {
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
		err = OK;
	return removing->arena.failed ? ERR_MEMORY : err;
}

static enum err remove_row(struct removing *removing, struct db *db, const struct move_leaving *table,
			   const union query_row *row)
{
	struct leave_account_of_out user = { 0 };
	bool gone = false;
	enum err err = OK;

	if (table->remove == STATEMENT_LEAVE_USERS)
		err = query_one(db, STATEMENT_LEAVE_ACCOUNT_OF, row, &user, &removing->arena);
	if (err == OK)
		err = query_run(db, table->remove, row, NULL);
	if (err == OK && !uuid_is_nil(&user.account_id))
		err = moving_drop_account(db, &removing->arena, &user.account_id, &gone);
	removing->next.rows[REMOVED_ACCOUNTS] += gone;
	return err;
}

/* ERR_NOT_FOUND: the table is empty. */
static enum err remove_rows(struct removing *removing, struct db *db, size_t which)
{
	const struct move_leaving *table = &move_leavings[which];
	enum err err = table->remote && !removing->place->remote ? ERR_NOT_FOUND : OK;

	while (err == OK && !is_late(removing)) {
		union query_row *rows;
		size_t count;

		err = find_rows(removing, db, table->find, &rows, &count);
		if (err == OK && count == 0)
			err = ERR_NOT_FOUND;
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

static enum err remove_some(struct db *db, void *context)
{
	struct removing *removing = context;
	enum err err = search_reached(db, moving_system(), &removing->mark);

	removing->next = removing->receipt;
	removing->until = move_piece_end(db);
	arena_init(&removing->arena, PIECE_MEMORY);
	if (err == OK)
		err = remove_chats(removing, db);
	if (err == ERR_NOT_FOUND)
		err = remove_erasures(removing, db);
	for (size_t i = 0; err == ERR_NOT_FOUND && i < move_leaving_count; i++)
		err = remove_rows(removing, db, i);
	if (err == ERR_NOT_FOUND) {
		err = remove_organization(removing, db);
	} else if (err == OK) {
		err = note_receipt(db, &removing->next);
		if (err == OK)
			err = query_run(db, STATEMENT_MOVING_STEP,
					&(struct moving_step_in){ .moving_by = *moves_process(removing->place->moves),
								  .moving_at = clock_now() },
					NULL);
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
