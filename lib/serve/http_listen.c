/*
 * Listening sockets and what they accept.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/http_private.h"

/* --- accepting --- */

/* A peer that vanished without a word is found out after about two minutes. */
static void
tune_tcp(int fd)
{
	int on = 1, idle = 60, interval = 15, count = 4;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

static void
identify(struct conn *c)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	c->peer.local = true;
	c->peer.uid = (uid_t)-1;
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0) {
		c->peer.uid = cred.uid;
		c->peer.pid = cred.pid;
	}
}

/* Hand a fresh connection to the loops in turn. */
static void
welcome(struct listener *from, struct http_server *s, int fd)
{
	struct conn *c = xcalloc(1, sizeof *c);

	c->fd = fd;
	c->credentials = from->tls;
	c->peer.tls = from->tls != NULL;
	if (from->path)
		identify(c);
	else
		tune_tcp(fd);
	c->loop = &s->loops[s->next_loop++ % (unsigned)s->nloops];
	c->post.kind = POST_CONN;
	loop_post(c->loop, &c->post);
}

/*
 * No descriptors left: the waiting connection would keep the loop busy without end.
 * Give up the spare one to accept it, hang up, and take the spare one back.
 */
static void
turn_away(struct listener *from, struct http_server *s)
{
	struct timespec pause = { .tv_nsec = 10000000 };
	int fd;

	if (s->spare < 0)
		s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (s->spare < 0) {
		nanosleep(&pause, NULL);
		return;
	}
	close(s->spare);
	fd = accept4(from->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void
accept_all(struct listener *from, struct loop *l)
{
	struct http_server *s = l->server;

	for (int burst = 0; burst < 64; burst++) {
		int fd = accept4(from->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
			COUNT_UP(l->stats.refused, 1);
			turn_away(from, s);
			return;
		}
		if (fd < 0 && errno == ECONNABORTED)
			continue;
		if (fd < 0)
			return;
		if (atomic_fetch_add(&s->open, 1) >= s->limits.max_connections) {
			atomic_fetch_sub(&s->open, 1);
			COUNT_UP(l->stats.refused, 1);
			close(fd);
			continue;
		}
		welcome(from, s, fd);
	}
}

/* --- listening --- */

static int
add_listener(struct http_server *s, int fd, struct tls *tls, const char *path, struct err *err)
{
	struct listener *n;
	struct stat st;

	if (s->nlisteners == COUNT(s->listeners))
		return err_set(err, ERR_BAD_REQUEST, "more than %zu addresses to listen on",
		    COUNT(s->listeners));
	n = xcalloc(1, sizeof *n);
	n->fd = fd;
	n->tls = tls;
	n->path = path ? xstrdup(path) : NULL;
	if (path && stat(path, &st) == 0)
		n->inode = st.st_ino;
	s->listeners[s->nlisteners++] = n;
	return 0;
}

void
listener_close(struct listener *l)
{
	struct stat st;

	if (l->fd < 0)
		return;
	close(l->fd);
	l->fd = -1;
	if (l->path && stat(l->path, &st) == 0 && st.st_ino == l->inode)
		unlink(l->path); /* but not one that somebody has put in its place */
}

void
listener_free(struct listener *l)
{
	listener_close(l);
	free(l->path);
	free(l);
}

/* "HOST:PORT", "[V6]:PORT", ":PORT" */
static int
split_address(const char *address, char **host, const char **port, struct err *err)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon ? (size_t)(colon - address) : 0;

	if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return err_set(err, ERR_BAD_REQUEST,
		    "cannot listen on '%s': an address is HOST:PORT", address);
	/* getaddrinfo() would take it modulo 65536 */
	if (strtoul(colon + 1, NULL, 10) > 65535)
		return err_set(err, ERR_BAD_REQUEST,
		    "cannot listen on '%s': a port is no larger than 65535", address);
	if (len > 1 && *address == '[' && address[len - 1] == ']')
		*host = xstrndup(address + 1, len - 2);
	else if (memchr(address, ':', len))
		return err_set(err, ERR_BAD_REQUEST,
		    "cannot listen on '%s': an IPv6 address goes into brackets", address);
	else
		*host = xstrndup(address, len);
	*port = colon + 1;
	return 0;
}

static int
bind_tcp(const struct addrinfo *a)
{
	int on = 1, off = 0, saved;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1024) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int
bound_port(int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof a;

	if (getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return 0;
	return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
					     : ((struct sockaddr_in *)&a)->sin_port);
}

int
http_listen(struct http_server *s, const char *address, struct tls *tls, int *port, struct err *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *list;
	autofree char *host = NULL;
	const char *service = NULL;
	int fd = -1, r;

	if ((r = split_address(address, &host, &service, err)) < 0)
		return r;
	/* no host: the IPv6 wildcard takes IPv4 too */
	hints.ai_family = *host ? AF_UNSPEC : AF_INET6;
	r = getaddrinfo(*host ? host : NULL, service, &hints, &list);
	if (r)
		return err_set(
		    err, ERR_BAD_REQUEST, "cannot listen on '%s': %s", address, gai_strerror(r));
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = bind_tcp(a);
	r = errno;
	freeaddrinfo(list);
	if (fd < 0 && !*host && r == EAFNOSUPPORT) {
		autofree char *v4 = xasprintf("0.0.0.0:%s", service);

		return http_listen(s, v4, tls, port, err);
	}
	if (fd < 0)
		return err_sys(err, r, "cannot listen on '%s'", address);
	if ((r = add_listener(s, fd, tls, NULL, err)) < 0) {
		close(fd);
		return r;
	}
	if (port)
		*port = bound_port(fd);
	return 0;
}

/* Whether somebody answers at a socket.  One that nobody serves any more is removed. */
static int
clear_stale(const char *path, const struct sockaddr_un *a, struct err *err)
{
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (lstat(path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_set(
		    err, ERR_EXISTS, "cannot listen on '%s': it exists and is no socket", path);
	if (connect(fd, (const struct sockaddr *)a, sizeof *a) == 0 || errno != ECONNREFUSED)
		return err_set(err, ERR_EXISTS, "cannot listen on '%s': somebody else does", path);
	if (unlink(path) < 0)
		return err_sys(err, errno, "cannot remove the old socket '%s'", path);
	return 0;
}

int
http_listen_unix(struct http_server *s, const char *path, unsigned mode, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof a.sun_path)
		return err_set(err, ERR_BAD_REQUEST, "cannot listen on '%s': longer than %zu bytes",
		    path, sizeof a.sun_path - 1);
	strcpy(a.sun_path, path);
	if ((r = clear_stale(path, &a, err)) < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* nobody can connect before listen(), so the mode is right from the start */
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || chmod(path, mode) < 0 ||
	    listen(fd, 1024) < 0)
		r = err_sys(err, errno, "cannot listen on '%s'", path);
	else
		r = add_listener(s, fd, NULL, path, err);
	if (r < 0 && fd >= 0)
		close(fd);
	return r;
}
