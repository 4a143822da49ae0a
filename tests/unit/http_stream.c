/* Streams: delivery, hang-ups, slow readers, many at once, stopping. */
#include <pthread.h>
#include <stdatomic.h>

#include "http_test.h"

enum { MOST = 600 };

/* The watchers of this test, as an owner keeps them: one lock around begin, send and closed. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct watcher {
	struct http_stream *stream;
	struct watcher *next;
} * watchers;
static _Atomic int nwatchers, nclosed, begun;
static _Atomic bool gone_seen, release;

static void
closed(void *arg)
{
	struct watcher *w = arg;

	pthread_mutex_lock(&lock);
	for (struct watcher **p = &watchers; *p; p = &(*p)->next)
		if (*p == w) {
			*p = w->next;
			break;
		}
	pthread_mutex_unlock(&lock);
	free(w);
	atomic_fetch_add(&nclosed, 1);
	atomic_fetch_sub(&nwatchers, 1);
}

static void
watch(struct http_exchange *x, void *arg)
{
	struct watcher *w = xcalloc(1, sizeof *w);

	(void)arg;
	pthread_mutex_lock(&lock);
	atomic_fetch_add(&nwatchers, 1);
	w->stream = http_stream_begin(x, 200, "application/json", closed, w);
	w->next = watchers;
	watchers = w;
	pthread_mutex_unlock(&lock);
	atomic_fetch_add(&begun, 1);
}

/* Send to all; returns the longest queue. */
static size_t
fan_out(const char *text, size_t len)
{
	struct bytes *b = bytes_new(text, len);
	size_t most = 0;

	pthread_mutex_lock(&lock);
	for (struct watcher *w = watchers; w; w = w->next) {
		size_t n = http_stream_send(w->stream, bytes_ref(b));

		most = n > most ? n : most;
	}
	pthread_mutex_unlock(&lock);
	bytes_unref(b);
	return most;
}

static void
end_all(void)
{
	pthread_mutex_lock(&lock);
	for (struct watcher *w = watchers; w; w = w->next)
		http_stream_end(w->stream);
	pthread_mutex_unlock(&lock);
}

/* Waits for the peer to go, or until it may end. */
static void
wait_gone(struct http_exchange *x, void *arg)
{
	(void)arg;
	atomic_fetch_add(&begun, 1);
	while (!http_gone(x) && !atomic_load(&release))
		nap(0.005);
	if (http_gone(x))
		atomic_store(&gone_seen, true);
	http_reply_text(x, 200, NULL, "late");
}

static void
handle(struct http_exchange *x, void *arg)
{
	const struct http_request *r = http_request(x);

	if (strcmp(r->path, "/watch") == 0)
		watch(x, arg);
	else if (strcmp(r->path, "/deferred") == 0)
		http_defer(x, watch, arg);
	else if (strcmp(r->path, "/wait") == 0)
		http_defer(x, wait_gone, arg);
	else
		http_reply_text(x, 200, "text/plain", "ok");
}

static bool
reached(_Atomic int *value, int want)
{
	for (int i = 0; i < 1000; i++) {
		if (atomic_load(value) == want)
			return true;
		nap(0.005);
	}
	return false;
}

static int
ask(int port, const char *request)
{
	int fd = dial(port);

	say(fd, request, strlen(request));
	return fd;
}

#define WATCH "GET /watch HTTP/1.1\r\nHost: a\r\n\r\n"

