#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "net/gate.h"

static unsigned check(struct gate_head head, struct gate_passed *out)
{
	const struct gate_refusal *refusal = gate_check(&head, out);

	return refusal ? refusal->status : 0;
}

static struct gate_head request(const char *method, const char *target, const struct http_header *headers, size_t count)
{
	return (struct gate_head){ .method = text_of(method),
				   .target = text_of(target),
				   .version = TEXT("HTTP/1.1"),
				   .headers = headers,
				   .header_count = count,
				   .size = 100 };
}

static unsigned check_host(const char *host)
{
	const struct http_header header = { TEXT("host"), text_of(host) };
	struct gate_passed passed;

	return check(request("GET", "/", &header, 1), &passed);
}

static void hosts_follow_the_grammar(void **state)
{
	static const char *const right[] = { "a",           "a.example", "A-b_c.example:8080",
					     "127.0.0.1:1", "[::1]",     "[2001:db8::1]:80",
					     "localhost",   "a:",        " a " };
	static const char *const wrong[] = { "",       " ",   ":80",    "a:b",   "a:123456", "a b",
					     "a/b",    "a@b", "a,b",    "a%41",  "[::1",     "::1",
					     "[::1]x", "[]",  "[g::1]", "a:1:2", "a\xe9" };

	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		assert_int_equal(check_host(right[i]), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(check_host(wrong[i]), 400);
}

static void targets_become_path_and_query(void **state)
{
	static const struct {
		const char *target;
		const char *path;  /* NULL: refused */
		const char *query; /* NULL: none */
	} cases[] = {
		{ "/", "/", NULL },
		{ "/a/b", "/a/b", NULL },
		{ "/a?", "/a", "" },
		{ "/a?b=c?d", "/a", "b=c?d" },
		{ "//a", "//a", NULL },
		{ "/%41", "/%41", NULL },
		{ "http://a.example/b?c", "/b", "c" },
		{ "HTTPS://A.EXAMPLE/b", "/b", NULL },
		{ "http://a.example", "/", NULL },
		{ "http://a.example?q", "/", "q" },
		{ "http://b.example/", NULL, NULL },
		{ "http://a.example:80/", NULL, NULL },
		{ "http://a.example.b/", NULL, NULL },
		{ "http:///a", NULL, NULL },
		{ "http://", NULL, NULL },
		{ "http:", NULL, NULL },
		{ "", NULL, NULL },
		{ "a", NULL, NULL },
		{ "*", NULL, NULL },
		{ "?", NULL, NULL },
		{ "/a#b", NULL, NULL },
		{ "/a b", NULL, NULL },
		{ "/a\tb", NULL, NULL },
		{ "/\x7f", NULL, NULL },
		{ "/\xc3\xa9", NULL, NULL },
		{ "/%", NULL, NULL },
		{ "/%4", NULL, NULL },
		{ "/%4g", NULL, NULL },
		{ "/%00", NULL, NULL },
		{ "/?%", NULL, NULL },
		{ "/?%00", NULL, NULL },
	};
	const struct http_header host = { TEXT("Host"), TEXT("a.example") };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct gate_passed passed;
		unsigned status = check(request("GET", cases[i].target, &host, 1), &passed);

		assert_int_equal(status, cases[i].path ? 0 : 400);
		if (status)
			continue;
		assert_true(text_equal(passed.path, text_of(cases[i].path)));
		assert_int_equal(passed.query.at != NULL, cases[i].query != NULL);
		if (cases[i].query)
			assert_true(text_equal(passed.query, text_of(cases[i].query)));
	}
}

