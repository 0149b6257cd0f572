#include "store/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/saturation.h"
#include "store/scope_make.h"

#define BATCH_MICROSECONDS                                                                                             \
	20000 /* a batch takes no further item after this long: those who wait in it have waited enough */
#define TIDY_MICROSECONDS 1000000 /* of silence, and the log's pages go home */
#define IDLE_MICROSECONDS                                                                                              \
	20000 /* of silence before a step that nobody waits for: between two requests of one client is none */
#define IDLE_AT_LEAST 200000 /* and without such silence, a step this often at most */

struct writer {
	struct writer_options options;
	struct db *db;
	int64_t silent_since; /* clock_monotonic, as the two below; the thread's own */
	int64_t idled_at;
	bool more_idle; /* the last idle step left something to do */
	bool tidied;
	bool unbroken; /* the work that was taken had been waiting when the commit before it ended */
	struct saturation saturation;
	_Atomic int64_t saturated_until; /* clock_monotonic; 0: it is not. Any thread reads it */
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;
	struct writer_item *first;
	struct writer_item **last; /* where the next one is hung */
	size_t depth;
	bool stopping;
};

/* What the disk holds is unknown now, and so is what the page cache says it holds (fsync's error is told once): only a
 * restart reads the truth back from the log. https://www.usenix.org/conference/atc20/presentation/rebello */
static _Noreturn void end_process(const struct writer *writer, const char *what)
{
	LOG(writer->options.log, LOG_ERROR,
	    "a write to the disk failed: ending now, so that nothing is called stored that may not be; restart after "
	    "checking "
	    "the disk",
	    LOG_STRING("while", what));
	_exit(1);
}

static enum err run_one(struct writer *writer, struct writer_item *item)
{
	const struct writer_hooks *hooks = &writer->options.hooks;
	enum err err;

	if (item->parts) {
		item->outcome = item->run(writer->db, item->context);
		return item->outcome;
	}
	if (db_enter(writer->db, item->scope) != OK)
		return ERR_STORAGE;
	item->outcome = item->run(writer->db, item->context);
	err = db_leave(writer->db, item->outcome == OK);
	if (hooks->end_item != NULL)
		hooks->end_item(hooks->context, item->outcome == OK);
	return err;
}

static void forget(struct writer *writer)
{
	if (writer->options.hooks.forget != NULL)
		writer->options.hooks.forget(writer->options.hooks.context);
}

/* Gives the transaction up. */
static enum err lose(struct writer *writer)
{
	forget(writer);
	return db_end(writer->db, false) == OK ? ERR_UNAVAILABLE : ERR_STORAGE;
}

/* One transaction over the items from `first` on, as many as the limits let in; `*rest` is the first one left out. */
static enum err run_batch(struct writer *writer, struct writer_item *first, struct writer_item **rest, size_t *count)
{
	const int64_t started = clock_monotonic();
	struct writer_item *item = first;
	int64_t ran;
	enum err err = db_begin(writer->db);

	*count = 0;
	while (err == OK && item != NULL && *count < writer->options.batch_limit) {
		err = run_one(writer, item);
		item = item->next;
		++*count;
		if (clock_monotonic() - started > BATCH_MICROSECONDS)
			break;
	}
	if (err != OK) {
		/* The transaction is lost as a whole; those behind it fail with it rather than meet a sick database one
		 * by one. */
		while (item != NULL) {
			item = item->next;
			++*count;
		}
		*rest = NULL;
		return lose(writer);
	}
	*rest = item;
	if (writer->options.hooks.settle != NULL &&
	    writer->options.hooks.settle(writer->db, writer->options.hooks.context) != OK)
		return lose(writer);
	ran = clock_monotonic();
	err = db_end(writer->db, true);
	if (err != OK)
		forget(writer);
	histogram_time(&writer->options.metrics->commit, clock_monotonic() - ran);
	histogram_items(&writer->options.metrics->batch_size, *count);
	return err;
}

static void answer(struct writer_item *first, size_t count, enum err err)
{
	for (struct writer_item *item = first; count > 0; count--) {
		struct writer_item *next = item->next; /* done may free the item */

		item->done(item->context, err == OK ? item->outcome : err);
		item = next;
	}
}

static void note_saturation(struct writer *writer)
{
	const bool saturated = saturation_note(&writer->saturation, clock_monotonic(), writer->unbroken);

	atomic_store_explicit(&writer->saturated_until, saturated ? INT64_MAX : 0, memory_order_relaxed);
	writer->unbroken = true; /* what may be left of this list has been waiting */
}

