/* Accepting an invitation: the page behind a one-time link.
 * Owner: handlers; passwords are hashed and checked on the slow thread.
 * Who has no account chooses a password; who has one proves it, by its password or by being signed in.
 * Never gives an account that is there another password. Next: auth/joining.h, which says why. */
#ifndef INNKEEPER_API_JOIN_H
#define INNKEEPER_API_JOIN_H

#include "api/call.h"

/* What a link is for. */
extern const struct json_shape join_show_body;
enum err join_show(struct call *call);

extern const struct json_shape join_body;
enum err join_look(struct call *call);
enum err join_prepare(struct call *call);
enum err join_accept(struct call *call);

#endif
