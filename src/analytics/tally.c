#include "analytics/tally.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

#define FIRST_ROOM ((size_t)256)
#define KEPT_ROOM                                                                                                      \
	((size_t)16384) /* of the index: one large transaction must not make every later one clear so much             \
			 */
#define NONE SIZE_MAX

_Static_assert(crypto_shorthash_KEYBYTES == TALLY_KEY, "SipHash's key");
_Static_assert(crypto_shorthash_BYTES == sizeof(uint64_t), "a hash is a number");

void tally_init(struct tally *tally, size_t text_cap)
{
	*tally = (struct tally){ 0 };
	arena_init(&tally->texts, text_cap);
	crypto_shorthash_keygen(tally->key);
}

void tally_fini(struct tally *tally)
{
	arena_fini(&tally->texts);
	free(tally->rows);
	free(tally->by_key);
	tally_init(tally, tally->texts.cap);
}

void tally_clear(struct tally *tally)
{
	tally->count = 0;
	arena_fini(&tally->texts);
	if (tally->key_room > KEPT_ROOM) {
		free(tally->by_key);
		tally->by_key = NULL;
		tally->key_room = 0;
	}
	for (size_t i = 0; i < tally->key_room; i++)
		tally->by_key[i] = NONE;
}

enum err tally_grow(void *list, size_t element, size_t count, size_t *room)
{
	size_t wanted = FIRST_ROOM;
	size_t bytes;
	void *old;
	void *grown;

	if (count < *room)
		return OK;
	if ((*room != 0 && !size_multiply(*room, 2, &wanted)) || !size_multiply(wanted, element, &bytes))
		return ERR_MEMORY;
	memcpy(&old, list, sizeof old);
	grown = realloc(old, bytes);
	if (grown == NULL)
		return ERR_MEMORY;
	memcpy(list, &grown, sizeof grown);
	*room = wanted;
	// cppcheck-suppress memleak ; `list` has it now
	return OK;
}

/* SipHash over the label, multiplicative over the numbers: with a secret key, since labels come from outside and
 * whoever could tell where they fall would slow the one thread that writes for everybody. */
static uint64_t hash_of(const struct tally *tally, const int64_t numbers[TALLY_NUMBERS], struct text label)
{
	uint64_t hash = 0;

	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)label.at, label.length, tally->key);
	for (size_t i = 0; i < TALLY_NUMBERS; i++) {
		hash = (hash ^ (uint64_t)numbers[i]) * UINT64_C(0x9E3779B97F4A7C15);
		hash ^= hash >> 29;
	}
	return hash ^ hash >> 32;
}

/* An index at most half full. */
static enum err grow_index(struct tally *tally)
{
	size_t room = FIRST_ROOM * 2;
	size_t bytes;
	size_t *index;

	if (tally->count * 2 < tally->key_room)
		return OK;
	while (room <= tally->count * 2)
		room *= 2;
	if (!size_multiply(room, sizeof *index, &bytes))
		return ERR_MEMORY;
	index = malloc(bytes);
	if (index == NULL)
		return ERR_MEMORY;
	memset(index, 0xff, bytes);
	for (size_t i = 0; i < tally->count; i++) {
		size_t at = tally->rows[i].hash & (room - 1);

		while (index[at] != NONE)
			at = (at + 1) & (room - 1);
		index[at] = i;
	}
	free(tally->by_key);
	tally->by_key = index;
	tally->key_room = room;
	return OK;
}

/* Where the row stands in the index, or would stand. There must be a free place. */
static size_t *place_of(const struct tally *tally, uint64_t hash, const int64_t numbers[TALLY_NUMBERS],
			struct text label)
{
	size_t at = hash & (tally->key_room - 1);

	for (; tally->by_key[at] != NONE; at = (at + 1) & (tally->key_room - 1)) {
		const struct tally_row *row = &tally->rows[tally->by_key[at]];

		if (row->hash == hash && memcmp(row->numbers, numbers, sizeof row->numbers) == 0 &&
		    text_equal(row->label, label))
			break;
	}
	return &tally->by_key[at];
}

const struct tally_row *tally_find(const struct tally *tally, const int64_t numbers[TALLY_NUMBERS], struct text label)
{
	const size_t place =
	    tally->count == 0 ? NONE : *place_of(tally, hash_of(tally, numbers, label), numbers, label);

	return place == NONE ? NULL : &tally->rows[place];
}

enum err tally_place(struct tally *tally, const int64_t numbers[TALLY_NUMBERS], struct text label, size_t *out)
{
	const uint64_t hash = hash_of(tally, numbers, label);
	struct tally_row *row;
	size_t *place;

	if (grow_index(tally) != OK)
		return ERR_MEMORY;
	place = place_of(tally, hash, numbers, label);
	*out = *place;
	if (*place != NONE)
		return OK;
	if (tally_grow(&tally->rows, sizeof *tally->rows, tally->count, &tally->room) != OK)
		return ERR_MEMORY;
	row = &tally->rows[tally->count];
	*row = (struct tally_row){ .label = text_copy(&tally->texts, label), .hash = hash };
	if (row->label.at == NULL)
		return ERR_MEMORY;
	memcpy(row->numbers, numbers, sizeof row->numbers);
	*out = *place = tally->count++;
	return OK;
}

enum err tally_add(struct tally *tally, const int64_t numbers[TALLY_NUMBERS], struct text label, int64_t amount)
{
	size_t place = 0;
	enum err err = tally_place(tally, numbers, label, &place);

	if (err == OK)
		tally->rows[place].amount += amount;
	return err;
}

int tally_compare_texts(struct text a, struct text b)
{
	const size_t shorter = a.length < b.length ? a.length : b.length;
	const int order = shorter == 0 ? 0 : memcmp(a.at, b.at, shorter);

	if (order != 0)
		return order < 0 ? -1 : 1;
	return a.length == b.length ? 0 : a.length < b.length ? -1 : 1;
}

static int compare(const void *left, const void *right)
{
	const struct tally_row *a = left;
	const struct tally_row *b = right;

	for (size_t i = 0; i < TALLY_NUMBERS; i++)
		if (a->numbers[i] != b->numbers[i])
			return a->numbers[i] < b->numbers[i] ? -1 : 1;
	return tally_compare_texts(a->label, b->label);
}

void tally_sort(struct tally *tally)
{
	if (tally->count > 1)
		qsort(tally->rows, tally->count, sizeof *tally->rows, compare);
}
