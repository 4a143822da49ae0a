/*
 * Server credentials and sessions (GnuTLS).
 */
#include "serve/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Whose the client's certificate is: what the pointer of a session points to. */
struct verdict {
	struct tls *tls;
	bool main, front;
};

struct tls {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	gnutls_x509_trust_list_t front; /* of those who speak for others; NULL: nobody does */
	struct verdict verdict[4];
};

static bool
is_front(gnutls_x509_trust_list_t trust, const gnutls_datum_t *list, unsigned n)
{
	enum { MOST = 8 };
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (void *)GNUTLS_KP_TLS_WWW_CLIENT };
	gnutls_x509_crt_t crt[MOST];
	unsigned have = 0, status = 1;
	int r = 0;

	for (; have < n && have < MOST; have++) {
		if (gnutls_x509_crt_init(&crt[have]) < 0)
			break;
		if ((r = gnutls_x509_crt_import(crt[have], &list[have], GNUTLS_X509_FMT_DER)) < 0) {
			gnutls_x509_crt_deinit(crt[have]);
			break;
		}
	}
	if (r == 0 && have > 0)
		r = gnutls_x509_trust_list_verify_crt2(
		    trust, crt, have, &purpose, 1, 0, &status, NULL);
	while (have > 0)
		gnutls_x509_crt_deinit(crt[--have]);
	return r >= 0 && status == 0;
}

/*
 * A certificate is asked for and not required; one that is given must be one of the authorities'
 * and meant for clients, or the handshake fails.
 */
static int
verify_client(gnutls_session_t session)
{
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (void *)GNUTLS_KP_TLS_WWW_CLIENT };
	struct tls *t = ((struct verdict *)gnutls_session_get_ptr(session))->tls;
	unsigned n = 0, status = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &n);
	bool main, front;

	if (!list || n == 0)
		return 0;
	main = gnutls_certificate_verify_peers(session, &purpose, 1, &status) >= 0 && status == 0;
	front = t->front && is_front(t->front, list, n);
	gnutls_session_set_ptr(session, &t->verdict[main + 2 * front]);
	return main || front ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static int
load(struct tls *t, const char *ca, const char *crt, const char *key, struct err *err)
{
	int r = gnutls_certificate_set_x509_trust_file(t->credentials, ca, GNUTLS_X509_FMT_PEM);

	if (r <= 0)
		return err_set(err, ERR_INTERNAL, "cannot use '%s': %s", ca,
		    r < 0 ? gnutls_strerror(r) : "no certificate in it");
	r = gnutls_certificate_set_x509_key_file(t->credentials, crt, key, GNUTLS_X509_FMT_PEM);
	if (r < 0)
		return err_set(err, ERR_INTERNAL, "cannot use '%s': %s", crt, gnutls_strerror(r));
	return 0;
}

int
tls_new(struct tls **ret, const char *ca, const char *crt, const char *key, struct err *err)
{
	struct tls *t = xcalloc(1, sizeof *t);
	int r;

	r = gnutls_certificate_allocate_credentials(&t->credentials);
	if (r == 0)
		r = gnutls_priority_init(
		    &t->priority, "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", NULL);
	if (r < 0)
		r = err_set(err, ERR_INTERNAL, "cannot set up TLS: %s", gnutls_strerror(r));
	else
		r = load(t, ca, crt, key, err);
	if (r < 0) {
		tls_free(t);
		return r;
	}
	for (int i = 0; i < 4; i++)
		t->verdict[i] = (struct verdict){ t, i & 1, i & 2 };
	gnutls_certificate_set_verify_function(t->credentials, verify_client);
	*ret = t;
	return 0;
}

int
tls_front(struct tls *t, const char *ca, struct err *err)
{
	int r = gnutls_x509_trust_list_init(&t->front, 0);

	if (r == 0)
		r = gnutls_x509_trust_list_add_trust_file(
		    t->front, ca, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
	if (r > 0)
		return 0;
	return err_set(err, ERR_INTERNAL, "cannot use '%s': %s", ca,
	    r < 0 ? gnutls_strerror(r) : "no certificate in it");
}

void
tls_free(struct tls *t)
{
	if (!t)
		return;
	if (t->priority)
		gnutls_priority_deinit(t->priority);
	if (t->credentials)
		gnutls_certificate_free_credentials(t->credentials);
	if (t->front)
		gnutls_x509_trust_list_deinit(t->front, 1);
	free(t);
}

struct gnutls_session_int *
tls_session(struct tls *t, int fd, struct err *err)
{
	static unsigned char name[] = "http/1.1";
	const gnutls_datum_t alpn = { name, sizeof name - 1 };
	gnutls_session_t s = NULL;
	int r;

	/* no tickets: our clients are short-lived processes, which cannot keep one */
	r = gnutls_init(&s, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS |
				GNUTLS_NO_TICKETS_TLS12);
	if (r == 0)
		r = gnutls_priority_set(s, t->priority);
	if (r == 0)
		r = gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, t->credentials);
	if (r == 0)
		r = gnutls_alpn_set_protocols(s, &alpn, 1, 0);
	if (r < 0) {
		err_set(err, ERR_INTERNAL, "cannot set up a TLS session: %s", gnutls_strerror(r));
		if (s)
			gnutls_deinit(s);
		return NULL;
	}
	gnutls_session_set_ptr(s, &t->verdict[0]);
	gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUEST);
	/* no names of authorities, for the list would lack those of proxies in front, and a client
	 * that goes by it would keep its certificate to itself */
	gnutls_certificate_send_x509_rdn_sequence(s, t->front != NULL);
	gnutls_handshake_set_timeout(s, GNUTLS_INDEFINITE_TIMEOUT); /* the server has its own */
	gnutls_transport_set_int(s, fd);
	return s;
}

