/* Signing in and out, and whom a session shows: by password; by a provider see oidc.h.
 * Owner: handlers of dispatch.c; passwords are checked on the slow thread.
 * A wrong password answers after the same time and in the same words whether or not the e-mail is known.
 * Never tells of other organizations than the person's own.
 * Next: auth/session.h, auth/attempts.h. */
#ifndef INNKEEPER_API_SIGN_IN_H
#define INNKEEPER_API_SIGN_IN_H

#include "api/call.h"

extern const struct json_shape sign_in_body;
enum err sign_in_look(struct call *call);
enum err sign_in_prepare(struct call *call);
enum err sign_in(struct call *call);

enum err sign_out(struct call *call);
enum err sign_in_show(struct call *call);

extern const struct json_shape sign_in_switch_body;
enum err sign_in_switch(struct call *call);

extern const struct json_shape sign_in_password_body;
enum err sign_in_password_look(struct call *call);
enum err sign_in_password_prepare(struct call *call);
enum err sign_in_password(struct call *call);

/* For others who let people in. Signs the account in to the organization within the writer's transaction, writes the
 * record as `action`, and sets the cookie. */
enum err sign_in_account(struct call *call, const struct uuid *account, const struct uuid *organization,
			 const char *action) WARN_UNUSED;

/* The same where the way in itself is another one from now on, which every organization of the account is told. */
enum err sign_in_anew(struct call *call, const struct uuid *account, const struct uuid *organization,
		      const char *action) WARN_UNUSED;

/* Checks a password on the slow thread, unless too many were wrong: ERR_RATE_LIMITED with Retry-After, or
 * ERR_UNAUTHORIZED. `account` nil: there is none, which must take as long. */
enum err sign_in_check_password(struct call *call, struct text email, const struct uuid *account, struct text hash,
				struct text password) WARN_UNUSED;

#endif
