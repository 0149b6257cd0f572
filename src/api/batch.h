/* Many events in one request: each item of the shape of its own route, each kept or refused by itself, durable
 * together. Owner: handlers; see call.h. Read on the HTTP thread, stored by the writer in one transaction. An array, or
 * one object a line (NDJSON); at most BATCH_ITEMS of them. Never stores a part of an item. Next: the `batch` column of
 * routes.c. */
#ifndef INNKEEPER_API_BATCH_H
#define INNKEEPER_API_BATCH_H

#include "api/call.h"

#define BATCH_ITEMS 1000
#define BATCH_ROWS  5000 /* that all items together store: the writer holds up everybody meanwhile */
#define BATCH_BODY  ((size_t)8 * 1024 * 1024)

enum err batch_read(struct call *call);
void batch_foresee(struct call *call, enum foresight round);
enum err batch_store(struct call *call);

#endif
