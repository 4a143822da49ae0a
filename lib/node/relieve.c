/*
 * What is short is looked at every 10 seconds: the Node's conditions, and who must go.  Of memory
 * and process ids a pod goes at once; on the disk room is made first, of what nobody needs: logs of
 * containers that have ended, images that no pod uses.  That, and counting what pods store, is a
 * job of its own.
 */
#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/agent_state.h"
#include "node/evict.h"
#include "node/image_collect.h"
#include "node/stored.h"

/* Seconds: between looks; for images to go; for counting; for a pod that goes to be gone.  And one
 * part in so many of our time is for the job. */
enum { LOOK_EVERY = 10, COLLECT = 15, COUNTING = 30, GOING = 30, SHARE = 5 };

/* --- making room: in a process of its own --------------------------------------------------- */

/* All logs of a container, or those of runs before this one: N.log, and what was put aside of it.
 */
static void
drop_logs(const struct host *h, const struct pod *p, const struct container *c, bool all)
{
	autofree char *folder = host_path(h, "log/pods/%s_%s_%s/%s", meta_namespace(p->object),
	    meta_name(p->object), p->uid, c->name);
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *end;
		unsigned long run = strtoul(e->d_name, &end, 10);

		if (end != e->d_name && text_starts(end, ".log") && (all || run < c->restarts))
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

static int
do_collect(void *arg, json_t **result, struct err *err)
{
	const struct agent *a = arg;
	struct collect_rules rules = { .min_age = a->host->o.collect.min_age };
	struct collected did;

	(void)result;
	return images_collect(a->host->images, &rules, (double)clock_now(), &did, err);
}

/* Images wait for a pull that goes on; it may be the one that filled the disk. */
static void
collect(const struct agent *a)
{
	double until = clock_monotonic() + COLLECT, left;
	struct job j;
	struct err err;

	if (job_start(&j, do_collect, (void *)(uintptr_t)a, &err) < 0)
		return;
	while ((left = until - clock_monotonic()) > 0) {
		struct pollfd fd = { .fd = j.fd, .events = POLLIN };

		if (poll(&fd, 1, (int)(left * 1000) + 1) == 1 && job_read(&j)) {
			job_end(&j, NULL, &err);
			return;
		}
	}
	job_kill(&j);
}

/* Still short of room?  The strains are this process's own. */
static bool
still_short(struct agent *a)
{
	struct pressure is;
	bool any = false;

	pressure_look(a->host, &is);
	for (int s = 0; s < SIGNALS; s++) {
		pressure_judge(
		    &a->host->o.reserve, &is, (enum signal_of)s, a->strain, now_seconds());
		for (int u = 0; u < URGENCIES; u++)
			any = any || (pressure_of_disk((enum signal_of)s) && a->strain[u][s].due);
	}
	return any;
}

static int
do_relieve(void *arg, json_t **result, struct err *err)
{
	struct agent *a = arg;
	double until;
	size_t left = 0;
	json_t *all;

	(void)err;
	for (size_t i = 0; i < a->n; i++) {
		const struct pod *p = a->pod[i];
		bool over = pod_over(p) && p->sandbox != SANDBOX;

		for (size_t k = 0; k < p->n; k++)
			drop_logs(a->host, p, &p->c[k], over);
	}
	collect(a);
	if (!still_short(a))
		return 0;
	all = json_object();
	until = clock_monotonic() + COUNTING;
	for (size_t i = 0; i < a->n; i++)
		left += uses_resources(a->pod[i]);
	for (size_t i = 0; i < a->n; i++) {
		double now = clock_monotonic();

		if (uses_resources(a->pod[i])) /* each has its share of the time that is left */
			json_object_set_new(all, a->pod[i]->uid,
			    stored_of(a->host, a->pod[i], now + (until - now) / (double)left--));
	}
	*result = all;
	return 0;
}

void
relief_done(struct agent *a)
{
	double now = now_seconds();
	json_auto_t *stored = NULL;
	struct pressure is;
	struct pod *p;
	struct err err;
	int r;

	unwatch(a, a->relief.fd);
	r = job_end(&a->relief, &stored, &err);
	a->relief_at = now + (now - a->relief_since) * SHARE;
	a->wake = 0;
	if (r < 0) {
		log_line("cannot make room: %s", err.msg);
		return;
	}
	if (!json_is_object(stored)) {
		log_line("there is room again, and no pod has to go");
		return;
	}
	pressure_look(a->host, &is);
	if ((p = evict_choose(a, a->relief_of, stored)))
		evict_pod(a, p, a->relief_of, a->relief_urgency, &is, stored, now);
}

static bool
begin_relief(struct agent *a, enum signal_of s, int urgency, double now)
{
	struct err err;

	if (a->relief.pid || (now < a->relief_at && a->relief_at < now + 3600))
		return false;
	a->relief_of = s;
	a->relief_urgency = urgency;
	a->relief_since = now;
	if (job_start(&a->relief, do_relieve, a, &err) < 0) {
		log_line("cannot make room: %s", err.msg);
		return false;
	}
	watch(a, a->relief.fd);
	return true;
}

/* --- looking -------------------------------------------------------------------------------- */

/* One that was told to go is still there: what it gives back is not to be seen yet. */
static bool
one_is_going(const struct agent *a, double now)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->pod[i]->fail_reason && strcmp(a->pod[i]->fail_reason, "Evicted") == 0 &&
		    a->pod[i]->sandbox == SANDBOX && now < a->pod[i]->stop_by + GOING)
			return true;
	return false;
}

