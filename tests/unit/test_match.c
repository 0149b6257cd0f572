#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/match.h"

static struct match match(const char *method, const char *path, bool control)
{
	return match_route(text_of(method), text_of(path), control);
}

static bool is_operators(const struct route *route)
{
	return route->credential == CONTROL || route->credential == TENANT;
}

static void every_row_is_found_by_its_method_and_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count; i++)
		if (strchr(routes[i].path, '{') == NULL)
			assert_ptr_equal(match(routes[i].method, routes[i].path, true).route, &routes[i]);
}

static void a_path_that_stands_in_a_row_is_nobodys_id(void **state)
{
	(void)state;
	assert_null(match("GET", "/api/users/identify", false).route);
	assert_true(match("GET", "/api/users/identify", false).path_known);
	assert_string_equal(match("GET", "/api/users/identify", false).allow, "POST, OPTIONS");
	assert_non_null(match("GET", "/api/users/somebody", false).route);
}

static void no_two_rows_are_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(strcmp(routes[i].method, routes[j].method) == 0 &&
				     strcmp(routes[i].path, routes[j].path) == 0);
}

static void the_operators_rows_are_invisible_from_the_network(void **state)
{
	size_t hidden = 0;

	(void)state;
	for (size_t i = 0; i < route_count; i++) {
		struct match found = match(routes[i].method, routes[i].path, false);

		if (!is_operators(&routes[i])) {
			assert_ptr_equal(found.route, &routes[i]);
			continue;
		}
		hidden++;
		assert_null(found.route);
		assert_false(found.path_known);
		assert_string_equal(found.allow, "");
		/* Not by another method either. */
		assert_false(match("OPTIONS", routes[i].path, false).path_known);
		assert_false(match("HEAD", routes[i].path, false).path_known);
	}
	assert_true(hidden > 0);
}

static void every_row_under_control_is_the_operators(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count; i++)
		assert_int_equal(strncmp(routes[i].path, "/control/", 9) == 0, is_operators(&routes[i]));
}

static void a_path_is_compared_byte_by_byte(void **state)
{
	static const char *const others[] = { "/healthz/",          "//healthz",  "/Healthz",   "/HEALTHZ",
					      "/healthz?",          "/health",    "/healthzz",  "healthz",
					      "/healthz%20",        "/./healthz", "",           "/",
					      " /healthz",          "/healthz ",  "/healthz\n", "/x/../healthz",
					      "/control/../healthz" };

	(void)state;
	assert_non_null(match("GET", "/healthz", false).route);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		struct match found = match("GET", others[i], false);

		assert_null(found.route);
		assert_false(found.path_known);
		assert_string_equal(found.allow, "");
	}
	/* A NUL does not end it. */
	assert_false(match_route(TEXT("GET"), TEXT("/healthz\0"), false).path_known);
}

static void head_means_get(void **state)
{
	(void)state;
	assert_ptr_equal(match("HEAD", "/healthz", false).route, match("GET", "/healthz", false).route);
	assert_null(match("HEAD", "/api/chats/create", false).route);
	assert_true(match("HEAD", "/api/chats/create", false).path_known);
}

static void a_wrong_method_learns_the_right_ones(void **state)
{
	static const char *const methods[] = { "PUT", "DELETE", "get", "Get", "", "PATCH", "TRACE", "GETT" };

	(void)state;
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		struct match found = match(methods[i], "/healthz", false);

		assert_null(found.route);
		assert_true(found.path_known);
		assert_string_equal(found.allow, "GET, HEAD, OPTIONS");
	}
	assert_string_equal(match("GET", "/api/chats/create", false).allow, "POST, OPTIONS");
	assert_string_equal(match("PUT", "/control/keys", true).allow, "POST, GET, HEAD, OPTIONS");
}

static void cors_is_known_of_a_path_whatever_the_method(void **state)
{
	(void)state;
	assert_true(match("OPTIONS", "/api/visitors/identify", false).cors);
	assert_true(match("DELETE", "/api/users/identify", false).cors);
	assert_false(match("OPTIONS", "/api/chats/create", false).cors);
	assert_false(match("OPTIONS", "/nowhere", false).cors);
}

static void every_row_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count; i++) {
		const struct route *route = &routes[i];
		size_t parameters = 0;

		assert_non_null(route->handle);
		assert_true(route->about != NULL && route->about[strlen(route->about) - 1] == '.');
		assert_int_equal(route->path[0], '/');
		assert_false(route->body != NULL && route->read != NULL);
		for (const char *at = route->path; *at != '\0'; at++)
			parameters += *at == '{';
		assert_true(parameters <= ROUTE_PARAMETERS);
		if (route->batch != NULL)
			assert_ptr_equal(route_of_batch_type(text_of(route->batch)), route);
	}
	assert_null(route_of_batch_type(TEXT("")));
	assert_null(route_of_batch_type(TEXT("Chat")));
	assert_null(route_of_batch_type((struct text){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_by_its_method_and_path),
		cmocka_unit_test(a_path_that_stands_in_a_row_is_nobodys_id),
		cmocka_unit_test(no_two_rows_are_the_same),
		cmocka_unit_test(the_operators_rows_are_invisible_from_the_network),
		cmocka_unit_test(every_row_under_control_is_the_operators),
		cmocka_unit_test(a_path_is_compared_byte_by_byte),
		cmocka_unit_test(head_means_get),
		cmocka_unit_test(a_wrong_method_learns_the_right_ones),
		cmocka_unit_test(cors_is_known_of_a_path_whatever_the_method),
		cmocka_unit_test(every_row_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
