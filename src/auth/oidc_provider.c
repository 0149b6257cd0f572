#include "auth/oidc_provider.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "auth/bucket.h"
#include "auth/oidc_web.h"
#include "base/clock.h"

#define WELL_KNOWN      "/.well-known/openid-configuration"
#define CALLBACK        "/api/auth/oidc/callback"
#define KEPT_FOR        ((int64_t)60 * 60 * 1000000) /* microseconds */
#define RETRY_AFTER     ((int64_t)2 * 1000000)       /* microseconds, after it did not answer */
#define KEYS_PER_MINUTE 6                            /* times that they are asked for because of an unknown one */
#define DOCUMENT_MEMORY ((size_t)32 * 1024 * 1024)   /* bytes, to read a document of a MiB with */
#define ADDRESS_MAX     ((size_t)4000)               /* bytes */

/* What the provider publishes of itself: OpenID Connect Discovery 1.0, 3. */
struct metadata {
	struct text issuer;
	struct text authorization;
	struct text token;
	struct text keys;
	struct text person; /* userinfo_endpoint, or absent */
	bool says_issuer;   /* RFC 9207, 3: an answer without "iss" is not its */
	bool takes_basic;   /* client_secret_basic */
};

#define AT(member) .offset = offsetof(struct metadata, member), .max = ADDRESS_MAX
static const struct json_field metadata_fields[] = {
	{ .name = "issuer", .kind = JSON_TEXT, .required = true, AT(issuer) },
	{ .name = "authorization_endpoint", .kind = JSON_TEXT, .required = true, AT(authorization) },
	{ .name = "token_endpoint", .kind = JSON_TEXT, .required = true, AT(token) },
	{ .name = "jwks_uri", .kind = JSON_TEXT, .required = true, AT(keys) },
	{ .name = "userinfo_endpoint", .kind = JSON_TEXT, AT(person) },
	{ .name = "authorization_response_iss_parameter_supported", .kind = JSON_FLAG, AT(says_issuer) },
};
#undef AT
static const struct json_shape metadata_shape = JSON_SHAPE(metadata, metadata_fields);

/* A document of the provider, kept. `at` counts as clock_monotonic; 0: never had. */
struct document {
	struct arena arena;
	int64_t at;
	int64_t failed_at;
};

struct oidc_provider {
	struct oidc_options options;
	struct text issuer;
	enum oidc_web_place place; /* of the issuer: what else may be asked over plain HTTP */
	bool behind_tls;
	_Atomic bool stopping;
	pthread_mutex_t lock; /* guards what follows */
	struct document metadata_document;
	struct metadata metadata;
	struct document keys_document;
	const struct json_value *keys;
	struct bucket refetches;
};

static enum err wrong_setting(struct fault *fault, const char *name, const char *reason)
{
	return fault_set(fault, ERR_INVALID, NULL, name, "--%s %s", name, reason);
}

static enum err check_options(struct oidc_provider *provider, struct arena *arena, struct fault *fault)
{
	const struct oidc_options *options = &provider->options;
	const struct text public_url = text_of(options->public_url);
	enum oidc_web_place place;

	if (options->client_id == NULL)
		return wrong_setting(fault, "oidc-client-id", "is needed with --oidc-issuer.");
	if (public_url.at == NULL)
		return wrong_setting(fault, "public-url", "is needed with --oidc-issuer: browsers come back to it.");
	provider->place = oidc_web_place(provider->issuer, arena);
	/* Discovery 1.0, 2: neither query nor fragment. */
	if (provider->place == OIDC_WEB_NOWHERE || memchr(provider->issuer.at, '?', provider->issuer.length) != NULL)
		return wrong_setting(fault, "oidc-issuer",
				     "must be an https address (http for this machine alone) without a query.");
	place = oidc_web_place(public_url, arena);
	if (place == OIDC_WEB_NOWHERE || memchr(public_url.at, '?', public_url.length) != NULL ||
	    public_url.at[public_url.length - 1] == '/')
		return wrong_setting(fault, "public-url",
				     "must be this server's https address (http for this machine alone) without a "
				     "slash at its end.");
	provider->behind_tls = place == OIDC_WEB_ELSEWHERE;
	return OK;
}

