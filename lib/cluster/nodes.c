/* What a cluster's nodes need, and what they leave. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cluster/cluster.h"

static bool
in_path(const char *name)
{
	static const char usual[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	const char *path = getenv("PATH");
	autofree char *folders = NULL;

	if (strchr(name, '/'))
		return access(name, X_OK) == 0;
	folders = xasprintf("%s:%s", path ? path : "", usual);
	for (char *rest = folders, *folder; (folder = strsep(&rest, ":"));) {
		autofree char *file = xasprintf("%s/%s", folder, name);

		if (*folder && access(file, X_OK) == 0)
			return true;
	}
	return false;
}

static void
lacks(struct buf *list, const char *what)
{
	buf_printf(list, "%s%s", list->len ? ", " : "", what);
}

/* As orch-node finds them; it also tries whether the runtime works. */
int
cluster_needs(const struct cluster *c, const char *runtime, struct err *err)
{
	static const char *const plugins[] = { "ptp", "host-local" };
	const char *cni =
	    access("/usr/lib/cni/ptp", F_OK) == 0 || access("/opt/cni/bin/ptp", F_OK) < 0
		? "/usr/lib/cni"
		: "/opt/cni/bin";
	autobuf struct buf list = BUF_INIT;

	if (c->nodes == 0)
		return 0;
	if (!in_path("ip"))
		lacks(&list, "ip");
	if (!in_path("conmon"))
		lacks(&list, "conmon");
	if (runtime && !in_path(runtime))
		lacks(&list, runtime);
	if (!runtime && !in_path("crun") && !in_path("runc"))
		lacks(&list, "crun (or runc)");
	for (size_t i = 0; i < COUNT(plugins); i++) {
		autofree char *file = xasprintf("%s/%s", cni, plugins[i]);

		if (access(file, X_OK) < 0)
			lacks(&list, file);
	}
	if (list.len)
		return err_set(err, ERR_UNAVAILABLE, "these programs are missing: %s", list.data);
	return 0;
}

int
cluster_clean_nodes(const struct cluster *c, struct err *err)
{
	autofree char *prog = proc_sibling("orch-node");
	int r = 0;

	for (int i = 1; i <= c->nodes; i++) {
		autofree char *dir = xasprintf("%s/node-%d", c->dir, i);
		const char *argv[] = { prog, "--data", dir, "--clean", NULL };

		if (access(dir, F_OK) == 0 && proc_run(argv, NULL, NULL, err) < 0) {
			err_wrap(err, "cannot clean up node-%d", i);
			r = -(int)err->code;
		}
	}
	return r;
}
