#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "search/words.h"

static struct arena arena;

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static const char *document(struct text text)
{
	struct buffer words;
	struct text copy;

	buffer_init(&words, 64 << 20);
	assert_int_equal(words_of_document(text, &arena, &words), OK);
	copy = text_copy(&arena, (struct text){ words.length == 0 ? "" : words.at, words.length });
	buffer_fini(&words);
	assert_non_null(copy.at);
	return copy.at;
}

static const char *query(const char *text)
{
	struct text expression;

	assert_int_equal(words_of_query(text_of(text), &arena, &expression), OK);
	return expression.at;
}

static void a_word_stands_with_its_beginnings(void **state)
{
	(void)state;
	assert_string_equal(document(TEXT("Hotel a 42")), " =hotel ^ho ^hot ^hote =a =42");
	assert_string_equal(document(TEXT("extraordinarily")),
			    " =extraordinarily ^ex ^ext ^extr ^extra ^extrao ^extraor ^extraord ^extraordi ^extraordin "
			    "^extraordina ^extraordinar");
	assert_string_equal(document(TEXT("")), "");
	assert_string_equal(document(TEXT(" \t\r\n ")), "");
}

static void signs_are_words_by_themselves(void **state)
{
	(void)state;
	assert_string_equal(document(TEXT("C++ 5%_\"*")), " =c =+ =+ =5 =% =_ =\" =*");
	assert_string_equal(document(TEXT("a-b")), " =a =- =b");
	assert_string_equal(document(TEXT("\xF0\x9F\x8F\x96")), " =\xF0\x9F\x8F\x96");
}

static void case_accents_and_spellings_make_no_difference(void **state)
{
	(void)state;
	assert_string_equal(document(TEXT("Caf\xC3\xA9")), document(TEXT("CAFE")));
	assert_string_equal(document(TEXT("Cafe\xCC\x81")), document(TEXT("cafe")));
	assert_string_equal(document(TEXT("STRASSE")), document(TEXT("stra\xC3\x9F"
								     "e")));
	assert_string_equal(document(TEXT("\xEF\xBC\xA1\xEF\xBC\xA2")), document(TEXT("ab"))); /* full width */
	assert_string_equal(document(TEXT("\xEF\xAC\x81sh")), document(TEXT("fish")));         /* a ligature */
	assert_string_equal(document(TEXT("\xCE\xAC\xCE\xBB\xCF\x86\xCE\xB1")),
			    document(TEXT("\xCE\xB1\xCE\xBB\xCF\x86\xCE\xB1")));
}

static void scripts_without_blanks_are_searched_by_character(void **state)
{
	(void)state;
	assert_string_equal(document(TEXT("\xE6\xB5\xB7\xE8\xBE\xBA")), " =\xE6\xB5\xB7 =\xE8\xBE\xBA");
	/* A mark that is half of a letter stays with it. */
	assert_string_equal(document(TEXT("\xE3\x81\x8B\xE3\x82\x99")), " =\xE3\x81\x8C");
}

static void a_question_is_of_words_alone(void **state)
{
	(void)state;
	assert_string_equal(query("Beach hot"), "\"=beach\" AND (\"=hot\" OR \"^hot\")");
	assert_string_equal(query("x"), "\"=x\"");
	assert_string_equal(query("extraordinarily"), "\"=extraordinarily\"");
	assert_string_equal(query("a AND \"b\" OR NEAR(c*)"),
			    "\"=a\" AND \"=and\" AND \"=\"\"\" AND \"=b\" AND \"=\"\"\" AND \"=or\" AND \"=near\" AND "
			    "\"=(\" AND \"=c\" AND \"=*\" AND \"=)\"");
	assert_string_equal(query("%"), "\"=%\"");
	assert_string_equal(query("^x"), "\"=^\" AND \"=x\"");
	assert_null(query(""));
	assert_null(query("  \t "));
	assert_null(query("\xC2\xA0\xE2\x80\x8B")); /* a blank and one of no width */
}

