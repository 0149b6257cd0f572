#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "net/address.h"

static struct http_address address(const char *string)
{
	struct http_address out;

	assert_int_equal(address_parse(text_of(string), &out), OK);
	return out;
}

static void assert_address(struct http_address found, const char *expected)
{
	struct http_address wanted = address(expected);

	assert_memory_equal(found.bytes, wanted.bytes, sizeof wanted.bytes);
}

static void addresses_are_read_and_ipv4_is_mapped(void **state)
{
	struct http_address out;
	static const char *const wrong[] = { "",         "1.2.3",      "1.2.3.4.5", "1.2.3.256", "localhost",
					     "1.2.3.4 ", "fe80::1%lo", "[::1]",     "1:2:3",     "::1/64" };

	(void)state;
	assert_address(address("1.2.3.4"), "::ffff:1.2.3.4");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(address_parse(text_of(wrong[i]), &out), ERR_INVALID);
	assert_int_equal(address_parse((struct text){ "1.2.3.4\0", 8 }, &out), ERR_INVALID);
}

static void a_listen_address_has_a_port(void **state)
{
	struct sockaddr_storage out;
	socklen_t length;
	struct fault fault;
	static const char *const wrong[] = { "",         "8080",       ":8080",         "1.2.3.4",
					     "1.2.3.4:", "1.2.3.4:x",  "1.2.3.4:70000", "1.2.3.4:-1",
					     "::1:80",   "[::1]",      "[1.2.3.4]:80",  "localhost:80",
					     "[]:80",    "1.2.3.4:80 " };

	(void)state;
	assert_int_equal(address_parse_listen("127.0.0.1:8080", &out, &length, &fault), OK);
	assert_int_equal(out.ss_family, AF_INET);
	assert_int_equal(ntohs(((struct sockaddr_in *)&out)->sin_port), 8080);
	assert_address(address_of_socket((struct sockaddr *)&out), "127.0.0.1");
	assert_int_equal(address_parse_listen("[fe80::1]:0", &out, &length, &fault), OK);
	assert_int_equal(out.ss_family, AF_INET6);
	assert_int_equal(length, sizeof(struct sockaddr_in6));
	assert_address(address_of_socket((struct sockaddr *)&out), "fe80::1");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(address_parse_listen(wrong[i], &out, &length, &fault), ERR_INVALID);
		assert_true(fault.sentence[0] != 0);
	}
}

static void ipv6_counts_by_its_first_half(void **state)
{
	(void)state;
	assert_address(address_as_counted(address("2001:db8:1:2:3:4:5:6")), "2001:db8:1:2::");
	assert_address(address_as_counted(address("1.2.3.4")), "1.2.3.4");
}

static void a_list_knows_its_ranges_bit_by_bit(void **state)
{
	static const struct {
		const char *ranges;
		const char *address;
		bool has;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.1.2", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.0.0.0/9", "10.127.0.0", true },
		{ "10.0.0.0/9", "10.128.0.0", false },
		{ "10.1.2.3", "10.1.2.3", true },
		{ "10.1.2.3", "10.1.2.4", false },
		{ "0.0.0.0/0", "9.9.9.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "9.9.9.9", true },
		{ "fd00::/8, 1.2.3.4", "fdff::1", true },
		{ "fd00::/8, 1.2.3.4", "1.2.3.4", true },
		{ "fd00::/8, 1.2.3.4", "::1", false },
		{ "::1", "::1", true },
		{ "::ffff:1.2.3.0/120", "1.2.3.9", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct address_list list;
		struct fault fault;
		struct http_address one = address(cases[i].address);

		assert_int_equal(address_list_init(&list, cases[i].ranges, &fault), OK);
		assert_int_equal(address_list_has(&list, &one), cases[i].has);
		address_list_fini(&list);
	}
}

static void a_list_that_is_wrong_is_refused_and_trusts_nobody(void **state)
{
	static const char *const wrong[] = { "x",        "1.2.3.4/33", "1.2.3.4/-1",
					     "1.2.3.4/", "::1/129",    "1.2.3.4,,::1",
					     "1.2.3.4,", ",",          "1.2.3.4/8/8" };
	struct address_list list;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(address_list_init(&list, wrong[i], &fault), ERR_INVALID);
		assert_int_equal(list.count, 0);
	}
	assert_int_equal(address_list_init(&list, NULL, &fault), OK);
	assert_int_equal(list.count, 0);
	assert_int_equal(address_list_init(&list, " ", &fault), OK);
	assert_int_equal(list.count, 0);
}

static void the_rightmost_untrusted_address_is_the_client(void **state)
{
	static const struct {
		const char *peer;
		const char *first;  /* an X-Forwarded-For line */
		const char *second; /* another behind it */
		const char *client;
	} cases[] = {
		{ "9.9.9.9", "1.1.1.1", NULL, "9.9.9.9" }, /* a stranger is not believed */
		{ "10.0.0.1", NULL, NULL, "10.0.0.1" },
		{ "10.0.0.1", "1.1.1.1", NULL, "1.1.1.1" },
		{ "10.0.0.1", "6.6.6.6, 1.1.1.1", NULL, "1.1.1.1" }, /* what the client itself claimed */
		{ "10.0.0.1", "6.6.6.6,1.1.1.1 , 10.0.0.2", NULL, "1.1.1.1" },
		{ "10.0.0.1", "6.6.6.6", "1.1.1.1", "1.1.1.1" },
		{ "10.0.0.1", "1.1.1.1", "10.0.0.2", "1.1.1.1" },
		{ "10.0.0.1", "10.0.0.3, 10.0.0.2", NULL, "10.0.0.3" },
		{ "10.0.0.1", "1.1.1.1, nonsense", NULL, "10.0.0.1" },
		{ "10.0.0.1", "1.1.1.1, nonsense, 10.0.0.2", NULL, "10.0.0.2" },
		{ "10.0.0.1", "", NULL, "10.0.0.1" },
		{ "10.0.0.1", ",,,", NULL, "10.0.0.1" },
		{ "10.0.0.1", "1.1.1.1:5678", NULL, "1.1.1.1" },
		{ "10.0.0.1", "[2001:db8::1]:5678", NULL, "2001:db8::1" },
		{ "10.0.0.1", "[2001:db8::1]", NULL, "2001:db8::1" },
		{ "10.0.0.1", "2001:db8::1", NULL, "2001:db8::1" },
	};
	struct address_list list;
	struct fault fault;

	(void)state;
	assert_int_equal(address_list_init(&list, "10.0.0.0/8", &fault), OK);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_header headers[] = {
			{ TEXT("X-Forwarded-For"), text_of(cases[i].first) },
			{ TEXT("Accept"), TEXT("3.3.3.3") },
			{ TEXT("x-forwarded-for"), text_of(cases[i].second) },
		};
		size_t count = cases[i].second ? 3 : cases[i].first ? 2 : 0;

		assert_address(address_forwarded(&list, address(cases[i].peer), headers, count), cases[i].client);
	}
	address_list_fini(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_ipv4_is_mapped),
		cmocka_unit_test(a_listen_address_has_a_port),
		cmocka_unit_test(ipv6_counts_by_its_first_half),
		cmocka_unit_test(a_list_knows_its_ranges_bit_by_bit),
		cmocka_unit_test(a_list_that_is_wrong_is_refused_and_trusts_nobody),
		cmocka_unit_test(the_rightmost_untrusted_address_is_the_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
