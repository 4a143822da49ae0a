/*
 * A Secret of type kubernetes.io/tls whose certificate and key are none, or no pair: told in the
 * words of Go's crypto/tls, which are what clients of Kubernetes know.
 */
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/call.h"

/* The blocks of a PEM text up to the first that is wanted. */
struct blocks {
	bool found;
	size_t n;
	char *first;	    /* the type of the first one that was skipped */
	struct buf skipped; /* all of them, with blanks between */
};

static void
blocks_release(struct blocks *b)
{
	free(b->first);
	buf_release(&b->skipped);
}

static bool
wanted(const char *type, bool key)
{
	size_t n = strlen(type);

	return key ? n >= 11 && strcmp(type + n - 11, "PRIVATE KEY") == 0
		   : strcmp(type, "CERTIFICATE") == 0;
}

static void
scan(const char *pem, bool key, struct blocks *b)
{
	static const char begin[] = "-----BEGIN ";

	*b = (struct blocks){ .skipped = BUF_INIT };
	while (!b->found && (pem = strstr(pem, begin))) {
		const char *end;
		autofree char *type = NULL, *last = NULL;

		pem += strlen(begin);
		if (!(end = strstr(pem, "-----")))
			return;
		type = xstrndup(pem, (size_t)(end - pem));
		last = xasprintf("-----END %s-----", type);
		if (!strstr(end, last))
			continue;
		if ((b->found = wanted(type, key)))
			return;
		if (b->n++ == 0)
			b->first = xstrdup(type);
		buf_printf(&b->skipped, "%s%s", b->skipped.len ? " " : "", type);
	}
}

/* The value of a key as text; "" when it is not there. */
static char *
decoded(const json_t *secret, const char *name)
{
	const char *base64 = text(secret, "data", name);
	gnutls_datum_t in = { (unsigned char *)base64, (unsigned)strlen(base64) }, raw = { 0 };
	char *value;

	if (!in.size || gnutls_base64_decode2(&in, &raw) < 0)
		return xstrdup("");
	value = xstrndup((const char *)raw.data, raw.size);
	gnutls_free(raw.data);
	return value;
}

static void
no_certificate(struct call *c, const struct blocks *b)
{
	autofree char *msg = NULL;

	if (!b->n) {
		call_warn(c, "tls: failed to find any PEM data in certificate input");
	} else if (b->n == 1 && wanted(b->first, true)) {
		call_warn(c,
		    "tls: failed to find certificate PEM data in certificate input, but did find a "
		    "private key; PEM inputs may have been switched");
	} else {
		msg =
		    xasprintf("tls: failed to find \"CERTIFICATE\" PEM block in certificate input "
			      "after skipping PEM blocks of the following types: [%s]",
			b->skipped.data);
		call_warn(c, msg);
	}
}

static void
no_key(struct call *c, const struct blocks *b)
{
	autofree char *msg = NULL;

	if (!b->n) {
		call_warn(c, "tls: failed to find any PEM data in key input");
	} else if (b->n == 1 && wanted(b->first, false)) {
		call_warn(
		    c, "tls: found a certificate rather than a key in the PEM for the private key");
	} else {
		msg = xasprintf("tls: failed to find PEM block with type ending in \"PRIVATE KEY\" "
				"in key input after skipping PEM blocks of the following types: "
				"[%s]",
		    b->skipped.data);
		call_warn(c, msg);
	}
}

/* NULL when key is the private half of the certificate's. */
static const char *
mismatch(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	unsigned char one[64], two[64];
	size_t n = sizeof one, m = sizeof two;

	if (gnutls_x509_crt_get_pk_algorithm(crt, NULL) !=
	    gnutls_x509_privkey_get_pk_algorithm(key))
		return "tls: private key type does not match public key type";
	if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, one, &n) < 0 ||
	    gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, two, &m) < 0 || n != m ||
	    memcmp(one, two, n) != 0)
		return "tls: private key does not match public key";
	return NULL;
}

static const char *
compare(const char *crt_pem, const char *key_pem)
{
	gnutls_datum_t crt_text = { (unsigned char *)crt_pem, (unsigned)strlen(crt_pem) };
	gnutls_datum_t key_text = { (unsigned char *)key_pem, (unsigned)strlen(key_pem) };
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	const char *why;

	if (gnutls_x509_crt_init(&crt) < 0 || gnutls_x509_privkey_init(&key) < 0)
		abort();
	if (gnutls_x509_crt_import(crt, &crt_text, GNUTLS_X509_FMT_PEM) < 0)
		why = "x509: malformed certificate";
	else if (gnutls_x509_privkey_import2(key, &key_text, GNUTLS_X509_FMT_PEM, NULL, 0) < 0)
		why = "tls: failed to parse private key";
	else
		why = mismatch(crt, key);
	gnutls_x509_privkey_deinit(key);
	gnutls_x509_crt_deinit(crt);
	return why;
}

void
call_warn_secret(struct call *c, const json_t *secret)
{
	autofree char *crt = NULL, *key = NULL;
	struct blocks in_crt, in_key;
	const char *why;

	if (strcmp(text(secret, "type"), "kubernetes.io/tls") != 0)
		return;
	crt = decoded(secret, "tls.crt");
	key = decoded(secret, "tls.key");
	scan(crt, false, &in_crt);
	scan(key, true, &in_key);
	if (!in_crt.found)
		no_certificate(c, &in_crt);
	else if (!in_key.found)
		no_key(c, &in_key);
	else if ((why = compare(crt, key)))
		call_warn(c, why);
	blocks_release(&in_crt);
	blocks_release(&in_key);
}
