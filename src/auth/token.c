#include "auth/token.h"

#include <sodium.h>

#define TOKEN_BYTES 32

void token_make(char out[TOKEN_SIZE])
{
	uint8_t random[TOKEN_BYTES];

	randombytes_buf(random, sizeof random);
	sodium_bin2base64(out, TOKEN_SIZE, random, sizeof random, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(random, sizeof random);
}

static bool is_of_token(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       byte == '-' || byte == '_';
}

bool token_is_plausible(struct text token)
{
	if (token.at == NULL || token.length != TOKEN_SIZE - 1)
		return false;
	for (size_t i = 0; i < token.length; i++)
		if (!is_of_token(token.at[i]))
			return false;
	return true;
}

bool token_hash(struct text token, char out[TOKEN_HASH_SIZE])
{
	uint8_t hash[crypto_hash_sha256_BYTES];

	if (!token_is_plausible(token))
		return false;
	crypto_hash_sha256(hash, (const unsigned char *)token.at, token.length);
	text_hex(hash, sizeof hash, out);
	return true;
}
