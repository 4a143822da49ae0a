/* Which change of resources is allocated when, and how the cgroups come by it. */
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/quantity.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "node/agent_state.h"
#include "node/container.h"
#include "node/files.h"
#include "node/machine.h"
#include "node/qos.h"
#include "node/resize.h"
#include "node/runtime.h"
#include "node/spec.h"

enum { RETRY = 5 };

/* --- allocating ------------------------------------------------------------------------------- */

static bool
asks(const struct pod *p)
{
	return p->given != p->object && p->wanted && !p->stopping && !p->retired && !pod_over(p);
}

static bool
asks_more(const struct pod *p)
{
	return pod_request(p->given, "cpu") > pod_request(p->object, "cpu") ||
	       pod_request(p->given, "memory") > pod_request(p->object, "memory");
}

/* When it was told to wait; later than anything when it was not. */
static int64_t
waits_since(const struct pod *p)
{
	json_t *c;
	int64_t at;
	size_t i;

	json_array_foreach (get(p->status, "conditions"), i, c)
		if (strcmp(text(c, "type"), "PodResizePending") == 0 &&
		    time_parse(text(c, "lastTransitionTime"), &at))
			return at;
	return INT64_MAX;
}

/* Who asks for less, then by priority, then the guaranteed, then who waits longest. */
static int
by_turn(const void *x, const void *y)
{
	const struct pod *a = *(struct pod *const *)x, *b = *(struct pod *const *)y;
	json_int_t pa = num(get(a->object, "spec", "priority"), 0),
		   pb = num(get(b->object, "spec", "priority"), 0);
	bool ga = strcmp(pod_qos(a->object), "Guaranteed") == 0,
	     gb = strcmp(pod_qos(b->object), "Guaranteed") == 0;
	int64_t wa = waits_since(a), wb = waits_since(b);

	if (asks_more(a) != asks_more(b))
		return asks_more(a) ? 1 : -1;
	if (pa != pb)
		return pa > pb ? -1 : 1;
	if (ga != gb)
		return ga ? -1 : 1;
	return (wa > wb) - (wa < wb);
}

/* What the node can never give; *message: new. */
static bool
infeasible(const struct agent *a, const struct pod *p, char **message)
{
	static const char *const names[] = { "memory", "cpu" };
	const char *source =
	    text(p->given, "metadata", "annotations", "kubernetes.io/config.source");
	json_auto_t *allocatable = machine_allocatable(a->host);

	if (*source && strcmp(source, "api") != 0) {
		*message = xstrdup("In-place resize of static-pods is not supported");
		return true;
	}
	for (size_t i = 0; i < COUNT(names); i++) {
		json_t *there = get(allocatable, names[i]);
		int64_t can = i ? quantity_milli(there) : quantity_value(there);
		int64_t asked = pod_request(p->given, names[i]);

		if (asked <= can)
			continue;
		*message = xasprintf(
		    "Node didn't have enough capacity: %s, requested: %lld, capacity: %lld",
		    names[i], (long long)asked, (long long)can);
		return true;
	}
	return false;
}

/* The resources of all containers, as the kubelet's events have them. */
static char *
summary(const json_t *pod, json_int_t generation, const char *error)
{
	static const char *const lists[] = { "initContainers", "containers" };
	json_auto_t *all = json_object();
	json_t *c;
	size_t i;

	if (get(pod, "spec", "resources"))
		json_object_set(all, "resources", get(pod, "spec", "resources"));
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(pod, "spec", lists[k]), i, c) {
			json_t *resources = get(c, "resources");

			if (!get(all, lists[k]))
				json_object_set_new(all, lists[k], json_array());
			json_array_append_new(get(all, lists[k]),
			    json_pack("{s:s, s:o}", "name", text(c, "name"), "resources",
				resources ? json_incref(resources) : json_object()));
		}
	json_object_set_new(all, "generation", json_integer(generation));
	if (error)
		json_object_set_new(all, "error", json_string(error));
	return json_dumps(all, JSON_COMPACT);
}

