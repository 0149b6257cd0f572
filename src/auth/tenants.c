#include "auth/tenants.h"

#include <string.h>

#include "auth/tenant.h"
#include "store/query.h"

#define FIRST_ROOM 16

static enum err add(struct arena *arena, const struct organization_list_out *row, struct tenants *out, size_t *room)
{
	struct tenant *list = (struct tenant *)out->list;
	struct tenant *tenant;

	if (out->count == *room) {
		const size_t wanted = *room == 0 ? FIRST_ROOM : *room * 2;

		list = arena_take_many(arena, wanted, sizeof *list);
		if (list == NULL)
			return ERR_MEMORY;
		if (out->count > 0)
			memcpy(list, out->list, out->count * sizeof *list);
		out->list = list;
		*room = wanted;
	}
	tenant = &list[out->count++];
	*tenant = (struct tenant){ row->id, text_copy(arena, row->slug), tenant_scope(arena, &row->id) };
	return arena->failed ? ERR_MEMORY : OK;
}

enum err tenants_list(struct db *db, struct arena *arena, struct tenants *out)
{
	struct organization_list_out row;
	size_t room = 0;
	enum err err = db_start(db, STATEMENT_ORGANIZATION_LIST, NULL);

	*out = (struct tenants){ 0 };
	while (err == OK && (err = db_step(db, STATEMENT_ORGANIZATION_LIST, &row)) == OK)
		err = add(arena, &row, out, &room);
	db_stop(db, STATEMENT_ORGANIZATION_LIST);
	return err == ERR_NOT_FOUND ? OK : err;
}
