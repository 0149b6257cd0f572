#include "store/readers.h"

#include <pthread.h>
#include <stdlib.h>

struct readers {
	pthread_mutex_t lock;
	pthread_cond_t returned;
	size_t count;
	size_t idle;     /* the first `idle` of `stack` are here */
	struct db **all; /* for closing */
	struct db **stack;
};

static void give_back(struct readers *readers, struct db *db)
{
	pthread_mutex_lock(&readers->lock);
	readers->stack[readers->idle++] = db;
	pthread_mutex_unlock(&readers->lock);
	pthread_cond_signal(&readers->returned);
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
	readers->stack = calloc(count, sizeof *readers->stack);
	if (readers->all == NULL || readers->stack == NULL)
		err = fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	while (err == OK && readers->count < count) {
		err = db_open(&readers->all[readers->count], url, DB_READ, log, fault);
		if (err == OK) {
			readers->stack[readers->idle++] = readers->all[readers->count];
			readers->count++;
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
	for (size_t i = 0; i < readers->count; i++)
		db_close(readers->all[i]);
	free(readers->all);
	free(readers->stack);
	pthread_cond_destroy(&readers->returned);
	pthread_mutex_destroy(&readers->lock);
	free(readers);
}

enum err readers_enter(struct readers *readers, const struct scope *scope, struct db **out)
{
	struct db *db;
	enum err err;

	*out = NULL;
	pthread_mutex_lock(&readers->lock);
	while (readers->idle == 0)
		pthread_cond_wait(&readers->returned, &readers->lock);
	db = readers->stack[--readers->idle];
	pthread_mutex_unlock(&readers->lock);
	err = db_begin(db);
	if (err == OK && (err = db_enter(db, scope)) != OK && db_end(db, false) != OK)
		err = ERR_STORAGE;
	if (err != OK) {
		give_back(readers, db);
		return err;
	}
	*out = db;
	return OK;
}

void readers_leave(struct readers *readers, struct db *db)
{
	/* A reader has nothing to keep or to lose: a failure here is in the log, and the next db_begin meets it. */
	enum err left = db_leave(db, true);
	enum err ended = db_end(db, false);

	(void)left;
	(void)ended;
	give_back(readers, db);
}
