/*
 * The key that signs tokens: made, loaded, shown as a JWK.
 */
#include "store/jwt_key.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/base64url.h"

enum { PEM_MAX = 1 << 20, NUMBER = 32, RSA_BITS = 2048 };

struct jwt_keys {
	pthread_mutex_t lock; /* GnuTLS objects are for one thread at a time */
	gnutls_privkey_t private;
	gnutls_pubkey_t public;
	bool rsa;
	char *id;
};

static int
key_err(struct err *err, int r, const char *file)
{
	return err_set(err, ERR_INTERNAL, "cannot use the key '%s': %s", file, gnutls_strerror(r));
}

/* --- making and loading --- */

/* The key goes first: whoever finds the public part finds the other too. */
static int
make(const char *dir, const char *file, struct err *err)
{
	unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
	autofree char *folder = xasprintf("%s/pki", dir);
	gnutls_x509_privkey_t key = NULL;
	gnutls_datum_t pem = { NULL, 0 };
	int r;

	if ((r = mkdir_all(folder, 0755, err)) < 0)
		return r;
	r = gnutls_x509_privkey_init(&key);
	if (r >= 0)
		r = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, bits, 0);
	if (r >= 0)
		r = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);
	r = r < 0 ? key_err(err, r, file) : file_replace(file, pem.data, pem.size, 0600, err);
	if (pem.data)
		gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	if (key)
		gnutls_x509_privkey_deinit(key);
	return r;
}

/* Of another kind, or too weak, is no good. */
static int
check_kind(struct jwt_keys *k, const char *file, struct err *err)
{
	unsigned bits = 0;
	int algorithm = gnutls_pubkey_get_pk_algorithm(k->public, &bits);
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;

	k->rsa = algorithm == GNUTLS_PK_RSA;
	if (k->rsa && bits >= RSA_BITS)
		return 0;
	if (algorithm == GNUTLS_PK_ECDSA &&
	    gnutls_pubkey_export_ecc_raw2(k->public, &curve, NULL, NULL, 0) >= 0 &&
	    curve == GNUTLS_ECC_CURVE_SECP256R1)
		return 0;
	return err_set(err, ERR_INVALID,
	    "cannot use the key '%s': it is neither ECDSA on P-256 nor RSA of %d bits", file,
	    RSA_BITS);
}

/* As Kubernetes names keys: a hash of the public part's SubjectPublicKeyInfo. */
static int
name_key(struct jwt_keys *k)
{
	unsigned char digest[32];
	struct buf id = BUF_INIT;
	gnutls_datum_t der;
	int r = gnutls_pubkey_export2(k->public, GNUTLS_X509_FMT_DER, &der);

	if (r < 0)
		return r;
	r = gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, digest);
	gnutls_free(der.data);
	base64url_encode(&id, digest, sizeof digest);
	k->id = buf_detach(&id);
	return r;
}

