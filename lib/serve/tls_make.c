/* A server's own certificate, for those who know its key. */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "serve/tls.h"

enum { DAY = 86400, DAYS = 3650, RENEW = 30 * DAY };

static bool
lasts(const char *file)
{
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem;
	bool fine = false;

	if (gnutls_load_file(file, &pem) < 0)
		return false;
	if (gnutls_x509_crt_init(&crt) == 0) {
		if (gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM) == 0)
			fine =
			    gnutls_x509_crt_get_expiration_time(crt) > (time_t)clock_now() + RENEW;
		gnutls_x509_crt_deinit(crt);
	}
	gnutls_free(pem.data);
	return fine;
}

/* Each step only when those before it went well. */
static int
make(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *name)
{
	unsigned char serial[16];
	time_t now = (time_t)clock_now();
	int r = gnutls_x509_privkey_generate(
	    key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);

	if (r >= 0)
		r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
	serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and always as long */
	if (r >= 0)
		r = gnutls_x509_crt_set_version(crt, 3);
	if (r >= 0)
		r = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
	if (r >= 0)
		r = gnutls_x509_crt_set_activation_time(crt, now - 3600);
	if (r >= 0)
		r = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)DAYS * DAY);
	if (r >= 0)
		r = gnutls_x509_crt_set_dn_by_oid(
		    crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
	if (r >= 0)
		r = gnutls_x509_crt_set_subject_alt_name(
		    crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), GNUTLS_FSAN_SET);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (r >= 0)
		r = gnutls_x509_crt_set_key(crt, key);
	if (r >= 0)
		r = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
	return r;
}

static int
save(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *crt_file, const char *key_file,
    struct err *err)
{
	gnutls_datum_t pem = { NULL, 0 };
	int r = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);

	if (r >= 0)
		r = file_replace(key_file, pem.data, pem.size, 0600, err);
	gnutls_free(pem.data);
	if (r < 0)
		return r;
	pem = (gnutls_datum_t){ NULL, 0 };
	r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem);
	if (r >= 0)
		r = file_replace(crt_file, pem.data, pem.size, 0644, err);
	gnutls_free(pem.data);
	return r;
}

int
tls_self_signed(const char *crt_file, const char *key_file, const char *name, struct err *err)
{
	gnutls_x509_crt_t crt = NULL;
	gnutls_x509_privkey_t key = NULL;
	int r;

	if (access(key_file, R_OK) == 0 && lasts(crt_file))
		return 0;
	if ((r = gnutls_x509_crt_init(&crt)) == 0 && (r = gnutls_x509_privkey_init(&key)) == 0)
		r = make(crt, key, name);
	if (r < 0)
		err_set(err, ERR_INTERNAL, "cannot make '%s': %s", crt_file, gnutls_strerror(r));
	else
		r = save(crt, key, crt_file, key_file, err);
	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (key)
		gnutls_x509_privkey_deinit(key);
	return r < 0 ? -(int)err->code : 0;
}