static void
allocate(struct agent *a, struct pod *p, double now)
{
	json_auto_t *before = json_incref(p->object);
	struct resize *r = &p->resize, was = *r;
	autofree char *what = NULL;
	struct err err;

	pod_allocate(p, json_incref(p->given));
	r->pending = NULL;
	r->going = true;
	r->going_of = num(get(p->given, "metadata", "generation"), 0);
	r->again = 0;
	if (pod_save(p, &err) < 0) { /* what a restarted node would not know was not promised */
		log_line("cannot record pod %s: %s", p->label, err.msg);
		*r = was;
		r->decide_at = now + RETRY;
		a->wake = r->decide_at < a->wake ? r->decide_at : a->wake;
		pod_allocate(p, json_incref(before));
		pod_record(a, p, now, &err); /* one of its two files may have the new ones */
		return;
	}
	text_replace(&r->why, NULL);
	text_replace(&r->error, NULL);
	what = summary(p->given, r->going_of, NULL);
	tell(a, p, "Normal", "ResizeStarted", "Pod resize started: %s", what);
	a->wake = 0;
}

static void
put_off(struct agent *a, struct pod *p, const char *reason, const char *message)
{
	struct resize *r = &p->resize;
	json_int_t generation = num(get(p->given, "metadata", "generation"), 0);
	autofree char *what = NULL;

	if (r->pending && strcmp(r->pending, reason) == 0 && r->why &&
	    strcmp(r->why, message) == 0 && r->pending_of == generation)
		return;
	r->pending = reason;
	r->pending_of = generation;
	text_replace(&r->why, message);
	p->dirty = true;
	what = summary(p->given, generation, message);
	tell(a, p, "Warning", *reason == 'D' ? "ResizeDeferred" : "ResizeInfeasible",
	    "Pod resize %s: %s", reason, what);
}

static void
decide(struct agent *a, struct pod *p, double now)
{
	autofree char *message = NULL, *full = NULL;

	if (p->resize.decide_at > now) {
		if (p->resize.decide_at < a->wake)
			a->wake = p->resize.decide_at;
		return;
	}
	if (infeasible(a, p, &message))
		put_off(a, p, "Infeasible", message);
	else if ((full = weigh_room(a, p, p->given, &message)))
		put_off(a, p, "Deferred", message);
	else
		allocate(a, p, now);
}

/* Nothing else is asked for than what there is. */
static void
clear(struct pod *p)
{
	if (!p->resize.pending || !p->wanted || p->given != p->object)
		return;
	p->resize.pending = NULL;
	text_replace(&p->resize.why, NULL);
	p->dirty = true;
}

void
resize_decide(struct agent *a, double now)
{
	autofree struct pod **turn = xcalloc(a->n + 1, sizeof *turn);
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		clear(a->pod[i]);
		if (asks(a->pod[i]))
			turn[n++] = a->pod[i];
	}
	qsort(turn, n, sizeof *turn, by_turn);
	for (size_t i = 0; i < n; i++)
		decide(a, turn[i], now);
}

/* --- actuating -------------------------------------------------------------------------------- */

static int64_t
memory_of(const json_t *resources)
{
	return quantity_value(get(resources, "limits", "memory"));
}

/* A limit below what is in use would have the kernel kill: it is not set. */
static void
check_usage(const struct pod *p, const char *group, const char *name, int64_t had, int64_t limit,
    struct buf *errors)
{
	int64_t used;

	if (limit <= 0 || (had > 0 && limit >= had) ||
	    !cgroup_number(&p->host->cgroups, group, "memory", "memory.usage_in_bytes",
		"memory.current", &used) ||
	    used < limit)
		return;
	buf_printf(errors,
	    "%sattempting to set %s%s%s%s memory limit (%lld) below current usage (%lld)",
	    errors->len ? ", " : "", name ? "container " : "pod", name ? "\"" : "",
	    name ? name : "", name ? "\"" : "", (long long)limit, (long long)used);
}

