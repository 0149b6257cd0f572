/* Random tokens that open something by themselves: a session's cookie, an invitation's link.
 * Owner: nobody. Any thread.
 * 256 random bits in base64url; what is stored is their SHA-256 in hex, so that a stolen database opens nothing.
 * Never logged, never kept.
 * Next: session.h, joining.h. */
#ifndef INNKEEPER_AUTH_TOKEN_H
#define INNKEEPER_AUTH_TOKEN_H

#include <stdbool.h>

#include "base/text.h"

#define TOKEN_SIZE      44 /* 43 characters and a NUL */
#define TOKEN_HASH_SIZE 65

void token_make(char out[TOKEN_SIZE]);

/* false: it does not look like one, and nothing need be asked. */
bool token_is_plausible(struct text token);
bool token_hash(struct text token, char out[TOKEN_HASH_SIZE]);

#endif
