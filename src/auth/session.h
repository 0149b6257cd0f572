/* Sessions: a person who has signed in, and the organization they are in.
 * Owner: a holder lives in the request's arena. Reading: any thread; writing: the writer's.
 * A session slides: it ends SESSION_LIFETIME after it was used last. Membership and role are read each time, so that a
 * change of them holds from the next request.
 * Never outlives the membership it was made for. Next: api/credential.c (asked), api/sign_in.c (made and ended). */
#ifndef INNKEEPER_AUTH_SESSION_H
#define INNKEEPER_AUTH_SESSION_H

#include "auth/role.h"
#include "auth/token.h"
#include "store/readers.h"
#include "store/writer.h"

#define SESSION_LIFETIME ((int64_t)30 * 24 * 60 * 60 * 1000) /* ms */
#define SESSION_MOST     50                                  /* of an account */

/* Who is signed in. */
struct session_holder {
	bool there;
	char hash[TOKEN_HASH_SIZE]; /* the session's name in the database */
	struct uuid account;
	struct uuid user; /* the membership */
	struct uuid organization;
	enum role role;
	struct text email; /* of the membership, as are name and image */
	struct text name;
	struct text image;
	struct text slug;
	struct text organization_name;
	int64_t expires_at; /* ms */
};

/* ERR_UNAUTHORIZED: no such session, ended, expired, no member any more, or the organization is suspended. */
enum err session_find(struct readers *readers, struct arena *arena, struct text token, int64_t now,
		      struct session_holder *out) WARN_UNUSED;

/* Whether what was found still is so: the session, the account's membership where it was, and the role, which is read
 * anew. In any scope of a writer's transaction. ERR_UNAUTHORIZED: it is not, or the session has gone elsewhere. */
enum err session_confirm(struct db *db, struct arena *arena, struct session_holder *holder, int64_t now) WARN_UNUSED;

/* Moves the session's end on if it has been used for an hour since it was moved last; true then, and `expires_at` is
 * the new end. Not waited for: should it be lost, the next use does it. */
bool session_slide(struct writer *writer, struct session_holder *holder, int64_t now);

/* Signs an account in to an organization: a new session, whose token is given once, and the membership. In any scope of
 * a writer's transaction. Of more than SESSION_MOST the one that was used longest ago ends. ERR_NOT_FOUND: no member
 * there. */
enum err session_create(struct db *db, struct arena *arena, const struct uuid *account, const struct uuid *organization,
			int64_t now, char token[TOKEN_SIZE], struct membership_find_out *member) WARN_UNUSED;

/* Takes the session over to another organization of the person. ERR_NOT_FOUND: no member there. */
enum err session_switch(struct db *db, struct arena *arena, const struct session_holder *holder,
			const struct uuid *organization, int64_t now, struct membership_find_out *member) WARN_UNUSED;

enum err session_end(struct db *db, const char *hash) WARN_UNUSED;
enum err session_end_all(struct db *db, const struct uuid *account) WARN_UNUSED;
enum err session_end_member(struct db *db, const struct uuid *account, const struct uuid *organization) WARN_UNUSED;

#endif
