#include "auth/signature.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "auth/base64url.h"

#define RSA_LEAST_BYTES    256
#define RSA_MOST_BYTES     1024
#define EXPONENT_BYTES     8
#define COORDINATE_BYTES   66  /* of P-521, the longest */
#define ECDSA_MOST_BYTES   160 /* a signature of P-521 in DER */
#define UNCOMPRESSED_POINT 0x04

static const struct algorithm {
	const char *name;
	const char *type;
	const char *curve;
	const EVP_MD *(*digest)(void);
	size_t coordinate; /* bytes, of a curve */
	bool pss;
} algorithms[] = {
	{ "RS256", "RSA", NULL, EVP_sha256, 0, false },    { "RS384", "RSA", NULL, EVP_sha384, 0, false },
	{ "RS512", "RSA", NULL, EVP_sha512, 0, false },    { "PS256", "RSA", NULL, EVP_sha256, 0, true },
	{ "PS384", "RSA", NULL, EVP_sha384, 0, true },     { "PS512", "RSA", NULL, EVP_sha512, 0, true },
	{ "ES256", "EC", "P-256", EVP_sha256, 32, false }, { "ES384", "EC", "P-384", EVP_sha384, 48, false },
	{ "ES512", "EC", "P-521", EVP_sha512, 66, false },
};

static const struct algorithm *find(struct text name, const struct signature_key *key)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
		const struct algorithm *algorithm = &algorithms[i];

		if (text_equal(name, text_of(algorithm->name)))
			return text_equal(key->type, text_of(algorithm->type)) &&
				       (algorithm->curve == NULL || text_equal(key->curve, text_of(algorithm->curve)))
				   ? algorithm
				   : NULL;
	}
	return NULL;
}

bool signature_fits(struct text algorithm, const struct signature_key *key)
{
	return find(algorithm, key) != NULL;
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (parameters == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(parameters);
	return key;
}

static EVP_PKEY *rsa_key(const struct signature_key *from, struct arena *arena)
{
	OSSL_PARAM_BLD *builder = NULL;
	EVP_PKEY *key = NULL;
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;
	struct text modulus;
	struct text exponent;

	if (base64url_decode(arena, from->n, &modulus) != OK || base64url_decode(arena, from->e, &exponent) != OK ||
	    modulus.length < RSA_LEAST_BYTES || modulus.length > RSA_MOST_BYTES || exponent.length > EXPONENT_BYTES)
		return NULL;
	builder = OSSL_PARAM_BLD_new();
	n = BN_bin2bn((const uint8_t *)modulus.at, (int)modulus.length, NULL);
	e = BN_bin2bn((const uint8_t *)exponent.at, (int)exponent.length, NULL);
	if (builder != NULL && n != NULL && e != NULL && BN_num_bytes(n) >= RSA_LEAST_BYTES && BN_is_odd(e) &&
	    !BN_is_one(e) && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		key = make_key("RSA", builder);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	BN_free(e);
	return key;
}

/* OpenSSL refuses a point that does not lie on the curve. */
static EVP_PKEY *ec_key(const struct algorithm *algorithm, const struct signature_key *from, struct arena *arena)
{
	uint8_t point[1 + 2 * COORDINATE_BYTES] = { UNCOMPRESSED_POINT };
	const size_t size = algorithm->coordinate;
	OSSL_PARAM_BLD *builder;
	EVP_PKEY *key = NULL;
	struct text x;
	struct text y;

	if (base64url_decode(arena, from->x, &x) != OK || base64url_decode(arena, from->y, &y) != OK ||
	    x.length != size || y.length != size)
		return NULL;
	memcpy(point + 1, x.at, size);
	memcpy(point + 1 + size, y.at, size);
	builder = OSSL_PARAM_BLD_new();
	if (builder != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, algorithm->curve, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size) == 1)
		key = make_key("EC", builder);
	OSSL_PARAM_BLD_free(builder);
	return key;
}

/* JOSE writes r and s side by side (RFC 7518, 3.4), OpenSSL wants them in DER. Bytes written into `out`; 0: none. */
static size_t ecdsa_der(const struct algorithm *algorithm, struct text signature, uint8_t out[ECDSA_MOST_BYTES])
{
	const int size = (int)algorithm->coordinate;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = NULL;
	BIGNUM *s = NULL;
	int length = 0;

	if (signature.length == 2 * algorithm->coordinate) {
		r = BN_bin2bn((const uint8_t *)signature.at, size, NULL);
		s = BN_bin2bn((const uint8_t *)signature.at + size, size, NULL);
	}
	if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
		r = NULL; /* the pair's now */
		s = NULL;
		length = i2d_ECDSA_SIG(pair, NULL);
		if (length > 0 && length <= ECDSA_MOST_BYTES)
			length = i2d_ECDSA_SIG(pair, &out);
		else
			length = 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return length > 0 ? (size_t)length : 0;
}

static bool verify(const struct algorithm *algorithm, EVP_PKEY *key, struct text message, const uint8_t *signature,
		   size_t length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	bool good = context != NULL && EVP_DigestVerifyInit(context, &options, algorithm->digest(), NULL, key) == 1;

	if (good && algorithm->pss)
		good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
	good = good && EVP_DigestVerify(context, signature, length, (const uint8_t *)message.at, message.length) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

enum err signature_verify(struct text algorithm, const struct signature_key *key, struct text message,
			  struct text signature, struct arena *arena)
{
	const struct algorithm *found = find(algorithm, key);
	const uint8_t *bytes = (const uint8_t *)signature.at;
	size_t length = signature.length;
	uint8_t der[ECDSA_MOST_BYTES];
	EVP_PKEY *made = NULL;
	bool good = false;

	if (found == NULL)
		return ERR_INVALID;
	if (found->curve != NULL) {
		length = ecdsa_der(found, signature, der);
		bytes = der;
		made = length == 0 ? NULL : ec_key(found, key, arena);
	} else {
		made = rsa_key(key, arena);
	}
	if (made != NULL)
		good = verify(found, made, message, bytes, length);
	EVP_PKEY_free(made);
	ERR_clear_error(); /* the thread's, which libcurl looks at too */
	return good ? OK : ERR_INVALID;
}
