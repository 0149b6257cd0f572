/* A small application behind net alone, for tests/net: what comes through the gate is told on standard output.
 *
 *     POST /echo      answers the body          GET /hello   answers "hello"
 *     POST /later     the same, by http_resume from another thread
 *     POST /at-once   by http_resume before `handle` has returned
 *     GET  /peer      the peer's 16 bytes       POST /refused   401 from `admit`
 *     GET  /target    path, query               GET /tls   whether the client came through TLS
 *     GET  /count?N   a stream of N bytes       GET /half  a stream that fails behind its first line
 *     GET  /ticks?N   a stream that waits for each of N ticks of a clock of 100 microseconds
 *     GET  /wait      a stream: "first", and for each POST /wake "woken"; "bye" when the server drains
 *     GET  /stay      a stream: "first", then it waits whatever happens
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

struct probe;

/* A stream under way; in the probe's list between its handler and its release. */
struct stream {
	struct probe *probe;
	struct http_request *request;
	struct stream *next;
	struct stream *previous;
	uint64_t given; /* bytes, lines or ticks */
	uint64_t wanted;
	uint64_t seen; /* of probe.ticks or probe.wakes */
};

struct probe {
	pthread_mutex_t lock; /* of what follows and of the list's links */
	struct stream *first;
	uint64_t ticks;
	uint64_t wakes;
	bool stopping;
};

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

static enum http_more say_line(struct http_piece *piece, const char *line)
{
	piece->length = strlen(line);
	memcpy(piece->at, line, piece->length);
	return HTTP_MORE;
}

static enum http_more give_count(struct http_request *request, struct http_piece *piece)
{
	struct stream *stream = request->context;
	const uint64_t left = stream->wanted - stream->given;

	if (left == 0)
		return HTTP_MORE_ENDED;
	piece->length = left < piece->room ? (size_t)left : piece->room;
	for (size_t i = 0; i < piece->length; i++)
		piece->at[i] = (char)('a' + (stream->given + i) % 23);
	stream->given += piece->length;
	return HTTP_MORE;
}

static enum http_more give_half(struct http_request *request, struct http_piece *piece)
{
	struct stream *stream = request->context;

	return stream->given++ == 0 ? say_line(piece, "half\n") : HTTP_MORE_FAILED;
}

static uint64_t look(struct stream *stream, const uint64_t *counter)
{
	struct probe *probe = stream->probe;

	pthread_mutex_lock(&probe->lock);
	const uint64_t now = *counter;

	pthread_mutex_unlock(&probe->lock);
	return now;
}

static enum http_more give_ticks(struct http_request *request, struct http_piece *piece)
{
	struct stream *stream = request->context;
	const uint64_t now = look(stream, &stream->probe->ticks);

	if (stream->given == stream->wanted)
		return HTTP_MORE_ENDED;
	if (now == stream->seen)
		return HTTP_MORE_LATER;
	stream->seen = now;
	stream->given++;
	return say_line(piece, "t");
}

static enum http_more give_wakes(struct http_request *request, struct http_piece *piece)
{
	struct stream *stream = request->context;
	const uint64_t now = look(stream, &stream->probe->wakes);

	if (stream->given++ == 0)
		return say_line(piece, "first\n");
	if (piece->draining && stream->wanted == 0) {
		stream->wanted = 1;
		return say_line(piece, "bye\n");
	}
	if (piece->draining)
		return HTTP_MORE_ENDED;
	if (now == stream->seen)
		return HTTP_MORE_LATER;
	stream->seen = now;
	return say_line(piece, "woken\n");
}

static enum http_more give_stay(struct http_request *request, struct http_piece *piece)
{
	struct stream *stream = request->context;

	return stream->given++ == 0 ? say_line(piece, "first\n") : HTTP_MORE_LATER;
}

static const struct {
	const char *path;
	enum http_more (*more)(struct http_request *request, struct http_piece *piece);
} streams[] = {
	{ "/count", give_count }, { "/half", give_half }, { "/ticks", give_ticks },
	{ "/wait", give_wakes },  { "/stay", give_stay },
};

static enum http_next answer_stream(struct probe *probe, struct http_request *request, size_t which)
{
	struct stream *stream = arena_take(&request->arena, sizeof *stream);
	int64_t wanted = 0;

	if (!stream)
		abort();
	if (request->query.at && text_to_int(request->query, &wanted) != OK)
		abort();
	stream->probe = probe;
	stream->request = request;
	stream->wanted = (uint64_t)wanted;
	request->context = stream;
	request->reply.status = 200;
	request->reply.content_type = "text/plain";
	request->reply.more = streams[which].more;
	pthread_mutex_lock(&probe->lock);
	stream->seen = streams[which].more == give_wakes ? probe->wakes : probe->ticks;
	stream->next = probe->first;
	if (probe->first)
		probe->first->previous = stream;
	probe->first = stream;
	pthread_mutex_unlock(&probe->lock);
	return HTTP_ANSWER;
}

static void end_stream(struct probe *probe, struct stream *stream)
{
	pthread_mutex_lock(&probe->lock);
	if (stream->previous)
		stream->previous->next = stream->next;
	else
		probe->first = stream->next;
	if (stream->next)
		stream->next->previous = stream->previous;
	pthread_mutex_unlock(&probe->lock);
}

/* Under the probe's lock, so that none is released meanwhile. */
static void wake_streams(struct probe *probe, uint64_t *counter)
{
	pthread_mutex_lock(&probe->lock);
	++*counter;
	for (struct stream *stream = probe->first; stream; stream = stream->next)
		http_resume_stream(stream->request);
	pthread_mutex_unlock(&probe->lock);
}

static void *tick(void *argument)
{
	struct probe *probe = argument;
	bool stopping = false;

	while (!stopping) {
		(void)usleep(100);
		pthread_mutex_lock(&probe->lock);
		probe->ticks++;
		for (struct stream *stream = probe->first; stream; stream = stream->next)
			if (stream->request->reply.more == give_ticks)
				http_resume_stream(stream->request);
		stopping = probe->stopping;
		pthread_mutex_unlock(&probe->lock);
	}
	return NULL;
}

static enum http_next handle(void *application, struct http_request *request)
{
	for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++)
		if (text_equal(request->path, text_of(streams[i].path)))
			return answer_stream(application, request, i);
	if (text_equal(request->path, TEXT("/wake"))) {
		struct probe *probe = application;

		wake_streams(probe, &probe->wakes);
		return answer_text(request, TEXT("woken"));
	}
	if (text_equal(request->path, TEXT("/tls")))
		return answer_text(request, request->tls ? TEXT("tls") : TEXT("plain"));
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
	if (request->context)
		end_stream(application, request->context);
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
	struct probe probe = { .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct http_application application = { &probe, admit, handle, refuse, release };
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
	pthread_t ticker;
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
	if (pthread_create(&ticker, NULL, tick, &probe) != 0)
		return 1;
	(void)printf("port %u\n", (unsigned)http_port(http));
	(void)fflush(stdout);
	(void)sigwait(&signals, &received);
	http_drain(http, 2000);
	http_stop(http);
	pthread_mutex_lock(&probe.lock);
	probe.stopping = true;
	pthread_mutex_unlock(&probe.lock);
	(void)pthread_join(ticker, NULL);
	return 0;
}
