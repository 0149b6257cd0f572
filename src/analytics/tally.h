/* Amounts by key, gathered in memory: what the ledger owes to the rollups, what a recount finds in raw rows.
 * Owner: whoever called tally_init; one thread at a time.
 * A row keeps its place until the rows are sorted; labels are copied.
 * Never forgets a row whose amount went back to 0: its owner passes over it.
 * Next: ledger.c, recount.c. */
#ifndef INNKEEPER_ANALYTICS_TALLY_H
#define INNKEEPER_ANALYTICS_TALLY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#define TALLY_NUMBERS 6
#define TALLY_KEY     16 /* bytes */

struct tally_row {
	int64_t numbers[TALLY_NUMBERS]; /* with the label the key */
	struct text label;
	uint64_t hash;
	int64_t amount;
};

struct tally {
	struct tally_row *rows;
	size_t count;
	size_t room;
	size_t *by_key; /* open addressing into rows */
	size_t key_room;
	struct arena texts;
	unsigned char key[TALLY_KEY]; /* of its hashes */
};

void tally_init(struct tally *tally, size_t text_cap /* bytes */);
void tally_fini(struct tally *tally);

/* Empties it and keeps some of its memory. */
void tally_clear(struct tally *tally);

/* The place of a row, made with amount 0 when it is not there. ERR_MEMORY. */
enum err tally_place(struct tally *tally, const int64_t numbers[TALLY_NUMBERS], struct text label,
		     size_t *out) WARN_UNUSED;

/* Adds to a row. ERR_MEMORY. */
enum err tally_add(struct tally *tally, const int64_t numbers[TALLY_NUMBERS], struct text label,
		   int64_t amount) WARN_UNUSED;

/* NULL: there is no such row. Valid until one is added. */
const struct tally_row *tally_find(const struct tally *tally, const int64_t numbers[TALLY_NUMBERS], struct text label);

/* By numbers, then by the label's bytes. Nothing can be added afterwards but after tally_clear. */
void tally_sort(struct tally *tally);

/* Room for one more element in a list that grows by doubling; `list` is the address of its pointer. ERR_MEMORY. */
enum err tally_grow(void *list, size_t element, size_t count, size_t *room) WARN_UNUSED;

/* -1, 0 or 1, by bytes. */
int tally_compare_texts(struct text a, struct text b);

#endif
