#include "search/words.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#define CHARACTERS_OF_WORD 64 /* what comes behind them in one word is cut off */
#define BEGINNING_LEAST    2
#define BEGINNING_MOST     12
#define EXPRESSION_LIMIT   65536
#define MARKS_IN_A_ROW     30

enum kind {
	BLANK,
	LETTER, /* or digit */
	MARK,   /* belongs to what is before it */
	SINGLE, /* a word by itself */
};

/* A text's characters on the way to words. */
struct reading {
	const int32_t *characters;
	size_t count;
	size_t at;
};

struct word {
	const int32_t *characters;
	size_t count;
	bool letters; /* else a sign */
};

/* Scripts that put no blank between words: Thai, Lao, Tibetan, Myanmar, Khmer, kana, Han. A character is a word there.
 */
static bool is_unspaced(int32_t c)
{
	static const struct {
		int32_t first, last;
	} ranges[] = {
		{ 0x0e00, 0x0fff }, { 0x1000, 0x109f }, { 0x1780, 0x17ff }, { 0x3040, 0x30ff },   { 0x31f0, 0x31ff },
		{ 0x3400, 0x4dbf }, { 0x4e00, 0x9fff }, { 0xf900, 0xfaff }, { 0x20000, 0x3ffff },
	};

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

static bool is_between(int32_t c, int32_t first, int32_t last)
{
	return c >= first && c <= last;
}

static enum kind kind_of(int32_t c)
{
	if (is_between(c, 'a', 'z') || is_between(c, '0', '9'))
		return LETTER;
	if (c == ' ')
		return BLANK;
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		return is_unspaced(c) ? SINGLE : LETTER;
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
		return MARK;
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CS:
		return BLANK;
	default:
		return SINGLE;
	}
}

static bool is_ascii(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.at[i] >= 0x80)
			return false;
	return true;
}

/* The accents that people leave out: of Latin, Greek and Cyrillic letters. Elsewhere a mark is half of a letter. */
static size_t drop_accents(int32_t *characters, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!is_between(characters[i], 0x0300, 0x036f))
			characters[kept++] = characters[i];
	return kept;
}

/* A run of marks is cut short: each is sorted among those before it when a text is normalised, so that a run costs its
 * square, on the one thread that writes for everybody. The limit is Unicode's own for streams:
 * https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format. */
static enum err drop_endless_marks(struct text text, struct arena *arena, struct text *out)
{
	char *kept = arena_take(arena, text.length);
	size_t length = 0;
	size_t marks = 0;

	if (kept == NULL)
		return ERR_MEMORY;
	for (size_t at = 0; at < text.length;) {
		const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text.at + at;
		utf8proc_int32_t character;
		const utf8proc_ssize_t size = utf8proc_iterate(bytes, (utf8proc_ssize_t)(text.length - at), &character);

		if (size <= 0)
			return ERR_INVALID;
		marks = utf8proc_get_property(character)->combining_class == 0 ? 0 : marks + 1;
		if (marks <= MARKS_IN_A_ROW) {
			memcpy(kept + length, bytes, (size_t)size);
			length += (size_t)size;
		}
		at += (size_t)size;
	}
	*out = (struct text){ kept, length };
	return OK;
}

static enum err normalise(struct text text, struct arena *arena, struct reading *out)
{
	const utf8proc_option_t decompose = UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
	struct text kept = { 0 };
	const enum err err = drop_endless_marks(text, arena, &kept);
	const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)kept.at;
	const utf8proc_ssize_t length = (utf8proc_ssize_t)kept.length;
	utf8proc_ssize_t count;
	int32_t *characters;

	if (err != OK)
		return err;
	count = utf8proc_decompose(bytes, length, NULL, 0, decompose);
	if (count < 0)
		return count == UTF8PROC_ERROR_INVALIDUTF8 ? ERR_INVALID : ERR_MEMORY;
	characters = arena_take_many(arena, (size_t)count + 1, sizeof *characters);
	if (characters == NULL)
		return ERR_MEMORY;
	count = utf8proc_decompose(bytes, length, characters, count, decompose);
	if (count < 0)
		return ERR_MEMORY;
	count = (utf8proc_ssize_t)drop_accents(characters, (size_t)count);
	count = utf8proc_normalize_utf32(characters, count, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
	if (count < 0)
		return ERR_MEMORY;
	*out = (struct reading){ .characters = characters, .count = (size_t)count };
	return OK;
}

static enum err begin(struct text text, struct arena *arena, struct reading *out)
{
	int32_t *characters;

