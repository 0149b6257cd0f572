#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "auth/base64url.h"
#include "auth/signature.h"

/* Made by Node's crypto, whose keys were thrown away. */
#define MESSAGE TEXT("eyJhbGciOiJ4In0.e30")
/* TEXT, where only a constant will do. */
#define CONSTANT(literal)                                                                                              \
	{                                                                                                              \
		(literal), sizeof(literal) - 1                                                                         \
	}

static const struct signature_key rsa = {
	.type = CONSTANT("RSA"),
	.n = CONSTANT(
	    "tqf1FEKQb_hUz5JTqy9I6kqnqZuREvpX1HvO_NgBZ6SnOx8SO8LsywmMVSJTN75FnjwyD_Yqztmcsx9ZR8aAjv389SzhF_"
	    "Le9kumxARW0WwPIT0SYhJNVIiLyLhgTkKDT6a-U8P3ZXh9ZDLbFz68IdKyUWeQzX70H5eUkr1lObry75R6cEdcNHtrL79zfc1TMi_"
	    "0ShavmQOsQU0oGQ_XpBxJ3xOU2W2fjsexZyV6pbYCRQ0ZASS5ZswHaMCfxRUrHtenhgSV6TBndqGSZut8GXv_"
	    "vh1vxmyntH7pnbSo_3ka4n1LSZW519YBZPgfWFszwL9rkijCjG1FE17Y7t7hhw"),
	.e = CONSTANT("AQAB")
};
static const struct signature_key short_rsa = { .type = CONSTANT("RSA"),
						.n = CONSTANT(
						    "3pZa-u3eu9dU4jcBh65yCoBIesJxmGpW080f7Zq6ExVk_j2T3AGD-"
						    "oRnO08A7igqlOCDJFcL9k6fyv8XDc9HWgedUOKeTc4hs8Ev8kLLyFlB7JfJF"
						    "i2H5yXwi0c30D2uyXUNWF6GdhZjvjKjorNImCSn6GvXjZu5l5urJo4zLm0"),
						.e = CONSTANT("AQAB") };
static const struct signature_key p_256 = { .type = CONSTANT("EC"),
					    .curve = CONSTANT("P-256"),
					    .x = CONSTANT("H-vN9wBlyJCgKO717oIoZkMP83hscNvhViLdS0BU448"),
					    .y = CONSTANT("ZJ2FHdfyF_OTfHzrgeexPEzbJt2FkU7WYA7H2V4MtW8") };
