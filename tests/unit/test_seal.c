#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "auth/seal.h"
#include "fixture.h"

struct room {
	struct arena arena;
	struct seal_key key;
};

static int open_room(void **state)
{
	struct room *room = test_calloc(1, sizeof *room);

	assert_true(sodium_init() >= 0);
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

static struct text sealed(struct room *room, struct text purpose, struct text plain)
{
	struct text out;

	assert_int_equal(seal_text(&room->key, &room->arena, purpose, plain, &out), OK);
	return out;
}

static void what_was_sealed_comes_back(void **state)
{
	struct room *room = *state;
	static const char plain[] = "a\0b and some more \xc3\xa4";
	const struct text texts[] = { TEXT(""), TEXT("x"), TEXT("two"), { plain, sizeof plain } };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const struct text seal = sealed(room, TEXT("purpose"), texts[i]);
		struct text out;

		assert_int_equal(seal_open(&room->key, &room->arena, TEXT("purpose"), seal, &out), OK);
		assert_int_equal(out.length, texts[i].length);
		assert_memory_equal(out.at, texts[i].at, texts[i].length);
	}
}

static void a_seal_needs_no_escaping_in_an_address_or_a_cookie(void **state)
{
	struct room *room = *state;

	for (int i = 0; i < 200; i++) {
		const struct text seal = sealed(room, TEXT("p"), TEXT("0123456789"));

		for (size_t at = 0; at < seal.length; at++)
			assert_non_null(
			    strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", seal.at[at]));
	}
}

static void the_same_text_is_never_sealed_alike(void **state)
{
	struct room *room = *state;

	assert_false(text_equal(sealed(room, TEXT("p"), TEXT("text")), sealed(room, TEXT("p"), TEXT("text"))));
}

static void a_seal_opens_for_its_own_purpose_and_key_alone(void **state)
{
	struct room *room = *state;
	const struct text seal = sealed(room, TEXT("cursor a"), TEXT("text"));
	struct seal_key other = room->key;
	struct text out;

	assert_int_equal(seal_open(&room->key, &room->arena, TEXT("cursor b"), seal, &out), ERR_INVALID);
	assert_int_equal(seal_open(&room->key, &room->arena, TEXT("cursor "), seal, &out), ERR_INVALID);
	assert_int_equal(seal_open(&room->key, &room->arena, TEXT(""), seal, &out), ERR_INVALID);
	other.bytes[31] ^= 1;
	assert_int_equal(seal_open(&other, &room->arena, TEXT("cursor a"), seal, &out), ERR_INVALID);
	assert_null(out.at);
	assert_int_equal(seal_open(&room->key, &room->arena, TEXT("cursor a"), seal, &out), OK);
}

static void a_changed_cut_or_prolonged_seal_is_refused(void **state)
{
	struct room *room = *state;
	const struct text seal = sealed(room, TEXT("p"), TEXT("text"));
	char *copy = arena_take(&room->arena, seal.length + 2);
	struct text out;

	assert_non_null(copy);
	for (size_t i = 0; i < seal.length; i++) {
		memcpy(copy, seal.at, seal.length);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_equal(
		    seal_open(&room->key, &room->arena, TEXT("p"), (struct text){ copy, seal.length }, &out),
		    ERR_INVALID);
		assert_int_equal(seal_open(&room->key, &room->arena, TEXT("p"), (struct text){ seal.at, i }, &out),
				 ERR_INVALID);
	}
	memcpy(copy, seal.at, seal.length);
	for (const char *tail = "A=. "; *tail != '\0'; tail++) {
		copy[seal.length] = *tail;
		assert_int_equal(
		    seal_open(&room->key, &room->arena, TEXT("p"), (struct text){ copy, seal.length + 1 }, &out),
		    ERR_INVALID);
	}
	assert_int_equal(seal_open(&room->key, &room->arena, TEXT("p"), (struct text){ 0 }, &out), ERR_INVALID);
}

static void an_arena_that_is_out_is_said(void **state)
{
	struct room *room = *state;
	const struct text seal = sealed(room, TEXT("p"), TEXT("text"));
	struct arena small;
	struct text out;

	arena_init(&small, 16);
	assert_int_equal(seal_text(&room->key, &small, TEXT("p"), TEXT("text"), &out), ERR_MEMORY);
	arena_fini(&small);
	arena_init(&small, 16);
	assert_int_equal(seal_open(&room->key, &small, TEXT("p"), seal, &out), ERR_MEMORY);
	arena_fini(&small);
}

static void the_key_is_the_databases_and_outlives_the_process(void **state)
{
	struct fixture fixture;
	struct seal_key keys[3];
	struct fault fault = { 0 };
	sqlite3 *plain;

	(void)state;
	fixture_open(&fixture);
	plain = fixture_plain(&fixture);
	for (size_t i = 0; i < 2; i++) {
		const struct writer_options options = {
			.url = fixture.url,
			.queue_limit = 8,
			.batch_limit = 8,
			.log = &fixture.log,
			.metrics = fixture.metrics,
		};
		struct writer *writer;

		assert_int_equal(writer_start(&writer, &options, &fault), OK);
		assert_int_equal(seal_key_load(writer, "seal", &keys[i]), OK);
		assert_int_equal(seal_key_load(writer, "another", &keys[2]), OK);
		assert_memory_not_equal(keys[i].bytes, keys[2].bytes, sizeof keys[2].bytes);
		writer_free(writer);
	}
	assert_memory_equal(keys[0].bytes, keys[1].bytes, sizeof keys[0].bytes);
	assert_false(sodium_is_zero(keys[0].bytes, sizeof keys[0].bytes));
	assert_int_equal(fixture_number(plain, "SELECT count(*) FROM secrets"), 2);
	assert_int_equal(sqlite3_close(plain), SQLITE_OK);
	fixture_close(&fixture);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, open_room, close_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM(what_was_sealed_comes_back),
		ROOM(a_seal_needs_no_escaping_in_an_address_or_a_cookie),
		ROOM(the_same_text_is_never_sealed_alike),
		ROOM(a_seal_opens_for_its_own_purpose_and_key_alone),
		ROOM(a_changed_cut_or_prolonged_seal_is_refused),
		ROOM(an_arena_that_is_out_is_said),
		cmocka_unit_test(the_key_is_the_databases_and_outlives_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
