/*
 * Many watches on one orch-store: what an idle one costs, how soon events arrive, and whether all
 * do.
 *
 *	watches PATH-OF-orch-store
 */
#include "daemon.h"

enum { IDLE = 5000, WATCHERS = 1000, EVENTS = 80, RATE = 20 };

static const char ask[] = "GET /api/v1/namespaces/default/pods?watch=1&allowWatchBookmarks=true&"
			  "resourceVersion=%s HTTP/1.1\r\nHost: a\r\n\r\n";

/* The version of the list. */
static void
version(char rv[static 32])
{
	struct client c = dial();
	const char *p;

	request(&c, "GET", "/api/v1/namespaces/default/pods?limit=1", NULL);
	if (!(p = strstr(c.in.data, "\"resourceVersion\":\"")))
		fail("list");
	snprintf(rv, 32, "%.*s", (int)strcspn(p + 19, "\""), p + 19);
	hang_up(&c);
}

static struct client *
open_watches(int n, bool tls)
{
	struct client *w = xcalloc((size_t)n, sizeof *w);
	char rv[32];

	version(rv);
	for (int i = 0; i < n; i++) {
		autofree char *r = xasprintf(ask, rv);

		w[i] = tls ? dial_tls() : dial();
		transmit(&w[i], r, strlen(r));
		while (receive_some(&w[i], 4096), !strstr(w[i].in.data, "\r\n\r\n"))
			;
		buf_clear(&w[i].in);
	}
	usleep(300000);
	return w;
}

static void
close_watches(struct client *w, int n)
{
	for (int i = 0; i < n; i++)
		hang_up(&w[i]);
	free(w);
	usleep(300000);
}

/*
 * In a store of its own: memory that another test has given back would hide what this takes.  With
 * TLS the session alone is 7.3 KB, and its keys, certificates and buffers are 4 more: all GnuTLS's.
 */
static void
idle(bool tls, const char *what)
{
	struct client *w;
	double before;

	launch(NULL, 0);
	tls_prepare();
	before = resident();
	w = open_watches(IDLE, tls);
	bench_say(what, (resident() - before) * 1024 / IDLE, "KB each", 8);
	close_watches(w, IDLE);
	land();
}

/* --- events --- */

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

struct arrivals {
	int ep, seen;
	double sent[EVENTS]; /* when each was asked for */
	double *times;	     /* of each arrival, seconds */
	int *next;	     /* of each watcher, the event it waits for */
	struct client *w;
};

/* The events in what a watcher has got: each must be the next. */
static void
note(struct arrivals *a, unsigned which)
{
	struct client *c = &a->w[which];
	const char *p = c->in.data;
	char want[32];
	size_t used;

	for (;;) {
		const char *end;

		snprintf(want, sizeof want, "f5d-%05d\"", a->next[which]);
		if (a->next[which] == EVENTS || !(end = strstr(p, want)) ||
		    !(end = strchr(end, '\n')))
			break;
		a->times[a->seen++] = clock_monotonic() - a->sent[a->next[which]++];
		p = end + 1;
	}
	used = (size_t)(p - c->in.data);
	memmove(c->in.data, p, c->in.len - used + 1);
	c->in.len -= used;
}

/* What arrives until then. */
static void
collect(struct arrivals *a, double until)
{
	struct epoll_event ev[256];
	double left;

	while (a->seen < WATCHERS * EVENTS && (left = until - clock_monotonic()) > 0) {
		int n = epoll_wait(a->ep, ev, COUNT(ev), (int)(left * 1000) + 1);

		for (int i = 0; i < n; i++) {
			receive_some(&a->w[ev[i].data.u32], 8192);
			note(a, ev[i].data.u32);
		}
	}
}

static void
deliveries(void)
{
	struct arrivals a = { .ep = epoll_create1(EPOLL_CLOEXEC),
		.times = xcalloc(WATCHERS * EVENTS, sizeof *a.times),
		.next = xcalloc(WATCHERS, sizeof *a.next),
		.w = open_watches(WATCHERS, false) };
	struct client c = dial();
	double start, cpu = bench_cpu(store);

	for (int i = 0; i < WATCHERS; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.u32 = (unsigned)i };

		epoll_ctl(a.ep, EPOLL_CTL_ADD, a.w[i].fd, &e);
	}
	start = clock_monotonic();
	for (int i = 0; i < EVENTS; i++) {
		autofree char *body = pod("default", i);

		a.sent[i] = clock_monotonic();
		if (request(&c, "POST", "/api/v1/namespaces/default/pods", body) != 201)
			fail("create");
		collect(&a, start + (i + 1.0) / RATE);
	}
	collect(&a, clock_monotonic() + 10);
	bench_say("events that 1,000 watchers miss, of 80,000", WATCHERS * EVENTS - a.seen, "", 0);
	bench_say("delivery of each, creates included",
	    (bench_cpu(store) - cpu) / WATCHERS / EVENTS * 1e6, "us CPU", 8);
	qsort(a.times, (size_t)a.seen, sizeof *a.times, by_size);
	bench_say(
	    "   from before the create to the middle one", a.times[a.seen / 2] * 1000, "ms", 0);
	bench_say("   ... to 99 of 100", a.times[(size_t)a.seen * 99 / 100] * 1000, "ms", 20);
	bench_say("   ... to the last one", a.times[a.seen - 1] * 1000, "ms", 0);
	close_watches(a.w, WATCHERS);
	hang_up(&c);
	close(a.ep);
	free(a.times);
	free(a.next);
}

int
main(int argc, char *argv[])
{
	prepare(argc, argv);
	launch(NULL, 0);
	deliveries();
	land();
	idle(false, "idle watch, of 5,000");
	idle(true, "idle watch over TLS, of 5,000");
	return tidy();
}
