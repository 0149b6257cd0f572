/* A small application behind net alone, for tests/net: what comes through the gate is told on standard output.
 *
 *     POST /echo      answers the body          GET /hello   answers "hello"
 *     POST /later     the same, by http_resume from another thread
 *     POST /at-once   by http_resume before `handle` has returned
 *     GET  /peer      the peer's 16 bytes       POST /refused   401 from `admit`
 *     GET  /target    path, query
 *
 * Lines: "port N", then "seen METHOD PATH" for each request admitted and "released PATH 0|1" at its end.
 * SIGTERM drains for two seconds and ends. Options come as NAME=VALUE. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/http.h"

#define BODY_LIMIT ((size_t)64 * 1024)

struct later {
	pthread_t thread;
	struct http_request *request;
};

static void say(const char *what, struct text a, struct text b)
{
	char line[512];
	int length = snprintf(line, sizeof line, "%s %.*s %.*s\n", what, (int)(a.length > 200 ? 200 : a.length), a.at,
			      (int)(b.length > 200 ? 200 : b.length), b.at);

	if (write(STDOUT_FILENO, line, (size_t)length) < 0)
		_exit(1);
}

static enum http_next answer_text(struct http_request *request, struct text text)
{
	request->reply.status = 200;
	request->reply.content_type = "text/plain";
	buffer_text(&request->reply.body, text);
	http_reply_header(request, "X-Probe", TEXT("yes"));
	return HTTP_ANSWER;
}

static enum http_next admit(void *application, struct http_request *request)
{
	(void)application;
	say("seen", request->method, request->path);
	if (text_equal(request->path, TEXT("/refused"))) {
		request->reply.status = 401;
		return HTTP_ANSWER;
	}
	request->body_limit = BODY_LIMIT;
	return HTTP_PROCEED;
}

static void *resume_later(void *argument)
{
	struct later *later = argument;

	(void)usleep(300 * 1000);
	(void)answer_text(later->request, later->request->body);
	http_resume(later->request);
	free(later);
	return NULL;
}

static enum http_next answer_later(struct http_request *request)
{
	struct later *later = malloc(sizeof *later);

	if (!later)
		abort();
	later->request = request;
	if (pthread_create(&later->thread, NULL, resume_later, later) != 0)
		abort();
	(void)pthread_detach(later->thread);
	return HTTP_WAIT;
}

static enum http_next handle(void *application, struct http_request *request)
{
	(void)application;
	if (text_equal(request->path, TEXT("/later")))
		return answer_later(request);
	if (text_equal(request->path, TEXT("/at-once"))) {
		(void)answer_text(request, request->body);
		http_resume(request);
		return HTTP_WAIT;
	}
	if (text_equal(request->path, TEXT("/peer"))) {
		char hex[33];

		text_hex(request->peer.bytes, sizeof request->peer.bytes, hex);
		return answer_text(request, text_copy(&request->arena, text_of(hex)));
	}
	if (text_equal(request->path, TEXT("/hello")))
		return answer_text(request, TEXT("hello"));
	if (text_equal(request->path, TEXT("/echo")))
		return answer_text(request, request->body);
	request->reply.status = 404;
	buffer_text(&request->reply.body, request->path);
	buffer_string(&request->reply.body, " ");
	buffer_text(&request->reply.body, request->query);
	return HTTP_ANSWER;
}

static void refuse(void *application, struct http_request *request, unsigned status, const char *code,
		   const char *sentence)
{
	(void)application;
	request->reply.status = status;
	buffer_format(&request->reply.body, "{\"error\":\"%s\",\"code\":\"%s\"}", sentence, code);
}

static void release(void *application, struct http_request *request, bool sent)
{
	(void)application;
	say("released", request->path, sent ? TEXT("1") : TEXT("0"));
}

static void read_option(struct http_options *options, const char *argument)
{
	const struct {
		const char *name;
		const char **text;
		unsigned *number;
	} known[] = {
		{ "listen=", &options->listen, NULL },
		{ "control=", &options->control_path, NULL },
		{ "trusted=", &options->trusted_proxy, NULL },
		{ "threads=", NULL, &options->threads },
		{ "connections=", NULL, &options->max_connections },
		{ "header=", NULL, &options->header_timeout },
		{ "body=", NULL, &options->body_timeout },
		{ "idle=", NULL, &options->idle_timeout },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		size_t length = strlen(known[i].name);

		if (strncmp(argument, known[i].name, length) != 0)
			continue;
		if (known[i].text)
			*known[i].text = argument + length;
		else
			*known[i].number = (unsigned)strtoul(argument + length, NULL, 10);
		return;
	}
	(void)fprintf(stderr, "unknown option %s\n", argument);
	exit(2);
}

int main(int count, char **arguments)
{
	static const struct http_application application = { NULL, admit, handle, refuse, release };
	static const struct log log = { .fd = STDERR_FILENO, .least = LOG_WARNING };
	struct http_options options = {
		.listen = "127.0.0.1:0",
		.threads = 2,
		.max_connections = 100,
		.header_timeout = 5,
		.body_timeout = 5,
		.idle_timeout = 5,
		.log = &log,
	};
	struct fault fault;
	struct http *http;
	sigset_t signals;
	int received;

	for (int i = 1; i < count; i++)
		read_option(&options, arguments[i]);
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (http_start(&http, &options, &application, &fault) != OK) {
		(void)fprintf(stderr, "%s\n", fault.sentence);
		return 1;
	}
	(void)printf("port %u\n", (unsigned)http_port(http));
	(void)fflush(stdout);
	(void)sigwait(&signals, &received);
	http_drain(http, 2000);
	http_stop(http);
	return 0;
}
