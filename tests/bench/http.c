/*
 * The HTTP layer alone: CPU for a GET of 1 KB (loop thread, worker thread; TCP, unix socket, TLS)
 * and for one delivery to each of 1,000 streams.
 */
#include <gnutls/gnutls.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "bench.h"
#include "serve/http.h"
#include "store/pki.h"

enum { STREAMS = 1000, GETS = 30000, ROUNDS = 30 };

static struct bytes *body;
static struct http_stream *streams[STREAMS];
static int nstreams;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
deferred(struct http_exchange *x, void *arg)
{
	struct bytes *b = bytes_ref(body);

	(void)arg;
	http_reply(x, 200, "application/json", NULL, &b, 1);
}

static void
closed(void *arg)
{
	(void)arg;
}

static void
handle(struct http_exchange *x, void *arg)
{
	const char *path = http_request(x)->path;

	if (strcmp(path, "/watch") == 0) {
		pthread_mutex_lock(&lock);
		streams[nstreams++] = http_stream_begin(x, 200, "application/json", closed, NULL);
		pthread_mutex_unlock(&lock);
	} else if (strcmp(path, "/send") == 0) {
		pthread_mutex_lock(&lock);
		for (int i = 0; i < nstreams; i++)
			http_stream_send(streams[i], bytes_ref(body));
		pthread_mutex_unlock(&lock);
		http_reply_text(x, 200, NULL, "sent");
	} else if (strcmp(path, "/defer") == 0) {
		http_defer(x, deferred, arg);
	} else {
		deferred(x, arg);
	}
}

static void
serve(const char *dir, int out)
{
	autofree char *path = xasprintf("%s/s", dir);
	char text[1024];
	int ports[2] = { 0, 0 };
	struct http_server *s;
	struct tls *tls;
	struct err err;

	memset(text, 'x', sizeof text);
	body = bytes_new(text, sizeof text);
	if (pki_ensure(dir, NULL, &err) < 0 || pki_tls(&tls, dir, &err) < 0 ||
	    http_server_new(&s, NULL, 2, 4, handle, NULL, &err) < 0 ||
	    http_listen(s, "127.0.0.1:0", NULL, &ports[0], &err) < 0 ||
	    http_listen(s, "127.0.0.1:0", tls, &ports[1], &err) < 0 ||
	    http_listen_unix(s, path, 0600, &err) < 0 || http_server_start(s, &err) < 0) {
		fprintf(stderr, "bench: %s\n", err.msg);
		_exit(1);
	}
	if (write(out, ports, sizeof ports) != sizeof ports)
		_exit(1);
	for (;;)
		pause();
}

/* Read until `want` bytes behind the head are there. */
static void
answer(int fd, gnutls_session_t tls, size_t want)
{
	char room[8192], *end;
	size_t len = 0;

	for (;;) {
		ssize_t n = tls ? gnutls_record_recv(tls, room + len, sizeof room - 1 - len)
				: recv(fd, room + len, sizeof room - 1 - len, 0);

		if (n <= 0)
			fail("receive");
		len += (size_t)n;
		room[len] = '\0';
		end = strstr(room, "\r\n\r\n");
		if (end && len - (size_t)(end + 4 - room) >= want)
			return;
	}
}

static void
gets(pid_t pid, const char *to, gnutls_session_t tls, int fd, const char *path, const char *what,
    double aim)
{
	autofree char *r =
	    xasprintf("GET %s HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n", path);
	double cpu = 0;

	if (!tls)
		fd = bench_dial(to);
	for (int i = 0; i < GETS + 100; i++) {
		if (i == 100)
			cpu = bench_cpu(pid);
		if (tls)
			gnutls_record_send(tls, r, strlen(r));
		else
			bench_send(fd, r, strlen(r));
		answer(fd, tls, 1024);
	}
	bench_say(what, (bench_cpu(pid) - cpu) / GETS * 1e6, "us CPU each", aim);
	close(fd);
}

static void
gets_tls(pid_t pid, const char *port)
{
	gnutls_certificate_credentials_t cred;
	gnutls_session_t s;
	int fd = bench_dial(port);

	gnutls_certificate_allocate_credentials(&cred);
	gnutls_init(&s, GNUTLS_CLIENT);
	gnutls_set_default_priority(s);
	gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, cred);
	gnutls_transport_set_int(s, fd);
	if (gnutls_handshake(s) < 0)
		fail("handshake");
	gets(pid, port, s, fd, "/", "HTTP GET 1 KB, TLS, keep-alive", 30);
	gnutls_deinit(s);
	gnutls_certificate_free_credentials(cred);
}

static size_t
resident_kb(pid_t pid)
{
	autofree char *path = xasprintf("/proc/%d/statm", (int)pid);
	FILE *f = fopen(path, "r");
	unsigned long size, rss = 0;

	if (f && fscanf(f, "%lu %lu", &size, &rss) != 2)
		rss = 0;
	if (f)
		fclose(f);
	return rss * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* All streams get one chunk; then the same again. */
static void
fan_out(pid_t pid, const char *to, const char *what)
{
	static const char watch[] = "GET /watch HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char go[] = "GET /send HTTP/1.1\r\nHost: a\r\n\r\n";
	int fds[STREAMS], control = bench_dial(to);
	size_t kb = resident_kb(pid);
	char room[8192];
	double cpu;

	for (int i = 0; i < STREAMS; i++) {
		fds[i] = bench_dial(to);
		bench_send(fds[i], watch, sizeof watch - 1);
		answer(fds[i], NULL, 0);
	}
	bench_say(
	    "memory of a stream", (double)(resident_kb(pid) - kb) * 1024 / STREAMS, "bytes", 4096);
	cpu = bench_cpu(pid);
	for (int r = 0; r < ROUNDS; r++) {
		bench_send(control, go, sizeof go - 1);
		for (int i = 0; i < STREAMS; i++)
			if (recv(fds[i], room, 1031, MSG_WAITALL) !=
			    1031) /* "400 CRLF", the chunk, CRLF */
				fail("receive");
		answer(control, NULL, 4);
	}
	bench_say(what, (bench_cpu(pid) - cpu) / ROUNDS / STREAMS * 1e6, "us CPU each", 5);
	for (int i = 0; i < STREAMS; i++)
		close(fds[i]);
	close(control);
}

int
main(void)
{
	char dir[] = "/tmp/bench_http.XXXXXX", port[16], tls_port[16];
	autofree char *path = NULL, *clean = NULL;
	int pipefd[2], ports[2];
	pid_t pid;

	if (!mkdtemp(dir) || pipe(pipefd) < 0 || (pid = fork()) < 0)
		fail("start");
	if (pid == 0)
		serve(dir, pipefd[1]);
	close(pipefd[1]);
	if (read(pipefd[0], ports, sizeof ports) != sizeof ports)
		fail("start");
	path = xasprintf("%s/s", dir);
	clean = xasprintf("rm -rf '%s'", dir);
	snprintf(port, sizeof port, "%d", ports[0]);
	snprintf(tls_port, sizeof tls_port, "%d", ports[1]);
	gets(pid, port, NULL, -1, "/", "HTTP GET 1 KB, TCP, keep-alive", 15);
	gets(pid, path, NULL, -1, "/", "HTTP GET 1 KB, unix socket", 15);
	gets(pid, path, NULL, -1, "/defer", "HTTP GET 1 KB, unix, by a worker", 0);
	gets_tls(pid, tls_port);
	fan_out(pid, port, "one chunk to each of 1,000 streams, TCP");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return system(clean) != 0;
}