static int
check_memory(const struct pod *p, const char *pod_group, struct cgroup_limits goal, struct err *err)
{
	autobuf struct buf errors = BUF_INIT;
	size_t n = 0;

	if (goal.memory != p->resize.group.memory) {
		check_usage(p, pod_group, NULL, p->resize.group.memory, goal.memory, &errors);
		n = errors.len > 0;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct container *c = &p->c[i];
		autofree char *group = NULL;
		size_t before = errors.len;

		if (!resize_outdated(p, c) || resize_begins_again(p, c))
			continue;
		group = container_cgroup(p->host, p->uid, c->name, c->attempt);
		check_usage(p, group, c->name, memory_of(c->actuated),
		    quantity_value(container_limit(p->object, c->spec, "memory")), &errors);
		n += errors.len > before;
	}
	if (n == 0)
		return 0;
	return err_set(err, ERR_CONFLICT, "cannot decrease memory limits: %s%s%s", n > 1 ? "[" : "",
	    errors.data, n > 1 ? "]" : "");
}

/* To the pod's group; 0 is no bound, which has to be said. */
static int
bound_pod(const struct pod *p, const char *group, struct cgroup_limits l, struct err *err)
{
	l.quota = l.quota ? l.quota : CGROUP_UNLIMITED;
	l.memory = l.memory ? l.memory : CGROUP_UNLIMITED;
	return cgroup_create(&p->host->cgroups, group, &l, err);
}

/* By the runtime: how it turns requests into weights is its own. */
static int
update(const struct pod *p, const struct container *c, struct err *err)
{
	json_auto_t *to = resources_make(p->object, c->spec, &p->host->cgroups);
	autofree char *bundle =
	    host_path(p->host, "pods/%s/containers/%s-%u", p->uid, c->name, c->attempt);
	autofree char *file = xasprintf("%s/update.json", bundle);
	autobuf struct buf b = BUF_INIT;
	const char *args[] = { "update", "--resources", file, NULL, NULL };
	char id[40];
	int r;

	json_object_del(to, "devices");
	json_object_del(to, "hugepageLimits");
	if (!get(to, "cpu", "quota") && get(c->actuated, "limits", "cpu"))
		put(to, json_integer(-1), "cpu", "quota");
	if (!get(to, "memory", "limit") && get(c->actuated, "limits", "memory"))
		put(to, json_integer(-1), "memory", "limit");
	json_add(&b, to);
	if ((r = file_write(file, b.data, b.len, 0600, err)) < 0)
		return r;
	args[3] = container_id(p->uid, c->name, c->attempt, id);
	return runtime_run(p->host, bundle, args, NULL, p->host->o.runtime_timeout, err);
}

static bool
shrinks(const struct pod *p, const struct container *c)
{
	json_auto_t *to = resize_effective(p->object, c->spec);

	return memory_of(to) < memory_of(c->actuated) ||
	       quantity_milli(get(to, "limits", "cpu")) <
		   quantity_milli(get(c->actuated, "limits", "cpu"));
}

/* Those that give something back first. */
static int
update_all(const struct pod *p, json_t *done, struct err *err)
{
	bool private = false;
	int r;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < p->n; i++) {
			const struct container *c = &p->c[i];

			if (!resize_outdated(p, c) || resize_begins_again(p, c) ||
			    shrinks(p, c) == pass)
				continue;
			if (!private && (r = host_private_mounts(p->host, err)) < 0)
				return r;
			private = true;
			if ((r = update(p, c, err)) < 0)
				return err_wrap(err, "container '%s'", c->name);
			json_array_append_new(done, json_string(c->name));
		}
	return 0;
}

