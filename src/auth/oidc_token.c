#include "auth/oidc_token.h"

#include <math.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/signature.h"

#define TOKEN_MAX       65536 /* bytes */
#define LEEWAY          60.0  /* seconds that two clocks may differ */
#define PERSON_NAME_MAX 200   /* bytes */
#define KEYS_MAX        100   /* of a set, looked at */

/* A token taken apart. */
struct parts {
	struct text signed_part; /* header and payload as they stand, with the dot between */
	struct text signature;   /* bytes */
	const struct json_value *header;
	const struct json_value *payload;
};

static enum err refuse(struct fault *fault, const char *reason)
{
	return fault_set(fault, ERR_INVALID, NULL, NULL, "The provider's token is refused: %s.", reason);
}

static enum err read_object(struct text part, struct arena *arena, const struct json_value **out)
{
	struct fault ignored = { 0 };
	struct text json;
	enum err err = base64url_decode(arena, part, &json);

	if (err == OK)
		err = json_parse(json, arena, out, &ignored);
	return err == OK && !json_is_object(*out) ? ERR_INVALID : err;
}

static enum err take_apart(struct text token, struct arena *arena, struct parts *out)
{
	const char *first = token.length == 0 ? NULL : memchr(token.at, '.', token.length);
	const char *last = first == NULL ? NULL : memrchr(token.at, '.', token.length);
	enum err err;

	if (token.length > TOKEN_MAX || first == NULL || last == first ||
	    memchr(first + 1, '.', (size_t)(last - first - 1)) != NULL)
		return ERR_INVALID;
	out->signed_part = (struct text){ token.at, (size_t)(last - token.at) };
	err = base64url_decode(arena, (struct text){ last + 1, token.length - out->signed_part.length - 1 },
			       &out->signature);
	if (err == OK)
		err = read_object((struct text){ token.at, (size_t)(first - token.at) }, arena, &out->header);
	if (err == OK)
		err = read_object((struct text){ first + 1, (size_t)(last - first - 1) }, arena, &out->payload);
	return err;
}

static struct signature_key key_of(const struct json_value *jwk)
{
	return (struct signature_key){ .type = json_member_text(jwk, "kty"),
				       .curve = json_member_text(jwk, "crv"),
				       .n = json_member_text(jwk, "n"),
				       .e = json_member_text(jwk, "e"),
				       .x = json_member_text(jwk, "x"),
				       .y = json_member_text(jwk, "y") };
}

/* Whether a key of the set is meant for this signature (RFC 7517, 4). */
static bool is_meant(const struct json_value *jwk, const struct signature_key *key, struct text algorithm,
		     struct text id)
{
	const struct text use = json_member_text(jwk, "use");
	const struct text own = json_member_text(jwk, "alg");

	if ((use.at != NULL && !text_equal(use, TEXT("sig"))) || (own.at != NULL && !text_equal(own, algorithm)))
		return false;
	if (id.at != NULL && !text_equal(json_member_text(jwk, "kid"), id))
		return false;
	return signature_fits(algorithm, key);
}

static bool is_taken(struct text algorithm)
{
	const struct signature_key rsa = { .type = TEXT("RSA") };
	const struct text curves[] = { TEXT("P-256"), TEXT("P-384"), TEXT("P-521") };

	for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
		if (signature_fits(algorithm, &(struct signature_key){ .type = TEXT("EC"), .curve = curves[i] }))
			return true;
	return signature_fits(algorithm, &rsa);
}

/* A token without "kid" may be any key's that fits; one with it must be of a key of that name. */
static enum err check_signature(const struct parts *parts, const struct json_value *keys, struct arena *arena,
				struct fault *fault)
{
	const struct json_value *set = json_member(keys, "keys");
	const struct text algorithm = json_member_text(parts->header, "alg");
	const struct text id = json_member_text(parts->header, "kid");
	bool any = false;

	if (!is_taken(algorithm))
		return refuse(fault, "its signature is of a kind that is not taken");
	/* RFC 7515, 4.1.11: what must be understood is not. */
	if (json_member(parts->header, "crit") != NULL)
		return refuse(fault, "it asks for an extension that is not known");
	for (size_t i = 0; i < json_count(set) && i < KEYS_MAX; i++) {
		const struct json_value *jwk = json_at(set, i);
		const struct signature_key key = key_of(jwk);

		if (!is_meant(jwk, &key, algorithm, id))
			continue;
		any = true;
		if (signature_verify(algorithm, &key, parts->signed_part, parts->signature, arena) == OK)
			return OK;
	}
	if (!any)
		return fault_set(fault, ERR_NOT_FOUND, NULL, NULL,
				 "The provider's token is refused: no key of the provider is the one that signed it.");
	return refuse(fault, "its signature is wrong");
}