static void
node_event(struct agent *a, const char *type, const char *reason, const char *message)
{
	log_line("%s: %s", reason, message);
	if (a->hooks.node_event)
		a->hooks.node_event(a->hooks.arg, type, reason, message);
}

static void
tell_conditions(struct agent *a, double now)
{
	static const char *const names[CONDITIONS][2] = {
		[MEMORY_PRESSURE] = { "NodeHasSufficientMemory", "NodeHasInsufficientMemory" },
		[DISK_PRESSURE] = { "NodeHasNoDiskPressure", "NodeHasDiskPressure" },
		[PID_PRESSURE] = { "NodeHasSufficientPID", "NodeHasInsufficientPID" },
	};

	for (int i = 0; i < CONDITIONS; i++) {
		bool felt = pressure_felt(a->host, (enum condition_of)i, (int64_t)now);
		autofree char *message = NULL;

		if (felt == a->felt[i])
			continue;
		a->felt[i] = felt;
		message = xasprintf("Node %s status is now: %s", a->host->o.name, names[i][felt]);
		node_event(a, "Normal", names[i][felt], message);
	}
}

/* True when somebody goes, or room is being made. */
static bool
act(struct agent *a, enum signal_of s, int urgency, const struct pressure *is, double now)
{
	autofree char *message = xasprintf("Attempting to reclaim %s", evict_resource(s));
	struct pod *p;

	if (pressure_of_disk(s)) {
		if (!begin_relief(a, s, urgency, now))
			return false;
		node_event(a, "Warning", "EvictionThresholdMet", message);
		return true;
	}
	node_event(a, "Warning", "EvictionThresholdMet", message);
	if (!(p = evict_choose(a, s, NULL)))
		return false;
	evict_pod(a, p, s, urgency, is, NULL, now);
	return true;
}

/* The first look is for the Node's conditions alone: what pods use is not known yet. */
static void
look(struct agent *a, bool first, double now)
{
	static const enum signal_of order[] = { MEMORY_AVAILABLE, NODEFS_AVAILABLE, NODEFS_INODES,
		IMAGEFS_AVAILABLE, IMAGEFS_INODES, PID_AVAILABLE };
	struct pressure is;
	bool done;

	pressure_look(a->host, &is);
	for (int s = 0; s < SIGNALS; s++)
		if (pressure_judge(&a->host->o.reserve, &is, (enum signal_of)s, a->strain, now))
			a->host->pressed[s] = (int64_t)now;
	tell_conditions(a, now);
	done = first || a->relief.pid || one_is_going(a, now);
	for (size_t i = 0; i < COUNT(order) && !done; i++)
		for (int u = 0; u < URGENCIES && !done; u++)
			done = a->strain[u][order[i]].due && act(a, order[i], u, &is, now);
}

void
evict_due(struct agent *a, double now, double *wake)
{
	bool first = a->look_at == 0, watched = false;

	for (int u = 0; u < URGENCIES; u++)
		for (size_t i = 0; i < SIGNALS; i++)
			watched = watched || a->host->o.reserve.at[u][i].set;
	if (!watched)
		return;
	if (now >= a->look_at || a->look_at > now + LOOK_EVERY) {
		a->look_at = now + LOOK_EVERY;
		look(a, first, now);
	}
	if (a->look_at < *wake)
		*wake = a->look_at;
}
