/* The measures that the server is held against: the same HTTP stack and the same reading of the body, without a
 * database. stack answer        answers at once stack sync FILE     appends each body to FILE and answers after an
 * fdatasync, one for all that wait Prints its port and runs until SIGTERM. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/chats.h"
#include "net/http.h"

struct waiting {
	struct http_request *request;
	struct waiting *next;
};

struct stack {
	int file; /* -1: answer at once */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct waiting *first;
	struct waiting **last;
	bool stopping;
};

static void answer(struct http_request *request)
{
	buffer_init(&request->reply.body, 4096);
	buffer_string(&request->reply.body,
		      "{\"success\":true,\"messageId\":\"01a20ac3-a5b0-7956-99a8-52fd7c99a1a4\"}");
	request->reply.status = 200;
}

/* Everything that waits, written and synced at once. */
static void store(const struct stack *stack, struct waiting *first)
{
	for (struct waiting *item = first; item != NULL; item = item->next) {
		const struct text body = item->request->body;

		if (write(stack->file, body.at, body.length) != (ssize_t)body.length)
			abort();
	}
	if (fdatasync(stack->file) != 0)
		abort();
	while (first != NULL) {
		struct http_request *request = first->request;

		first = first->next; /* the item goes with its request */
		answer(request);
		http_resume(request);
	}
}

static void *work(void *given)
{
	struct stack *stack = given;

	pthread_mutex_lock(&stack->lock);
	for (;;) {
		struct waiting *first;

		while (stack->first == NULL && !stack->stopping)
			pthread_cond_wait(&stack->work, &stack->lock);
		if (stack->first == NULL)
			break;
		first = stack->first;
		stack->first = NULL;
		stack->last = &stack->first;
		pthread_mutex_unlock(&stack->lock);
		store(stack, first);
		pthread_mutex_lock(&stack->lock);
	}
	pthread_mutex_unlock(&stack->lock);
	return NULL;
}

static enum http_next admit(void *given, struct http_request *request)
{
	(void)given;
	request->body_limit = ROUTE_BODY;
	return HTTP_PROCEED;
}

static enum http_next handle(void *given, struct http_request *request)
{
	struct stack *stack = given;
	const struct json_value *value;
	struct fault fault;
	struct waiting *item = arena_take(&request->arena, sizeof *item);
	void *input = arena_take(&request->arena, chats_message_body.size);
	bool wake;

	if (item == NULL || input == NULL || json_parse(request->body, &request->arena, &value, &fault) != OK ||
	    json_fill(value, &chats_message_body, &request->arena, input, &fault) != OK)
		abort();
	if (stack->file < 0) {
		answer(request);
		return HTTP_ANSWER;
	}
	item->request = request;
	pthread_mutex_lock(&stack->lock);
	wake = stack->first == NULL;
	*stack->last = item;
	stack->last = &item->next;
	pthread_mutex_unlock(&stack->lock);
	if (wake)
		pthread_cond_signal(&stack->work);
	return HTTP_WAIT;
}

static void refuse(void *given, struct http_request *request, unsigned status, const char *code, const char *sentence)
{
	(void)given;
	(void)code;
	(void)sentence;
	answer(request);
	request->reply.status = status;
}

static void release(void *given, struct http_request *request, bool sent)
{
	(void)given;
	(void)request;
	(void)sent;
}

static int serve(struct stack *stack, const sigset_t *signals)
{
	const struct log log = { .fd = STDERR_FILENO, .least = LOG_WARNING };
	const struct http_options options = { .listen = "127.0.0.1:0",
					      .threads = 2,
					      .max_connections = 2000,
					      .header_timeout = 10,
					      .body_timeout = 30,
					      .idle_timeout = 75,
					      .log = &log };
	const struct http_application application = {
		.application = stack, .admit = admit, .handle = handle, .refuse = refuse, .release = release
	};
	struct http *http;
	struct fault fault;
	int which;

	if (http_start(&http, &options, &application, &fault) != OK) {
		fprintf(stderr, "stack: %s\n", fault.sentence);
		return 1;
	}
	printf("%u\n", (unsigned)http_port(http));
	fflush(stdout);
	sigwait(signals, &which);
	http_drain(http, 2000);
	http_stop(http);
	return 0;
}

/* Serves with a thread that stores, and ends it. */
static int run(struct stack *stack)
{
	sigset_t signals;
	int status;

	json_in_init();
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	pthread_create(&stack->thread, NULL, work, stack);
	status = serve(stack, &signals);
	pthread_mutex_lock(&stack->lock);
	stack->stopping = true;
	pthread_mutex_unlock(&stack->lock);
	pthread_cond_signal(&stack->work);
	pthread_join(stack->thread, NULL);
	return status;
}

int main(int count, char **arguments)
{
	struct stack stack = { .file = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER };
	int file;
	int status;

	stack.last = &stack.first;
	if (sodium_init() < 0)
		return 1;
	if (count == 2 && strcmp(arguments[1], "answer") == 0)
		return run(&stack);
	if (count != 3 || strcmp(arguments[1], "sync") != 0) {
		fputs("usage: stack answer | stack sync FILE\n", stderr);
		return 2;
	}
	file = open(arguments[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0) {
		perror(arguments[2]);
		return 1;
	}
	stack.file = file;
	status = run(&stack);
	close(file);
	return status;
}