enum err oidc_provider_new(struct oidc_provider **out, const struct oidc_options *options, struct fault *fault)
{
	struct oidc_provider *provider = calloc(1, sizeof *provider);
	struct arena arena;
	enum err err;

	*out = NULL;
	if (provider == NULL)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "Out of memory.");
	provider->options = *options;
	provider->issuer = text_of(options->issuer);
	arena_init(&provider->metadata_document.arena, DOCUMENT_MEMORY);
	arena_init(&provider->keys_document.arena, DOCUMENT_MEMORY);
	pthread_mutex_init(&provider->lock, NULL);
	arena_init(&arena, DOCUMENT_MEMORY);
	err = check_options(provider, &arena, fault);
	arena_fini(&arena);
	if (err != OK) {
		oidc_provider_free(provider);
		return err;
	}
	*out = provider;
	return OK;
}

void oidc_provider_free(struct oidc_provider *provider)
{
	if (provider == NULL)
		return;
	arena_fini(&provider->metadata_document.arena);
	arena_fini(&provider->keys_document.arena);
	pthread_mutex_destroy(&provider->lock);
	free(provider);
}

void oidc_provider_stop(struct oidc_provider *provider)
{
	if (provider != NULL)
		atomic_store(&provider->stopping, true);
}

bool oidc_provider_is_behind_tls(const struct oidc_provider *provider)
{
	return provider->behind_tls;
}

static enum err unavailable(struct fault *fault, const char *reason)
{
	return fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "%s", reason);
}

/* One JSON object from an address of the provider, read into the arena. */
static enum err ask(struct oidc_provider *provider, struct text address, struct text authorization, struct arena *arena,
		    const struct json_value **out, long *status, struct fault *fault)
{
	const struct oidc_question question = { .address = address,
						.authorization = authorization,
						.stop = &provider->stopping };
	struct oidc_answer answer = { 0 };
	enum err err = oidc_web_ask(&question, arena, &answer, fault);

	*status = answer.status;
	if (err != OK)
		return ERR_UNAVAILABLE;
	if (answer.status != 200)
		return fault_set(fault, ERR_UNAVAILABLE, NULL, NULL, "The provider answers %ld.", answer.status);
	err = json_parse(answer.body, arena, out, fault);
	return err == OK && json_is_object(*out) ? OK : unavailable(fault, "The provider's answer is no JSON object.");
}

/* Reads a document anew into an arena of its own: the old one stays until `replace`. On failure `fresh` is empty. */
static enum err fetch(struct oidc_provider *provider, struct document *document, struct text address,
		      struct arena *fresh, const struct json_value **out, struct fault *fault)
{
	const int64_t now = clock_monotonic();
	long status;
	enum err err;

	if (document->failed_at != 0 && now - document->failed_at < RETRY_AFTER)
		return unavailable(fault, "The provider did not answer a moment ago.");
	arena_init(fresh, DOCUMENT_MEMORY);
	err = ask(provider, address, (struct text){ 0 }, fresh, out, &status, fault);
	document->failed_at = err == OK ? 0 : clock_monotonic();
	if (err != OK)
		arena_fini(fresh);
	return err;
}

static void replace(struct document *document, const struct arena *fresh)
{
	arena_fini(&document->arena);
	document->arena = *fresh;
	document->at = clock_monotonic();
}

/* Over plain HTTP only what belongs to an issuer on this machine. */
static bool is_asked(const struct oidc_provider *provider, struct text address, struct arena *arena)
{
	const enum oidc_web_place place = oidc_web_place(address, arena);

	return place == OIDC_WEB_ELSEWHERE || (place == OIDC_WEB_HERE && provider->place == OIDC_WEB_HERE);
}

static bool takes_basic(const struct json_value *document)
{
	const struct json_value *methods = json_member(document, "token_endpoint_auth_methods_supported");

	for (size_t i = 0; i < json_count(methods); i++)
		if (text_equal(json_text(json_at(methods, i)), TEXT("client_secret_basic")))
			return true;
	return !json_is_array(methods); /* the default: Discovery 1.0, 3 */
}

