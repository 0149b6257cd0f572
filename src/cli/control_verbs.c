#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_in.h"
#include "base/json_out.h"
#include "cli/control_client.h"
#include "cli/verb.h"
#include "store/db.h"

#define BODY_MAX 65536

/* The arguments as the route's JSON body. */
static void put_body(const struct verb *verb, const struct verb_arguments *arguments, struct buffer *body)
{
	struct json_out out;

	json_out_init(&out, body);
	json_open_object(&out);
	for (size_t i = 0; i < VERB_OPTIONS && verb->options[i].about != NULL; i++) {
		const struct verb_option *option = &verb->options[i];
		int64_t number;

		if (option->member == NULL || arguments->values[i].at == NULL)
			continue;
		json_key(&out, option->member);
		if (option->value == VERB_FLAG)
			json_put_bool(&out, true);
		else if (option->value == VERB_INT && text_to_int(arguments->values[i], &number) == OK)
			json_put_int(&out, number);
		else
			json_put_text(&out, arguments->values[i]);
	}
	json_close_object(&out);
}

/* The path, and the organization in the query, percent-encoded. */
static void put_target(const struct verb *verb, const struct verb_arguments *arguments, struct buffer *target)
{
	buffer_string(target, verb->path);
	for (size_t i = 0; i < VERB_OPTIONS && verb->options[i].about != NULL; i++) {
		const struct text slug = arguments->values[i];

		if (verb->options[i].value != VERB_ORGANIZATION || slug.at == NULL)
			continue;
		buffer_string(target, "?organization=");
		for (size_t at = 0; at < slug.length; at++)
			buffer_format(target, "%%%02X", (unsigned)(unsigned char)slug.at[at]);
	}
	buffer_add(target, "", 1);
}

/* What an answer of 400 and above says to people. */
static void print_refusal(const struct control_reply *reply, struct arena *arena)
{
	const struct json_value *answer;
	struct fault fault = { 0 };
	struct text sentence = { 0 };

	if (json_parse((struct text){ reply->body.at, reply->body.length }, arena, &answer, NULL) == OK &&
	    json_is_object(answer))
		sentence = json_member_text(answer, "error");
	if (sentence.at != NULL)
		fault_set(&fault, ERR_INVALID, NULL, NULL, "%.*s", (int)sentence.length, sentence.at);
	verb_failed(&fault);
}

/* What a verb's answer must say for it to have succeeded. */
static bool is_as_wanted(const struct verb *verb, const struct control_reply *reply, struct arena *arena)
{
	const struct json_value *answer;

	if (verb->verdict == NULL)
		return true;
	return json_parse((struct text){ reply->body.at, reply->body.length }, arena, &answer, NULL) == OK &&
	       json_is_object(answer) && text_equal(json_member_text(answer, "result"), text_of(verb->verdict));
}

static int print_reply(const struct verb *verb, const struct control_reply *reply, struct arena *arena)
{
	if (reply->status >= 300) {
		print_refusal(reply, arena);
		return EXIT_FAILED;
	}
	fwrite(reply->body.at, 1, reply->body.length, stdout);
	fputc('\n', stdout);
	if (fflush(stdout) != 0 || ferror(stdout) != 0)
		return EXIT_FAILED;
	return is_as_wanted(verb, reply, arena) ? EXIT_SUCCESS : EXIT_FAILED;
}

/* For who looks on while a verb takes long. */
struct onlooker {
	const struct verb *verb;
	const char *socket_path;
	bool told; /* a line stands there that is to be written over */
};

static int64_t number_of(const struct json_value *answer, const char *name)
{
	struct progress {
		int64_t number;
	} progress = { 0 };
	const struct json_field field = { .name = name, .kind = JSON_INT, .max = INT64_MAX };
	const struct json_shape shape = { sizeof progress, &field, 1 };
	struct fault fault = { 0 };
	struct arena arena;
	enum err err;

	arena_init(&arena, 4096);
	err = json_fill(answer, &shape, &arena, &progress, &fault);
	arena_fini(&arena);
	return err == OK && progress.number > 0 ? progress.number : 0;
}

static void tell_progress(void *given)
{
	struct onlooker *onlooker = given;
	const struct json_value *answer;
	struct control_reply reply = { 0 };
	struct arena arena;

	arena_init(&arena, BODY_MAX);
	if (control_ask(onlooker->socket_path, "GET", onlooker->verb->progress, (struct text){ 0 }, &reply,
			&(struct fault){ 0 }) == OK &&
	    reply.status == 200 &&
	    json_parse((struct text){ reply.body.at, reply.body.length }, &arena, &answer, NULL) == OK &&
	    json_is_object(answer) && json_member_text(answer, "part").at != NULL) {
		const struct text part = json_member_text(answer, "part");
		const int64_t total = number_of(answer, "total");

		fprintf(stderr, "\r%s: %.*s %lld", onlooker->verb->name, (int)part.length, part.at,
			(long long)number_of(answer, "done"));
		if (total > 0)
			fprintf(stderr, " of %lld", (long long)total);
		fputs("\033[K", stderr); /* nothing of a longer line is left */
		onlooker->told = true;
	}
	buffer_fini(&reply.body);
	arena_fini(&arena);
}

