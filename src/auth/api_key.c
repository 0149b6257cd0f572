#include "auth/api_key.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/tenant.h"
#include "base/clock.h"
#include "store/query.h"

#define PREFIX        "ik_live_"
#define LEGACY_PREFIX "hmz_"
#define RANDOM_DIGITS 32
#define CHECK_DIGITS  6
#define CHAINS        4096 /* of the cache; a power of two */

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

struct entry {
	uint8_t hash[crypto_hash_sha256_BYTES];
	struct uuid key;
	struct uuid organization;
	int64_t per_minute; /* 0: no limit */
	struct bucket bucket;
	int64_t used_at;     /* ms */
	int64_t reported_at; /* the used_at that api_keys_uses told last */
	bool forgotten;      /* admits nobody until it was read again; its last use may still have to be told */
	struct entry *next;
};

struct api_keys {
	pthread_mutex_t lock;
	uint64_t generation; /* grows with every forgetting: what was read before is not put in after */
	struct entry *chains[CHAINS];
};

static void add_check(const char *key, char *out)
{
	text_base62(text_crc32(key, sizeof PREFIX - 1 + RANDOM_DIGITS), CHECK_DIGITS, out);
}

void api_key_make(char out[API_KEY_SIZE])
{
	char *at = out + sizeof PREFIX - 1;

	memcpy(out, PREFIX, sizeof PREFIX - 1);
	for (size_t i = 0; i < RANDOM_DIGITS; i++)
		*at++ = digits[randombytes_uniform(sizeof digits - 1)];
	add_check(out, at);
	at[CHECK_DIGITS] = '\0';
}

static bool is_alphanumeric(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		if (memchr(digits, text.at[i], sizeof digits - 1) == NULL)
			return false;
	return true;
}

bool api_key_is_plausible(struct text key)
{
	const size_t legacy = sizeof LEGACY_PREFIX - 1;
	char check[CHECK_DIGITS];

	if (text_starts(key, TEXT(LEGACY_PREFIX)))
		return key.length == legacy + 32 &&
		       is_alphanumeric((struct text){ key.at + legacy, key.length - legacy });
	if (key.length != API_KEY_SIZE - 1 || !text_starts(key, TEXT(PREFIX)) ||
	    !is_alphanumeric((struct text){ key.at + sizeof PREFIX - 1, key.length - (sizeof PREFIX - 1) }))
		return false;
	add_check(key.at, check);
	return memcmp(key.at + key.length - CHECK_DIGITS, check, CHECK_DIGITS) == 0;
}

void api_key_mask(struct text key, char out[API_KEY_MASKED_SIZE])
{
	const size_t prefix = text_starts(key, TEXT(PREFIX)) ? sizeof PREFIX - 1 : sizeof LEGACY_PREFIX - 1;

	snprintf(out, API_KEY_MASKED_SIZE, "%.*s...%.4s", (int)(prefix + 4), key.at, key.at + key.length - 4);
}

static void hash_key(struct text key, uint8_t out[crypto_hash_sha256_BYTES])
{
	crypto_hash_sha256(out, (const uint8_t *)key.at, key.length);
}

void api_key_hash(struct text key, char out[API_KEY_HASH_SIZE])
{
	uint8_t hash[crypto_hash_sha256_BYTES];

	hash_key(key, hash);
	text_hex(hash, sizeof hash, out);
}

enum err api_keys_new(struct api_keys **out)
{
	struct api_keys *keys = calloc(1, sizeof *keys);

	*out = keys;
	if (keys == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&keys->lock, NULL);
	return OK;
}

void api_keys_free(struct api_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < CHAINS; i++) {
		for (struct entry *entry = keys->chains[i], *next; entry != NULL; entry = next) {
			next = entry->next;
			free(entry);
		}
	}
	pthread_mutex_destroy(&keys->lock);
	free(keys);
}

static struct entry **chain_of(struct api_keys *keys, const uint8_t hash[crypto_hash_sha256_BYTES])
{
	/* The hash of a secret: nobody can choose its first bytes to any purpose. */
	return &keys->chains[(hash[0] | (unsigned)hash[1] << 8) & (CHAINS - 1)];
}

static struct entry *find(struct api_keys *keys, const uint8_t hash[crypto_hash_sha256_BYTES])
{
	for (struct entry *entry = *chain_of(keys, hash); entry != NULL; entry = entry->next)
		if (sodium_memcmp(entry->hash, hash, crypto_hash_sha256_BYTES) == 0)
			return entry;
	return NULL;
}

