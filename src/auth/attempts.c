#include "auth/attempts.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SETS            2048
#define WAYS            4

#define SECOND          1000000 /* microseconds */
#define FREE_OF_ACCOUNT 10
#define FREE_OF_ADDRESS 30
#define MOST_OF_ACCOUNT 60                       /* seconds */
#define MOST_OF_ADDRESS 900                      /* seconds */
#define FORGOTTEN_AFTER ((int64_t)3600 * SECOND) /* of peace */

struct attempt {
	uint8_t address[16];
	bool taken;
	unsigned inside;      /* computations that wait or run: such a place is given to nobody else */
	struct bucket failed; /* credentials */
	struct bucket asked;  /* another server */
	int64_t wrong;        /* passwords */
	int64_t wrong_at;     /* the last of them; clock_monotonic, as below */
	int64_t wait_until;
};

struct attempts {
	pthread_mutex_t lock;
	int64_t per_minute;
	uint8_t secret[crypto_shorthash_KEYBYTES]; /* so that nobody can choose addresses that share a set */
	struct attempt table[SETS][WAYS];
};

enum err attempts_new(struct attempts **out, int64_t per_minute)
{
	struct attempts *attempts = calloc(1, sizeof *attempts);

	*out = attempts;
	if (attempts == NULL)
		return ERR_MEMORY;
	attempts->per_minute = per_minute;
	randombytes_buf(attempts->secret, sizeof attempts->secret);
	pthread_mutex_init(&attempts->lock, NULL);
	return OK;
}

void attempts_free(struct attempts *attempts)
{
	if (attempts == NULL)
		return;
	pthread_mutex_destroy(&attempts->lock);
	free(attempts);
}

static int64_t last_seen(const struct attempt *attempt)
{
	int64_t last = attempt->wrong_at;

	if (last < attempt->failed.touched_at)
		last = attempt->failed.touched_at;
	return last < attempt->asked.touched_at ? attempt->asked.touched_at : last;
}

/* Whether `a` gives way sooner than `b`. */
static bool is_idler(const struct attempt *a, const struct attempt *b)
{
	if (a->taken != b->taken)
		return !a->taken;
	if ((a->inside > 0) != (b->inside > 0))
		return a->inside == 0;
	return last_seen(a) < last_seen(b);
}

static struct attempt *find(struct attempts *attempts, const uint8_t address[16])
{
	uint8_t hash[crypto_shorthash_BYTES];
	struct attempt *set;
	struct attempt *oldest;

	crypto_shorthash(hash, address, 16, attempts->secret);
	set = attempts->table[(hash[0] | (unsigned)hash[1] << 8) % SETS];
	oldest = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].taken && memcmp(set[i].address, address, 16) == 0)
			return &set[i];
		if (is_idler(&set[i], oldest))
			oldest = &set[i];
	}
	memset(oldest, 0, sizeof *oldest);
	memcpy(oldest->address, address, 16);
	oldest->taken = true;
	return oldest;
}

struct attempt_subject attempt_of_address(const uint8_t address[16])
{
	struct attempt_subject subject = { 0 };

	memcpy(subject.bytes, address, sizeof subject.bytes);
	return subject;
}

struct attempt_subject attempt_of_account(struct text email)
{
	struct attempt_subject subject = { .account = true };

	crypto_generichash(subject.bytes, sizeof subject.bytes, (const unsigned char *)email.at, email.length, NULL, 0);
	return subject;
}

/* What happened an hour ago counts no more. */
static struct attempt *find_recent(struct attempts *attempts, const struct attempt_subject *subject)
{
	const int64_t now = clock_monotonic();
	struct attempt *attempt = find(attempts, subject->bytes);

	if (now - attempt->wrong_at > FORGOTTEN_AFTER)
		attempt->wrong = 0;
	return attempt;
}

int64_t attempts_wait(struct attempts *attempts, const struct attempt_subject *subject)
{
	int64_t left;

	pthread_mutex_lock(&attempts->lock);
	left = find_recent(attempts, subject)->wait_until - clock_monotonic();
	pthread_mutex_unlock(&attempts->lock);
	return left <= 0 ? 0 : (left + SECOND - 1) / SECOND;
}

void attempts_wrong(struct attempts *attempts, const struct attempt_subject *subject)
{
	const int64_t most = subject->account ? MOST_OF_ACCOUNT : MOST_OF_ADDRESS;
	const int64_t free_ones = subject->account ? FREE_OF_ACCOUNT : FREE_OF_ADDRESS;
	const int64_t now = clock_monotonic();
	struct attempt *attempt;

	pthread_mutex_lock(&attempts->lock);
	attempt = find_recent(attempts, subject);
	attempt->wrong_at = now;
	attempt->wrong++;
	if (attempt->wrong >= free_ones) {
		const int64_t doublings = attempt->wrong - free_ones;
		const int64_t wait = doublings < 16 ? (int64_t)1 << doublings : most;

		attempt->wait_until = now + (wait < most ? wait : most) * SECOND;
	}
	pthread_mutex_unlock(&attempts->lock);
}

bool attempts_right(struct attempts *attempts, const struct attempt_subject *subject)
{
	struct attempt *attempt;
	bool failed;

	pthread_mutex_lock(&attempts->lock);
	attempt = find(attempts, subject->bytes);
	failed = attempt->wrong > 0;
	attempt->wrong = 0;
	pthread_mutex_unlock(&attempts->lock);
	return failed;
}

struct bucket_state attempts_fail(struct attempts *attempts, const uint8_t address[16])
{
	struct bucket_state state = { .allowed = true };

	if (attempts->per_minute == 0)
		return state;
	pthread_mutex_lock(&attempts->lock);
	state = bucket_take(&find(attempts, address)->failed, attempts->per_minute, clock_monotonic());
	pthread_mutex_unlock(&attempts->lock);
	return state;
}

struct bucket_state attempts_ask(struct attempts *attempts, const uint8_t address[16])
{
	struct bucket_state state = { .allowed = true };

	if (attempts->per_minute == 0)
		return state;
	pthread_mutex_lock(&attempts->lock);
	state = bucket_take(&find(attempts, address)->asked, attempts->per_minute, clock_monotonic());
	pthread_mutex_unlock(&attempts->lock);
	return state;
}

bool attempts_enter(struct attempts *attempts, const uint8_t address[16])
{
	struct attempt *attempt;
	bool free_place;

	pthread_mutex_lock(&attempts->lock);
	attempt = find(attempts, address);
	free_place = attempt->inside < ATTEMPTS_AT_ONCE;
	if (free_place)
		attempt->inside++;
	pthread_mutex_unlock(&attempts->lock);
	return free_place;
}

/* Of a set whose every address computes one may have given way: then there is nothing to count back. */
void attempts_leave(struct attempts *attempts, const uint8_t address[16])
{
	struct attempt *attempt;

	pthread_mutex_lock(&attempts->lock);
	attempt = find(attempts, address);
	if (attempt->inside > 0)
		attempt->inside--;
	pthread_mutex_unlock(&attempts->lock);
}
