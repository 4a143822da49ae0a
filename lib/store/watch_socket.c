#include "store/watch_socket.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/duplex.h"
#include "serve/forward.h"
#include "serve/websocket.h"

enum {
	MESSAGE = 64 << 10, /* from the client; nothing is done with it */
	PART = 256 << 10,   /* of what is queued, taken at a time */
	STALL_SECONDS = 60, /* without any progress while the client does not read */
	CLOSE_SECONDS = 5,  /* for the client to close, too */
	FRAME_LENGTH = 4,   /* in front of an event in protobuf */
};

struct item {
	struct bytes *bytes;
	struct item *next;
};

struct watch_socket {
	bool binary;
	void (*closed)(void *arg);
	void *arg;
	char *head; /* the answer to the handshake */
	int wake;   /* an eventfd: there is something new in the queue */

	pthread_mutex_t lock;
	struct item *first, **last;
	size_t queued; /* bytes that wait, also in out */
	bool ended;

	/* the thread's own */
	struct duplex *d;
	struct websocket in;
	struct buf out;
	size_t at;	    /* bytes of out that are written */
	bool closing, done; /* closing: our close frame is in out, or gone */
	double progress;    /* when something was written last, or closing began */
};

int
watch_socket_asked(const struct http_exchange *x)
{
	const char *upgrade = http_header(x, "Upgrade");

	if (!http_upgrades(x) || strcasecmp(upgrade, "websocket") != 0)
		return 0;
	return websocket_asked(x) ? 1 : -1;
}

/* The first subprotocol that is none for a token to travel in; new, or NULL. */
static char *
protocol(const struct http_exchange *x)
{
	static const char bearer[] = WEBSOCKET_BEARER;
	const char *p = http_header(x, "Sec-WebSocket-Protocol");

	while (p && *p) {
		size_t n;

		p += strspn(p, " \t,");
		n = strcspn(p, " \t,");
		if (n && strncmp(p, bearer, strlen(bearer)) != 0)
			return xstrndup(p, n);
		p += n;
	}
	return NULL;
}

/* --- from any thread --- */

static void
wake(struct watch_socket *s)
{
	uint64_t one = 1;

	(void)!write(s->wake, &one, sizeof one);
}

size_t
watch_socket_send(void *socket, struct bytes *chunk)
{
	struct watch_socket *s = socket;
	struct item *i = xmalloc(sizeof *i);
	size_t queued;

	*i = (struct item){ chunk, NULL };
	pthread_mutex_lock(&s->lock);
	*s->last = i;
	s->last = &i->next;
	queued = s->queued += chunk->len;
	pthread_mutex_unlock(&s->lock);
	wake(s);
	return queued;
}

void
watch_socket_end(void *socket)
{
	struct watch_socket *s = socket;

	pthread_mutex_lock(&s->lock);
	s->ended = true;
	pthread_mutex_unlock(&s->lock);
	wake(s);
}

/* --- the thread --- */

static void
close_with(struct watch_socket *s, int code, const char *why)
{
	if (s->closing)
		return;
	s->closing = true;
	s->progress = clock_monotonic();
	websocket_close_frame(&s->out, code, why);
}

/* Messages out of the queue, a part of them at a time. */
static void
collect(struct watch_socket *s)
{
	if (s->at > 0) { /* make room */
		memmove(s->out.data, s->out.data + s->at, s->out.len - s->at);
		s->out.len -= s->at;
		s->at = 0;
	}
	pthread_mutex_lock(&s->lock);
	while (s->first && s->out.len < PART && !s->closing) {
		struct item *i = s->first;
		size_t skip = s->binary ? FRAME_LENGTH : 0;

		websocket_frame(&s->out, s->binary ? WS_BINARY : WS_TEXT, i->bytes->data + skip,
		    i->bytes->len - skip);
		s->queued -= i->bytes->len;
		s->first = i->next;
		if (!s->first)
			s->last = &s->first;
		bytes_unref(i->bytes);
		free(i);
	}
	if (s->ended && !s->first)
		close_with(s, WS_NORMAL, "");
	pthread_mutex_unlock(&s->lock);
}

