#include <time.h>

#include "base/clock.h"
#include "move/move.h"

#define LEAST_MICROSECONDS        4000 /* of a piece while somebody waits behind it */
#define MOST_MICROSECONDS         12000
#define LEAST_MICROSECONDS_REMOTE 10000 /* where others have lanes of their own */
#define MOST_MICROSECONDS_REMOTE  30000
#define FULL_MILLISECONDS         50 /* before a full queue is asked again */
#define FULL_TIMES                1200

struct piece {
	enum err (*run)(struct db *db, void *context);
	void *context;
	bool ran;
};

static enum err run_piece(struct db *db, void *given)
{
	struct piece *piece = given;

	piece->ran = true;
	return piece->run(db, piece->context);
}

enum err move_piece(const struct move_place *place, const struct scope *scope,
		    enum err (*run)(struct db *db, void *context), void *context)
{
	const struct timespec pause = { .tv_nsec = (long)FULL_MILLISECONDS * 1000000 };
	struct piece piece = { .run = run, .context = context };
	enum err err = ERR_UNAVAILABLE;

	for (int i = 0; i < FULL_TIMES && !piece.ran && !atomic_load(place->ending); i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		err = writer_perform(place->writer, scope, run_piece, &piece);
	}
	return err;
}

enum err move_note_step(const struct move_place *place, struct db *db)
{
	return db_send(db, STATEMENT_MOVING_STEP,
		       &(struct moving_step_in){ .moving_by = *moves_process(place->moves), .moving_at = clock_now() });
}

bool move_piece_is_over(const struct move_place *place, int64_t began)
{
	const int64_t took = clock_monotonic() - began;

	if (took < (place->remote ? LEAST_MICROSECONDS_REMOTE : LEAST_MICROSECONDS))
		return false;
	return took >= (place->remote ? MOST_MICROSECONDS_REMOTE : MOST_MICROSECONDS) ||
	       writer_depth(place->writer) > 0;
}
