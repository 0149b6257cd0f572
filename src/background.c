#include "background.h"

#include <stddef.h>

#include "analytics/build.h"
#include "api/house.h"
#include "auth/tenant.h"
#include "erase/erase.h"
#include "search/indexer.h"
#include "store/lease.h"
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

	return erase_step(db, house_ledger(house, db), &doors, more);
}

/* Which organization behind `after` has rollups to be built or swept. ERR_NOT_FOUND: none. */
static enum err find_rollups(struct db *db, const struct uuid *after, struct arena *arena, struct rollup_work_out *out)
{
	enum err err = db_enter(db, tenant_system());
	enum err left;

	if (err != OK)
		return err;
	err = query_one(db, STATEMENT_ROLLUP_WORK, &(struct rollup_work_in){ .after = *after }, out, arena);
	left = db_leave(db, true);
	return left == OK ? err : left;
}

static enum err build(struct db *db, const struct house *house, const struct scope *scope, struct arena *arena)
{
	const struct counting counting = { house_ledger(house, db), db, scope, arena };
	bool more = false;
	enum err err = db_enter(db, scope);
	enum err left;

	if (err != OK)
		return err;
	err = build_step(&counting, &more);
	left = db_leave(db, err == OK);
	ledger_end_item(house_ledger(house, db), err == OK && left == OK);
	if (err == OK)
		err = left;
	/* At once, for the scope lives no longer; of a step that failed nothing is left to write. */
	left = ledger_settle(db, house_ledger(house, db));
	return err == OK ? left : err;
}

/* An organization whose step fails (its time zone is unknown to this machine, say) holds up no other. */
static enum err build_rollups(struct db *db, const struct house *house, bool *more)
{
	struct rollup_work_out work = { 0 };
	struct arena arena;
	enum err err = OK;

	arena_init(&arena, STEP_MEMORY);
	while (err == OK && !*more) {
		const struct scope *scope;
		const struct uuid after = work.organization_id;
		enum err built = ERR_MEMORY;
		enum err left;

		err = find_rollups(db, &after, &arena, &work);
		if (err == OK)
			err = db_enter(db, tenant_system());
		if (err != OK)
			break;
		scope = tenant_scope(&arena, &work.organization_id);
		if (scope != NULL)
			built = build(db, house, scope, &arena);
		left = db_leave(db, built == OK);
		err = left;
		*more = built == OK; /* of another organization, if not of this one */
		arena_fini(&arena);
	}
	arena_fini(&arena);
	return err == ERR_NOT_FOUND ? OK : err;
}

static const struct step {
	const char *name;
	enum err (*run)(struct db *db, const struct house *house, bool *more);
} table[] = {
	{ "index messages", index_messages },
	{ "erase messages", erase_messages },
	{ "build rollups", build_rollups },
};

/* In a savepoint of its own: what fails undoes itself alone. ERR_STORAGE: the transaction is gone. */
static enum err run_step(struct db *db, const struct house *house, const struct step *step, bool *more)
{
	bool left_over = false;
	enum err err = db_enter(db, tenant_system());
	enum err left;

	if (err != OK)
		return err;
	err = step->run(db, house, &left_over);
	left = db_leave(db, err == OK);
	if (left != OK)
		return left;
	if (err != OK)
		LOG(house->log, LOG_WARNING, "a step of background work was not done; it is tried again",
		    LOG_STRING("step", step->name), LOG_INT("err", err));
	else
		*more = *more || left_over;
	return OK;
}

/* Of the processes of a database one. */
static enum err ask_leave(struct db *db, const struct house *house, bool *given)
{
	enum err err = OK;

	*given = true;
	if (house->lease == NULL)
		return OK;
	if (house->leads)
		err = lease_keep(house->lease, db);
	*given = err == OK && lease_is_held(house->lease);
	return err;
}

enum err background_step(struct db *db, void *given, bool *more)
{
	bool may = false;
	enum err err = ask_leave(db, given, &may);

	*more = false;
	if (err != OK || !may)
		return err;
	for (size_t i = 0; err == OK && i < sizeof table / sizeof table[0]; i++)
		err = run_step(db, given, &table[i], more);
	return err;
}

void background_stop(const struct house *house)
{
	enum err err;

	if (house->lease == NULL || !house->leads || house->writer == NULL)
		return;
	err = writer_perform(house->writer, tenant_system(), lease_release, house->lease);
	if (err != OK)
		LOG(house->log, LOG_WARNING, "the lease was not given back: it runs out by itself",
		    LOG_INT("err", err));
}