static const struct signature_key p_384 = {
	.type = CONSTANT("EC"),
	.curve = CONSTANT("P-384"),
	.x = CONSTANT("jBisnEwW8sDBkI_fpg2IAkBQ60xDOv9-aMsVdaJlA6R_hir6fBIKvqRZXH567upt"),
	.y = CONSTANT("IwHN6iRfTKDbUBOk261Gooigxsq3Q0OlxVWa8mC5VUyGKNVTVFTeQgk2WEoLH76l")
};
static const struct signature_key p_521 = {
	.type = CONSTANT("EC"),
	.curve = CONSTANT("P-521"),
	.x = CONSTANT("ARiKlL6_faCtUJY4tW2Hb-LGsfZCSwa20aj2KqVd6Xv6etq6OAcEQG9G2sBil1k13b-lldq_GJxQyQ4T24ZRMrCb"),
	.y = CONSTANT("AT8Ye3w9zpklcChSTBV0xvcub0bOYlN7p3iV9daQZXxT8_FGAwmyCPgFe7VVfpD9cHLDxpAWk-8bjgbngcK1XuVS")
};
static const struct vector {
	const char *algorithm;
	const struct signature_key *key;
	const char *signature;
} vectors[] = {
	{ "RS256", &rsa,
	  "FXd7jr83eH7TE3BfjFbs1jneNgdFXztwPabJsjtZkkCGQcuOUaGU_aQSwsu5v6qMDboNIrQyVpg2Wd02M5BX59GpHyXIq-"
	  "vZjmcGZj2Z51VumO095AbndZM6QhJzHTt-bxZb7VwpgG53cRSIgIphVFpKTk32rkBsg863dYs3RIDCGUbuI_"
	  "HWwgM9Ld9GGOHgffeQR0LcOwvDuwEvd-fZ94Hj7-OtpVWU-KAxP1q3Sc-_"
	  "g3JbxpCKZ6EAbc9NbqQYQoeFP9OrwgtlHb5N9h6srSErQjwupEcYX8kWkQWCGDwrwW1wHNvuFoq8upO4MMQAdIRieIuGmBYk_"
	  "W3ucp58Vw" },
	{ "PS256", &rsa,
	  "rUyKnQpLBYVzJX3l52em_03IAjc8GDwGA-HdAQZb94by6YAWAvbfccLcdEL_00HuVoz7lPb_LA2FqxC2ZjK6kezO-wJ8T3kdh1LK0cyD-"
	  "YMqDJY-iZyrr1rF-SA2cCkqxFVcLq9kFLEwyIidUPqQBFr5l3YksuYtKlg6gxB9O-"
	  "bDd8jC1MtgD7QxBqc7vVWEQayJJLC9Xvdin64XwCo5YPyKkofyDaAA9M1CARTXDDsYuSqMw6awdVhVo-hFwGy7SYc0kU_jH7HJQFYbO9_"
	  "wRhkc0gdKiXcSwrxIH0YZhdSLyrdSdS6OMFEwH3gG0mRbnw5gBUXFeJxnM8KZplwqlw" },
	{ "RS384", &rsa,
	  "cF63h2GdAcO6OGxjm1Tws6vQRCNh-rbEv_n65oJKIC6sSmbtS9gXnA_Ejao_"
	  "czcrh0YknBsmEu2TawHZi7xzkBmtdlBApre5jdpxzYgs8m8dYqXQ0a-duN9ht_"
	  "FRenWg6eMAGi32YbjWcegowOGog5zcE7vjPn93YZ0UnJiwaR-aBendCq_pJ59MJZCWwJrcUz_FAyPG_"
	  "owSzV0KxmaJiwj1Y9B8mKQ5cEKfUCyQKQUqEGskQmq_9bgJ_0hKJsaBaLf6QXrO_bbR0W_FDoqhdYctnOEXxWvW1qZu-"
	  "u5dGgRiHN9aSJyVTFJVfKHXzNwn-Q97AGJWflgmLGcbCXzcfg" },
	{ "PS384", &rsa,
	  "lWdv98kaAjETuIunm5ianLR1WIUh58iQxlbGHZ7HfJQG63hlXePhK_3wBHnm22i6qbQZ0y17zYYAF1XEG4Sq9PUMHA7lB6sj_kJ3G_"
	  "vC3MM3DVRGHSEzfgxdlwO8pnyx2raLUSLq7nn7Yw0-_poF28JtjungM_r-3PALvvTF7KoHhacEfVtzI0R02lG1zW76WXmULM-h_"
	  "ISbo37Ewr0A2jHkFr6ir19vZ2xUtCavjcIZg0YTPgZP8Ux55utGybk9gZbGuDqCzDRbFJVmxrSmA7ZScL-"
	  "QYvmZOn6OSiImEmSveHDM5OA8H0pEzZ_kXZkLk8VetT4MlJeOOunps7PCag" },
	{ "RS512", &rsa,
	  "bTpPcRNE6O4DGwm9NyHRcVsXqqNuthoPLmzS3F30YLee4n4HFGBrLXp0vFD6bz3gCVIySHhCoB5DHvCOUcmi9-cv5de8ET5T4z-h6rxnM-"
	  "xflT8YJJ-rS1aju02lAYsPnRezYqnqXyRcKf0RlAznSngCI0TwqMcX1RtqkAk6_7F4BglR0RNqD0weusyxvUUzdK-xHBwBMusajOTM01d-"
	  "EMoN0RjPPd1u9Fcbd-gyN_xE3qLVRn8jFj7zsCKyPg0UUshTqncL30gHe3_EEzn0r0Goxx-Z7gi0-"
	  "eWsRyDhpP8WpfMXzQmNG2PVl7zaeyq5UG3iH-NiN9Tmgzx6eaYU1A" },
	{ "PS512", &rsa,
	  "VsRNFlUpxA1SW1ovJAgQOMGygHv63kYBhW8s8lBdSY30SVdkSmY43xDycokDFiYSxDUjXrRu6ThA3HTopqO2JJwRoLNyQCZ4on2oqU3ti619"
	  "cVUGQqY7qpidQ0Q-9Rom1-019FIvR1nvgdgikbJAirBrTDLKGqBcKpW-OaTRvx5A6dL8kGAPnxbAfOhJZbMXB41gBWGyTNLIku-"
	  "HaKd4z2IX0tsldKi69a1M5qZ3aSEb27tDkA4sZkpEztZGYJWaH1YTDmxfYTphevN-nMP18d50HYHwCD1vp_YCL5NC9ppdoQj1EuAFj-_"
	  "MGCyG4k830H-s4RfQgb67gC6gfiaPgg" },
	{ "ES256", &p_256, "6NYz5hwIx-iJBinUUpZfZhTGD36mRgOTGen_g3KvDbgGMMCG7tDsJu_ANoWoDpaIOyOh0YxH6T_IxYVa-pPXow" },
	{ "ES384", &p_384,
	  "3lEfiDhzfXSmoQ7b6pad8VBoqPUks-DunGzHRj-EFp1QrRwRtZs4yBlSxymVXzvxlhPyWeoEKwC6A4RIbdeAThoW6si29OENh86Z_"
	  "OXbHHjUGoIauDBi5H2KGxGHA2jP" },
	{ "ES512", &p_521,
	  "ADVFzvWUm7Yr3tbkYpBmmJU1InNelDlHHa3MLJCkjdVfhivf3-V8tda3f-YW7mv2tNPml-"
	  "FTaYzhJT0MLdFKZrR5AEDlQkXBapKagajkqUHFHIjUMRu1JRLyARLW3GGJtLssKz0RzkOpsxXhpHHI3VDdr4luHsDQUfyQFNvbChgkn-"
	  "1e" },
};
static const char short_signature[] =
    "mHs6IzL6oN1G3j6rPdhSuHqtUmRwRQ9LsEWu4-tub_22aY4IdnxyyF7-YOOis257DnDDee971ua1-BLEKI8s7iMKIVSbc7Q47_g1SlLG93Ti-"
    "mvJLbh_kw4XnsyheddjoqfQxAMdegflE2B16D4dVyaFMA0RHLJbZw30WiXZX2g";