static enum err read_metadata(const struct oidc_provider *provider, const struct json_value *document,
			      struct arena *arena, struct metadata *out, struct fault *fault)
{
	if (json_fill(document, &metadata_shape, arena, out, fault) != OK)
		return unavailable(fault, "The provider's discovery document lacks what is needed.");
	if (!text_equal(out->issuer, provider->issuer))
		return unavailable(fault, "The provider's discovery document is another issuer's.");
	if (!is_asked(provider, out->authorization, arena) || !is_asked(provider, out->token, arena) ||
	    !is_asked(provider, out->keys, arena) ||
	    (out->person.at != NULL && !is_asked(provider, out->person, arena)))
		return unavailable(fault, "The provider's discovery document names an address that is not asked.");
	out->takes_basic = takes_basic(document);
	return OK;
}

/* The lock is held. */
static enum err fetch_metadata(struct oidc_provider *provider, struct fault *fault)
{
	struct text base = provider->issuer;
	const struct json_value *document = NULL;
	struct metadata metadata = { 0 };
	struct buffer address;
	struct arena fresh;
	enum err err;

	if (base.at[base.length - 1] == '/')
		base.length--;
	buffer_init(&address, 2 * ADDRESS_MAX);
	buffer_text(&address, base);
	buffer_string(&address, WELL_KNOWN);
	err = address.failed ? ERR_MEMORY
			     : fetch(provider, &provider->metadata_document,
				     (struct text){ address.at, address.length }, &fresh, &document, fault);
	buffer_fini(&address);
	if (err != OK)
		return err;
	err = read_metadata(provider, document, &fresh, &metadata, fault);
	if (err != OK) {
		provider->metadata_document.failed_at = clock_monotonic();
		arena_fini(&fresh);
		return err;
	}
	replace(&provider->metadata_document, &fresh);
	provider->metadata = metadata;
	return OK;
}

static bool is_fresh(const struct document *document)
{
	return document->at != 0 && clock_monotonic() - document->at < KEPT_FOR;
}

/* What was had before is good enough while the provider does not answer. */
static enum err find_metadata(struct oidc_provider *provider, struct arena *arena, struct metadata *out,
			      struct fault *fault)
{
	enum err err = OK;

	pthread_mutex_lock(&provider->lock);
	if (!is_fresh(&provider->metadata_document))
		err = fetch_metadata(provider, fault);
	if (provider->metadata_document.at != 0) {
		const struct metadata *found = &provider->metadata;

		*out = (struct metadata){ .issuer = text_copy(arena, found->issuer),
					  .authorization = text_copy(arena, found->authorization),
					  .token = text_copy(arena, found->token),
					  .keys = text_copy(arena, found->keys),
					  .person = text_copy(arena, found->person),
					  .says_issuer = found->says_issuer,
					  .takes_basic = found->takes_basic };
		err = arena->failed ? ERR_MEMORY : OK;
	}
	pthread_mutex_unlock(&provider->lock);
	return err;
}

/* The lock is held. */
static enum err fetch_keys(struct oidc_provider *provider, struct text address, struct fault *fault)
{
	const struct json_value *keys = NULL;
	struct arena fresh;
	enum err err = fetch(provider, &provider->keys_document, address, &fresh, &keys, fault);

	if (err != OK)
		return err;
	replace(&provider->keys_document, &fresh);
	provider->keys = keys;
	return OK;
}

/* The set may be newer than ours when none of ours has signed: asked for again, but not as often as somebody likes. */
static enum err read_token(struct oidc_provider *provider, const struct metadata *metadata, struct text token,
			   const struct oidc_expectation *expected, struct arena *arena, struct oidc_person *out,
			   const struct json_value **claims, struct fault *fault)
{
	enum err err = OK;

	pthread_mutex_lock(&provider->lock);
	if (!is_fresh(&provider->keys_document))
		err = fetch_keys(provider, metadata->keys, fault);
	if (provider->keys_document.at != 0)
		err = oidc_token_read(token, provider->keys, expected, arena, out, claims, fault);
	if (err == ERR_NOT_FOUND && bucket_take(&provider->refetches, KEYS_PER_MINUTE, clock_monotonic()).allowed) {
		err = fetch_keys(provider, metadata->keys, fault);
		if (err == OK)
			err = oidc_token_read(token, provider->keys, expected, arena, out, claims, fault);
	}
	pthread_mutex_unlock(&provider->lock);
	return err == ERR_NOT_FOUND ? ERR_INVALID : err;
}