struct claims {
	struct text issuer;
	struct text subject;
	struct text nonce;
	struct text party;
	double expires;
	double issued;
	double not_before;
};

#define AT(member) .offset = offsetof(struct claims, member)
static const struct json_field claim_fields[] = {
	{ .name = "iss", .kind = JSON_TEXT, .required = true, AT(issuer), .max = 4000 },
	{ .name = "sub", .kind = JSON_TEXT, .required = true, AT(subject), .max = OIDC_SUBJECT_MAX },
	{ .name = "nonce", .kind = JSON_TEXT, .required = true, AT(nonce) },
	{ .name = "azp", .kind = JSON_TEXT, AT(party), .max = 4000 },
	{ .name = "exp", .kind = JSON_NUMBER, .required = true, AT(expires) },
	{ .name = "iat", .kind = JSON_NUMBER, .required = true, AT(issued) },
	{ .name = "nbf", .kind = JSON_NUMBER, AT(not_before) },
};
#undef AT
static const struct json_shape claims_shape = JSON_SHAPE(claims, claim_fields);

/* "aud" is a text or an array of them. */
static bool is_for(const struct json_value *audience, struct text client_id, bool *several)
{
	bool found = false;

	*several = json_count(audience) > 1;
	if (!json_is_array(audience))
		return text_equal(json_text(audience), client_id);
	for (size_t i = 0; i < json_count(audience); i++)
		found = found || text_equal(json_text(json_at(audience, i)), client_id);
	return found;
}

static enum err check_claims(const struct json_value *payload, const struct oidc_expectation *expected,
			     struct arena *arena, struct claims *claims, struct fault *fault)
{
	const double now = (double)expected->now / 1000;
	bool several;
	enum err err = json_fill(payload, &claims_shape, arena, claims, fault);

	if (err != OK)
		return err;
	if (!text_equal(claims->issuer, expected->issuer))
		return refuse(fault, "it is another issuer's");
	if (!is_for(json_member(payload, "aud"), expected->client_id, &several))
		return refuse(fault, "it is meant for somebody else");
	if ((several || claims->party.at != NULL) && !text_equal(claims->party, expected->client_id))
		return refuse(fault, "it was given to somebody else");
	if (!(claims->expires + LEEWAY > now))
		return refuse(fault, "it has expired");
	if (!(claims->issued - LEEWAY <= now))
		return refuse(fault, "it was issued in the future");
	if (!isnan(claims->not_before) && claims->not_before - LEEWAY > now)
		return refuse(fault, "its time has not come");
	if (!text_equal(claims->nonce, expected->nonce))
		return refuse(fault, "it answers another question");
	return OK;
}

enum err oidc_token_describe(const struct json_value *claims, struct arena *arena, struct oidc_person *out)
{
	const struct text email = json_member_text(claims, "email");
	const struct text name = text_trim(json_member_text(claims, "name"));
	enum err err = OK;

	if (name.length > 0 && name.length <= PERSON_NAME_MAX)
		out->name = name;
	if (email.at != NULL && json_is_true(json_member(claims, "email_verified")))
		err = text_email(arena, email, &out->email);
	if (err != OK)
		out->email = (struct text){ 0 };
	return err == ERR_INVALID ? OK : err;
}

enum err oidc_token_read(struct text token, const struct json_value *keys, const struct oidc_expectation *expected,
			 struct arena *arena, struct oidc_person *out, const struct json_value **claims,
			 struct fault *fault)
{
	struct parts parts = { 0 };
	struct claims read;
	enum err err = take_apart(token, arena, &parts);

	*out = (struct oidc_person){ 0 };
	*claims = NULL;
	if (err != OK)
		return err == ERR_INVALID ? refuse(fault, "it is no signed token") : err;
	err = check_signature(&parts, keys, arena, fault);
	if (err == OK)
		err = check_claims(parts.payload, expected, arena, &read, fault);
	if (err != OK)
		return err;
	out->issuer = read.issuer;
	out->subject = read.subject;
	*claims = parts.payload;
	return oidc_token_describe(parts.payload, arena, out);
}
