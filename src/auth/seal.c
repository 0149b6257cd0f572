#include "auth/seal.h"

#include <sodium.h>
#include <string.h>

#include "auth/tenant.h"
#include "base/size.h"
#include "store/query.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define FORM  sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(sizeof((struct seal_key *)0)->bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the cipher's key");

struct loading {
	struct text name;
	struct seal_key *out;
};

/* A row that is there already stays: the key is read back in any case. */
static enum err load(struct db *db, void *context)
{
	const struct loading *loading = context;
	char hex[2 * sizeof loading->out->bytes + 1];
	struct secret_by_name_out row;
	struct arena arena;
	size_t length;
	enum err err;

	arena_init(&arena, 4096);
	randombytes_buf(loading->out->bytes, sizeof loading->out->bytes);
	text_hex(loading->out->bytes, sizeof loading->out->bytes, hex);
	err = query_run(db, STATEMENT_SECRET_CREATE,
			&(struct secret_create_in){ .name = loading->name, .value = text_of(hex) }, NULL);
	if (err == OK)
		err = query_one(db, STATEMENT_SECRET_BY_NAME, &(struct secret_by_name_in){ .name = loading->name },
				&row, &arena);
	if (err == OK && (sodium_hex2bin(loading->out->bytes, sizeof loading->out->bytes, row.value.at,
					 row.value.length, NULL, &length, NULL) != 0 ||
			  length != sizeof loading->out->bytes))
		err = ERR_STORAGE;
	sodium_memzero(hex, sizeof hex);
	arena_fini(&arena);
	return err;
}

enum err seal_key_load(struct writer *writer, const char *name, struct seal_key *out)
{
	struct loading loading = { .name = text_of(name), .out = out };

	return writer_perform(writer, tenant_system(), load, &loading);
}

enum err seal_text(const struct seal_key *key, struct arena *arena, struct text purpose, struct text plain,
		   struct text *out)
{
	size_t size;
	uint8_t *bytes;
	char *text;

	*out = (struct text){ 0 };
	if (!size_add(plain.length, NONCE + TAG, &size) || size > SIZE_MAX / 2)
		return ERR_MEMORY;
	bytes = arena_take(arena, size);
	text = arena_take(arena, sodium_base64_ENCODED_LEN(size, FORM));
	if (bytes == NULL || text == NULL)
		return ERR_MEMORY;
	randombytes_buf(bytes, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + NONCE, NULL, (const uint8_t *)plain.at, plain.length,
						   (const uint8_t *)purpose.at, purpose.length, NULL, bytes,
						   key->bytes);
	sodium_bin2base64(text, sodium_base64_ENCODED_LEN(size, FORM), bytes, size, FORM);
	*out = text_of(text);
	return OK;
}

enum err seal_open(const struct seal_key *key, struct arena *arena, struct text purpose, struct text sealed,
		   struct text *out)
{
	uint8_t *bytes = arena_take(arena, sealed.length);
	char *plain = arena_take(arena, sealed.length);
	unsigned long long plain_length;
	size_t length;

	*out = (struct text){ 0 };
	if (bytes == NULL || plain == NULL)
		return ERR_MEMORY;
	if (sealed.length == 0 ||
	    sodium_base642bin(bytes, sealed.length, sealed.at, sealed.length, NULL, &length, NULL, FORM) != 0 ||
	    length < NONCE + TAG)
		return ERR_INVALID;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)plain, &plain_length, NULL, bytes + NONCE,
						       length - NONCE, (const uint8_t *)purpose.at, purpose.length,
						       bytes, key->bytes) != 0)
		return ERR_INVALID;
	*out = (struct text){ plain, plain_length };
	return OK;
}
