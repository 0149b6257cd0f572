/* The provider of identities that the operator has chosen: where it is, what keys it signs with, what it says of a
 * person. OpenID Connect Discovery 1.0 and Core 1.0 (authorization code flow), with PKCE (RFC 7636).
 * Owner: the server. Any thread that may wait; one lock, held while the provider is asked for what all wait for.
 * What the provider publishes is kept for an hour; its keys are asked for again when one is met that is not known.
 * Never believes a document whose issuer is not the configured one, byte for byte.
 * Next: oidc_web.h (how it is asked), oidc_token.h (what is believed), api/oidc.h (the routes). */
#ifndef INNKEEPER_AUTH_OIDC_PROVIDER_H
#define INNKEEPER_AUTH_OIDC_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/oidc_pending.h"
#include "auth/oidc_token.h"
#include "base/log.h"

struct oidc_options {
	const char *issuer;
	const char *client_id;
	const char *client_secret; /* NULL: this client is public */
	const char *public_url;    /* of this server, as browsers see it; without a slash at its end */
};

struct oidc_provider;

/* Asks nobody yet. The options' texts must outlive it. ERR_INVALID with the setting at fault. */
enum err oidc_provider_new(struct oidc_provider **out, const struct oidc_options *options,
			   struct fault *fault) WARN_UNUSED;
void oidc_provider_free(struct oidc_provider *provider);

/* Whoever waits for the provider gives up, soon. */
void oidc_provider_stop(struct oidc_provider *provider);

/* Whether this server's own address is https: its cookies are then marked so. */
bool oidc_provider_is_behind_tls(const struct oidc_provider *provider);

/* Where the browser is sent to sign in. ERR_UNAVAILABLE with the reason, for the log. */
enum err oidc_provider_address(struct oidc_provider *provider, const struct oidc_pending *pending, struct arena *arena,
			       struct text *out, struct fault *fault) WARN_UNUSED;

/* What the browser brought back. */
struct oidc_return {
	struct text code;
	struct text issuer; /* RFC 9207; absent if the provider does not say */
};

/* Trades the code for the person. ERR_UNAVAILABLE: the provider does not answer. ERR_INVALID: it refuses, or what it
 * says is not to be believed. Both with the reason, for the log. */
enum err oidc_provider_exchange(struct oidc_provider *provider, const struct oidc_return *back,
				const struct oidc_pending *pending, int64_t now, struct arena *arena,
				struct oidc_person *out, struct fault *fault) WARN_UNUSED;

#endif