static void
delivery(int port)
{
	char heard[8192];
	int fd = ask(port, WATCH "GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
	int old = ask(port, "GET /deferred HTTP/1.0\r\n\r\n");
	int head = ask(port, "HEAD /watch HTTP/1.1\r\nHost: a\r\n\r\n");

	CHECK(reached(&nwatchers, 3), "three watchers");
	fan_out("{\"a\":1}\n", 8);
	fan_out("", 0);
	fan_out("{\"b\":2}\n", 8);
	hear(fd, heard, sizeof heard, "b\":2}\n\r\n", 2000);
	CHECK(strstr(heard, "8\r\n{\"a\":1}\n\r\n8\r\n{\"b\":2}\n\r\n"), "chunks: %s", heard);
	CHECK(strstr(heard, "Transfer-Encoding: chunked\r\n"), "head: %s", heard);
	end_all();
	hear(fd, heard, sizeof heard, "\r\n\r\nok", 2000);
	CHECK(strncmp(heard, "0\r\n\r\nHTTP/1.1 200 OK\r\n", 22) == 0,
	    "what is pipelined follows: %s", heard);
	hear(old, heard, sizeof heard, NULL, 2000);
	CHECK(!strstr(heard, "chunked") && strstr(heard, "\r\n\r\n{\"a\":1}\n{\"b\":2}\n"),
	    "1.0: %s", heard);
	hear(head, heard, sizeof heard, NULL, 100);
	CHECK(strstr(heard, "chunked\r\n\r\n") && !strstr(heard, "{"), "HEAD: %s", heard);
	CHECK(reached(&nwatchers, 0), "all over");
	close(fd);
	close(old);
	close(head);
}

static void
hang_up(int port)
{
	int fd = ask(port, WATCH), before, run;
	double start;

	CHECK(reached(&nwatchers, 1), "a watcher");
	before = atomic_load(&begun);
	run = ask(port, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
	start = clock_monotonic();
	close(fd);
	CHECK(reached(&nwatchers, 0), "the hang-up is noticed without a word being sent");
	CHECK(clock_monotonic() - start < 2, "after %.3f s", clock_monotonic() - start);
	CHECK(reached(&begun, before + 1), "a running exchange");
	close(run);
	for (int i = 0; i < 400 && !atomic_load(&gone_seen); i++)
		nap(0.005);
	CHECK(atomic_load(&gone_seen), "a running exchange learns that its peer has gone");
}

static void
slow_reader(int port)
{
	static char big[100000];
	size_t queued = 0;
	int fd = ask(port, WATCH);

	CHECK(reached(&nwatchers, 1), "a watcher");
	for (int i = 0; i < 400 && queued < 20000000; i++)
		queued = fan_out(big, sizeof big);
	CHECK(queued >= 20000000, "the queue of a reader who does not read is told: %zu", queued);
	close(fd);
	CHECK(reached(&nwatchers, 0), "closed");
}

static void *
sender(void *arg)
{
	_Atomic bool *stop = arg;
	char text[300];

	memset(text, 'x', sizeof text);
	while (!atomic_load(stop)) {
		fan_out(text, sizeof text);
		nap(0.0005);
	}
	return NULL;
}

/* Many streams under load, closing at random. */
static void
many(int port)
{
	enum { N = 250, ROUNDS = 2000 };
	static char heap[65536];
	_Atomic bool stop = false;
	pthread_t thread[2];
	unsigned seed = 1;
	int fds[N];

	for (int i = 0; i < N; i++)
		fds[i] = ask(port, WATCH);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, sender, &stop);
	for (int i = 0; i < ROUNDS; i++) {
		int k = rand_r(&seed) % N;

		if (rand_r(&seed) % 3 == 0)
			hear(fds[k], heap, sizeof heap, NULL, 0);
		if (rand_r(&seed) % 20 == 0)
			end_all();
		if (rand_r(&seed) % 2)
			shutdown(fds[k], SHUT_WR);
		close(fds[k]);
		fds[k] = ask(port, i % 2 ? WATCH : "GET /deferred HTTP/1.1\r\nHost: a\r\n\r\n");
	}
	for (int i = 0; i < N; i++)
		close(fds[i]);
	CHECK(reached(&nwatchers, 0), "%d left", atomic_load(&nwatchers));
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

/* While it stops: nobody is left waiting in the queue of a closed door. */
static void *
release_soon(void *arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t) * (int *)arg) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	nap(0.2);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) < 0, "refused while stopping");
	close(fd);
	atomic_store(&release, true);
	return arg;
}

static void
stopping(struct http_server *s, int port)
{
	char heard[8192];
	int fds[20], run = ask(port, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
	struct http_stats stats;
	pthread_t later;

	for (int i = 0; i < 20; i++)
		fds[i] = ask(port, WATCH);
	CHECK(reached(&nwatchers, 20), "twenty");
	http_stats(s, &stats);
	CHECK(stats.open_streams == 20 && stats.open_connections >= 21,
	    "%d streams, %d connections", (int)stats.open_streams, (int)stats.open_connections);
	fan_out("last\n", 5);
	pthread_create(&later, NULL, release_soon, &port);
	http_server_stop(s, 5);
	pthread_join(later, NULL);
	CHECK(atomic_load(&nwatchers) == 0, "each was closed");
	for (int i = 0; i < 20; i++) {
		hear(fds[i], heard, sizeof heard, NULL, 2000);
		CHECK(strstr(heard, "5\r\nlast\n\r\n0\r\n\r\n"), "a whole answer: %s", heard);
		close(fds[i]);
	}
	hear(run, heard, sizeof heard, NULL, 2000);
	CHECK(strstr(heard, "Connection: close\r\n\r\nlate"), "the running exchange ended: %s",
	    heard);
	close(run);
}

int
main(void)
{
	struct http_server *s;
	struct err err;
	int port;

	CHECK(http_server_new(&s, NULL, 2, 4, handle, NULL, &err) == 0, "%s", err.msg);
	CHECK(http_listen(s, "127.0.0.1:0", NULL, &port, &err) == 0, "%s", err.msg);
	CHECK(http_server_start(s, &err) == 0, "%s", err.msg);
	delivery(port);
	hang_up(port);
	slow_reader(port);
	many(port);
	stopping(s, port);
	http_server_free(s);
	return 0;
}
