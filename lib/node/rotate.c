/*
 * Logs are turned over when they are large, as the kubelet has it: N.log becomes
 * N.log.YYYYMMDD-HHMMSS, and conmon is told through its control FIFO to open N.log anew ("2", which
 * CRI-O sends for the CRI's ReopenContainerLog).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/agent_state.h"
#include "node/container.h"
#include "node/files.h"

/* The rotated files of a log, the oldest first: their number.  *names is freed by the caller. */
static int
rotated(const char *path, struct dirent ***names, char **folder)
{
	const char *slash = strrchr(path, '/'), *own = slash + 1;
	size_t len = strlen(own);
	int n, kept = 0;

	*folder = xstrndup(path, (size_t)(slash - path));
	if ((n = scandir(*folder, names, NULL, alphasort)) < 0)
		return 0;
	for (int i = 0; i < n; i++) {
		struct dirent *e = (*names)[i];

		if (strncmp(e->d_name, own, len) == 0 && e->d_name[len] == '.')
			(*names)[kept++] = e;
		else
			free(e);
	}
	if (kept == 0)
		free(*names);
	return kept;
}

/* All but the newest `keep` of them go. */
static void
remove_old(const char *path, int keep)
{
	struct dirent **names;
	autofree char *folder = NULL;
	int n = rotated(path, &names, &folder);

	for (int i = 0; i < n; i++) {
		autofree char *file = xasprintf("%s/%s", folder, names[i]->d_name);

		if (i < n - keep)
			unlink(file);
		free(names[i]);
	}
	if (n > 0)
		free(names);
}

void
log_remove(const char *path)
{
	unlink(path);
	remove_old(path, 0);
}

static int
reopen(const struct host *h, const struct pod *p, const struct container *c, struct err *err)
{
	autofree char *ctl =
	    host_path(h, "pods/%s/containers/%s-%u/ctl", p->uid, c->name, c->attempt);
	autoclose int fd = open(ctl, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || write(fd, "2 0 0\n", 6) != 6)
		return err_sys(err, errno, "cannot tell the monitor by '%s'", ctl);
	return 0;
}

static void
rotate(const struct host *h, const struct pod *p, const struct container *c, time_t now)
{
	autofree char *path = container_log(h, p->object, c->name, c->restarts), *aside = NULL;
	char when[32];
	struct stat st;
	struct tm tm;
	struct err err;

	if (stat(path, &st) == 0) {
		if (st.st_size <= h->o.log_size)
			return;
		gmtime_r(&now, &tm);
		strftime(when, sizeof when, "%Y%m%d-%H%M%S", &tm);
		aside = xasprintf("%s.%s", path, when);
		if (file_exists(aside)) /* turned over this very second: it would be lost */
			return;
		/* with the one that is written, and the one that it becomes */
		remove_old(path, h->o.log_files > 2 ? (int)h->o.log_files - 2 : 0);
		if (rename(path, aside) < 0)
			return;
	} else if (errno != ENOENT) {
		return;
	}
	if (reopen(h, p, c, &err) == 0)
		return; /* also one that was put aside by a node that then ended */
	if (aside)
		rename(aside, path);
	log_line(
	    "pod %s: container '%s': its log is not turned over: %s", p->label, c->name, err.msg);
}

void
rotate_due(struct agent *a, double now)
{
	bool any = false;

	if (a->host->o.log_size <= 0)
		return;
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < a->pod[i]->n; k++) {
			const struct container *c = &a->pod[i]->c[k];

			if (c->state != RUNNING)
				continue;
			any = true;
			if (a->rotate_at <= now)
				rotate(a->host, a->pod[i], c, (time_t)clock_now());
		}
	if (a->rotate_at <= now)
		a->rotate_at = now + a->host->o.log_every;
	if (any && a->rotate_at < a->wake)
		a->wake = a->rotate_at;
}
