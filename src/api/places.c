#include "api/places.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct holder {
	struct uuid organization;
	size_t count; /* 0: nobody's row */
};

struct places {
	pthread_mutex_t lock;
	size_t all;
	size_t each;
	size_t taken;
	struct holder holders[]; /* `all`: each may be another organization's */
};

enum err places_new(struct places **out, size_t all, size_t each)
{
	struct places *places;

	assert(all > 0 && all <= 4096);
	places = calloc(1, sizeof *places + all * sizeof places->holders[0]);
	*out = places;
	if (places == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&places->lock, NULL);
	places->all = all;
	places->each = each;
	return OK;
}

void places_free(struct places *places)
{
	if (places == NULL)
		return;
	pthread_mutex_destroy(&places->lock);
	free(places);
}

/* The organization's row, else a free one; under the lock. NULL: it has none, and all are others'. */
static struct holder *find(struct places *places, const struct uuid *organization)
{
	struct holder *unused = NULL;

	for (size_t i = 0; i < places->all; i++) {
		struct holder *holder = &places->holders[i];

		if (holder->count > 0 && uuid_equal(&holder->organization, organization))
			return holder;
		if (holder->count == 0 && unused == NULL)
			unused = holder;
	}
	return unused;
}

bool places_enter(struct places *places, const struct uuid *organization)
{
	struct holder *holder;
	bool entered;

	pthread_mutex_lock(&places->lock);
	holder = find(places, organization);
	entered = holder != NULL && places->taken < places->all && holder->count < places->each;
	if (entered) {
		holder->organization = *organization;
		holder->count++;
		places->taken++;
	}
	pthread_mutex_unlock(&places->lock);
	return entered;
}

void places_leave(struct places *places, const struct uuid *organization)
{
	struct holder *holder;

	pthread_mutex_lock(&places->lock);
	holder = find(places, organization);
	assert(holder != NULL && holder->count > 0);
	holder->count--;
	places->taken--;
	pthread_mutex_unlock(&places->lock);
}
