/* What the containers of a pod by hand have said. */
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/crilog.h"
#include "base/mem.h"
#include "kubelet/byhand.h"
#include "node/files.h"

enum { LOOK_EVERY = 100000 }; /* microseconds */

static char *
log_path(const struct byhand *b, const json_t *pod, const char *container, unsigned run)
{
	return xasprintf("%s/log/pods/%s_%s_%s/%s/%u.log", b->folder, meta_namespace(pod),
	    meta_name(pod), meta_uid(pod), container, run);
}

/* One run, to its end or for as long as it goes on. */
static int
print_run(const struct byhand *b, const char *path, const char *next, bool follow, struct err *err)
{
	struct log_options o = { .tail = -1, .errors = stderr };
	struct crilog log;
	struct proc keeper;
	bool more;
	int r;

	if ((r = crilog_open(&log, path, &o, err)) < 0)
		return r;
	do {
		more = follow && !file_exists(next) && byhand_keeper(b, &keeper);
		r = crilog_print(&log, stdout, err);
		if (more && r == 0)
			usleep(LOOK_EVERY);
	} while (more && r == 0);
	crilog_close(&log);
	return r;
}

int
byhand_log(
    const struct byhand *b, const json_t *pod, const char *container, bool follow, struct err *err)
{
	struct proc keeper;
	int r = 0;

	for (unsigned run = 0; r == 0; run++) {
		autofree char *path = log_path(b, pod, container, run);
		autofree char *next = log_path(b, pod, container, run + 1);

		if (!file_exists(path) && file_exists(next))
			continue; /* an earlier one, removed */
		while (follow && !file_exists(path) && byhand_keeper(b, &keeper))
			usleep(LOOK_EVERY);
		if (!file_exists(path))
			return 0;
		r = print_run(b, path, next, follow, err);
	}
	return r;
}
