#include "api/recheck.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/credential.h"

struct recheck {
	struct asking_item item;
	struct readers *readers;
	struct credential_claim claim;
	pthread_mutex_t lock;         /* guards what follows */
	struct http_request *request; /* NULL: it has been dropped */
	enum recheck_state state;
};

static void finish(struct recheck *recheck)
{
	pthread_mutex_destroy(&recheck->lock);
	free(recheck);
}

/* The stream cannot go while the lock is held: it drops this first. */
static void run(void *context, bool admitted)
{
	struct recheck *recheck = context;
	const bool holds = admitted && credential_claim_holds(recheck->readers, &recheck->claim);
	bool dropped;

	pthread_mutex_lock(&recheck->lock);
	recheck->state = holds ? RECHECK_HOLDS : RECHECK_GONE;
	dropped = recheck->request == NULL;
	if (!dropped)
		http_resume_stream(recheck->request);
	pthread_mutex_unlock(&recheck->lock);
	if (dropped)
		finish(recheck);
}

struct recheck *recheck_begin(struct call *call)
{
	const struct asking_party party = asking_organization(&call->session.organization);
	struct recheck *recheck = calloc(1, sizeof *recheck);

	if (recheck == NULL)
		return NULL;
	recheck->item.run = run;
	recheck->item.context = recheck;
	recheck->readers = call->house->readers;
	recheck->claim = credential_claim(call);
	recheck->request = call->request;
	pthread_mutex_init(&recheck->lock, NULL);
	if (asking_submit(call->house->asking, &recheck->item, &party) == OK)
		return recheck;
	finish(recheck);
	return NULL;
}

void recheck_drop(struct recheck **given)
{
	struct recheck *recheck = *given;
	bool known;

	*given = NULL;
	if (recheck == NULL)
		return;
	pthread_mutex_lock(&recheck->lock);
	recheck->request = NULL;
	known = recheck->state != RECHECK_ASKED;
	pthread_mutex_unlock(&recheck->lock);
	if (known)
		finish(recheck);
}

enum recheck_state recheck_take(struct recheck **given)
{
	struct recheck *recheck = *given;
	enum recheck_state state;

	pthread_mutex_lock(&recheck->lock);
	state = recheck->state;
	pthread_mutex_unlock(&recheck->lock);
	if (state != RECHECK_ASKED)
		recheck_drop(given);
	return state;
}
