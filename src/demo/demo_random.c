#include "demo/demo_random.h"

#include <assert.h>

static uint64_t rotate(uint64_t value, int by)
{
	return (value << by) | (value >> (64 - by));
}

static uint64_t splitmix(uint64_t *state)
{
	uint64_t value = *state += 0x9e3779b97f4a7c15U;

	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
	return value ^ (value >> 31);
}

void demo_random_seed(struct demo_random *random, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		random->state[i] = splitmix(&seed);
}

uint64_t demo_random_next(struct demo_random *random)
{
	uint64_t *state = random->state;
	const uint64_t result = rotate(state[1] * 5, 7) * 9;
	const uint64_t shifted = state[1] << 17;

	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= shifted;
	state[3] = rotate(state[3], 45);
	return result;
}

int64_t demo_random_between(struct demo_random *random, int64_t least, int64_t most)
{
	return least + (int64_t)(demo_random_next(random) % (uint64_t)(most - least + 1));
}

bool demo_random_chance(struct demo_random *random, unsigned percent)
{
	return demo_random_next(random) % 100 < percent;
}

size_t demo_random_index(struct demo_random *random, const struct demo_choices *choices)
{
	uint64_t total = 0;
	uint64_t drawn;
	size_t i = 0;

	for (size_t each = 0; each < choices->count; each++)
		total += choices->at[each].weight;
	assert(total > 0);
	drawn = demo_random_next(random) % total;
	while (drawn >= choices->at[i].weight)
		drawn -= choices->at[i++].weight;
	return i;
}

const char *demo_random_text(struct demo_random *random, const struct demo_choices *choices)
{
	return choices->at[demo_random_index(random, choices)].text;
}

void demo_random_hex(struct demo_random *random, size_t digits, char *out)
{
	static const char hex[] = "0123456789abcdef";
	uint64_t bits = 0;

	for (size_t i = 0; i < digits; i++) {
		if (i % 16 == 0)
			bits = demo_random_next(random);
		out[i] = hex[bits & 15];
		bits >>= 4;
	}
	out[digits] = '\0';
}
