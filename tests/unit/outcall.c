/* Calls out of the server: TLS with authorities and names, kept connections, limits, and words. */
#include <pthread.h>

#include "base/text.h"
#include "http_test.h"
#include "serve/outcall.h"
#include "serve/tls.h"
#include "store/pki.h"

static char folder[] = "/tmp/outcall.XXXXXX";
static int tls_port, plain_port;
static char *authority, *stranger;

static void
slow(struct http_exchange *x, void *arg)
{
	(void)arg;
	nap(0.7);
	http_reply_text(x, 200, "text/plain", "late");
}

static void
handle(struct http_exchange *x, void *arg)
{
	const struct http_request *rq = http_request(x);
	const char *type = http_header(x, "Content-Type"), *more = http_header(x, "X-More");
	static const struct http_header away[] = { { "Location", "/elsewhere" }, { NULL } };
	autobuf struct buf b = BUF_INIT;

	(void)arg;
	if (strcmp(rq->path, "/slow") == 0) {
		http_defer(x, slow, NULL);
		return;
	}
	if (strcmp(rq->path, "/away") == 0) {
		http_reply(x, 307, NULL, away, NULL, 0);
		return;
	}
	if (strcmp(rq->path, "/long") == 0) {
		for (int i = 0; i < 5000; i++)
			buf_puts(&b, "0123456789");
		http_reply_text(x, 200, "text/plain", b.data);
		return;
	}
	buf_printf(&b, "%s %s type=%s more=%s host=%s cn=%s body=%.*s", rq->method, rq->target,
	    type ? type : "-", more ? more : "-", http_header(x, "Host"),
	    rq->peer.common_name ? rq->peer.common_name : "-", (int)rq->len, rq->body);
	http_reply_text(x, strcmp(rq->path, "/no") == 0 ? 503 : 200, "text/plain", b.data);
}

static char *
url_of(const char *scheme, const char *host, int port, const char *path)
{
	return xasprintf("%s://%s:%d%s", scheme, host, port, path);
}

/* The answer must have `want` in it; or the error, when code is not 0. */
static void
call(struct outcall o, int code, const char *want)
{
	autobuf struct buf reply = BUF_INIT;
	struct err err = { 0 };
	int status = 0, r;

	buf_puts(&reply, ">");
	r = outcall(&o, &status, &reply, &err);
	CHECK(r == -code, "%s: %d %s", o.url, r, r < 0 ? err.msg : reply.data);
	if (code == 0) {
		CHECK(*reply.data == '>' && strstr(reply.data, want), "want '%s', got '%s'", want,
		    reply.data);
	} else {
		CHECK(strcmp(reply.data, ">") == 0, "something was kept: %s", reply.data);
		CHECK(strstr(err.msg, want), "want '%s', got '%s'", want, err.msg);
		CHECK(text_starts(err.msg, "Get \"") || text_starts(err.msg, "Post \""), "%s",
		    err.msg);
	}
}

static uint64_t
connections(struct http_server *s)
{
	struct http_stats st;

	http_stats(s, &st);
	return st.connections;
}

static void
answers(struct http_server *s)
{
	static const char *const more[] = { "X-More: yes", NULL };
	autofree char *url = url_of("https", "localhost", tls_port, "/a%2fb/../c?x=1");
	autofree char *no = url_of("https", "localhost", tls_port, "/no");
	autofree char *away = url_of("https", "localhost", tls_port, "/away");
	autofree char *plain = url_of("http", "127.0.0.1", plain_port, "/p");
	struct outcall o = { .method = "POST", .url = url, .ca = authority };
	uint64_t before = connections(s);

	o.content_type = "application/json";
	o.headers = more;
	o.body = "{\"a\": 1}";
	o.len = 8;
	call(o, 0, "POST /a%2fb/../c?x=1 type=application/json more=yes host=localhost");
	call(o, 0, "body={\"a\": 1}");
	call((struct outcall){ .method = "GET", .url = no, .ca = authority }, 0, "GET /no type=-");
	call((struct outcall){ .method = "GET", .url = away, .ca = authority }, 0, ">");
	CHECK(connections(s) == before + 1, "connections are kept: %d",
	    (int)(connections(s) - before));
	call((struct outcall){ .method = "GET", .url = plain }, 0, "GET /p");
}

