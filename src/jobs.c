#include "jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "api/erase.h"
#include "api/move.h"
#include "auth/tenant.h"
#include "auth/tenants.h"
#include "base/clock.h"
#include "store/lease.h"
#include "store/query.h"

#define USES_AT_ONCE     256
#define TENANTS_MEMORY   ((size_t)64 * 1024 * 1024)
#define DAY_MILLISECONDS INT64_C(86400000)
#define LOOK_AGAIN       60 /* seconds at most, where another process does it */

static enum err store_use(struct db *db, void *context)
{
	const struct key_use *use = context;

	return query_run(db, STATEMENT_API_KEY_USED,
			 &(struct api_key_used_in){ .id = use->key, .last_used_at = use->at }, NULL);
}

/* When each key was used last is kept in memory, so that no request costs a write for it. */
static void store_key_uses(const struct house *house)
{
	struct key_use uses[USES_AT_ONCE];
	enum err err = OK;
	struct arena arena;
	size_t count;

	do {
		count = api_keys_uses(house->keys, uses, USES_AT_ONCE);
		/* A database that is away has nobody tried on it a hundred times. */
		for (size_t i = 0; err != ERR_UNAVAILABLE && i < count; i++) {
			const struct scope *scope;

			arena_init(&arena, 4096);
			scope = tenant_scope(&arena, &uses[i].organization);
			err = scope == NULL ? ERR_MEMORY : writer_perform(house->writer, scope, store_use, &uses[i]);
			if (err != OK)
				LOG(house->log, LOG_WARNING, "when a key was used last was not stored",
				    LOG_INT("err", err));
			arena_fini(&arena);
		}
	} while (count == USES_AT_ONCE);
}

static enum err delete_expired(struct db *db, void *context)
{
	const int64_t *now = context;

	return query_run(db, STATEMENT_SESSIONS_DELETE_EXPIRED, &(struct sessions_delete_expired_in){ .now = *now },
			 NULL);
}

/* They open nothing any more; this is tidiness. */
static void forget_expired_sessions(const struct house *house)
{
	int64_t now = clock_now();
	enum err err = writer_perform(house->writer, tenant_system(), delete_expired, &now);

	if (err != OK)
		LOG(house->log, LOG_WARNING, "expired sessions were not removed", LOG_INT("err", err));
}

static enum err read_tenants(const struct house *house, struct arena *arena, struct tenants *out)
{
	struct reading reading;
	enum err err = readers_enter(house->readers, tenant_system(), &reading);

	if (err != OK)
		return err;
	err = tenants_list(reading.db, arena, out);
	readers_leave(house->readers, &reading);
	return err;
}

/* The moment before which an organization's data is erased. ERR_NOT_FOUND: it keeps everything. */
static enum err read_retention(const struct house *house, const struct scope *scope, int64_t *before)
{
	struct retention_days_out row = { .retention_days = DB_NULL };
	struct reading reading;
	struct arena arena;
	enum err err = readers_enter(house->readers, scope, &reading);

	if (err != OK)
		return err;
	arena_init(&arena, 4096);
	err = query_one(reading.db, STATEMENT_RETENTION_DAYS, NULL, &row, &arena);
	arena_fini(&arena);
	readers_leave(house->readers, &reading);
	if (err == OK && row.retention_days == DB_NULL)
		return ERR_NOT_FOUND;
	*before = clock_now() - row.retention_days * DAY_MILLISECONDS;
	return err;
}

static void apply_retention(const struct house *house, const struct tenant *tenant)
{
	struct erase_receipt receipt = { 0 };
	int64_t before = 0;
	enum err err = read_retention(house, tenant->scope, &before);

	if (err == OK)
		err = erase_older(house, tenant->scope, before, AUDIT_SYSTEM, &receipt);
	if (err != OK && err != ERR_NOT_FOUND)
		LOG(house->log, LOG_WARNING,
		    "an organization's old data was not all erased; it is tried again in an hour",
		    LOG_TEXT("organization", tenant->slug), LOG_INT("err", err));
}

/* Each organization for itself: what one cannot do keeps no other's data for longer. */
static void apply_retentions(const struct house *house)
{
	struct tenants tenants = { 0 };
	struct arena arena;
	enum err err;

	arena_init(&arena, TENANTS_MEMORY);
	err = read_tenants(house, &arena, &tenants);
	if (err != OK)
		LOG(house->log, LOG_WARNING, "old data was not erased; it is tried again in an hour",
		    LOG_INT("err", err));
	for (size_t i = 0; err == OK && i < tenants.count && !atomic_load(&house->draining); i++)
		apply_retention(house, &tenants.list[i]);
	arena_fini(&arena);
}

