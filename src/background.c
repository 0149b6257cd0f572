#include "background.h"

#include "analytics/build.h"
#include "auth/tenant.h"
#include "store/query.h"

#define STEP_MEMORY ((size_t)16 * 1024 * 1024)

/* Which organization has rollups to be built or swept. ERR_NOT_FOUND: none. */
static enum err find_work(struct db *db, struct arena *arena, struct rollup_work_out *out)
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

enum err background_step(struct db *db, void *given, bool *more)
{
	const struct house *house = given;
	struct rollup_work_out work;
	struct arena arena;
	enum err err;

	*more = false;
	arena_init(&arena, STEP_MEMORY);
	err = find_work(db, &arena, &work);
	if (err == OK) {
		err = build(db, house, &work.organization_id, &arena, more);
		*more = true; /* of another organization, if not of this one */
	} else if (err == ERR_NOT_FOUND) {
		err = OK;
	}
	arena_fini(&arena);
	return err;
}
