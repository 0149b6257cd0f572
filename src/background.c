#include "background.h"

#include <stddef.h>

#include "analytics/build.h"
#include "api/house.h"
#include "auth/tenant.h"
#include "erase/erase.h"
#include "search/indexer.h"
#include "store/query.h"

#define STEP_MEMORY ((size_t)16 * 1024 * 1024)

static enum err index_messages(struct db *db, const struct house *house, bool *more)
{
	const struct search_doors doors = { .system = tenant_system(), .open = tenant_scope };

	(void)house;
	return search_step(db, &doors, more);
}

static enum err erase_messages(struct db *db, const struct house *house, bool *more)
{
	const struct search_doors doors = { .system = tenant_system(), .open = tenant_scope };

	(void)house;
	return erase_step(db, &doors, more);
}

/* Which organization has rollups to be built or swept. ERR_NOT_FOUND: none. */
static enum err find_rollups(struct db *db, struct arena *arena, struct rollup_work_out *out)
{
	enum err err = db_enter(db, tenant_system());
	enum err left;

	if (err != OK)
		return err;
	err = query_one(db, STATEMENT_ROLLUP_WORK, NULL, out, arena);
	left = db_leave(db, true);
	return left == OK ? err : left;
}

static enum err build(struct db *db, const struct house *house, const struct uuid *organization, struct arena *arena,
		      bool *more)
{
	const struct counting counting = { house->ledger, db, tenant_scope(arena, organization), arena };
	enum err err = counting.scope == NULL ? ERR_MEMORY : db_enter(db, counting.scope);
	enum err left;

	if (err != OK)
		return err;
	err = build_step(&counting, more);
	left = db_leave(db, err == OK);
	ledger_end_item(house->ledger, err == OK);
	if (err == OK)
		err = left;
	/* At once, for the scope lives no longer. */
	return err == OK ? ledger_settle(db, house->ledger) : err;
}

static enum err build_rollups(struct db *db, const struct house *house, bool *more)
{
	struct rollup_work_out work;
	struct arena arena;
	enum err err;

	arena_init(&arena, STEP_MEMORY);
	err = find_rollups(db, &arena, &work);
	if (err == OK) {
		err = build(db, house, &work.organization_id, &arena, more);
		*more = true; /* of another organization, if not of this one */
	} else if (err == ERR_NOT_FOUND) {
		err = OK;
	}
	arena_fini(&arena);
	return err;
}

static const struct step {
	const char *name;
	enum err (*run)(struct db *db, const struct house *house, bool *more);
} table[] = {
	{ "index messages", index_messages },
	{ "erase messages", erase_messages },
	{ "build rollups", build_rollups },
};

enum err background_step(struct db *db, void *given, bool *more)
{
	enum err err = OK;

	*more = false;
	for (size_t i = 0; err == OK && i < sizeof table / sizeof table[0]; i++) {
		bool left = false;

		err = table[i].run(db, given, &left);
		*more = *more || left;
	}
	return err;
}
