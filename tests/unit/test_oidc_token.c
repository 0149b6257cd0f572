#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/oidc_token.h"

#define NOW         INT64_C(1790000000000)
#define SECONDS     1790000000
#define GOOD_HEADER "{\"alg\":\"ES256\",\"kid\":\"one\"}"

/* A provider of the test's own: one key. */
struct room {
	struct arena arena;
	EVP_PKEY *key;
	struct text x;
	struct text y;
	const struct json_value *keys;
};

static struct text coordinate(struct room *room, const char *name)
{
	uint8_t bytes[32];
	BIGNUM *number = NULL;
	struct text text;

	assert_int_equal(EVP_PKEY_get_bn_param(room->key, name, &number), 1);
	assert_int_equal(BN_bn2binpad(number, bytes, sizeof bytes), sizeof bytes);
	BN_free(number);
	assert_int_equal(base64url_encode(&room->arena, (struct text){ (const char *)bytes, sizeof bytes }, &text), OK);
	return text;
}

static const struct json_value *parse(struct room *room, struct text json)
{
	const struct json_value *value;
	struct fault fault = { 0 };

	if (json_parse(json, &room->arena, &value, &fault) != OK)
		fail_msg("%s", fault.sentence);
	return value;
}

__attribute__((format(printf, 2, 3))) static struct text form(struct room *room, const char *format, ...)
{
	char text[4096];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	assert_true(length > 0 && (size_t)length < sizeof text);
	return text_copy(&room->arena, (struct text){ text, (size_t)length });
}

/* The key of the room as a set, under a name and with further members. */
static const struct json_value *set_of(struct room *room, const char *name, const char *more)
{
	return parse(
	    room, form(room,
		       "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"one\",\"k\":\"AAAA\"},{\"kty\":\"EC\",\"crv\":\"P-256\","
		       "\"kid\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s}]}",
		       name, room->x.at, room->y.at, more));
}

static int open_room(void **state)
{
	struct room *room = test_calloc(1, sizeof *room);

	json_in_init();
	arena_init(&room->arena, 1 << 22);
	room->key = EVP_EC_gen("P-256");
	assert_non_null(room->key);
	room->x = coordinate(room, OSSL_PKEY_PARAM_EC_PUB_X);
	room->y = coordinate(room, OSSL_PKEY_PARAM_EC_PUB_Y);
	room->keys = set_of(room, "one", "");
	*state = room;
	return 0;
}

static int close_room(void **state)
{
	struct room *room = *state;

	EVP_PKEY_free(room->key);
	arena_fini(&room->arena);
	test_free(room);
	return 0;
}

static struct text encode(struct room *room, struct text bytes)
{
	struct text out;

	assert_int_equal(base64url_encode(&room->arena, bytes, &out), OK);
	return out;
}

/* r and s side by side. */
static struct text sign(struct room *room, struct text message)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t der[128];
	const uint8_t *at = der;
	size_t length = sizeof der;
	uint8_t bytes[64];
	ECDSA_SIG *pair;

	assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, room->key), 1);
	assert_int_equal(EVP_DigestSign(context, der, &length, (const uint8_t *)message.at, message.length), 1);
	EVP_MD_CTX_free(context);
	pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
	assert_non_null(pair);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + 32, 32), 32);
	ECDSA_SIG_free(pair);
	return encode(room, (struct text){ (const char *)bytes, sizeof bytes });
}

static struct text unsigned_part(struct room *room, const char *header, struct text payload)
{
	return form(room, "%s.%s", encode(room, text_of(header)).at, encode(room, payload).at);
}

static struct text mint(struct room *room, const char *header, struct text payload)
{
	const struct text message = unsigned_part(room, header, payload);

	return form(room, "%s.%s", message.at, sign(room, message).at);
}

static enum err read_with(struct room *room, const struct json_value *keys, struct text token,
			  struct oidc_person *person)
{
	const struct oidc_expectation expected = {
		.issuer = TEXT("https://idp.example"), .client_id = TEXT("crm"), .nonce = TEXT("n1"), .now = NOW
	};
	const struct json_value *claims;
	struct fault fault = { 0 };
	const enum err err = oidc_token_read(token, keys, &expected, &room->arena, person, &claims, &fault);

