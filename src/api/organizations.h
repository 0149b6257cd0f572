/* Organizations, as the operator founds, lists and changes them.
 * Owner: handlers of the control socket and the command line; see call.h.
 * Founding one gives its first API key: the only time it is seen.
 * Never reachable from the network.
 * Next: keys.h, members.h; cli/verbs.c, which calls these. */
#ifndef INNKEEPER_API_ORGANIZATIONS_H
#define INNKEEPER_API_ORGANIZATIONS_H

#include "api/call.h"

extern const struct json_shape organizations_create_body;
enum err organizations_create(struct call *call);

enum err organizations_list(struct call *call);

extern const struct json_shape organizations_change_body;
enum err organizations_change(struct call *call);
void organizations_changed(struct call *call); /* its keys carry its limit and status */

#endif
