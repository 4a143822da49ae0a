/*
 * The certificates of a data folder: making, checking, renewing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/pki.h"

enum { DAY = 86400, CA_DAYS = 3650, LEAF_DAYS = 730, RENEW_DAYS = 30, PEM_MAX = 1 << 20 };

/* A certificate and its key. */
struct pair {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
};

static void
pair_release(struct pair *p)
{
	if (p->crt)
		gnutls_x509_crt_deinit(p->crt);
	if (p->key)
		gnutls_x509_privkey_deinit(p->key);
	*p = (struct pair){ 0 };
}
#define autopair __attribute__((cleanup(pair_release)))

static int
tls_err(struct err *err, int r, const char *what)
{
	return err_set(
	    err, ERR_INTERNAL, "cannot make the certificate of '%s': %s", what, gnutls_strerror(r));
}

/* --- making --- */

/* What a certificate is to say. */
struct order {
	const char *cn;
	const char *const *organizations; /* NULL-terminated, or NULL */
	const char *const *names;	  /* host names and addresses, the same */
	const char *purpose;		  /* OID; NULL: an authority */
	int days;
};

/* The bytes of a name in a certificate: an address is binary. */
static int
san(const char *name, unsigned char *room, gnutls_datum_t *ret)
{
	ret->data = room;
	if (inet_pton(AF_INET, name, room) == 1)
		ret->size = 4;
	else if (inet_pton(AF_INET6, name, room) == 1)
		ret->size = 16;
	else {
		ret->data = (unsigned char *)name;
		ret->size = (unsigned)strlen(name);
		return GNUTLS_SAN_DNSNAME;
	}
	return GNUTLS_SAN_IPADDRESS;
}

static int
set_subject(gnutls_x509_crt_t crt, const struct order *o)
{
	unsigned char room[16];
	int r = 0;

	for (const char *const *p = o->organizations; p && *p && r >= 0; p++)
		r = gnutls_x509_crt_set_dn_by_oid(
		    crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, *p, (unsigned)strlen(*p));
	if (r >= 0)
		r = gnutls_x509_crt_set_dn_by_oid(
		    crt, GNUTLS_OID_X520_COMMON_NAME, 0, o->cn, (unsigned)strlen(o->cn));
	for (const char *const *p = o->names; p && *p && r >= 0; p++) {
		gnutls_datum_t d;
		int type = san(*p, room, &d);

		r = gnutls_x509_crt_set_subject_alt_name(
		    crt, (gnutls_x509_subject_alt_name_t)type, d.data, d.size, GNUTLS_FSAN_APPEND);
	}
	return r;
}

static int
set_validity(gnutls_x509_crt_t crt, int days)
{
	unsigned char serial[16];
	time_t now = (time_t)clock_now();
	int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);

	serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and always as long */
	if (r >= 0)
		r = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
	if (r >= 0) /* clocks differ a little between machines */
		r = gnutls_x509_crt_set_activation_time(crt, now - 3600);
	if (r >= 0)
		r = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)days * DAY);
	return r;
}