/* Of an import or a deletion that ended in between: with the process, above all. */
static void tidy_moves(const struct house *house)
{
	const struct move_place place = move_place_of(house);

	move_tidy(&place);
}

static const struct job {
	const char *name;
	int64_t every; /* seconds */
	bool once;     /* of the processes of a database one does it */
	bool at_end;   /* once more when the server stops */
	void (*run)(const struct house *house);
} table[] = {
	{ "store key uses", 60, false, true, store_key_uses },
	{ "forget expired sessions", 3600, true, false, forget_expired_sessions },
	/* Hourly, so that a restart every day does not keep data for ever. */
	{ "apply retentions", 3600, true, false, apply_retentions },
	{ "tidy moves", 3, true, false, tidy_moves },
};

#define JOB_COUNT (sizeof table / sizeof table[0])

struct jobs {
	const struct house *house;
	pthread_t thread;
	pthread_mutex_t lock; /* guards `stopping` */
	pthread_cond_t stop;
	bool stopping;
	int64_t due[JOB_COUNT]; /* clock_monotonic; the thread's own */
};

/* Another process does it; it may die, and its work is taken over then. */
static bool is_anothers(const struct jobs *jobs, const struct job *job)
{
	return job->once && jobs->house->lease != NULL && !lease_is_held(jobs->house->lease);
}

static void run_due(struct jobs *jobs, int64_t now)
{
	for (size_t i = 0; i < JOB_COUNT; i++) {
		int64_t after = table[i].every;

		if (jobs->due[i] > now)
			continue;
		if (is_anothers(jobs, &table[i]))
			after = after < LOOK_AGAIN ? after : LOOK_AGAIN;
		else
			table[i].run(jobs->house);
		jobs->due[i] = clock_monotonic() + after * 1000000;
	}
}

/* Waits until `until` or until stopping; tells which. */
static bool wait_until(struct jobs *jobs, int64_t until)
{
	const struct timespec time = { .tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000 };
	bool stopping;

	pthread_mutex_lock(&jobs->lock);
	while (!jobs->stopping && clock_monotonic() < until)
		if (pthread_cond_timedwait(&jobs->stop, &jobs->lock, &time) == ETIMEDOUT)
			break;
	stopping = jobs->stopping;
	pthread_mutex_unlock(&jobs->lock);
	return stopping;
}

static void *work(void *given)
{
	struct jobs *jobs = given;
	int64_t next;

	pthread_setname_np(pthread_self(), "jobs"); /* for top, gdb and perf */
	do {
		run_due(jobs, clock_monotonic());
		next = INT64_MAX;
		for (size_t i = 0; i < JOB_COUNT; i++)
			if (jobs->due[i] < next)
				next = jobs->due[i];
	} while (!wait_until(jobs, next));
	/* Where nothing can be stored there is nothing to wait for either. */
	for (size_t i = 0; i < JOB_COUNT; i++)
		if (table[i].at_end && !writer_is_lost(jobs->house->writer))
			table[i].run(jobs->house);
	return NULL;
}

enum err jobs_start(struct jobs **out, const struct house *house)
{
	struct jobs *jobs = calloc(1, sizeof *jobs);
	pthread_condattr_t monotonic;

	*out = NULL;
	if (jobs == NULL)
		return ERR_MEMORY;
	jobs->house = house;
	for (size_t i = 0; i < JOB_COUNT; i++)
		jobs->due[i] = clock_monotonic() + table[i].every * 1000000;
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&jobs->stop, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&jobs->thread, NULL, work, jobs) != 0) {
		pthread_cond_destroy(&jobs->stop);
		pthread_mutex_destroy(&jobs->lock);
		free(jobs);
		return ERR_MEMORY;
	}
	*out = jobs;
	return OK;
}

void jobs_stop(struct jobs *jobs)
{
	if (jobs == NULL)
		return;
	pthread_mutex_lock(&jobs->lock);
	jobs->stopping = true;
	pthread_mutex_unlock(&jobs->lock);
	pthread_cond_signal(&jobs->stop);
	pthread_join(jobs->thread, NULL);
	pthread_cond_destroy(&jobs->stop);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}