static void bodies_are_announced_in_one_way(void **state)
{
	static const struct {
		const char *length;
		const char *encoding;
		bool refused;
		bool has_body;
		uint64_t bytes;
	} cases[] = {
		{ NULL, NULL, false, false, 0 },
		{ "0", NULL, false, false, 0 },
		{ "007", NULL, false, true, 7 },
		{ "9223372036854775807", NULL, false, true, INT64_MAX },
		{ "9223372036854775808", NULL, true, false, 0 },
		{ "-1", NULL, true, false, 0 },
		{ "+1", NULL, true, false, 0 },
		{ "1 ", NULL, true, false, 0 },
		{ "0x1", NULL, true, false, 0 },
		{ "", NULL, true, false, 0 },
		{ NULL, "chunked", false, true, 0 },
		{ NULL, "CHUNKED", false, true, 0 },
		{ NULL, "chunked ", true, false, 0 },
		{ NULL, "chunked, chunked", true, false, 0 },
		{ NULL, "identity", true, false, 0 },
		{ NULL, "", true, false, 0 },
		{ "1", "chunked", true, false, 0 },
		{ "0", "chunked", true, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_header headers[3] = { { TEXT("Host"), TEXT("a") } };
		struct gate_passed passed;
		size_t count = 1;

		if (cases[i].length)
			headers[count++] = (struct http_header){ TEXT("Content-Length"), text_of(cases[i].length) };
		if (cases[i].encoding)
			headers[count++] =
			    (struct http_header){ TEXT("Transfer-Encoding"), text_of(cases[i].encoding) };
		unsigned status = check(request("POST", "/", headers, count), &passed);

		assert_int_equal(status, cases[i].refused ? 400 : 0);
		if (status)
			continue;
		assert_int_equal(passed.has_body, cases[i].has_body);
		assert_true(passed.length == cases[i].bytes);
	}
}

static void limits_hold_to_the_byte(void **state)
{
	struct http_header headers[HTTP_HEADERS_MAX];
	struct gate_passed passed;

	(void)state;
	for (size_t i = 0; i < HTTP_HEADERS_MAX; i++)
		headers[i] = (struct http_header){ TEXT("X"), TEXT("a") };
	headers[0] = (struct http_header){ TEXT("Host"), TEXT("a") };
	struct gate_head head = request("GET", "/", headers, HTTP_HEADERS_MAX);

	head.size = GATE_HEAD_MAX;
	assert_int_equal(check(head, &passed), 0);
	head.size = GATE_HEAD_MAX + 1;
	assert_int_equal(check(head, &passed), 431);
	head.size = 1;
	head.header_count = HTTP_HEADERS_MAX + 1; /* the array has no such element: it must not be looked at */
	assert_int_equal(check(head, &passed), 431);
	head.header_count = SIZE_MAX;
	assert_int_equal(check(head, &passed), 431);
}

/* A head as the library leaves it: `|` stands for the NULs that it wrote. `extra` bytes are not accounted for. */
static unsigned check_seams(const char *picture, size_t extra)
{
	char bytes[128] = { 0 };
	struct http_header headers[2] = { 0 };
	struct gate_passed passed;
	size_t length = strlen(picture);

	memcpy(bytes, picture, length);
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '|')
			bytes[i] = 0;
	}
	struct gate_head head = request(bytes, strstr(picture, "/") - picture + bytes, headers, 2);

	head.version = text_of(strstr(picture, "HTTP/") - picture + bytes);
	headers[0] = (struct http_header){ text_of(strstr(picture, "Host") - picture + bytes),
					   text_of(strstr(picture, "a.b") - picture + bytes) };
	headers[1] = (struct http_header){ text_of(strstr(picture, "X-Y") - picture + bytes),
					   text_of(strstr(picture, "val") - picture + bytes) };
	head.size = length + extra;
	head.in_place = true;
	return check(head, &passed);
}

static void nothing_hides_between_the_pieces(void **state)
{
	(void)state;
	assert_int_equal(check_seams("GET|/|HTTP/1.1||Host|a.b||X-Y|val||||", 0), 0);
	assert_int_equal(check_seams("GET|/|HTTP/1.1||Host| \ta.b||X-Y| val  ||||", 0), 0);
	static const char *const wrong[] = {
		"GET||/|HTTP/1.1||Host|a.b||X-Y|val||||",  "GET|/||HTTP/1.1||Host|a.b||X-Y|val||||",
		"GET|/|HTTP/1.1|Host|a.b||X-Y|val||||",    "GET|/|HTTP/1.1||Host|a.b|X-Y|val||||",
		"GET|/|HTTP/1.1||Host|a.b|||X-Y|val||||",  "GET|/|HTTP/1.1||Host|a.b||X-Y|val|||",
		"GET|/|HTTP/1.1||Host|a.b||X-Y|val|||||",  "GET|/|HTTP/1.1||Host|a.b||X-Y|val|hid||||",
		"GET|/|HTTP/1.1||Host|a.b|c||X-Y|val||||", "GET|/|HTTP/1.1||Host|x a.b||X-Y|val||||",
		"GET|/|HTTP/1.1||X-Y|val||Host|a.b||||",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(check_seams(wrong[i], 0), 400);
	assert_int_equal(check_seams("GET|/|HTTP/1.1||Host|a.b||X-Y|val||||", 1), 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_follow_the_grammar),         cmocka_unit_test(targets_become_path_and_query),
		cmocka_unit_test(bodies_are_announced_in_one_way),  cmocka_unit_test(limits_hold_to_the_byte),
		cmocka_unit_test(nothing_hides_between_the_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
