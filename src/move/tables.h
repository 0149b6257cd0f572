/* What an organization is made of, table by table: how rows go out, come in, and are removed.
 * Owner: constant data of the binary. Any thread.
 * A new protected table needs a row here, or a word in tests/unit/test_move_tables.c why it has none.
 * Figures do not move: they are counted anew, and the index of words is made anew.
 * Next: move.h. */
#ifndef INNKEEPER_MOVE_TABLES_H
#define INNKEEPER_MOVE_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "statements.h"

/* What is to be minded with a table's rows. */
enum move_kind {
	MOVE_PLAIN,
	MOVE_USERS,      /* they have accounts */
	MOVE_CHATS,      /* others refer to them by number */
	MOVE_MESSAGES,   /* the same, and they make chains; on SQLite they are read chat by chat */
	MOVE_ACTIVITIES, /* of the chats; they tell where the chains end */
	MOVE_SUMMARIES,  /* they have words to search for */
};

struct move_table {
	const char *name;
	enum move_kind kind;
	enum statement_id out;
	enum statement_id in;
};

/* In the order in which they come in: parents first. */
extern const struct move_table move_tables[];
extern const size_t move_table_count;

/* Tables in the order in which they are emptied: children first. `find` gives their rows, first the columns that
 * identify one, and `remove` takes just these. Erasures go before all of these, and chats with what hangs on them. */
struct move_leaving {
	const char *name;
	enum statement_id find;
	enum statement_id remove;
	bool remote; /* there is such a table on a remote database alone */
};
extern const struct move_leaving move_leavings[];
extern const size_t move_leaving_count;

#define MOVE_LEAVINGS 24 /* at most */

#endif
