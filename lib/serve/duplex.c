/* Bytes both ways over a connection that is there already. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/duplex_private.h"

enum { RELAY_BYTES = 64 << 10 };

/* A tunnel may say nothing for hours: whether the peer is still there is the kernel's to find out.
 */
static void
keep_alive(int fd)
{
	int on = 1, idle = 60, every = 15, tries = 4;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);
}

struct duplex *
duplex_from_fd(int fd)
{
	struct duplex *d = xcalloc(1, sizeof *d);

	keep_alive(fd); /* a unix socket has no need of it, and does not mind */
	d->fd = fd;
	return d;
}

void
duplex_close(struct duplex *d)
{
	if (!d)
		return;
	if (d->tls) {
		gnutls_bye(d->tls, GNUTLS_SHUT_WR);
		gnutls_deinit(d->tls);
	}
	if (d->credentials)
		gnutls_certificate_free_credentials(d->credentials);
	if (d->closed)
		d->closed(d, d->arg);
	close(d->fd);
	buf_release(&d->in);
	free(d);
}

int
duplex_fd(const struct duplex *d)
{
	return d->fd;
}

bool
duplex_ready(const struct duplex *d)
{
	return d->at < d->in.len || (d->tls && gnutls_record_check_pending(d->tls) > 0);
}

static ssize_t
outcome(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EWOULDBLOCK ? -EAGAIN : -EIO;
}

static ssize_t
outcome_tls(ssize_t n)
{
	if (n >= 0)
		return n;
	return n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED ? -EAGAIN : -EIO;
}

ssize_t
duplex_read(struct duplex *d, void *data, size_t size)
{
	size_t left = d->in.len - d->at;
	ssize_t n;

	if (left > 0) {
		n = (ssize_t)(left < size ? left : size);
		memcpy(data, d->in.data + d->at, (size_t)n);
		d->at += (size_t)n;
		if (d->at == d->in.len) {
			buf_release(&d->in);
			d->at = 0;
		}
		return n;
	}
	if (!d->tls) {
		do
			n = recv(d->fd, data, size, MSG_DONTWAIT);
		while (n < 0 && errno == EINTR);
		return outcome(n);
	}
	do
		n = gnutls_record_recv(d->tls, data, size);
	while (n == GNUTLS_E_INTERRUPTED);
	return n == GNUTLS_E_PREMATURE_TERMINATION ? 0 : outcome_tls(n);
}

ssize_t
duplex_write(struct duplex *d, const void *data, size_t len)
{
	ssize_t n;

	if (len == 0)
		return 0;
	if (!d->tls) {
		do
			n = send(d->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		while (n < 0 && errno == EINTR);
		return outcome(n);
	}
	if (d->record) { /* what was given first is encrypted already and goes as it is */
		n = gnutls_record_send(d->tls, NULL, 0);
	} else {
		if (len > 16384)
			len = 16384;
		n = gnutls_record_send(d->tls, data, len);
	}
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
		d->record = d->record ? d->record : len;
	else
		d->record = 0;
	return outcome_tls(n);
}

int
duplex_write_all(struct duplex *d, const void *data, size_t len, double seconds)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = duplex_write(d, p, len);

		if (n == -EAGAIN) {
			struct pollfd f = { .fd = d->fd, .events = POLLOUT };

			if (poll(&f, 1, (int)(seconds * 1000)) <= 0)
				return -EIO;
			continue;
		}
		if (n < 0)
			return (int)n;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

void
duplex_shut(struct duplex *d)
{
	if (d->tls)
		gnutls_bye(d->tls, GNUTLS_SHUT_WR);
	shutdown(d->fd, SHUT_WR);
}

/* One direction of a relay. */
struct way {
	struct duplex *from, *to;
	char *data;
	size_t at, len;
	bool ended; /* the end of `from` was passed on */
};

/* 1: something moved, 0: nothing can now, -1: broken. */
static int
move(struct way *w)
{
	ssize_t n;
	int moved = 0;

	if (w->ended)
		return 0;
	if (w->len == 0) {
		n = duplex_read(w->from, w->data, RELAY_BYTES);
		if (n == 0) {
			duplex_shut(w->to);
			w->ended = true;
			return 1;
		}
		if (n < 0)
			return n == -EAGAIN ? 0 : -1;
		w->len = (size_t)n;
		w->at = 0;
		moved = 1;
	}
	n = duplex_write(w->to, w->data + w->at, w->len);
	if (n < 0)
		return n == -EAGAIN ? moved : -1;
	w->at += (size_t)n;
	w->len -= (size_t)n;
	return 1;
}

static short
wanted(const struct way *out, const struct way *in)
{
	return (short)((out->len == 0 && !out->ended ? POLLIN : 0) | (in->len > 0 ? POLLOUT : 0));
}

void
duplex_relay(struct duplex *a, struct duplex *b, double idle)
{
	struct way ab = { .from = a, .to = b, .data = xmalloc(RELAY_BYTES) };
	struct way ba = { .from = b, .to = a, .data = xmalloc(RELAY_BYTES) };

	while (!ab.ended || !ba.ended) {
		const struct way *own[2] = { &ab, &ba };
		int one = move(&ab), two = move(&ba), lost = 0;
		struct pollfd f[2] = { { .fd = a->fd, .events = wanted(&ab, &ba) },
			{ .fd = b->fd, .events = wanted(&ba, &ab) } };

		if (one < 0 || two < 0)
			break;
		if (one || two)
			continue;
		/* who waits for nothing must not wake us with his hang-up for ever... */
		for (int i = 0; i < 2; i++)
			if (!f[i].events && !own[i]->ended)
				f[i].fd = -1;
		if (poll(f, 2, idle > 0 ? (int)(idle * 1000) : -1) == 0)
			break;
		/* ... but who has gone for good can be told nothing any more */
		for (int i = 0; i < 2; i++)
			lost += !f[i].events && (f[i].revents & (POLLHUP | POLLERR));
		if (lost)
			break;
	}
	free(ab.data);
	free(ba.data);
}
