#include "auth/bucket.h"

#include <math.h>

#define MINUTE 60e6 /* microseconds */

struct bucket_state bucket_take(struct bucket *bucket, int64_t per_minute, int64_t now)
{
	const double limit = (double)per_minute;
	const double elapsed = now > bucket->touched_at ? (double)(now - bucket->touched_at) : 0;
	struct bucket_state state = { .limit = per_minute };

	bucket->used = fmax(0, bucket->used - elapsed * limit / MINUTE);
	bucket->touched_at = now;
	state.allowed = bucket->used + 1 <= limit;
	if (state.allowed)
		bucket->used += 1;
	else
		state.retry_after = (int64_t)fmax(1, ceil((bucket->used + 1 - limit) * 60 / limit));
	state.remaining = (int64_t)floor(fmax(0, limit - bucket->used));
	state.reset = (int64_t)ceil(bucket->used * 60 / limit);
	return state;
}
