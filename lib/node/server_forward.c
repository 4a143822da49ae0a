/*
 * /portForward: connections of the client to ports inside a pod.  Each is a pair of SPDY streams
 * with one `requestid`: "error" says why it failed, "data" carries the bytes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/spdy.h"
#include "base/text.h"
#include "node/container.h"
#include "node/server_private.h"
#include "serve/forward.h"
#include "serve/link.h"

enum { MOST = 256, PART = 32768, BACKLOG = 4 << 20 };

/* One connection into the pod. */
struct tunnel {
	uint32_t error, data; /* the streams, 0: not open yet */
	char *request;	      /* their requestid */
	int port, fd;	      /* fd -1: not connected */
	struct buf out;	      /* what the pod has not taken yet */
	bool client_ended, shut;
};

struct session {
	int netns;   /* the pod's, held: the process it was found by may end, and its number be
			another's */
	bool framed; /* SPDY in a WebSocket */
	char *head;
	struct link link;
	struct spdy *spdy;
	struct tunnel tunnel[MOST];
	size_t n;
	struct buf send; /* frames for the client */
};

/* --- into the pod ------------------------------------------------------------------- */

/* A socket made in a network namespace stays there; the thread comes back. */
static int
socket_in(int netns, int family)
{
	autoclose int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd, fault;

	if (home < 0 || setns(netns, CLONE_NEWNET) < 0)
		return -1;
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fault = errno;
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* nothing this thread does later would be where it should */
	errno = fault;
	return fd;
}

/* The pod's loopback, in either family. */
static int
dial(int netns, int port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int fd = socket_in(netns, AF_INET), fault;

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v6.sin6_addr = in6addr_loopback;
	if (fd >= 0 && connect(fd, (struct sockaddr *)&v4, sizeof v4) == 0)
		return fd;
	fault = errno;
	if (fd >= 0)
		close(fd);
	fd = socket_in(netns, AF_INET6);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&v6, sizeof v6) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	errno = fault;
	return -1;
}

/* --- tunnels ---------------------------------------------------------------------------- */

static void
tunnel_close(struct session *s, struct tunnel *t)
{
	if (t->fd >= 0)
		close(t->fd);
	if (t->data)
		spdy_data(&s->send, t->data, "", 0, true);
	if (t->error)
		spdy_data(&s->send, t->error, "", 0, true);
	free(t->request);
	buf_release(&t->out);
	*t = s->tunnel[--s->n];
}

static struct tunnel *
find(struct session *s, uint32_t stream)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->tunnel[i].data == stream || s->tunnel[i].error == stream)
			return &s->tunnel[i];
	return NULL;
}

static struct tunnel *
tunnel_of(struct session *s, const char *request, int port)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->tunnel[i].request, request) == 0)
			return &s->tunnel[i];
	if (s->n == MOST)
		return NULL;
	s->tunnel[s->n] = (struct tunnel){ .request = xstrdup(request), .port = port, .fd = -1 };
	return &s->tunnel[s->n++];
}

/* Both streams are there: connect.  The thread waits for it: it is the machine's own loopback. */
static void
begin(struct session *s, struct tunnel *t)
{
	char why[128];

	if (!t->data || !t->error || t->fd >= 0)
		return;
	t->fd = dial(s->netns, t->port);
	if (t->fd < 0) {
		autofree char *text = xasprintf("cannot connect to port %d in the pod: %s", t->port,
		    strerror_r(errno, why, sizeof why));

		spdy_data(&s->send, t->error, text, strlen(text), false);
		tunnel_close(s, t);
		return;
	}
	fcntl(t->fd, F_SETFL, O_NONBLOCK);
}

static void
open_stream(struct session *s, uint32_t stream)
{
	const char *type = spdy_header(s->spdy, "streamtype"), *port = spdy_header(s->spdy, "port");
	const char *request = spdy_header(s->spdy, "requestid");
	struct tunnel *t = NULL;
	long long n;

	if (type && port && text_int(port, &n) && n > 0 && n < 65536)
		t = tunnel_of(s, request ? request : port, (int)n);
	if (t && strcmp(type, "error") == 0 && !t->error)
		t->error = stream;
	else if (t && strcmp(type, "data") == 0 && !t->data)
		t->data = stream;
	else
		t = NULL;
	if (!t) {
		spdy_reset(&s->send, stream, 1);
		return;
	}
	spdy_accept(s->spdy, &s->send, stream);
	begin(s, t);
}

