/* Taking the figures. */
#include "node/stats.h"

#include <dirent.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "node/container.h"
#include "node/pod.h"
#include "node/sandbox.h"

enum { FRESH_US = 1000000, STALE_US = 300 * 1000000, FIRST_MS = 200 };

static void
add_container(
    const struct host *h, struct stats_pod *s, const struct pod *p, const struct container *c)
{
	struct stats_container *one;
	struct proc init, monitor;
	char id[40];

	GROW(s->c, s->n, s->cap);
	one = &s->c[s->n++];
	*one = (struct stats_container){ .name = xstrdup(c->name),
		.group = xasprintf("%s/%s-%u", s->group, c->name, c->attempt),
		.image = xstrdup(text(c->spec, "image")),
		.id = xstrdup(container_id(p->uid, c->name, c->attempt, id)),
		.started = c->started };
	usage_of_group(&h->cgroups, one->group, &one->use);
	if (pod_host_network(p->object) || s->init)
		return;
	container_processes(h, p->uid, c->name, c->attempt, &init, &monitor);
	s->init = init.pid;
}

/* Claims by name: of an ephemeral volume POD-VOLUME.  What is in memory was mounted after the
 * server's own mount namespace was made: it is seen through the node's. */
static json_t *
volumes_of(const struct host *h, const struct pod *p)
{
	json_t *list = json_array(), *v;
	size_t i;

	json_array_foreach (get(p->object, "spec", "volumes"), i, v) {
		const char *name = text(v, "name");
		const char *claim = text(v, "persistentVolumeClaim", "claimName");
		autofree char *path = host_path(h, "pods/%s/volumes/%s", p->uid, name);
		json_t *one = json_pack("{s:s, s:s}", "name", name, "path", path);

		if (*text(v, "emptyDir", "medium"))
			json_object_set_new(
			    one, "memory", json_sprintf("/proc/%d/root%s", (int)getppid(), path));
		if (get(v, "ephemeral"))
			json_object_set_new(
			    one, "claim", json_sprintf("%s-%s", meta_name(p->object), name));
		else if (*claim)
			json_object_set_new(one, "claim", json_string(claim));
		json_array_append_new(list, one);
	}
	return list;
}

static void
add_pod(struct stats *s, const struct pod *p, double until)
{
	struct stats_pod *one;

	GROW(s->pod, s->n, s->cap);
	one = &s->pod[s->n++];
	*one = (struct stats_pod){ .uid = xstrdup(p->uid),
		.ns = xstrdup(meta_namespace(p->object)),
		.name = xstrdup(meta_name(p->object)),
		.group = host_cgroup_of(s->host, p->object),
		.started = p->started };
	usage_of_group(&s->host->cgroups, one->group, &one->use);
	one->processes = usage_processes(&s->host->cgroups, one->group);
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].state == RUNNING)
			add_container(s->host, one, p, &p->c[i]);
	if (until <= 0)
		return;
	one->stored = stats_stored(s->host, p, until);
	one->volumes = volumes_of(s->host, p);
}

static void
add_pods(struct stats *s, double until)
{
	autofree char *folder = host_path(s->host, "pods");
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct pod *p = NULL;
		struct err ignored;

		if (e->d_name[0] == '.' || pod_load(&p, s->host, e->d_name, &ignored) < 0)
			continue;
		if (p->sandbox == SANDBOX)
			add_pod(s, p, until);
		pod_free(p);
	}
	if (d)
		closedir(d);
}

/* --- rates ------------------------------------------------------------------------------- */

/* What was seen last, by cgroup: [when, processor time, rate]. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static json_t *seen;

struct looks {
	const struct stats *s;
	json_t *now; /* as `seen`, to replace it */
	bool again;  /* somebody was seen for the first time */
};

static uint64_t
rate(int64_t us, uint64_t before, uint64_t after)
{
	return us <= 0 || after < before ? 0
					 : (uint64_t)((double)(after - before) * 1e6 / (double)us);
}