static void write_all(struct writer *writer, struct writer_item *first)
{
	while (first != NULL) {
		struct writer_item *rest;
		size_t count;
		enum err err = run_batch(writer, first, &rest, &count);

		if (err == ERR_STORAGE)
			end_process(writer, "committing");
		note_saturation(writer);
		answer(first, count, err);
		if (db_tidy(writer->db, false) == ERR_STORAGE)
			end_process(writer, "moving the log home");
		first = rest;
	}
}

/* One step of the work that nobody waits for. */
static void idle(struct writer *writer)
{
	const struct writer_hooks *hooks = &writer->options.hooks;
	enum err err = db_begin(writer->db);
	enum err step = ERR_UNAVAILABLE;

	writer->more_idle = false;
	if (err == OK) {
		step = hooks->idle(writer->db, hooks->context, &writer->more_idle);
		if (step == OK && hooks->settle != NULL)
			step = hooks->settle(writer->db, hooks->context);
		err = db_end(writer->db, step == OK);
	}
	if (err == ERR_STORAGE)
		end_process(writer, "committing a step of background work");
	if (err != OK || step != OK) {
		forget(writer);
		writer->more_idle = false;
		LOG(writer->options.log, LOG_WARNING, "a step of background work was not stored; it is tried again",
		    LOG_INT("err", step != OK ? step : err));
	}
	writer->idled_at = clock_monotonic();
}

/* What the thread does next while nobody waits, and when: 0 is now, INT64_MAX never. */
static int64_t idle_due(const struct writer *writer)
{
	const int64_t quiet = writer->silent_since + IDLE_MICROSECONDS;
	const int64_t often = writer->idled_at + IDLE_AT_LEAST;

	if (writer->options.hooks.idle == NULL || !writer->more_idle)
		return INT64_MAX;
	return quiet < often ? quiet : often;
}

static int64_t tidy_due(const struct writer *writer)
{
	return writer->tidied ? INT64_MAX : writer->silent_since + TIDY_MICROSECONDS;
}

/* Does what is due while nobody waits. */
static void use_silence(struct writer *writer)
{
	if (clock_monotonic() >= idle_due(writer)) {
		idle(writer);
		writer->tidied = false;
	} else if (clock_monotonic() >= tidy_due(writer)) {
		if (db_tidy(writer->db, true) == ERR_STORAGE)
			end_process(writer, "moving the log home");
		writer->tidied = true;
	}
}

static void wait_for_work(struct writer *writer)
{
	const int64_t idle_at = idle_due(writer);
	const int64_t tidy_at = tidy_due(writer);
	const int64_t until = idle_at < tidy_at ? idle_at : tidy_at;
	const struct timespec time = { .tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000 };

	if (until == INT64_MAX) {
		pthread_cond_wait(&writer->work, &writer->lock);
	} else if (clock_monotonic() >= until ||
		   pthread_cond_timedwait(&writer->work, &writer->lock, &time) == ETIMEDOUT) {
		pthread_mutex_unlock(&writer->lock);
		use_silence(writer);
		pthread_mutex_lock(&writer->lock);
	}
}

/* Waits for work; NULL when stopping and nothing is left. */
static struct writer_item *take(struct writer *writer)
{
	struct writer_item *first;

	writer->silent_since = clock_monotonic();
	writer->tidied = false;
	writer->more_idle = true; /* what was just written may be news to the idle step */
	pthread_mutex_lock(&writer->lock);
	writer->unbroken = writer->first != NULL;
	/* However long a commit takes, it does not end by that; a pause ends it. */
	if (!writer->unbroken && writer->saturation.high)
		atomic_store_explicit(&writer->saturated_until, writer->silent_since + SATURATION_MEMORY,
				      memory_order_relaxed);
	while (writer->first == NULL && !writer->stopping)
		wait_for_work(writer);
	first = writer->first;
	writer->first = NULL;
	writer->last = &writer->first;
	writer->depth = 0;
	pthread_mutex_unlock(&writer->lock);
	return first;
}

static void *work(void *given)
{
	struct writer *writer = given;
	struct writer_item *first;

	pthread_setname_np(pthread_self(), "writer"); /* for top, gdb and perf */
	while ((first = take(writer)) != NULL)
		write_all(writer, first);
	if (db_tidy(writer->db, true) == ERR_STORAGE)
		end_process(writer, "moving the log home");
	return NULL;
}

enum err writer_start(struct writer **out, const struct writer_options *options, struct fault *fault)
{
	struct writer *writer = malloc(sizeof *writer);
	pthread_condattr_t monotonic;
	enum err err;