static void too_many_words_are_refused(void **state)
{
	char text[2 * (WORDS_OF_QUERY + 1) + 1];
	struct text expression;

	(void)state;
	memset(text, 0, sizeof text);
	for (size_t i = 0; i < WORDS_OF_QUERY; i++)
		memcpy(text + 2 * i, "a ", 2);
	assert_non_null(query(text));
	text[(size_t)2 * WORDS_OF_QUERY] = 'a';
	assert_int_equal(words_of_query(text_of(text), &arena, &expression), ERR_TOO_LARGE);
}

static void a_long_word_is_cut_alike_in_text_and_question(void **state)
{
	char word[201];
	char *found;

	(void)state;
	memset(word, 'x', 200);
	word[200] = '\0';
	found = strstr(document(text_of(word)), "=x");
	assert_int_equal(strcspn(found, " "), 65);
	assert_memory_equal(query(word) + 1, found, 65);
}

static void a_text_of_any_length_ends(void **state)
{
	static const size_t length = 1 << 20;
	char *text = malloc(length);
	const char *words;
	size_t count = 0;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < length; i++)
		text[i] = i % 2 == 0 ? 'a' : ' ';
	words = document((struct text){ text, length });
	for (const char *at = words; *at != '\0'; at++)
		count += *at == '=';
	assert_int_equal(count, WORDS_OF_DOCUMENT);
	free(text);
}

static void out_of_memory_is_told(void **state)
{
	struct arena small;
	struct buffer words;
	struct text expression;

	(void)state;
	arena_init(&small, 8);
	buffer_init(&words, 1024);
	assert_int_equal(words_of_document(TEXT("a word"), &small, &words), ERR_MEMORY);
	arena_fini(&small);
	assert_int_equal(words_of_query(TEXT("caf\xC3\xA9 word"), &small, &expression), ERR_MEMORY);
	arena_fini(&small);
	buffer_fini(&words);
	buffer_init(&words, 4);
	assert_int_equal(words_of_document(TEXT("a word"), &arena, &words), ERR_MEMORY);
	buffer_fini(&words);
}

/* Marks of two classes in the wrong order: sorting them one by one takes minutes. */
static void endless_marks_cost_no_more_than_letters(void **state)
{
	const size_t marks = 500000;
	char *text = malloc(1 + marks * 2 + 5);
	const clock_t began = clock();
	const char *words;

	(void)state;
	assert_non_null(text);
	text[0] = 'e';
	for (size_t i = 0; i < marks; i++)
		memcpy(text + 1 + i * 2, i < marks / 2 ? "\xCC\x81" : "\xCC\x96", 2);
	memcpy(text + 1 + marks * 2, " word", 5);
	words = document((struct text){ text, 1 + marks * 2 + 5 });
	assert_string_equal(words, " =e =word ^wo ^wor");
	assert_true(clock() - began < 2 * CLOCKS_PER_SEC);
	free(text);
}

/* What a language needs stays: Hebrew with its points, stacked Vietnamese accents. */
static void thirty_marks_stay(void **state)
{
	(void)state;
	assert_string_equal(document(TEXT("\xD7\xA9\xD6\xBC\xD7\x81")), document(TEXT("\xD7\xA9\xD7\x81\xD6\xBC")));
	assert_string_equal(document(TEXT("a\xCC\x82\xCC\x81")), document(TEXT("a")));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_word_stands_with_its_beginnings),
		TEST(signs_are_words_by_themselves),
		TEST(case_accents_and_spellings_make_no_difference),
		TEST(scripts_without_blanks_are_searched_by_character),
		TEST(a_question_is_of_words_alone),
		TEST(too_many_words_are_refused),
		TEST(a_long_word_is_cut_alike_in_text_and_question),
		TEST(a_text_of_any_length_ends),
		TEST(endless_marks_cost_no_more_than_letters),
		TEST(thirty_marks_stay),
		TEST(out_of_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
