/* Accounts and where they belong, for who signs in.
 * Owner: what is found lives in the arena given. Reading: any thread; writing: in the writer's transaction.
 * A membership is a row in users with this account; a suspended organization's does not count.
 * Never lists the members of an organization: that is users.sql, in its scope.
 * Next: api/sign_in.c. */
#ifndef INNKEEPER_AUTH_MEMBERSHIP_H
#define INNKEEPER_AUTH_MEMBERSHIP_H

#include "store/readers.h"

/* The organization that the account was in last. ERR_NOT_FOUND: it belongs to none. */
enum err membership_last(struct readers *readers, struct arena *arena, const struct uuid *account,
			 struct uuid *out) WARN_UNUSED;

enum err membership_account(struct readers *readers, struct arena *arena, const struct uuid *account,
			    struct account_by_id_out *out) WARN_UNUSED;

/* Whether the account still has the password that was proven, by its hash. In any scope of a writer's transaction.
 * ERR_NOT_FOUND: another one, or none any more. */
enum err membership_confirm_password(struct db *db, struct arena *arena, const struct uuid *account,
				     struct text hash) WARN_UNUSED;

/* Sets the password and ends every session of the account. */
enum err membership_set_password(struct db *db, const struct uuid *account, struct text hash, int64_t now) WARN_UNUSED;

/* A new account with its password. ERR_CONFLICT: the e-mail has one. */
enum err membership_make_account(struct db *db, const struct account_create_in *account) WARN_UNUSED;

#endif
