#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "api/openapi.h"
#include "api/reply_shape.h"
#include "base/json_in.h"

/* What the notation says, with " for ' in `expected`; NULL: it must be refused. */
static void says(const char *notation, const char *expected)
{
	struct buffer buffer;
	struct json_out out;
	bool good;

	buffer_init(&buffer, 1 << 16);
	json_out_init(&out, &buffer);
	good = reply_shape_write(text_of(notation), &out);
	if (good != (expected != NULL))
		fail_msg("%s", notation);
	if (good) {
		for (size_t i = 0; i < buffer.length; i++)
			if (buffer.at[i] == '"')
				buffer.at[i] = '\'';
		if (!text_equal((struct text){ buffer.at, buffer.length }, text_of(expected)))
			fail_msg("%s: %.*s", notation, (int)buffer.length, buffer.at);
	}
	buffer_fini(&buffer);
}

static void a_notation_becomes_a_schema(void **state)
{
	(void)state;
	says("text", "{'type':'string'}");
	says(" id ", "{'type':'string','format':'uuid'}");
	says("time?", "{'type':['string','null'],'format':'date-time'}");
	says("true", "{'const':true}");
	says("any", "{}");
	says("any?", "{}");
	says("{}", "{'type':'object','properties':{}}");
	says("{a: int, b?: flag}", "{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'boolean'}},"
				   "'required':['a']}");
	says("[number]", "{'type':'array','items':{'type':'number'}}");
	says("[[object]]", "{'type':'array','items':{'type':'array','items':{'type':'object'}}}");
	says("{a: {b: text}?}", "{'type':'object','properties':{'a':{'anyOf':[{'type':'object','properties':{'b':"
				"{'type':'string'}},'required':['b']},{'type':'null'}]}},'required':['a']}");
	says("[text]?", "{'anyOf':[{'type':'array','items':{'type':'string'}},{'type':'null'}]}");
}

static void a_row_is_the_columns_of_its_statement(void **state)
{
	(void)state;
	says("[api_key_revoke(name?)]",
	     "{'type':'array','items':{'type':'object','properties':{'id':{'type':'string','format':'uuid'},"
	     "'name':{'type':['string','null']},'masked':{'type':'string'},"
	     "'revoked_at':{'type':'string','format':'date-time'}},'required':['id','name','masked','revoked_at']}}");
	says("api_key_revoke.3", "{'type':'object','properties':{'revoked_at':{'type':'string','format':'date-time'}},"
				 "'required':['revoked_at']}");
	says("{...secret_by_name, more: int}",
	     "{'type':'object','properties':{'value':{'type':'string'},'more':{'type':'integer'}},"
	     "'required':['value','more']}");
}

static void a_notation_that_is_wrong_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		" ",
		"?",
		"texts",
		"text text",
		"text??",
		"{",
		"}",
		"{a}",
		"{a:}",
		"{a text}",
		"{a: text",
		"{a: text,}",
		"{a: text, a: int}",
		"{: text}",
		"[",
		"[]",
		"[text",
		"[text]]",
		"no_such_statement",
		"secret_create", /* answers no row */
		"...secret_by_name",
		"{...text}",
		"secret_by_name(",
		"secret_by_name()",
		"secret_by_name(value)",
		"secret_by_name(other?)",
		"secret_by_name.1",
		"secret_by_name.x",
		"secret_by_name.",
		"secret_by_name(value?",
		"{...secret_by_name, value: text}",
		"[[[[[[[[[[[text]]]]]]]]]]]",
	};

	(void)state;
	says(NULL, NULL);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		says(wrong[i], NULL);
}

static void a_status_may_stand_before_it(void **state)
{
	struct text type;

	(void)state;
	assert_int_equal(reply_shape_status("207 [text]", &type), 207);
	assert_true(text_equal(type, TEXT("[text]")));
	assert_int_equal(reply_shape_status("{a: text}", &type), 200);
	assert_true(text_equal(type, TEXT("{a: text}")));
	assert_int_equal(reply_shape_status(NULL, &type), 200);
	assert_null(type.at);
}

/* What a row answers in JSON it says; a row that does not is named here. */
static void every_route_says_what_it_answers(void **state)
{
	const struct route *wrong;
	struct text document;

	(void)state;
	assert_int_equal(openapi_make(&document, &wrong), OK);
	if (wrong != NULL)
		fail_msg("%s %s", wrong->method, wrong->path);
	free((void *)document.at);
	for (size_t i = 0; i < route_count; i++) {
		struct text type;

		assert_non_null(routes[i].about);
		if (routes[i].answer == PLAIN_TEXT || routes[i].credential == CONTROL ||
		    routes[i].credential == TENANT || routes[i].reply == NULL)
			continue;
		reply_shape_status(routes[i].reply, &type);
		/* The ladder writes the brackets. */
		if (routes[i].answer == ARRAY ? type.at[0] != '[' : routes[i].answer == OBJECT && type.at[0] == '[')
			fail_msg("%s %s", routes[i].method, routes[i].path);
	}
}

static void the_document_is_one_json_text(void **state)
{
	const struct json_value *value;
	struct fault fault = { 0 };
	const struct route *wrong;
	struct text document;
	struct arena arena;

	(void)state;
	json_in_init();
	arena_init(&arena, (size_t)64 << 20);
	assert_int_equal(openapi_make(&document, &wrong), OK);
	if (json_parse(document, &arena, &value, &fault) != OK)
		fail_msg("%s", fault.sentence);
	assert_true(text_equal(json_member_text(value, "openapi"), TEXT("3.1.0")));
	assert_null(json_member(json_member(value, "paths"), "/control/backup"));
	assert_non_null(json_member(json_member(value, "paths"), "/api/chats/create"));
	arena_fini(&arena);
	free((void *)document.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notation_becomes_a_schema),
		cmocka_unit_test(a_row_is_the_columns_of_its_statement),
		cmocka_unit_test(a_notation_that_is_wrong_is_refused),
		cmocka_unit_test(a_status_may_stand_before_it),
		cmocka_unit_test(every_route_says_what_it_answers),
		cmocka_unit_test(the_document_is_one_json_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
