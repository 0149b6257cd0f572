/* The audit: everything that is counted of one organization, counted again from its raw rows, and every difference
 * told. Owner: the thread that holds the db, in one reading transaction, in the organization's scope. Its way is
 * another one than the ledger's: plain sums and sorted sets, no neighbours, nothing incremental. Never repairs
 * anything. Memory: about a hundred bytes for each different thing counted, none for a message. Next: api/verify.c. */
#ifndef INNKEEPER_ANALYTICS_RECOUNT_H
#define INNKEEPER_ANALYTICS_RECOUNT_H

#include <stdbool.h>

#include "base/text.h"
#include "store/db.h"

struct recount_part {
	const char *name; /* of a column of the key; NULL behind the last */
	int64_t number;   /* unless there is a text */
	struct text text;
};

#define RECOUNT_PARTS 6

struct recount_difference {
	const char *table;
	struct recount_part key[RECOUNT_PARTS];
	struct recount_part stored; /* no text and DB_NULL: there is no such row */
	struct recount_part counted;
};

struct recount {
	bool complete;   /* false: the figures are being counted for the first time, and nothing was compared */
	int64_t edition; /* that was compared */
	int64_t rows;    /* raw ones gone through */
	int64_t differences;
};

/* Calls `tell` for each difference; its texts are borrowed for the call. ERR_UNAVAILABLE: the time zone is unknown. */
enum err recount_all(struct db *db, struct recount *out,
		     void (*tell)(void *context, const struct recount_difference *difference),
		     void *context) WARN_UNUSED;

#endif
