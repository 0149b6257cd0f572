#include "cli/verb.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json_in.h"
#include "base/version.h"

#define CLI_MEMORY     ((size_t)64 * 1024 * 1024)
#define LINE_MAX_BYTES 4096

int verb_failed(const struct fault *fault)
{
	fprintf(stderr, "innkeeper: %s\n",
		fault->sentence[0] != '\0' ? fault->sentence : "It failed; the lines above say why.");
	return EXIT_FAILED;
}

static int usage_error(const struct verb *verb, const char *what, const char *word)
{
	fprintf(stderr, "innkeeper: %s%s%s. See `innkeeper %s%s--help`.\n", what, word == NULL ? "" : " ",
		word == NULL ? "" : word, verb == NULL ? "" : verb->name, verb == NULL ? "" : " ");
	return EXIT_USAGE;
}

static void print_usage(FILE *to, const struct verb *verb)
{
	fprintf(to, "innkeeper %s", verb->name);
	for (const struct verb_option *option = verb->options; option < verb->options + VERB_OPTIONS; option++) {
		if (option->about == NULL)
			break;
		fprintf(to, " %s%s%s%s%s", option->required ? "" : "[", option->flag == NULL ? "" : option->flag,
			option->flag == NULL || option->argument == NULL ? "" : " ",
			option->argument == NULL ? "" : option->argument, option->required ? "" : "]");
	}
	fputs("\n", to);
}

static void help_all(FILE *to)
{
	fputs("Innkeeper " INNKEEPER_VERSION ": many organizations under one roof, each behind its own door.\n\n", to);
	for (size_t i = 0; i < verb_count; i++) {
		fputs("  ", to);
		print_usage(to, &verbs[i]);
		fprintf(to, "      %s\n", verbs[i].about);
	}
	fputs("\n", to);
	settings_help(to);
}

static void help_verb(FILE *to, const struct verb *verb)
{
	print_usage(to, verb);
	fprintf(to, "  %s\n\n", verb->about);
	for (const struct verb_option *option = verb->options; option < verb->options + VERB_OPTIONS; option++) {
		if (option->about == NULL)
			break;
		fprintf(to, "  %s%s%s\n      %s\n", option->flag == NULL ? "" : option->flag,
			option->flag == NULL || option->argument == NULL ? "" : " ",
			option->argument == NULL ? "" : option->argument, option->about);
	}
	fputs("\n", to);
	settings_help(to);
}

/* How many of the words name the verb; 0: they do not. */
static int names(const struct verb *verb, int count, char **words)
{
	const char *blank = strchr(verb->name, ' ');
	const size_t first = blank == NULL ? strlen(verb->name) : (size_t)(blank - verb->name);

	if (count < 1 || strlen(words[0]) != first || strncmp(words[0], verb->name, first) != 0)
		return 0;
	if (blank == NULL)
		return 1;
	return count >= 2 && strcmp(words[1], blank + 1) == 0 ? 2 : 0;
}

static enum err read_stdin(struct arena *arena, struct text *out)
{
	char line[LINE_MAX_BYTES];

	if (fgets(line, sizeof line, stdin) == NULL)
		return ERR_INVALID;
	line[strcspn(line, "\r\n")] = '\0';
	*out = text_copy(arena, text_of(line));
	return out->at == NULL ? ERR_MEMORY : OK;
}

static enum err make_absolute(struct arena *arena, const char *path, struct text *out)
{
	char here[PATH_MAX];
	char whole[2 * PATH_MAX];

	*out = text_of(path);
	if (path[0] == '/')
		return OK;
	if (getcwd(here, sizeof here) == NULL)
		return ERR_INVALID;
	snprintf(whole, sizeof whole, "%s/%s", here, path);
	*out = text_copy(arena, text_of(whole));
	return out->at == NULL ? ERR_MEMORY : OK;
}

static enum err take_value(const struct verb_option *option, const char *value, struct arena *arena, struct text *out)
{
	int64_t number;

	if (option->value == VERB_STDIN)
		return read_stdin(arena, out);
	if (option->value == VERB_PATH)
		return make_absolute(arena, value, out);
	if (option->value == VERB_SOURCE && strstr(value, "://") == NULL)
		return make_absolute(arena, value, out);
	*out = text_of(value);
	if (option->value == VERB_FLAG)
		return OK;
	return option->value == VERB_INT ? text_to_int(*out, &number) : OK;
}

static int value_error(const struct verb *verb, const struct verb_option *option, const char *value)
{
	if (option->value != VERB_INT)
		return usage_error(verb, "its value cannot be read:", option->flag == NULL ? value : option->flag);
	fprintf(stderr, "innkeeper: %s must be a number. See `innkeeper %s --help`.\n", option->flag, verb->name);
	return EXIT_USAGE;
}

