#include "api/credential.h"

#include <stdio.h>
#include <string.h>

#include "api/session_cookie.h"
#include "auth/tenant.h"
#include "base/clock.h"

/* The key as sent: x-api-key, or a bearer token. Both at once must be the same, or it is not clear who asks. */
static enum err find_key(struct call *call, struct text *out)
{
	const struct text bearer = TEXT("Bearer ");
	const struct text header = http_header(call->request, "x-api-key");
	struct text authorization = http_header(call->request, "authorization");

	*out = header;
	if (authorization.at == NULL || authorization.length <= bearer.length ||
	    !text_equal_ignoring_case((struct text){ authorization.at, bearer.length }, bearer))
		return header.at == NULL ? ERR_UNAUTHORIZED : OK;
	authorization.at += bearer.length;
	authorization.length -= bearer.length;
	authorization = text_trim(authorization);
	if (header.at != NULL && !text_equal(header, authorization))
		return ERR_UNAUTHORIZED;
	*out = authorization;
	return OK;
}

static struct text format_number(struct call *call, int64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)number);
	return text_copy(call->arena, text_of(text));
}

/* https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (revision 08 and later: structured fields). */
static void put_rate_headers(struct call *call, const char *policy, const struct bucket_state *state)
{
	char text[96];

	snprintf(text, sizeof text, "\"%s\";q=%lld;w=60", policy, (long long)state->limit);
	http_reply_header(call->request, "RateLimit-Policy", text_copy(call->arena, text_of(text)));
	snprintf(text, sizeof text, "\"%s\";r=%lld;t=%lld", policy, (long long)state->remaining,
		 (long long)state->reset);
	http_reply_header(call->request, "RateLimit", text_copy(call->arena, text_of(text)));
	if (!state->allowed)
		http_reply_header(call->request, "Retry-After", format_number(call, state->retry_after));
}

static enum err limited(struct call *call)
{
	atomic_fetch_add_explicit(&call->house->metrics->rate_limited, 1, memory_order_relaxed);
	return ERR_RATE_LIMITED;
}

static enum err refuse(struct call *call)
{
	const struct bucket_state state = attempts_fail(call->house->attempts, call->request->peer.bytes);

	if (state.allowed) {
		http_reply_header(call->request, "WWW-Authenticate", TEXT("Bearer"));
		return ERR_UNAUTHORIZED;
	}
	put_rate_headers(call, "failed-credentials", &state);
	return limited(call);
}

/* Of a key that was looked for with the outcome `err`. */
static enum err admit_key(struct call *call, enum err err)
{
	if (err == ERR_UNAUTHORIZED)
		return refuse(call);
	if (err != OK)
		return err;
	if (call->holder.limited && call->route->rate == BY_KEY) {
		put_rate_headers(call, "key", &call->holder.rate);
		if (!call->holder.rate.allowed)
			return limited(call);
	}
	call->scope = tenant_scope(call->arena, &call->holder.organization);
	return call->scope == NULL ? ERR_MEMORY : OK;
}

static enum err check_key(struct call *call, bool *asks)
{
	struct text key;
	enum err err = find_key(call, &key);

	if (err == OK)
		err = api_keys_recall(call->house->keys, key, &call->holder);
	*asks = err == ERR_NOT_FOUND;
	return *asks ? OK : admit_key(call, err);
}

static enum err ask_key(struct call *call)
{
	struct text key;
	enum err err = find_key(call, &key);

	if (err == OK)
		err = api_keys_admit(call->house->keys, call->house->readers, key, &call->holder);
	return admit_key(call, err);
}

/* The host that a page of ours is served from, behind whatever scheme. */
static bool is_own_origin(struct text origin, struct text host)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		const struct text scheme = text_of(schemes[i]);

		if (text_starts(origin, scheme))
			return text_equal_ignoring_case(
			    (struct text){ origin.at + scheme.length, origin.length - scheme.length }, host);
	}
	return false;
}

static bool says_json(struct text type)
{
	const struct text json = TEXT("application/json");

	return type.at != NULL && type.length >= json.length &&
	       text_equal_ignoring_case((struct text){ type.at, json.length }, json) &&
	       (type.length == json.length || type.at[json.length] == ';' || type.at[json.length] == ' ');
}

/* A browser sends its cookies along with whatever another site's page makes it ask. What changes something must be
 * JSON, which no form sends, and from our own page where the browser tells:
 * https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html */
static enum err check_origin(struct call *call)
{
	const struct text origin = http_header(call->request, "origin");
	const struct text site = http_header(call->request, "sec-fetch-site");

	if (text_equal(text_of(call->route->method), TEXT("GET")))
		return OK;
	if (!says_json(http_header(call->request, "content-type")))
		return call_fail(call, ERR_FORBIDDEN, NULL,
				 "With a cookie, a request that changes something needs Content-Type: "
				 "application/json.");
	if (origin.at != NULL && !is_own_origin(origin, http_header(call->request, "host")))
		return call_fail(call, ERR_FORBIDDEN, NULL, "This comes from a page of another site.");
	if (site.at != NULL && !text_equal(site, TEXT("same-origin")) && !text_equal(site, TEXT("none")))
		return call_fail(call, ERR_FORBIDDEN, NULL, "This comes from a page of another site.");
	return OK;
}

static enum err find_session(struct call *call)
{
	const struct text token = session_cookie_read(call->request);
	enum err err = session_find(call->house->readers, call->arena, token, call->now, &call->session);

	if (err == OK && session_slide(call->house->writer, &call->session, call->now))
		session_cookie_set(call->request, token);
	return err;
}

