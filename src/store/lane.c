#include "store/lane.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/saturation.h"

#define BATCH_MICROSECONDS                                                                                             \
	20000 /* a batch takes no further item after this long: those who wait in it have waited enough */
#define TIDY_MICROSECONDS 1000000 /* of silence, and the log's pages go home */
#define IDLE_MICROSECONDS                                                                                              \
	20000 /* of silence before a step that nobody waits for: between two requests of one client is none */
#define IDLE_AT_LEAST     200000 /* and without such silence, a step this often at most */

#define CARE_MICROSECONDS 60000000 /* of steps, behind one that failed without: it is likely to fail again */

#define FORESEE_ITEMS     256 /* whose reads are asked for at once, at most */
#define FORESEE_MICROSECONDS                                                                                           \
	1000 /* of asking: what a batch has no time left for would be asked for in vain, again and again */
#define LOOK_MICROSECONDS 500000 /* where other lanes and processes write, a look for what they left to do */

/* A connection that writes, and its thread. An organization's writes are always the same lane's. */
struct lane {
	struct writer_options options;
	struct db *db;
	int64_t silent_since; /* clock_monotonic, as the three below; the thread's own */
	int64_t idled_at;
	int64_t idle_care_until; /* where that is a choice */
	bool more_idle;          /* the last idle step left something to do */
	bool tidied;
	struct lanes_work *all; /* what all lanes do */
	bool unbroken;          /* the work that was taken had been waiting when the commit before it ended */
	struct saturation saturation;
	_Atomic bool lost;               /* the connection; any thread reads it */
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
static _Noreturn void end_process(const struct lane *lane, const char *what)
{
	LOG(lane->options.log, LOG_ERROR,
	    "a write to the disk failed: ending now, so that nothing is called stored that may not be; restart after "
	    "checking "
	    "the disk",
	    LOG_STRING("while", what));
	_exit(1);
}

static enum err run_one(struct lane *lane, struct writer_item *item)
{
	const struct writer_hooks *hooks = &lane->options.hooks;
	enum err err;

	if (item->foresee == NULL && hooks->catch_up != NULL && hooks->catch_up(hooks->context, lane->db) != OK)
		return ERR_STORAGE;
	if (item->parts) {
		item->outcome = item->run(lane->db, item->context);
		return item->outcome;
	}
	if (db_enter(lane->db, item->scope) != OK)
		return ERR_STORAGE;
	item->outcome = item->run(lane->db, item->context);
	err = db_leave(lane->db, item->outcome == OK);
	if (err != OK && err != ERR_STORAGE) { /* the item alone has failed */
		item->outcome = err;
		err = OK;
	}
	if (hooks->end_item != NULL)
		hooks->end_item(hooks->context, lane->db, item->outcome == OK);
	return err;
}

static void forget(struct lane *lane)
{
	if (lane->options.hooks.forget != NULL)
		lane->options.hooks.forget(lane->options.hooks.context, lane->db);
}

/* Gives the transaction up. */
static enum err lose(struct lane *lane)
{
	forget(lane);
	return db_end(lane->db, false) == OK ? ERR_UNAVAILABLE : ERR_STORAGE;
}

/* When the server stops nobody has the time to wait until a lost database can be reached again. */
static enum err begin(struct lane *lane)
{
	if (atomic_load(&lane->all->forsaken) && atomic_load(&lane->lost))
		return ERR_UNAVAILABLE;
	return db_begin(lane->db);
}

static void note_loss(struct lane *lane)
{
	atomic_store(&lane->lost, !db_stands(lane->db));
}

static const struct uuid *whose(const struct writer_item *item)
{
	static const struct uuid nobody;
	const struct uuid *organization = scope_organization(item->scope);

	return organization == NULL ? &nobody : organization;
}

/* One list, its items in the order of their organizations, those of one in the order they came. */
static struct writer_item *merge(struct writer_item *a, struct writer_item *b)
{
	struct writer_item *first = NULL;
	struct writer_item **last = &first;

	while (a != NULL && b != NULL) {
		struct writer_item **less = memcmp(whose(b), whose(a), sizeof(struct uuid)) < 0 ? &b : &a;

		*last = *less;
		last = &(*last)->next;
		*less = *less == NULL ? NULL : (*less)->next;
	}
	*last = a != NULL ? a : b;
	return first;
}

/* Writers of several processes lock organizations: all in the same order, so that no two wait for each other. */
static struct writer_item *sort(struct writer_item *list)
{
	struct writer_item *slow = list;
	struct writer_item *behind;

