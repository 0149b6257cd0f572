#include "erase/erase.h"

#include "base/clock.h"
#include "store/query.h"

#define STEP_MICROSECONDS 5000
#define STEP_BYTES        ((size_t)2 << 20)
#define ARENA_CAP         ((size_t)64 << 20)

/* A message of a chat that is gone. `mark`: up to where messages are in the index. */
static enum err erase_message(struct db *db, int64_t chat_number, int64_t number, int64_t mark,
			      const struct erasure_message_out *message)
{
	enum err err = OK;

	if (number <= mark)
		err = search_remove_message(db, chat_number, number, message->content);
	return err == OK ? query_run(db, STATEMENT_ERASURE_MESSAGE_ROW,
				     &(struct erasure_message_row_in){ .number = number }, NULL)
			 : err;
}

/* As many as the time allows, at least one; in the organization's scope. */
static enum err erase_some(struct db *db, const struct erasure_first_out *erasure, int64_t mark)
{
	const int64_t until = clock_monotonic() + STEP_MICROSECONDS;
	struct erasure_message_out message = { .previous = erasure->next_message };
	struct arena arena;
	enum err err = OK;

	arena_init(&arena, ARENA_CAP);
	do {
		const int64_t number = message.previous;

		if (arena.taken > STEP_BYTES)
			arena_fini(&arena);
		err = query_one(db, STATEMENT_ERASURE_MESSAGE,
				&(struct erasure_message_in){ .number = number, .chat_number = erasure->chat_number },
				&message, &arena);
		if (err == OK)
			err = erase_message(db, erasure->chat_number, number, mark, &message);
	} while (err == OK && message.previous != DB_NULL && clock_monotonic() < until);
	arena_fini(&arena);
	/* A chain that ends before its first message has nothing more to remove. */
	if (err == ERR_NOT_FOUND || (err == OK && message.previous == DB_NULL))
		return query_run(db, STATEMENT_ERASURE_FINISH, &(struct erasure_finish_in){ .number = erasure->number },
				 NULL);
	return err == OK
		   ? query_run(db, STATEMENT_ERASURE_MOVE,
			       &(struct erasure_move_in){ .number = erasure->number, .next_message = message.previous },
			       NULL)
		   : err;
}

static enum err read_first(struct db *db, const struct scope *system, struct erasure_first_out *out)
{
	struct arena arena;
	enum err err = db_enter(db, system);
	enum err left;

	if (err != OK)
		return err;
	arena_init(&arena, 4096);
	err = query_one(db, STATEMENT_ERASURE_FIRST, NULL, out, &arena);
	arena_fini(&arena);
	left = db_leave(db, true);
	return left == OK ? err : left;
}

enum err erase_step(struct db *db, const struct search_doors *doors, bool *more)
{
	struct erasure_first_out erasure;
	const struct scope *scope;
	struct arena arena;
	int64_t mark = 0;
	enum err err = read_first(db, doors->system, &erasure);
	enum err left;

	*more = false;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	err = search_reached(db, doors->system, &mark);
	if (err != OK)
		return err;
	arena_init(&arena, 4096);
	scope = doors->open(&arena, &erasure.organization_id);
	err = scope == NULL ? ERR_MEMORY : db_enter(db, scope);
	if (err == OK) {
		err = erase_some(db, &erasure, mark);
		left = db_leave(db, err == OK);
		err = left == OK ? err : left;
	}
	arena_fini(&arena);
	*more = err == OK;
	return err;
}
