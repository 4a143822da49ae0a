/* What the runtime would be told of a pod by hand. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "kubelet/byhand.h"
#include "kubelet/given.h"
#include "node/bundle.h"
#include "node/files.h"
#include "node/job.h"
#include "node/objects.h"
#include "node/volume.h"

static json_t *
sources_of(const json_t *pod, const struct world *world)
{
	json_t *sources = pod_sources(pod), *ignored;
	const char *key;
	void *tmp;

	do {
		json_object_foreach_safe(sources, tmp, key, ignored)
		{
			autofree char *kind = xstrndup(key, strcspn(key, "/"));
			bool global = strcmp(kind, "PersistentVolume") == 0;
			const json_t *obj = world_get(world, kind,
			    global ? "" : meta_namespace(pod), key + strcspn(key, "/") + 1);

			if (obj)
				json_object_set(sources, key, (json_t *)obj);
		}
	} while (sources_further(sources, pod));
	return sources;
}

/* For this process alone an empty folder stands where the pod's is, or would be: the paths are
 * right and nothing is touched. */
static int
hide(const struct byhand *b, struct err *err)
{
	int r = mkdir_all(b->folder, 0711, err);

	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("orch", b->folder, "tmpfs", 0, "mode=0711") < 0)
		return err_sys(err, errno, "cannot mount '%s'", b->folder);
	return 0;
}

static int
describe(const struct byhand *b, const struct host_options *options, const json_t *pod,
    const struct world *world, const json_t *container, json_t **config, struct err *err)
{
	struct host_options o = *options;
	json_auto_t *sources = sources_of(pod, world);
	struct host *host;
	struct start s;
	int r;

	o.name = meta_name(pod);
	o.data = b->folder;
	o.pod_cidr = "10.85.0.0/28";
	if ((r = host_open(&host, &o, err)) < 0)
		return r;
	s = (struct start){ host, pod, container, sources, "10.85.0.2", 0, 0 };
	r = job_wait(bundle_describe, &s, config, err);
	host_close(host);
	return r;
}

int
byhand_bundle(const char *root, const struct host_options *o, json_t *pod, struct world *world,
    const json_t *container, json_t **config, struct err *err)
{
	struct byhand b;
	char name[512];
	bool fresh;
	int r;

	byhand_name(pod, name);
	pod_complete(pod, meta_name(pod));
	given_bind(world, pod);
	if ((r = byhand_find(&b, root, name, err)) < 0)
		return r;
	fresh = !byhand_exists(&b);
	if ((r = hide(&b, err)) == 0)
		r = describe(&b, o, pod, world, container, config, err);
	umount2(b.folder, MNT_DETACH);
	if (fresh)
		rmdir(b.folder);
	byhand_release(&b);
	return r;
}
