/* How a person becomes a member: a one-time link, and a proof that the account is theirs.
 * Owner: called by handlers; what is found lives in the arena given. Writing: in the writer's transaction.
 * An account is bound to a membership only by whoever holds the link AND proves the account: else an organization could
 * set a password for a stranger's e-mail and wait until another organization invites it.
 * Never gives an existing account a password. Next: api/join.c, api/members.c. */
#ifndef INNKEEPER_AUTH_JOINING_H
#define INNKEEPER_AUTH_JOINING_H

#include "auth/token.h"
#include "store/readers.h"

#define INVITATION_LIFETIME ((int64_t)7 * 24 * 60 * 60 * 1000) /* ms */

struct invitation {
	char token[TOKEN_SIZE];
	int64_t expires_at; /* ms */
};

/* A link for a member of the scope entered; an older one of theirs stops working. */
enum err joining_invite(struct db *db, const struct uuid *user, int64_t now, struct invitation *out) WARN_UNUSED;

/* What a link opens. ERR_NOT_FOUND: used, expired, replaced, or none at all. */
enum err joining_find(struct readers *readers, struct arena *arena, struct text token, int64_t now,
		      struct invitation_by_hash_out *out) WARN_UNUSED;
/* The same where something is read already, in any scope. */
enum err joining_find_beside(struct db *db, struct arena *arena, struct text token, int64_t now,
			     struct invitation_by_hash_out *out) WARN_UNUSED;

/* The account of an e-mail; ERR_NOT_FOUND: none. */
enum err joining_account(struct readers *readers, struct arena *arena, struct text email,
			 struct account_by_email_out *out) WARN_UNUSED;

/* Binds the link's membership to `account`, which is made with `password_hash` if that is given. ERR_NOT_FOUND: the
 * link was used meanwhile; ERR_CONFLICT: so was the e-mail. Any scope of a writer's transaction. */
enum err joining_accept(struct db *db, struct arena *arena, struct text token, const struct uuid *account,
			struct text password_hash, struct text name, int64_t now,
			struct invitation_by_hash_out *out) WARN_UNUSED;

/* A member who is removed: sessions there end, links die, and an account that belongs nowhere any more goes. In the
 * organization's scope; the row in users goes too. */
enum err joining_leave(struct db *db, struct arena *arena, const struct uuid *organization,
		       const struct user_by_id_out *user) WARN_UNUSED;

#endif
