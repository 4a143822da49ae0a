/*
 * orch-store under load: time to ready, create, get, list, watch, memory.  Clients speak over the
 *unix socket (so that the figures are the store's and not TLS's) unless the line says TLS, which
 *uses the certificate of DIR/admin.kubeconfig.
 *
 *	store PATH-OF-orch-store
 */
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "bench.h"

enum {
	PODS = 10000,
	FIRST = 1000,
	CLIENTS = 32,
	GETS = 20000,
	LISTS = 5,
	WATCHERS = 1000,
	EVENTS = 40
};

static char dir[] = "/tmp/bench_store.XXXXXX";
static char *sock, *data, *binary;
static pid_t store;

/* --- one connection --- */

struct client {
	int fd;
	gnutls_session_t tls;
	struct buf in;
};

static size_t
receive(struct client *c)
{
	ssize_t n;

	buf_reserve(&c->in, 262144);
	n = c->tls ? gnutls_record_recv(c->tls, c->in.data + c->in.len, 262144)
		   : recv(c->fd, c->in.data + c->in.len, 262144, 0);
	if (n <= 0)
		fail("receive");
	c->in.len += (size_t)n;
	c->in.data[c->in.len] = '\0';
	return (size_t)n;
}

/* A whole answer into c->in; its status.  Its body starts at *body. */
static int
answer(struct client *c, const char **body)
{
	const char *end, *length;
	size_t head, want;

	buf_clear(&c->in);
	do {
		receive(c);
	} while (!(end = strstr(c->in.data, "\r\n\r\n")));
	head = (size_t)(end + 4 - c->in.data);
	length = strstr(c->in.data, "Content-Length: ");
	if (length && length < end) {
		want = head + strtoul(length + 16, NULL, 10);
		while (c->in.len < want)
			receive(c);
	} else {
		while (c->in.len < 5 || memcmp(c->in.data + c->in.len - 5, "0\r\n\r\n", 5) != 0)
			receive(c);
	}
	if (body)
		*body = c->in.data + head;
	return atoi(c->in.data + 9);
}

static int
request(struct client *c, const char *method, const char *path, const char *body)
{
	size_t len = body ? strlen(body) : 0;
	autobuf struct buf b = BUF_INIT;

	buf_printf(&b, "%s %s HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n", method, path);
	if (body)
		buf_printf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n", len);
	buf_puts(&b, "\r\n");
	if (body)
		buf_add(&b, body, len);
	if (c->tls) {
		if (gnutls_record_send(c->tls, b.data, b.len) != (ssize_t)b.len)
			fail("send");
	} else {
		bench_send(c->fd, b.data, b.len);
	}
	return answer(c, NULL);
}

static struct client
dial(void)
{
	return (struct client){ .fd = bench_dial(sock) };
}

static void
hang_up(struct client *c)
{
	close(c->fd);
	buf_release(&c->in);
}

/* --- the daemon --- */

static void
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
		usleep(500);
	}
	bench_say(what, (clock_monotonic() - start) * 1000, "ms", aim);
}

static void
land(void)
{
	kill(store, SIGTERM);
	waitpid(store, NULL, 0);
}

static void
memory(const char *what, double aim)
{
	autofree char *path = xasprintf("/proc/%d/status", (int)store);
	autobuf struct buf b = BUF_INIT;
	struct err err;
	const char *p;

	if (buf_read_file(&b, path, 65536, &err) == 0 && (p = strstr(b.data, "VmRSS:")))
		bench_say(what, atof(p + 6) / 1024, "MB resident", aim);
}

/* --- writing and reading --- */

static char *
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

struct job {
	_Atomic int *next;
	int end;
	bool create;
};

static void *
work(void *arg)
{
	const struct job *j = arg;
	struct client c = dial();
	int i, status;

	while ((i = atomic_fetch_add(j->next, 1)) < j->end) {
		autofree char *body = j->create ? pod("default", i) : NULL;
		autofree char *path = xasprintf("/api/v1/namespaces/default/pods%s%05d",
		    j->create ? "?_=" : "/web-7d4b9c6f5d-", j->create ? i : i % PODS);

		status = request(&c, j->create ? "POST" : "GET", path, body);
		if (status != (j->create ? 201 : 200)) {
			fprintf(stderr, "bench: %d: %s\n", status, c.in.data);
			exit(1);
		}
	}
	hang_up(&c);
	return NULL;
}

