/* /containerLogs: what a container has said, and what it goes on saying. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/crilog.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "node/container.h"
#include "node/files.h"
#include "node/server_private.h"
#include "serve/duplex.h"

enum { WRITE_SECONDS = 60, PART = 32768 };

/* One request for a log, and where it goes. */
struct tail {
	const struct server *server;
	char *ns, *name, *container, *path, *uid;
	unsigned run; /* which run of the container: the number of its file */
	bool follow;
	struct log_options options;
	long long limit; /* bytes that may still go out; negative: any */
	struct duplex *d;
	bool broken; /* the reader has gone, or has what he wanted */
};

static void
tail_free(struct tail *t)
{
	free(t->ns);
	free(t->name);
	free(t->container);
	free(t->path);
	free(t->uid);
	free(t);
}

/* --- output: a FILE that writes chunks (RFC 9112, section 7.1) ------------------------ */

static ssize_t
write_chunk(void *cookie, const char *data, size_t len)
{
	struct tail *t = cookie;
	size_t all = len;
	char head[32];

	if (t->limit >= 0 && (long long)len >= t->limit)
		len = (size_t)t->limit;
	if (t->broken || len == 0) {
		t->broken = true;
		return (ssize_t)all;
	}
	snprintf(head, sizeof head, "%zx\r\n", len);
	t->broken = duplex_write_all(t->d, head, strlen(head), WRITE_SECONDS) < 0 ||
		    duplex_write_all(t->d, data, len, WRITE_SECONDS) < 0 ||
		    duplex_write_all(t->d, "\r\n", 2, WRITE_SECONDS) < 0;
	if (t->limit >= 0) {
		t->limit -= (long long)len;
		t->broken = t->broken || t->limit == 0;
	}
	return (ssize_t)all;
}

/* --- following ------------------------------------------------------------------------- */

/* Has this run of the container ended? */
static bool
ended(const struct tail *t)
{
	struct container *c = NULL;
	struct pod *p = server_pod(t->server, t->ns, t->name, t->container, &c);
	bool over =
	    !p || strcmp(p->uid, t->uid) != 0 || c->restarts > t->run || c->state != RUNNING;

	if (p)
		pod_free(p);
	return over;
}

/* Containers of root share inotify's instances with us, and may have taken them all: then it is
 * looked at every now and then. */
enum { LOOK_MS = 500 };