	assert_int_equal(err == OK, claims != NULL);
	assert_int_equal(err != OK, fault.sentence[0] != '\0');
	return err;
}

static enum err read(struct room *room, struct text token)
{
	struct oidc_person person;

	return read_with(room, room->keys, token, &person);
}

/* A payload that is good but for one member, written as JSON; NULL: without it. */
static struct text payload_with(struct room *room, const char *name, const char *value)
{
	const struct {
		const char *name;
		struct text value;
	} members[] = {
		{ "iss", TEXT("\"https://idp.example\"") },
		{ "sub", TEXT("\"s1\"") },
		{ "aud", TEXT("\"crm\"") },
		{ "nonce", TEXT("\"n1\"") },
		{ "exp", form(room, "%d", SECONDS + 300) },
		{ "iat", form(room, "%d", SECONDS) },
		{ "azp", { 0 } },
		{ "nbf", { 0 } },
		{ "email", TEXT("\" Anna@Example.ORG \"") },
		{ "email_verified", TEXT("true") },
		{ "name", TEXT("\"Anna\"") },
	};
	struct buffer buffer;
	struct text out;
	bool first = true;

	buffer_init(&buffer, 65536);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		const struct text chosen = strcmp(members[i].name, name) == 0 ? text_of(value) : members[i].value;

		if (chosen.at == NULL)
			continue;
		buffer_format(&buffer, "%s\"%s\":", first ? "{" : ",", members[i].name);
		buffer_text(&buffer, chosen);
		first = false;
	}
	buffer_string(&buffer, "}");
	out = text_copy(&room->arena, (struct text){ buffer.at, buffer.length });
	buffer_fini(&buffer);
	return out;
}

static void a_good_token_names_a_person(void **state)
{
	struct room *room = *state;
	struct oidc_person person;
	const struct text token = mint(room, GOOD_HEADER, payload_with(room, "", NULL));

	assert_int_equal(read_with(room, room->keys, token, &person), OK);
	assert_true(text_equal(person.issuer, TEXT("https://idp.example")));
	assert_true(text_equal(person.subject, TEXT("s1")));
	assert_true(text_equal(person.email, TEXT("anna@example.org")));
	assert_true(text_equal(person.name, TEXT("Anna")));
}

static void claims_that_are_as_they_must_be_are_taken(void **state)
{
	struct room *room = *state;
	char subject[OIDC_SUBJECT_MAX + 3] = { 0 };
	const struct {
		const char *name;
		const char *value;
	} rows[] = {
		{ "aud", "[\"crm\"]" },    { "azp", "\"crm\"" },    { "exp", "1789999941" }, /* a minute of leeway, all
												but one second */
		{ "exp", "1790000300.5" }, { "iat", "1790000060" }, { "nbf", "1790000060" }, { "sub", subject },
		{ "name", NULL },          { "name", "7" },         { "email", NULL },
	};

	memset(subject, 's', sizeof subject - 1);
	subject[0] = subject[sizeof subject - 2] = '"';
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (read(room, mint(room, GOOD_HEADER, payload_with(room, rows[i].name, rows[i].value))) != OK)
			fail_msg("%s: %s", rows[i].name, rows[i].value);
}