/* What waits goes into the pod; -1: the pod does not take it any more. */
static int
push(struct tunnel *t)
{
	while (t->out.len > 0) {
		ssize_t n = send(t->fd, t->out.data, t->out.len, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		memmove(t->out.data, t->out.data + n, t->out.len - (size_t)n);
		t->out.len -= (size_t)n;
	}
	if (t->client_ended && !t->shut) {
		shutdown(t->fd, SHUT_WR);
		t->shut = true;
	}
	return 0;
}

static void
pull(struct session *s, struct tunnel *t)
{
	char part[PART];
	ssize_t n = recv(t->fd, part, sizeof part, MSG_DONTWAIT);

	if (n > 0)
		spdy_data(&s->send, t->data, part, (size_t)n, false);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		tunnel_close(s, t);
}

/* --- the client ----------------------------------------------------------------------------- */

static void
on_event(struct session *s, const struct spdy_event *e)
{
	struct tunnel *t;

	if (e->type == SPDY_OPEN) {
		open_stream(s, e->stream);
		return;
	}
	if (!(t = find(s, e->stream)) || e->stream == t->error)
		return;
	if (e->type == SPDY_RESET) {
		tunnel_close(s, t);
		return;
	}
	buf_add(&t->out, e->data, e->len);
	t->client_ended = t->client_ended || e->fin;
	if (t->fd >= 0 && push(t) < 0)
		tunnel_close(s, t);
}

/* A client that sends more than a pod takes has to wait. */
static bool
may_hear(const struct session *s)
{
	size_t waiting = 0;

	for (size_t i = 0; i < s->n; i++)
		waiting += s->tunnel[i].out.len;
	return waiting < BACKLOG;
}

/* What has come from the client, as far as the pod keeps up; -1: it has gone. */
static int
hear(struct session *s)
{
	struct spdy_event e;
	const char *data;
	size_t len;
	int r = 0;

	while (may_hear(s) && (r = link_read(&s->link, &data, &len)) > 0) {
		spdy_feed(s->spdy, data, len);
		while ((r = spdy_next(s->spdy, &e, &s->send)) > 0) {
			if (e.type == SPDY_CLOSE)
				return -1;
			on_event(s, &e);
		}
		if (r < 0)
			return -1;
	}
	return r;
}

static int
say(struct session *s)
{
	int r = s->send.len ? link_write(&s->link, s->send.data, s->send.len) : 0;

	buf_clear(&s->send);
	return r;
}

static void
serve(struct session *s)
{
	struct pollfd f[MOST + 1];

	for (;;) {
		bool full;
		size_t n;

		if (hear(s) < 0 || say(s) < 0)
			return;
		full = !may_hear(s);
		f[0] = (struct pollfd){ .fd = duplex_fd(s->link.d),
			.events = (short)(full ? POLLRDHUP : POLLIN) };
		n = s->n;
		for (size_t i = 0; i < n; i++)
			f[i + 1] = (struct pollfd){ .fd = s->tunnel[i].fd,
				.events = (short)(POLLIN | (s->tunnel[i].out.len ? POLLOUT : 0)) };
		if ((full || !link_ready(&s->link)) && poll(f, n + 1, -1) < 0 && errno != EINTR)
			return;
		if (full && (f[0].revents & (POLLRDHUP | POLLHUP | POLLERR)))
			return;
		for (size_t i = n;
		     i-- > 0;) { /* backwards: a tunnel that ends is replaced by the last */
			struct tunnel *t = &s->tunnel[i];

			if (f[i + 1].fd < 0 || !f[i + 1].revents)
				continue;
			if ((f[i + 1].revents & POLLOUT) && push(t) < 0)
				tunnel_close(s, t);
			else if (f[i + 1].revents & (POLLIN | POLLHUP | POLLERR))
				pull(s, t);
		}
	}
}

static void
run(struct duplex *d, void *arg)
{
	struct session *s = arg;

	if (d && duplex_write_all(d, s->head, strlen(s->head), 30) == 0) {
		link_init(&s->link, d, s->framed);
		s->spdy = spdy_new();
		serve(s);
		while (s->n > 0)
			tunnel_close(s, &s->tunnel[0]);
		say(s);
		link_goodbye(&s->link);
		link_release(&s->link);
		spdy_free(s->spdy);
	}
	duplex_close(d);
	buf_release(&s->send);
	close(s->netns);
	free(s->head);
	free(s);
}

/* Bare SPDY, or SPDY in a WebSocket; NULL: neither, answered. */
static char *
agree(struct http_exchange *x, bool *framed)
{
	static const char *const tunnelled[] = { "SPDY/3.1+portforward.k8s.io", NULL };
	const char *upgrade = http_header(x, "Upgrade");
	const char *versions = http_header(x, "X-Stream-Protocol-Version");

	*framed = false;
	if (http_upgrades(x) && strcasecmp(upgrade, "SPDY/3.1") == 0) {
		if (versions && !strstr(versions, "portforward.k8s.io")) {
			server_refuse(
			    x, 403, "unable to upgrade: the server has portforward.k8s.io");
			return NULL;
		}
		return xstrdup("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
			       "Upgrade: SPDY/3.1\r\n"
			       "X-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n");
	}
	if (websocket_asked(x) && websocket_protocol(x, tunnelled)) {
		*framed = true;
		return websocket_accept(x, tunnelled[0]);
	}
	server_refuse(x, 400, "unable to upgrade: the server has SPDY/3.1, and %s in a WebSocket",
	    tunnelled[0]);
	return NULL;
}

/* The pod's network, by a process inside; -1: none runs. */
static int
network(const struct pod *p)
{
	char path[64];
	int fd;
	struct proc init, monitor;

	for (size_t i = 0; i < p->n; i++) {
		if (p->c[i].state != RUNNING || !container_processes(p->host, p->uid, p->c[i].name,
						    p->c[i].attempt, &init, &monitor))
			continue;
		snprintf(path, sizeof path, "/proc/%d/ns/net", (int)init.pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && proc_alive(&init)) /* still: it was its network */
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

void
server_forward(struct server *s, struct http_exchange *x, const char *ns, const char *name)
{
	struct pod *p = server_pod(s, ns, name, NULL, NULL);
	struct session *session;
	bool framed;
	int netns;
	char *head;

	if (!p) {
		server_refuse(x, 404, "pod \"%s\" is not on this node", name);
	} else if ((netns = network(p)) < 0) {
		server_refuse(x, 400, "unable to forward port because pod is not running");
	} else if (!(head = agree(x, &framed))) {
		close(netns);
	} else {
		session = xcalloc(1, sizeof *session);
		session->head = head;
		session->framed = framed;
		session->netns = netns;
		http_take(x, run, session);
	}
	if (p)
		pod_free(p);
}
