#ifndef ORCH_TESTS_BENCH_DAEMON_H
#define ORCH_TESTS_BENCH_DAEMON_H

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "bench.h"

/* An orch-store under a folder of its own, and clients that speak to it by hand. */

static char dir[] = "/tmp/bench_store.XXXXXX";
static char *sock, *data, *binary;
static pid_t store;

/* --- one connection --- */

struct client {
	int fd;
	gnutls_session_t tls; /* NULL: none */
	struct buf in;
};

static inline size_t
receive_some(struct client *c, size_t most)
{
	ssize_t n;

	buf_reserve(&c->in, most);
	n = c->tls ? gnutls_record_recv(c->tls, c->in.data + c->in.len, most)
		   : recv(c->fd, c->in.data + c->in.len, most, 0);
	if (n <= 0)
		fail("receive");
	c->in.len += (size_t)n;
	c->in.data[c->in.len] = '\0';
	return (size_t)n;
}

static inline size_t
receive(struct client *c)
{
	return receive_some(c, 262144);
}

/* A whole answer into c->in; its status. */
static inline int
answer(struct client *c)
{
	const char *end, *length;
	size_t want;

	buf_clear(&c->in);
	do {
		receive(c);
	} while (!(end = strstr(c->in.data, "\r\n\r\n")));
	length = strstr(c->in.data, "Content-Length: ");
	if (length && length < end) {
		want = (size_t)(end + 4 - c->in.data) + strtoul(length + 16, NULL, 10);
		while (c->in.len < want)
			receive(c);
	} else {
		while (c->in.len < 5 || memcmp(c->in.data + c->in.len - 5, "0\r\n\r\n", 5) != 0)
			receive(c);
	}
	return atoi(c->in.data + 9);
}

static inline void
transmit(struct client *c, const char *p, size_t len)
{
	if (!c->tls)
		bench_send(c->fd, p, len);
	else if (gnutls_record_send(c->tls, p, len) != (ssize_t)len)
		fail("send");
}

/* type: of the body; accept: NULL for JSON */
static inline int
request_as(struct client *c, const char *method, const char *path, const char *type,
    const char *accept, const char *body)
{
	size_t len = body ? strlen(body) : 0;
	autobuf struct buf b = BUF_INIT;

	buf_printf(&b, "%s %s HTTP/1.1\r\nHost: a\r\nAccept: %s\r\n", method, path,
	    accept ? accept : "application/json");
	if (body)
		buf_printf(&b, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, len);
	buf_puts(&b, "\r\n");
	if (body)
		buf_add(&b, body, len);
	transmit(c, b.data, b.len);
	return answer(c);
}

static inline int
request(struct client *c, const char *method, const char *path, const char *body)
{
	return request_as(c, method, path, "application/json", NULL, body);
}

static inline struct client
dial(void)
{
	return (struct client){ .fd = bench_dial(sock) };
}

static inline void
hang_up(struct client *c)
{
	if (c->tls)
		gnutls_deinit(c->tls);
	close(c->fd);
	buf_release(&c->in);
}

/* --- TLS --- */

static gnutls_certificate_credentials_t bench_credentials;
static char bench_port[16];

/* The value behind KEY: in the kubeconfig, base64 undone. */
static inline gnutls_datum_t
secret(const char *text, const char *key)
{
	const char *p = strstr(text, key);
	gnutls_datum_t in, out = { NULL, 0 };

	if (!p)
		fail(key);
	p += strlen(key);
	in.data = (unsigned char *)p;
	in.size = (unsigned)strcspn(p, "\n");
	if (gnutls_base64_decode2(&in, &out) < 0)
		fail(key);
	return out;
}

/* Reads DIR/admin.kubeconfig: once, before dial_tls(). */
static inline void
tls_prepare(void)
{
	autofree char *file = xasprintf("%s/admin.kubeconfig", data);
	autobuf struct buf b = BUF_INIT;
	gnutls_datum_t crt, key;
	struct err err;

	if (buf_read_file(&b, file, 1 << 20, &err) < 0)
		fail(err.msg);
	crt = secret(b.data, "client-certificate-data: ");
	key = secret(b.data, "client-key-data: ");
	snprintf(bench_port, sizeof bench_port, "%d",
	    atoi(strchr(strstr(b.data, "https://") + 8, ':') + 1));
	gnutls_certificate_allocate_credentials(&bench_credentials);
	if (gnutls_certificate_set_x509_key_mem(
		bench_credentials, &crt, &key, GNUTLS_X509_FMT_PEM) < 0)
		fail("client certificate");
	gnutls_free(crt.data);
	gnutls_free(key.data);
}

