/* Connections into a pod: SPDY in a WebSocket. */
#include "client/portforward.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/spdy.h"
#include "base/text.h"
#include "client/http.h"
#include "client/tunnel.h"

enum { ERROR = 1, DATA = 3 }; /* our streams */
enum { PART = 32768, BACKLOG = 1 << 18, LINGER_SECONDS = 5 };

static const char *const protocols[] = { "SPDY/3.1+portforward.k8s.io", NULL };

struct portforward {
	struct tunnel *tunnel;
	struct spdy *spdy;
	struct buf said;	  /* on the error stream */
	struct buf out;		  /* for the socket */
	bool in_ended, out_ended; /* the socket's sending, the pod's */
	bool refused; /* the error stream has ended with words, or the stream was reset */
};

static void
say(struct portforward *p, struct buf *b)
{
	if (b->len)
		tunnel_send(p->tunnel, -1, b->data, b->len);
	buf_clear(b);
}

/* Each connection is a pair of streams with one requestid; nothing is sent on "error". */
static void
begin(struct portforward *p, int port)
{
	autofree char *number = xasprintf("%d", port);
	autobuf struct buf b = BUF_INIT;
	const char *headers[] = { "port", number, "requestid", "0", "streamtype", "error", NULL };

	spdy_begin(p->spdy, &b, ERROR, headers);
	spdy_data(&b, ERROR, "", 0, true);
	headers[5] = "data";
	spdy_begin(p->spdy, &b, DATA, headers);
	say(p, &b);
}

int
portforward_open(struct client *c, const char *ns, const char *pod, int port,
    struct portforward **ret, struct err *err)
{
	autofree char *path = client_path(kind_find("", "v1", "Pod"), ns, pod, "portforward");
	struct portforward *p = xcalloc(1, sizeof *p);
	int r = tunnel_open(c, path, protocols, &p->tunnel, err);

	if (r < 0) {
		free(p);
		return r;
	}
	p->spdy = spdy_new_client();
	begin(p, port);
	*ret = p;
	return 0;
}

void
portforward_close(struct portforward *p)
{
	if (!p)
		return;
	tunnel_close(p->tunnel);
	spdy_free(p->spdy);
	buf_release(&p->said);
	buf_release(&p->out);
	free(p);
}

/* --- from the pod ----------------------------------------------------------------------------- */

static void
take(struct portforward *p, const struct spdy_event *e)
{
	if (e->type == SPDY_CLOSE) {
		p->out_ended = true;
	} else if (e->stream == DATA) {
		if (e->type == SPDY_DATA)
			buf_add(&p->out, e->data, e->len);
		if (e->type == SPDY_RESET || e->fin)
			p->out_ended = true;
	} else if (e->stream == ERROR && e->type == SPDY_DATA) {
		if (p->said.len < 4096)
			buf_add(&p->said, e->data, e->len);
		/* the words may come in parts, but the port is not ours any more */
		p->refused |= p->said.len > 0 && e->fin;
	}
}

/* While the socket has taken everything: what comes waits in the kernel, not here. */
static int
from_pod(struct portforward *p, struct err *err)
{
	while (p->out.len == 0 && !p->refused) {
		autobuf struct buf answer = BUF_INIT;
		struct websocket_message m;
		struct spdy_event e;
		int r;

		if ((r = tunnel_next(p->tunnel, &m, err)) == 0)
			return 0;
		if (r < 0)
			return p->said.len ? 1 : -(int)err->code;
		spdy_feed(p->spdy, m.data, m.len);
		while ((r = spdy_next(p->spdy, &e, &answer)) > 0)
			take(p, &e);
		if (r < 0)
			return err_set(err, ERR_UNAVAILABLE, "the server's answer is no SPDY/3.1");
		say(p, &answer);
	}
	return 0;
}

/* --- the socket ---------------------------------------------------------------------------------
 */

