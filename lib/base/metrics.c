#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/text.h"

enum { MAX_PEERS = 16, MAX_REQUEST = 4096, PEER_SECONDS = 10 };

struct peer {
	int fd; /* -1: a free place */
	double since;
	size_t got, sent;
	char request[MAX_REQUEST];
	struct buf reply; /* empty until the request is complete */
};

struct metrics_server {
	int epoll, listener;
	int port;
	struct peer peer[MAX_PEERS];
};

static struct metric *metrics, **metrics_end = &metrics;
static pthread_mutex_t metrics_lock = PTHREAD_MUTEX_INITIALIZER;

struct metric *
metric_new(const char *name, const char *type, const char *help, const char *labels)
{
	struct metric *m;

	pthread_mutex_lock(&metrics_lock);
	for (m = metrics; m; m = m->next)
		if (strcmp(m->name, name) == 0 &&
		    strcmp(m->labels ? m->labels : "", labels ? labels : "") == 0)
			break;
	if (!m) {
		m = xcalloc(1, sizeof *m);
		*m = (struct metric){ .name = name, .type = type, .help = help };
		m->labels = labels ? xstrdup(labels) : NULL;
		*metrics_end = m;
		metrics_end = &m->next;
	}
	pthread_mutex_unlock(&metrics_lock);
	return m;
}

void
metric_add(struct metric *m, int64_t n)
{
	atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

void
metric_set(struct metric *m, int64_t n)
{
	atomic_store_explicit(&m->value, n, memory_order_relaxed);
}

static void
print_value(struct buf *out, const struct metric *m)
{
	int64_t v = atomic_load_explicit(&m->value, memory_order_relaxed);

	buf_puts(out, m->name);
	if (m->labels)
		buf_printf(out, "{%s}", m->labels);
	if (text_ends(m->name, "_seconds") || text_ends(m->name, "_seconds_total"))
		buf_printf(out, " %.6f\n", (double)v / 1e6);
	else
		buf_printf(out, " %lld\n", (long long)v);
}

/* Is this the first metric of its name?  A family is printed at its first member. */
static bool
leads(const struct metric *m)
{
	for (const struct metric *o = metrics; o != m; o = o->next)
		if (strcmp(o->name, m->name) == 0)
			return false;
	return true;
}

static void
print_process(struct buf *out)
{
	struct rusage ru;
	double cpu;
	long pages = 0, total;
	autofclose FILE *f = fopen("/proc/self/statm", "re");

	getrusage(RUSAGE_SELF, &ru);
	cpu = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	      (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
	buf_printf(out,
	    "# HELP process_cpu_seconds_total CPU time used.\n"
	    "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.6f\n",
	    cpu);
	if (f && fscanf(f, "%ld %ld", &total, &pages) == 2)
		buf_printf(out,
		    "# HELP process_resident_memory_bytes Memory in use.\n"
		    "# TYPE process_resident_memory_bytes gauge\n"
		    "process_resident_memory_bytes %ld\n",
		    pages * sysconf(_SC_PAGESIZE));
}

static void
print_all(struct buf *out)
{
	pthread_mutex_lock(&metrics_lock);
	for (const struct metric *m = metrics; m; m = m->next) {
		if (!leads(m))
			continue;
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
		for (const struct metric *o = m; o; o = o->next)
			if (strcmp(o->name, m->name) == 0)
				print_value(out, o);
	}
	pthread_mutex_unlock(&metrics_lock);
	print_process(out);
}

/* "HOST:PORT" or "[HOST]:PORT" into its two halves. */
static int
split_address(const char *address, char host[static 256], const char **port, struct err *err)
{
	const char *colon = strrchr(address, ':'), *from = address, *to = colon;
	long long n;

	if (!colon || (size_t)(colon - address) >= 256 || !text_int(colon + 1, &n) || n < 0 ||
	    n > 65535)
		return err_set(err, ERR_BAD_REQUEST, "'%s' is not HOST:PORT", address);
	if (*from == '[') {
		if (to == from || to[-1] != ']')
			return err_set(err, ERR_BAD_REQUEST, "'%s' is not HOST:PORT", address);
		from++, to--;
	}
	snprintf(host, 256, "%.*s", (int)(to - from), from);
	*port = colon + 1;
	return 0;
}

static int
listen_on(const char *address, int *port, struct err *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *list;
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	char host[256];
	const char *service = NULL;
	int fd, r, one = 1;

	if ((r = split_address(address, host, &service, err)) < 0)
		return r;
	if ((r = getaddrinfo(*host ? host : NULL, service, &hints, &list)) != 0)
		return err_set(
		    err, ERR_BAD_REQUEST, "cannot listen on '%s': %s", address, gai_strerror(r));
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, list->ai_addr, list->ai_addrlen) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0) {
		r = errno;
		freeaddrinfo(list);
		if (fd >= 0)
			close(fd);
		return err_sys(err, r, "cannot listen on '%s'", address);
	}
	freeaddrinfo(list);
	*port = ntohs(sa.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&sa)->sin6_port
					       : ((struct sockaddr_in *)&sa)->sin_port);
	return fd;
}