static void claims_that_are_not_as_they_must_be_are_refused(void **state)
{
	struct room *room = *state;
	char subject[OIDC_SUBJECT_MAX + 4] = { 0 };
	const struct {
		const char *name;
		const char *value;
	} rows[] = {
		{ "iss", NULL },
		{ "iss", "\"https://idp.example/\"" },
		{ "iss", "\"https://IDP.example\"" },
		{ "iss", "[\"https://idp.example\"]" },
		{ "aud", NULL },
		{ "aud", "\"other\"" },
		{ "aud", "\"\"" },
		{ "aud", "[]" },
		{ "aud", "[\"other\"]" },
		{ "aud", "{\"crm\":true}" },
		{ "aud", "[\"crm\",\"other\"]" }, /* several, and none said to be the party */
		{ "azp", "\"other\"" },
		{ "exp", NULL },
		{ "exp", "1789999940" },
		{ "exp", "\"1790000300\"" },
		{ "exp", "-1" },
		{ "iat", NULL },
		{ "iat", "1790000061" },
		{ "nbf", "1790000061" },
		{ "nonce", NULL },
		{ "nonce", "\"\"" },
		{ "nonce", "\"n2\"" },
		{ "nonce", "\"n1 \"" },
		{ "nonce", "[\"n1\"]" },
		{ "sub", NULL },
		{ "sub", "\"\"" },
		{ "sub", "7" },
		{ "sub", "\"a\\u0000b\"" },
		{ "sub", subject },
	};

	memset(subject, 's', sizeof subject - 1);
	subject[0] = subject[sizeof subject - 2] = '"';
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (read(room, mint(room, GOOD_HEADER, payload_with(room, rows[i].name, rows[i].value))) != ERR_INVALID)
			fail_msg("%s: %s", rows[i].name, rows[i].value);
}

static void several_audiences_need_a_party(void **state)
{
	struct room *room = *state;
	const struct text good =
	    form(room,
		 "{\"iss\":\"https://idp.example\",\"sub\":\"s\",\"aud\":[\"other\",\"crm\"],\"azp\":\"crm\","
		 "\"nonce\":\"n1\",\"exp\":%d,\"iat\":%d}",
		 SECONDS + 1, SECONDS);

	assert_int_equal(read(room, mint(room, GOOD_HEADER, good)), OK);
}

static void an_email_counts_only_when_it_is_verified(void **state)
{
	struct room *room = *state;
	const struct {
		const char *name;
		const char *value;
	} rows[] = {
		{ "email_verified", NULL },
		{ "email_verified", "false" },
		{ "email_verified", "\"true\"" },
		{ "email_verified", "1" },
		{ "email_verified", "null" },
		{ "email", NULL },
		{ "email", "\"\"" },
		{ "email", "\"no address\"" },
		{ "email", "[\"a@b.c\"]" },
		{ "email", "\"a@b.c,d@e.f\"" },
	};
	struct oidc_person person;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct text token = mint(room, GOOD_HEADER, payload_with(room, rows[i].name, rows[i].value));

		assert_int_equal(read_with(room, room->keys, token, &person), OK);
		if (person.email.at != NULL)
			fail_msg("%s: %s", rows[i].name, rows[i].value);
	}
}

static void a_header_that_asks_for_something_else_is_refused(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\",\"kid\":\"one\"}",
		"{\"alg\":\"HS256\",\"kid\":\"one\"}",
		"{\"alg\":\"RS256\",\"kid\":\"two\"}",
		"{\"kid\":\"one\"}",
		"{\"alg\":[\"ES256\"]}",
		"{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}",
		"{\"alg\":\"ES256\",\"crit\":[]}",
		"[]",
		"{\"alg\":\"ES256\",\"alg\":\"ES256\"}",
	};
	struct room *room = *state;

	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		const enum err err = read(room, mint(room, headers[i], payload_with(room, "", NULL)));

		if (err != ERR_INVALID && err != ERR_NOT_FOUND)
			fail_msg("%s", headers[i]);
	}
	assert_int_equal(read(room, mint(room, "{\"alg\":\"ES256\"}", payload_with(room, "", NULL))), OK);
}

static void an_unsigned_token_is_refused(void **state)
{
	struct room *room = *state;
	const struct text payload = payload_with(room, "", NULL);

	assert_int_equal(read(room, form(room, "%s.", unsigned_part(room, "{\"alg\":\"none\"}", payload).at)),
			 ERR_INVALID);
	assert_int_equal(read(room, form(room, "%s.", unsigned_part(room, GOOD_HEADER, payload).at)), ERR_INVALID);
}

