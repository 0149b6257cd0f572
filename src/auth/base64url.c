#include "auth/base64url.h"

#include <sodium.h>

#define FORM sodium_base64_VARIANT_URLSAFE_NO_PADDING

enum err base64url_encode(struct arena *arena, struct text bytes, struct text *out)
{
	char *text;

	*out = (struct text){ 0 };
	if (bytes.length > SIZE_MAX / 2)
		return ERR_MEMORY;
	text = arena_take(arena, sodium_base64_ENCODED_LEN(bytes.length, FORM));
	if (text == NULL)
		return ERR_MEMORY;
	sodium_bin2base64(text, sodium_base64_ENCODED_LEN(bytes.length, FORM), (const uint8_t *)bytes.at, bytes.length,
			  FORM);
	*out = text_of(text);
	return OK;
}

enum err base64url_decode(struct arena *arena, struct text text, struct text *out)
{
	uint8_t *bytes;
	size_t length;

	*out = (struct text){ 0 };
	if (text.at == NULL)
		return ERR_INVALID;
	bytes = arena_take(arena, text.length);
	if (bytes == NULL)
		return ERR_MEMORY;
	if (sodium_base642bin(bytes, text.length, text.at, text.length, NULL, &length, NULL, FORM) != 0)
		return ERR_INVALID;
	*out = (struct text){ (const char *)bytes, length };
	return OK;
}
