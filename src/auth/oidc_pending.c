#include "auth/oidc_pending.h"

#include <sodium.h>

#include "auth/base64url.h"
#include "base/json_in.h"
#include "base/json_out.h"

#define RANDOM_BYTES 32
#define PURPOSE      TEXT("a sign-in at a provider")

#define AT(member)   .offset = offsetof(struct oidc_pending, member)
static const struct json_field fields[] = {
	{ .name = "state", .kind = JSON_TEXT, .required = true, AT(state) },
	{ .name = "nonce", .kind = JSON_TEXT, .required = true, AT(nonce) },
	{ .name = "verifier", .kind = JSON_TEXT, .required = true, AT(verifier) },
	{ .name = "return", .kind = JSON_TEXT, .required = true, AT(return_to), .max = OIDC_RETURN_MAX },
	{ .name = "expires", .kind = JSON_INT, .required = true, AT(expires_at) },
};
#undef AT
static const struct json_shape shape = JSON_SHAPE(oidc_pending, fields);

/* Browsers take a backslash for a slash and drop tabs and line ends, wherever they stand. */
bool oidc_pending_takes(struct text path)
{
	if (path.length == 0 || path.length > OIDC_RETURN_MAX || path.at[0] != '/')
		return false;
	for (size_t i = 0; i < path.length; i++) {
		const unsigned char byte = (unsigned char)path.at[i];

		if (byte <= ' ' || byte > '~' || byte == '\\')
			return false;
		if (byte == '/' && i + 1 < path.length && path.at[i + 1] == '/')
			return false;
	}
	return true;
}

static enum err make_random(struct arena *arena, struct text *out)
{
	uint8_t bytes[RANDOM_BYTES];

	randombytes_buf(bytes, sizeof bytes);
	return base64url_encode(arena, (struct text){ (const char *)bytes, sizeof bytes }, out);
}

enum err oidc_pending_make(struct arena *arena, struct text return_to, int64_t now, struct oidc_pending *out)
{
	enum err err = make_random(arena, &out->state);

	if (err == OK)
		err = make_random(arena, &out->nonce);
	if (err == OK)
		err = make_random(arena, &out->verifier);
	out->return_to = return_to;
	out->expires_at = now + OIDC_PENDING_LIFETIME;
	return err;
}

enum err oidc_pending_seal(const struct seal_key *key, struct arena *arena, const struct oidc_pending *pending,
			   struct text *out)
{
	struct buffer buffer;
	struct json_out json;
	enum err err = ERR_MEMORY;

	buffer_init(&buffer, 4096);
	json_out_init(&json, &buffer);
	json_open_object(&json);
	json_key(&json, "state");
	json_put_text(&json, pending->state);
	json_key(&json, "nonce");
	json_put_text(&json, pending->nonce);
	json_key(&json, "verifier");
	json_put_text(&json, pending->verifier);
	json_key(&json, "return");
	json_put_text(&json, pending->return_to);
	json_key(&json, "expires");
	json_put_int(&json, pending->expires_at);
	json_close_object(&json);
	if (!buffer.failed)
		err = seal_text(key, arena, PURPOSE, (struct text){ buffer.at, buffer.length }, out);
	buffer_fini(&buffer);
	return err;
}

enum err oidc_pending_open(const struct seal_key *key, struct arena *arena, struct text sealed, int64_t now,
			   struct oidc_pending *out)
{
	const struct json_value *value;
	struct fault ignored = { 0 };
	struct text json;
	enum err err = seal_open(key, arena, PURPOSE, sealed, &json);

	if (err == OK)
		err = json_parse(json, arena, &value, &ignored);
	if (err == OK)
		err = json_fill(value, &shape, arena, out, &ignored);
	if (err == OK && out->expires_at <= now)
		err = ERR_INVALID;
	return err;
}

enum err oidc_pending_challenge(struct arena *arena, const struct oidc_pending *pending, struct text *out)
{
	uint8_t hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const uint8_t *)pending->verifier.at, pending->verifier.length);
	return base64url_encode(arena, (struct text){ (const char *)hash, sizeof hash }, out);
}
