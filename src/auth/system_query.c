#include "auth/system_query.h"

#include "auth/tenant.h"
#include "store/query.h"

enum err tenant_run(struct db *db, const struct scope *scope, enum statement_id id, const void *in, int64_t *changed)
{
	enum err err = db_enter(db, scope);
	enum err left;

	if (err != OK)
		return err;
	err = query_run(db, id, in, changed);
	left = db_leave(db, err == OK);
	return err == OK ? left : err;
}

enum err system_run(struct db *db, enum statement_id id, const void *in, int64_t *changed)
{
	return tenant_run(db, tenant_system(), id, in, changed);
}

enum err system_one(struct db *db, enum statement_id id, const void *in, void *out, struct arena *arena)
{
	enum err err = db_enter(db, tenant_system());
	enum err left;

	if (err != OK)
		return err;
	err = query_one(db, id, in, out, arena);
	left = db_leave(db, true);
	return err == OK ? left : err;
}

enum err system_ask(struct readers *readers, enum statement_id id, const void *in, void *out, struct arena *arena)
{
	struct reading reading;
	enum err err = readers_enter(readers, tenant_system(), &reading);

	if (err != OK)
		return err;
	err = query_one(reading.db, id, in, out, arena);
	readers_leave(readers, &reading);
	return err;
}
