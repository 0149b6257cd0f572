#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_in.h"

struct article {
	struct text slug;
	int64_t rank;
};

struct message {
	struct text chat;
	struct text role;
	struct text email;
	int64_t limit;
	double score;
	bool loud;
	int64_t at;
	struct text metadata;
	struct json_list articles;
};

static const char *const roles[] = { "user", "assistant", NULL };

static const struct json_field article_fields[] = {
	{ .name = "slug", .kind = JSON_TEXT, .required = true, .offset = offsetof(struct article, slug) },
	{ .name = "rank", .kind = JSON_INT, .offset = offsetof(struct article, rank) },
};
static const struct json_shape article_shape = JSON_SHAPE(article, article_fields);

#define FIELD(json_name, member, json_kind, ...)                                                                       \
	{                                                                                                              \
		.name = (json_name), .kind = (json_kind), .offset = offsetof(struct message, member), __VA_ARGS__      \
	}

static const struct json_field fields[] = {
	FIELD("chatId", chat, JSON_TEXT, .alias = "oldChatId", .required = true),
	FIELD("role", role, JSON_CHOICE, .choices = roles, .fallback = "user"),
	FIELD("email", email, JSON_EMAIL, .required = false),
	FIELD("limit", limit, JSON_INT, .min = 1, .max = 1000),
	FIELD("score", score, JSON_NUMBER, .required = false),
	FIELD("loud", loud, JSON_FLAG, .required = false),
	FIELD("at", at, JSON_TIME, .required = false),
	FIELD("metadata", metadata, JSON_OBJECT, .max = 42),
	FIELD("articles", articles, JSON_LIST, .items = &article_shape, .min = 1, .max = 4),
};
static const struct json_shape shape = JSON_SHAPE(message, fields);
/* The same without the kinds that a pair cannot hold. */
static const struct json_shape pair_shape = { sizeof(struct message), fields, 7 };

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static enum err parse(struct text body, const struct json_value **out, struct fault *fault)
{
	/* A copy of just the right size: a read past the end is seen by the sanitizer. */
	char *copy = malloc(body.length ? body.length : 1);

	assert_non_null(copy);
	memcpy(copy, body.at, body.length);
	enum err err = json_parse((struct text){ copy, body.length }, &arena, out, fault);
	free(copy);
	return err;
}

static void assert_taken(struct text body)
{
	const struct json_value *value;
	struct fault fault;

	assert_int_equal(parse(body, &value, &fault), OK);
	assert_non_null(value);
}

static void assert_refused(struct text body, const char *words)
{
	const struct json_value *value;
	struct fault fault;

	assert_int_equal(parse(body, &value, &fault), ERR_INVALID);
	assert_null(value);
	assert_string_equal(fault.code, "invalid_json");
	assert_non_null(strstr(fault.sentence, words));
}

static void a_number_that_a_double_keeps_is_taken(void **state)
{
	static const char *const good[] = { "0",
					    "0.0",
					    "-0",
					    "0e999",
					    "-1.50e3",
					    "9007199254740992",
					    "9007199254740994",
					    "0.30000000000000004",
					    "1.7976931348623157e308",
					    "5e-324",
					    "1E+2",
					    "100000000000000000",
					    "123456789012345",
					    "0.000001234567890123450000",
					    "2.2250738585072014e-308",
					    "[1,-2,3.25]",
					    NULL };

	(void)state;
	for (const char *const *at = good; *at; at++)
		assert_taken(text_of(*at));
}

static void a_number_that_a_double_loses_is_refused(void **state)
{
	static const char *const bad[] = { "9007199254740993",
					   "1e999",
					   "-1e999",
					   "1e-999",
					   "0.1000000000000000055511151",
					   "[1.7976931348623159e308]",
					   "3e-324",
					   "{\"a\":12345678901234567890}",
					   "1e99999999999999999999",
					   "9223372036854775807",
					   "10000000000000000000",
					   NULL };
	char many[500];

	(void)state;
	for (const char *const *at = bad; *at; at++)
		assert_refused(text_of(*at), "number");
	memset(many, '1', sizeof many);
	assert_refused((struct text){ many, sizeof many }, "number");
	memset(many, '0', sizeof many);
	many[1] = '.';
	assert_refused((struct text){ many, sizeof many }, "number");
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const bad[] = { "{",        "[1,]",
					   "{\"a\":}", "{a:1}",
					   "'a'",      "01",
					   "1.",       ".5",
					   "+1",       "--1",
					   "1e",       "NaN",
					   "tru",      "[1 2]",
					   "{} {}",    "\"\t\"",
					   "\"\\x\"",  "\"",
					   "\"\\",     "}",
					   "]]]]",     "\xEF\xBB\xBF{}",
					   "// x\n1",  NULL };

	(void)state;
	for (const char *const *at = bad; *at; at++)
		assert_refused(text_of(*at), "line 1");
	assert_refused(TEXT(""), "empty");
	assert_refused(TEXT(" \r\n\t"), "empty");
	assert_refused(TEXT("{\n\"a\": 1,\n  x}"), "line 3");
	assert_refused(TEXT("{}\0"), "line 1");
}

