/* Removing what there is of a container, however far it has come. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/container.h"
#include "node/files.h"
#include "node/runtime.h"

/* Is this conmon or the runtime, busy with this container? */
static bool
works_on(const struct host *h, const char *pid, const char *id, const char *runtime)
{
	autofree char *path = xasprintf("/proc/%s/cmdline", pid);
	autobuf struct buf b = BUF_INIT;
	struct err ignored;

	if (buf_read_file(&b, path, 1 << 16, &ignored) < 0 || !b.data ||
	    !memmem(b.data, b.len, id, strlen(id)))
		return false;
	/* who only cleans up does not know which runtime it was */
	return strcmp(b.data, runtime) == 0 || text_ends(b.data, "/conmon") ||
	       (h->o.conmon && strcmp(b.data, h->o.conmon) == 0) || text_ends(b.data, "/crun") ||
	       text_ends(b.data, "/runc");
}

/* Who is still making a container for a node that has been killed, or for a start that was cut off:
 * it would go on beside us. */
static void
end_makers(const struct host *h, const char *id, const char *runtime)
{
	struct timespec pause = { 0, 5000000 };
	bool found = true;

	for (int tries = 0; found && tries < 400; tries++) {
		DIR *d = opendir("/proc");
		struct dirent *e;

		found = false;
		while (d && (e = readdir(d)))
			if (*e->d_name >= '1' && *e->d_name <= '9' &&
			    works_on(h, e->d_name, id, runtime)) {
				proc_kill_tree((pid_t)atol(e->d_name));
				found = true;
			}
		if (d)
			closedir(d);
		if (found)
			nanosleep(&pause, NULL);
	}
}

int
container_remove(
    const struct host *h, const char *uid, const char *name, unsigned attempt, struct err *err)
{
	autofree char *bundle = host_path(h, "pods/%s/containers/%s-%u", uid, name, attempt);
	autofree char *group = container_cgroup(h, uid, name, attempt);
	autofree char *runtime = runtime_of_bundle(h, bundle), *root = NULL;
	autofree char *exit = NULL, *state = NULL, *attach = NULL;
	struct proc init, monitor;
	char id[40];
	struct err ignored;
	int r;

	container_id(uid, name, attempt, id);
	exit = host_path(h, "run/exits/%s", id);
	root = runtime_state(h, bundle);
	state = xasprintf("%s/%s", root, id);
	attach = host_path(h, "run/attach/%s", id);
	container_processes(h, uid, name, attempt, &init, &monitor);
	if (!init.pid && !file_exists(exit) && file_exists(bundle))
		end_makers(h, id, runtime);
	if ((r = cgroup_remove(&h->cgroups, group, err)) < 0)
		return r;
	/* With the processes and the cgroup gone, this folder is all that the runtime knows. */
	if ((r = tree_remove(state, err)) < 0)
		return r;
	if (monitor.pid && !proc_wait_gone(&monitor, 5))
		proc_signal(&monitor, SIGKILL, &ignored);
	unlink(exit);
	tree_remove(attach, &ignored);
	return tree_remove(bundle, err);
}
