/* What the events of one transaction do to the rollups: gathered in memory, written once before the commit.
 * Owner: the server; the writer's thread alone uses it.
 * Rows of rollup_counts and rollup_gaps move here; a batch of 500 messages costs a handful of writes. It also knows
 * each organization's editions (the rollups in one time zone) while it writes. Never keeps what a savepoint undid: each
 * item's end is told. Next: counting.h (who fills it), edition.h. */
#ifndef INNKEEPER_ANALYTICS_LEDGER_H
#define INNKEEPER_ANALYTICS_LEDGER_H

#include "analytics/calendar.h"
#include "analytics/metric.h"
#include "base/log.h"
#include "store/db.h"

struct ledger;

enum err ledger_new(struct ledger **out, const struct log *log) WARN_UNUSED;
void ledger_free(struct ledger *ledger);

/* The writer's hooks: the end of each item (or part of one), the end of the transaction, and its loss. */
void ledger_end_item(void *ledger, bool kept);
enum err ledger_settle(struct db *db, void *ledger) WARN_UNUSED;
void ledger_forget(void *ledger);

/* An edition of an organization's rollups: all its figures by the days of one time zone. */
struct edition {
	int64_t number;
	struct calendar *calendar; /* the ledger's */
};

/* What is built beside the edition that is read: the raw rows up to the mark are in it. */
enum build_phase { BUILD_CHATS, BUILD_VISITORS, BUILD_MENTIONS, BUILD_VIEWS, BUILD_CLICKS, BUILD_PHASES };

/* What the ledger knows of one organization. */
struct book {
	struct uuid organization;
	const struct scope *scope; /* of this transaction */
	bool stale;                /* to be read anew before use */
	bool has_current;          /* false: nothing complete to read yet */
	bool has_build;
	struct edition current;
	struct edition build;
	int64_t phase; /* of the build: enum build_phase */
	int64_t mark_time;
	int64_t mark_number;
	int64_t mark_message; /* of the chat at the mark: those of greater numbers are in it; DB_NULL: all */
};

/* The book of the scope that is entered, read from the database when needed. Borrowed until the next call. */
enum err ledger_book(struct ledger *ledger, struct db *db, const struct scope *scope, struct book **out) WARN_UNUSED;

/* The states in the database were changed by this item: what is known of the organization is read anew. */
void ledger_changed(struct ledger *ledger, struct book *book);

/* A calendar, kept as long as the ledger. ERR_NOT_FOUND: no such zone on this machine. */
enum err ledger_calendar(struct ledger *ledger, struct text zone, struct calendar **out) WARN_UNUSED;

/* Moves a counter of a day and of what the day lies in. `label` is copied. ERR_MEMORY. */
enum err ledger_count(struct ledger *ledger, const struct book *book, int64_t edition, enum metric metric, int64_t day,
		      struct text label, int64_t amount) WARN_UNUSED;

/* A member was seen on `day`, and last before on `before` (DAY_NEVER: never): moves each span in which that is the
 * first sight. */
enum err ledger_gap(struct ledger *ledger, const struct book *book, int64_t edition, enum metric metric, int64_t day,
		    int64_t before, int64_t amount) WARN_UNUSED;

/* In a transaction that looks ahead: a row of the member was written, so that what was read of it before is out of
 * date; and whether one was. The name is copied. ERR_MEMORY. */
enum err ledger_moved(struct ledger *ledger, const struct book *book, int64_t edition, enum metric metric,
		      struct text member) WARN_UNUSED;
bool ledger_has_moved(const struct ledger *ledger, const struct book *book, int64_t edition, enum metric metric,
		      struct text member);

/* Which start of a span a day lies in. */
int64_t ledger_start(int64_t span, int64_t day);

#endif
