/* Certificates and TLS: what pki_ensure() makes and keeps, and who is let in as whom. */
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sys/stat.h>

#include "http_test.h"
#include "store/pki.h"

static char folder[] = "/tmp/http_tls.XXXXXX";

static void
handle(struct http_exchange *x, void *arg)
{
	const struct http_peer *p = &http_request(x)->peer;
	autobuf struct buf b = BUF_INIT;

	(void)arg;
	buf_printf(&b, "tls=%d cn=%s", p->tls, p->common_name ? p->common_name : "-");
	for (const char *const *o = p->organizations; o && *o; o++)
		buf_printf(&b, " o=%s", *o);
	http_reply_text(x, 200, "text/plain", b.data);
}

static gnutls_datum_t
datum(const struct buf *b)
{
	return (gnutls_datum_t){ (unsigned char *)b->data, (unsigned)b->len };
}

/* One request with TLS; crt and key may be NULL.  The answer, or NULL when it was refused. */
static char *
ask_tls(
    int port, const char *ca_dir, const struct buf *crt, const struct buf *key, const char *host)
{
	autofree char *ca = xasprintf("%s/pki/ca.crt", ca_dir);
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	unsigned char name[] = "http/1.1";
	gnutls_datum_t alpn = { name, sizeof name - 1 };
	gnutls_certificate_credentials_t cred;
	char *ret = xcalloc(1, 4096);
	gnutls_session_t s;
	size_t len = 0;
	ssize_t n = 0;
	int fd = dial(port), r;

	gnutls_certificate_allocate_credentials(&cred);
	CHECK(gnutls_certificate_set_x509_trust_file(cred, ca, GNUTLS_X509_FMT_PEM) == 1, "trust");
	if (crt) {
		gnutls_datum_t c = datum(crt), k = datum(key);

		CHECK(gnutls_certificate_set_x509_key_mem(cred, &c, &k, GNUTLS_X509_FMT_PEM) >= 0,
		    "key");
	}
	/* send it whatever authorities the server names */
	gnutls_init(&s, GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT);
	gnutls_set_default_priority(s);
	gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, cred);
	gnutls_alpn_set_protocols(s, &alpn, 1, GNUTLS_ALPN_MANDATORY);
	gnutls_session_set_verify_cert(s, host, 0);
	gnutls_transport_set_int(s, fd);
	while ((r = gnutls_handshake(s)) < 0 && !gnutls_error_is_fatal(r))
		;
	if (r == 0 && gnutls_record_send(s, request, sizeof request - 1) > 0)
		while (len < 4095 && (n = gnutls_record_recv(s, ret + len, 4095 - len)) > 0)
			len += (size_t)n;
	gnutls_deinit(s);
	gnutls_certificate_free_credentials(cred);
	close(fd);
	if (len == 0) {
		free(ret);
		return NULL;
	}
	return ret;
}

static void
expect(int port, const struct buf *crt, const struct buf *key, const char *host, const char *want)
{
	autofree char *got = ask_tls(port, folder, crt, key, host);

	if (!want)
		CHECK(!got, "should be refused: %s", got);
	else
		CHECK(
		    got && strstr(got, want), "want '%s', got '%s'", want, got ? got : "(refused)");
}

static void
clients(int port, const char *other)
{
	static const char *const groups[] = { "system:nodes", "b", NULL };
	autobuf struct buf crt = BUF_INIT, key = BUF_INIT, crt2 = BUF_INIT, key2 = BUF_INIT;
	autobuf struct buf crt3 = BUF_INIT, key3 = BUF_INIT;
	autofree char *server_crt = xasprintf("%s/pki/server.crt", folder);
	autofree char *server_key = xasprintf("%s/pki/server.key", folder);
	struct err err;

	CHECK(pki_client(folder, "system:node:n1", groups, &crt, &key, &err) == 0, "%s", err.msg);
	CHECK(pki_client(other, "admin", groups, &crt2, &key2, &err) == 0, "%s", err.msg);
	CHECK(buf_read_file(&crt3, server_crt, 1 << 20, &err) == 0, "%s", err.msg);
	CHECK(buf_read_file(&key3, server_key, 1 << 20, &err) == 0, "%s", err.msg);
	expect(port, &crt, &key, "localhost", "tls=1 cn=system:node:n1 o=system:nodes o=b");
	expect(port, NULL, NULL, "localhost", "tls=1 cn=-");
	expect(port, NULL, NULL, "store.example", "tls=1 cn=-");
	expect(port, NULL, NULL, "192.0.2.7", "tls=1 cn=-");
	expect(port, NULL, NULL, "kubernetes.default.svc", "tls=1 cn=-");
	expect(port, NULL, NULL, "elsewhere", NULL);
	expect(port, &crt2, &key2, "localhost", NULL); /* of another authority */
	expect(port, &crt3, &key3, "localhost", NULL); /* not made for clients */
}

/* What does not speak TLS at all, or breaks off. */
static void
noise(int port)
{
	static char junk[10000];
	char heard[4096];
	int fd = dial(port);

	say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27);
	hear(fd, heard, sizeof heard, NULL, 1000);
	CHECK(strstr(heard, "HTTP/1.1 400") && strstr(heard, "speaks HTTPS"), "plain: %s", heard);
	close(fd);
	for (unsigned i = 0; i < 300; i++) {
		for (size_t j = 0; j < sizeof junk; j++)
			junk[j] = (char)rand();
		memcpy(junk, "\026\003\001\002\000\001\000\001\374\003\003", i % 2 ? 11 : 6);
		fd = dial(port);
		say(fd, junk, i * 30);
		close(fd);
	}
}