/* Who is believed; a connection that was made without looking serves nobody who looks. */
static void
trust(void)
{
	autofree char *url = url_of("https", "localhost", tls_port, "/t");
	autofree char *wrong = url_of("https", "127.0.0.2", tls_port, "/t");
	autofree char *named = url_of("https", "store.example", tls_port, "/t");
	autofree char *nobody = url_of("https", "other.example", tls_port, "/t");
	autofree char *at = xasprintf("127.0.0.1:%d", tls_port);
	struct outcall o = { .method = "GET", .url = url, .insecure = true };

	call(o, 0, "GET /t");
	o.insecure = false;
	o.ca = stranger;
	call(o, ERR_UNAUTHORIZED, "x509: certificate signed by unknown authority");
	o.ca = "no certificate at all\n";
	call(o, ERR_UNAUTHORIZED, "certificate");
	o.ca = NULL; /* the system's know nothing of ours */
	call(o, ERR_UNAUTHORIZED, "x509: certificate signed by unknown authority");
	o.ca = authority;
	call(o, 0, "GET /t");
	o.connect = at;
	o.url = wrong;
	call(o, ERR_UNAUTHORIZED, "x509: certificate is valid for ");
	call(o, ERR_UNAUTHORIZED, ", not 127.0.0.2");
	o.url = named;
	call(o, 0, "host=store.example");
	o.url = nobody;
	call(o, ERR_UNAUTHORIZED, ", not other.example");
}

static void
client_certificate(void)
{
	static const char *const groups[] = { "a", NULL };
	autofree char *url = url_of("https", "localhost", tls_port, "/t");
	autobuf struct buf crt = BUF_INIT, key = BUF_INIT;
	struct outcall o = { .method = "GET", .url = url, .ca = authority };
	struct err err;

	CHECK(pki_client(folder, "caller", groups, &crt, &key, &err) == 0, "%s", err.msg);
	call(o, 0, "cn=-");
	o.cert = crt.data;
	o.key = key.data;
	call(o, 0, "cn=caller");
	o.cert = o.key = NULL;
	call(o, 0, "cn=-");
}

static void
limits(void)
{
	autofree char *url = url_of("https", "localhost", tls_port, "/slow");
	autofree char *big = url_of("https", "localhost", tls_port, "/long");
	struct outcall o = { .method = "GET", .url = url, .ca = authority, .timeout_ms = 200 };
	double start = clock_monotonic();
	_Atomic bool stop = true;

	call(o, ERR_TIMEOUT, "/slow\": context deadline exceeded");
	CHECK(clock_monotonic() - start < 0.6, "%.2f s", clock_monotonic() - start);
	o.timeout_ms = 5000;
	call(o, 0, "late");
	o.stop = &stop;
	call(o, ERR_UNAVAILABLE, "context canceled");
	o = (struct outcall){ .method = "GET", .url = big, .ca = authority, .most = 49999 };
	call(o, ERR_TOO_LARGE, "the answer is longer than 49999 bytes");
	o.most = 50000;
	call(o, 0, "0123456789");
}

/* A server that says what it likes to whoever comes, once for each word. */
struct rude {
	int fd, port;
	const char *const *words;
};

static void *
rude_thread(void *arg)
{
	struct rude *r = arg;
	char heard[4096];

	for (const char *const *w = r->words; *w; w++) {
		int fd = accept(r->fd, NULL, NULL);

		hear(fd, heard, sizeof heard, "\r\n\r\n", 2000);
		say(fd, *w, strlen(*w));
		close(fd);
	}
	close(r->fd);
	return NULL;
}

static void
listen_rudely(struct rude *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof a;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(r->fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(r->fd, 5) == 0, "listen");
	CHECK(getsockname(r->fd, (struct sockaddr *)&a, &len) == 0, "name");
	r->port = ntohs(a.sin_port);
}