#define VECTORS (sizeof vectors / sizeof vectors[0])

static int open_arena(void **state)
{
	struct arena *arena = test_calloc(1, sizeof *arena);

	arena_init(arena, 1 << 22);
	*state = arena;
	return 0;
}

static int close_arena(void **state)
{
	arena_fini(*state);
	test_free(*state);
	return 0;
}

static struct text bytes_of(struct arena *arena, const char *encoded)
{
	struct text bytes;

	assert_int_equal(base64url_decode(arena, text_of(encoded), &bytes), OK);
	return bytes;
}

static enum err check(struct arena *arena, const char *algorithm, const struct signature_key *key,
		      const char *signature)
{
	return signature_verify(text_of(algorithm), key, MESSAGE, bytes_of(arena, signature), arena);
}

static void every_algorithm_takes_its_signature(void **state)
{
	for (size_t i = 0; i < VECTORS; i++)
		if (check(*state, vectors[i].algorithm, vectors[i].key, vectors[i].signature) != OK)
			fail_msg("%s", vectors[i].algorithm);
}

static void a_changed_message_or_signature_is_refused(void **state)
{
	struct arena *arena = *state;

	for (size_t i = 0; i < VECTORS; i++) {
		const struct text algorithm = text_of(vectors[i].algorithm);
		const struct text good = bytes_of(arena, vectors[i].signature);
		char *copy = arena_copy(arena, good.at, good.length);

		assert_int_equal(signature_verify(algorithm, vectors[i].key, TEXT("eyJhbGciOiJ4In0.e31"), good, arena),
				 ERR_INVALID);
		assert_non_null(copy);
		for (size_t at = 0; at < good.length; at += 13) {
			copy[at] = (char)(copy[at] ^ 1);
			assert_int_equal(signature_verify(algorithm, vectors[i].key, MESSAGE,
							  (struct text){ copy, good.length }, arena),
					 ERR_INVALID);
			copy[at] = (char)(copy[at] ^ 1);
		}
		assert_int_equal(signature_verify(algorithm, vectors[i].key, MESSAGE,
						  (struct text){ good.at, good.length - 1 }, arena),
				 ERR_INVALID);
		assert_int_equal(signature_verify(algorithm, vectors[i].key, MESSAGE, (struct text){ "", 0 }, arena),
				 ERR_INVALID);
	}
}

