/* A node that starts finds what the one before it left: pods to go on with, and remains to remove.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/agent_state.h"
#include "node/container.h"
#include "node/files.h"
#include "node/sandbox.h"
#include "node/scratch.h"

/* Until the first probe of this node says otherwise, what the last one found holds: a service does
 * not lose its endpoints because a node is restarted. */
static void
keep_verdicts(const struct pod *p, struct container *c, double now)
{
	static const char *const lists[] = { "containerStatuses", "initContainerStatuses" };
	json_t *one;
	size_t i;

	for (int w = 0; w < PROBES; w++)
		probe_reset(&c->probes[w], NULL, now);
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(p->status, lists[k]), i, one)
			if (strcmp(text(one, "name"), c->name) == 0) {
				c->probes[STARTUP].good = truth(get(one, "started"));
				c->probes[READINESS].good = truth(get(one, "ready"));
			}
	c->probes[LIVENESS].good = true;
	c->probes[LIVENESS].decided = true;
}

void
work_found(struct agent *a, struct pod *p, struct container *c, bool unhooked)
{
	json_auto_t *result = NULL;

	if (c->state != WAITING || !c->begun || p->sandbox != SANDBOX ||
	    !(result = container_launched(a->host, p->uid, c->name, c->attempt)) ||
	    !(unhooked || truth(get(result, "hooked"))))
		return;
	p->doing_since = c->begun_at;
	p->dirty = true;
	work_started(a, p, c, result, now_seconds());
}

/* What became of a container that ran when the record was written? */
static void
adopt_container(struct agent *a, struct pod *p, struct container *c)
{
	if (c->state != RUNNING) { /* a start cut short is made again under the same number */
		work_found(a, p, c, false);
		return;
	}
	container_processes(a->host, p->uid, c->name, c->attempt, &c->init, &c->monitor);
	keep_verdicts(p, c, now_seconds());
	if (c->monitor.pid)
		work_watch(a, c);
	if (c->monitor_fd < 0)
		work_exit(a, p, c);
	else
		log_line("pod %s: container '%s' is still running", p->label, c->name);
}

/* Its namespaces have gone (a reboot): what is left of it cannot be used again.  Who makes the next
 * sandbox, and the next attempts, clears it away: not here, where all pods would wait for it. */
static void
lose_sandbox(struct pod *p)
{
	log_line("pod %s: its sandbox has gone, making a new one", p->label);
	for (size_t i = 0; i < p->n; i++) {
		struct container *c = &p->c[i];

		if (c->state == RUNNING) {
			container_ended(p, c, 137, (double)clock_now());
			text_replace(&c->reason, "ContainerStatusUnknown");
		}
	}
	p->sandbox = NO_SANDBOX;
	text_replace(&p->ip, NULL);
	pod_rewind(p);
}

/* Everything of a pod by its folder alone. */
static int
remove_pod(const struct host *h, const char *uid, struct err *err)
{
	autofree char *containers = host_path(h, "pods/%s/containers", uid),
		      *folder = host_path(h, "pods/%s", uid);
	DIR *d = opendir(containers);
	struct dirent *e;
	int r = 0;

	while (r == 0 && d && (e = readdir(d))) {
		char *dash = strrchr(e->d_name, '-');

		if (e->d_name[0] == '.' || !dash)
			continue;
		*dash = '\0';
		r = container_remove(h, uid, e->d_name, (unsigned)strtoul(dash + 1, NULL, 10), err);
	}
	if (d)
		closedir(d);
	if (r < 0 || (r = sandbox_down(h, uid, err)) < 0)
		return r;
	return tree_remove(folder, err);
}

static void
adopt_pod(struct agent *a, const char *uid)
{
	struct pod *p;
	struct err err;

	if (pod_load(&p, a->host, uid, &err) < 0) {
		log_line("removing what is left of pod '%s': %s", uid, err.msg);
		if (remove_pod(a->host, uid, &err) < 0)
			log_line("cannot remove pod '%s': %s", uid, err.msg);
		return;
	}
	GROW(a->pod, a->n, a->cap);
	a->pod[a->n++] = p;
	if (p->sandbox == SANDBOX && !sandbox_alive(a->host, p->object))
		lose_sandbox(p);
	for (size_t i = 0; i < p->n; i++)
		adopt_container(a, p, &p->c[i]);
}

static int
each_pod(const struct host *h, void (*work)(void *arg, const char *uid), void *arg, struct err *err)
{
	autofree char *pods = host_path(h, "pods");
	DIR *d = opendir(pods);
	struct dirent *e;

	if (!d)
		return err_sys(err, errno, "cannot read '%s'", pods);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			work(arg, e->d_name);
	closedir(d);
	return 0;
}

static void
adopt_one(void *arg, const char *uid)
{
	adopt_pod(arg, uid);
}

int
agent_adopt(struct agent *a, struct err *err)
{
	return each_pod(a->host, adopt_one, a, err);
}

/* --- removing all of it ---------------------------------------------------------------- */

struct cleaning {
	const struct host *host;
	int r;
	struct err *err; /* of the first failure */
};

static void
clean_one(void *arg, const char *uid)
{
	struct cleaning *c = arg;
	struct err err;
	int r = remove_pod(c->host, uid, &err);

	if (r < 0 && c->r == 0) {
		c->r = r;
		*c->err = err;
	}
}

/* Network plugins take their parameters from the environment: not from ours. */
static int
clean(void *arg, json_t **result, struct err *err)
{
	const struct host *h = arg;
	autofree char *group = xasprintf("/orch/%s", h->key), *run = host_path(h, "run"),
		      *cni = host_path(h, "cni");
	struct cleaning c = { h, 0, err };
	int r;

	(void)result;
	if ((r = each_pod(h, clean_one, &c, err)) < 0 || (r = c.r) < 0)
		return r;
	if ((r = cgroup_remove(&h->cgroups, group, err)) < 0 || (r = tree_remove(cni, err)) < 0)
		return r;
	cgroup_remove_empty(&h->cgroups, "/orch");
	if ((r = scratch_remove(h, err)) < 0)
		return r;
	return tree_remove(run, err);
}

int
agent_clean(struct host *host, struct err *err)
{
	return job_wait(clean, host, NULL, err);
}
