#include "jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "auth/tenant.h"
#include "base/clock.h"
#include "store/query.h"

#define USES_AT_ONCE 256

struct job {
	const char *name;
	int64_t every; /* seconds */
	bool at_end;   /* once more when the server stops */
	void (*run)(const struct house *house);
};

struct waiting_write {
	struct writer_item item;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool finished;
	enum err outcome;
};

static void write_done(void *context, enum err outcome)
{
	struct waiting_write *write = context;

	pthread_mutex_lock(&write->lock);
	write->finished = true;
	write->outcome = outcome;
	pthread_cond_signal(&write->done);
	pthread_mutex_unlock(&write->lock);
}

/* Has the writer do `item` and waits until it is durable. */
static enum err write_and_wait(const struct house *house, struct waiting_write *write)
{
	enum err err;

	pthread_mutex_init(&write->lock, NULL);
	pthread_cond_init(&write->done, NULL);
	err = writer_submit(house->writer, &write->item);
	if (err == OK) {
		pthread_mutex_lock(&write->lock);
		while (!write->finished)
			pthread_cond_wait(&write->done, &write->lock);
		err = write->outcome;
		pthread_mutex_unlock(&write->lock);
	}
	pthread_cond_destroy(&write->done);
	pthread_mutex_destroy(&write->lock);
	return err;
}

static enum err store_use(struct db *db, void *context)
{
	const struct key_use *use = context;

	return query_run(db, STATEMENT_API_KEY_USED,
	                 &(struct api_key_used_in){ .id = use->key, .last_used_at = use->at }, NULL);
}

/* When each key was used last: kept in memory, so that a request costs no write for it. */
static void store_key_uses(const struct house *house)
{
	struct key_use uses[USES_AT_ONCE];
	size_t count;

	do {
		count = api_keys_uses(house->keys, uses, USES_AT_ONCE);
		for (size_t i = 0; i < count; i++) {
			struct arena arena;
			struct waiting_write write = { .item = { .run = store_use,
				                                 .done = write_done,
				                                 .context = NULL } };
			struct {
				struct waiting_write write;
			} *unused = NULL;
			enum err err = ERR_MEMORY;

			(void)unused;
			arena_init(&arena, 4096);
			write.item.scope = tenant_scope(&arena, &uses[i].organization);
			(void)write;
			if (write.item.scope != NULL)
				err = write_and_wait(house, &write);
			if (err != OK)
				LOG(house->log, LOG_WARNING, "when a key was used last could not be stored",
				    LOG_INT("err", err));
			arena_fini(&arena);
		}
	} while (count == USES_AT_ONCE);
}