static int
load(struct jwt_keys *k, const char *file, struct err *err)
{
	autobuf struct buf pem = BUF_INIT;
	gnutls_datum_t d;
	int r;

	if ((r = buf_read_file(&pem, file, PEM_MAX, err)) < 0)
		return r;
	d = (gnutls_datum_t){ (unsigned char *)pem.data, (unsigned)pem.len };
	r = gnutls_privkey_init(&k->private);
	if (r >= 0)
		r = gnutls_privkey_import_x509_raw(k->private, &d, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (r >= 0)
		r = gnutls_pubkey_init(&k->public);
	if (r >= 0)
		r = gnutls_pubkey_import_privkey(
		    k->public, k->private, GNUTLS_KEY_DIGITAL_SIGNATURE, 0);
	if (r >= 0)
		r = name_key(k);
	gnutls_memset(pem.data, 0, pem.len);
	return r < 0 ? key_err(err, r, file) : check_kind(k, file, err);
}

int
jwt_keys_open(struct jwt_keys **ret, const char *dir, struct err *err)
{
	autofree char *file = xasprintf("%s/pki/sa.key", dir);
	struct jwt_keys *k;
	int r;

	if (access(file, F_OK) < 0 && (r = make(dir, file, err)) < 0)
		return r;
	k = xcalloc(1, sizeof *k);
	pthread_mutex_init(&k->lock, NULL);
	if ((r = load(k, file, err)) < 0) {
		jwt_keys_free(k);
		return r;
	}
	*ret = k;
	return 0;
}

void
jwt_keys_free(struct jwt_keys *k)
{
	if (!k)
		return;
	if (k->private)
		gnutls_privkey_deinit(k->private);
	if (k->public)
		gnutls_pubkey_deinit(k->public);
	pthread_mutex_destroy(&k->lock);
	free(k->id);
	free(k);
}

const char *
jwt_algorithm(const struct jwt_keys *k)
{
	return k->rsa ? "RS256" : "ES256";
}

const char *
jwt_key_id(const struct jwt_keys *k)
{
	return k->id;
}

/* --- signing --- */

static gnutls_sign_algorithm_t
signature_kind(const struct jwt_keys *k)
{
	return k->rsa ? GNUTLS_SIGN_RSA_SHA256 : GNUTLS_SIGN_ECDSA_SHA256;
}

/* A big-endian number in exactly 32 bytes; false when it has more. */
static bool
add_number(struct buf *out, const gnutls_datum_t *n)
{
	static const unsigned char zeros[NUMBER];
	const unsigned char *p = n->data;
	size_t len = n->size;

	for (; len > 0 && *p == 0; p++)
		len--;
	if (len > NUMBER)
		return false;
	buf_add(out, zeros, NUMBER - len);
	buf_add(out, p, len);
	return true;
}

/* From the SEQUENCE of two INTEGERs of X9.62 to the two numbers. */
static int
flatten(const gnutls_datum_t *der, struct buf *out)
{
	gnutls_datum_t r, s;
	int e = gnutls_decode_rs_value(der, &r, &s);

	if (e < 0)
		return e;
	if (!add_number(out, &r) || !add_number(out, &s))
		e = GNUTLS_E_PK_SIGN_FAILED;
	gnutls_free(r.data);
	gnutls_free(s.data);
	return e;
}

int
jwt_key_sign(
    struct jwt_keys *k, const void *data, size_t len, struct buf *signature, struct err *err)
{
	gnutls_datum_t d = { (void *)data, (unsigned)len }, s = { NULL, 0 };
	int r;

	pthread_mutex_lock(&k->lock);
	r = gnutls_privkey_sign_data2(k->private, signature_kind(k), 0, &d, &s);
	pthread_mutex_unlock(&k->lock);
	if (r >= 0 && k->rsa)
		buf_add(signature, s.data, s.size);
	else if (r >= 0)
		r = flatten(&s, signature);
	gnutls_free(s.data);
	return r < 0 ? err_set(err, ERR_INTERNAL, "cannot sign a token: %s", gnutls_strerror(r))
		     : 0;
}

static int
check(struct jwt_keys *k, const gnutls_datum_t *data, const gnutls_datum_t *signature)
{
	int r;

	pthread_mutex_lock(&k->lock);
	r = gnutls_pubkey_verify_data2(k->public, signature_kind(k), 0, data, signature);
	pthread_mutex_unlock(&k->lock);
	return r;
}

int
jwt_key_verify(struct jwt_keys *k, const void *data, size_t len, const void *signature,
    size_t signature_len, struct err *err)
{
	gnutls_datum_t d = { (void *)data, (unsigned)len }, der = { NULL, 0 };
	unsigned char *p = (void *)signature;
	int r = GNUTLS_E_PK_SIG_VERIFY_FAILED;

	if (k->rsa && signature_len > 0) {
		der = (gnutls_datum_t){ p, (unsigned)signature_len };
		r = check(k, &d, &der);
	} else if (!k->rsa && signature_len == 2 * NUMBER) {
		const gnutls_datum_t a = { p, NUMBER }, b = { p + NUMBER, NUMBER };

		r = gnutls_encode_rs_value(&der, &a, &b);
		if (r >= 0)
			r = check(k, &d, &der);
		gnutls_free(der.data);
	}
	return r < 0 ? err_set(err, ERR_UNAUTHORIZED, "the signature does not verify") : 0;
}

/* --- showing --- */

static void
add_text(json_t *jwk, const char *key, const void *data, size_t len)
{
	autobuf struct buf b = BUF_INIT;

	base64url_encode(&b, data, len);
	json_object_set_new(jwk, key, json_string(b.data ? b.data : ""));
}

static void
add_rsa(const struct jwt_keys *k, json_t *jwk)
{
	gnutls_datum_t m = { NULL, 0 }, e = { NULL, 0 };

	gnutls_pubkey_export_rsa_raw2(k->public, &m, &e, GNUTLS_EXPORT_FLAG_NO_LZ);
	add_text(jwk, "n", m.data, m.size);
	add_text(jwk, "e", e.data, e.size);
	gnutls_free(m.data);
	gnutls_free(e.data);
}

static void
add_curve(const struct jwt_keys *k, json_t *jwk)
{
	gnutls_datum_t x = { NULL, 0 }, y = { NULL, 0 };
	autobuf struct buf bx = BUF_INIT, by = BUF_INIT;

	gnutls_pubkey_export_ecc_raw2(k->public, NULL, &x, &y, 0);
	add_number(&bx, &x);
	add_number(&by, &y);
	json_object_set_new(jwk, "crv", json_string("P-256"));
	add_text(jwk, "x", bx.data, bx.len);
	add_text(jwk, "y", by.data, by.len);
	gnutls_free(x.data);
	gnutls_free(y.data);
}

json_t *
jwt_key_set(const struct jwt_keys *k)
{
	json_t *jwk = json_pack("{s:s,s:s,s:s,s:s}", "use", "sig", "kty", k->rsa ? "RSA" : "EC",
	    "kid", k->id, "alg", jwt_algorithm(k));

	if (k->rsa)
		add_rsa(k, jwk);
	else
		add_curve(k, jwk);
	return json_pack("{s:[o]}", "keys", jwk);
}