/* The oldest trick: the public key, which everybody has, taken for a shared secret. */
static void a_public_key_is_no_shared_secret(void **state)
{
	struct room *room = *state;
	const struct text message =
	    unsigned_part(room, "{\"alg\":\"HS256\",\"kid\":\"one\"}", payload_with(room, "", NULL));
	uint8_t mac[32];
	unsigned length;

	assert_non_null(HMAC(EVP_sha256(), room->x.at, (int)room->x.length, (const uint8_t *)message.at, message.length,
			     mac, &length));
	assert_int_equal(read(room, form(room, "%s.%s", message.at,
					 encode(room, (struct text){ (const char *)mac, sizeof mac }).at)),
			 ERR_INVALID);
}

static void a_token_of_a_key_that_is_not_there_may_have_a_newer_one(void **state)
{
	struct room *room = *state;
	const struct text token = mint(room, GOOD_HEADER, payload_with(room, "", NULL));
	struct oidc_person person;

	assert_int_equal(read_with(room, set_of(room, "two", ""), token, &person), ERR_NOT_FOUND);
	assert_int_equal(read_with(room, parse(room, TEXT("{\"keys\":[]}")), token, &person), ERR_NOT_FOUND);
	assert_int_equal(read_with(room, parse(room, TEXT("{\"keys\":{}}")), token, &person), ERR_NOT_FOUND);
	assert_int_equal(read_with(room, parse(room, TEXT("{}")), token, &person), ERR_NOT_FOUND);
	assert_int_equal(read_with(room, parse(room, TEXT("{\"keys\":[1,\"a\",null,{}]}")), token, &person),
			 ERR_NOT_FOUND);
}

static void a_key_for_something_else_signs_no_token(void **state)
{
	struct room *room = *state;
	const struct text token = mint(room, GOOD_HEADER, payload_with(room, "", NULL));
	struct oidc_person person;

	assert_int_equal(read_with(room, set_of(room, "one", ",\"use\":\"enc\""), token, &person), ERR_NOT_FOUND);
	assert_int_equal(read_with(room, set_of(room, "one", ",\"alg\":\"ES384\""), token, &person), ERR_NOT_FOUND);
	assert_int_equal(read_with(room, set_of(room, "one", ",\"use\":\"sig\",\"alg\":\"ES256\""), token, &person),
			 OK);
}

static void what_is_no_token_is_refused(void **state)
{
	struct room *room = *state;
	const struct text good = mint(room, GOOD_HEADER, payload_with(room, "", NULL));
	static const char *const texts[] = { "", ".", "..", "...", "a.b", "a.b.c", "e30.e30.e30", "e30..", ".e30.e30" };
	char *large = test_calloc(1, 70000);

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(read(room, text_of(texts[i])), ERR_INVALID);
	assert_int_equal(read(room, (struct text){ 0 }), ERR_INVALID);
	assert_int_equal(read(room, form(room, "%s.e30", good.at)), ERR_INVALID);
	assert_int_equal(read(room, form(room, " %s", good.at)), ERR_INVALID);
	for (size_t length = 0; length < good.length; length += 7)
		assert_int_equal(read(room, (struct text){ good.at, length }), ERR_INVALID);
	memset(large, '.', 70000);
	assert_int_equal(read(room, (struct text){ large, 70000 }), ERR_INVALID);
	test_free(large);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, open_room, close_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM(a_good_token_names_a_person),
		ROOM(claims_that_are_as_they_must_be_are_taken),
		ROOM(claims_that_are_not_as_they_must_be_are_refused),
		ROOM(several_audiences_need_a_party),
		ROOM(an_email_counts_only_when_it_is_verified),
		ROOM(a_header_that_asks_for_something_else_is_refused),
		ROOM(an_unsigned_token_is_refused),
		ROOM(a_public_key_is_no_shared_secret),
		ROOM(a_token_of_a_key_that_is_not_there_may_have_a_newer_one),
		ROOM(a_key_for_something_else_signs_no_token),
		ROOM(what_is_no_token_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
