/* Periodic work: a table of it, one thread that does it in turn.
 * Owner: the server. Thread: its own; a job does its writes through the writer.
 * A job enters one organization after the other, never two at once.
 * Never holds up a request: what a job needs long for, it does in steps.
 * Next: jobs.c, the table. */
#ifndef INNKEEPER_JOBS_H
#define INNKEEPER_JOBS_H

#include "api/house.h"

struct jobs;

enum err jobs_start(struct jobs **out, const struct house *house) WARN_UNUSED;

/* Runs what must not be lost once more, and ends the thread. The writer must still run. */
void jobs_stop(struct jobs *jobs);

#endif
