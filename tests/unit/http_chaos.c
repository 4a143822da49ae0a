/*
 * A crowd that does everything wrong, for a second: mutilated requests in odd pieces, hang-ups and
 * resets at any moment, while streams are fed and ended.  Passes when the server still answers,
 * lets all go, and (under the sanitizers) nothing was leaked or touched twice.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "http_test.h"

enum { CROWD = 6 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct watcher {
	struct http_stream *stream;
	struct watcher *next, **link;
} * watchers;
static _Atomic bool stop;
static int port;

static const char *const seeds[] = {
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /watch?a=%31 HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /watch/later HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /later HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /watch HTTP/1.0\r\n\r\n",
	"HEAD /watch HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
};

static void
closed(void *arg)
{
	struct watcher *w = arg;

	pthread_mutex_lock(&lock);
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	pthread_mutex_unlock(&lock);
	free(w);
}

static void
watch(struct http_exchange *x, void *arg)
{
	struct watcher *w = xcalloc(1, sizeof *w);

	(void)arg;
	pthread_mutex_lock(&lock);
	w->link = &watchers;
	w->next = watchers;
	if (w->next)
		w->next->link = &w->next;
	watchers = w;
	w->stream = http_stream_begin(x, 200, "text/plain", closed, w);
	pthread_mutex_unlock(&lock);
}

static void
later(struct http_exchange *x, void *arg)
{
	struct bytes *parts[] = { bytes_new("abc", 3), bytes_new("", 0), bytes_alloc(50000) };

	(void)arg;
	memset(parts[2]->data, 'x', parts[2]->len);
	http_reply(x, 200, "text/plain", NULL, parts, COUNT(parts));
}

static void
handle(struct http_exchange *x, void *arg)
{
	const struct http_request *r = http_request(x);
	autofree char *a = http_query(x, "a");

	if (strcmp(r->path, "/watch") == 0)
		watch(x, arg);
	else if (strcmp(r->path, "/watch/later") == 0)
		http_defer(x, watch, arg);
	else if (strcmp(r->path, "/later") == 0)
		http_defer(x, later, arg);
	else
		http_reply_text(x, 200, "text/plain", r->body);
}

static void *
feed(void *arg)
{
	struct bytes *b = bytes_alloc(500);

	memset(b->data, 'y', b->len);
	for (int n = 0; !atomic_load(&stop); n++) {
		pthread_mutex_lock(&lock);
		for (struct watcher *w = watchers; w; w = w->next)
			if (http_stream_send(w->stream, bytes_ref(b)) > 1000000 || n % 50 == 7)
				http_stream_end(w->stream);
		pthread_mutex_unlock(&lock);
		nap(0.001);
	}
	bytes_unref(b);
	return arg;
}

/* Some requests one after the other, usually hurt. */
static size_t
compose(char *room, size_t size, unsigned *seed)
{
	static const char odd[] = "\r\n\0 :;%/09afw\200\377";
	size_t len = 0;

	for (int n = 1 + rand_r(seed) % 5; n > 0; n--) {
		const char *s = seeds[(size_t)rand_r(seed) % COUNT(seeds)];

		memcpy(room + len, s, strlen(s));
		len += strlen(s);
	}
	for (int n = rand_r(seed) % 5; n > 0; n--) {
		size_t at = (size_t)rand_r(seed) % len, cut = (size_t)rand_r(seed) % 9;

		if (rand_r(seed) % 2) {
			room[at] = odd[(size_t)rand_r(seed) % (sizeof odd - 1)];
		} else if (at + cut < len && len + cut < size) {
			bool grow = rand_r(seed) % 2;

			memmove(room + at + (grow ? cut : 0), room + at + (grow ? 0 : cut),
			    len - at - (grow ? 0 : cut));
			len = grow ? len + cut : len - cut;
		}
	}
	return len;
}

static void *
misbehave(void *arg)
{
	struct linger reset = { 1, 0 };
	unsigned seed = (unsigned)(uintptr_t)arg;
	char room[2048], heard[20000];

	while (!atomic_load(&stop)) {
		size_t len = compose(room, sizeof room, &seed),
		       piece = 1 + (size_t)rand_r(&seed) % 400;
		int fd = dial(port);

		for (size_t at = 0; at < len; at += piece)
			say(fd, room + at, len - at < piece ? len - at : piece);
		if (rand_r(&seed) % 3 == 0)
			shutdown(fd, SHUT_WR);
		hear(fd, heard, 1 + (size_t)rand_r(&seed) % sizeof heard, NULL, rand_r(&seed) % 8);
		if (rand_r(&seed) % 4 == 0)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(fd);
	}
	return NULL;
}

int
main(void)
{
	struct http_limits l = { .body_bytes = 10000, .header_seconds = 1, .body_seconds = 1 };
	pthread_t crowd[CROWD], feeder;
	struct http_server *s;
	struct http_stats st;
	struct err err;

	CHECK(http_server_new(&s, &l, 2, 3, handle, NULL, &err) == 0, "%s", err.msg);
	CHECK(http_listen(s, "127.0.0.1:0", NULL, &port, &err) == 0, "%s", err.msg);
	CHECK(http_server_start(s, &err) == 0, "%s", err.msg);
	pthread_create(&feeder, NULL, feed, NULL);
	for (int i = 0; i < CROWD; i++)
		pthread_create(&crowd[i], NULL, misbehave, (void *)(uintptr_t)(i + 1));
	nap(1);
	atomic_store(&stop, true);
	for (int i = 0; i < CROWD; i++)
		pthread_join(crowd[i], NULL);
	pthread_join(feeder, NULL);
	for (int i = 0; i < 500; i++) {
		http_stats(s, &st);
		if (st.open_connections == 0)
			break;
		nap(0.01);
	}
	CHECK(st.open_connections == 0 && st.open_streams == 0, "%d connections, %d streams left",
	    (int)st.open_connections, (int)st.open_streams);
	CHECK(st.requests > 100 && st.refused > 10, "%d requests, %d refused", (int)st.requests,
	    (int)st.refused);
	http_server_stop(s, 1);
	http_server_free(s);
	return 0;
}