static void a_duplicate_key_is_refused(void **state)
{
	(void)state;
	assert_refused(TEXT("{\"a\":1,\"a\":2}"), "same key twice");
	assert_refused(TEXT("{\"a\":1,\"\\u0061\":2}"), "same key twice");
}

static void a_lone_surrogate_is_refused(void **state)
{
	(void)state;
	assert_refused(TEXT("\"\\ud800\""), "JSON");
	assert_refused(TEXT("\"\\udc00\\ud800\""), "JSON");
	assert_refused(TEXT("\"\xED\xA0\x80\""), "UTF-8");
	assert_taken(TEXT("\"\\ud83d\\ude00\""));
}

static void a_nul_and_broken_utf8_are_refused(void **state)
{
	(void)state;
	assert_refused(TEXT("\"a\\u0000b\""), "U+0000");
	assert_refused(TEXT("{\"a\\u0000b\":1}"), "U+0000");
	assert_refused(TEXT("\"a\0b\""), "JSON");
	assert_refused(TEXT("\"\xC0\xAF\""), "UTF-8");
	assert_refused(TEXT("\"\xFF\""), "UTF-8");
}

static void depth_32_is_taken_and_33_refused(void **state)
{
	char deep[200000];

	(void)state;
	memset(deep, '[', 33);
	memset(deep + 32, ']', 32);
	assert_taken((struct text){ deep, 64 });
	memset(deep, '[', 33);
	memset(deep + 33, ']', 33);
	assert_refused((struct text){ deep, 66 }, "deeper than 32");
	memset(deep, '[', sizeof deep);
	assert_refused((struct text){ deep, sizeof deep }, "deeper than 32");
	assert_taken(TEXT("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\""));
}

static void a_body_beyond_the_arena_is_too_large(void **state)
{
	const struct json_value *value;
	struct arena small;
	struct fault fault;

	(void)state;
	for (size_t cap = 0; cap < 1500; cap += 16) {
		arena_init(&small, cap);
		enum err err =
		    json_parse(TEXT("{\"a\":[1,2.5,\"three\",{\"b\":null}],\"c\":\"a text of some length\"}"), &small,
			       &value, &fault);
		assert_true(err == OK || (err == ERR_TOO_LARGE && !value && fault.sentence[0]));
		if (cap == 0)
			assert_int_equal(err, ERR_TOO_LARGE);
		arena_fini(&small);
	}
	assert_int_equal(parse(TEXT("[]"), &value, &fault), OK);
}

static enum err fill(const char *body, struct message *out, struct fault *fault)
{
	const struct json_value *value;

	assert_int_equal(json_parse(text_of(body), &arena, &value, fault), OK);
	return json_fill(value, &shape, &arena, out, fault);
}

static void assert_fault(const char *body, const char *code, const char *field)
{
	struct message message;
	struct fault fault;

	assert_int_equal(fill(body, &message, &fault), ERR_INVALID);
	assert_string_equal(fault.code, code);
	assert_string_equal(fault.field, field);
	assert_non_null(strstr(fault.sentence, field));
}

static void every_kind_is_filled(void **state)
{
	struct message message;
	struct fault fault;

	(void)state;
	assert_int_equal(fill("{\"chatId\":\"c\",\"role\":\"assistant\",\"email\":\" A@B \",\"limit\":1000,\"score\":3,"
			      "\"loud\":true,\"at\":\"1970-01-01T00:00:01Z\",\"unknown\":[1],\"articles\":["
			      "{\"slug\":\"x\",\"rank\":2},{\"slug\":\"y\"}],"
			      "\"metadata\": { \"b\\n\" : [ 1 , 0.1, 2.0 ], \"a\": {\"c\":null, \"d\":false} } }",
			      &message, &fault),
			 OK);
	assert_true(text_equal(message.chat, TEXT("c")));
	assert_true(text_equal(message.role, TEXT("assistant")));
	assert_true(text_equal(message.email, TEXT("a@b")));
	assert_int_equal(message.limit, 1000);
	assert_true(message.score == 3.0);
	assert_true(message.loud);
	assert_int_equal(message.at, 1000);
	assert_true(text_equal(message.metadata, TEXT("{\"b\\n\":[1,0.1,2],\"a\":{\"c\":null,\"d\":false}}")));
	assert_true(message.articles.given);
	assert_int_equal(message.articles.count, 2);
	const struct article *articles = message.articles.items;
	assert_int_equal(articles[0].rank, 2);
	assert_true(text_equal(articles[1].slug, TEXT("y")));
	assert_true(articles[1].rank == JSON_ABSENT);
}

