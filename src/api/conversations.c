#include "api/conversations.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 1024

/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4). There is always a free place. */
static struct conversation *place_of(const struct conversations *conversations, int64_t number)
{
	size_t at = (size_t)((uint64_t)number * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (conversations->room - 1);

	while (conversations->places[at].number != 0 && conversations->places[at].number != number)
		at = (at + 1) & (conversations->room - 1);
	return &conversations->places[at];
}

const struct conversation *conversations_find(const struct conversations *conversations, int64_t number)
{
	const struct conversation *place = conversations->count == 0 ? NULL : place_of(conversations, number);

	return place == NULL || place->number == 0 ? NULL : place;
}

static enum err grow(struct conversations *conversations)
{
	struct conversations larger = { .room = conversations->room == 0 ? FIRST_ROOM : conversations->room * 2 };

	larger.places = calloc(larger.room, sizeof *larger.places);
	if (larger.places == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < conversations->room; i++)
		if (conversations->places[i].number != 0)
			*place_of(&larger, conversations->places[i].number) = conversations->places[i];
	larger.count = conversations->count;
	free(conversations->places);
	*conversations = larger;
	return OK;
}

enum err conversations_put(struct conversations *conversations, const struct conversation *moved)
{
	struct conversation *place;
	enum err err = conversations->count * 2 < conversations->room ? OK : grow(conversations);

	if (err != OK)
		return err;
	place = place_of(conversations, moved->number);
	conversations->count += place->number == 0;
	*place = *moved;
	return OK;
}

void conversations_clear(struct conversations *conversations)
{
	if (conversations->count > 0)
		memset(conversations->places, 0, conversations->room * sizeof *conversations->places);
	conversations->count = 0;
}

void conversations_fini(struct conversations *conversations)
{
	free(conversations->places);
	*conversations = (struct conversations){ 0 };
}
