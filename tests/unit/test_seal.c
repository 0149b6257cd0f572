#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "auth/seal.h"
#include "fixture.h"

struct house {
	struct fixture fixture;
	struct writer *writer;
	struct readers *readers;
	struct seal *seal;
};

static void open_parts(struct house *house)
{
	const struct writer_options options = { .url = house->fixture.url,
						.queue_limit = 16,
						.batch_limit = 16,
						.log = &house->fixture.log,
						.metrics = house->fixture.metrics };
	struct fault fault;

	assert_int_equal(writer_start(&house->writer, &options, &fault), OK);
	assert_int_equal(readers_new(&house->readers, house->fixture.url, 1, &house->fixture.log, &fault), OK);
	assert_int_equal(seal_new(&house->seal, house->readers, house->writer, &fault), OK);
}

static void close_parts(struct house *house)
{
	seal_free(house->seal);
	readers_free(house->readers);
	writer_stop(house->writer);
}

static int open_house(void **state)
{
	struct house *house = test_calloc(1, sizeof *house);

	fixture_open(&house->fixture);
	open_parts(house);
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;

	close_parts(house);
	fixture_close(&house->fixture);
	test_free(house);
	return 0;
}

static const char plain[16] = "sixteen bytes..";

static struct seal_bond bond(const struct uuid *organization)
{
	return (struct seal_bond){ .purpose = "cursor", .organization = organization, .place = TEXT("/api/chats") };
}

static void what_was_sealed_opens_also_after_a_restart(void **state)
{
	struct house *house = *state;
	const struct uuid a = fixture_id('a');
	const struct seal_bond bound = bond(&a);
	const struct text sealed = seal_close(house->seal, &bound, plain, sizeof plain, &house->fixture.arena);
	const struct text again = seal_close(house->seal, &bound, plain, sizeof plain, &house->fixture.arena);
	char out[sizeof plain] = "";

	assert_non_null(sealed.at);
	assert_false(text_equal(sealed, again));
	assert_int_equal(seal_open(house->seal, &bound, sealed, out, sizeof out), OK);
	assert_memory_equal(out, plain, sizeof plain);
	close_parts(house);
	open_parts(house);
	memset(out, 0, sizeof out);
	assert_int_equal(seal_open(house->seal, &bound, sealed, out, sizeof out), OK);
	assert_memory_equal(out, plain, sizeof plain);
}

static void it_opens_for_nothing_else(void **state)
{
	struct house *house = *state;
	const struct uuid a = fixture_id('a');
	const struct uuid b = fixture_id('b');
	const struct seal_bond bound = bond(&a);
	const struct text sealed = seal_close(house->seal, &bound, plain, sizeof plain, &house->fixture.arena);
	const struct seal_bond others[] = {
		{ "cursor", &b, TEXT("/api/chats") },     { "cursor", NULL, TEXT("/api/chats") },
		{ "cursor", &a, TEXT("/api/chats/") },    { "cursor", &a, TEXT("") },
		{ "cursor/api", &a, TEXT("/api/chats") }, { "", &a, TEXT("/api/chats") },
	};
	char out[64];

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(seal_open(house->seal, &others[i], sealed, out, sizeof plain), ERR_INVALID);
	assert_int_equal(seal_open(house->seal, &bound, sealed, out, sizeof plain - 1), ERR_INVALID);
	assert_int_equal(seal_open(house->seal, &bound, sealed, out, sizeof plain + 1), ERR_INVALID);
}

static void changed_cut_or_grown_it_does_not_open(void **state)
{
	struct house *house = *state;
	const struct uuid a = fixture_id('a');
	const struct seal_bond bound = bond(&a);
	const struct text sealed = seal_close(house->seal, &bound, plain, sizeof plain, &house->fixture.arena);
	char out[sizeof plain] = "untouched";
	char changed[160];

	for (size_t i = 0; i < sealed.length; i++) {
		assert_int_equal(seal_open(house->seal, &bound, (struct text){ sealed.at, i }, out, sizeof out),
				 ERR_INVALID);
		memcpy(changed, sealed.at, sealed.length);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_int_equal(
		    seal_open(house->seal, &bound, (struct text){ changed, sealed.length }, out, sizeof out),
		    ERR_INVALID);
	}
	memset(changed, 'A', sizeof changed);
	assert_int_equal(seal_open(house->seal, &bound, (struct text){ changed, sizeof changed }, out, sizeof out),
			 ERR_INVALID);
	assert_int_equal(seal_open(house->seal, &bound, (struct text){ 0 }, out, sizeof out), ERR_INVALID);
	assert_int_equal(seal_open(house->seal, &bound, TEXT("=\"'\\"), out, sizeof out), ERR_INVALID);
	assert_string_equal(out, "untouched");
}

static void another_databases_does_not_open_here(void **state)
{
	struct house *house = *state;
	struct house *other = NULL;
	const struct uuid a = fixture_id('a');
	const struct seal_bond bound = bond(&a);
	struct text sealed;
	char out[sizeof plain];

	open_house((void **)&other);
	sealed = seal_close(other->seal, &bound, plain, sizeof plain, &house->fixture.arena);
	close_house((void **)&other);
	assert_int_equal(seal_open(house->seal, &bound, sealed, out, sizeof out), ERR_INVALID);
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE(what_was_sealed_opens_also_after_a_restart),
		HOUSE(it_opens_for_nothing_else),
		HOUSE(changed_cut_or_grown_it_does_not_open),
		HOUSE(another_databases_does_not_open_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