static int ask(const struct verb *verb, const struct verb_arguments *arguments, const char *socket_path,
	       struct arena *arena)
{
	const bool watched = verb->progress != NULL && isatty(STDERR_FILENO) == 1;
	struct onlooker onlooker = { verb, socket_path, false };
	struct control_reply reply = { 0 };
	struct buffer body;
	struct buffer target;
	struct fault fault = { 0 };
	int status = EXIT_FAILED;
	enum err err;

	buffer_init(&body, BODY_MAX);
	buffer_init(&target, BODY_MAX);
	put_target(verb, arguments, &target);
	if (strcmp(verb->method, "GET") != 0)
		put_body(verb, arguments, &body);
	if (body.failed || target.failed)
		err = fault_set(&fault, ERR_TOO_LARGE, NULL, NULL, "The arguments are too long.");
	else
		err = control_wait(socket_path, verb->method, target.at, (struct text){ body.at, body.length },
				   watched ? tell_progress : NULL, &onlooker, &reply, &fault);
	if (onlooker.told)
		fputs("\r\033[K", stderr);
	if (err == OK)
		status = print_reply(verb, &reply, arena);
	else
		verb_failed(&fault);
	buffer_fini(&reply.body);
	buffer_fini(&target);
	buffer_fini(&body);
	return status;
}

/* A server beside others on PostgreSQL has nothing to do with them: its socket lies in a folder of its own. */
static enum err make_folder(struct arena *arena, char **folder, const char **socket_path, struct fault *fault)
{
	const char *parent = getenv("TMPDIR");
	struct buffer path;
	struct text socket_text;
	enum err err = OK;

	buffer_init(&path, 4096);
	buffer_format(&path, "%s/innkeeper-XXXXXX", parent == NULL || *parent == '\0' ? "/tmp" : parent);
	*folder = (char *)text_copy(arena, (struct text){ path.at, path.length + 1 }).at;
	if (*folder == NULL || mkdtemp(*folder) == NULL)
		err = fault_set(fault, ERR_STORAGE, NULL, NULL, "A temporary folder could not be made in %s.",
				parent == NULL ? "/tmp" : parent);
	buffer_cut(&path, 0);
	if (err == OK) {
		buffer_format(&path, "%s/control", *folder);
		socket_text = text_copy(arena, (struct text){ path.at, path.length + 1 });
		*socket_path = socket_text.at;
		err = socket_text.at == NULL ? ERR_MEMORY : OK;
	} else {
		*folder = NULL;
	}
	buffer_fini(&path);
	return err;
}

static enum err find_database(const struct verb *verb, const struct settings *settings, struct arena *arena,
			      struct server_options *options, char **folder, struct fault *fault)
{
	bool remote = false;
	enum err err = db_know(options->database, &remote, fault);

	*folder = NULL;
	if (err == OK && remote)
		return make_folder(arena, folder, &options->control, fault);
	if (err == OK && !verb->founds && access(settings->database + strlen("sqlite:"), F_OK) != 0)
		err = fault_set(fault, ERR_NOT_FOUND, NULL, "database", "There is no database %s: is --database right?",
				settings->database);
	return err;
}

int control_run(const struct verb *verb, const struct settings *settings, const struct verb_arguments *arguments,
		struct arena *arena)
{
	const struct log log = { .fd = STDERR_FILENO, .least = verb->tells ? LOG_INFO : LOG_WARNING };
	struct server_options options;
	struct server *server = NULL;
	struct fault fault = { 0 };
	char *folder = NULL;
	enum err err = settings_server(settings, &log, arena, &options, &fault);
	int status;

	if (err != OK) {
		verb_failed(&fault);
		return EXIT_USAGE;
	}
	err = find_database(verb, settings, arena, &options, &folder, &fault);
	if (err != OK)
		return verb_failed(&fault);
	/* No network: this server is for one command. If another has the database, it is asked instead. */
	options.listen = NULL;
	server_block_signals();
	err = server_start(&server, &options, &fault);
	if (err != OK && err != ERR_CONFLICT)
		status = verb_failed(&fault);
	else
		status = ask(verb, arguments, options.control, arena);
	server_stop(server);
	if (folder != NULL)
		rmdir(folder);
	return status;
}