static inline struct client
dial_tls(void)
{
	struct client c = { .fd = bench_dial(bench_port) };

	gnutls_init(&c.tls, GNUTLS_CLIENT);
	gnutls_set_default_priority(c.tls);
	gnutls_credentials_set(c.tls, GNUTLS_CRD_CERTIFICATE, bench_credentials);
	gnutls_transport_set_int(c.tls, c.fd);
	if (gnutls_handshake(c.tls) < 0)
		fail("handshake");
	return c;
}

/* --- the daemon --- */

static inline void
launch(const char *what, double aim)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	double start = clock_monotonic();
	struct client c = { .fd = -1 };
	int status = 0, log;

	snprintf(u.sun_path, sizeof u.sun_path, "%s", sock);
	if ((store = fork()) == 0) {
		autofree char *path = xasprintf("%s/log", dir);

		log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(log, 2);
		execl(binary, binary, "--data", data, "--listen", "127.0.0.1:0", "--socket", sock,
		    NULL);
		_exit(127);
	}
	while (status != 200) {
		if (clock_monotonic() - start > 20 || waitpid(store, NULL, WNOHANG) == store)
			fail("the store does not start");
		c.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(c.fd, (struct sockaddr *)&u, sizeof u) == 0)
			status = request(&c, "GET", "/readyz", NULL);
		hang_up(&c);
		c = (struct client){ .fd = -1 };
		usleep(500);
	}
	if (what)
		bench_say(what, (clock_monotonic() - start) * 1000, "ms", aim);
}

static inline void
land(void)
{
	kill(store, SIGTERM);
	waitpid(store, NULL, 0);
}

/* Where it is, from the command line: PATH-OF-orch-store. */
static inline void
prepare(int argc, char *argv[])
{
	struct rlimit files;

	if (argc != 2 || !mkdtemp(dir))
		fail("usage: BENCHMARK PATH-OF-orch-store");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	binary = argv[1];
	data = xasprintf("%s/data", dir);
	sock = xasprintf("%s/sock", dir);
}

static inline int
tidy(void)
{
	autofree char *clean = xasprintf("rm -rf '%s'", dir);

	return system(clean) != 0;
}

/* in MB */
static inline double
resident(void)
{
	autofree char *path = xasprintf("/proc/%d/status", (int)store);
	autobuf struct buf b = BUF_INIT;
	struct err err;
	const char *p = NULL;

	if (buf_read_file(&b, path, 65536, &err) < 0 || !(p = strstr(b.data, "VmRSS:")))
		fail(path);
	return atof(p + 6) / 1024;
}

static inline void
memory(const char *what, double aim)
{
	bench_say(what, resident(), "MB resident", aim);
}

/* The manifest of a Pod as people write them; new. */
static inline char *
pod(const char *ns, int i)
{
	return xasprintf(
	    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web-7d4b9c6f5d-%"
	    "05d\",\"namespace\":\"%s\","
	    "\"labels\":{\"app\":\"web\",\"pod-template-hash\":\"7d4b9c6f5d\",\"shard\":\"s%d\"},"
	    "\"annotations\":{\"example.com/checksum\":\"0f343b0931126a20f133d67c2b018a3b\"}},"
	    "\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"registry.example.com/shop/"
	    "web:1.27.3\","
	    "\"ports\":[{\"name\":\"http\",\"containerPort\":8080}],"
	    "\"env\":[{\"name\":\"LOG_LEVEL\",\"value\":\"info\"},{\"name\":\"POD_NAME\","
	    "\"valueFrom\":"
	    "{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}},{\"name\":\"DATABASE\",\"value\":"
	    "\"db.shop.svc:5432\"}],"
	    "\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"},\"limits\":{"
	    "\"cpu\":\"500m\",\"memory\":\"256Mi\"}},"
	    "\"readinessProbe\":{\"httpGet\":{\"path\":\"/"
	    "ready\",\"port\":8080},\"periodSeconds\":5},"
	    "\"volumeMounts\":[{\"name\":\"config\",\"mountPath\":\"/etc/web\"}]}],"
	    "\"volumes\":[{\"name\":\"config\",\"configMap\":{\"name\":\"web\"}}],"
	    "\"nodeSelector\":{\"kubernetes.io/"
	    "os\":\"linux\"},\"serviceAccountName\":\"default\"}}",
	    i, ns, i % 16);
}

#endif