/* The pod's group is the larger while its containers change. */
static int
do_resize(void *arg, json_t **result, struct err *err)
{
	const struct pod *p = arg;
	autofree char *group = host_cgroup_of(p->host, p->object);
	struct cgroup_limits goal = resize_goal(p), now = resize_most(p->resize.group, goal);
	json_t *done = json_array();
	int r;

	if ((r = bound_pod(p, group, now, err)) == 0 &&
	    (r = check_memory(p, group, goal, err)) == 0 && (r = update_all(p, done, err)) == 0 &&
	    (r = bound_pod(p, group, goal, err)) == 0)
		now = goal;
	*result = json_pack("{s:o, s:[I, I, I]}", "done", done, "group", (json_int_t)now.shares,
	    (json_int_t)now.quota, (json_int_t)now.memory);
	if (r < 0) {
		json_t *message = json_string(err->msg);

		json_object_set_new(
		    *result, "error", message ? message : json_string("unprintable error"));
	}
	return 0;
}

int
resize_begin(struct pod *p, double now, struct err *err)
{
	json_decref(p->resize.doing);
	p->resize.doing = json_incref(p->object);
	p->resize.again = now + RETRY; /* when no process is to be had */
	return job_start(&p->job, do_resize, p, err);
}

/* What it was told, which need not be what is allocated by now. */
static void
note(struct pod *p, const char *name)
{
	static const char *const lists[] = { "initContainers", "containers" };
	json_t *spec;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(p->resize.doing, "spec", lists[k]), i, spec)
			for (size_t n = 0; n < p->n && strcmp(text(spec, "name"), name) == 0; n++) {
				struct container *c = &p->c[n];
				if (strcmp(c->name, name) != 0 || c->state != RUNNING)
					continue;
				json_decref(c->actuated);
				c->actuated = resize_effective(p->resize.doing, spec);
			}
}

void
resize_done(
    struct agent *a, struct pod *p, int r, const json_t *result, const struct err *err, double now)
{
	const json_t *group = get(result, "group");
	const char *error = r < 0 ? err->msg : text(result, "error");
	struct err failure;
	json_t *name;
	size_t i;

	p->dirty = true;
	if (group)
		p->resize.group =
		    (struct cgroup_limits){ .shares = num(json_array_get(group, 0), 0),
			    .quota = num(json_array_get(group, 1), 0),
			    .memory = num(json_array_get(group, 2), 0) };
	json_array_foreach (get(result, "done"), i, name)
		note(p, str(name, ""));
	json_decref(p->resize.doing);
	p->resize.doing = NULL;
	if (pod_save(p, &failure) < 0)
		log_line("cannot record pod %s: %s", p->label, failure.msg);
	if (!*error) {
		text_replace(&p->resize.error, NULL);
		p->resize.again = 0;
		return;
	}
	p->resize.again = now + RETRY;
	if (!p->resize.error || strcmp(p->resize.error, error) != 0) {
		autofree char *what = summary(p->object, p->resize.going_of, error);

		text_replace(&p->resize.error, error);
		tell(a, p, "Warning", "ResizeError", "Pod resize error: %s", what);
	}
}

/* Its resizePolicy will have it so; or its image was changed, and the node ended meanwhile. */
void
resize_again(struct agent *a, struct pod *p, struct container *c, double now)
{
	begin_again(
	    a, p, c, resize_begins_again(p, c) ? "resize requires restart" : RESPEC_AGAIN, now);
}

void
resize_settle(struct agent *a, struct pod *p, double now)
{
	autofree char *what = NULL;

	if (!p->resize.going || p->job.pid || resize_missing(p))
		return;
	p->resize.going = false;
	text_replace(&p->resize.error, NULL);
	p->dirty = true;
	what = summary(p->object, p->resize.going_of, NULL);
	tell(a, p, "Normal", "ResizeCompleted", "Pod resize completed: %s", what);
	if (p->renew_at > 0)
		p->renew_at = now; /* files with fields of it */
	a->wake = 0;
}
