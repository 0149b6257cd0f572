#include "store/readers.h"

#include <pthread.h>
#include <stdlib.h>

struct reader {
	struct db *db;
	struct reader *next; /* idle as well */
};

struct readers {
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct reader *idle; /* guarded by the lock */
	struct reader *all;
	size_t count;
};

static void give_back(struct readers *readers, struct reader *reader)
{
	pthread_mutex_lock(&readers->lock);
	reader->next = readers->idle;
	readers->idle = reader;
	pthread_mutex_unlock(&readers->lock);
	pthread_cond_signal(&readers->returned);
}

static struct reader *take(struct readers *readers)
{
	struct reader *reader;

	pthread_mutex_lock(&readers->lock);
	while (readers->idle == NULL)
		pthread_cond_wait(&readers->returned, &readers->lock);
	reader = readers->idle;
	readers->idle = reader->next;
	pthread_mutex_unlock(&readers->lock);
	return reader;
}

enum err readers_new(struct readers **out, struct text url, size_t count, const struct log *log, struct fault *fault)
{
	struct readers *readers = calloc(1, sizeof *readers);
	enum err err = OK;

	*out = NULL;
	if (readers == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	pthread_mutex_init(&readers->lock, NULL);
	pthread_cond_init(&readers->returned, NULL);
	readers->all = calloc(count, sizeof *readers->all);
	if (readers->all == NULL) {
		readers_free(readers);
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	}
	while (err == OK && readers->count < count) {
		struct reader *reader = &readers->all[readers->count];

		err = db_open(&reader->db, url, DB_READ, log, fault);
		if (err == OK) {
			readers->count++;
			give_back(readers, reader);
		}
	}
	if (err != OK) {
		readers_free(readers);
		return err;
	}
	*out = readers;
	return OK;
}

void readers_free(struct readers *readers)
{
	if (readers == NULL)
		return;
	for (size_t i = 0; readers->all != NULL && i < readers->count; i++)
		db_close(readers->all[i].db);
	free(readers->all);
	pthread_cond_destroy(&readers->returned);
	pthread_mutex_destroy(&readers->lock);
	free(readers);
}

enum err readers_enter(struct readers *readers, const struct scope *scope, struct reading *out)
{
	struct reader *reader = take(readers);
	enum err err = db_begin(reader->db);

	*out = (struct reading){ 0 };
	if (err == OK && (err = db_enter(reader->db, scope)) != OK && db_end(reader->db, false) != OK)
		err = ERR_STORAGE;
	if (err != OK) {
		give_back(readers, reader);
		return err;
	}
	*out = (struct reading){ reader->db, reader };
	db_limit(reader->db, READERS_MOST_MICROSECONDS);
	return OK;
}

void readers_take_time(struct reading *reading)
{
	db_limit(reading->db, 0);
}

void readers_leave(struct readers *readers, struct reading *reading)
{
	/* A reader has nothing to keep or to lose: a failure here is in the log, and the next db_begin meets it. */
	enum err left = db_leave(reading->db, true);
	enum err ended = db_end(reading->db, false);

	(void)left;
	(void)ended;
	give_back(readers, reading->reader);
	*reading = (struct reading){ 0 };
}
