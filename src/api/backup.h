/* The backup, as the operator asks for it.
 * Owner: a handler of the control socket and the command line; see call.h. On the slow thread: it may take minutes.
 * The file appears under its name only when it is whole and durable.
 * Never overwrites a file.
 * Next: store/copy.h. */
#ifndef INNKEEPER_API_BACKUP_H
#define INNKEEPER_API_BACKUP_H

#include "api/call.h"

extern const struct json_shape backup_body;
enum err backup_make(struct call *call);

#endif
