#include "api/credential.h"

#include <stdio.h>

#include "auth/tenant.h"

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

static enum err check_key(struct call *call)
{
	struct text key;
	enum err err = find_key(call, &key);

	if (err == OK)
		err = api_keys_admit(call->house->keys, call->house->readers, key, &call->holder);
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
static enum err check_tenant(struct call *call)
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

enum err credential_check(struct call *call)
{
	switch (call->route->credential) {
	case KEY:
		return check_key(call);
	case TENANT:
		return check_tenant(call);
	case PUBLIC:
	case CONTROL:
		call->scope = tenant_system();
		return OK;
	}
	return ERR_FORBIDDEN;
}
