#include "api/cursor.h"

#include <string.h>

#include "auth/seal.h"

struct place {
	int64_t time;
	int64_t number;
};

/* Opens for this organization and this path alone. */
static struct text purpose_of(const struct call *call)
{
	const struct text path = call->request->path;
	char id[UUID_TEXT_SIZE];
	char *purpose = arena_take(call->arena, sizeof "cursor " + sizeof id + path.length);

	if (purpose == NULL)
		return (struct text){ 0 };
	uuid_format(scope_organization(call->scope), id);
	memcpy(mempcpy(mempcpy(purpose, "cursor ", 7), id, sizeof id - 1), path.at, path.length);
	return (struct text){ purpose, 7 + sizeof id - 1 + path.length };
}

enum err cursor_refuse(struct call *call)
{
	return call_fail(call, ERR_INVALID, "cursor",
			 "cursor is not one that this list gave out: take it from a Link header.");
}

struct text cursor_seal(struct call *call, struct text place)
{
	const struct text purpose = purpose_of(call);
	struct text sealed;

	if (purpose.at == NULL || seal_text(&call->house->seal, call->arena, purpose, place, &sealed) != OK)
		return (struct text){ 0 };
	return sealed;
}

enum err cursor_open(struct call *call, struct text cursor, struct text *place)
{
	const struct text purpose = purpose_of(call);

	if (purpose.at == NULL)
		return ERR_MEMORY;
	return seal_open(&call->house->seal, call->arena, purpose, cursor, place) == OK ? OK : cursor_refuse(call);
}

struct text cursor_make(struct call *call, int64_t time, int64_t number)
{
	const struct place place = { time, number };

	return cursor_seal(call, (struct text){ (const char *)&place, sizeof place });
}

enum err cursor_read(struct call *call, struct text cursor, struct list_page *page)
{
	struct text plain;
	struct place place;
	enum err err = cursor_open(call, cursor, &plain);

	if (err != OK)
		return err;
	if (plain.length != sizeof place)
		return cursor_refuse(call);
	memcpy(&place, plain.at, sizeof place);
	page->before_time = place.time;
	page->before_number = place.number;
	return OK;
}
