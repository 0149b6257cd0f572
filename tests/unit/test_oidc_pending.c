#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "auth/oidc_pending.h"
#include "auth/oidc_web.h"
#include "base/json_in.h"

struct room {
	struct arena arena;
	struct seal_key key;
};

static int open_room(void **state)
{
	struct room *room = test_calloc(1, sizeof *room);

	assert_true(sodium_init() >= 0);
	json_in_init();
	arena_init(&room->arena, 1 << 20);
	randombytes_buf(room->key.bytes, sizeof room->key.bytes);
	*state = room;
	return 0;
}

static int close_room(void **state)
{
	struct room *room = *state;

	arena_fini(&room->arena);
	test_free(room);
	return 0;
}

static void a_pending_sign_in_comes_back_within_its_time(void **state)
{
	struct room *room = *state;
	struct oidc_pending made;
	struct oidc_pending back;
	struct text sealed;

	assert_int_equal(oidc_pending_make(&room->arena, TEXT("/chats?q=\"%22"), 1000, &made), OK);
	assert_int_equal(oidc_pending_seal(&room->key, &room->arena, &made, &sealed), OK);
	assert_int_equal(oidc_pending_open(&room->key, &room->arena, sealed, 1000 + OIDC_PENDING_LIFETIME - 1, &back),
			 OK);
	assert_true(text_equal(back.state, made.state));
	assert_true(text_equal(back.nonce, made.nonce));
	assert_true(text_equal(back.verifier, made.verifier));
	assert_true(text_equal(back.return_to, made.return_to));
	assert_int_equal(back.expires_at, made.expires_at);
	assert_int_equal(oidc_pending_open(&room->key, &room->arena, sealed, 1000 + OIDC_PENDING_LIFETIME, &back),
			 ERR_INVALID);
	room->key.bytes[0] ^= 1;
	assert_int_equal(oidc_pending_open(&room->key, &room->arena, sealed, 1000, &back), ERR_INVALID);
}

static void the_longest_return_path_still_fits_a_cookie(void **state)
{
	struct room *room = *state;
	char path[OIDC_RETURN_MAX];
	struct oidc_pending made;
	struct text sealed;

	memset(path, '"', sizeof path); /* escaped in JSON */
	path[0] = '/';
	assert_true(oidc_pending_takes((struct text){ path, sizeof path }));
	assert_int_equal(oidc_pending_make(&room->arena, (struct text){ path, sizeof path }, 1, &made), OK);
	assert_int_equal(oidc_pending_seal(&room->key, &room->arena, &made, &sealed), OK);
	assert_true(sealed.length < 4000);
}

static void nothing_is_random_twice(void **state)
{
	struct room *room = *state;
	struct oidc_pending one;
	struct oidc_pending two;

	assert_int_equal(oidc_pending_make(&room->arena, TEXT("/"), 1, &one), OK);
	assert_int_equal(oidc_pending_make(&room->arena, TEXT("/"), 1, &two), OK);
	assert_false(text_equal(one.state, two.state));
	assert_false(text_equal(one.nonce, two.nonce));
	assert_false(text_equal(one.verifier, two.verifier));
	assert_false(text_equal(one.state, one.nonce));
	assert_int_equal(one.verifier.length, 43); /* RFC 7636, 4.1: at least that */
}

static void the_challenge_is_the_one_of_the_rfc(void **state)
{
	struct room *room = *state;
	const struct oidc_pending pending = { .verifier = TEXT("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") };
	struct text challenge;

	assert_int_equal(oidc_pending_challenge(&room->arena, &pending, &challenge), OK);
	assert_true(text_equal(challenge, TEXT("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"))); /* RFC 7636, B */
}