	if (!is_ascii(text))
		return normalise(text, arena, out);
	characters = arena_take_many(arena, text.length, sizeof *characters);
	if (characters == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < text.length; i++)
		characters[i] = is_between(text.at[i], 'A', 'Z') ? text.at[i] - 'A' + 'a' : text.at[i];
	*out = (struct reading){ .characters = characters, .count = text.length };
	return OK;
}

/* The next word; false behind the last. */
static bool next(struct reading *reading, struct word *word)
{
	size_t start;
	bool letters;

	while (reading->at < reading->count && kind_of(reading->characters[reading->at]) == BLANK)
		reading->at++;
	if (reading->at == reading->count)
		return false;
	start = reading->at++;
	letters = kind_of(reading->characters[start]) == LETTER;
	while (reading->at < reading->count) {
		const enum kind kind = kind_of(reading->characters[reading->at]);

		if (kind != MARK && !(letters && kind == LETTER))
			break;
		reading->at++;
	}
	*word = (struct word){ .characters = reading->characters + start,
			       .count = reading->at - start,
			       .letters = letters };
	if (word->count > CHARACTERS_OF_WORD)
		word->count = CHARACTERS_OF_WORD;
	return true;
}

static void put(struct buffer *to, char kind, const int32_t *characters, size_t count)
{
	buffer_add(to, &kind, 1);
	for (size_t i = 0; i < count; i++) {
		utf8proc_uint8_t bytes[4];
		const utf8proc_ssize_t length = utf8proc_encode_char(characters[i], bytes);

		buffer_add(to, bytes, (size_t)length);
	}
}

enum err words_of_document(struct text text, struct arena *arena, struct buffer *to)
{
	struct reading reading = { 0 };
	struct word word;
	enum err err = begin(text, arena, &reading);

	for (size_t words = 0; err == OK && words < WORDS_OF_DOCUMENT && next(&reading, &word); words++) {
		buffer_add(to, " ", 1);
		put(to, '=', word.characters, word.count);
		for (size_t i = BEGINNING_LEAST; word.letters && i < word.count && i <= BEGINNING_MOST; i++) {
			buffer_add(to, " ", 1);
			put(to, '^', word.characters, i);
		}
	}
	return err == OK && to->failed ? ERR_MEMORY : err;
}

/* https://www.sqlite.org/fts5.html#full_text_query_syntax: within quotes nothing is an operator but the quote, which is
 * doubled. */
static void quote(struct buffer *to, char kind, const struct word *word)
{
	struct buffer plain;

	buffer_init(&plain, EXPRESSION_LIMIT);
	put(&plain, kind, word->characters, word->count);
	buffer_string(to, "\"");
	for (size_t i = 0; !plain.failed && i < plain.length; i++)
		buffer_add(to, plain.at[i] == '"' ? "\"\"" : &plain.at[i], plain.at[i] == '"' ? 2 : 1);
	buffer_string(to, "\"");
	to->failed = to->failed || plain.failed;
	buffer_fini(&plain);
}

/* One word of a question; the last may be whole or begun. */
static void ask_for(struct buffer *to, const struct word *word, bool last, bool marks)
{
	const bool begun = last && word->letters && word->count >= BEGINNING_LEAST && word->count <= BEGINNING_MOST;

	if (to->length > 0)
		buffer_string(to, " AND ");
	buffer_string(to, begun || marks ? "(" : "");
	quote(to, '=', word);
	if (begun) {
		buffer_string(to, " OR ");
		quote(to, '^', word);
	}
	buffer_string(to, marks ? " OR \"" WORDS_MARK "\"" : "");
	buffer_string(to, begun || marks ? ")" : "");
}

static enum err ask(struct text query, bool marks, struct arena *arena, struct text *out)
{
	struct word words[WORDS_OF_QUERY];
	struct reading reading = { 0 };
	struct buffer expression;
	struct word word;
	size_t count = 0;
	enum err err = begin(query, arena, &reading);

	*out = (struct text){ 0 };
	for (; err == OK && next(&reading, &word); words[count++] = word)
		if (count == WORDS_OF_QUERY)
			return ERR_TOO_LARGE;
	if (err != OK || count == 0)
		return err;
	buffer_init(&expression, EXPRESSION_LIMIT);
	for (size_t i = 0; i < count; i++)
		ask_for(&expression, &words[i], i + 1 == count, marks);
	if (!expression.failed)
		*out = text_copy(arena, (struct text){ expression.at, expression.length });
	buffer_fini(&expression);
	return out->at == NULL ? ERR_MEMORY : OK;
}

enum err words_of_query(struct text query, struct arena *arena, struct text *out)
{
	return ask(query, false, arena, out);
}

enum err words_of_query_and_marks(struct text query, struct arena *arena, struct text *out)
{
	return ask(query, true, arena, out);
}