/* Under the lock. */
static void use(struct entry *entry, struct key_holder *out)
{
	entry->used_at = clock_now();
	out->key = entry->key;
	out->organization = entry->organization;
	out->limited = entry->per_minute > 0;
	out->rate = (struct bucket_state){ .allowed = true };
	if (out->limited)
		out->rate = bucket_take(&entry->bucket, entry->per_minute, clock_monotonic());
}

static enum err read_row(struct readers *readers, const uint8_t hash[crypto_hash_sha256_BYTES], struct entry *entry)
{
	struct api_key_by_hash_out row;
	char hex[API_KEY_HASH_SIZE];
	struct arena arena;
	struct reading reading;
	enum err err = readers_enter(readers, tenant_system(), &reading);

	if (err != OK)
		return err;
	arena_init(&arena, 4096);
	text_hex(hash, crypto_hash_sha256_BYTES, hex);
	err = query_one(reading.db, STATEMENT_API_KEY_BY_HASH, &(struct api_key_by_hash_in){ .hash = text_of(hex) },
			&row, &arena);
	if (err == OK && (row.hash.length != sizeof hex - 1 || sodium_memcmp(row.hash.at, hex, sizeof hex - 1) != 0))
		err = ERR_NOT_FOUND;
	if (err == OK) {
		memcpy(entry->hash, hash, sizeof entry->hash);
		entry->key = row.id;
		entry->organization = row.organization_id;
		entry->per_minute = row.requests_per_minute;
	}
	arena_fini(&arena);
	readers_leave(readers, &reading);
	return err == ERR_NOT_FOUND ? ERR_UNAUTHORIZED : err;
}

/* Puts a row read from the database in, unless keys were forgotten since `generation`. Takes over `entry`. */
static void put(struct api_keys *keys, struct entry *entry, uint64_t generation, struct key_holder *out)
{
	struct entry *there;

	pthread_mutex_lock(&keys->lock);
	there = find(keys, entry->hash);
	if (there != NULL && there->forgotten) {
		there->per_minute = entry->per_minute;
		there->forgotten = keys->generation != generation;
	} else if (there == NULL && keys->generation == generation) {
		struct entry **chain = chain_of(keys, entry->hash);

		entry->next = *chain;
		*chain = entry;
		there = entry;
	}
	use(there != NULL ? there : entry, out);
	if (there != entry)
		free(entry);
	pthread_mutex_unlock(&keys->lock);
}

static enum err recall(struct api_keys *keys, struct text key, uint8_t hash[crypto_hash_sha256_BYTES],
		       uint64_t *generation, struct key_holder *out)
{
	struct entry *entry;
	enum err err = ERR_NOT_FOUND;

	if (!api_key_is_plausible(key))
		return ERR_UNAUTHORIZED;
	hash_key(key, hash);
	pthread_mutex_lock(&keys->lock);
	entry = find(keys, hash);
	if (entry != NULL && !entry->forgotten) {
		use(entry, out);
		err = OK;
	}
	*generation = keys->generation;
	pthread_mutex_unlock(&keys->lock);
	return err;
}

enum err api_keys_recall(struct api_keys *keys, struct text key, struct key_holder *out)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	uint64_t generation;

	return recall(keys, key, hash, &generation, out);
}

enum err api_keys_admit(struct api_keys *keys, struct readers *readers, struct text key, struct key_holder *out)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	struct entry *entry;
	uint64_t generation;
	enum err err = recall(keys, key, hash, &generation, out);

	if (err != ERR_NOT_FOUND)
		return err;
	entry = calloc(1, sizeof *entry);
	if (entry == NULL)
		return ERR_MEMORY;
	err = read_row(readers, hash, entry);
	if (err != OK) {
		free(entry);
		return err;
	}
	put(keys, entry, generation, out);
	return OK;
}

void api_keys_forget(struct api_keys *keys, const struct uuid *organization)
{
	pthread_mutex_lock(&keys->lock);
	keys->generation++;
	for (size_t i = 0; i < CHAINS; i++)
		for (struct entry *entry = keys->chains[i]; entry != NULL; entry = entry->next)
			entry->forgotten =
			    entry->forgotten || organization == NULL || uuid_equal(&entry->organization, organization);
	pthread_mutex_unlock(&keys->lock);
}

size_t api_keys_uses(struct api_keys *keys, struct key_use *out, size_t limit)
{
	size_t count = 0;

	pthread_mutex_lock(&keys->lock);
	for (size_t i = 0; i < CHAINS; i++) {
		for (struct entry *entry = keys->chains[i]; entry != NULL && count < limit; entry = entry->next) {
			if (entry->used_at == entry->reported_at)
				continue;
			out[count++] = (struct key_use){ entry->key, entry->organization, entry->used_at };
			entry->reported_at = entry->used_at;
		}
	}
	pthread_mutex_unlock(&keys->lock);
	return count;
}
