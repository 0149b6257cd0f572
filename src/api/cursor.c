#include "api/cursor.h"

struct place {
	int64_t time;
	int64_t number;
};

static struct seal_bond bond(const struct call *call)
{
	return (struct seal_bond){ .purpose = "cursor",
				   .organization = scope_organization(call->scope),
				   .place = call->request->path };
}

struct text cursor_make(struct call *call, int64_t time, int64_t number)
{
	const struct place place = { time, number };
	const struct seal_bond bound = bond(call);

	return seal_close(call->house->seal, &bound, &place, sizeof place, call->arena);
}

enum err cursor_read(struct call *call, struct text cursor, struct list_page *page)
{
	const struct seal_bond bound = bond(call);
	struct place place;

	if (seal_open(call->house->seal, &bound, cursor, &place, sizeof place) != OK)
		return call_fail(call, ERR_INVALID, "cursor",
				 "cursor is not one that this list gave out: take it from a Link header.");
	page->before_time = place.time;
	page->before_number = place.number;
	return OK;
}