static int
to_socket(struct portforward *p, int fd, struct err *err)
{
	size_t sent = 0;

	while (sent < p->out.len) {
		ssize_t n = send(fd, p->out.data + sent, p->out.len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return err_sys(err, errno, "the local connection broke");
		sent += (size_t)n;
	}
	if (sent > 0)
		memmove(p->out.data, p->out.data + sent, p->out.len - sent);
	p->out.len -= sent;
	return 0;
}

static int
from_socket(struct portforward *p, int fd, struct err *err)
{
	autobuf struct buf b = BUF_INIT;
	char part[PART];
	ssize_t n = recv(fd, part, sizeof part, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return err_sys(err, errno, "the local connection broke");
	p->in_ended = n == 0;
	spdy_data(&b, DATA, part, (size_t)n, p->in_ended);
	say(p, &b);
	return 0;
}

static int
wait_for(struct portforward *p, int fd, struct err *err)
{
	bool full = p->out.len > 0, listens = !p->in_ended && tunnel_waiting(p->tunnel) < BACKLOG;
	struct pollfd f[2] = {
		{ .fd = tunnel_fd(p->tunnel),
		    .events = (short)(tunnel_events(p->tunnel) & (full ? POLLOUT : ~0)) },
		{ .fd = full || listens ? fd : -1,
		    .events = (short)((full ? POLLOUT : 0) | (listens ? POLLIN : 0)) },
	};

	if (poll(f, COUNT(f), -1) < 0 && errno != EINTR)
		return err_sys(err, errno, "cannot wait");
	if (listens && (f[1].revents & (POLLIN | POLLHUP | POLLERR)))
		return from_socket(p, fd, err);
	return 0;
}

/* The pod sends nothing more.  What the peer still sends is taken, for a socket that is closed with
 * unread bytes loses what it has sent, too. */
static void
finish(int fd)
{
	double end = clock_monotonic() + LINGER_SECONDS;
	char part[PART];
	double left;

	shutdown(fd, SHUT_WR);
	while ((left = end - clock_monotonic()) > 0) {
		struct pollfd f = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&f, 1, (int)(left * 1000) + 1) < 0 && errno != EINTR)
			return;
		n = recv(fd, part, sizeof part, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return;
	}
}

int
portforward_carry(struct portforward *p, int fd, struct err *err)
{
	int r;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	for (;;) {
		if ((r = tunnel_flush(p->tunnel, err)) < 0 || (r = from_pod(p, err)) < 0)
			return r;
		if (to_socket(p, fd, err) < 0)
			return -(int)err->code;
		if (r > 0 || p->refused)
			return err_set(
			    err, ERR_UNAVAILABLE, "%.*s", (int)p->said.len, p->said.data);
		if (p->out_ended && p->out.len == 0 && p->said.len == 0) {
			finish(fd);
			return 0;
		}
		if ((r = wait_for(p, fd, err)) < 0)
			return r;
	}
}

/* --- ports
 * ----------------------------------------------------------------------------------------- */

static const json_t *
service_port(const json_t *service, const char *word)
{
	json_t *port;
	long long n;
	size_t i;

	json_array_foreach (get(service, "spec", "ports"), i, port)
		if (text_int(word, &n) ? json_integer_value(get(port, "port")) == n
				       : strcmp(text(port, "name"), word) == 0)
			return port;
	return NULL;
}

static int
container_port(const json_t *pod, const char *name)
{
	json_t *c, *port;
	size_t i, j;

	json_array_foreach (get(pod, "spec", "containers"), i, c)
		json_array_foreach (get(c, "ports"), j, port)
			if (strcmp(text(port, "name"), name) == 0)
				return (int)json_integer_value(get(port, "containerPort"));
	return 0;
}

int
portforward_port(
    const json_t *pod, const json_t *service, const char *word, int *ret, struct err *err)
{
	const json_t *of = service ? service_port(service, word) : NULL, *target;
	long long n;

	if (service && !of)
		return err_set(
		    err, ERR_NOT_FOUND, "service '%s' has no port '%s'", meta_name(service), word);
	if (of) {
		target = get(of, "targetPort");
		if (!target)
			target = get(of, "port");
		if (json_is_integer(target)) {
			*ret = (int)json_integer_value(target);
			return 0;
		}
		word = json_string_value(target);
	}
	if (word && text_int(word, &n) && n >= 1 && n <= 65535)
		*ret = (int)n;
	else if (!word || (*ret = container_port(pod, word)) == 0)
		return err_set(err, ERR_NOT_FOUND, "pod '%s' has no port '%s'", meta_name(pod),
		    word ? word : "");
	return 0;
}
