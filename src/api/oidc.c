#include "api/oidc.h"

#include <sodium.h>
#include <stdio.h>

#include "api/cookie.h"
#include "api/sign_in.h"
#include "auth/audit.h"
#include "auth/oidc_entry.h"

#define PATH        "/api/auth/oidc"
#define COOKIE      "innkeeper_sign_in"
#define CODE_MAX    4000 /* bytes */
#define REASON_ROOM 64   /* bytes of an address with its reason */

struct start_input {
	struct text return_to;
};

static const struct json_field start_fields[] = {
	{ .name = "return",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct start_input, return_to),
	  .max = OIDC_RETURN_MAX,
	  .fallback = "/",
	  .about = "Where to afterwards: a path of this server." },
};
const struct json_shape oidc_start_query = JSON_SHAPE(start_input, start_fields);

struct callback_input {
	struct text code;
	struct text state;
	struct text error;
	struct text issuer;
};

#define AT(member) .offset = offsetof(struct callback_input, member)
static const struct json_field callback_fields[] = {
	{ .name = "code", .kind = JSON_TEXT, AT(code), .max = CODE_MAX, .about = "From the provider." },
	{ .name = "state", .kind = JSON_TEXT, AT(state), .about = "As it was given to the provider." },
	{ .name = "error", .kind = JSON_TEXT, AT(error), .about = "Why the provider refuses." },
	{ .name = "iss", .kind = JSON_TEXT, AT(issuer), .max = CODE_MAX, .about = "The provider's issuer." },
};
#undef AT
const struct json_shape oidc_callback_query = JSON_SHAPE(callback_input, callback_fields);

/* The browser goes to the sign-in page, which says why in words. */
static enum err send_away(struct call *call, enum err err, const char *reason)
{
	char address[REASON_ROOM];

	snprintf(address, sizeof address, "/?sign_in=%s", reason);
	call->location_of_failure = text_copy(call->arena, text_of(address));
	return err;
}

/* What the provider did, or said, is for the log. */
static enum err blame_provider(struct call *call, enum err err)
{
	if (err != ERR_UNAVAILABLE && err != ERR_INVALID)
		return err;
	LOG(call->house->log, LOG_WARNING, "a sign-in through the provider failed",
	    LOG_TEXT("request_id", call->request_id), LOG_STRING("reason", call->fault.sentence));
	return err == ERR_UNAVAILABLE ? send_away(call, err, "provider_unavailable") : send_away(call, err, "refused");
}

static enum err no_provider(struct call *call)
{
	return call_fail(call, ERR_NOT_FOUND, NULL, "Nobody signs in through a provider here.");
}

static void set_cookie(struct call *call, struct text value, int64_t seconds)
{
	cookie_set(call->request, COOKIE, value, PATH, seconds,
		   call->request->tls || oidc_provider_is_behind_tls(call->house->oidc));
}

enum err oidc_start(struct call *call)
{
	const struct start_input *in = call->query;
	struct oidc_provider *provider = call->house->oidc;
	struct oidc_pending pending;
	struct text sealed;
	enum err err;

	if (provider == NULL)
		return no_provider(call);
	if (!oidc_pending_takes(in->return_to))
		return call_fail(call, ERR_INVALID, "return", "return must be a path of this server.");
	err = oidc_pending_make(call->arena, in->return_to, call->now, &pending);
	if (err == OK)
		err = oidc_pending_seal(&call->house->seal, call->arena, &pending, &sealed);
	if (err == OK)
		err = oidc_provider_address(provider, &pending, call->arena, &call->location, &call->fault);
	if (err != OK)
		return blame_provider(call, err);
	set_cookie(call, sealed, OIDC_PENDING_LIFETIME / 1000);
	return OK;
}

static bool is_same(struct text a, struct text b)
{
	return a.length == b.length && a.length > 0 && sodium_memcmp(a.at, b.at, a.length) == 0;
}

/* Whom the provider names, and where they go on. */
struct prepared {
	struct oidc_person person;
	struct text return_to;
};

enum err oidc_callback_prepare(struct call *call)
{
	const struct callback_input *in = call->query;
	struct prepared *prepared = arena_take(call->arena, sizeof *prepared);
	struct oidc_pending pending;
	enum err err;

	if (call->house->oidc == NULL)
		return no_provider(call);
	if (prepared == NULL)
		return ERR_MEMORY;
	call->prepared = prepared;
	set_cookie(call, TEXT(""), 0);
	err =
	    oidc_pending_open(&call->house->seal, call->arena, cookie_read(call->request, COOKIE), call->now, &pending);
	if (err == ERR_INVALID)
		return send_away(call, err, "expired");
	if (err != OK)
		return err;
	if (!is_same(in->state, pending.state) || in->error.at != NULL || in->code.at == NULL)
		return send_away(call, ERR_INVALID, "refused");
	prepared->return_to = pending.return_to;
	err = oidc_provider_exchange(call->house->oidc, &(struct oidc_return){ .code = in->code, .issuer = in->issuer },
				     &pending, call->now, call->arena, &prepared->person, &call->fault);
	return err == OK ? OK : blame_provider(call, err);
}

enum err oidc_callback(struct call *call)
{
	const struct prepared *prepared = call->prepared;
	const struct oidc_visit visit = {
		.person = &prepared->person,
		.open = call->house->signup_open,
		.now = call->now,
		.address = call->request->peer.bytes,
	};
	struct oidc_entry entry;
	enum err err = oidc_enter(call->db, call->arena, &visit, &entry);

	if (err == ERR_UNAUTHORIZED)
		return send_away(call, err, "email_not_verified");
	/* Another identity has the account: its organizations are told. */
	if (err == ERR_FORBIDDEN && !uuid_is_nil(&entry.account))
		audit_failed_sign_in(call->house->writer, &entry.account, call->request->peer.bytes, true, call->now);
	if (err == ERR_FORBIDDEN)
		return send_away(call, err, "not_invited");
	if (err == OK && entry.linked)
		err = sign_in_anew(call, &entry.account, &entry.organization, "identity.link");
	else if (err == OK)
		err = sign_in_account(call, &entry.account, &entry.organization, "session.create");
	call->location = prepared->return_to;
	return err;
}
