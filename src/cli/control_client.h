/* Asks a server through its control socket: plain HTTP over a Unix socket.
 * Owner: the caller frees the reply's buffer with buffer_fini. Main's thread.
 * Next: net/http.h, the other end.
 * Never goes over a network. */
#ifndef INNKEEPER_CLI_CONTROL_CLIENT_H
#define INNKEEPER_CLI_CONTROL_CLIENT_H

#include "base/err.h"
#include "base/text.h"

struct control_reply {
	long status; /* HTTP */
	struct buffer body;
};

/* `target` is path and query; `body` absent for none. ERR_UNAVAILABLE: nobody answers there. */
enum err control_ask(const char *socket_path, const char *method, const char *target, struct text body,
		     struct control_reply *reply, struct fault *fault) WARN_UNUSED;

/* The same; about each second of waiting `waiting` is called, which may ask something else. */
enum err control_wait(const char *socket_path, const char *method, const char *target, struct text body,
		      void (*waiting)(void *context), void *context, struct control_reply *reply,
		      struct fault *fault) WARN_UNUSED;

#endif
