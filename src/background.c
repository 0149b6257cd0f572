#include "background.h"

#include <stddef.h>

#include "auth/tenant.h"
#include "erase/erase.h"
#include "search/indexer.h"

static enum err index_messages(struct db *db, bool *more)
{
	const struct search_doors doors = { .system = tenant_system(), .open = tenant_scope };

	return search_step(db, &doors, more);
}

static enum err erase_messages(struct db *db, bool *more)
{
	const struct search_doors doors = { .system = tenant_system(), .open = tenant_scope };

	return erase_step(db, &doors, more);
}

static const struct step {
	const char *name;
	enum err (*run)(struct db *db, bool *more);
} table[] = {
	{ "index messages", index_messages },
	{ "erase messages", erase_messages },
};

enum err background_step(struct db *db, void *context, bool *more)
{
	enum err err = OK;

	(void)context;
	*more = false;
	for (size_t i = 0; err == OK && i < sizeof table / sizeof table[0]; i++) {
		bool left = false;

		err = table[i].run(db, &left);
		*more = *more || left;
	}
	return err;
}
