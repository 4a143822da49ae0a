#include "kubelet/shown.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/crilog.h"
#include "base/mem.h"
#include "node/container.h"
#include "node/files.h"

/* One container: every run has a file of its own, 0.log, 1.log, ... */
struct voice {
	const struct host *host;
	const json_t *pod;
	char *name, *prefix;
	unsigned run;
	struct crilog log;
	bool open;
};

struct shown {
	struct voice *v;
	size_t n;
	int fd;
};

static int
listen_to(struct shown *s, struct voice *v, const struct host *h, const json_t *pod,
    const json_t *container, struct err *err)
{
	autofree char *file = container_log(h, pod, text(container, "name"), 0);
	int r;

	*v = (struct voice){ .host = h, .pod = pod, .name = xstrdup(text(container, "name")) };
	if (s->n > 1)
		v->prefix = xasprintf("[%s] ", v->name);
	*strrchr(file, '/') = '\0';
	if ((r = mkdir_all(file, 0755, err)) < 0)
		return r;
	if (inotify_add_watch(s->fd, file, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return err_sys(err, errno, "cannot watch '%s'", file);
	return 0;
}

int
shown_open(struct shown **ret, const struct host *h, const json_t *pod, struct err *err)
{
	static const char *const lists[] = { "initContainers", "containers" };
	struct shown *s = xcalloc(1, sizeof *s);
	size_t i, at = 0;
	json_t *c;
	int r = 0;

	for (size_t l = 0; l < COUNT(lists); l++)
		s->n += json_array_size(get(pod, "spec", lists[l]));
	s->v = xcalloc(s->n, sizeof *s->v);
	s->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->fd < 0)
		r = err_sys(err, errno, "cannot watch logs");
	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(pod, "spec", lists[l]), i, c)
			if (r == 0)
				r = listen_to(s, &s->v[at++], h, pod, c, err);
	if (r < 0) {
		shown_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void
shown_close(struct shown *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].open)
			crilog_close(&s->v[i].log);
		free(s->v[i].name);
		free(s->v[i].prefix);
	}
	free(s->v);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

int
shown_fd(const struct shown *s)
{
	return s->fd;
}

static bool
next_run(struct voice *v, unsigned run)
{
	autofree char *path = container_log(v->host, v->pod, v->name, run);
	struct log_options o = { .tail = -1, .prefix = v->prefix, .errors = stderr };
	struct crilog log;
	struct err ignored;

	if (!file_exists(path) || crilog_open(&log, path, &o, &ignored) < 0)
		return false;
	if (v->open)
		crilog_close(&v->log);
	v->log = log;
	v->run = run;
	v->open = true;
	return true;
}

/* To the end of this run, and of those that came after it. */
static void
print(struct voice *v)
{
	struct err ignored;

	if (!v->open && !next_run(v, 0))
		return;
	do
		crilog_print(&v->log, stdout, &ignored);
	while (next_run(v, v->run + 1));
}

void
shown_print(struct shown *s)
{
	char events[sizeof(struct inotify_event) + NAME_MAX + 1];

	while (read(s->fd, events, sizeof events) > 0)
		; /* which file it is does not matter */
	for (size_t i = 0; i < s->n; i++)
		print(&s->v[i]);
	fflush(stdout);
}