static int
set_usage(gnutls_x509_crt_t crt, const struct order *o)
{
	unsigned char id[64];
	size_t len = sizeof id;
	int r = gnutls_x509_crt_set_basic_constraints(crt, o->purpose == NULL, -1);

	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(
		    crt, o->purpose ? GNUTLS_KEY_DIGITAL_SIGNATURE
				    : GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
	if (r >= 0 && o->purpose)
		r = gnutls_x509_crt_set_key_purpose_oid(crt, o->purpose, 0);
	if (r >= 0)
		r = gnutls_x509_crt_get_key_id(crt, 0, id, &len);
	if (r >= 0)
		r = gnutls_x509_crt_set_subject_key_id(crt, id, len);
	return r;
}

/* Make what was ordered, signed by `ca`, or by itself when ca is NULL. */
static int
issue(struct pair *ret, const struct order *o, const struct pair *ca, struct err *err)
{
	unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
	autopair struct pair p = { 0 };
	unsigned char id[64];
	size_t len = sizeof id;
	int r;

	if ((r = gnutls_x509_privkey_init(&p.key)) < 0 ||
	    (r = gnutls_x509_privkey_generate(p.key, GNUTLS_PK_ECDSA, bits, 0)) < 0 ||
	    (r = gnutls_x509_crt_init(&p.crt)) < 0 ||
	    (r = gnutls_x509_crt_set_version(p.crt, 3)) < 0 ||
	    (r = gnutls_x509_crt_set_key(p.crt, p.key)) < 0 ||
	    (r = set_validity(p.crt, o->days)) < 0 || (r = set_subject(p.crt, o)) < 0 ||
	    (r = set_usage(p.crt, o)) < 0)
		return tls_err(err, r, o->cn);
	if (ca && gnutls_x509_crt_get_subject_key_id(ca->crt, id, &len, NULL) == 0)
		gnutls_x509_crt_set_authority_key_id(p.crt, id, len);
	r = gnutls_x509_crt_sign2(
	    p.crt, ca ? ca->crt : p.crt, ca ? ca->key : p.key, GNUTLS_DIG_SHA256, 0);
	if (r < 0)
		return tls_err(err, r, o->cn);
	*ret = p;
	p = (struct pair){ 0 };
	return 0;
}

/* --- files --- */

static int
export_pem(const struct pair *p, struct buf *crt, struct buf *key, struct err *err)
{
	gnutls_datum_t d;
	int r = gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_PEM, &d);

	if (r < 0)
		return tls_err(err, r, "export");
	buf_add(crt, d.data, d.size);
	gnutls_free(d.data);
	r = gnutls_x509_privkey_export2(p->key, GNUTLS_X509_FMT_PEM, &d);
	if (r < 0)
		return tls_err(err, r, "export");
	buf_add(key, d.data, d.size);
	gnutls_memset(d.data, 0, d.size);
	gnutls_free(d.data);
	return 0;
}

/* DIR/pki/NAME.crt and .key; the key first: a certificate that is there has its key. */
static int
save(const struct pair *p, const char *dir, const char *name, struct err *err)
{
	autofree char *crt_file = xasprintf("%s/pki/%s.crt", dir, name);
	autofree char *key_file = xasprintf("%s/pki/%s.key", dir, name);
	autobuf struct buf crt = BUF_INIT, key = BUF_INIT;
	int r;

	if ((r = export_pem(p, &crt, &key, err)) < 0 ||
	    (r = file_replace(key_file, key.data, key.len, 0600, err)) < 0)
		return r;
	return file_replace(crt_file, crt.data, crt.len, 0644, err);
}

static int
load_pem(const char *file, gnutls_x509_crt_t *crt, gnutls_x509_privkey_t *key, struct err *err)
{
	autobuf struct buf b = BUF_INIT;
	gnutls_datum_t d;
	int r;

	if ((r = buf_read_file(&b, file, PEM_MAX, err)) < 0)
		return r;
	d = (gnutls_datum_t){ (unsigned char *)b.data, (unsigned)b.len };
	if (crt && (r = gnutls_x509_crt_init(crt)) == 0)
		r = gnutls_x509_crt_import(*crt, &d, GNUTLS_X509_FMT_PEM);
	if (key && (r = gnutls_x509_privkey_init(key)) == 0)
		r = gnutls_x509_privkey_import(*key, &d, GNUTLS_X509_FMT_PEM);
	if (r < 0)
		return err_set(err, ERR_INVALID, "cannot use '%s': %s", file, gnutls_strerror(r));
	return 0;
}

static int
load(struct pair *p, const char *dir, const char *name, struct err *err)
{
	autofree char *crt_file = xasprintf("%s/pki/%s.crt", dir, name);
	autofree char *key_file = xasprintf("%s/pki/%s.key", dir, name);
	int r;

	if ((r = load_pem(crt_file, &p->crt, NULL, err)) < 0 ||
	    (r = load_pem(key_file, NULL, &p->key, err)) < 0)
		pair_release(p);
	return r;
}

/* --- checking --- */

/* Whether certificate and key belong together. */
static bool
matches(const struct pair *p)
{
	unsigned char a[64], b[64];
	size_t na = sizeof a, nb = sizeof b;

	return gnutls_x509_crt_get_key_id(p->crt, 0, a, &na) == 0 &&
	       gnutls_x509_privkey_get_key_id(p->key, 0, b, &nb) == 0 && na == nb &&
	       memcmp(a, b, na) == 0;
}

