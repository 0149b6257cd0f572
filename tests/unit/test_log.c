#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/json_in.h"
#include "base/log.h"

/* What log_write put on a pipe, read as the JSON it must be. */
struct written {
	int ends[2];
	struct log log;
	struct arena arena;
	char line[8192];
	size_t length;
	const struct json_value *json;
};

static void start(struct written *w)
{
	memset(w, 0, sizeof *w);
	assert_int_equal(pipe(w->ends), 0);
	w->log = (struct log){ .fd = w->ends[1], .least = LOG_INFO };
	arena_init(&w->arena, 1 << 20);
}

static void read_line(struct written *w)
{
	struct fault fault;

	close(w->ends[1]);
	ssize_t got = read(w->ends[0], w->line, sizeof w->line);
	assert_true(got >= 0);
	w->length = (size_t)got;
	close(w->ends[0]);
	if (w->length == 0)
		return;
	assert_int_equal(w->line[w->length - 1], '\n');
	assert_ptr_equal(memchr(w->line, '\n', w->length), w->line + w->length - 1);
	assert_int_equal(json_parse((struct text){ w->line, w->length }, &w->arena, &w->json, &fault), OK);
}

static void a_line_is_one_json_object(void **state)
{
	struct written w;

	(void)state;
	start(&w);
	LOG(&w.log, LOG_WARNING, "The queue is full.", LOG_INT("waiting", -42), LOG_STRING("route", "/api/\"x\""),
	    LOG_REAL("took", 12.5), LOG_REAL("odd", NAN), LOG_STRING("absent", NULL));
	read_line(&w);
	assert_true(text_equal(json_member_text(w.json, "level"), TEXT("warning")));
	assert_true(text_equal(json_member_text(w.json, "message"), TEXT("The queue is full.")));
	assert_true(text_equal(json_member_text(w.json, "route"), TEXT("/api/\"x\"")));
	assert_int_equal(json_member_text(w.json, "time").length, 24);
	assert_non_null(memmem(w.line, w.length, ",\"waiting\":-42,", 15));
	assert_non_null(memmem(w.line, w.length, ",\"took\":12.5,\"odd\":null}", 24));
	assert_null(memmem(w.line, w.length, "absent", 6));
	arena_fini(&w.arena);
}

static void a_line_below_the_least_level_is_not_written(void **state)
{
	struct written w;

	(void)state;
	start(&w);
	log_write(&w.log, LOG_DEBUG, "Unheard.", NULL, 0);
	read_line(&w);
	assert_int_equal(w.length, 0);
	arena_fini(&w.arena);
}

static void control_characters_and_broken_utf8_are_escaped(void **state)
{
	struct written w;

	(void)state;
	start(&w);
	LOG(&w.log, LOG_ERROR, "Odd.",
	    LOG_STRING("a", "x\n\x1B[2J\x7F\xC2\x9B"
			    "\xFFy\xC3"),
	    LOG_STRING("b", "\xC3\xA9"));
	read_line(&w);
	assert_non_null(strstr(w.line, "\"x\\u000a\\u001b[2J\\u007f\\u009b\\ufffdy\\ufffd\""));
	assert_non_null(strstr(w.line, "\"\xC3\xA9\""));
	arena_fini(&w.arena);
}

static void a_long_text_is_cut_at_a_character(void **state)
{
	struct written w;
	char text[700];

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text + 498, "\xE2\x82\xAC", 3);
	start(&w);
	LOG(&w.log, LOG_INFO, "Long.", LOG_TEXT("t", ((struct text){ text, sizeof text })));
	read_line(&w);
	assert_int_equal(json_member_text(w.json, "t").length, 498);
	arena_fini(&w.arena);
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
	struct log_field fields[12];
	struct written w;
	char text[500];

	(void)state;
	memset(text, 1, sizeof text);
	for (size_t i = 0; i < 11; i++)
		fields[i] = LOG_TEXT("t", ((struct text){ text, i == 0 ? 500 : 100 }));
	fields[11] = LOG_INT("last", 7);
	/* One name each, or the parser would refuse the line. */
	static const char *const names[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10" };
	for (size_t i = 0; i < 11; i++)
		fields[i].name = names[i];
	start(&w);
	log_write(&w.log, LOG_INFO, "Much.", fields, 12);
	read_line(&w);
	assert_true(w.length <= 4096);
	assert_int_equal(json_member_text(w.json, "0").length, 500);
	assert_null(json_member_text(w.json, "10").at);
	assert_non_null(memmem(w.line, w.length, ",\"last\":7}", 10));
	arena_fini(&w.arena);
}

static void a_line_that_cannot_be_written_leaves_errno_alone(void **state)
{
	struct log log = { .fd = -1, .least = LOG_DEBUG };

	(void)state;
	errno = ENOENT;
	log_write(&log, LOG_ERROR, "Nowhere.", NULL, 0);
	assert_int_equal(errno, ENOENT);
}

static void levels_are_known_by_name(void **state)
{
	enum log_level level;

	(void)state;
	assert_int_equal(log_level_of(TEXT("debug"), &level), OK);
	assert_int_equal(level, LOG_DEBUG);
	assert_int_equal(log_level_of(TEXT("error"), &level), OK);
	assert_int_equal(level, LOG_ERROR);
	assert_int_equal(log_level_of(TEXT("Error"), &level), ERR_INVALID);
	assert_int_equal(log_level_of(text_of(NULL), &level), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_one_json_object),
		cmocka_unit_test(a_line_below_the_least_level_is_not_written),
		cmocka_unit_test(control_characters_and_broken_utf8_are_escaped),
		cmocka_unit_test(a_long_text_is_cut_at_a_character),
		cmocka_unit_test(what_does_not_fit_is_left_out_whole),
		cmocka_unit_test(a_line_that_cannot_be_written_leaves_errno_alone),
		cmocka_unit_test(levels_are_known_by_name),
	};

	json_in_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
