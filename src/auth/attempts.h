/* Failed credentials by address: who guesses too fast is told to wait.
 * Owner: the server. Any thread; one lock.
 * Counts failures alone: a good credential is never held back, whatever its neighbours behind the same address do.
 * Never grows: a fixed table; when it is full the address that failed longest ago gives way.
 * Next: api/dispatch.c. */
#ifndef INNKEEPER_AUTH_ATTEMPTS_H
#define INNKEEPER_AUTH_ATTEMPTS_H

#include "auth/bucket.h"
#include "base/err.h"

struct attempts;

/* `per_minute` failures of an address are answered as such; 0: no limit. */
enum err attempts_new(struct attempts **out, int64_t per_minute) WARN_UNUSED;
void attempts_free(struct attempts *attempts);

/* One more failure of the address; `allowed` false: it is one too many. */
struct bucket_state attempts_fail(struct attempts *attempts, const uint8_t address[16]);

#endif
