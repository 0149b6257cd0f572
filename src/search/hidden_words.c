#include "search/hidden_words.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT ((size_t)64 * 1024 * 1024)

_Static_assert(sizeof(struct uuid) == crypto_shorthash_siphashx24_KEYBYTES, "an organization's id is the key");
_Static_assert(sizeof(struct uuid) == crypto_shorthash_siphashx24_BYTES, "a hash is stored as a uuid");

/* SipHash-2-4, 128 bits: https://www.aumasson.jp/siphash/siphash.pdf */
static struct uuid hide(const struct uuid *organization, struct text word)
{
	struct uuid hash;

	crypto_shorthash_siphashx24(hash.bytes, (const unsigned char *)word.at, word.length, organization->bytes);
	return hash;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

/* What stands before `separator`; `*rest` moves behind it. */
static struct text cut(struct text *rest, const char *separator)
{
	const size_t size = strlen(separator);
	const char *end = memmem(rest->at, rest->length, separator, size);
	const size_t length = end == NULL ? rest->length : (size_t)(end - rest->at);
	const struct text piece = { rest->at, length };

	rest->at += length + (end == NULL ? 0 : size);
	rest->length -= length + (end == NULL ? 0 : size);
	return piece;
}

static void put_hash(struct buffer *to, const struct uuid *hash, bool first)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(hash, text);
	buffer_string(to, first ? "" : ",");
	buffer_string(to, text);
}

static void put_sorted(struct buffer *to, struct uuid *hashes, size_t count)
{
	qsort(hashes, count, sizeof *hashes, compare);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || !uuid_equal(&hashes[i], &hashes[i - 1]))
			put_hash(to, &hashes[i], i == 0);
}

enum err hidden_words(const struct uuid *organization, struct text words, struct buffer *to)
{
	struct uuid *hashes = NULL;
	size_t most = 1;
	size_t count = 0;

	for (size_t i = 0; i < words.length; i++)
		most += words.at[i] == ' ';
	hashes = calloc(most, sizeof *hashes);
	if (hashes == NULL)
		return ERR_MEMORY;
	while (words.length > 0) {
		const struct text word = cut(&words, " ");

		if (word.length > 0)
			hashes[count++] = hide(organization, word);
	}
	buffer_string(to, "{");
	put_sorted(to, hashes, count);
	buffer_string(to, "}");
	free(hashes);
	return to->failed ? ERR_MEMORY : OK;
}

/* A quoted word without its quotes; within them one is doubled. */
static enum err unquote(struct text quoted, struct arena *arena, struct text *out)
{
	char *plain = arena_take(arena, quoted.length + 1);
	size_t length = 0;

	if (plain == NULL || quoted.length < 2)
		return ERR_MEMORY;
	for (size_t i = 1; i + 1 < quoted.length; i++) {
		plain[length++] = quoted.at[i];
		i += quoted.at[i] == '"';
	}
	*out = (struct text){ plain, length };
	return OK;
}

static enum err put_choices(const struct uuid *organization, struct text choices, struct arena *arena,
			    struct buffer *to)
{
	bool first = to->length == 0;
	enum err err = OK;

	while (err == OK && choices.length > 0) {
		struct text word;

		err = unquote(cut(&choices, " OR "), arena, &word);
		if (err == OK) {
			const struct uuid hash = hide(organization, word);

			put_hash(to, &hash, first);
			first = false;
		}
	}
	return err;
}

enum err hidden_question(const struct uuid *organization, struct text question, struct arena *arena, struct text *out)
{
	struct buffer all;
	struct buffer one_of;
	struct buffer both;
	enum err err = OK;

	buffer_init(&all, LIMIT);
	buffer_init(&one_of, LIMIT);
	buffer_init(&both, LIMIT);
	/* No word holds a blank, so that what stands between two words is never part of one. */
	while (err == OK && question.length > 0) {
		struct text group = cut(&question, " AND ");

		if (group.length > 1 && group.at[0] == '(')
			err =
			    put_choices(organization, (struct text){ group.at + 1, group.length - 2 }, arena, &one_of);
		else
			err = put_choices(organization, group, arena, &all);
	}
	buffer_format(&both, "{%.*s}", (int)all.length, all.length == 0 ? "" : all.at);
	if (one_of.length > 0)
		buffer_format(&both, "|{%.*s}", (int)one_of.length, one_of.at);
	if (err == OK && (all.failed || one_of.failed || both.failed))
		err = ERR_MEMORY;
	*out = err == OK ? text_copy(arena, (struct text){ both.at, both.length }) : (struct text){ 0 };
	buffer_fini(&all);
	buffer_fini(&one_of);
	buffer_fini(&both);
	return err == OK && out->at == NULL ? ERR_MEMORY : err;
}
