#include "api/asking.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* A party of which somebody waits or runs. */
struct turn {
	struct asking_party party;
	struct asking_item *first;
	struct asking_item **last;
	size_t waiting;
	size_t running;
	uint64_t place; /* the lowest is next */
};

struct asker {
	struct asking *asking;
	pthread_t thread;
	const struct asking_item *running; /* guarded by the lock; the item itself may be gone */
};

struct asking {
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;
	pthread_cond_t ran;
	struct turn *turns; /* as many as may wait and run: each may be another party's */
	size_t turn_count;
	size_t waiting;
	uint64_t places; /* given out so far */
	size_t most;     /* threads of one party */
	int64_t patience;
	const char *name;
	bool stopping;
	size_t count;
	struct asker askers[];
};

struct asking_party asking_organization(const struct uuid *organization)
{
	struct asking_party party = { .organization = true };

	memcpy(party.bytes, organization->bytes, sizeof party.bytes);
	return party;
}

struct asking_party asking_address(const struct http_address *address)
{
	struct asking_party party = { 0 };

	memcpy(party.bytes, address->bytes, sizeof party.bytes);
	return party;
}

static struct turn *find(struct asking *asking, const struct asking_party *party)
{
	for (size_t i = 0; i < asking->turn_count; i++) {
		struct turn *turn = &asking->turns[i];

		if (turn->party.organization == party->organization &&
		    memcmp(turn->party.bytes, party->bytes, sizeof party->bytes) == 0)
			return turn;
	}
	return NULL;
}

/* Who comes anew is behind all that are there. */
static struct turn *find_or_add(struct asking *asking, const struct asking_party *party)
{
	struct turn *turn = find(asking, party);

	if (turn == NULL) {
		turn = &asking->turns[asking->turn_count++];
		*turn = (struct turn){ .party = *party, .place = ++asking->places };
	}
	return turn;
}

/* The last one moves to the place of a party of which nobody is left; its list begins in itself. */
static void drop_if_empty(struct asking *asking, struct turn *turn)
{
	if (turn->waiting > 0 || turn->running > 0)
		return;
	*turn = asking->turns[--asking->turn_count];
}

/* Where the next item of the party is hung. */
static struct asking_item **end_of(struct turn *turn)
{
	return turn->first == NULL ? &turn->first : turn->last;
}

static void hang(struct turn *turn, struct asking_item *item)
{
	*end_of(turn) = item;
	turn->last = &item->next;
	turn->waiting++;
}

/* Whose turn it is; NULL: nobody waits who may run. */
static struct turn *choose(const struct asking *asking)
{
	struct turn *next = NULL;

	for (size_t i = 0; i < asking->turn_count; i++) {
		struct turn *turn = &asking->turns[i];

		if (turn->waiting > 0 && turn->running < asking->most && (next == NULL || turn->place < next->place))
			next = turn;
	}
	return next;
}

/* With the lock held, which is released while the item runs. */
static void serve(struct asking *asking, struct asker *asker, struct turn *turn)
{
	struct asking_item *item = turn->first;
	const struct asking_party party = turn->party;
	const bool admitted = clock_monotonic() - item->since < asking->patience;

	turn->first = item->next;
	turn->waiting--;
	turn->running++;
	turn->place = ++asking->places;
	asking->waiting--;
	asker->running = item;
	pthread_mutex_unlock(&asking->lock);
	item->run(item->context, admitted);
	pthread_mutex_lock(&asking->lock);
	asker->running = NULL;
	turn = find(asking, &party);
	turn->running--;
	drop_if_empty(asking, turn);
	pthread_cond_broadcast(&asking->ran);
}

static void *work(void *given)
{
	struct asker *asker = given;
	struct asking *asking = asker->asking;

	pthread_setname_np(pthread_self(), asking->name); /* for top, gdb and perf */
	pthread_mutex_lock(&asking->lock);
	while (!asking->stopping || asking->waiting > 0) {
		struct turn *turn = choose(asking);

		if (turn == NULL)
			pthread_cond_wait(&asking->work, &asking->lock);
		else
			serve(asking, asker, turn);
	}
	/* Another thread may wait for the last of a party to end. */
	pthread_cond_broadcast(&asking->work);
	pthread_mutex_unlock(&asking->lock);
	return NULL;
}

