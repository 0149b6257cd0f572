/* A set of keys that only grows: 8 bytes a key, its SipHash under a key of its own (Aumasson and Bernstein, 2012).
 * Owner: the caller, who calls key_set_fini. One thread.
 * Two keys are taken for one with a chance of 2^-64 for each pair.
 * Never tells which keys are in it.
 * Next: record.h. */
#ifndef INNKEEPER_LEGACY_KEY_SET_H
#define INNKEEPER_LEGACY_KEY_SET_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct key_set {
	uint64_t *slots; /* 0: free */
	size_t size;     /* a power of two, or 0 */
	size_t count;
	unsigned char secret[crypto_shorthash_KEYBYTES];
};

void key_set_init(struct key_set *set);
void key_set_fini(struct key_set *set);
/* `kind` keeps apart what may have the same key. ERR_MEMORY. */
enum err key_set_add(struct key_set *set, char kind, struct text key) WARN_UNUSED;
bool key_set_has(const struct key_set *set, char kind, struct text key);

#endif
