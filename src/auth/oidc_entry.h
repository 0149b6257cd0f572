/* Who comes in through a provider: which account, and to which organization.
 * Owner: called inside the writer's transaction; texts live in the arena given.
 * An identity (issuer, subject) is linked to an account once, by a verified e-mail, which accepts what invitations wait
 * for it; from then on the identity alone counts, and its e-mail opens nothing.
 * Whoever set a password before never proved that the e-mail is theirs: at the link it goes, with its sessions.
 * Never makes a member of a contact (role Visitor). Next: api/oidc.c. */
#ifndef INNKEEPER_AUTH_OIDC_ENTRY_H
#define INNKEEPER_AUTH_OIDC_ENTRY_H

#include "auth/oidc_token.h"
#include "store/db.h"

/* One person at the door. */
struct oidc_visit {
	const struct oidc_person *person;
	bool open;              /* who is not invited founds an organization */
	int64_t now;            /* ms */
	const uint8_t *address; /* 16 bytes: where they come from, for the record */
};

struct oidc_entry {
	struct uuid account;
	struct uuid organization; /* the one that the account was in last, or that it was invited to */
	bool linked;              /* for the first time */
};

/* ERR_UNAUTHORIZED: the e-mail would have to be verified. ERR_FORBIDDEN: nobody has invited this person, or another
 * identity of this provider has the account, which `out` then names. On failure nothing may be kept of what was
 * written. Each invitation accepted is in the record of its organization; the way in is for the caller to record. */
enum err oidc_enter(struct db *db, struct arena *arena, const struct oidc_visit *visit,
		    struct oidc_entry *out) WARN_UNUSED;

#endif