enum err asking_start(struct asking **out, const char *name, size_t threads, int64_t patience)
{
	struct asking *asking = calloc(1, sizeof *asking + threads * sizeof asking->askers[0]);

	*out = NULL;
	if (asking == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&asking->lock, NULL);
	pthread_cond_init(&asking->work, NULL);
	pthread_cond_init(&asking->ran, NULL);
	asking->name = name;
	asking->patience = patience;
	asking->most = threads == 1 ? 1 : threads - (threads + 3) / 4;
	asking->turns = calloc(ASKING_WAITING + threads, sizeof *asking->turns);
	while (asking->turns != NULL && asking->count < threads) {
		struct asker *asker = &asking->askers[asking->count];

		asker->asking = asking;
		if (pthread_create(&asker->thread, NULL, work, asker) != 0)
			break;
		asking->count++;
	}
	if (asking->count < threads) {
		asking_free(asking);
		return ERR_MEMORY;
	}
	*out = asking;
	return OK;
}

enum err asking_submit(struct asking *asking, struct asking_item *item, const struct asking_party *party)
{
	struct turn *turn;
	bool taken;

	item->party = *party;
	item->since = clock_monotonic();
	item->next = NULL;
	pthread_mutex_lock(&asking->lock);
	turn = find(asking, party);
	taken =
	    !asking->stopping && asking->waiting < ASKING_WAITING && (turn == NULL || turn->waiting < ASKING_OF_PARTY);
	if (taken) {
		hang(find_or_add(asking, party), item);
		asking->waiting++;
	}
	pthread_mutex_unlock(&asking->lock);
	/* It is somebody else's by now. */
	if (taken)
		pthread_cond_signal(&asking->work);
	return taken ? OK : ERR_UNAVAILABLE;
}

size_t asking_waiting(struct asking *asking)
{
	size_t waiting;

	pthread_mutex_lock(&asking->lock);
	waiting = asking->waiting;
	pthread_mutex_unlock(&asking->lock);
	return waiting;
}

/* Out of the list, if it is there. */
static bool take_back(struct asking *asking, struct turn *turn, const struct asking_item *item)
{
	struct asking_item **at = &turn->first;

	while (*at != NULL && *at != item)
		at = &(*at)->next;
	if (*at == NULL)
		return false;
	*at = item->next;
	if (item->next == NULL)
		turn->last = at;
	turn->waiting--;
	asking->waiting--;
	drop_if_empty(asking, turn);
	return true;
}

static bool is_running(const struct asking *asking, const struct asking_item *item)
{
	for (size_t i = 0; i < asking->count; i++)
		if (asking->askers[i].running == item)
			return true;
	return false;
}

bool asking_withdraw(struct asking *asking, struct asking_item *item)
{
	struct turn *turn;
	bool waited;

	pthread_mutex_lock(&asking->lock);
	turn = find(asking, &item->party);
	waited = turn != NULL && take_back(asking, turn, item);
	while (!waited && is_running(asking, item))
		pthread_cond_wait(&asking->ran, &asking->lock);
	pthread_mutex_unlock(&asking->lock);
	return waited;
}

void asking_stop(struct asking *asking)
{
	if (asking == NULL)
		return;
	pthread_mutex_lock(&asking->lock);
	asking->stopping = true;
	pthread_cond_broadcast(&asking->work);
	pthread_mutex_unlock(&asking->lock);
	for (size_t i = 0; i < asking->count; i++)
		pthread_join(asking->askers[i].thread, NULL);
	asking->count = 0;
}

void asking_free(struct asking *asking)
{
	if (asking == NULL)
		return;
	asking_stop(asking);
	free(asking->turns);
	pthread_cond_destroy(&asking->ran);
	pthread_cond_destroy(&asking->work);
	pthread_mutex_destroy(&asking->lock);
	free(asking);
}
