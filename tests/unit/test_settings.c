#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/settings.h"
#include "fixture.h"

struct desk {
	struct fixture fixture;
	struct settings settings;
	struct fault fault;
	int count;
	char *arguments[16];
	char config[128];
};

static int clear_environment(void **state)
{
	static const char *const names[] = { "CONFIG",         "DATABASE",     "CONTROL", "LISTEN",
					     "TRUSTED_PROXY",  "LOG_LEVEL",    "THREADS", "MAX_CONNECTIONS",
					     "HEADER_TIMEOUT", "BODY_TIMEOUT", "QUEUE",   "AUTH_FAILURES_PER_MINUTE",
					     "IDLE_TIMEOUT",   "MAX_BODY" };
	struct desk *desk = test_calloc(1, sizeof *desk);

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char name[64];

		snprintf(name, sizeof name, "INNKEEPER_%s", names[i]);
		unsetenv(name);
	}
	fixture_empty(&desk->fixture);
	snprintf(desk->config, sizeof desk->config, "%s/config", desk->fixture.folder);
	*state = desk;
	return 0;
}

static int clear_desk(void **state)
{
	struct desk *desk = *state;

	fixture_close(&desk->fixture);
	test_free(desk);
	return 0;
}

static void say(struct desk *desk, const char *words)
{
	assert_true(desk->count < 16);
	desk->arguments[desk->count++] = arena_copy(&desk->fixture.arena, words, strlen(words));
}