static bool
has_name(gnutls_x509_crt_t crt, const char *name)
{
	unsigned char room[16], value[512];
	gnutls_datum_t want;
	int type = san(name, room, &want), r;

	for (unsigned i = 0;; i++) {
		size_t len = sizeof value;

		r = gnutls_x509_crt_get_subject_alt_name(crt, i, value, &len, NULL);
		if (r == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;
		if (r < 0)
			return false;
		if (r == type && len == want.size && memcmp(value, want.data, len) == 0)
			return true;
	}
}

/* Whether what is there does what is wanted, for another month. */
static bool
good(const struct pair *p, const struct pair *ca, const char *const *names)
{
	unsigned status = 0;

	if (!matches(p) || gnutls_x509_crt_get_expiration_time(p->crt) <
			       (time_t)clock_now() + (time_t)RENEW_DAYS * DAY)
		return false;
	if (gnutls_x509_crt_verify(p->crt, &ca->crt, 1, 0, &status) < 0 || status != 0)
		return false;
	for (; names && *names; names++)
		if (!has_name(p->crt, *names))
			return false;
	return true;
}

/* --- the folder --- */

static int
ensure_ca(struct pair *ca, const char *dir, const char *name, const char *cn, struct err *err)
{
	autofree char *crt_file = xasprintf("%s/pki/%s.crt", dir, name);
	struct order o = { .cn = cn, .days = CA_DAYS };
	int r;

	if (access(crt_file, F_OK) ==
	    0) { /* a lost key or a broken file is for a person to decide */
		if ((r = load(ca, dir, name, err)) < 0)
			return r;
		if (!matches(ca))
			return err_set(err, ERR_INVALID, "cannot use '%s': %s.key is not its key",
			    crt_file, name);
		return 0;
	}
	if ((r = issue(ca, &o, NULL, err)) < 0)
		return r;
	return save(ca, dir, name, err);
}

static int
ensure_leaf(const char *dir, const char *name, const struct order *o, const struct pair *ca,
    struct err *err)
{
	autopair struct pair p = { 0 };
	struct err ignored;
	int r;

	if (load(&p, dir, name, &ignored) == 0 && good(&p, ca, o->names))
		return 0;
	pair_release(&p);
	if ((r = issue(&p, o, ca, err)) < 0)
		return r;
	return save(&p, dir, name, err);
}

/* The names every server certificate has, those asked for, and the host's. */
static const char **
server_names(const char *const *names, char *host, size_t size)
{
	static const char *const fixed[] = { "localhost", "127.0.0.1", "::1", "kubernetes",
		"kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local" };
	size_t n = 0, more = 0;
	const char **ret;

	while (names && names[more])
		more++;
	ret = xcalloc(COUNT(fixed) + more + 2, sizeof *ret);
	for (size_t i = 0; i < COUNT(fixed); i++)
		ret[n++] = fixed[i];
	if (gethostname(host, size) == 0 && *host)
		ret[n++] = host;
	for (size_t i = 0; i < more; i++)
		if (*names[i] && strcmp(names[i], "0.0.0.0") != 0 && strcmp(names[i], "::") != 0)
			ret[n++] = names[i];
	return ret;
}

int
pki_ensure(const char *dir, const char *const *names, struct err *err)
{
	static const char *const masters[] = { "system:masters", NULL };
	char host[256] = "";
	autofree const char **all = server_names(names, host, sizeof host - 1);
	autofree char *folder = xasprintf("%s/pki", dir);
	struct order server = { .cn = "orch-store",
		.names = all,
		.purpose = GNUTLS_KP_TLS_WWW_SERVER,
		.days = LEAF_DAYS };
	struct order admin = { .cn = "admin",
		.organizations = masters,
		.purpose = GNUTLS_KP_TLS_WWW_CLIENT,
		.days = LEAF_DAYS };
	static const char *const metrics_names[] = { PKI_METRICS ".kube-system.svc", NULL };
	struct order metrics = { .cn = PKI_METRICS,
		.names = metrics_names,
		.purpose = GNUTLS_KP_TLS_WWW_SERVER,
		.days = LEAF_DAYS };
	struct order node_client = { .cn = PKI_NODE_CLIENT,
		.organizations = masters,
		.purpose = GNUTLS_KP_TLS_WWW_CLIENT,
		.days = LEAF_DAYS };
	autopair struct pair ca = { 0 };
	int r;

	if ((r = mkdir_all(folder, 0755, err)) < 0 ||
	    (r = ensure_ca(&ca, dir, "ca", "orch", err)) < 0 ||
	    (r = ensure_leaf(dir, "server", &server, &ca, err)) < 0)
		return r;
	if ((r = ensure_leaf(dir, "admin", &admin, &ca, err)) < 0 ||
	    (r = ensure_leaf(dir, "metrics", &metrics, &ca, err)) < 0)
		return r;
	return ensure_leaf(dir, "node-client", &node_client, &ca, err);
}

int
pki_front(const char *dir, struct err *err)
{
	struct order client = {
		.cn = PKI_FRONT, .purpose = GNUTLS_KP_TLS_WWW_CLIENT, .days = LEAF_DAYS
	};
	autopair struct pair ca = { 0 };
	int r = ensure_ca(&ca, dir, "front-proxy-ca", "orch front proxy", err);

	return r < 0 ? r : ensure_leaf(dir, PKI_FRONT, &client, &ca, err);
}

int
pki_client(const char *dir, const char *common_name, const char *const *organizations,
    struct buf *crt, struct buf *key, struct err *err)
{
	struct order o = { .cn = common_name,
		.organizations = organizations,
		.purpose = GNUTLS_KP_TLS_WWW_CLIENT,
		.days = LEAF_DAYS };
	autopair struct pair ca = { 0 }, p = { 0 };
	int r;

	if ((r = load(&ca, dir, "ca", err)) < 0 || (r = issue(&p, &o, &ca, err)) < 0)
		return r;
	return export_pem(&p, crt, key, err);
}

/* --- kubeconfig --- */

/* "    KEY: BASE64-OF-THE-FILE\n" */
static int
add_file(struct buf *b, const char *key, const char *dir, const char *name, const char *suffix,
    struct err *err)
{
	autofree char *file = xasprintf("%s/pki/%s.%s", dir, name, suffix);
	autobuf struct buf pem = BUF_INIT;
	gnutls_datum_t in, out;
	int r;

	if ((r = buf_read_file(&pem, file, PEM_MAX, err)) < 0)
		return r;
	in = (gnutls_datum_t){ (unsigned char *)pem.data, (unsigned)pem.len };
	if ((r = gnutls_base64_encode2(&in, &out)) < 0)
		return tls_err(err, r, file);
	buf_printf(b, "    %s: %.*s\n", key, (int)out.size, (const char *)out.data);
	gnutls_free(out.data);
	return 0;
}

/* What stands there already is not written again: a full disk must not keep a store down. */
static bool
stands(const char *file, const struct buf *b)
{
	autobuf struct buf there = BUF_INIT;
	struct err err;

	return chmod(file, 0600) == 0 && buf_read_file(&there, file, 8 * PEM_MAX, &err) == 0 &&
	       there.len == b->len && memcmp(there.data, b->data, b->len) == 0;
}

int
pki_kubeconfig(
    const char *dir, const char *file, const char *server_url, const char *user, struct err *err)
{
	autobuf struct buf b = BUF_INIT;
	int r;

	buf_printf(&b,
	    "apiVersion: v1\nkind: Config\nclusters:\n- name: orch\n  cluster:\n    server: %s\n",
	    server_url);
	if ((r = add_file(&b, "certificate-authority-data", dir, "ca", "crt", err)) < 0)
		return r;
	buf_printf(&b, "users:\n- name: %s\n  user:\n", user);
	if ((r = add_file(&b, "client-certificate-data", dir, user, "crt", err)) < 0 ||
	    (r = add_file(&b, "client-key-data", dir, user, "key", err)) < 0)
		return r;
	buf_printf(&b,
	    "contexts:\n- name: orch\n  context:\n    cluster: orch\n    user: %s\n"
	    "current-context: orch\n",
	    user);
	return stands(file, &b) ? 0 : file_replace(file, b.data, b.len, 0600, err);
}

int
pki_tls(struct tls **ret, const char *dir, struct err *err)
{
	autofree char *ca = xasprintf("%s/pki/ca.crt", dir);
	autofree char *crt = xasprintf("%s/pki/server.crt", dir);
	autofree char *key = xasprintf("%s/pki/server.key", dir);

	return tls_new(ret, ca, crt, key, err);
}
