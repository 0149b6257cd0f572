/* People whom a concierge identified as its users: contacts of the organization, never accounts.
 * Owner: handlers; see call.h. On the writer's thread.
 * Found by e-mail, else made with the role Visitor.
 * Never gives a role, an account or another e-mail to anybody: a member found by e-mail stays as they are.
 * Next: sql/users.sql; members.h for those who sign in. */
#ifndef INNKEEPER_API_USERS_H
#define INNKEEPER_API_USERS_H

#include "api/call.h"

extern const struct json_shape users_identify_body;
enum err users_identify(struct call *call);

#endif