static time_t
changed(const char *name)
{
	autofree char *file = xasprintf("%s/pki/%s", folder, name);
	struct stat st;

	CHECK(stat(file, &st) == 0, "%s", file);
	return st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
}

/* Keys are private; what is there is kept; a new name or a lost half makes a new server certificate
 * only. */
static void
folder_rules(void)
{
	static const char *const names[] = { "store.example", "192.0.2.7", NULL };
	static const char *const more[] = { "store.example", "192.0.2.7", "fd00::1", NULL };
	autofree char *key = xasprintf("%s/pki/server.key", folder);
	autofree char *ca_key = xasprintf("%s/pki/ca.key", folder);
	time_t server, ca, admin;
	struct stat st;
	struct err err;

	CHECK(pki_ensure(folder, names, &err) == 0, "%s", err.msg);
	CHECK(stat(key, &st) == 0 && (st.st_mode & 0777) == 0600, "mode");
	server = changed("server.crt");
	ca = changed("ca.crt");
	admin = changed("admin.crt");
	CHECK(pki_ensure(folder, names, &err) == 0, "%s", err.msg);
	CHECK(changed("server.crt") == server && changed("ca.crt") == ca, "kept");
	CHECK(pki_ensure(folder, more, &err) == 0, "%s", err.msg);
	CHECK(changed("server.crt") != server, "a name is missing");
	server = changed("server.crt");
	CHECK(unlink(key) == 0 && pki_ensure(folder, more, &err) == 0, "%s", err.msg);
	CHECK(changed("server.crt") != server, "the key was lost");
	CHECK(changed("ca.crt") == ca && changed("admin.crt") == admin, "the others stay");
	CHECK(truncate(key, 50) == 0 && pki_ensure(folder, more, &err) == 0, "%s", err.msg);
	CHECK(rename(ca_key, key) == 0 && pki_ensure(folder, more, &err) < 0, "no CA key");
	CHECK(strstr(err.msg, "ca.key"), "%s", err.msg);
	CHECK(rename(key, ca_key) == 0 && pki_ensure(folder, more, &err) == 0, "%s", err.msg);
}

static void
kubeconfig(int port)
{
	autofree char *file = xasprintf("%s/admin.kubeconfig", folder);
	autofree char *url = xasprintf("https://127.0.0.1:%d", port);
	autofree char *crt_file = xasprintf("%s/pki/admin.crt", folder);
	autofree char *key_file = xasprintf("%s/pki/admin.key", folder);
	autobuf struct buf b = BUF_INIT, crt = BUF_INIT, key = BUF_INIT;
	struct err err;
	struct stat st;

	CHECK(pki_kubeconfig(folder, file, url, "admin", &err) == 0, "%s", err.msg);
	CHECK(stat(file, &st) == 0 && (st.st_mode & 0777) == 0600, "mode");
	CHECK(buf_read_file(&b, file, 1 << 20, &err) == 0, "%s", err.msg);
	CHECK(strstr(b.data, url) && strstr(b.data, "client-key-data: LS0t"), "%s", b.data);
	CHECK(buf_read_file(&crt, crt_file, 1 << 20, &err) == 0 &&
		  buf_read_file(&key, key_file, 1 << 20, &err) == 0,
	    "%s", err.msg);
	expect(port, &crt, &key, "127.0.0.1", "cn=admin o=system:masters");
	CHECK(pki_kubeconfig(folder, "/nowhere/x", url, "admin", &err) < 0, "no folder");
	CHECK(pki_kubeconfig(folder, file, url, "nobody", &err) == -ERR_NOT_FOUND, "no such user");
}

static void
clean(const char *dir)
{
	static const char *const files[] = { "pki/ca.crt", "pki/ca.key", "pki/server.crt",
		"pki/server.key", "pki/admin.crt", "pki/admin.key", "admin.kubeconfig" };

	for (size_t i = 0; i < COUNT(files); i++) {
		autofree char *f = xasprintf("%s/%s", dir, files[i]);

		unlink(f);
	}
	autofree char *pki = xasprintf("%s/pki", dir);
	rmdir(pki);
	rmdir(dir);
}

int
main(void)
{
	struct http_limits l = { .header_seconds = 2 };
	autofree char *other = NULL;
	struct http_server *s;
	struct tls *t;
	struct err err;
	double start;
	int port;

	CHECK(mkdtemp(folder), "folder");
	other = xasprintf("%s/other", folder);
	start = clock_monotonic();
	folder_rules();
	if (getenv("VERBOSE"))
		printf("pki: %.1f ms\n", (clock_monotonic() - start) * 1000);
	CHECK(pki_ensure(other, NULL, &err) == 0, "%s", err.msg);
	CHECK(pki_tls(&t, "/nowhere", &err) < 0 && strstr(err.msg, "/nowhere"), "%s", err.msg);
	CHECK(pki_tls(&t, folder, &err) == 0, "%s", err.msg);
	CHECK(http_server_new(&s, &l, 2, 2, handle, NULL, &err) == 0, "%s", err.msg);
	CHECK(http_listen(s, "127.0.0.1:0", t, &port, &err) == 0, "%s", err.msg);
	CHECK(http_server_start(s, &err) == 0, "%s", err.msg);
	clients(port, other);
	noise(port);
	kubeconfig(port);
	http_server_stop(s, 1);
	http_server_free(s);
	tls_free(t);
	clean(other);
	clean(folder);
	return 0;
}