	if (list == NULL || list->next == NULL)
		return list;
	for (const struct writer_item *fast = list->next; fast != NULL && fast->next != NULL; fast = fast->next->next)
		slow = slow->next;
	behind = slow->next;
	slow->next = NULL;
	return merge(sort(list), sort(behind));
}

/* Whether care is needed from the start: not all of the items can be run a second time. */
static bool needs_care(const struct lane *lane, const struct writer_item *item)
{
	for (size_t i = 0; item != NULL && i < lane->options.batch_limit; i++, item = item->next)
		if (item->again == NULL)
			return true;
	return false;
}

/* What follows from what the first round has found: that waits for its answers, all of them together. */
static void foresee_further(struct lane *lane, const struct writer_item *item, size_t count)
{
	for (; count > 0; count--, item = item->next)
		if (item->foresee != NULL)
			item->foresee(lane->db, FORESEE_FOUND, item->context);
}

/* What the items of one organization will read is asked for together: of `*ahead` items from `first` on, at least one.
 */
static enum err foresee(struct lane *lane, const struct writer_item *first, size_t *ahead)
{
	const struct writer_hooks *hooks = &lane->options.hooks;
	const int64_t started = clock_monotonic();
	const struct writer_item *item = first;
	enum err err = db_enter(lane->db, first->scope);

	*ahead = 0;
	if (err != OK)
		return err;
	do {
		if (item->foresee != NULL)
			item->foresee(lane->db, FORESEE_NAMED, item->context);
		item = item->next;
		++*ahead;
	} while (item != NULL && uuid_equal(whose(item), whose(first)) && *ahead < FORESEE_ITEMS &&
		 clock_monotonic() - started < FORESEE_MICROSECONDS);
	if (hooks->foresee != NULL)
		hooks->foresee(hooks->context, lane->db);
	foresee_further(lane, first, *ahead);
	return db_leave(lane->db, true);
}

/* Runs the items from `first` on, as many as the limits let in; `*rest` is the first one left out. */
static enum err run_items(struct lane *lane, struct writer_item *first, bool care, struct writer_item **rest,
			  size_t *count)
{
	const int64_t started = clock_monotonic();
	size_t ahead = 0;
	enum err err = OK;

	for (*rest = first; err == OK && *rest != NULL && *count < lane->options.batch_limit; *rest = (*rest)->next) {
		if (!care && ahead == 0)
			err = foresee(lane, *rest, &ahead);
		if (err == OK)
			err = run_one(lane, *rest);
		ahead -= ahead > 0;
		++*count;
		if (clock_monotonic() - started > BATCH_MICROSECONDS) {
			*rest = (*rest)->next;
			break;
		}
	}
	return err;
}

static enum err settle(struct lane *lane)
{
	const struct writer_hooks *hooks = &lane->options.hooks;

	return hooks->settle == NULL ? OK : hooks->settle(lane->db, hooks->context);
}

static enum err run_transaction(struct lane *lane, struct writer_item *first, bool care, struct writer_item **rest,
				size_t *count)
{
	int64_t ran;
	enum err err;

	*count = 0;
	*rest = first;
	db_set_care(lane->db, care);
	err = begin(lane);
	if (err == OK)
		err = run_items(lane, first, care, rest, count);
	if (err != OK)
		return lose(lane);
	if (settle(lane) != OK)
		return lose(lane);
	ran = clock_monotonic();
	err = db_end(lane->db, true);
	if (err != OK)
		forget(lane);
	histogram_time(&lane->options.metrics->commit, clock_monotonic() - ran);
	histogram_items(&lane->options.metrics->batch_size, *count);
	return err;
}

/* One transaction over the items from `first` on; `*rest` is the first one left out. What fails without care, where the
 * database can tell them apart by it, is done once more with care: then an item fails alone. */
static enum err run_batch(struct lane *lane, struct writer_item *first, struct writer_item **rest, size_t *count)
{
	const bool care = !db_is_remote(lane->db) || needs_care(lane, first);
	struct writer_item *item = first;
	enum err err = run_transaction(lane, first, care, rest, count);

