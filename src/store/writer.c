#include "store/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/lane.h"
#include "store/scope_make.h"

struct writer {
	struct metrics *metrics;
	const struct log *log;
	struct lanes_work work;
	size_t lane_count;
	bool stopped; /* its owner's alone to look at */
	struct lane *lanes[WRITER_LANES];
};

enum err writer_start(struct writer **out, const struct writer_options *options, struct fault *fault)
{
	struct writer *writer = calloc(1, sizeof *writer);
	bool remote = false;
	enum err err = db_know(options->url, &remote, fault);
	size_t lanes = remote ? WRITER_LANES : 1; /* SQLite has one writer */

	*out = NULL;
	if (writer == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	writer->metrics = options->metrics;
	writer->log = options->log;
	if (options->lanes > 0 && options->lanes < lanes)
		lanes = options->lanes;
	while (err == OK && writer->lane_count < lanes) {
		err = lane_start(&writer->lanes[writer->lane_count], options, writer->lane_count, &writer->work, fault);
		if (err == OK)
			writer->lane_count++;
	}
	if (err != OK) {
		writer_free(writer);
		return err;
	}
	*out = writer;
	return OK;
}

/* What is nobody's is the first lane's: it is rare. Of an organization's id the last bytes are random. */
static struct lane *lane_of(const struct writer *writer, const struct scope *scope)
{
	const struct uuid *organization = scope_organization(scope);

	return writer->lanes[organization == NULL ? 0 : organization->bytes[15] % writer->lane_count];
}

enum err writer_submit(struct writer *writer, struct writer_item *item)
{
	if (lane_submit(lane_of(writer, item->scope), item))
		return OK;
	atomic_fetch_add_explicit(&writer->metrics->rejected, 1, memory_order_relaxed);
	return ERR_UNAVAILABLE;
}

struct performance {
	struct writer_item item;
	const struct writer_work *work;
	pthread_mutex_t lock;
	pthread_cond_t finished;
	bool done;
	enum err outcome;
};

static enum err perform_run(struct db *db, void *context)
{
	struct performance *performance = context;

	return performance->work->run(db, performance->work->context);
}

static void perform_again(void *context)
{
	const struct performance *performance = context;

	performance->work->again(performance->work->context);
}

static void perform_foresee(struct db *db, enum foresight round, void *context)
{
	const struct performance *performance = context;

	performance->work->foresee(db, round, performance->work->context);
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
	return writer_perform_work(writer, scope, &(struct writer_work){ .run = run, .context = context });
}

enum err writer_perform_work(struct writer *writer, const struct scope *scope, const struct writer_work *work)
{
	struct performance performance = { .item = { .scope = scope,
						     .run = perform_run,
						     .done = perform_done,
						     .again = work->again == NULL ? NULL : perform_again,
						     .foresee = work->foresee == NULL ? NULL : perform_foresee },
					   .work = work };
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
	posted->log = writer->log;
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
	size_t depth = 0;

	for (size_t i = 0; i < writer->lane_count; i++)
		depth += lane_depth(writer->lanes[i]);
	return depth;
}

bool writer_is_saturated(const struct writer *writer)
{
	for (size_t i = 0; i < writer->lane_count; i++)
		if (lane_is_saturated(writer->lanes[i]))
			return true;
	return false;
}

bool writer_is_lost(const struct writer *writer)
{
	for (size_t i = 0; i < writer->lane_count; i++)
		if (lane_is_lost(writer->lanes[i]))
			return true;
	return false;
}

void writer_forsake(struct writer *writer)
{
	if (writer != NULL)
		atomic_store(&writer->work.forsaken, true);
}

void writer_stop(struct writer *writer)
{
	if (writer == NULL || writer->stopped)
		return;
	for (size_t i = 0; i < writer->lane_count; i++)
		lane_stop(writer->lanes[i]);
	writer->stopped = true;
}

void writer_free(struct writer *writer)
{
	if (writer == NULL)
		return;
	writer_stop(writer);
	for (size_t i = 0; i < writer->lane_count; i++)
		lane_free(writer->lanes[i]);
	free(writer);
}