/* The row's option that a word means: by its flag, or the next one without a flag that is still open. */
static const struct verb_option *option_of(const struct verb *verb, const char *word, size_t length,
					   const struct verb_arguments *arguments)
{
	for (size_t i = 0; i < VERB_OPTIONS && verb->options[i].about != NULL; i++) {
		const struct verb_option *option = &verb->options[i];

		if (option->flag == NULL ? word[0] != '-' && arguments->values[i].at == NULL
					 : strlen(option->flag) == length && strncmp(option->flag, word, length) == 0)
			return option;
	}
	return NULL;
}

static int take_otherwise(const struct verb *verb, struct arena *arena, struct text *out)
{
	struct timespec now;
	struct tm parts;
	char stamp[32];
	char name[NAME_MAX];
	const char *place = verb->otherwise == NULL ? NULL : strstr(verb->otherwise, "TIME");

	if (out->at != NULL || place == NULL)
		return EXIT_SUCCESS;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0 || gmtime_r(&now.tv_sec, &parts) == NULL ||
	    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &parts) == 0)
		return EXIT_FAILED;
	snprintf(name, sizeof name, "%.*s%s.%03ldZ%s", (int)(place - verb->otherwise), verb->otherwise, stamp,
		 now.tv_nsec / 1000000, place + 4);
	return make_absolute(arena, name, out) == OK ? EXIT_SUCCESS : EXIT_FAILED;
}

static int read_words(const struct verb *verb, int count, char **words, struct arena *arena,
		      struct verb_arguments *arguments)
{
	for (int i = 0; i < count; i++) {
		const char *equals = words[i][0] == '-' ? strchr(words[i], '=') : NULL;
		const size_t length = equals == NULL ? strlen(words[i]) : (size_t)(equals - words[i]);
		const struct verb_option *option = option_of(verb, words[i], length, arguments);
		const char *value = words[i];

		if (option == NULL)
			return usage_error(verb, "it does not take", words[i]);
		if (option->flag != NULL && option->value != VERB_STDIN && option->value != VERB_FLAG) {
			value = equals != NULL ? equals + 1 : i + 1 < count ? words[++i] : NULL;
			if (value == NULL)
				return usage_error(verb, "a value is needed behind", option->flag);
		}
		if (take_value(option, value, arena, &arguments->values[option - verb->options]) != OK)
			return value_error(verb, option, value);
	}
	for (size_t i = 0; i < VERB_OPTIONS && verb->options[i].about != NULL; i++) {
		if (verb->options[i].required && arguments->values[i].at == NULL)
			return usage_error(verb, "it needs",
					   verb->options[i].flag != NULL ? verb->options[i].flag
									 : verb->options[i].argument);
		if (verb->options[i].value == VERB_PATH &&
		    take_otherwise(verb, arena, &arguments->values[i]) != EXIT_SUCCESS)
			return EXIT_FAILED;
	}
	return EXIT_SUCCESS;
}

/* Also as "--flag=value". */
static bool asks_for(int count, char **words, const char *flag)
{
	const size_t length = strlen(flag);

	for (int i = 0; i < count; i++)
		if (strncmp(words[i], flag, length) == 0 && (words[i][length] == '\0' || words[i][length] == '='))
			return true;
	return false;
}

/* Whether a row further down has the same words. */
static bool has_other(size_t row, int count, char **words)
{
	for (size_t i = row + 1; i < verb_count; i++)
		if (names(&verbs[i], count, words) != 0)
			return true;
	return false;
}

static int run_words(int count, char **words, const struct settings *settings, struct arena *arena)
{
	for (size_t i = 0; i < verb_count; i++) {
		const struct verb *verb = &verbs[i];
		const int used = names(verb, count, words);
		struct verb_arguments arguments = { 0 };
		int status;

		if (used == 0 ||
		    (verb->chosen_by != NULL && !asks_for(count, words, verb->chosen_by) && has_other(i, count, words)))
			continue;
		if (asks_for(count, words, "--help")) {
			help_verb(stdout, verb);
			return EXIT_SUCCESS;
		}
		status = read_words(verb, count - used, words + used, arena, &arguments);
		if (status != EXIT_SUCCESS)
			return status;
		return verb->run != NULL ? verb->run(verb, settings, &arguments, arena)
					 : control_run(verb, settings, &arguments, arena);
	}
	if (count > 0 && words[0][0] != '-')
		return usage_error(NULL, "there is no verb", words[0]);
	return usage_error(NULL, "a verb is needed", NULL);
}

int verb_main(int count, char **arguments)
{
	struct settings settings;
	struct arena arena;
	struct fault fault = { 0 };
	int words = count - 1;
	int status;

	arena_init(&arena, CLI_MEMORY);
	json_in_init();
	if (words > 0 && strcmp(arguments[1], "--version") == 0) {
		puts("innkeeper " INNKEEPER_VERSION);
		status = EXIT_SUCCESS;
	} else if (words > 0 && (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "help") == 0)) {
		help_all(stdout);
		status = EXIT_SUCCESS;
	} else if (settings_read(&settings, &words, arguments + 1, &arena, &fault) != OK) {
		verb_failed(&fault);
		status = EXIT_USAGE;
	} else {
		status = run_words(words, arguments + 1, &settings, &arena);
	}
	arena_fini(&arena);
	return status;
}
