#include "legacy/key_set.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 1024

void key_set_init(struct key_set *set)
{
	*set = (struct key_set){ 0 };
	randombytes_buf(set->secret, sizeof set->secret);
}

void key_set_fini(struct key_set *set)
{
	free(set->slots);
	set->slots = NULL;
}

static uint64_t hash_of(const struct key_set *set, char kind, struct text key)
{
	unsigned char secret[crypto_shorthash_KEYBYTES];
	unsigned char bytes[crypto_shorthash_BYTES];
	uint64_t hash;

	memcpy(secret, set->secret, sizeof secret);
	secret[0] ^= (unsigned char)kind;
	crypto_shorthash(bytes, (const unsigned char *)key.at, key.length, secret);
	memcpy(&hash, bytes, sizeof hash);
	return hash == 0 ? 1 : hash;
}

static uint64_t *slot_of(uint64_t *slots, size_t size, uint64_t hash)
{
	size_t at = (size_t)hash & (size - 1);

	while (slots[at] != 0 && slots[at] != hash)
		at = (at + 1) & (size - 1);
	return &slots[at];
}

static enum err grow(struct key_set *set)
{
	const size_t size = set->size == 0 ? FIRST_SIZE : set->size * 2;
	uint64_t *slots = size < set->size ? NULL : calloc(size, sizeof *slots);

	if (slots == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i] != 0)
			*slot_of(slots, size, set->slots[i]) = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->size = size;
	return OK;
}

enum err key_set_add(struct key_set *set, char kind, struct text key)
{
	const uint64_t hash = hash_of(set, kind, key);
	uint64_t *slot;

	if (set->count >= set->size / 2 && grow(set) != OK)
		return ERR_MEMORY;
	slot = slot_of(set->slots, set->size, hash);
	set->count += *slot == 0;
	*slot = hash;
	return OK;
}

bool key_set_has(const struct key_set *set, char kind, struct text key)
{
	const uint64_t hash = set->count == 0 ? 0 : hash_of(set, kind, key);

	return hash != 0 && *slot_of(set->slots, set->size, hash) != 0;
}