static void what_is_not_given_is_absent_or_its_fallback(void **state)
{
	static const char *const bodies[] = {
		"{\"chatId\":\"c\"}",
		"{\"chatId\":null,\"oldChatId\":\"c\",\"role\":null,\"limit\":null,\"articles\":null,\"metadata\":"
		"null}",
		"{\"chatId\":\"\",\"oldChatId\":\"c\",\"role\":\"\",\"email\":\"\",\"at\":\"\"}",
		"{\"chatId\":\"c\",\"oldChatId\":\"other\"}",
		NULL,
	};

	(void)state;
	for (const char *const *body = bodies; *body; body++) {
		struct message message;
		struct fault fault;

		assert_int_equal(fill(*body, &message, &fault), OK);
		assert_true(text_equal(message.chat, TEXT("c")));
		assert_true(text_equal(message.role, TEXT("user")));
		assert_null(message.email.at);
		assert_true(message.limit == JSON_ABSENT);
		assert_true(isnan(message.score));
		assert_false(message.loud);
		assert_true(message.at == JSON_ABSENT);
		assert_null(message.metadata.at);
		assert_false(message.articles.given);
	}
}

struct place {
	struct text name;
	struct text site;
};

static const struct json_field place_fields[] = {
	{ .name = "name",
	  .alias = "oldName",
	  .kind = JSON_TEXT,
	  .clears = true,
	  .offset = offsetof(struct place, name) },
	{ .name = "site", .kind = JSON_TEXT, .clears = true, .offset = offsetof(struct place, site) },
};
static const struct json_shape place_shape = JSON_SHAPE(place, place_fields);

static struct place place_of(const char *body)
{
	const struct json_value *value;
	struct place place;
	struct fault fault;

	assert_int_equal(json_parse(text_of(body), &arena, &value, &fault), OK);
	assert_int_equal(json_fill(value, &place_shape, &arena, &place, &fault), OK);
	return place;
}

static void assert_cleared(struct text text)
{
	assert_non_null(text.at);
	assert_int_equal(text.length, 0);
}

static void a_field_that_clears_tells_empty_from_absent(void **state)
{
	const struct json_pair pair = { TEXT("site"), TEXT("") };
	struct place place = place_of("{}");
	struct fault fault;

	(void)state;
	assert_null(place.name.at);
	assert_null(place.site.at);
	place = place_of("{\"name\":null,\"oldName\":\"x\",\"site\":\"\"}");
	assert_cleared(place.name);
	assert_cleared(place.site);
	place = place_of("{\"oldName\":null,\"site\":\"s\"}");
	assert_cleared(place.name);
	assert_true(text_equal(place.site, TEXT("s")));
	assert_int_equal(json_fill_pairs(&pair, 1, &place_shape, &arena, &place, &fault), OK);
	assert_null(place.name.at);
	assert_cleared(place.site);
}

static void a_missing_field_is_named(void **state)
{
	(void)state;
	assert_fault("{}", "missing_field", "chatId");
	assert_fault("{\"chatId\":\"\"}", "missing_field", "chatId");
	assert_fault("{\"chatId\":null,\"oldChatId\":\"\"}", "missing_field", "chatId");
}

