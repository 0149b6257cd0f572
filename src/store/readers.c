#include "store/readers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct db *db;       /* NULL: not opened yet */
	struct reader *next; /* idle as well */
};

struct readers {
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct reader *idle; /* guarded by the lock */
	struct reader *all;
	size_t count;
	char *url;
	_Atomic bool forsaken;
	const struct log *log;
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

static enum err open_reader(struct readers *readers, struct reader *reader, struct fault *fault)
{
	if (atomic_load(&readers->forsaken) && reader->db != NULL && !db_stands(reader->db))
		return fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The server stops.");
	return reader->db != NULL ? OK : db_open(&reader->db, text_of(readers->url), DB_READ, readers->log, fault);
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
	readers->log = log;
	readers->url = strndup(url.at, url.length);
	readers->all = calloc(count, sizeof *readers->all);
	if (readers->all == NULL || readers->url == NULL) {
		readers_free(readers);
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	}
	readers->count = count;
	err = open_reader(readers, &readers->all[0], fault);
	/* The last one given back is the first one lent. */
	for (size_t i = count; i > 0; i--)
		give_back(readers, &readers->all[i - 1]);
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
		if (readers->all[i].db != NULL)
			db_close(readers->all[i].db);
	free(readers->all);
	free(readers->url);
	pthread_cond_destroy(&readers->returned);
	pthread_mutex_destroy(&readers->lock);
	free(readers);
}

void readers_forsake(struct readers *readers)
{
	if (readers != NULL)
		atomic_store(&readers->forsaken, true);
}

enum err readers_enter(struct readers *readers, const struct scope *scope, struct reading *out)
{
	struct reader *reader = take(readers);
	struct fault fault = { 0 };
	enum err err = open_reader(readers, reader, &fault);

	*out = (struct reading){ 0 };
	if (err != OK)
		LOG(readers->log, LOG_ERROR, "a connection for reading could not be opened",
		    LOG_STRING("reason", fault.sentence));
	else
		err = db_begin(reader->db);
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
