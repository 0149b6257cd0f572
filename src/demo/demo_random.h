/* Chance that can be repeated: the same seed, the same history.
 * Owner: whoever holds the struct. One thread at a time.
 * xoshiro256** by David Blackman and Sebastiano Vigna, seeded through splitmix64 as they advise (prng.di.unimi.it).
 * Never for a secret: keys and passwords come from libsodium.
 * Next: demo_script.h. */
#ifndef INNKEEPER_CLI_DEMO_RANDOM_H
#define INNKEEPER_CLI_DEMO_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "demo/demo_data.h"

struct demo_random {
	uint64_t state[4];
};

void demo_random_seed(struct demo_random *random, uint64_t seed);
uint64_t demo_random_next(struct demo_random *random);
/* From `least` to `most`, both included. The bias of the remainder is below 2^-32 for the ranges used here. */
int64_t demo_random_between(struct demo_random *random, int64_t least, int64_t most);
bool demo_random_chance(struct demo_random *random, unsigned percent);
/* An index, as often as its weight says. */
size_t demo_random_index(struct demo_random *random, const struct demo_choices *choices);
const char *demo_random_text(struct demo_random *random, const struct demo_choices *choices);
/* `digits` hexadecimal digits (at most 32) and a NUL. */
void demo_random_hex(struct demo_random *random, size_t digits, char *out);

#endif