static bool has_query(struct text address)
{
	return address.at != NULL && memchr(address.at, '?', address.length) != NULL;
}

enum err oidc_provider_address(struct oidc_provider *provider, const struct oidc_pending *pending, struct arena *arena,
			       struct text *out, struct fault *fault)
{
	struct metadata metadata = { 0 };
	struct text challenge = { 0 };
	struct buffer redirect;
	struct buffer query;
	enum err err = find_metadata(provider, arena, &metadata, fault);

	if (err == OK)
		err = oidc_pending_challenge(arena, pending, &challenge);
	if (err != OK)
		return err;
	buffer_init(&redirect, 2 * ADDRESS_MAX);
	buffer_init(&query, 8 * ADDRESS_MAX);
	buffer_string(&redirect, provider->options.public_url);
	buffer_string(&redirect, CALLBACK);
	buffer_text(&query, metadata.authorization);
	buffer_string(&query, has_query(metadata.authorization) ? "&" : "?");
	buffer_string(&query, "response_type=code");
	oidc_web_pair(&query, "client_id", text_of(provider->options.client_id));
	oidc_web_pair(&query, "redirect_uri", (struct text){ redirect.at, redirect.length });
	oidc_web_pair(&query, "scope", TEXT("openid email profile"));
	oidc_web_pair(&query, "state", pending->state);
	oidc_web_pair(&query, "nonce", pending->nonce);
	oidc_web_pair(&query, "code_challenge", challenge);
	oidc_web_pair(&query, "code_challenge_method", TEXT("S256"));
	*out = redirect.failed ? text_of(NULL) : buffer_copy(&query, arena);
	buffer_fini(&redirect);
	buffer_fini(&query);
	return out->at == NULL ? ERR_MEMORY : OK;
}

/* RFC 6749, 2.3.1: both parts encoded before they are joined. */
static enum err basic(const struct oidc_provider *provider, struct arena *arena, struct text *out)
{
	const struct text scheme = TEXT("Basic ");
	struct buffer pair;
	size_t size;
	char *text;

	buffer_init(&pair, 8 * ADDRESS_MAX);
	oidc_web_encode(&pair, text_of(provider->options.client_id));
	buffer_string(&pair, ":");
	oidc_web_encode(&pair, text_of(provider->options.client_secret));
	size = scheme.length + sodium_base64_ENCODED_LEN(pair.length, sodium_base64_VARIANT_ORIGINAL);
	text = pair.failed ? NULL : arena_take(arena, size);
	if (text != NULL) {
		memcpy(text, scheme.at, scheme.length);
		sodium_bin2base64(text + scheme.length, size - scheme.length, (const uint8_t *)pair.at, pair.length,
				  sodium_base64_VARIANT_ORIGINAL);
		sodium_memzero(pair.at, pair.length);
	}
	buffer_fini(&pair);
	*out = text_of(text);
	return text == NULL ? ERR_MEMORY : OK;
}

static enum err make_form(const struct oidc_provider *provider, const struct metadata *metadata, struct text code,
			  const struct oidc_pending *pending, struct arena *arena, struct text *out)
{
	struct buffer redirect;
	struct buffer form;

	buffer_init(&redirect, 2 * ADDRESS_MAX);
	buffer_init(&form, 16 * ADDRESS_MAX);
	buffer_string(&redirect, provider->options.public_url);
	buffer_string(&redirect, CALLBACK);
	oidc_web_pair(&form, "grant_type", TEXT("authorization_code"));
	oidc_web_pair(&form, "code", code);
	oidc_web_pair(&form, "redirect_uri", (struct text){ redirect.at, redirect.length });
	oidc_web_pair(&form, "code_verifier", pending->verifier);
	if (provider->options.client_secret == NULL || !metadata->takes_basic)
		oidc_web_pair(&form, "client_id", text_of(provider->options.client_id));
	if (provider->options.client_secret != NULL && !metadata->takes_basic)
		oidc_web_pair(&form, "client_secret", text_of(provider->options.client_secret));
	*out = redirect.failed ? text_of(NULL) : buffer_copy(&form, arena);
	buffer_fini(&redirect);
	buffer_fini(&form);
	return out->at == NULL ? ERR_MEMORY : OK;
}

