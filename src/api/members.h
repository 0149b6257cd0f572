/* Members of an organization: people who sign in, as the operator adds and lists them.
 * Owner: handlers of the control socket and the command line; see call.h. Hashing runs on the slow thread.
 * A person has one account however many organizations they belong to.
 * Never changes the password of an account that is there.
 * Next: auth/founding.h, auth/password.h; users.h for contacts, who never sign in. */
#ifndef INNKEEPER_API_MEMBERS_H
#define INNKEEPER_API_MEMBERS_H

#include "api/call.h"

extern const struct json_shape members_create_body;
enum err members_prepare(struct call *call); /* hashes the password */
enum err members_create(struct call *call);

enum err members_list(struct call *call);

#endif