static enum err check_role(struct call *call)
{
	if (call->session.role >= call->route->least)
		return OK;
	return call_fail(call, ERR_FORBIDDEN, NULL, "This takes the role %s.", role_names[call->route->least]);
}

static enum err nobody(struct call *call)
{
	return call_fail(call, ERR_UNAUTHORIZED, NULL, "Sign in first.");
}

static enum err check_session(struct call *call, bool *asks)
{
	*asks = token_is_plausible(session_cookie_read(call->request));
	return *asks ? OK : nobody(call);
}

static enum err ask_session(struct call *call)
{
	enum err err = find_session(call);

	if (err == ERR_UNAUTHORIZED)
		return nobody(call);
	if (err == OK)
		err = check_origin(call);
	if (err == OK)
		err = check_role(call);
	if (err == OK)
		call->scope = tenant_scope(call->arena, &call->session.organization);
	return err == OK && call->scope == NULL ? ERR_MEMORY : err;
}

enum err credential_confirm(struct call *call)
{
	enum err err;

	if (!call->session.there)
		return OK;
	err = session_confirm(call->db, call->arena, &call->session, call->now);
	if (err == OK)
		return call->route->credential == SESSION ? check_role(call) : OK;
	if (err != ERR_UNAUTHORIZED)
		return err;
	call->session.there = false;
	return call->route->credential == SESSION ? nobody(call) : OK;
}

/* In an arena of its own: a stream may ask for days. What cannot be found out is no. */
bool credential_claim_holds(struct readers *readers, const struct credential_claim *claim)
{
	struct session_holder holder = { 0 };
	struct arena arena;
	enum err err;

	arena_init(&arena, (size_t)64 * 1024);
	err = session_find(readers, &arena, text_of(claim->token), clock_now(), &holder);
	arena_fini(&arena);
	return err == OK && holder.role >= claim->least && uuid_equal(&holder.organization, &claim->organization);
}

struct credential_claim credential_claim(const struct call *call)
{
	const struct text token = session_cookie_read(call->request);
	struct credential_claim claim = { .least = call->route->least, .organization = call->session.organization };

	if (token_is_plausible(token))
		memcpy(claim.token, token.at, token.length);
	return claim;
}

bool credential_still_holds(struct call *call)
{
	const struct credential_claim claim = credential_claim(call);

	return credential_claim_holds(call->house->readers, &claim);
}

static enum err check_guest(struct call *call, bool *asks)
{
	enum err err = check_origin(call);

	*asks = err == OK && token_is_plausible(session_cookie_read(call->request));
	call->scope = tenant_system();
	return err;
}

static enum err ask_guest(struct call *call)
{
	enum err err = find_session(call);

	return err == ERR_UNAUTHORIZED ? OK : err;
}

struct credential_actor credential_actor(const struct call *call)
{
	if (call->session.there)
		return (struct credential_actor){ AUDIT_USER, call->session.user, call->session.email };
	return (struct credential_actor){ .kind = call->request->control ? AUDIT_OPERATOR : AUDIT_NOBODY };
}

struct tenant_query {
	struct text organization;
};

static const struct json_field tenant_fields[] = {
	{ .name = "organization",
	  .kind = JSON_TEXT,
	  .required = true,
	  .offset = offsetof(struct tenant_query, organization),
	  .about = "An organization's slug." },
};
const struct json_shape credential_tenant_query = JSON_SHAPE(tenant_query, tenant_fields);

/* The operator may enter any organization: it is named by its slug, and entered as if by its own credential. */
static enum err ask_tenant(struct call *call)
{
	const struct tenant_query *query = call->query;
	struct organization_by_slug_out row;
	struct reading reading;
	enum err err = readers_enter(call->house->readers, tenant_system(), &reading);

	if (err != OK)
		return err;
	err = query_one(reading.db, STATEMENT_ORGANIZATION_BY_SLUG,
			&(struct organization_by_slug_in){ .slug = query->organization }, &row, call->arena);
	readers_leave(call->house->readers, &reading);
	if (err == ERR_NOT_FOUND)
		return call_fail(call, err, "organization",
				 "There is no organization with this slug: `innkeeper organization list` shows them.");
	if (err == OK)
		call->scope = tenant_scope(call->arena, &row.id);
	return err == OK && call->scope == NULL ? ERR_MEMORY : err;
}

/* What makes the server ask another one is open to everybody, but not as often as they like. */
static enum err check_address(struct call *call)
{
	const struct bucket_state state = attempts_ask(call->house->attempts, call->request->peer.bytes);

	if (state.allowed)
		return OK;
	put_rate_headers(call, "sign-ins", &state);
	return limited(call);
}

enum err credential_check(struct call *call, bool *asks)
{
	*asks = false;
	if (call->route->rate == BY_ADDRESS) {
		const enum err err = check_address(call);

		if (err != OK)
			return err;
	}
	switch (call->route->credential) {
	case KEY:
		return check_key(call, asks);
	case SESSION:
		return check_session(call, asks);
	case GUEST:
		return check_guest(call, asks);
	case TENANT:
		*asks = true;
		return OK;
	case PUBLIC:
	case CONTROL:
		call->scope = tenant_system();
		return OK;
	}
	return ERR_FORBIDDEN;
}

enum err credential_ask(struct call *call)
{
	switch (call->route->credential) {
	case KEY:
		return ask_key(call);
	case SESSION:
		return ask_session(call);
	case GUEST:
		return ask_guest(call);
	case TENANT:
		return ask_tenant(call);
	case PUBLIC:
	case CONTROL:
		break; /* nothing to ask */
	}
	return ERR_FORBIDDEN;
}
