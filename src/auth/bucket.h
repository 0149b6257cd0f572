/* Token buckets: how many a minute, for a key or an address.
 * Owner: whoever embeds one guards it; no lock of its own.
 * A bucket holds one minute's worth and refills evenly, so that a burst up to it passes and a steady excess does not.
 * Never goes below zero: a refusal costs nothing.
 * Next: api_key.h (per key), attempts.h (per address). */
#ifndef INNKEEPER_AUTH_BUCKET_H
#define INNKEEPER_AUTH_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	double used;        /* tokens missing from a full bucket; 0 is a new one */
	int64_t touched_at; /* clock_monotonic */
};

/* What the headers of draft-ietf-httpapi-ratelimit-headers say. */
struct bucket_state {
	bool allowed;
	int64_t limit;       /* a minute */
	int64_t remaining;   /* whole tokens left */
	int64_t reset;       /* seconds until it is full again */
	int64_t retry_after; /* seconds until one token is there; at least 1 when not allowed */
};

/* Takes one token at `now` (microseconds, clock_monotonic) from a bucket of `per_minute` > 0. */
struct bucket_state bucket_take(struct bucket *bucket, int64_t per_minute, int64_t now);

#endif