static void a_wrong_field_is_named(void **state)
{
	static const struct {
		const char *body;
		const char *field;
	} cases[] = {
		{ "{\"oldChatId\":1}", "chatId" },
		{ "{\"chatId\":\"c\",\"role\":\"User\"}", "role" },
		{ "{\"chatId\":\"c\",\"role\":1}", "role" },
		{ "{\"chatId\":\"c\",\"email\":\"x\"}", "email" },
		{ "{\"chatId\":\"c\",\"email\":{}}", "email" },
		{ "{\"chatId\":\"c\",\"limit\":0}", "limit" },
		{ "{\"chatId\":\"c\",\"limit\":1001}", "limit" },
		{ "{\"chatId\":\"c\",\"limit\":3.0}", "limit" },
		{ "{\"chatId\":\"c\",\"limit\":\"3\"}", "limit" },
		{ "{\"chatId\":\"c\",\"score\":\"3\"}", "score" },
		{ "{\"chatId\":\"c\",\"loud\":1}", "loud" },
		{ "{\"chatId\":\"c\",\"at\":1}", "at" },
		{ "{\"chatId\":\"c\",\"at\":\"yesterday\"}", "at" },
		{ "{\"chatId\":\"c\",\"metadata\":[]}", "metadata" },
		{ "{\"chatId\":\"c\",\"metadata\":\"\"}", "metadata" },
		{ "{\"chatId\":\"c\",\"metadata\":{\"a\":\"012345678901234567890123456789012345678901234567890123\"}}",
		  "metadata" },
		{ "{\"chatId\":\"c\",\"articles\":{}}", "articles" },
		{ "{\"chatId\":\"c\",\"articles\":[]}", "articles" },
		{ "{\"chatId\":\"c\",\"articles\":[1,2,3,4,5]}", "articles" },
		{ "{\"chatId\":\"c\",\"articles\":[{\"slug\":\"a\"},7]}", "articles[1]" },
		{ "{\"chatId\":\"c\",\"articles\":[{\"slug\":\"a\"},{\"slug\":false}]}", "articles[1].slug" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_fault(cases[i].body, "invalid_field", cases[i].field);
	assert_fault("{\"chatId\":\"c\",\"articles\":[{}]}", "missing_field", "articles[0].slug");
}

static void a_text_may_have_200_bytes_unless_stated(void **state)
{
	struct message message;
	struct fault fault;
	char body[300];
	char text[202];

	(void)state;
	memset(text, 'a', 201);
	text[201] = '\0';
	snprintf(body, sizeof body, "{\"chatId\":\"%s\"}", text);
	assert_fault(body, "invalid_field", "chatId");
	text[200] = '\0';
	snprintf(body, sizeof body, "{\"chatId\":\"%s\"}", text);
	assert_int_equal(fill(body, &message, &fault), OK);
	assert_int_equal(message.chat.length, 200);
}

static void a_body_that_is_no_object_is_refused(void **state)
{
	static const char *const bad[] = { "[]", "1", "null", "\"a\"", "true", NULL };
	struct message message;
	struct fault fault;

	(void)state;
	for (const char *const *at = bad; *at; at++) {
		assert_int_equal(fill(*at, &message, &fault), ERR_INVALID);
		assert_string_equal(fault.code, "invalid_json");
	}
}

static void a_fill_beyond_the_arena_is_too_large(void **state)
{
	const struct json_value *value;
	struct message message;
	struct arena none;
	struct fault fault;

	(void)state;
	assert_int_equal(parse(TEXT("{\"chatId\":\"c\",\"articles\":[{\"slug\":\"a\"}]}"), &value, &fault), OK);
	arena_init(&none, 0);
	assert_int_equal(json_fill(value, &shape, &none, &message, &fault), ERR_TOO_LARGE);
	arena_fini(&none);
	assert_int_equal(parse(TEXT("{\"chatId\":\"c\",\"metadata\":{}}"), &value, &fault), OK);
	assert_int_equal(json_fill(value, &shape, &none, &message, &fault), ERR_TOO_LARGE);
	arena_fini(&none);
	assert_int_equal(parse(TEXT("{\"chatId\":\"c\",\"email\":\"a@b\"}"), &value, &fault), OK);
	assert_int_equal(json_fill(value, &shape, &none, &message, &fault), ERR_TOO_LARGE);
	arena_fini(&none);
}

static void pairs_are_read_from_text(void **state)
{
	const struct json_pair pairs[] = {
		{ TEXT("oldChatId"), TEXT("c") }, { TEXT("limit"), TEXT("7") },       { TEXT("score"), TEXT("-1.5e1") },
		{ TEXT("loud"), TEXT("1") },      { TEXT("at"), TEXT("1970-01-02") }, { TEXT("role"), TEXT("") },
		{ TEXT("unknown"), TEXT("x") },
	};
	struct message message;
	struct fault fault;

	(void)state;
	assert_int_equal(json_fill_pairs(pairs, 7, &pair_shape, &arena, &message, &fault), OK);
	assert_true(text_equal(message.chat, TEXT("c")));
	assert_true(text_equal(message.role, TEXT("user")));
	assert_int_equal(message.limit, 7);
	assert_true(message.score == -15.0);
	assert_true(message.loud);
	assert_int_equal(message.at, 86400000);
	assert_int_equal(json_fill_pairs(pairs, 0, &pair_shape, &arena, &message, &fault), ERR_INVALID);
	assert_string_equal(fault.code, "missing_field");
}

static void a_wrong_or_repeated_pair_is_named(void **state)
{
	const struct json_pair wrong[] = {
		{ TEXT("limit"), TEXT("7x") },    { TEXT("limit"), TEXT("1001") }, { TEXT("score"), TEXT("0x10") },
		{ TEXT("score"), TEXT("1e999") }, { TEXT("loud"), TEXT("yes") },   { TEXT("role"), TEXT("\xFF") },
		{ TEXT("chatId"), TEXT("d") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct json_pair pairs[] = { { TEXT("chatId"), TEXT("c") }, wrong[i] };
		struct message message;
		struct fault fault;

		assert_int_equal(json_fill_pairs(pairs, 2, &pair_shape, &arena, &message, &fault), ERR_INVALID);
		assert_string_equal(fault.code, "invalid_field");
		assert_true(text_equal(text_of(fault.field), wrong[i].name));
	}
}

static void a_pair_that_is_not_utf8_is_refused(void **state)
{
	const struct json_pair pair = { TEXT("chatId"), TEXT("c\xFF") };
	struct message message;
	struct fault fault;

	(void)state;
	assert_int_equal(json_fill_pairs(&pair, 1, &pair_shape, &arena, &message, &fault), ERR_INVALID);
	assert_string_equal(fault.field, "chatId");
}

static void values_can_be_looked_at(void **state)
{
	const struct json_value *value;
	struct fault fault;

	(void)state;
	assert_int_equal(parse(TEXT("[{\"a\":\"x\",\"b\":1},2]"), &value, &fault), OK);
	assert_true(json_is_array(value));
	assert_int_equal(json_count(value), 2);
	assert_true(json_is_object(json_at(value, 0)));
	assert_null(json_at(value, 2));
	assert_true(text_equal(json_member_text(json_at(value, 0), "a"), TEXT("x")));
	assert_null(json_member_text(json_at(value, 0), "b").at);
	assert_null(json_member_text(value, "a").at);
	assert_int_equal(json_count(json_at(value, 0)), 0);
	assert_false(json_is_object(NULL));
}

static void a_merge_keeps_places_and_adds_behind(void **state)
{
	struct text merged;

	(void)state;
	assert_int_equal(json_merge(&arena, TEXT("{\"a\":1,\"b\":{\"x\":1},\"c\":2}"),
				    TEXT("{ \"d\":[], \"b\":{\"y\":2}, \"a\":null }"), &merged),
			 OK);
	assert_true(text_equal(merged, TEXT("{\"a\":null,\"b\":{\"y\":2},\"c\":2,\"d\":[]}")));
	assert_int_equal(json_merge(&arena, text_of(NULL), TEXT("{\"a\":1.0}"), &merged), OK);
	assert_true(text_equal(merged, TEXT("{\"a\":1}")));
	assert_int_equal(json_merge(&arena, TEXT("{\"a\":\"\\u00e9\"}"), text_of(NULL), &merged), OK);
	assert_true(text_equal(merged, TEXT("{\"a\":\"\xC3\xA9\"}")));
	assert_int_equal(json_merge(&arena, text_of(NULL), text_of(NULL), &merged), OK);
	assert_null(merged.at);
	assert_int_equal(json_merge(&arena, TEXT("[]"), TEXT("{}"), &merged), ERR_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_number_that_a_double_keeps_is_taken),
		TEST(a_number_that_a_double_loses_is_refused),
		TEST(what_is_no_json_is_refused),
		TEST(a_duplicate_key_is_refused),
		TEST(a_lone_surrogate_is_refused),
		TEST(a_nul_and_broken_utf8_are_refused),
		TEST(depth_32_is_taken_and_33_refused),
		TEST(a_body_beyond_the_arena_is_too_large),
		TEST(every_kind_is_filled),
		TEST(what_is_not_given_is_absent_or_its_fallback),
		TEST(a_field_that_clears_tells_empty_from_absent),
		TEST(a_missing_field_is_named),
		TEST(a_wrong_field_is_named),
		TEST(a_text_may_have_200_bytes_unless_stated),
		TEST(a_body_that_is_no_object_is_refused),
		TEST(a_fill_beyond_the_arena_is_too_large),
		TEST(pairs_are_read_from_text),
		TEST(a_wrong_or_repeated_pair_is_named),
		TEST(a_pair_that_is_not_utf8_is_refused),
		TEST(values_can_be_looked_at),
		TEST(a_merge_keeps_places_and_adds_behind),
	};

	json_in_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
