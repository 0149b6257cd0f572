/* One request on its way down the ladder, as a handler sees it.
 * Owner: dispatch.c; it lives in the request's arena until the reply was sent. One thread at a time: it is handed over,
 * from the HTTP thread to the writer or the slow thread and back. A handler reads `input`, uses `db` in the scope that
 * is entered already, and writes `out`; on failure it returns what `fault` says. Never sees headers, credentials or
 * another organization. Next: any handler, chats.c for example. */
#ifndef INNKEEPER_API_CALL_H
#define INNKEEPER_API_CALL_H

#include "analytics/counting.h"
#include "api/admission.h"
#include "api/asking.h"
#include "api/house.h"
#include "api/live_hub.h"
#include "api/route.h"
#include "auth/session.h"
#include "base/json_out.h"
#include "base/worker.h"
#include "net/http.h"
#include "store/query.h"

#define REQUEST_ID_MAX 128

struct call {
	const struct house *house;
	const struct route *route;
	struct arena *arena; /* the request's */
	int64_t now;         /* ms; one moment for the whole request */
	const void *input;   /* the struct of the route's body shape, filled; or NULL */
	const void *query;   /* the struct of the route's query shape, filled; or NULL */
	struct text body;    /* as sent, for handlers whose route has no body shape */
	struct text idempotency_key;
	struct text parameters[ROUTE_PARAMETERS]; /* of the path, in order */
	struct db *db;                            /* in `scope`; NULL where the route runs HERE or SLOWLY */
	const struct scope *scope;
	struct json_out *out;
	unsigned status;          /* of a success; 200 unless the handler says otherwise */
	const char *content_type; /* static; NULL: what the route's answer is */
	/* A handler whose answer is a stream sets these instead of writing `out`; see http_reply.more. `more` is called
	 * on the HTTP thread without a db, any number of times; `ended` once, when nothing more is asked: it frees what
	 * the stream holds outside of the arena, also when `more` was never called. */
	enum http_more (*more)(struct call *call, struct http_piece *piece);
	void (*ended)(struct call *call);
	void *stream;                 /* theirs */
	struct live_note *first_note; /* live.h's */
	struct live_note *last_note;
	/* Of a REDIRECT: where to, and where to if the call fails (absent: the failure is answered as ever). */
	struct text location;
	struct text location_of_failure;
	struct fault fault;
	void *prepared; /* what the route's `look` and `prepare` left for `handle`, or a handler for its list; in the
			   arena */
	struct session_holder session; /* who is signed in, of SESSION and GUEST routes */
	/* What the record of the organization says of this call, once it is done. */
	const char *audit; /* the route's, unless the handler says otherwise; NULL: nothing */
	struct text audit_target;
	struct text audit_detail; /* JSON */
	/* The ladder's own from here on. */
	struct http_request *request;
	bool asks;        /* the database tells whether it may ask: credential_check */
	enum err refused; /* beside those that ask: told no sooner than to them, or it would tell which is which */
	struct json_out writer_of_reply;
	int64_t began_stream; /* clock_monotonic */
	struct writer_item writer_item;
	const struct call_before *before; /* call_again.c's */
	struct worker_item worker_item;
	struct admission_item admission_item;
	struct asking_item asking_item;
	struct text request_id;
	struct key_holder holder;
};

/* Fails the call with a field at fault (NULL: none) and a sentence for a person. */
enum err call_fail(struct call *call, enum err err, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* For a handler that WRITES: what the figures are told through. */
struct counting call_counting(struct call *call);

/* An id in the path. ERR_NOT_FOUND: it is none, and so names nothing; answered like one that is not there. */
enum err call_parameter_id(const struct call *call, size_t which, struct uuid *out) WARN_UNUSED;

/* "success": true */
void call_put_success(struct call *call);

#endif