int
metrics_open(struct metrics_server **ret, const char *address, struct err *err)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct metrics_server *s;
	int port = 0, fd = listen_on(address, &port, err);

	if (fd < 0)
		return fd;
	s = xcalloc(1, sizeof *s);
	s->listener = fd;
	s->port = port;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < MAX_PEERS; i++)
		s->peer[i].fd = -1;
	ev.data.ptr = NULL; /* the listener; peers carry their place */
	if (s->epoll < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		err_sys(err, errno, "cannot listen on '%s'", address);
		metrics_close(s);
		return -(int)err->code;
	}
	*ret = s;
	return 0;
}

static void
drop(struct peer *p)
{
	close(p->fd);
	p->fd = -1;
	buf_release(&p->reply);
}

void
metrics_close(struct metrics_server *s)
{
	if (!s)
		return;
	for (int i = 0; i < MAX_PEERS; i++)
		if (s->peer[i].fd >= 0)
			drop(&s->peer[i]);
	close(s->listener);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
}

int
metrics_port(const struct metrics_server *s)
{
	return s->port;
}

int
metrics_fd(const struct metrics_server *s)
{
	return s->epoll;
}

/* A free place, or the one that has idled too long: slow peers cannot lock others out. */
static struct peer *
place(struct metrics_server *s)
{
	double now = clock_monotonic();

	for (int i = 0; i < MAX_PEERS; i++)
		if (s->peer[i].fd < 0)
			return &s->peer[i];
	for (int i = 0; i < MAX_PEERS; i++)
		if (now - s->peer[i].since > PEER_SECONDS) {
			drop(&s->peer[i]);
			return &s->peer[i];
		}
	return NULL;
}

static void
welcome(struct metrics_server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct epoll_event ev = { .events = EPOLLIN };
	struct peer *p;

	if (fd < 0)
		return;
	if (!(p = place(s))) {
		close(fd);
		return;
	}
	p->fd = fd;
	p->since = clock_monotonic();
	p->got = p->sent = 0;
	ev.data.ptr = p;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		drop(p);
}

static void
answer(struct peer *p)
{
	autobuf struct buf body = BUF_INIT;
	const char *status = "200 OK";
	bool get = text_starts(p->request, "GET ");
	size_t len = get ? strcspn(p->request + 4, " ?\r\n") : 0;

	if (!get)
		status = "405 Method Not Allowed", buf_puts(&body, "only GET\n");
	else if (len == 8 && memcmp(p->request + 4, "/metrics", 8) == 0)
		print_all(&body);
	else if (len == 8 && memcmp(p->request + 4, "/healthz", 8) == 0)
		buf_puts(&body, "ok\n");
	else
		status = "404 Not Found", buf_puts(&body, "not found\n");
	buf_printf(&p->reply,
	    "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
	    status, body.len);
	buf_add(&p->reply, body.data, body.len);
}

/* Read more of the request; answers when its head is complete.  False: the peer is done with. */
static bool
listen_to(struct peer *p)
{
	ssize_t n = read(p->fd, p->request + p->got, sizeof p->request - 1 - p->got);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	p->got += (size_t)n;
	p->request[p->got] = '\0';
	if (strstr(p->request, "\r\n\r\n") || strstr(p->request, "\n\n"))
		answer(p);
	return p->reply.len > 0 || p->got < sizeof p->request - 1;
}

static bool
tell(struct metrics_server *s, struct peer *p)
{
	struct epoll_event ev = { .events = EPOLLOUT, .data.ptr = p };
	ssize_t n = send(p->fd, p->reply.data + p->sent, p->reply.len - p->sent, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN && epoll_ctl(s->epoll, EPOLL_CTL_MOD, p->fd, &ev) == 0;
	p->sent += (size_t)n;
	if (p->sent < p->reply.len)
		return epoll_ctl(s->epoll, EPOLL_CTL_MOD, p->fd, &ev) == 0;
	return false;
}

void
metrics_serve(struct metrics_server *s)
{
	struct epoll_event ev[MAX_PEERS + 1];
	int n = epoll_wait(s->epoll, ev, COUNT(ev), 0);

	for (int i = 0; i < n; i++) {
		struct peer *p = ev[i].data.ptr;
		bool keep;

		if (!p) {
			welcome(s);
			continue;
		}
		if (p->fd < 0)
			continue; /* its place was taken within this round */
		keep = p->reply.len || listen_to(p);
		if (keep && p->reply.len)
			keep = tell(s, p);
		if (!keep)
			drop(p);
	}
}

static void *
serve_for_ever(void *arg)
{
	struct metrics_server *s = arg;
	struct epoll_event ev;

	for (;;) {
		/* level-triggered: what is ready here is still ready for metrics_serve() */
		if (epoll_wait(s->epoll, &ev, 1, -1) < 0 && errno != EINTR)
			return NULL;
		metrics_serve(s);
	}
}

int
metrics_thread(struct metrics_server *s, struct err *err)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, serve_for_ever, s);

	if (r != 0)
		return err_sys(err, r, "cannot start a thread");
	pthread_detach(thread);
	return 0;
}