static void write_config(struct desk *desk, const char *bytes, size_t length)
{
	FILE *file = fopen(desk->config, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
	setenv("INNKEEPER_CONFIG", desk->config, 1);
}

static enum err read_settings(struct desk *desk)
{
	memset(&desk->fault, 0, sizeof desk->fault);
	return settings_read(&desk->settings, &desk->count, desk->arguments, &desk->fixture.arena, &desk->fault);
}

static void assert_refused(struct desk *desk, const char *words)
{
	assert_int_equal(read_settings(desk), ERR_INVALID);
	if (strstr(desk->fault.sentence, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", desk->fault.sentence, words);
	desk->count = 0;
}

static void with_nothing_said_everything_has_its_default(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(read_settings(desk), OK);
	assert_string_equal(desk->settings.database, "sqlite:innkeeper.db");
	assert_false(desk->settings.database_given);
	assert_string_equal(desk->settings.listen, "127.0.0.1:8080");
	assert_null(desk->settings.control);
	assert_null(desk->settings.trusted_proxy);
	assert_int_equal(desk->settings.header_timeout, 10);
	assert_int_equal(desk->settings.body_timeout, 30);
	assert_int_equal(desk->settings.max_body, 1048576);
	assert_int_equal(desk->settings.auth_failures_per_minute, 60);
}

static void an_option_wins_over_the_environment_and_that_over_the_file(void **state)
{
	static const char lines[] = "queue = 1\nthreads=1\n listen\t=  1.1.1.1:1  \nmax-body = 2000\n";
	struct desk *desk = *state;

	write_config(desk, lines, sizeof lines - 1);
	setenv("INNKEEPER_QUEUE", "2", 1);
	setenv("INNKEEPER_THREADS", "2", 1);
	setenv("INNKEEPER_LISTEN", "", 1); /* as if it were not set */
	say(desk, "serve");
	say(desk, "--queue=3");
	assert_int_equal(read_settings(desk), OK);
	assert_int_equal(desk->settings.queue, 3);
	assert_int_equal(desk->settings.threads, 2);
	assert_string_equal(desk->settings.listen, "1.1.1.1:1");
	assert_int_equal(desk->settings.max_body, 2000);
	assert_int_equal(desk->settings.idle_timeout, 75);
}

static void known_options_are_taken_out_and_the_rest_stays_in_order(void **state)
{
	struct desk *desk = *state;

	say(desk, "key");
	say(desk, "--database");
	say(desk, "sqlite:x=y");
	say(desk, "create");
	say(desk, "--name=n");
	say(desk, "--queue=7");
	say(desk, "-q");
	say(desk, "--");
	assert_int_equal(read_settings(desk), OK);
	assert_int_equal(desk->count, 5);
	assert_string_equal(desk->arguments[0], "key");
	assert_string_equal(desk->arguments[1], "create");
	assert_string_equal(desk->arguments[2], "--name=n");
	assert_string_equal(desk->arguments[3], "-q");
	assert_string_equal(desk->arguments[4], "--");
	assert_string_equal(desk->settings.database, "sqlite:x=y");
	assert_true(desk->settings.database_given);
	assert_int_equal(desk->settings.queue, 7);
}

static void an_option_without_its_value_is_refused(void **state)
{
	struct desk *desk = *state;

	say(desk, "--database");
	assert_refused(desk, "--database needs a value");
	say(desk, "--listen=");
	assert_refused(desk, "listen is empty");
}

static void a_number_out_of_bounds_is_refused_wherever_it_stands(void **state)
{
	static const char *const bad[] = { "0",   "65", "-1", "1.5", "two", " 2", "2 ", "99999999999999999999",
					   "0x2", "+2", "1e1" };
	struct desk *desk = *state;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char option[64];

		snprintf(option, sizeof option, "--threads=%s", bad[i]);
		say(desk, option);
		assert_refused(desk, "command line: threads must be a number from 1 to 64");
	}
	setenv("INNKEEPER_THREADS", "65", 1);
	assert_refused(desk, "INNKEEPER_THREADS: threads must be a number from 1 to 64");
	unsetenv("INNKEEPER_THREADS");
	write_config(desk, "\n# a comment\nthreads = 65\n", 26);
	assert_refused(desk, "config:3: threads must be a number from 1 to 64");
}

static void a_mistake_in_the_file_is_named_with_its_line(void **state)
{
	struct desk *desk = *state;

	write_config(desk, "queue = 5\nqueue-size = 5\n", 25);
	assert_refused(desk, "config:2: there is no setting `queue-size`");
	write_config(desk, "\n\nqueue 5", 9);
	assert_refused(desk, "config:3: a line must be `name = value`");
	write_config(desk, "listen =\n", 9);
	assert_refused(desk, "config:1: listen is empty");
	write_config(desk, "config = other\n", 15);
	assert_refused(desk, "config:1: there is no setting `config`");
	write_config(desk, "= 5\n", 4);
	assert_refused(desk, "config:1: there is no setting ``");
	write_config(desk, "queue = 5\0\n", 11);
	assert_refused(desk, "cannot be read");
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
	static char large[70000];
	struct desk *desk = *state;

	say(desk, "--config=/nowhere/at/all");
	assert_refused(desk, "/nowhere/at/all cannot be read");
	say(desk, "--config");
	say(desk, desk->fixture.folder);
	assert_refused(desk, "cannot be read");
	memset(large, '#', sizeof large);
	write_config(desk, large, sizeof large);
	assert_refused(desk, "at most 65536 bytes");
	write_config(desk, large, 65536);
	assert_int_equal(read_settings(desk), OK);
	write_config(desk, "", 0);
	assert_int_equal(read_settings(desk), OK);
	write_config(desk, "queue = 5\r\nthreads = 3\r\n", 24);
	assert_int_equal(read_settings(desk), OK);
	assert_int_equal(desk->settings.queue, 5);
	assert_int_equal(desk->settings.threads, 3);
}

static void the_control_socket_stands_beside_the_database(void **state)
{
	struct desk *desk = *state;
	struct server_options options;

	say(desk, "--database=sqlite:/var/lib/x.db");
	assert_int_equal(read_settings(desk), OK);
	assert_int_equal(
	    settings_server(&desk->settings, &desk->fixture.log, &desk->fixture.arena, &options, &desk->fault), OK);
	assert_string_equal(options.control, "/var/lib/x.db.control");
	assert_true(text_equal(options.database, TEXT("sqlite:/var/lib/x.db")));
	desk->settings.control = "/run/x";
	assert_int_equal(
	    settings_server(&desk->settings, &desk->fixture.log, &desk->fixture.arena, &options, &desk->fault), OK);
	assert_string_equal(options.control, "/run/x");
	desk->settings.database = "sqlite:";
	assert_int_equal(
	    settings_server(&desk->settings, &desk->fixture.log, &desk->fixture.arena, &options, &desk->fault),
	    ERR_INVALID);
	desk->settings.database = "mysql:x";
	assert_int_equal(
	    settings_server(&desk->settings, &desk->fixture.log, &desk->fixture.arena, &options, &desk->fault),
	    ERR_INVALID);
}

static void who_may_come_in_is_one_of_two(void **state)
{
	static const struct {
		const char *signup;
		enum err err;
		bool open;
	} rows[] = { { "invite", OK, false },
		     { "open", OK, true },
		     { "Open", ERR_INVALID, false },
		     { "closed", ERR_INVALID, false } };
	struct desk *desk = *state;
	struct server_options options;

	assert_int_equal(read_settings(desk), OK);
	assert_string_equal(desk->settings.signup, "invite");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		desk->settings.signup = rows[i].signup;
		assert_int_equal(
		    settings_server(&desk->settings, &desk->fixture.log, &desk->fixture.arena, &options, &desk->fault),
		    rows[i].err);
		if (rows[i].err == OK)
			assert_int_equal(options.signup_open, rows[i].open);
	}
}

#define DESK(test) cmocka_unit_test_setup_teardown(test, clear_environment, clear_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK(with_nothing_said_everything_has_its_default),
		DESK(an_option_wins_over_the_environment_and_that_over_the_file),
		DESK(known_options_are_taken_out_and_the_rest_stays_in_order),
		DESK(an_option_without_its_value_is_refused),
		DESK(a_number_out_of_bounds_is_refused_wherever_it_stands),
		DESK(a_mistake_in_the_file_is_named_with_its_line),
		DESK(a_file_that_cannot_be_read_is_refused),
		DESK(the_control_socket_stands_beside_the_database),
		DESK(who_may_come_in_is_one_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
