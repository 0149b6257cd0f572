/* What lives as long as the process and handlers may reach: passed down, never global.
 * Owner: server.c fills and ends it. Any thread: each part says how it is shared.
 * Handlers see it through their call, as const.
 * Never holds anything of one organization.
 * Next: server.h (its life), call.h (a request's share of it). */
#ifndef INNKEEPER_API_HOUSE_H
#define INNKEEPER_API_HOUSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "analytics/ledger.h"
#include "auth/api_key.h"
#include "auth/attempts.h"
#include "auth/oidc_provider.h"
#include "auth/seal.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/worker.h"
#include "search/indexer.h"
#include "store/readers.h"
#include "store/writer.h"

struct admission;
struct asking;
struct bulletin;
struct conversations;
struct lease;
struct live_hub;
struct moves;
struct places;

struct house {
	const struct log *log;
	struct text database; /* its URL */
	bool remote;          /* it is another process: who reads waits for its answer */
	struct metrics *metrics;
	struct readers *readers;
	struct writer *writer;
	struct ledger *ledgers[WRITER_LANES];     /* each its lane's thread alone: house_ledger */
	struct search_awaits *awaits;             /* the same, WRITER_LANES of them */
	struct conversations *conversations;      /* the same */
	struct bulletin *bulletins[WRITER_LANES]; /* the same; of a remote database alone */
	struct lease *lease;    /* whose holder does what is to be done once; NULL: the database is ours alone */
	bool leads;             /* asks for it: a server does, and not one that is there for a command */
	struct worker *slow;    /* the thread for what takes long to compute */
	struct asking *errands; /* the threads for what waits for others: another server, a disk */
	struct asking *asking;  /* the threads that wait for a remote database; NULL: an HTTP thread reads by itself */
	struct api_keys *keys;
	struct attempts *attempts;
	struct admission *admission; /* of reads, while there is too much to write */
	struct live_hub *live;
	struct moves *moves;        /* of organizations, as a whole */
	struct places *downloads;   /* lists as CSV */
	struct oidc_provider *oidc; /* NULL: nobody signs in through one */
	bool signup_open;           /* who comes in through it uninvited founds an organization */
	struct seal_key seal;       /* of texts that come back: cursors, a sign-in under way */
	struct text openapi;        /* the API's description of itself; the server frees it */
	size_t body_limit;          /* bytes, where the route says nothing */
	int64_t started_at;         /* ms */
	_Atomic bool draining;      /* not ready any more: a balancer should look elsewhere */
};

/* The figures that are gathered on the lane whose connection `db` is; on its thread. */
static inline struct ledger *house_ledger(const struct house *house, const struct db *db)
{
	return house->ledgers[db_lane(db)];
}

#endif