	*out = NULL;
	if (writer == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	*writer = (struct writer){ .options = *options };
	writer->last = &writer->first;
	err = db_open(&writer->db, options->url, DB_WRITE, options->log, fault);
	if (err != OK) {
		free(writer);
		return err;
	}
	pthread_mutex_init(&writer->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&writer->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&writer->thread, NULL, work, writer) != 0) {
		pthread_cond_destroy(&writer->work);
		pthread_mutex_destroy(&writer->lock);
		db_close(writer->db);
		free(writer);
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "The writer's thread could not be started.");
	}
	*out = writer;
	return OK;
}

enum err writer_submit(struct writer *writer, struct writer_item *item)
{
	bool taken;
	bool wake;

	item->next = NULL;
	item->outcome = OK;
	pthread_mutex_lock(&writer->lock);
	taken = !writer->stopping && writer->depth < writer->options.queue_limit;
	wake = taken && writer->first == NULL;
	if (taken) {
		*writer->last = item;
		writer->last = &item->next;
		writer->depth++;
	}
	pthread_mutex_unlock(&writer->lock);
	if (wake)
		pthread_cond_signal(&writer->work);
	if (!taken)
		atomic_fetch_add_explicit(&writer->options.metrics->rejected, 1, memory_order_relaxed);
	return taken ? OK : ERR_UNAVAILABLE;
}

struct performance {
	struct writer_item item;
	enum err (*run)(struct db *db, void *context);
	void *context;
	pthread_mutex_t lock;
	pthread_cond_t finished;
	bool done;
	enum err outcome;
};

static enum err perform_run(struct db *db, void *context)
{
	struct performance *performance = context;

	return performance->run(db, performance->context);
}

static void perform_done(void *context, enum err outcome)
{
	struct performance *performance = context;

	pthread_mutex_lock(&performance->lock);
	performance->done = true;
	performance->outcome = outcome;
	pthread_cond_signal(&performance->finished);
	pthread_mutex_unlock(&performance->lock);
}

enum err writer_perform(struct writer *writer, const struct scope *scope, enum err (*run)(struct db *db, void *context),
			void *context)
{
	struct performance performance = { .item = { .scope = scope, .run = perform_run, .done = perform_done },
					   .run = run,
					   .context = context };
	enum err err;

	performance.item.context = &performance;
	pthread_mutex_init(&performance.lock, NULL);
	pthread_cond_init(&performance.finished, NULL);
	err = writer_submit(writer, &performance.item);
	if (err == OK) {
		pthread_mutex_lock(&performance.lock);
		while (!performance.done)
			pthread_cond_wait(&performance.finished, &performance.lock);
		err = performance.outcome;
		pthread_mutex_unlock(&performance.lock);
	}
	pthread_cond_destroy(&performance.finished);
	pthread_mutex_destroy(&performance.lock);
	return err;
}

struct posted {
	struct writer_item item;
	const struct log *log;
	struct scope scope;
	max_align_t context[]; /* a copy */
};

static void posted_done(void *context, enum err outcome)
{
	struct posted *posted = (struct posted *)(void *)((char *)context - offsetof(struct posted, context));

	if (outcome != OK)
		LOG(posted->log, LOG_WARNING, "a write that nobody waits for was not stored", LOG_INT("err", outcome));
	free(posted);
}

enum err writer_post(struct writer *writer, const struct scope *scope, enum err (*run)(struct db *db, void *context),
		     const void *context, size_t size)
{
	struct posted *posted = calloc(1, sizeof *posted + size);
	enum err err;

	if (posted == NULL)
		return ERR_MEMORY;
	posted->scope = *scope;
	posted->log = writer->options.log;
	memcpy(posted->context, context, size);
	posted->item = (struct writer_item){
		.scope = &posted->scope, .run = run, .done = posted_done, .context = posted->context
	};
	err = writer_submit(writer, &posted->item);
	if (err != OK)
		free(posted);
	return err;
}

size_t writer_depth(struct writer *writer)
{
	size_t depth;

	pthread_mutex_lock(&writer->lock);
	depth = writer->depth;
	pthread_mutex_unlock(&writer->lock);
	return depth;
}

bool writer_is_saturated(const struct writer *writer)
{
	const int64_t until = atomic_load_explicit(&writer->saturated_until, memory_order_relaxed);

	return until != 0 && clock_monotonic() < until;
}

void writer_stop(struct writer *writer)
{
	if (writer == NULL)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->stopping = true;
	pthread_mutex_unlock(&writer->lock);
	pthread_cond_signal(&writer->work);
	pthread_join(writer->thread, NULL);
	db_close(writer->db);
	pthread_cond_destroy(&writer->work);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}