static void no_algorithm_takes_the_signature_of_another(void **state)
{
	for (size_t i = 0; i < VECTORS; i++)
		for (size_t j = 0; j < VECTORS; j++)
			if (i != j)
				assert_int_equal(
				    check(*state, vectors[i].algorithm, vectors[j].key, vectors[j].signature),
				    ERR_INVALID);
}

static void what_is_not_asymmetric_fits_no_key(void **state)
{
	static const char *const refused[] = {
		"none", "None", "", "HS256", "HS512", "rs256", "RS1", "RS256 ", "ES256K"
	};
	const struct signature_key secret = { .type = TEXT("oct"), .n = rsa.n };

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		assert_false(signature_fits(text_of(refused[i]), &rsa));
		assert_false(signature_fits(text_of(refused[i]), &p_256));
		assert_false(signature_fits(text_of(refused[i]), &secret));
		assert_int_equal(check(*state, refused[i], &rsa, vectors[0].signature), ERR_INVALID);
	}
	assert_false(signature_fits((struct text){ 0 }, &rsa));
	assert_true(signature_fits(TEXT("RS256"), &rsa));
	assert_false(signature_fits(TEXT("RS256"), &p_256));
	assert_false(signature_fits(TEXT("ES256"), &p_384));
}

static void zeros_are_no_signature_of_a_curve(void **state)
{
	static const char zeros[64];

	assert_int_equal(signature_verify(TEXT("ES256"), &p_256, MESSAGE, (struct text){ zeros, 64 }, *state),
			 ERR_INVALID);
}

static void a_key_that_is_too_short_is_refused(void **state)
{
	assert_int_equal(check(*state, "RS256", &short_rsa, short_signature), ERR_INVALID);
}

static void a_key_that_is_none_is_refused(void **state)
{
	struct signature_key key = rsa;

	key.e = TEXT("AQ"); /* 1: every signature would be its own message */
	assert_int_equal(check(*state, "RS256", &key, vectors[0].signature), ERR_INVALID);
	key.e = TEXT("AAAA");
	assert_int_equal(check(*state, "RS256", &key, vectors[0].signature), ERR_INVALID);
	key.e = (struct text){ 0 };
	assert_int_equal(check(*state, "RS256", &key, vectors[0].signature), ERR_INVALID);
	key = rsa;
	key.n = TEXT("not base64!");
	assert_int_equal(check(*state, "RS256", &key, vectors[0].signature), ERR_INVALID);
	key = p_256;
	key.y = key.x; /* no point of the curve */
	assert_int_equal(check(*state, "ES256", &key, vectors[VECTORS - 3].signature), ERR_INVALID);
	key = p_256;
	key.x = TEXT("AA");
	assert_int_equal(check(*state, "ES256", &key, vectors[VECTORS - 3].signature), ERR_INVALID);
}

static void base64url_has_one_form_for_each_value(void **state)
{
	static const char *const refused[] = { "A", "AB", "AA=", "AA==", "A A", "AA\n", "+A", "/A", "AAB" };
	struct arena *arena = *state;
	struct text out;

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (base64url_decode(arena, text_of(refused[i]), &out) != ERR_INVALID)
			fail_msg("%s", refused[i]);
	assert_int_equal(base64url_decode(arena, (struct text){ 0 }, &out), ERR_INVALID);
	assert_int_equal(base64url_decode(arena, TEXT(""), &out), OK);
	assert_int_equal(out.length, 0);
	assert_int_equal(base64url_decode(arena, TEXT("-_8"), &out), OK);
	assert_int_equal(out.length, 2);
	assert_memory_equal(out.at, "\xfb\xff", 2);
	assert_int_equal(base64url_encode(arena, out, &out), OK);
	assert_true(text_equal(out, TEXT("-_8")));
}

#define ARENA(test) cmocka_unit_test_setup_teardown(test, open_arena, close_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA(every_algorithm_takes_its_signature),
		ARENA(a_changed_message_or_signature_is_refused),
		ARENA(no_algorithm_takes_the_signature_of_another),
		ARENA(what_is_not_asymmetric_fits_no_key),
		ARENA(zeros_are_no_signature_of_a_curve),
		ARENA(a_key_that_is_too_short_is_refused),
		ARENA(a_key_that_is_none_is_refused),
		ARENA(base64url_has_one_form_for_each_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
