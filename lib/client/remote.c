/* A process in a container: exec and attach in the channel protocol. */
#include "client/remote.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/http.h"
#include "client/tunnel.h"

enum { IN, OUT, ERR, STATUS, RESIZE, CLOSE_SIGNAL = 255 };
enum { PART = 32768, BACKLOG = 1 << 18, LAST_WORDS_SECONDS = 2 };

static const char v5[] = "v5.channel.k8s.io", v4[] = "v4.channel.k8s.io";
static const char *const protocols[] = { v5, v4, NULL };

struct session {
	const struct remote *r;
	struct tunnel *tunnel;
	bool in_open;
	bool told; /* how it ended */
	double until;
	int status;
};

static char *
path_of(const struct remote *r)
{
	autofree char *base = client_path(kind_find("", "v1", "Pod"), meta_namespace(r->pod),
	    meta_name(r->pod), r->command ? "exec" : "attach");
	struct buf path = BUF_INIT;

	buf_puts(&path, base);
	query_add(&path, "container", r->container);
	query_add(&path, "stdout", "true");
	if (!r->tty) /* a terminal has one output */
		query_add(&path, "stderr", "true");
	if (r->in >= 0)
		query_add(&path, "stdin", "true");
	if (r->tty)
		query_add(&path, "tty", "true");
	for (char *const *word = r->command; word && *word; word++)
		query_add(&path, "command", *word);
	return buf_detach(&path);
}

/* --- how it ended ----------------------------------------------------------------------------- */

static int
take_status(struct session *s, const char *data, size_t len, struct err *err)
{
	json_auto_t *status = json_loadb(data, len, 0, NULL);
	const char *reason = text(status, "reason"), *message = text(status, "message");
	json_t *cause;
	long long code;
	size_t i;

	s->told = true;
	s->until = clock_monotonic() + LAST_WORDS_SECONDS;
	if (strcmp(text(status, "status"), "Success") == 0)
		return 0;
	json_array_foreach (get(status, "details", "causes"), i, cause)
		if (strcmp(reason, "NonZeroExitCode") == 0 &&
		    strcmp(text(cause, "reason"), "ExitCode") == 0 &&
		    text_int(text(cause, "message"), &code)) {
			s->status = (int)code;
			return 0;
		}
	s->status = REMOTE_NOT_STARTED;
	return err_set(err, err_from_status(reason, 500), "%s",
	    *message ? message : "the server does not say how the command ended");
}

static int
take(struct session *s, const struct websocket_message *m, struct err *err)
{
	if (m->len == 0)
		return 0;
	switch ((unsigned char)*m->data) {
	case OUT:
	case ERR:
		return m->len == 1 ? 0
				   : s->r->each(s->r->arg, *m->data, m->data + 1, m->len - 1, err);
	case STATUS:
		return m->len == 1 ? 0 : take_status(s, m->data + 1, m->len - 1, err);
	default:
		return 0; /* also a channel that the server closes */
	}
}

/* --- what we say ---------------------------------------------------------------------------------
 */

static void
send_size(struct session *s)
{
	unsigned rows = 0, columns = 0;
	char text[64];

	s->r->size(s->r->resize, &rows, &columns);
	if (rows == 0 || columns == 0)
		return;
	snprintf(text, sizeof text, "{\"Width\":%u,\"Height\":%u}", columns, rows);
	tunnel_send(s->tunnel, RESIZE, text, strlen(text));
}

static int
send_input(struct session *s, struct err *err)
{
	char part[PART];
	ssize_t n = read(s->r->in, part, sizeof part);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0 && errno != EIO) /* a terminal that went away */
		return err_sys(err, errno, "cannot read standard input");
	if (n > 0) {
		tunnel_send(s->tunnel, IN, part, (size_t)n);
		return 0;
	}
	s->in_open = false;
	if (tunnel_protocol(s->tunnel) == v5) {
		const char in = IN;

		tunnel_send(s->tunnel, CLOSE_SIGNAL, &in, 1);
	}
	return 0;
}

/* --- the loop ------------------------------------------------------------------------------------
 */

/* 1: it is over. */
static int
listen_to(struct session *s, struct err *err)
{
	struct websocket_message m;
	int r;

	while ((r = tunnel_next(s->tunnel, &m, err)) > 0)
		if ((r = take(s, &m, err)) != 0)
			return r;
	if (r == 0)
		return 0;
	return s->told ? 1 : err_wrap(err, "the command had not ended");
}

static int
step(struct session *s, struct err *err)
{
	struct pollfd p[3] = {
		{ .fd = tunnel_fd(s->tunnel), .events = tunnel_events(s->tunnel) },
		{ .fd = s->in_open && !s->told && tunnel_waiting(s->tunnel) < BACKLOG ? s->r->in
										      : -1,
		    .events = POLLIN },
		{ .fd = s->r->size ? s->r->resize : -1, .events = POLLIN },
	};
	double left = s->told ? s->until - clock_monotonic() : -1;
	int r;

	if (s->told && left <= 0)
		return 1;
	r = poll(p, COUNT(p), s->told ? (int)(left * 1000) + 1 : -1);
	if (r < 0 && errno != EINTR)
		return err_sys(err, errno, "cannot wait");
	if (r > 0 && p[1].revents && (r = send_input(s, err)) < 0)
		return r;
	if (r > 0 && p[2].revents)
		send_size(s);
	return tunnel_flush(s->tunnel, err);
}

int
remote_run(struct client *c, const struct remote *r, int *status, struct err *err)
{
	struct session s = { .r = r, .in_open = r->in >= 0 };
	autofree char *path = path_of(r);
	int result = tunnel_open(c, path, protocols, &s.tunnel, err);

	if (result < 0)
		return result;
	if (r->tty && r->size)
		send_size(&s);
	while ((result = listen_to(&s, err)) == 0 && (result = step(&s, err)) == 0)
		;
	tunnel_close(s.tunnel);
	*status = s.status;
	return result > 0 && s.told ? 0 : result;
}
