#include "auth/password.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define OPERATIONS crypto_pwhash_OPSLIMIT_INTERACTIVE
#define MEMORY     crypto_pwhash_MEMLIMIT_INTERACTIVE

enum err password_hash(struct arena *arena, struct text password, struct text *out)
{
	char hash[crypto_pwhash_STRBYTES];

	*out = (struct text){ 0 };
	if (crypto_pwhash_str_alg(hash, password.at, password.length, OPERATIONS, MEMORY,
				  crypto_pwhash_ALG_ARGON2ID13) != 0)
		return ERR_MEMORY;
	*out = text_copy(arena, text_of(hash));
	return out->at == NULL ? ERR_MEMORY : OK;
}

/* Of no password: salt and hash are all zero bits. */
static void make_unmatched(char out[crypto_pwhash_STRBYTES])
{
	snprintf(out, crypto_pwhash_STRBYTES,
		 "$argon2id$v=19$m=%zu,t=%llu,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
		 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		 (size_t)MEMORY / 1024, (unsigned long long)OPERATIONS);
}

bool password_verify(struct text hash, struct text password)
{
	char stored[crypto_pwhash_STRBYTES] = { 0 };
	const bool known = hash.at != NULL && hash.length < sizeof stored;

	if (known)
		memcpy(stored, hash.at, hash.length);
	else
		make_unmatched(stored);
	return crypto_pwhash_str_verify(stored, password.at, password.length) == 0 && known;
}

bool password_is_hash(struct text hash)
{
	char stored[crypto_pwhash_STRBYTES] = { 0 };

	if (hash.at == NULL || hash.length >= sizeof stored || memchr(hash.at, '\0', hash.length) != NULL)
		return false;
	memcpy(stored, hash.at, hash.length);
	return crypto_pwhash_str_needs_rehash(stored, OPERATIONS, MEMORY) == 0;
}
