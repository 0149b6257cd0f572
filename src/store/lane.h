/* One lane of the writer: a connection that writes and the thread that has it, committing in groups.
 * Owner: the writer, which gives an organization's items to one lane always.
 * Thread: its own; lane_submit and lane_depth: any.
 * Never answers before the commit has returned; a failed sync of the database's own file ends the process.
 * Next: writer.h. */
#ifndef INNKEEPER_STORE_LANE_H
#define INNKEEPER_STORE_LANE_H

#include "store/writer.h"

struct lane;

/* What all lanes of a writer do, each telling the others. */
struct lanes_work {
	_Atomic unsigned busy;    /* how many have work */
	_Atomic int64_t ended_at; /* clock_monotonic, when one ended its work last */
	_Atomic bool forsaken;    /* a database that is lost is not reached anew */
};

/* Number 0 also does what nobody waits for, when no lane has had work for a moment; `all` outlives them. */
enum err lane_start(struct lane **out, const struct writer_options *options, size_t number, struct lanes_work *all,
		    struct fault *fault) WARN_UNUSED;

/* False: its queue is full, or it is stopping. */
bool lane_submit(struct lane *lane, struct writer_item *item);
size_t lane_depth(struct lane *lane);

bool lane_is_lost(const struct lane *lane);      /* its database, by what it met last; any thread */
bool lane_is_saturated(const struct lane *lane); /* saturation.h; any thread */

/* Takes no more, and finishes what waits. */
void lane_stop(struct lane *lane);
/* Of a lane that was stopped. Nobody may submit any more. */
void lane_free(struct lane *lane);

#endif
