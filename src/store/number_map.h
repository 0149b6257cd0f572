/* Which number a row has got, by the number it had: for what refers to rows by number and moves into another house.
 * Owner: whoever made it; one thread at a time.
 * Kept in a private temporary database of SQLite's: memory is bounded however many rows there are.
 * Never outlives the process, and needs not to: a move that was interrupted begins anew.
 * Next: move/import.c. */
#ifndef INNKEEPER_STORE_NUMBER_MAP_H
#define INNKEEPER_STORE_NUMBER_MAP_H

#include <stdint.h>

#include "base/err.h"

struct number_map;

enum err number_map_new(struct number_map **out) WARN_UNUSED;
void number_map_free(struct number_map *map);

/* `kind` tells tables apart. ERR_CONFLICT: it is known already. */
enum err number_map_put(struct number_map *map, int64_t kind, int64_t from, int64_t to) WARN_UNUSED;
/* The same, whether it is known or not. */
enum err number_map_set(struct number_map *map, int64_t kind, int64_t from, int64_t to) WARN_UNUSED;
/* ERR_NOT_FOUND. */
enum err number_map_get(struct number_map *map, int64_t kind, int64_t from, int64_t *to) WARN_UNUSED;

#endif
