/* An organization on its way in or out, as the server itself sees it: nobody else does.
 * Owner: called by the operator's errands and the job that tidies up behind them. What is found lives in the arena
 * given. Finding: any thread that may wait. Writing: in the writer's transaction; an account is looked for in any scope
 * of it. Never for a request of a client: who may include this stands in tools/check_layers.sh. Next: move/move.h. */
#ifndef INNKEEPER_AUTH_MOVING_H
#define INNKEEPER_AUTH_MOVING_H

#include <stdbool.h>

#include "base/arena.h"
#include "store/readers.h"
#include "store/writer.h"

enum moving_way { MOVING_NOT, MOVING_IN, MOVING_OUT };

struct moving {
	struct uuid id;
	struct text slug;
	enum moving_way way;
	struct uuid by; /* the process that is at it; nil when it is not moving */
	int64_t at;     /* ms; when that took a step last */
	const struct scope *scope;
};

/* ERR_NOT_FOUND: there is none, neither seen nor on its way. moving_next: the one on its way behind `after`. */
enum err moving_by_slug(struct readers *readers, struct arena *arena, struct text slug, struct moving *out) WARN_UNUSED;
enum err moving_by_id(struct readers *readers, struct arena *arena, const struct uuid *id,
		      struct moving *out) WARN_UNUSED;
enum err moving_next(struct readers *readers, struct arena *arena, const struct uuid *after,
		     struct moving *out) WARN_UNUSED;

/* Founds one that comes in, seen by nobody. ERR_CONFLICT: its id or its slug is taken. Waits for the writer. */
enum err moving_found(struct writer *writer, struct arena *arena, const struct move_in_organization_in *organization,
		      const struct scope **scope) WARN_UNUSED;

/* A member's account as it goes out. Ends what the scope around it has open. */
enum err moving_account(struct db *db, struct arena *arena, const struct uuid *id,
			struct move_out_account_out *out) WARN_UNUSED;

/* How other providers know it, one after the other into `each`. */
enum err moving_identities(struct db *db, const struct uuid *account,
			   enum err (*each)(void *context, const struct move_out_identities_out *identity),
			   void *context) WARN_UNUSED;

/* The account of an e-mail, as it is; made from the row if there is none, with its password if that is one. `*id` is
 * it. */
enum err moving_take_account(struct db *db, struct arena *arena, const struct move_in_account_in *row, struct uuid *id,
			     bool *made) WARN_UNUSED;
enum err moving_take_identity(struct db *db, const struct move_in_identity_in *row) WARN_UNUSED;

/* Removes an account that belongs nowhere any more; `*gone`: it did. */
enum err moving_drop_account(struct db *db, struct arena *arena, const struct uuid *account, bool *gone) WARN_UNUSED;

/* Ends every session that is in the organization; how many that were. */
enum err moving_end_sessions(struct db *db, const struct uuid *organization, int64_t *count) WARN_UNUSED;

/* Of the scope that is to be entered for a moment: search/indexer.h. */
const struct scope *moving_system(void);

#endif