/* The reader hangs up, the log grows or the pod's record changes. */
static bool
wait_for_more(const struct tail *t, int notify)
{
	struct pollfd f[2] = { { .fd = notify, .events = POLLIN },
		{ .fd = duplex_fd(t->d), .events = POLLRDHUP } };
	char events[4096];

	poll(f, 2, notify < 0 ? LOOK_MS : -1);
	while (notify >= 0 && read(notify, events, sizeof events) > 0)
		;
	return !(f[1].revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static void
follow(struct tail *t, struct crilog *log, FILE *out)
{
	autoclose int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	autofree char *record = host_path(t->server->host, "pods/%s", t->uid);
	autofree char *folder =
	    xstrndup(t->path, (size_t)(strrchr(t->path, '/') - t->path)); /* logs are turned over */
	struct err err;

	if (notify >= 0 && (inotify_add_watch(notify, folder, IN_MODIFY | IN_MOVED_TO) < 0 ||
			       inotify_add_watch(notify, record,
				   IN_MOVED_TO | IN_CREATE | IN_MODIFY | IN_DELETE_SELF) < 0)) {
		close(notify);
		notify = -1;
	}
	for (;;) {
		bool last = ended(t); /* asked before what is there is printed: nothing is missed */

		if (crilog_print(log, out, &err) < 0 || t->broken || last ||
		    !wait_for_more(t, notify))
			return;
	}
}

static void
run(struct duplex *d, void *arg)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
				   "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
	cookie_io_functions_t io = { .write = write_chunk };
	struct tail *t = arg;
	struct crilog log;
	struct err err;
	FILE *out;

	if (d && duplex_write_all(d, head, sizeof head - 1, WRITE_SECONDS) == 0) {
		t->d = d;
		if (!(out = fopencookie(t, "w", io)))
			abort();
		setvbuf(out, NULL, _IOFBF, PART);
		if (crilog_open(&log, t->path, &t->options, &err) == 0 &&
		    crilog_print(&log, out, &err) == 0 && t->follow && !t->broken)
			follow(t, &log, out);
		crilog_close(&log);
		fclose(out);
		duplex_write_all(d, "0\r\n\r\n", 5, WRITE_SECONDS);
	}
	duplex_close(d);
	tail_free(t);
}

/* --- the request -------------------------------------------------------------------------- */

static bool
flag(const struct http_exchange *x, const char *name)
{
	autofree char *v = http_query(x, name);

	return v && strcmp(v, "0") != 0 && strcasecmp(v, "false") != 0;
}

/* A number of the query, or `none`; false: it is no such number (answered). */
static bool
number(struct http_exchange *x, const char *name, long long none, long long *ret)
{
	autofree char *v = http_query(x, name);

	*ret = none;
	if (!v || !*v || (text_int(v, ret) && *ret >= 0))
		return true;
	server_refuse(x, 400, "%s: '%s' is no number from 0", name, v);
	return false;
}

static bool
read_options(struct http_exchange *x, struct tail *t)
{
	autofree char *time = http_query(x, "sinceTime");
	long long seconds;

	if (!number(x, "tailLines", -1, &t->options.tail) ||
	    !number(x, "limitBytes", -1, &t->limit) || !number(x, "sinceSeconds", 0, &seconds))
		return false;
	if (seconds > INT32_MAX * 100LL) /* longer than anything */
		seconds = 0;
	if (seconds)
		t->options.since_us = clock_now_us() - seconds * 1000000;
	if (time && *time && !time_parse_micro(time, &t->options.since_us)) {
		server_refuse(x, 400, "sinceTime: '%s' is no time", time);
		return false;
	}
	t->options.timestamps = flag(x, "timestamps");
	t->follow = flag(x, "follow") && !flag(x, "previous");
	return true;
}

/* Which file it is: of this run, or the one before; answers and returns false when there is none.
 */
static bool
choose_file(struct http_exchange *x, struct tail *t, const struct pod *p, const struct container *c)
{
	bool previous = flag(x, "previous");

	t->run = c->restarts;
	/* a container that waits to be started again: what it said last is what there is */
	for (int tries = 0; tries < 2; tries++) {
		bool wanted = t->run >= previous;

		t->path = wanted ? container_log(
				       t->server->host, p->object, t->container, t->run - previous)
				 : xstrdup("");
		if (wanted && file_exists(t->path))
			return true;
		if (previous || t->run == 0 || c->state == RUNNING)
			break;
		free(steal(t->path));
		t->run--;
	}
	if (previous)
		server_refuse(x, 400,
		    "previous terminated container \"%s\" in pod \"%s\" not found", t->container,
		    t->name);
	else
		server_refuse(x, 400, "container \"%s\" in pod \"%s\" is waiting to start: %s",
		    t->container, t->name,
		    c->reason && *c->reason ? c->reason : "ContainerCreating");
	return false;
}

void
server_log(struct server *s, struct http_exchange *x, const char *ns, const char *name,
    const char *container)
{
	struct tail *t = xcalloc(1, sizeof *t);
	struct container *c;
	struct pod *p = server_pod(s, ns, name, container, &c);
	bool fine = false;

	t->server = s;
	t->ns = xstrdup(ns);
	t->name = xstrdup(name);
	t->container = xstrdup(container);
	if (!p) {
		server_refuse(x, 404, "pod \"%s\" with container \"%s\" is not on this node", name,
		    container);
	} else {
		t->uid = xstrdup(p->uid);
		fine = read_options(x, t) && choose_file(x, t, p, c);
		pod_free(p);
	}
	if (fine)
		http_take(x, run, t);
	else
		tail_free(t);
}
