#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "auth/password.h"

static void a_hash_is_argon2id_and_knows_its_password(void **state)
{
	static const char password[] = "correct horse\0battery";
	const struct text whole = { password, sizeof password - 1 };
	struct arena arena;
	struct text hash;

	(void)state;
	arena_init(&arena, 1 << 16);
	assert_int_equal(password_hash(&arena, whole, &hash), OK);
	assert_true(text_starts(hash, TEXT("$argon2id$v=19$m=65536,t=2,p=1$")));
	assert_int_equal(hash.at[hash.length], '\0');
	assert_int_equal(crypto_pwhash_str_verify(hash.at, password, sizeof password - 1), 0);
	/* All of it counts, past a NUL too. */
	assert_int_not_equal(crypto_pwhash_str_verify(hash.at, password, strlen(password)), 0);
	assert_null(memmem(hash.at, hash.length, "correct", 7));
	arena_fini(&arena);
}

static void the_same_password_never_has_the_same_hash(void **state)
{
	struct arena arena;
	struct text first;
	struct text second;

	(void)state;
	arena_init(&arena, 1 << 16);
	assert_int_equal(password_hash(&arena, TEXT("longenough"), &first), OK);
	assert_int_equal(password_hash(&arena, TEXT("longenough"), &second), OK);
	assert_false(text_equal(first, second));
	arena_fini(&arena);
}

static void the_longest_password_is_hashed_to_its_last_byte(void **state)
{
	static char password[PASSWORD_MAX];
	struct arena arena;
	struct text hash;

	(void)state;
	memset(password, 'x', sizeof password);
	arena_init(&arena, 1 << 16);
	assert_int_equal(password_hash(&arena, (struct text){ password, sizeof password }, &hash), OK);
	assert_int_equal(crypto_pwhash_str_verify(hash.at, password, sizeof password), 0);
	password[sizeof password - 1] = 'y';
	assert_int_not_equal(crypto_pwhash_str_verify(hash.at, password, sizeof password), 0);
	arena_fini(&arena);
}

static void without_memory_there_is_no_hash(void **state)
{
	struct arena arena;
	struct text hash;

	(void)state;
	arena_init(&arena, 64);
	assert_int_equal(password_hash(&arena, TEXT("longenough"), &hash), ERR_MEMORY);
	assert_null(hash.at);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_is_argon2id_and_knows_its_password),
		cmocka_unit_test(the_same_password_never_has_the_same_hash),
		cmocka_unit_test(the_longest_password_is_hashed_to_its_last_byte),
		cmocka_unit_test(without_memory_there_is_no_hash),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