/* The i-th value of an attribute of the subject; NULL when there is none or it holds a NUL. */
static char *
subject(gnutls_x509_crt_t crt, const char *oid, unsigned i)
{
	char value[1024];
	size_t len = sizeof value;

	if (gnutls_x509_crt_get_dn_by_oid(crt, oid, i, 0, value, &len) < 0)
		return NULL;
	return strlen(value) == len ? xstrdup(value) : NULL;
}

/* One block: the array of organizations, then the strings. */
static void *
pack(char *cn, char **organizations, size_t n, const char **common_name)
{
	size_t size = (n + 1) * sizeof(char *) + strlen(cn) + 1;
	char **block, *p;

	for (size_t i = 0; i < n; i++)
		size += strlen(organizations[i]) + 1;
	block = xmalloc(size);
	p = (char *)(block + n + 1);
	for (size_t i = 0; i < n; i++) {
		block[i] = p;
		p = stpcpy(p, organizations[i]) + 1;
	}
	block[n] = NULL;
	*common_name = p;
	strcpy(p, cn);
	return block;
}

void *
tls_peer(struct gnutls_session_int *session, const char **common_name,
    const char *const **organizations, const char **front)
{
	const struct verdict *verdict = gnutls_session_get_ptr(session);
	enum { MOST = 32 };
	const char *name;
	const gnutls_datum_t *list;
	char *found[MOST], *cn;
	gnutls_x509_crt_t crt;
	void *block = NULL;
	unsigned n = 0;

	list = gnutls_certificate_get_peers(session, &n);
	if (!list || n == 0 || gnutls_x509_crt_init(&crt) < 0)
		return NULL;
	if (gnutls_x509_crt_import(crt, &list[0], GNUTLS_X509_FMT_DER) == 0 &&
	    (cn = subject(crt, GNUTLS_OID_X520_COMMON_NAME, 0))) {
		for (n = 0; n < MOST; n++)
			if (!(found[n] = subject(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, n)))
				break;
		block = pack(cn, found, n, &name);
		if (verdict->main) {
			*common_name = name;
			*organizations = block;
		}
		if (verdict->front)
			*front = name;
		while (n > 0)
			free(found[--n]);
		free(cn);
	}
	gnutls_x509_crt_deinit(crt);
	return block;
}

static int
pin(const gnutls_datum_t *in, gnutls_x509_crt_fmt_t format, char hex[static TLS_PIN])
{
	unsigned char id[32];
	gnutls_x509_crt_t crt;
	size_t size = sizeof id;
	int r;

	if (gnutls_x509_crt_init(&crt) < 0)
		return -1;
	r = gnutls_x509_crt_import(crt, in, format);
	if (r == 0)
		r = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id, &size);
	gnutls_x509_crt_deinit(crt);
	for (size_t i = 0; r == 0 && i < sizeof id; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	return r < 0 ? -1 : 0;
}

int
tls_pin_of(const void *der, size_t len, char hex[static TLS_PIN])
{
	gnutls_datum_t in = { (void *)der, (unsigned)len };

	return pin(&in, GNUTLS_X509_FMT_DER, hex);
}

int
tls_pin_file(const char *pem, char hex[static TLS_PIN], struct err *err)
{
	gnutls_datum_t in;
	int r = gnutls_load_file(pem, &in);

	if (r < 0)
		return err_set(err, ERR_INTERNAL, "cannot read '%s': %s", pem, gnutls_strerror(r));
	r = pin(&in, GNUTLS_X509_FMT_PEM, hex);
	gnutls_free(in.data);
	return r < 0 ? err_set(err, ERR_INTERNAL, "cannot use '%s': no certificate in it", pem) : 0;
}
