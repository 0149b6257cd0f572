#include "auth/password.h"

#include <sodium.h>

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
