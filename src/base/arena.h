/* Memory of one request or one job: taken in blocks, never freed singly, given back at once.
 * Owner: whoever calls arena_init; one thread at a time.
 * Failure is sticky: after one NULL every further arena_take is NULL, so it may be tested once at the end.
 * Never grows past its cap: a hostile body ends here, not in the machine's memory.
 * Next: base/text.h, whose texts mostly live in an arena. */
#ifndef INNKEEPER_BASE_ARENA_H
#define INNKEEPER_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t taken;               /* bytes given out and wasted so far */
	size_t cap;                 /* bytes; beyond it arena_take fails */
	bool failed;
};

/* `cap` in bytes. Takes no memory yet. */
void arena_init(struct arena *arena, size_t cap);

/* Gives all memory back; the arena may be used again as after arena_init with the same cap. */
void arena_fini(struct arena *arena);

/* `size` zeroed bytes, aligned to 16, owned by the arena until arena_fini; NULL past the cap or when memory is out.
 * A size of 0 gives a valid pointer. */
void *arena_take(struct arena *arena, size_t size);

/* The same for `count` elements of `size` bytes, with the product checked. */
void *arena_take_many(struct arena *arena, size_t count, size_t size);

/* A copy of `length` bytes with a NUL behind it (not counted). */
char *arena_copy(struct arena *arena, const void *from, size_t length);

#endif
