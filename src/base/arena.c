#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

#define ALIGNMENT   16
#define FIRST_BLOCK ((size_t)4 * 1024)
#define LAST_BLOCK  ((size_t)1024 * 1024) /* large enough to be mapped, and unmapped again, by itself */

struct arena_block {
	struct arena_block *next;
	size_t size; /* bytes behind the header */
	size_t used;
	alignas(ALIGNMENT) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t cap)
{
	*arena = (struct arena){ .cap = cap };
}

void arena_fini(struct arena *arena)
{
	struct arena_block *block = arena->blocks;

	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
	arena_init(arena, arena->cap);
}

static size_t room(const struct arena *arena)
{
	return arena->blocks ? arena->blocks->size - arena->blocks->used : 0;
}

static size_t next_block_size(const struct arena *arena)
{
	if (!arena->blocks)
		return FIRST_BLOCK;
	return arena->blocks->size < LAST_BLOCK / 2 ? arena->blocks->size * 2 : LAST_BLOCK;
}

/* A block for at least `size` bytes. What the arena holds, headers aside, is `taken` and the newest block's room: that
 * sum stays below the cap. */
static struct arena_block *block_new(struct arena *arena, size_t size)
{
	size_t left = arena->cap - arena->taken - room(arena);
	size_t wanted = next_block_size(arena);
	size_t bytes;

	if (size > left)
		return NULL;
	if (wanted > left)
		wanted = left & ~(size_t)(ALIGNMENT - 1);
	if (wanted < size)
		wanted = size;
	if (!size_add(wanted, sizeof(struct arena_block), &bytes))
		return NULL;
	struct arena_block *block = malloc(bytes);
	if (!block)
		return NULL;
	block->size = wanted;
	block->used = 0;
	return block;
}

static unsigned char *take_from(struct arena *arena, struct arena_block *block, size_t size)
{
	unsigned char *at = block->bytes + block->used;

	block->used += size;
	arena->taken += size;
	return at;
}

/* `size` is a multiple of the alignment. A take larger than a block gets its own, behind the newest, whose room stays
 * in use; otherwise the newest block's rest is wasted. */
static unsigned char *take_from_new_block(struct arena *arena, size_t size)
{
	bool behind = arena->blocks && size > next_block_size(arena);

	if (arena->blocks && !behind) {
		arena->taken += room(arena);
		arena->blocks->used = arena->blocks->size;
	}
	struct arena_block *block = block_new(arena, size);
	if (!block)
		return NULL;
	if (behind) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	return take_from(arena, block, size);
}

static unsigned char *take_unzeroed(struct arena *arena, size_t size)
{
	unsigned char *at = NULL;
	size_t rounded;

	if (arena->failed)
		return NULL;
	if (size_add(size ? size : 1, ALIGNMENT - 1, &rounded)) {
		rounded &= ~(size_t)(ALIGNMENT - 1);
		if (rounded <= room(arena))
			at = take_from(arena, arena->blocks, rounded);
		else
			at = take_from_new_block(arena, rounded);
	}
	if (!at)
		arena->failed = true;
	return at;
}

void *arena_take(struct arena *arena, size_t size)
{
	unsigned char *at = take_unzeroed(arena, size);

	return at ? memset(at, 0, size) : NULL;
}

void *arena_take_many(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (!size_multiply(count, size, &bytes)) {
		arena->failed = true;
		return NULL;
	}
	return arena_take(arena, bytes);
}

char *arena_copy(struct arena *arena, const void *from, size_t length)
{
	size_t with_nul;

	if (!size_add(length, 1, &with_nul)) {
		arena->failed = true;
		return NULL;
	}
	char *copy = (char *)take_unzeroed(arena, with_nul);
	if (!copy)
		return NULL;
	if (length)
		memcpy(copy, from, length);
	copy[length] = '\0';
	return copy;
}