	if (err == ERR_UNAVAILABLE && !care && db_wants_care(lane->db)) {
		for (size_t i = 0; i < *count; i++, item = item->next)
			item->again(item->context);
		err = run_transaction(lane, first, true, rest, count);
	}
	if (err == OK)
		return OK;
	/* The transaction is lost as a whole; those behind it fail with it rather than meet a sick database one by one.
	 */
	*count = 0;
	for (item = first; item != NULL; item = item->next)
		++*count;
	*rest = NULL;
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

static void note_saturation(struct lane *lane)
{
	const bool saturated = saturation_note(&lane->saturation, clock_monotonic(), lane->unbroken);

	atomic_store_explicit(&lane->saturated_until, saturated ? INT64_MAX : 0, memory_order_relaxed);
	lane->unbroken = true; /* what may be left of this list has been waiting */
}

static void write_all(struct lane *lane, struct writer_item *first)
{
	while (first != NULL) {
		struct writer_item *rest;
		size_t count;
		enum err err = run_batch(lane, first, &rest, &count);

		if (err == ERR_STORAGE)
			end_process(lane, "committing");
		note_loss(lane);
		note_saturation(lane);
		answer(first, count, err);
		if (db_tidy(lane->db, false) == ERR_STORAGE)
			end_process(lane, "moving the log home");
		first = rest;
	}
}

/* In a transaction of its own. What it came to, or the transaction. */
static enum err run_idle(struct lane *lane, bool care)
{
	const struct writer_hooks *hooks = &lane->options.hooks;
	enum err step = ERR_UNAVAILABLE;
	enum err err;

	lane->more_idle = false;
	db_set_care(lane->db, care);
	err = begin(lane);
	if (err == OK) {
		step = hooks->idle(lane->db, hooks->context, &lane->more_idle);
		if (step == OK && hooks->settle != NULL)
			step = hooks->settle(lane->db, hooks->context);
		err = db_end(lane->db, step == OK);
	}
	if (err == ERR_STORAGE)
		end_process(lane, "committing a step of background work");
	note_loss(lane);
	if (err == OK && step == OK)
		return OK;
	forget(lane);
	lane->more_idle = false;
	return step != OK ? step : err;
}

/* One step of the work that nobody waits for. What fails in it without care is done once more with care, as a batch is:
 * then each part of it fails alone. */
static void idle(struct lane *lane)
{
	const bool care = !db_is_remote(lane->db) || clock_monotonic() < lane->idle_care_until;
	enum err err = run_idle(lane, care);

	if (err != OK && !care && db_wants_care(lane->db)) {
		lane->idle_care_until = clock_monotonic() + CARE_MICROSECONDS;
		err = run_idle(lane, true);
	}
	if (err != OK)
		LOG(lane->options.log, LOG_WARNING, "a step of background work was not stored; it is tried again",
		    LOG_INT("err", err));
	lane->idled_at = clock_monotonic();
}

/* What the thread does next while nobody waits, and when: 0 is now, INT64_MAX never. */
static int64_t idle_due(const struct lane *lane)
{
	const int64_t worked = atomic_load_explicit(&lane->all->ended_at, memory_order_relaxed);
	const int64_t since = worked > lane->silent_since ? worked : lane->silent_since;
	const bool busy = atomic_load_explicit(&lane->all->busy, memory_order_relaxed) > 0;
	const int64_t quiet = busy ? INT64_MAX : since + IDLE_MICROSECONDS;
	const int64_t often = lane->idled_at + IDLE_AT_LEAST;

	if (lane->options.hooks.idle == NULL)
		return INT64_MAX;
	if (!lane->more_idle)
		return db_is_remote(lane->db) ? lane->idled_at + LOOK_MICROSECONDS : INT64_MAX;
	return quiet < often ? quiet : often;
}

static int64_t tidy_due(const struct lane *lane)
{
	return lane->tidied ? INT64_MAX : lane->silent_since + TIDY_MICROSECONDS;
}

/* Does what is due while nobody waits. */
static void use_silence(struct lane *lane)
{
	if (clock_monotonic() >= idle_due(lane)) {
		idle(lane);
		lane->tidied = false;
	} else if (clock_monotonic() >= tidy_due(lane)) {
		if (db_tidy(lane->db, true) == ERR_STORAGE)
			end_process(lane, "moving the log home");
		lane->tidied = true;
	}
}

static void wait_for_work(struct lane *lane)
{
	const int64_t idle_at = idle_due(lane);
	const int64_t tidy_at = tidy_due(lane);
	const int64_t until = idle_at < tidy_at ? idle_at : tidy_at;
	const struct timespec time = { .tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000 };

	if (until == INT64_MAX) {
		pthread_cond_wait(&lane->work, &lane->lock);
	} else if (clock_monotonic() >= until || pthread_cond_timedwait(&lane->work, &lane->lock, &time) == ETIMEDOUT) {
		pthread_mutex_unlock(&lane->lock);
		use_silence(lane);
		pthread_mutex_lock(&lane->lock);
	}
}

/* Waits for work; NULL when stopping and nothing is left. */
static struct writer_item *take(struct lane *lane)
{
	struct writer_item *first;

