#include "api/system.h"

#include <stdio.h>

#include "api/admission.h"
#include "api/asking.h"
#include "base/clock.h"
#include "search/indexer.h"

static void put_status(struct call *call, const char *status)
{
	json_key(call->out, "status");
	json_put_string(call->out, status);
}

enum err system_health(struct call *call)
{
	put_status(call, "ok");
	return OK;
}

enum err system_ready(struct call *call)
{
	struct migration_newest_out newest;
	enum err err;

	if (atomic_load(&call->house->draining))
		return call_fail(call, ERR_UNAVAILABLE, NULL, "The server is shutting down.");
	err = query_one(call->db, STATEMENT_MIGRATION_NEWEST, NULL, &newest, call->arena);
	if (err != OK)
		return ERR_UNAVAILABLE;
	put_status(call, "ready");
	json_key(call->out, "schema");
	json_put_int(call->out, newest.number);
	return OK;
}

static void put_gauge(struct buffer *to, const char *name, const char *help, const char *type, int64_t value)
{
	buffer_format(to, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name, type, name, (long long)value);
}

static const char *const classes[METRICS_STATUS_COUNT] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

static void label_route(size_t route, char *out, size_t size)
{
	if (route < route_count)
		snprintf(out, size, "method=\"%s\",route=\"%s\"", routes[route].method, routes[route].path);
	else
		snprintf(out, size, "method=\"\",route=\"none\"");
}

static void put_routes(struct buffer *to, const struct metrics *metrics)
{
	char label[160];

	buffer_string(to,
		      "# HELP innkeeper_requests_total Requests answered.\n# TYPE innkeeper_requests_total counter\n");
	for (size_t i = 0; i < metrics->route_count; i++) {
		label_route(i, label, sizeof label);
		for (size_t class = 0; class < METRICS_STATUS_COUNT; class ++) {
			uint64_t count = atomic_load_explicit(&metrics->routes[i].answers[class], memory_order_relaxed);

			if (count > 0)
				buffer_format(to, "innkeeper_requests_total{%s,status=\"%s\"} %llu\n", label,
					      classes[class], (unsigned long long)count);
		}
	}
	buffer_string(to, "# HELP innkeeper_request_seconds From the end of the head to the reply.\n"
			  "# TYPE innkeeper_request_seconds histogram\n");
	for (size_t i = 0; i < metrics->route_count; i++) {
		label_route(i, label, sizeof label);
		if (atomic_load_explicit(&metrics->routes[i].latency.count, memory_order_relaxed) > 0)
			histogram_print(to, "innkeeper_request_seconds", label, &metrics->routes[i].latency, true);
	}
}

static enum err put_search_lag(struct call *call)
{
	int64_t messages;
	int64_t milliseconds;
	enum err err = search_lag(call->db, call->now, &messages, &milliseconds);

	if (err != OK)
		return err;
	put_gauge(call->out->to, "innkeeper_search_lag_messages", "Messages that a search does not find yet.", "gauge",
		  messages);
	buffer_format(call->out->to,
		      "# HELP innkeeper_search_lag_seconds Age of the oldest of them.\n"
		      "# TYPE innkeeper_search_lag_seconds gauge\ninnkeeper_search_lag_seconds %lld.%03d\n",
		      (long long)(milliseconds / 1000), (int)(milliseconds % 1000));
	return OK;
}

enum err system_metrics(struct call *call)
{
	const struct house *house = call->house;
	const struct metrics *metrics = house->metrics;
	struct buffer *to = call->out->to;
	struct erasure_count_out erasures;
	enum err err;

	put_routes(to, metrics);
	put_gauge(to, "innkeeper_writer_queue", "Writes waiting for the writer.", "gauge",
		  (int64_t)writer_depth(house->writer));
	put_gauge(to, "innkeeper_writer_rejected_total", "Writes refused because the queue was full.", "counter",
		  (int64_t)atomic_load(&metrics->rejected));
	put_gauge(to, "innkeeper_rate_limited_total", "Requests answered 429.", "counter",
		  (int64_t)atomic_load(&metrics->rate_limited));
	put_gauge(to, "innkeeper_live_streams", "Live streams that are open.", "gauge",
		  (int64_t)live_stream_count(house->live));
	put_gauge(to, "innkeeper_database_bytes", "The database on disk, its log included.", "gauge",
		  db_size(call->db));
	put_gauge(to, "innkeeper_start_time_seconds", "When the process started, since 1970.", "gauge",
		  house->started_at / 1000);
	put_gauge(to, "innkeeper_writer_saturated", "Whether there is more to write than can be.", "gauge",
		  writer_is_saturated(house->writer));
	put_gauge(
	    to, "innkeeper_reads_waiting", "Reads that wait until they are admitted.", "gauge",
	    (int64_t)(house->asking == NULL ? admission_waiting(house->admission) : asking_waiting(house->asking)));
	put_gauge(to, "innkeeper_reads_refused_total", "Reads refused because too many waited.", "counter",
		  (int64_t)atomic_load(&metrics->reads_refused));
	buffer_string(to, "# HELP innkeeper_read_delay_seconds What reads that were delayed waited.\n"
			  "# TYPE innkeeper_read_delay_seconds histogram\n");
	histogram_print(to, "innkeeper_read_delay_seconds", "", &metrics->read_delay, true);
	buffer_string(to, "# HELP innkeeper_batch_items Writes in a commit.\n# TYPE innkeeper_batch_items histogram\n");
	histogram_print(to, "innkeeper_batch_items", "", &metrics->batch_size, false);
	buffer_string(to, "# HELP innkeeper_commit_seconds A commit, its sync included.\n"
			  "# TYPE innkeeper_commit_seconds histogram\n");
	histogram_print(to, "innkeeper_commit_seconds", "", &metrics->commit, true);
	err = put_search_lag(call);
	if (err == OK)
		err = query_one(call->db, STATEMENT_ERASURE_COUNT, NULL, &erasures, call->arena);
	if (err == OK)
		put_gauge(to, "innkeeper_erasures", "Erased chats whose messages are still being removed.", "gauge",
			  erasures.count);
	return err;
}
