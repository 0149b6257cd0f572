/* What the process counts of itself: requests by route and status, latencies, the writer's batches. For Prometheus.
 * Owner: the server; made once, sized by the route table. Any thread: every cell is an atomic of its own.
 * A histogram's buckets are fixed: 0.1 ms to 10 s.
 * Never counts by anything that a client chooses (paths, keys, ids): the number of series is known at start.
 * Next: api/system.c, which prints them at /metrics. */
#ifndef INNKEEPER_BASE_METRICS_H
#define INNKEEPER_BASE_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

#define METRICS_BUCKETS 16

struct histogram {
	_Atomic uint64_t buckets[METRICS_BUCKETS + 1]; /* not cumulative; the last is +Inf */
	_Atomic uint64_t count;
	_Atomic uint64_t sum; /* microseconds, or items */
};

enum metrics_status { METRICS_1XX, METRICS_2XX, METRICS_3XX, METRICS_4XX, METRICS_5XX, METRICS_STATUS_COUNT };

struct metrics_route {
	_Atomic uint64_t answers[METRICS_STATUS_COUNT];
	struct histogram latency; /* from the end of the head to the reply's hand-over */
};

struct metrics {
	struct metrics_route *routes; /* one a row of the route table, and one more for what is in none */
	size_t route_count;
	struct histogram batch_size; /* items in a commit */
	struct histogram commit;     /* microseconds of a commit, its sync included */
	_Atomic uint64_t rejected;   /* items refused because the queue was full */
	_Atomic uint64_t rate_limited;
	struct histogram read_delay;    /* of reads that had to wait until they were admitted */
	_Atomic uint64_t reads_refused; /* that waited too long, or were too many */
};

/* `routes` counts the rows of the route table. */
enum err metrics_new(struct metrics **out, size_t routes) WARN_UNUSED;
void metrics_free(struct metrics *metrics);

void histogram_time(struct histogram *histogram, int64_t microseconds);
void histogram_items(struct histogram *histogram, size_t items);
void metrics_answer(struct metrics *metrics, size_t route, unsigned status, int64_t microseconds);

/* Prometheus text exposition 0.0.4 of a histogram; `seconds`: its values are times. `labels` without braces, or "". */
void histogram_print(struct buffer *to, const char *name, const char *labels, const struct histogram *histogram,
		     bool seconds);

#endif