/* The answer of the token endpoint: RFC 6749, 5. */
static enum err trade(struct oidc_provider *provider, const struct metadata *metadata, struct text code,
		      const struct oidc_pending *pending, struct arena *arena, const struct json_value **out,
		      struct fault *fault)
{
	struct oidc_question question = { .address = metadata->token, .stop = &provider->stopping };
	struct oidc_answer answer = { 0 };
	enum err err = make_form(provider, metadata, code, pending, arena, &question.form);

	if (err == OK && provider->options.client_secret != NULL && metadata->takes_basic)
		err = basic(provider, arena, &question.authorization);
	if (err == OK)
		err = oidc_web_ask(&question, arena, &answer, fault);
	if (err != OK)
		return err;
	if (answer.status == 200 && json_parse(answer.body, arena, out, fault) == OK && json_is_object(*out))
		return OK;
	return fault_set(fault, answer.status >= 400 && answer.status < 500 ? ERR_INVALID : ERR_UNAVAILABLE, NULL, NULL,
			 "The provider's token endpoint answers %ld.", answer.status);
}

static bool is_visible(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~')
			return false;
	return text.length > 0;
}

/* The page of user information, for providers that put no e-mail into the token: Core 1.0, 5.3. */
static enum err ask_person(struct oidc_provider *provider, const struct metadata *metadata, struct text token,
			   struct arena *arena, struct oidc_person *person, struct fault *fault)
{
	const struct json_value *claims = NULL;
	struct text authorization;
	struct buffer buffer;
	long status;
	enum err err;

	if (metadata->person.at == NULL || !is_visible(token))
		return OK;
	buffer_init(&buffer, OIDC_WEB_ANSWER_MAX);
	buffer_string(&buffer, "Bearer ");
	buffer_text(&buffer, token);
	authorization = buffer_copy(&buffer, arena);
	buffer_fini(&buffer);
	if (authorization.at == NULL)
		return ERR_MEMORY;
	err = ask(provider, metadata->person, authorization, arena, &claims, &status, fault);
	if (err != OK)
		return err;
	if (!text_equal(json_member_text(claims, "sub"), person->subject))
		return fault_set(fault, ERR_INVALID, NULL, NULL, "The provider's user information is about another.");
	return oidc_token_describe(claims, arena, person);
}

enum err oidc_provider_exchange(struct oidc_provider *provider, const struct oidc_return *back,
				const struct oidc_pending *pending, int64_t now, struct arena *arena,
				struct oidc_person *out, struct fault *fault)
{
	const struct json_value *answer = NULL;
	const struct json_value *claims = NULL;
	struct metadata metadata = { 0 };
	enum err err = find_metadata(provider, arena, &metadata, fault);

	if (err != OK)
		return err;
	if (back->issuer.at == NULL ? metadata.says_issuer : !text_equal(back->issuer, provider->issuer))
		return fault_set(fault, ERR_INVALID, NULL, NULL, "The answer is another issuer's.");
	err = trade(provider, &metadata, back->code, pending, arena, &answer, fault);
	if (err != OK)
		return err;
	err = read_token(provider, &metadata, json_member_text(answer, "id_token"),
			 &(struct oidc_expectation){ .issuer = provider->issuer,
						     .client_id = text_of(provider->options.client_id),
						     .nonce = pending->nonce,
						     .now = now },
			 arena, out, &claims, fault);
	if (err == OK && json_member(claims, "email") == NULL)
		err = ask_person(provider, &metadata, json_member_text(answer, "access_token"), arena, out, fault);
	return err;
}
