#include "store/search_guard.h"

#include <sodium.h>
#include <string.h>

#define HASH_BYTES 12 /* of 16: two words meet once in 2^96 */
#define TOKEN_SIZE sodium_base64_ENCODED_LEN(HASH_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)

_Static_assert(sizeof(struct uuid) == crypto_shorthash_siphashx24_KEYBYTES, "an organization's id is the key");

/* https://www.sqlite.org/fts5.html#custom_tokenizers. The instance is what it was registered with. */
static int create(void *context, const char **arguments, int count, Fts5Tokenizer **out)
{
	(void)arguments;
	(void)count;
	*out = context;
	return SQLITE_OK;
}

static void destroy(Fts5Tokenizer *tokenizer)
{
	(void)tokenizer;
}

/* SipHash-2-4, 128 bits (https://www.aumasson.jp/siphash/siphash.pdf), in letters: FTS5 keeps words as C strings. */
static void hide(const struct uuid *organization, const char *word, size_t length, char token[TOKEN_SIZE])
{
	unsigned char hash[crypto_shorthash_siphashx24_BYTES];

	crypto_shorthash_siphashx24(hash, (const unsigned char *)word, length, organization->bytes);
	sodium_bin2base64(token, TOKEN_SIZE, hash, HASH_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static int tokenize(Fts5Tokenizer *tokenizer, void *context, int flags, const char *text, int length,
		    int (*take)(void *, int, const char *, int, int, int))
{
	const struct uuid *const *organization = (const struct uuid *const *)tokenizer;
	char token[TOKEN_SIZE];
	int status = SQLITE_OK;
	int at = 0;

	(void)flags;
	while (status == SQLITE_OK && *organization != NULL && at < length) {
		const char *blank = memchr(text + at, ' ', (size_t)(length - at));
		const int end = blank == NULL ? length : (int)(blank - text);

		if (end > at) {
			hide(*organization, text + at, (size_t)(end - at), token);
			status = take(context, 0, token, TOKEN_SIZE - 1, at, end);
		}
		at = end + 1;
	}
	return status;
}

/* https://www.sqlite.org/fts5.html#extending_fts5 */
static enum err find_api(sqlite3 *sqlite, fts5_api **out)
{
	sqlite3_stmt *ask = NULL;
	int status = sqlite3_prepare_v2(sqlite, "SELECT fts5(?1)", -1, &ask, NULL);

	*out = NULL;
	if (status == SQLITE_OK)
		status = sqlite3_bind_pointer(ask, 1, out, "fts5_api_ptr", NULL);
	if (status == SQLITE_OK)
		sqlite3_step(ask);
	sqlite3_finalize(ask);
	return *out == NULL ? ERR_STORAGE : OK;
}

enum err search_guard_install(sqlite3 *sqlite, const struct uuid *const *organization)
{
	fts5_tokenizer tokenizer = { .xCreate = create, .xDelete = destroy, .xTokenize = tokenize };
	fts5_api *api;
	enum err err = find_api(sqlite, &api);

	if (err == OK && api->xCreateTokenizer(api, "ascii", (void *)organization, &tokenizer, NULL) != SQLITE_OK)
		err = ERR_STORAGE;
	return err;
}
