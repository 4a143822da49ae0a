/* emptyDir.sizeLimit on disk: what is written there is counted now and then, and a pod that has
 * more than it may is evicted, as the kubelet's eviction manager does. */
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/agent_state.h"
#include "node/volume.h"

enum { EVERY = 5, SHARE = 20, GRACE = 1 }; /* seconds; one part in so many of our time; seconds */

/* nftw hands on nothing: these are of the forked process that counts. */
static int64_t counted;

static int
count(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path;
	(void)at;
	if (type != FTW_NS) /* a file of several names counts once, when all of them are here */
		counted += (int64_t)st->st_blocks * 512 /
			   (S_ISDIR(st->st_mode) ? 1 : (int64_t)st->st_nlink);
	return 0;
}

static bool
limited(const json_t *pod, const json_t *volume)
{
	const json_t *empty = get(volume, "emptyDir");

	return quantity_value(get(empty, "sizeLimit")) > 0 && !*text(empty, "medium") &&
	       volume_used(pod, text(volume, "name"));
}

static int
do_measure(void *arg, json_t **result, struct err *err)
{
	const struct pod *p = arg;
	json_t *v;
	size_t i;

	*result = json_object();
	json_array_foreach (get(p->object, "spec", "volumes"), i, v) {
		const char *name = text(v, "name");
		autofree char *folder = host_path(p->host, "pods/%s/volumes/%s", p->uid, name);

		if (!limited(p->object, v))
			continue;
		counted = 0;
		if (nftw(folder, count, 64, FTW_PHYS | FTW_MOUNT | FTW_CHDIR) < 0)
			return err_sys(err, errno, "cannot count what is in volume '%s'", name);
		json_object_set_new(*result, name, json_integer(counted));
	}
	return 0;
}

void
measure_due(struct agent *a, struct pod *p, double now, double *wake)
{
	bool any = false;
	struct err err;
	json_t *v;
	size_t i;

	if (!p->wanted || p->stopping || p->job.pid || p->sandbox != SANDBOX || pod_over(p))
		return;
	json_array_foreach (get(p->object, "spec", "volumes"), i, v)
		any = any || limited(p->object, v);
	if (!any)
		return;
	if (p->measure_at == 0)
		p->measure_at = now + EVERY;
	if (p->measure_at > now) {
		*wake = p->measure_at < *wake ? p->measure_at : *wake;
		return;
	}
	p->doing = STEP_MEASURE;
	p->doing_since = now;
	if (job_start(&p->job, do_measure, p, &err) == 0)
		watch(a, p->job.fd);
	else
		measure_done(a, p, -(int)err.code, NULL, &err, now);
}

static void
evict(struct agent *a, struct pod *p, const char *name, const char *limit, double now)
{
	autofree char *amount = quantity_canonical(limit);
	autofree char *message =
	    xasprintf("Usage of EmptyDir volume \"%s\" exceeds the limit \"%s\". ", name,
		amount ? amount : limit);

	text_replace(&p->fail_reason, "Evicted");
	text_replace(&p->fail_message, message);
	if (p->stop_by == 0 || p->stop_by > now + GRACE)
		p->stop_by = now + GRACE;
	p->dirty = true;
	a->wake = 0;
	tell(a, p, "Warning", "Evicted", "%s", message);
}

void
measure_done(
    struct agent *a, struct pod *p, int r, const json_t *sizes, const struct err *err, double now)
{
	double rest = (now - p->doing_since) * SHARE;
	json_t *v;
	size_t i;

	p->measure_at = now + (rest > EVERY ? rest : EVERY);
	if (r < 0) {
		log_line("pod %s: %s", p->label, err->msg);
		return;
	}
	json_array_foreach (get(p->object, "spec", "volumes"), i, v) {
		const char *name = text(v, "name");
		const json_t *limit = get(v, "emptyDir", "sizeLimit");

		if (limited(p->object, v) && !p->fail_reason &&
		    num(get(sizes, name), 0) > quantity_value(limit)) {
			evict(a, p, name, str(limit, ""), now);
			return;
		}
	}
}
