#include "base/metrics.h"

#include <stdlib.h>

/* Upper bounds: microseconds of a time, and items of a size. */
static const struct {
	uint64_t microseconds;
	const char *seconds;
	uint64_t items;
} bounds[METRICS_BUCKETS] = {
	{ 100, "0.0001", 1 },    { 250, "0.00025", 2 },  { 500, "0.0005", 4 },      { 1000, "0.001", 8 },
	{ 2500, "0.0025", 16 },  { 5000, "0.005", 32 },  { 10000, "0.01", 64 },     { 15000, "0.015", 128 },
	{ 25000, "0.025", 256 }, { 50000, "0.05", 512 }, { 100000, "0.1", 1024 },   { 250000, "0.25", 2048 },
	{ 500000, "0.5", 4096 }, { 1000000, "1", 8192 }, { 2500000, "2.5", 16384 }, { 10000000, "10", 32768 },
};

enum err metrics_new(struct metrics **out, size_t routes)
{
	struct metrics *metrics = calloc(1, sizeof *metrics);

	*out = NULL;
	if (metrics == NULL)
		return ERR_MEMORY;
	metrics->route_count = routes + 1;
	metrics->routes = calloc(metrics->route_count, sizeof *metrics->routes);
	if (metrics->routes == NULL) {
		free(metrics);
		return ERR_MEMORY;
	}
	*out = metrics;
	return OK;
}

void metrics_free(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	free(metrics->routes);
	free(metrics);
}

static void count(struct histogram *histogram, size_t bucket, uint64_t value)
{
	atomic_fetch_add_explicit(&histogram->buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->count, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

void histogram_time(struct histogram *histogram, int64_t microseconds)
{
	const uint64_t value = microseconds < 0 ? 0 : (uint64_t)microseconds;
	size_t bucket = 0;

	while (bucket < METRICS_BUCKETS && value > bounds[bucket].microseconds)
		bucket++;
	count(histogram, bucket, value);
}

void histogram_items(struct histogram *histogram, size_t items)
{
	size_t bucket = 0;

	while (bucket < METRICS_BUCKETS && items > bounds[bucket].items)
		bucket++;
	count(histogram, bucket, items);
}

void metrics_answer(struct metrics *metrics, size_t route, unsigned status, int64_t microseconds)
{
	const size_t class = status < 100 || status > 599 ? METRICS_5XX : status / 100 - 1;
	struct metrics_route *row = &metrics->routes[route < metrics->route_count ? route : metrics->route_count - 1];

	atomic_fetch_add_explicit(&row->answers[class], 1, memory_order_relaxed);
	histogram_time(&row->latency, microseconds);
}

static uint64_t read(const _Atomic uint64_t *cell)
{
	return atomic_load_explicit(cell, memory_order_relaxed);
}

void histogram_print(struct buffer *to, const char *name, const char *labels, const struct histogram *histogram,
		     bool seconds)
{
	const char *comma = labels[0] == '\0' ? "" : ",";
	uint64_t cumulated = 0;

	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		cumulated += read(&histogram->buckets[i]);
		if (seconds)
			buffer_format(to, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, labels, comma, bounds[i].seconds,
				      (unsigned long long)cumulated);
		else
			buffer_format(to, "%s_bucket{%s%sle=\"%llu\"} %llu\n", name, labels, comma,
				      (unsigned long long)bounds[i].items, (unsigned long long)cumulated);
	}
	cumulated += read(&histogram->buckets[METRICS_BUCKETS]);
	buffer_format(to, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma, (unsigned long long)cumulated);
	if (seconds)
		buffer_format(to, "%s_sum{%s} %.6f\n", name, labels, (double)read(&histogram->sum) / 1e6);
	else
		buffer_format(to, "%s_sum{%s} %llu\n", name, labels, (unsigned long long)read(&histogram->sum));
	buffer_format(to, "%s_count{%s} %llu\n", name, labels, (unsigned long long)cumulated);
}
