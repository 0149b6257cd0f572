/* The operator's errands that move an organization as a whole.
 * Owner: handlers; on an errand's thread. Through the control socket alone.
 * One at a time: the next waits for its turn, and is refused when that does not come soon.
 * Never for a member: what belongs to one organization is theirs to read, not to carry away with its keys and
 * passwords. Next: move/move.h. */
#ifndef INNKEEPER_API_MOVE_H
#define INNKEEPER_API_MOVE_H

#include "api/call.h"
#include "move/move.h"

extern const struct json_shape move_out_body;
extern const struct json_shape move_in_body;
extern const struct json_shape move_away_body;

enum err move_out(struct call *call) WARN_UNUSED;
enum err move_in(struct call *call) WARN_UNUSED;
enum err move_away(struct call *call) WARN_UNUSED;
enum err move_progress(struct call *call) WARN_UNUSED;

/* Also for the job that tidies up. */
struct move_place move_place_of(const struct house *house);

#endif
