#include "auth/attempts.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SETS 2048
#define WAYS 4

struct attempt {
	uint8_t address[16];
	bool taken;
	struct bucket bucket;
};

struct attempts {
	pthread_mutex_t lock;
	int64_t per_minute;
	uint8_t secret[crypto_shorthash_KEYBYTES]; /* so that nobody can choose addresses that share a set */
	struct attempt table[SETS][WAYS];
};

enum err attempts_new(struct attempts **out, int64_t per_minute)
{
	struct attempts *attempts = calloc(1, sizeof *attempts);

	*out = attempts;
	if (attempts == NULL)
		return ERR_MEMORY;
	attempts->per_minute = per_minute;
	randombytes_buf(attempts->secret, sizeof attempts->secret);
	pthread_mutex_init(&attempts->lock, NULL);
	return OK;
}

void attempts_free(struct attempts *attempts)
{
	if (attempts == NULL)
		return;
	pthread_mutex_destroy(&attempts->lock);
	free(attempts);
}

static struct attempt *find(struct attempts *attempts, const uint8_t address[16])
{
	uint8_t hash[crypto_shorthash_BYTES];
	struct attempt *set;
	struct attempt *oldest;

	crypto_shorthash(hash, address, 16, attempts->secret);
	set = attempts->table[(hash[0] | (unsigned)hash[1] << 8) % SETS];
	oldest = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].taken && memcmp(set[i].address, address, 16) == 0)
			return &set[i];
		if (!set[i].taken || (oldest->taken && set[i].bucket.touched_at < oldest->bucket.touched_at))
			oldest = &set[i];
	}
	memset(oldest, 0, sizeof *oldest);
	memcpy(oldest->address, address, 16);
	oldest->taken = true;
	return oldest;
}

struct bucket_state attempts_fail(struct attempts *attempts, const uint8_t address[16])
{
	struct bucket_state state = { .allowed = true };

	if (attempts->per_minute == 0)
		return state;
	pthread_mutex_lock(&attempts->lock);
	state = bucket_take(&find(attempts, address)->bucket, attempts->per_minute, clock_monotonic());
	pthread_mutex_unlock(&attempts->lock);
	return state;
}