/* False when it needs another look. */
static bool
look(struct looks *l, const char *group, const struct usage *u, uint64_t *ret)
{
	const json_t *last = json_object_get(seen, group);
	int64_t then = json_integer_value(json_array_get(last, 0)), age = l->s->at - then;

	if (!u->cpu_known)
		return true;
	if (last && age >= 0 && age < FRESH_US) {
		*ret = (uint64_t)json_integer_value(json_array_get(last, 2));
		json_object_set(l->now, group, (json_t *)last);
		return true;
	}
	if (!last || age < 0 || age > STALE_US)
		return false;
	*ret = rate(age, (uint64_t)json_integer_value(json_array_get(last, 1)), u->cpu);
	json_object_set_new(l->now, group,
	    json_pack("[I, I, I]", (json_int_t)l->s->at, (json_int_t)u->cpu, (json_int_t)*ret));
	return true;
}

/* The first look at it was just now: here is the second. */
static void
look_again(struct looks *l, const char *group, const struct usage *u, uint64_t *ret)
{
	int64_t at = clock_now_us();
	struct usage now;

	if (json_object_get(l->now, group) || !u->cpu_known)
		return;
	if (*group)
		usage_of_group(&l->s->host->cgroups, group, &now);
	else
		usage_of_machine(&l->s->host->cgroups, &now);
	if (!now.cpu_known)
		return;
	*ret = rate(at - l->s->at, u->cpu, now.cpu);
	json_object_set_new(l->now, group,
	    json_pack("[I, I, I]", (json_int_t)at, (json_int_t)now.cpu, (json_int_t)*ret));
}

static void
first(struct looks *l, const char *group, const struct usage *u, uint64_t *ret)
{
	l->again = !look(l, group, u, ret) || l->again;
}

static void
each_group(struct stats *s, struct looks *l,
    void (*work)(struct looks *l, const char *group, const struct usage *u, uint64_t *ret))
{
	work(l, "", &s->node, &s->node_rate);
	work(l, s->group, &s->pods, &s->pods_rate);
	for (size_t i = 0; i < s->n; i++) {
		struct stats_pod *p = &s->pod[i];

		work(l, p->group, &p->use, &p->rate);
		for (size_t k = 0; k < p->n; k++)
			work(l, p->c[k].group, &p->c[k].use, &p->c[k].rate);
	}
}

static void
add_rates(struct stats *s)
{
	struct timespec pause = { 0, FIRST_MS * 1000000L };
	struct looks l = { s, json_object(), false };

	pthread_mutex_lock(&lock);
	each_group(s, &l, first);
	if (l.again) {
		nanosleep(&pause, NULL);
		each_group(s, &l, look_again);
	}
	json_decref(seen);
	seen = l.now;
	pthread_mutex_unlock(&lock);
}

void
stats_collect(const struct host *h, int what, struct stats *ret)
{
	*ret = (struct stats){
		.host = h, .at = clock_now_us(), .group = xasprintf("/orch/%s", h->key)
	};
	usage_of_machine(&h->cgroups, &ret->node);
	usage_of_group(&h->cgroups, ret->group, &ret->pods);
	add_pods(ret, what & STATS_DISK ? stats_patience() : 0);
	if (what & STATS_DISK)
		stats_forget(ret);
	if (what & STATS_RATES)
		add_rates(ret);
}

void
stats_release(struct stats *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct stats_pod *p = &s->pod[i];

		for (size_t k = 0; k < p->n; k++) {
			free(p->c[k].name);
			free(p->c[k].group);
			free(p->c[k].image);
			free(p->c[k].id);
		}
		free(p->c);
		json_decref(p->stored);
		json_decref(p->volumes);
		free(p->uid);
		free(p->ns);
		free(p->name);
		free(p->group);
	}
	free(s->pod);
	free(s->group);
	*s = (struct stats){ 0 };
}
