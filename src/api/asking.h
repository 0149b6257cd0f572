/* Threads that wait in the place of HTTP threads, for a remote database or on an errand, and who waits for one of them.
 * Owner: the server. asking_submit, _withdraw: any thread; `run` is called on one of its own.
 * Those who wait take turns by their party: an organization, or the address of who is not known yet. No party has all
 * threads, so that another one's turn comes at once however long each question takes.
 * Never drops an item: each one submitted is run, or told that it has waited too long.
 * Next: dispatch.c and running.c (who asks), store/readers.h (what with). */
#ifndef INNKEEPER_API_ASKING_H
#define INNKEEPER_API_ASKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uuid.h"
#include "net/http.h"

#define ASKING_WAITING  4096    /* items; one more is not taken */
#define ASKING_OF_PARTY 512     /* of them: a crowd whose key was just forgotten is no flood */
#define ASKING_PATIENCE 2000000 /* microseconds, for the database */

/* Who takes turns with the others. */
struct asking_party {
	bool organization;
	uint8_t bytes[16]; /* its id, or the address as limits count it */
};

struct asking_party asking_organization(const struct uuid *organization);
struct asking_party asking_address(const struct http_address *address);

/* Its owner keeps it until `run` was called or it was withdrawn. */
struct asking_item {
	/* `admitted` false is a refusal. The last that is heard of the item, which may be gone when it returns. */
	void (*run)(void *context, bool admitted);
	void *context;
	/* asking.c's. */
	struct asking_party party;
	int64_t since;
	struct asking_item *next;
};

struct asking;

/* Of `threads` a party has three quarters at most, and one at least. Who has waited for `patience` microseconds is
 * refused when a thread is free. `name` of the threads is static. */
enum err asking_start(struct asking **out, const char *name, size_t threads, int64_t patience) WARN_UNUSED;

/* ERR_UNAVAILABLE: too many wait, of the party or of all, or it is stopping; then `run` is not called. */
enum err asking_submit(struct asking *asking, struct asking_item *item, const struct asking_party *party) WARN_UNUSED;

/* How many wait. While nobody does, who is on a thread of its may go on right away. */
size_t asking_waiting(struct asking *asking);

/* The item may go: true, it did not run and will not; false, it has run, to its end. Not from `run`. */
bool asking_withdraw(struct asking *asking, struct asking_item *item);

/* Takes no more, and runs what waits. */
void asking_stop(struct asking *asking);
void asking_free(struct asking *asking);

#endif
