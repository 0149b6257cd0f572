#include "base/uuid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

#define LATEST   ((INT64_C(1) << 48) - 1)
#define POOL_IDS 16 /* 256 bytes: getrandom gives so many whole, whatever signals come */

struct uuid uuid_new(void)
{
	return uuid_new_at(clock_now());
}

/* Random bytes of this thread, fetched for several ids at a time: the call into the system costs as much as the rest.
 */
static _Thread_local struct {
	uint8_t bytes[POOL_IDS][sizeof(struct uuid)];
	size_t left;
} pool;

static void take_random(uint8_t out[sizeof(struct uuid)])
{
	if (pool.left == 0) {
		ssize_t got;

		do
			got = getrandom(pool.bytes, sizeof pool.bytes, 0);
		while (got < 0 && errno == EINTR);
		/* Without randomness no id may be made: a guessable one is worse than none. */
		if (got != (ssize_t)sizeof pool.bytes)
			abort();
		pool.left = POOL_IDS;
	}
	pool.left--;
	memcpy(out, pool.bytes[pool.left], sizeof(struct uuid));
	explicit_bzero(pool.bytes[pool.left], sizeof(struct uuid));
}

struct uuid uuid_new_at(int64_t time_ms)
{
	struct uuid id;

	take_random(id.bytes);
	uint64_t time = (uint64_t)(time_ms < 0 ? 0 : time_ms > LATEST ? LATEST : time_ms);
	for (int i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)(time >> (40 - 8 * i));
	id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 0x0F)); /* version 7 */
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3F)); /* variant of RFC 9562 */
	return id;
}

bool uuid_is_nil(const struct uuid *id)
{
	static const struct uuid nil;

	return uuid_equal(id, &nil);
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static bool dash_before(size_t byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void uuid_format(const struct uuid *id, char out[UUID_TEXT_SIZE])
{
	for (size_t i = 0; i < sizeof id->bytes; i++) {
		if (dash_before(i))
			*out++ = '-';
		text_hex(&id->bytes[i], 1, out);
		out += 2;
	}
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

enum err uuid_parse(struct text text, struct uuid *out)
{
	const char *at = text.at;
	struct uuid id;

	if (text.length != UUID_TEXT_SIZE - 1)
		return ERR_INVALID;
	for (size_t i = 0; i < sizeof id.bytes; i++) {
		if (dash_before(i) && *at++ != '-')
			return ERR_INVALID;
		int high = hex_value(*at++);
		int low = hex_value(*at++);
		if (high < 0 || low < 0)
			return ERR_INVALID;
		id.bytes[i] = (uint8_t)(high * 16 + low);
	}
	if (uuid_is_nil(&id))
		return ERR_INVALID;
	*out = id;
	return OK;
}