static void
rudeness(void)
{
	static const char *const words[] = { "", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc", "not http at all\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", NULL };
	struct rude r = { .words = words };
	autofree char *url = NULL, *dial_of = NULL, *tls = NULL;
	struct outcall o = { .method = "GET", .timeout_ms = 5000 };
	pthread_t thread;

	listen_rudely(&r);
	url = url_of("http", "127.0.0.1", r.port, "/");
	dial_of = xasprintf("/\": dial tcp 127.0.0.1:%d: connect: connection refused", r.port);
	o.url = url;
	pthread_create(&thread, NULL, rude_thread, &r);
	call(o, ERR_UNAVAILABLE, "EOF");
	call(o, ERR_UNAVAILABLE, "unexpected EOF");
	call(o, ERR_TOO_LARGE, "longer than");
	call(o, ERR_UNAVAILABLE, ":");
	call(o, ERR_UNAVAILABLE, ":");
	pthread_join(thread, NULL);
	call(o, ERR_UNAVAILABLE, dial_of);
	tls = url_of("https", "127.0.0.1", plain_port, "/");
	o.url = tls;
	call(o, ERR_UNAVAILABLE, ":"); /* TLS to who speaks none */
	o.url = "http://no-such-host.invalid/";
	call(o, ERR_UNAVAILABLE, "lookup no-such-host.invalid: no such host");
	o.url = "file:///etc/passwd";
	call(o, ERR_BAD_REQUEST, ":");
	o.url = "https://a b/";
	call(o, ERR_BAD_REQUEST, ":");
}

static void *
many_thread(void *arg)
{
	autofree char *url = url_of("https", "localhost", tls_port, "/many");
	struct outcall o = { .method = "GET", .url = url, .ca = authority };

	(void)arg;
	for (int i = 0; i < 50; i++)
		call(o, 0, "GET /many");
	return NULL;
}

static void
many(struct http_server *s)
{
	uint64_t before = connections(s);
	pthread_t threads[8];

	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_create(&threads[i], NULL, many_thread, NULL);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	CHECK(connections(s) - before <= COUNT(threads), "%d connections",
	    (int)(connections(s) - before));
}

static char *
read_all(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	struct buf b = BUF_INIT;
	struct err err;

	CHECK(buf_read_file(&b, path, 1 << 20, &err) == 0, "%s", err.msg);
	return buf_detach(&b);
}

static void
clean(const char *dir)
{
	static const char *const files[] = { "pki/ca.crt", "pki/ca.key", "pki/server.crt",
		"pki/server.key", "pki/admin.crt", "pki/admin.key", "pki", "" };

	for (size_t i = 0; i < COUNT(files); i++) {
		autofree char *f = xasprintf("%s/%s", dir, files[i]);

		remove(f);
	}
}

int
main(void)
{
	static const char *const names[] = { "store.example", NULL };
	static const char *const proxies[] = { "http_proxy", "https_proxy", "HTTPS_PROXY",
		"all_proxy", "ALL_PROXY" };
	autofree char *other = NULL;
	struct http_server *s;
	struct tls *t;
	struct err err;

	for (size_t i = 0; i < COUNT(proxies); i++)
		unsetenv(proxies[i]); /* they do not know our servers */
	CHECK(mkdtemp(folder), "folder");
	other = xasprintf("%s/other", folder);
	CHECK(pki_ensure(folder, names, &err) == 0 && pki_ensure(other, NULL, &err) == 0, "%s",
	    err.msg);
	authority = read_all(folder, "pki/ca.crt");
	stranger = read_all(other, "pki/ca.crt");
	CHECK(pki_tls(&t, folder, &err) == 0, "%s", err.msg);
	CHECK(http_server_new(&s, NULL, 2, 4, handle, NULL, &err) == 0, "%s", err.msg);
	CHECK(http_listen(s, "127.0.0.1:0", t, &tls_port, &err) == 0, "%s", err.msg);
	CHECK(http_listen(s, "127.0.0.1:0", NULL, &plain_port, &err) == 0, "%s", err.msg);
	CHECK(http_server_start(s, &err) == 0, "%s", err.msg);
	answers(s);
	trust();
	client_certificate();
	limits();
	rudeness();
	many(s);
	outcall_forget();
	http_server_stop(s, 1);
	http_server_free(s);
	tls_free(t);
	free(authority);
	free(stranger);
	clean(other);
	clean(folder);
	return 0;
}
