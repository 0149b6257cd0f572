#include "auth/seal.h"

#include <sodium.h>

#include "auth/base64url.h"
#include "auth/tenant.h"
#include "base/size.h"
#include "store/query.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG   crypto_aead_xchacha20poly1305_ietf_ABYTES

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
	uint8_t *bytes;
	size_t size;

	*out = (struct text){ 0 };
	if (!size_add(plain.length, NONCE + TAG, &size))
		return ERR_MEMORY;
	bytes = arena_take(arena, size);
	if (bytes == NULL)
		return ERR_MEMORY;
	randombytes_buf(bytes, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + NONCE, NULL, (const uint8_t *)plain.at, plain.length,
						   (const uint8_t *)purpose.at, purpose.length, NULL, bytes,
						   key->bytes);
	return base64url_encode(arena, (struct text){ (const char *)bytes, size }, out);
}

enum err seal_open(const struct seal_key *key, struct arena *arena, struct text purpose, struct text sealed,
		   struct text *out)
{
	char *plain = arena_take(arena, sealed.length);
	unsigned long long length;
	struct text bytes;
	enum err err = base64url_decode(arena, sealed, &bytes);

	*out = (struct text){ 0 };
	if (err != OK || plain == NULL)
		return err != OK ? err : ERR_MEMORY;
	if (bytes.length < NONCE + TAG ||
	    crypto_aead_xchacha20poly1305_ietf_decrypt(
		(uint8_t *)plain, &length, NULL, (const uint8_t *)bytes.at + NONCE, bytes.length - NONCE,
		(const uint8_t *)purpose.at, purpose.length, (const uint8_t *)bytes.at, key->bytes) != 0)
		return ERR_INVALID;
	*out = (struct text){ plain, length };
	return OK;
}
