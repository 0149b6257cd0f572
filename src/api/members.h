/* Members of an organization: people who sign in. Invited, listed, changed, removed; by an Admin or the operator.
 * Owner: handlers; see call.h. Hashing runs on the slow thread.
 * A member without an account is one who has not accepted the invitation yet (join.h). Contacts, whom a concierge
 * identified (users.h), stand in the same table with the role Visitor: they can be invited and removed, but have no
 * role. Never leaves an organization without an Admin who can sign in. Next: auth/joining.h. */
#ifndef INNKEEPER_API_MEMBERS_H
#define INNKEEPER_API_MEMBERS_H

#include "api/call.h"

/* The operator's: with a password the member can sign in at once, without one there is a link. */
extern const struct json_shape members_create_body;
enum err members_prepare(struct call *call); /* hashes the password */
enum err members_create(struct call *call);

enum err members_list(struct call *call);

/* A new link for a member who has not accepted yet, by e-mail (the operator's) or by id. */
extern const struct json_shape members_invite_body;
enum err members_invite(struct call *call);
enum err members_invite_again(struct call *call);

/* The operator sets the password of whoever has lost it. */
extern const struct json_shape members_password_body;
enum err members_set_password(struct call *call);

extern const struct json_shape members_add_body;
enum err members_add(struct call *call);

extern const struct json_shape members_change_body;
enum err members_change(struct call *call);

enum err members_remove(struct call *call);

#endif
