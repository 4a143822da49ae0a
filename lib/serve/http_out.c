/*
 * What waits to be written on a connection: a queue of shared bytes, written with writev(2) or in
 * TLS records.  The framing of a chunk ("LENGTH CRLF ... CRLF") is made when it is written, never
 * stored.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "serve/http_private.h"

enum {
	IOVS = 192, /* a multiple of 3 */
	FRAME = 20, /* room for the longest length line */
};

void
out_add(struct out *o, struct bytes *b, enum seg_kind kind)
{
	if (o->n == o->cap && o->first > o->n / 2) {
		memmove(o->segs, o->segs + o->first, (o->n - o->first) * sizeof *o->segs);
		o->n -= o->first;
		o->first = 0;
	}
	GROW(o->segs, o->n, o->cap);
	o->segs[o->n++] = (struct seg){ b, kind };
}

bool
out_empty(const struct out *o)
{
	return o->first == o->n && !o->unsent;
}

void
out_release(struct out *o)
{
	for (size_t i = o->first; i < o->n; i++)
		bytes_unref(o->segs[i].b);
	free(o->segs);
	*o = (struct out){ 0 };
}

/* "1f4\r\n" into p; returns its length. */
static size_t
frame(char *p, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	int n = 1;

	while (n < 16 && len >> (4 * n))
		n++;
	for (int i = 0; i < n; i++)
		p[i] = digits[len >> (4 * (n - 1 - i)) & 15];
	p[n] = '\r';
	p[n + 1] = '\n';
	return (size_t)n + 2;
}

static size_t
seg_length(const struct seg *s)
{
	char tmp[FRAME];

	return s->kind == SEG_CHUNK ? frame(tmp, s->b->len) + s->b->len + 2 : s->b->len;
}

/* `n` bytes are written: drop the segments done with. */
static void
consume(struct out *o, size_t n, size_t *chunks)
{
	o->at += n;
	while (o->first < o->n) {
		struct seg *s = &o->segs[o->first];
		size_t len = seg_length(s);

		if (o->at < len)
			return;
		o->at -= len;
		if (s->kind != SEG_PLAIN)
			*chunks += s->b->len;
		bytes_unref(s->b);
		o->first++;
	}
	if (o->cap > 16) { /* an idle connection is to stay small */
		free(o->segs);
		o->segs = NULL;
		o->cap = 0;
	}
	o->first = o->n = 0;
}

/* Lay out the first segments, `most` bytes or a little more, as at most IOVS pieces; `frames` holds
 * the length lines. */
static int
gather(const struct out *o, struct iovec *iov, char *frames, size_t most)
{
	size_t skip = o->at, sum = 0;
	int n = 0, whole;

	for (size_t i = o->first; i < o->n && n + 3 <= IOVS && sum < most + o->at; i++) {
		const struct seg *s = &o->segs[i];

		whole = n;
		sum += s->b->len;
		if (s->kind == SEG_CHUNK) {
			iov[n++] = (struct iovec){ frames, frame(frames, s->b->len) };
			frames += FRAME;
		}
		iov[n++] = (struct iovec){ s->b->data, s->b->len };
		if (s->kind == SEG_CHUNK)
			iov[n++] = (struct iovec){ (char *)"\r\n", 2 };
		while (skip > 0 && whole < n) { /* only in the first segment */
			size_t part = skip < iov[whole].iov_len ? skip : iov[whole].iov_len;

			iov[whole].iov_base = (char *)iov[whole].iov_base + part;
			iov[whole++].iov_len -= part;
			skip -= part;
		}
	}
	return n;
}

static int
flush_plain(struct conn *c, size_t *chunks, size_t *wrote)
{
	char frames[IOVS / 3 * FRAME];
	struct iovec iov[IOVS];

	while (!out_empty(&c->out)) {
		struct msghdr m = { .msg_iov = iov };
		ssize_t n;

		if (!c->can_write)
			return 0;
		m.msg_iovlen = (size_t)gather(&c->out, iov, frames, SIZE_MAX / 2);
		n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			c->can_write = false;
			return 0;
		}
		if (n < 0)
			return -1;
		*wrote += (size_t)n;
		consume(&c->out, (size_t)n, chunks);
	}
	return 1;
}

/* Copy the first bytes into one record's worth of room: small pieces share a record. */
static size_t
fill_record(const struct out *o, char *room, size_t size)
{
	char frames[IOVS / 3 * FRAME];
	struct iovec iov[IOVS];
	int n = gather(o, iov, frames, size);
	size_t len = 0;

	for (int i = 0; i < n && len < size; i++) {
		size_t part = iov[i].iov_len < size - len ? iov[i].iov_len : size - len;

		memcpy(room + len, iov[i].iov_base, part);
		len += part;
	}
	return len;
}

static int
flush_tls(struct conn *c, size_t *chunks, size_t *wrote)
{
	struct out *o = &c->out;

	while (!out_empty(o)) {
		ssize_t n;

		if (!c->can_write)
			return 0;
		if (!o->unsent)
			o->record = fill_record(o, c->loop->wbuf, sizeof c->loop->wbuf);
		/* a record that did not fit before is GnuTLS's by now: it is asked for with NULL */
		n = gnutls_record_send(
		    c->tls, o->unsent ? NULL : c->loop->wbuf, o->unsent ? 0 : o->record);
		if (n == GNUTLS_E_INTERRUPTED)
			continue;
		if (n == GNUTLS_E_AGAIN) {
			if (!o->unsent) {
				o->unsent = true;
				consume(o, o->record, chunks);
			}
			c->can_write = false;
			return 0;
		}
		if (n < 0)
			return -1;
		*wrote += o->record;
		if (!o->unsent)
			consume(o, o->record, chunks);
		o->unsent = false;
	}
	return 1;
}

int
out_flush(struct conn *c, size_t *chunks, size_t *wrote)
{
	return c->tls ? flush_tls(c, chunks, wrote) : flush_plain(c, chunks, wrote);
}