static void
write_some(struct watch_socket *s)
{
	while (s->at < s->out.len) {
		ssize_t n = duplex_write(s->d, s->out.data + s->at, s->out.len - s->at);

		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			s->done = true;
			return;
		}
		s->at += (size_t)n;
		s->progress = clock_monotonic();
	}
	buf_clear(&s->out);
	s->at = 0;
}

static void
hear(struct watch_socket *s, const struct websocket_message *m)
{
	if (m->opcode == WS_PING && !s->closing) {
		websocket_frame(&s->out, WS_PONG, m->data, m->len);
	} else if (m->opcode == WS_CLOSE) {
		close_with(s, m->code == 1005 ? WS_NORMAL : m->code, "");
		write_some(s);
		s->done = true;
	}
}

static void
read_some(struct watch_socket *s)
{
	struct websocket_message m;
	char room[8192];
	ssize_t n = duplex_read(s->d, room, sizeof room);
	int r;

	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		s->done = true;
		return;
	}
	websocket_feed(&s->in, room, (size_t)n);
	while (!s->done && (r = websocket_next(&s->in, &m)) != 0) {
		if (r < 0) {
			close_with(s, -r, "");
			write_some(s);
			s->done = true;
		} else {
			hear(s, &m);
		}
	}
}

static bool
too_slow(const struct watch_socket *s)
{
	double waited = clock_monotonic() - s->progress;

	if (s->closing)
		return waited > CLOSE_SECONDS;
	return s->at < s->out.len && waited > STALL_SECONDS;
}

/* Who does not read his answers need not be listened to: a ping wants one. */
static bool
full(const struct watch_socket *s)
{
	return s->out.len - s->at > 2 * PART;
}

static void
wait_for_either(struct watch_socket *s)
{
	struct pollfd f[2] = {
		{ .fd = duplex_fd(s->d),
		    .events =
			(short)((full(s) ? 0 : POLLIN) | (s->at < s->out.len ? POLLOUT : 0)) },
		{ .fd = s->wake, .events = POLLIN },
	};
	uint64_t count;

	if (!full(s) && duplex_ready(s->d))
		return;
	poll(f, 2, s->closing || s->at < s->out.len ? 1000 : -1);
	if (f[1].revents & POLLIN)
		(void)!read(s->wake, &count, sizeof count);
}

static void
talk(struct watch_socket *s)
{
	buf_puts(&s->out, s->head);
	s->progress = clock_monotonic();
	while (!s->done) {
		collect(s);
		write_some(s);
		if (s->done || too_slow(s))
			break;
		wait_for_either(s);
		if (!full(s))
			read_some(s);
	}
}

static void
release(struct watch_socket *s)
{
	while (s->first) {
		struct item *i = s->first;

		s->first = i->next;
		bytes_unref(i->bytes);
		free(i);
	}
	websocket_release(&s->in);
	buf_release(&s->out);
	pthread_mutex_destroy(&s->lock);
	if (s->wake >= 0)
		close(s->wake);
	free(s->head);
	free(s);
}

static void
run(struct duplex *d, void *arg)
{
	struct watch_socket *s = arg;

	s->d = d;
	if (d && s->wake >= 0)
		talk(s);
	duplex_close(d);
	s->closed(s->arg); /* nobody sends any more when it returns */
	release(s);
}

struct watch_socket *
watch_socket_begin(struct http_exchange *x, bool binary, void (*closed)(void *arg), void *arg)
{
	struct watch_socket *s = xcalloc(1, sizeof *s);
	autofree char *chosen = protocol(x);

	*s = (struct watch_socket){ .binary = binary,
		.closed = closed,
		.arg = arg,
		.head = websocket_accept(x, chosen),
		.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.in = { .limit = MESSAGE } };
	s->last = &s->first;
	pthread_mutex_init(&s->lock, NULL);
	http_take(x, run, s);
	return s;
}