	lane->silent_since = clock_monotonic();
	lane->tidied = false;
	lane->more_idle = true; /* what was just written may be news to the idle step */
	pthread_mutex_lock(&lane->lock);
	lane->unbroken = lane->first != NULL;
	/* However long a commit takes, it does not end by that; a pause ends it. */
	if (!lane->unbroken && lane->saturation.high)
		atomic_store_explicit(&lane->saturated_until, lane->silent_since + SATURATION_MEMORY,
				      memory_order_relaxed);
	while (lane->first == NULL && !lane->stopping)
		wait_for_work(lane);
	first = lane->first;
	if (first != NULL)
		atomic_fetch_add_explicit(&lane->all->busy, 1, memory_order_relaxed);
	lane->first = NULL;
	lane->last = &lane->first;
	lane->depth = 0;
	pthread_mutex_unlock(&lane->lock);
	return db_is_remote(lane->db) ? sort(first) : first;
}

static void *work(void *given)
{
	struct lane *lane = given;
	struct writer_item *first;

	pthread_setname_np(pthread_self(), "writer"); /* for top, gdb and perf */
	while ((first = take(lane)) != NULL) {
		write_all(lane, first);
		atomic_store_explicit(&lane->all->ended_at, clock_monotonic(), memory_order_relaxed);
		atomic_fetch_sub_explicit(&lane->all->busy, 1, memory_order_relaxed);
	}
	if (db_tidy(lane->db, true) == ERR_STORAGE)
		end_process(lane, "moving the log home");
	return NULL;
}

static enum err start_thread(struct lane *lane, struct fault *fault)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&lane->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&lane->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&lane->thread, NULL, work, lane) == 0)
		return OK;
	pthread_cond_destroy(&lane->work);
	pthread_mutex_destroy(&lane->lock);
	return fault_set(fault, ERR_MEMORY, NULL, NULL, "The writer's thread could not be started.");
}

enum err lane_start(struct lane **out, const struct writer_options *options, size_t number, struct lanes_work *all,
		    struct fault *fault)
{
	struct lane *lane = malloc(sizeof *lane);
	enum err err;

	*out = NULL;
	if (lane == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	*lane = (struct lane){ .options = *options, .all = all };
	lane->last = &lane->first;
	if (number > 0)
		lane->options.hooks.idle = NULL;
	err = db_open(&lane->db, options->url, number == 0 ? DB_WRITE : DB_WRITE_ON, options->log, fault);
	if (err == OK) {
		db_set_lane(lane->db, number);
		err = start_thread(lane, fault);
		if (err != OK)
			db_close(lane->db);
	}
	if (err != OK) {
		free(lane);
		return err;
	}
	*out = lane;
	return OK;
}

bool lane_submit(struct lane *lane, struct writer_item *item)
{
	bool taken;
	bool wake;

	item->next = NULL;
	item->outcome = OK;
	pthread_mutex_lock(&lane->lock);
	taken = !lane->stopping && lane->depth < lane->options.queue_limit;
	wake = taken && lane->first == NULL;
	if (taken) {
		*lane->last = item;
		lane->last = &item->next;
		lane->depth++;
	}
	pthread_mutex_unlock(&lane->lock);
	if (wake)
		pthread_cond_signal(&lane->work);
	return taken;
}

size_t lane_depth(struct lane *lane)
{
	size_t depth;

	pthread_mutex_lock(&lane->lock);
	depth = lane->depth;
	pthread_mutex_unlock(&lane->lock);
	return depth;
}

bool lane_is_lost(const struct lane *lane)
{
	return atomic_load(&lane->lost);
}

bool lane_is_saturated(const struct lane *lane)
{
	const int64_t until = atomic_load_explicit(&lane->saturated_until, memory_order_relaxed);

	return until != 0 && clock_monotonic() < until;
}

void lane_stop(struct lane *lane)
{
	pthread_mutex_lock(&lane->lock);
	lane->stopping = true;
	pthread_mutex_unlock(&lane->lock);
	pthread_cond_signal(&lane->work);
	pthread_join(lane->thread, NULL);
	db_close(lane->db);
}

void lane_free(struct lane *lane)
{
	pthread_cond_destroy(&lane->work);
	pthread_mutex_destroy(&lane->lock);
	free(lane);
}
