#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"

static void a_time_falls_into_the_first_bucket_that_holds_it(void **state)
{
	struct histogram histogram = { 0 };

	(void)state;
	histogram_time(&histogram, -5); /* a clock that went back is no time at all */
	histogram_time(&histogram, 0);
	histogram_time(&histogram, 100);
	histogram_time(&histogram, 101);
	histogram_time(&histogram, 10000000);
	histogram_time(&histogram, 10000001);
	histogram_time(&histogram, INT64_MAX / 2);
	assert_int_equal(histogram.buckets[0], 3);
	assert_int_equal(histogram.buckets[1], 1);
	assert_int_equal(histogram.buckets[METRICS_BUCKETS - 1], 1);
	assert_int_equal(histogram.buckets[METRICS_BUCKETS], 2);
	assert_int_equal(histogram.count, 7);
}

static void items_have_buckets_of_their_own(void **state)
{
	struct histogram histogram = { 0 };

	(void)state;
	histogram_items(&histogram, 0);
	histogram_items(&histogram, 1);
	histogram_items(&histogram, 2);
	histogram_items(&histogram, 32768);
	histogram_items(&histogram, 32769);
	assert_int_equal(histogram.buckets[0], 2);
	assert_int_equal(histogram.buckets[1], 1);
	assert_int_equal(histogram.buckets[METRICS_BUCKETS - 1], 1);
	assert_int_equal(histogram.buckets[METRICS_BUCKETS], 1);
	assert_int_equal(histogram.sum, 65540);
}

static void answers_are_counted_by_route_and_status(void **state)
{
	struct metrics *metrics;

	(void)state;
	assert_int_equal(metrics_new(&metrics, 2), OK);
	assert_int_equal(metrics->route_count, 3);
	metrics_answer(metrics, 0, 200, 10);
	metrics_answer(metrics, 0, 299, 10);
	metrics_answer(metrics, 0, 404, 10);
	metrics_answer(metrics, 1, 503, 10);
	metrics_answer(metrics, 1, 100, 10);
	metrics_answer(metrics, 1, 302, 10);
	/* What is no status is our fault; what is in no row has the row behind the last. */
	metrics_answer(metrics, 1, 0, 10);
	metrics_answer(metrics, 1, 600, 10);
	metrics_answer(metrics, SIZE_MAX, 200, 10);
	assert_int_equal(metrics->routes[0].answers[METRICS_2XX], 2);
	assert_int_equal(metrics->routes[0].answers[METRICS_4XX], 1);
	assert_int_equal(metrics->routes[0].latency.count, 3);
	assert_int_equal(metrics->routes[1].answers[METRICS_5XX], 3);
	assert_int_equal(metrics->routes[1].answers[METRICS_1XX], 1);
	assert_int_equal(metrics->routes[1].answers[METRICS_3XX], 1);
	assert_int_equal(metrics->routes[2].answers[METRICS_2XX], 1);
	metrics_free(metrics);
	metrics_free(NULL);
}

static void assert_line(const struct buffer *buffer, const char *line)
{
	char *wanted = NULL;
	int length = asprintf(&wanted, "%s\n", line);

	assert_true(length > 0);
	if (memmem(buffer->at, buffer->length, wanted, (size_t)length) == NULL)
		fail_msg("no line \"%s\" in\n%.*s", line, (int)buffer->length, buffer->at);
	free(wanted);
}

static void prometheus_reads_cumulated_buckets(void **state)
{
	struct histogram histogram = { 0 };
	struct buffer buffer;
	size_t lines = 0;

	(void)state;
	buffer_init(&buffer, 1 << 20);
	histogram_time(&histogram, 90);
	histogram_time(&histogram, 200);
	histogram_time(&histogram, 1500000);
	histogram_time(&histogram, 60000000);
	histogram_print(&buffer, "took", "route=\"/x\"", &histogram, true);
	assert_line(&buffer, "took_bucket{route=\"/x\",le=\"0.0001\"} 1");
	assert_line(&buffer, "took_bucket{route=\"/x\",le=\"0.00025\"} 2");
	assert_line(&buffer, "took_bucket{route=\"/x\",le=\"1\"} 2");
	assert_line(&buffer, "took_bucket{route=\"/x\",le=\"2.5\"} 3");
	assert_line(&buffer, "took_bucket{route=\"/x\",le=\"10\"} 3");
	assert_line(&buffer, "took_bucket{route=\"/x\",le=\"+Inf\"} 4");
	assert_line(&buffer, "took_sum{route=\"/x\"} 61.500290");
	assert_line(&buffer, "took_count{route=\"/x\"} 4");
	for (size_t i = 0; i < buffer.length; i++)
		lines += buffer.at[i] == '\n';
	assert_int_equal(lines, METRICS_BUCKETS + 3);
	buffer_fini(&buffer);
}

static void items_are_printed_as_whole_numbers(void **state)
{
	struct histogram histogram = { 0 };
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 1 << 20);
	histogram_items(&histogram, 64);
	histogram_print(&buffer, "batch", "", &histogram, false);
	assert_line(&buffer, "batch_bucket{le=\"32\"} 0");
	assert_line(&buffer, "batch_bucket{le=\"64\"} 1");
	assert_line(&buffer, "batch_bucket{le=\"+Inf\"} 1");
	assert_line(&buffer, "batch_sum{} 64");
	assert_line(&buffer, "batch_count{} 1");
	buffer_fini(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_falls_into_the_first_bucket_that_holds_it),
		cmocka_unit_test(items_have_buckets_of_their_own),
		cmocka_unit_test(answers_are_counted_by_route_and_status),
		cmocka_unit_test(prometheus_reads_cumulated_buckets),
		cmocka_unit_test(items_are_printed_as_whole_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