/* Objects first..end by so many clients. */
static void
many(bool create, int first, int end, int clients, const char *what, double aim)
{
	_Atomic int next = first;
	struct job j = { &next, end, create };
	double start = clock_monotonic(), cpu = bench_cpu(store), n = end - first;
	autofree char *rate = xasprintf("%s, %d client%s", what, clients, clients > 1 ? "s" : "");
	pthread_t t[CLIENTS];

	for (int i = 0; i < clients; i++)
		pthread_create(&t[i], NULL, work, &j);
	for (int i = 0; i < clients; i++)
		pthread_join(t[i], NULL);
	bench_say(rate, n / (clock_monotonic() - start), "/s", 0);
	bench_say(rate, (bench_cpu(store) - cpu) / n * 1e6, "us CPU each", aim);
}

static void
lists(struct client *c, const char *path, const char *what, double aim)
{
	double cpu = bench_cpu(store), start = clock_monotonic();
	size_t len = 0;

	for (int i = 0; i < LISTS; i++) {
		if (request(c, "GET", path, NULL) != 200)
			fail(path);
		len = c->in.len;
	}
	bench_say(what, (clock_monotonic() - start) / LISTS * 1000, "ms", aim);
	bench_say("   its CPU", (bench_cpu(store) - cpu) / LISTS * 1000, "ms CPU", 0);
	bench_say("   its size", (double)len / 1e6, "MB", 0);
}

/* --- TLS --- */

/* The value behind KEY: in the kubeconfig, base64 undone. */
static gnutls_datum_t
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

static void
over_tls(void)
{
	autofree char *file = xasprintf("%s/admin.kubeconfig", data);
	gnutls_certificate_credentials_t cred;
	autobuf struct buf b = BUF_INIT;
	gnutls_datum_t crt, key;
	struct client c = { 0 };
	char to[16];
	double cpu;
	struct err err;

	if (buf_read_file(&b, file, 1 << 20, &err) < 0)
		fail(err.msg);
	crt = secret(b.data, "client-certificate-data: ");
	key = secret(b.data, "client-key-data: ");

	snprintf(to, sizeof to, "%d", atoi(strchr(strstr(b.data, "https://") + 8, ':') + 1));
	gnutls_certificate_allocate_credentials(&cred);
	if (gnutls_certificate_set_x509_key_mem(cred, &crt, &key, GNUTLS_X509_FMT_PEM) < 0)
		fail("client certificate");
	gnutls_init(&c.tls, GNUTLS_CLIENT);
	gnutls_set_default_priority(c.tls);
	gnutls_credentials_set(c.tls, GNUTLS_CRD_CERTIFICATE, cred);
	c.fd = bench_dial(to);
	gnutls_transport_set_int(c.tls, c.fd);
	cpu = bench_cpu(store);
	if (gnutls_handshake(c.tls) < 0)
		fail("handshake");
	request(&c, "GET", "/api/v1/namespaces/default/pods/web-7d4b9c6f5d-00001", NULL);
	bench_say("TLS handshake with a client certificate", (bench_cpu(store) - cpu) * 1000,
	    "ms CPU", 0);
	cpu = bench_cpu(store);
	for (int i = 0; i < GETS / 4; i++)
		if (request(&c, "GET", "/api/v1/namespaces/default/pods/web-7d4b9c6f5d-00001",
			NULL) != 200)
			fail("get");
	bench_say(
	    "get, TLS, 1 client", (bench_cpu(store) - cpu) / (GETS / 4) * 1e6, "us CPU each", 50);
	lists(&c, "/api/v1/pods", "list of 10,000 pods, TLS", 100);
	gnutls_deinit(c.tls);
	gnutls_certificate_free_credentials(cred);
	gnutls_free(crt.data);
	gnutls_free(key.data);
	hang_up(&c);
}

