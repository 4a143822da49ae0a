/* Between a process and its client: what each says, the size of the terminal, and the end. */
#include "node/server_carry.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"

enum { PART = 32768, BACKLOG = 8 * PART };

static bool
unread(int fd)
{
	int n = 0;

	return fd >= 0 && ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

/* conmon 2.1 passes a size on to itself, and takes the first only of those that it reads at once:
 * the next one waits until both its pipes have been empty for a moment, but not for ever. */
static void
tell_conmon(const struct ends *e, const char *line)
{
	for (int tries = 0, empty = 0; tries < 500 && empty < 3; tries++) {
		empty = unread(e->control) || unread(e->resizes) ? 0 : empty + 1;
		usleep(2000);
	}
	if (write(e->control, line, strlen(line)) < 0)
		return; /* the container has ended */
}

static void
resize(const struct ends *e, const char *text, size_t len)
{
	json_auto_t *size = json_loadb(text, len, JSON_DISABLE_EOF_CHECK, NULL);
	struct winsize w = { .ws_col = (unsigned short)num(get(size, "Width"), 0),
		.ws_row = (unsigned short)num(get(size, "Height"), 0) };
	autofree char *line = NULL;

	if (!w.ws_col || !w.ws_row || e->control < 0)
		return;
	if (!e->seqpacket) {
		ioctl(e->control, TIOCSWINSZ, &w);
		return;
	}
	line = xasprintf("1 %u %u\n", w.ws_row, w.ws_col); /* conmon's ctl file */
	tell_conmon(e, line);
}

/* What waits, into the process; true when all has gone. */
static void
push(struct ends *e)
{
	while (e->in >= 0 && e->waiting.len > 0) {
		ssize_t n = write(e->in, e->waiting.data, e->waiting.len);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) { /* it reads no more: what comes is of no use */
			e->refused = true;
			buf_clear(&e->waiting);
			break;
		}
		memmove(e->waiting.data, e->waiting.data + n, e->waiting.len - (size_t)n);
		e->waiting.len -= (size_t)n;
	}
	if (e->in >= 0 && e->in_ended && e->waiting.len == 0) {
		if (e->in != e->out) {
			close(e->in);
			e->in = -1;
		} else if (!e->seqpacket) {
			if (write(e->in, "\4", 1) < 0) /* a terminal's end of input */
				e->refused = true;
			e->in_ended = false;
		} else {
			shutdown(e->in, SHUT_WR);
			e->in_ended = false;
		}
	}
}

/* 0, or -1: the client has gone; 1: more has come than the process takes now. */
static int
hear(struct streams *s, struct ends *e)
{
	struct streams_event ev;
	int r;

	while ((r = e->waiting.len > BACKLOG) == 0 && (r = streams_next(s, &ev)) > 0) {
		if (ev.which == STREAM_RESIZE && ev.len)
			resize(e, ev.data, ev.len);
		if (ev.which != STREAM_IN)
			continue;
		if (!e->refused && e->in >= 0)
			buf_add(&e->waiting, ev.data, ev.len);
		e->in_ended = e->in_ended || ev.end;
	}
	push(e);
	return r;
}

/* From the process to the client: 1 more may come, 0 it is over, -1 the client has gone. */
static int
pass(struct streams *s, struct ends *e, int fd, enum stream which)
{
	char part[PART];
	ssize_t n = read(fd, part, sizeof part);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n <= 0) /* a terminal whose last user has gone says EIO */
		return 0;
	if (e->seqpacket) {
		which = part[0] == 3 ? STREAM_ERR : STREAM_OUT;
		return n == 1 || streams_send(s, which, part + 1, (size_t)n - 1) == 0 ? 1 : -1;
	}
	return streams_send(s, which, part, (size_t)n) == 0 ? 1 : -1;
}

bool
carry(struct streams *s, struct ends *e)
{
	int heard = 1; /* something may have come with the opening */

	while (e->out >= 0 || e->err >= 0) {
		bool full = e->waiting.len > BACKLOG;
		/* poll() does not know of what was read from the connection already */
		bool ready = !full && (heard > 0 || streams_ready(s));
		struct pollfd f[4] = { { .fd = streams_fd(s),
					   .events = (short)(full ? POLLRDHUP : POLLIN) },
			{ .fd = e->out, .events = POLLIN }, { .fd = e->err, .events = POLLIN },
			{ .fd = e->waiting.len ? e->in : -1, .events = POLLOUT } };
		int *fd[2] = { &e->out, &e->err };

		if (poll(f, 4, ready ? 0 : -1) < 0 && errno != EINTR)
			return false;
		if (full && (f[0].revents & (POLLRDHUP | POLLHUP | POLLERR)))
			return false;
		if (f[3].revents)
			push(e);
		if (!full && (heard = hear(s, e)) < 0)
			return false;
		for (int i = 0; i < 2; i++) {
			int r = f[i + 1].revents && *fd[i] >= 0
				    ? pass(s, e, *fd[i], i ? STREAM_ERR : STREAM_OUT)
				    : 1;

			if (r < 0)
				return false;
			if (r == 0) {
				if (*fd[i] == e->in)
					e->in = -1;
				close(*fd[i]);
				*fd[i] = -1;
			}
		}
	}
	return true;
}

/* --- how it ended ------------------------------------------------------------------------- */

static void
say_status(struct streams *s, const json_t *status)
{
	autobuf struct buf b = BUF_INIT;

	json_add(&b, status);
	streams_send(s, STREAM_STATUS, b.data, b.len);
}

void
say_failure(struct streams *s, const char *message)
{
	json_auto_t *status = json_pack("{s:{},s:s,s:s,s:s,s:i}", "metadata", "status", "Failure",
	    "message", message, "reason", "InternalError", "code", 500);

	if (status)
		say_status(s, status);
}

void
say_exit(struct streams *s, int code)
{
	json_auto_t *status = NULL;

	if (code == 0)
		status = json_pack("{s:{},s:s}", "metadata", "status", "Success");
	else
		status = json_pack("{s:{},s:s,s:o,s:s,s:{s:[{s:s,s:o}]}}", "metadata", "status",
		    "Failure", "message",
		    json_sprintf(
			"command terminated with non-zero exit code: exit status %d", code),
		    "reason", "NonZeroExitCode", "details", "causes", "reason", "ExitCode",
		    "message", json_sprintf("%d", code));
	say_status(s, status);
}
