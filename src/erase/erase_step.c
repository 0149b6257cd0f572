#include "erase/erase.h"

#include "store/query.h"

#define STEP_MESSAGES 200
#define STEP_BYTES    (24 << 10) /* of content; the message that reaches it is the last */
#define ARENA_CAP     ((size_t)64 << 20)

/* The newest messages of a chat that is gone, newest first. */
struct newest {
	struct gone {
		int64_t number;
		struct text content;
	} list[STEP_MESSAGES];
	size_t count;
	int64_t next; /* number of the one behind them; DB_NULL: there is none */
};

/* A chain that ends before its first message has nothing more to remove. */
static enum err read_newest(struct db *db, int64_t chat_number, int64_t from, struct arena *arena,
			    struct newest *newest)
{
	const struct erasure_messages_in in = {
		.number = from, .chat_number = chat_number, .limit = STEP_MESSAGES, .bytes = STEP_BYTES
	};
	struct erasure_messages_out message;
	enum err err = db_start(db, STATEMENT_ERASURE_MESSAGES, &in);

	newest->next = DB_NULL;
	while (err == OK && newest->count < STEP_MESSAGES &&
	       (err = db_step(db, STATEMENT_ERASURE_MESSAGES, &message)) == OK) {
		const struct text content = text_copy(arena, message.content);

		if (content.at == NULL)
			err = ERR_MEMORY;
		newest->list[newest->count++] = (struct gone){ message.number, content };
		newest->next = message.previous;
	}
	db_stop(db, STATEMENT_ERASURE_MESSAGES);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* The words of those up to `mark`, where the index has come to, go in the order of the documents: FTS5 writes what it
 * has gathered as a piece of its own at each other turn. */
static enum err remove_newest(struct db *db, int64_t chat_number, int64_t mark, const struct newest *newest)
{
	enum err err = OK;

	for (size_t i = newest->count; err == OK && i-- > 0;) {
		const struct gone *message = &newest->list[i];

		if (message->number <= mark)
			err = search_remove_message(db, chat_number, message->number, message->content);
		if (err == OK)
			err = db_send(db, STATEMENT_ERASURE_MESSAGE_ROW,
				      &(struct erasure_message_row_in){ .number = message->number });
	}
	return err;
}

enum err erase_messages_some(struct db *db, int64_t chat_number, int64_t mark, struct arena *arena, int64_t *next,
			     int64_t *count)
{
	struct newest *newest = arena_take(arena, sizeof *newest);
	enum err err = newest == NULL ? ERR_MEMORY : OK;

	if (err == OK)
		err = read_newest(db, chat_number, *next, arena, newest);
	if (err == OK)
		err = remove_newest(db, chat_number, mark, newest);
	if (err == OK) {
		*next = newest->next;
		*count = (int64_t)newest->count;
	}
	return err;
}

/* In the organization's scope. */
static enum err erase_some(struct db *db, const struct erasure_first_out *erasure, int64_t mark, struct arena *arena)
{
	int64_t next = erasure->next_message;
	int64_t count;
	enum err err = erase_messages_some(db, erasure->chat_number, mark, arena, &next, &count);

	if (err != OK)
		return err;
	if (next == DB_NULL)
		return query_run(db, STATEMENT_ERASURE_FINISH, &(struct erasure_finish_in){ .number = erasure->number },
				 NULL);
	return query_run(db, STATEMENT_ERASURE_MOVE,
			 &(struct erasure_move_in){ .number = erasure->number, .next_message = next }, NULL);
}

/* `after`: of which organization it must be behind; NULL: the oldest of all. */
static enum err read_next(struct db *db, const struct scope *system, const struct uuid *after,
			  struct erasure_first_out *out)
{
	struct erasure_behind_out behind;
	struct arena arena;
	enum err err = db_enter(db, system);
	enum err left;

	if (err != OK)
		return err;
	arena_init(&arena, 4096);
	if (after == NULL)
		err = query_one(db, STATEMENT_ERASURE_FIRST, NULL, out, &arena);
	else
		err = query_one(db, STATEMENT_ERASURE_BEHIND, &(struct erasure_behind_in){ *after }, &behind, &arena);
	if (err == OK && after != NULL)
		*out = (struct erasure_first_out){ .number = behind.number,
						   .organization_id = behind.organization_id,
						   .chat_number = behind.chat_number,
						   .next_message = behind.next_message,
						   .counted = behind.counted };
	arena_fini(&arena);
	left = db_leave(db, true);
	return left == OK ? err : left;
}

static enum err uncount(struct db *db, struct ledger *ledger, const struct scope *scope, struct arena *arena)
{
	struct erasing erasing = { .counting = { .ledger = ledger, .db = db, .scope = scope, .arena = arena } };
	bool more;

	return erase_uncount(&erasing, &more);
}

/* Settled at once, for the scope lives no longer; of a step that failed nothing is left to write. */
static enum err in_scope(struct db *db, struct ledger *ledger, const struct scope *scope,
			 const struct erasure_first_out *erasure, int64_t mark, struct arena *arena)
{
	enum err err = db_enter(db, scope);
	enum err left;

	if (err != OK)
		return err;
	err = erasure->counted ? uncount(db, ledger, scope, arena) : erase_some(db, erasure, mark, arena);
	left = db_leave(db, err == OK);
	ledger_end_item(ledger, err == OK && left == OK);
	if (err == OK)
		err = left;
	left = ledger_settle(db, ledger);
	return err == OK ? left : err;
}

static enum err do_step(struct db *db, struct ledger *ledger, const struct search_doors *doors,
			const struct erasure_first_out *erasure, int64_t mark)
{
	const struct scope *scope;
	struct arena arena;
	enum err err;

	arena_init(&arena, ARENA_CAP);
	scope = doors->open(&arena, &erasure->organization_id);
	err = scope == NULL ? ERR_MEMORY : in_scope(db, ledger, scope, erasure, mark, &arena);
	arena_fini(&arena);
	return err;
}

/* An organization whose step fails (what is counted of it cannot be told, say) holds up no other. */
enum err erase_step(struct db *db, struct ledger *ledger, const struct search_doors *doors, bool *more)
{
	struct erasure_first_out erasure;
	struct uuid first;
	struct uuid after = { 0 };
	int64_t mark = 0;
	enum err failure;
	enum err err = read_next(db, doors->system, NULL, &erasure);

	*more = false;
	if (err == OK)
		err = search_reached(db, doors->system, &mark);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	first = erasure.organization_id;
	failure = do_step(db, ledger, doors, &erasure, mark);
	*more = failure == OK;
	while (!*more && (err = read_next(db, doors->system, &after, &erasure)) == OK) {
		after = erasure.organization_id;
		*more = !uuid_equal(&after, &first) && do_step(db, ledger, doors, &erasure, mark) == OK;
	}
	if (*more)
		return OK;
	return err == ERR_NOT_FOUND ? failure : err;
}