/* --- watching --- */

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Wait until each watcher has got what ends with this name; *times gets the seconds each took. */
static void
collect(int ep, struct client *w, const char *name, double start, double *times)
{
	struct epoll_event ev[128];

	for (int seen = 0; seen < WATCHERS;) {
		int n = epoll_wait(ep, ev, COUNT(ev), 10000);

		if (n <= 0)
			fail("an event does not come");
		for (int i = 0; i < n; i++) {
			struct client *c = &w[ev[i].data.u32];

			receive(c);
			if (!strstr(c->in.data, name) || c->in.data[c->in.len - 1] != '\n')
				continue;
			buf_clear(&c->in);
			times[seen++] = clock_monotonic() - start;
		}
	}
}

static void
watches(void)
{
	static const char ask[] =
	    "GET /api/v1/namespaces/default/pods?watch=1&resourceVersion=%s HTTP/1.1\r\n"
	    "Host: a\r\n\r\n";
	static struct client w[WATCHERS];
	static double times[WATCHERS];
	struct client c = dial();
	double cpu, median = 0, last = 0;
	int ep = epoll_create1(EPOLL_CLOEXEC);
	char rv[32] = "0", *p;

	request(&c, "GET", "/api/v1/namespaces/default/pods?limit=1", NULL);
	if ((p = strstr(c.in.data, "\"resourceVersion\":\"")))
		snprintf(rv, sizeof rv, "%.*s", (int)strcspn(p + 19, "\""), p + 19);
	for (int i = 0; i < WATCHERS; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.u32 = (unsigned)i };
		autofree char *r = xasprintf(ask, rv);

		w[i] = dial();
		bench_send(w[i].fd, r, strlen(r));
		while (receive(&w[i]), !strstr(w[i].in.data, "\r\n\r\n"))
			;
		buf_clear(&w[i].in);
		epoll_ctl(ep, EPOLL_CTL_ADD, w[i].fd, &e);
	}
	usleep(200000);
	memory("store with the pods and 1,000 watchers", 0);
	cpu = bench_cpu(store);
	for (int i = 0; i < EVENTS; i++) {
		autofree char *body = pod("default", PODS + i),
			      *name = xasprintf("f5d-%05d", PODS + i);
		double start = clock_monotonic();

		if (request(&c, "POST", "/api/v1/namespaces/default/pods", body) != 201)
			fail("create");
		collect(ep, w, name, start, times);
		qsort(times, WATCHERS, sizeof *times, by_size);
		median += times[WATCHERS / 2] / EVENTS;
		last += times[WATCHERS - 1] / EVENTS;
	}
	bench_say("delivery to 1,000 watchers, create included",
	    (bench_cpu(store) - cpu) / EVENTS / WATCHERS * 1e6, "us CPU each", 8);
	bench_say("   from before the create to the middle one", median * 1000, "ms", 0);
	bench_say("   from before the create to the last one", last * 1000, "ms", 0);
	for (int i = 0; i < WATCHERS; i++)
		hang_up(&w[i]);
	close(ep);
	hang_up(&c);
}

int
main(int argc, char *argv[])
{
	autofree char *clean = NULL;
	struct client c;

	if (argc != 2 || !mkdtemp(dir))
		fail("usage: store PATH-OF-orch-store");
	binary = argv[1];
	data = xasprintf("%s/data", dir);
	sock = xasprintf("%s/sock", dir);
	clean = xasprintf("rm -rf '%s'", dir);
	launch("ready, first start", 100);
	memory("store, empty", 15);
	many(true, 0, FIRST, 1, "create, fsync", 300);
	many(true, FIRST, PODS, CLIENTS, "create, fsync", 300);
	memory("store with 10,000 pods", 150);
	many(false, 0, GETS, 1, "get", 50);
	many(false, 0, GETS, CLIENTS, "get", 50);
	c = dial();
	lists(&c, "/api/v1/pods", "list of 10,000 pods", 100);
	lists(&c, "/api/v1/pods?labelSelector=shard%3Ds3", "list of 625 of them by a label", 0);
	hang_up(&c);
	over_tls();
	watches();
	land();
	launch("ready, with 10,000 pods", 100);
	memory("store with 10,000 pods, started again", 150);
	land();
	return system(clean) != 0;
}
