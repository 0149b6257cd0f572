#include "auth/seal.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "auth/tenant.h"
#include "store/query.h"

#define NONCE      crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG        crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY        crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define SEALED_MAX (NONCE + SEAL_PLAIN_MAX + TAG)
#define VARIANT    sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* The secret as it is stored: 128 random bits, which are stretched into the key. */
#define SECRET "seal"

struct seal {
	uint8_t key[KEY];
};

/* Another process cannot have made it meanwhile, since there is none beside this one; if it had, its secret stays. */
static enum err store_secret(struct db *db, void *context)
{
	struct secret_create_in in = { .name = TEXT(SECRET) };

	(void)context;
	randombytes_buf(in.value.bytes, sizeof in.value.bytes);
	return query_run(db, STATEMENT_SECRET_CREATE, &in, NULL);
}

static enum err read_secret(struct readers *readers, struct uuid *out)
{
	struct secret_by_name_out row;
	struct reading reading;
	struct arena arena;
	enum err err = readers_enter(readers, tenant_system(), &reading);

	if (err != OK)
		return err;
	arena_init(&arena, 4096);
	err = query_one(reading.db, STATEMENT_SECRET_BY_NAME, &(struct secret_by_name_in){ .name = TEXT(SECRET) }, &row,
			&arena);
	readers_leave(readers, &reading);
	arena_fini(&arena);
	if (err == OK)
		*out = row.value;
	return err;
}

enum err seal_new(struct seal **out, struct readers *readers, struct writer *writer, struct fault *fault)
{
	struct seal *seal = calloc(1, sizeof *seal);
	struct uuid secret;
	enum err err;

	*out = NULL;
	if (seal == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	err = read_secret(readers, &secret);
	if (err == ERR_NOT_FOUND) {
		err = writer_perform(writer, tenant_system(), store_secret, NULL);
		if (err == OK)
			err = read_secret(readers, &secret);
	}
	if (err != OK) {
		free(seal);
		return fault_set(fault, err, NULL, NULL, "The database's secret could not be read or made.");
	}
	(void)crypto_generichash(seal->key, sizeof seal->key, (const uint8_t *)SECRET, sizeof SECRET - 1, secret.bytes,
				 sizeof secret.bytes);
	sodium_memzero(&secret, sizeof secret);
	*out = seal;
	return OK;
}

void seal_free(struct seal *seal)
{
	if (seal == NULL)
		return;
	sodium_memzero(seal, sizeof *seal);
	free(seal);
}

/* The bond in 32 bytes: each part is of fixed length, ends with a NUL that cannot stand in it, or comes last. */
static void digest(const struct seal_bond *bond, uint8_t out[crypto_generichash_BYTES])
{
	static const struct uuid none = { { 0 } };
	const struct uuid *organization = bond->organization == NULL ? &none : bond->organization;
	crypto_generichash_state state;

	(void)crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES);
	(void)crypto_generichash_update(&state, (const uint8_t *)bond->purpose, strlen(bond->purpose) + 1);
	(void)crypto_generichash_update(&state, organization->bytes, sizeof organization->bytes);
	(void)crypto_generichash_update(&state, (const uint8_t *)bond->place.at, bond->place.length);
	(void)crypto_generichash_final(&state, out, crypto_generichash_BYTES);
}

struct text seal_close(const struct seal *seal, const struct seal_bond *bond, const void *plain, size_t length,
		       struct arena *arena)
{
	uint8_t about[crypto_generichash_BYTES];
	uint8_t sealed[SEALED_MAX];
	char text[sodium_base64_ENCODED_LEN(SEALED_MAX, VARIANT)];
	unsigned long long size = 0;

	assert(length <= SEAL_PLAIN_MAX);
	digest(bond, about);
	randombytes_buf(sealed, NONCE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE, &size, plain, length, about, sizeof about,
							 NULL, sealed, seal->key);
	(void)sodium_bin2base64(text, sizeof text, sealed, NONCE + (size_t)size, VARIANT);
	return text_copy(arena, text_of(text));
}

enum err seal_open(const struct seal *seal, const struct seal_bond *bond, struct text sealed, void *plain,
		   size_t length)
{
	uint8_t about[crypto_generichash_BYTES];
	uint8_t bytes[SEALED_MAX];
	uint8_t opened[SEAL_PLAIN_MAX];
	size_t count = 0;
	unsigned long long size = 0;

	assert(length <= SEAL_PLAIN_MAX);
	if (sealed.at == NULL ||
	    sodium_base642bin(bytes, sizeof bytes, sealed.at, sealed.length, NULL, &count, NULL, VARIANT) != 0)
		return ERR_INVALID;
	if (count != NONCE + length + TAG)
		return ERR_INVALID;
	digest(bond, about);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(opened, &size, NULL, bytes + NONCE, count - NONCE, about,
						       sizeof about, bytes, seal->key) != 0)
		return ERR_INVALID;
	memcpy(plain, opened, length);
	return OK;
}
