/* A verb of the command line is a row: its words, what it takes, and either a route of the operator's or a function.
 * Owner: constant data of the binary; main's thread.
 * A verb that is a route goes through the control socket: of the running server, or of one started for the moment.
 * JSON goes to standard output, words for people to standard error; exit codes 0, 1 (failed), 2 (usage).
 * Next: verbs.c, the table. */
#ifndef INNKEEPER_CLI_VERB_H
#define INNKEEPER_CLI_VERB_H

#include <stdbool.h>

#include "cli/settings.h"

#define EXIT_FAILED  1
#define EXIT_USAGE   2
#define VERB_OPTIONS 8

enum verb_value {
	VERB_TEXT,
	VERB_INT,
	VERB_PATH,         /* made absolute: the server may run elsewhere */
	VERB_STDIN,        /* the option is a flag; its value is the first line of standard input */
	VERB_ORGANIZATION, /* a slug, for the route's query */
	VERB_FLAG,         /* true when it is given */
	VERB_SOURCE,       /* postgres://… as it is; anything else is a path, made absolute */
};

struct verb_option {
	const char *flag;   /* "--slug"; NULL: the argument without a flag */
	const char *member; /* of the route's body, or of the arguments handed to `run` */
	enum verb_value value;
	bool required;
	const char *argument;
	const char *about;
};

struct verb_arguments {
	struct text values[VERB_OPTIONS]; /* by the row's options; absent when not given */
};

struct verb {
	const char *name; /* one or two words */
	const char *about;
	const char *method; /* of a route; NULL: `run` */
	const char *path;
	const char *verdict;   /* what the answer's `result` must be, else it exits 1; NULL: nothing */
	const char *progress;  /* a route that says how far it is, for who looks on; NULL: it is quick */
	bool founds;           /* may make a database that is not there yet */
	bool tells;            /* of its progress: a server that is started for it logs more than warnings */
	const char *otherwise; /* of its VERB_PATH that is not given: a file here, with the time for TIME; NULL: none */
	const char *chosen_by; /* this row is meant only when this option is given; NULL: whenever its words are */
	struct verb_option options[VERB_OPTIONS];
	int (*run)(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
		   struct arena *arena);
};

extern const struct verb verbs[];
extern const size_t verb_count;

/* The whole program behind main: finds the verb, reads its arguments, runs it. */
int verb_main(int count, char **arguments);

/* A failure for people, on standard error: "innkeeper: sentence". Returns EXIT_FAILED. */
int verb_failed(const struct fault *fault);

/* What the operator asks of a route: a running server's, or one that is started for it. */
int control_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
		struct arena *arena);

/* Verbs that are no routes. */
int serve_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
	      struct arena *arena);
int demo_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
	     struct arena *arena);
int migrate_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
		struct arena *arena);
int restore_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
		struct arena *arena);
int routes_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
	       struct arena *arena);
int statements_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
		   struct arena *arena);

#endif