static void only_a_path_of_ours_is_returned_to(void **state)
{
	static const char *const taken[] = { "/", "/chats", "/chats?q=a&b=%2F", "/a/b/", "/a?x=@b.c:80", "/.", "/#x" };
	static const char *const refused[] = {
		"",
		"chats",
		"//evil.example",
		"/\\evil.example",
		"\\\\evil.example",
		"https://evil.example",
		"/a//b",
		"/a\\b",
		"/\t/evil",
		"/\n/evil",
		"/a\r\nX: y",
		"/a b",
		"/\x7f",
		"/\xc3\xa4",
		"///",
		" /a",
		"javascript:x",
		"/a?x=//b",
	};
	char path[OIDC_RETURN_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
		if (!oidc_pending_takes(text_of(taken[i])))
			fail_msg("%s", taken[i]);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (oidc_pending_takes(text_of(refused[i])))
			fail_msg("%s", refused[i]);
	assert_false(oidc_pending_takes((struct text){ 0 }));
	assert_false(oidc_pending_takes((struct text){ "/\0a", 3 }));
	memset(path, 'a', sizeof path);
	path[0] = '/';
	assert_false(oidc_pending_takes((struct text){ path, sizeof path }));
}

static void plain_http_leads_to_this_machine_alone(void **state)
{
	static const struct {
		const char *address;
		enum oidc_web_place place;
	} rows[] = {
		{ "https://accounts.example.org", OIDC_WEB_ELSEWHERE },
		{ "https://127.0.0.1:1/x", OIDC_WEB_ELSEWHERE },
		{ "http://127.0.0.1:8080/x", OIDC_WEB_HERE },
		{ "http://127.255.0.9", OIDC_WEB_HERE },
		{ "http://localhost:1", OIDC_WEB_HERE },
		{ "http://[::1]:8080", OIDC_WEB_HERE },
		{ "http://accounts.example.org", OIDC_WEB_NOWHERE },
		{ "http://127.0.0.1.example.org", OIDC_WEB_NOWHERE },
		{ "http://127.example.org", OIDC_WEB_NOWHERE },
		{ "http://localhost.example.org", OIDC_WEB_NOWHERE },
		{ "http://10.0.0.1", OIDC_WEB_NOWHERE },
		{ "http://169.254.169.254/", OIDC_WEB_NOWHERE },
		{ "http://127.0.0.1@example.org", OIDC_WEB_NOWHERE },
		{ "https://user:word@example.org", OIDC_WEB_NOWHERE },
		{ "https://example.org/#part", OIDC_WEB_NOWHERE },
		{ "https://example.org\\@127.0.0.1", OIDC_WEB_NOWHERE },
		{ "file:///etc/passwd", OIDC_WEB_NOWHERE },
		{ "ftp://127.0.0.1", OIDC_WEB_NOWHERE },
		{ "gopher://127.0.0.1", OIDC_WEB_NOWHERE },
		{ "accounts.example.org", OIDC_WEB_NOWHERE },
		{ "https://", OIDC_WEB_NOWHERE },
		{ "", OIDC_WEB_NOWHERE },
		{ "https://exa mple.org", OIDC_WEB_NOWHERE },
		{ "https://example.org/\r\nX: y", OIDC_WEB_NOWHERE },
	};
	struct room *room = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (oidc_web_place(text_of(rows[i].address), &room->arena) != rows[i].place)
			fail_msg("%s", rows[i].address);
	assert_int_equal(oidc_web_place((struct text){ "https://a\0.example", 18 }, &room->arena), OIDC_WEB_NOWHERE);
	assert_int_equal(oidc_web_place((struct text){ 0 }, &room->arena), OIDC_WEB_NOWHERE);
}

static void a_pair_holds_any_bytes(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 1000);
	oidc_web_pair(&buffer, "a", TEXT("x y&z=+%\xc3\xa4"));
	oidc_web_pair(&buffer, "b", (struct text){ "\0\n", 2 });
	assert_true(text_equal((struct text){ buffer.at, buffer.length }, TEXT("a=x%20y%26z%3D%2B%25%C3%A4&b=%00%0A")));
	buffer_fini(&buffer);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, open_room, close_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM(a_pending_sign_in_comes_back_within_its_time),
		ROOM(the_longest_return_path_still_fits_a_cookie),
		ROOM(nothing_is_random_twice),
		ROOM(the_challenge_is_the_one_of_the_rfc),
		ROOM(only_a_path_of_ours_is_returned_to),
		ROOM(plain_http_leads_to_this_machine_alone),
		ROOM(a_pair_holds_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
