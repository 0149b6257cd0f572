/* A route is a row: what is asked for, by whom, how it is read, who handles it. What is in no row does not exist.
 * Owner: constant data of the binary. Any thread.
 * A new policy is a new column here, and a line in the ladder of dispatch.c; never a check inside a handler.
 * Never two rows for one method and path.
 * Next: routes.c, the page to read first. */
#ifndef INNKEEPER_API_ROUTE_H
#define INNKEEPER_API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/role.h"
#include "base/err.h"
#include "base/json_in.h"
#include "store/writer.h"

struct call;

enum credential {
	PUBLIC,  /* nobody is asked */
	KEY,     /* an organization's API key */
	SESSION, /* a member who is signed in, of at least the row's role */
	GUEST,   /* anybody; who is signed in is known, and a browser's request must come from our own page */
	CONTROL, /* the operator, through the control socket: the server's own business */
	TENANT,  /* the operator, for the organization that `organization` in the query names by its slug */
};

enum runs {
	HERE,   /* on the HTTP thread, without the database */
	READS,  /* with a reading connection, in the caller's scope */
	WRITES, /* by the writer, in the caller's scope; answered when it is durable */
	SLOWLY, /* on a thread for what takes long, without the database */
};

enum answer {
	OBJECT,     /* the handler writes members of an object */
	ARRAY,      /* the handler writes elements of an array */
	PLAIN_TEXT, /* the handler writes the body itself: text for programs that are not ours */
	DOCUMENT,   /* the handler writes one JSON value, whole */
	REDIRECT,   /* the handler says where the browser goes on, and writes no body */
};

enum rate {
	UNLIMITED,
	BY_KEY,     /* as the organization's key may */
	BY_ADDRESS, /* as a client that has shown no credential yet may */
};

#define ROUTE_PARAMETERS 2
#define ROUTE_BODY       ((size_t)1024 * 1024)

struct route {
	const char *method;
	const char *path; /* "{name}" stands for one segment */
	enum credential credential;
	enum runs runs;
	enum answer answer;
	enum rate rate;
	enum role least;   /* of SESSION */
	const char *audit; /* what the record of an organization calls it when it was done, or NULL: not recorded */
	bool cors;         /* browsers of any site may ask: CORS headers, preflight */
	size_t body_limit; /* bytes; 0: ROUTE_BODY, or what --max-body says */
	bool errand;       /* what takes long waits for others: not on the slow thread, which computes */
	bool parts;        /* of WRITES: the handler enters the scope by itself, for one part after the other */
	const char *batch; /* the `type` of an item of /api/batch that is handled as this route, or NULL */
	const struct json_shape *body;  /* of a JSON object; NULL: the body is the handler's, or there is none */
	const struct json_shape *query; /* NULL: the query is ignored */
	/* Reads a body that is not one JSON object, on the HTTP thread, into call->input; or NULL. */
	enum err (*read)(struct call *call);
	/* What `prepare` has to read first, so that its thread, which is one for all, does not wait for a remote
	 * database: there it is read in turn with others (asking.h). In no transaction; or NULL. */
	enum err (*look)(struct call *call);
	/* Work that must not run on the writer (hashing a password), done on the slow thread, or an errand's, before
	 * `handle`; or NULL. */
	enum err (*prepare)(struct call *call);
	enum err (*handle)(struct call *call);
	/* Of WRITES: says what `handle` will read, by db_foresee, in each round; or NULL. */
	void (*foresee)(struct call *call, enum foresight round);
	/* Once it is durable, before it is answered: what must be forgotten in memory; or NULL. */
	void (*stored)(struct call *call);
	/* Work that has to be done before it is answered, but not in the handler's transaction; on an errand's thread,
	 * or left out when none is free; or NULL. */
	void (*conclude)(struct call *call);
	const char *reply; /* what a success answers, in the notation of reply_shape.h; of PLAIN_TEXT its media type */
	const char *about; /* one sentence, for the API's page */
};

extern const struct route routes[];
extern const size_t route_count;

/* The row of an item of /api/batch; NULL: no such type. */
const struct route *route_of_batch_type(struct text type);

#endif
