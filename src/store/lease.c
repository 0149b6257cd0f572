#include "store/lease.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/query.h"
#include "store/scope_make.h"

#define HOLDER_BYTES 16

static const struct scope system_scope = { .system = true };

struct lease {
	const char *name;
	char holder[2 * HOLDER_BYTES + 1];
	int64_t asked_at;           /* clock_monotonic; 0: never. The lane's thread's own */
	_Atomic int64_t held_until; /* clock_monotonic; 0: it is not held */
	_Atomic bool released;
};

enum err lease_new(struct lease **out, const char *name)
{
	struct lease *lease = calloc(1, sizeof *lease);
	uint8_t bytes[HOLDER_BYTES];

	*out = lease;
	if (lease == NULL)
		return ERR_MEMORY;
	randombytes_buf(bytes, sizeof bytes);
	text_hex(bytes, sizeof bytes, lease->holder);
	lease->name = name;
	return OK;
}

void lease_free(struct lease *lease)
{
	free(lease);
}

static enum err take(struct lease *lease, struct db *db, int64_t *changed)
{
	const struct lease_take_in in = { .name = text_of(lease->name),
					  .holder = text_of(lease->holder),
					  .milliseconds = LEASE_MILLISECONDS };
	enum err err = db_enter(db, &system_scope);
	enum err left;

	if (err != OK)
		return err;
	err = query_run(db, STATEMENT_LEASE_TAKE, &in, changed);
	left = db_leave(db, err == OK);
	return err == OK ? left : err;
}

enum err lease_keep(struct lease *lease, struct db *db)
{
	const int64_t now = clock_monotonic();
	int64_t changed = 0;
	enum err err;

	if (atomic_load(&lease->released) ||
	    (lease->asked_at != 0 && now - lease->asked_at < (int64_t)LEASE_RENEWED * 1000))
		return OK;
	err = take(lease, db, &changed);
	lease->asked_at = now;
	/* From before it was asked, so that it ends here first. */
	atomic_store(&lease->held_until, err == OK && changed > 0 ? now + (int64_t)LEASE_MILLISECONDS * 1000 : 0);
	return err;
}

void lease_forget(struct lease *lease)
{
	lease->asked_at = 0;
	atomic_store(&lease->held_until, 0);
}

bool lease_is_held(const struct lease *lease)
{
	return clock_monotonic() < atomic_load(&lease->held_until);
}

enum err lease_release(struct db *db, void *given)
{
	struct lease *lease = given;

	atomic_store(&lease->released, true);
	atomic_store(&lease->held_until, 0);
	return query_run(db, STATEMENT_LEASE_RELEASE,
			 &(struct lease_release_in){ .name = text_of(lease->name), .holder = text_of(lease->holder) },
			 NULL);
}
