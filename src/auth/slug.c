#include "auth/slug.h"

#include <stdio.h>
#include <string.h>

#include "auth/system_query.h"

#define NUMBER_MAX  20
#define SUFFIX_SIZE 16

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte + 'a' - 'A') : byte;
}

size_t slug_of(struct text name, char out[SLUG_SIZE])
{
	size_t length = 0;

	for (size_t i = 0; i < name.length && length < SLUG_MAX; i++) {
		const char byte = lower(name.at[i]);

		if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'))
			out[length++] = byte;
		else if (length > 0 && out[length - 1] != '-')
			out[length++] = '-';
	}
	while (length > 0 && out[length - 1] == '-')
		length--;
	out[length] = '\0';
	return length;
}

/* Cut so that the suffix, which begins with a hyphen, has room. */
static void join(struct text base, const char *suffix, char out[SLUG_SIZE])
{
	const size_t room = SLUG_MAX - strlen(suffix);

	if (base.length > room)
		base.length = room;
	while (base.length > 0 && base.at[base.length - 1] == '-')
		base.length--;
	snprintf(out, SLUG_SIZE, "%.*s%s", (int)base.length, base.at, suffix);
}

/* ERR_NOT_FOUND: nobody has it. */
static enum err look_up(struct db *db, struct arena *arena, const char *slug)
{
	struct organization_by_slug_out row;

	return system_one(db, STATEMENT_ORGANIZATION_BY_SLUG, &(struct organization_by_slug_in){ text_of(slug) }, &row,
			  arena);
}

enum err slug_choose(struct db *db, struct arena *arena, struct text name, char out[SLUG_SIZE])
{
	const struct uuid id = uuid_new();
	char own[SLUG_SIZE];
	struct text base = { own, slug_of(name, own) };
	char suffix[SUFFIX_SIZE] = "";
	enum err err = OK;

	if (base.length == 0)
		base = TEXT("organization");
	for (int number = 1; err == OK && number <= NUMBER_MAX; number++) {
		if (number > 1)
			snprintf(suffix, sizeof suffix, "-%d", number);
		join(base, suffix, out);
		err = look_up(db, arena, out);
	}
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	/* The last four bytes of an id are random. */
	suffix[0] = '-';
	text_hex(id.bytes + 12, 4, suffix + 1);
	join(base, suffix, out);
	return OK;
}
