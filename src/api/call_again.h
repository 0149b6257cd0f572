/* A write that may be run a second time, its first transaction having been lost: the call is put back as it was.
 * Owner: the call's arena. allow: where the call is submitted; the rest on the lane's thread.
 * A remote database's writer runs without care first (store/db.h, db_set_care) and falls back to it.
 * Never touches what the lane keeps in the call's writer_item. Next: store/lane.c, dispatch.c. */
#ifndef INNKEEPER_API_CALL_AGAIN_H
#define INNKEEPER_API_CALL_AGAIN_H

#include "api/call.h"

/* Remembers the call, whose handler has not run. ERR_MEMORY. */
enum err call_again_allow(struct call *call) WARN_UNUSED;

#endif
