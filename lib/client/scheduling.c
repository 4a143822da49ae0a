#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "client/cache.h"
#include "client/outside.h"
#include "client/scheduling.h"
#include "control/map.h"

enum { BATCH = 64, FLUSH_SECONDS = 300, LONGEST_BACKOFF = 10 };

/* A pending pod: when it may next be tried. */
struct waiting {
	char *ns, *name;
	double due;	/* monotonic */
	double tried;	/* when it last was; 0: never */
	unsigned fails; /* since it first came */
	bool parked;	/* fitted nowhere: a change may help it */
};

struct scheduling {
	struct client *client;
	const struct scheduling_options *options;
	struct cache *cache;
	struct scheduler *scheduler;
	struct map waiting;   /* "ns/name" -> struct waiting */
	const json_t **ready; /* due pods in their order; borrowed from the cache's world */
	size_t nready, at;
	bool moved;	     /* `ready` no longer is what is due */
	double silent_until; /* the server does not answer: nobody is tried before */
	struct outside outside;
	struct metric *scheduled, *unschedulable, *errors, *pending, *busy;
};

/* --- who waits ------------------------------------------------------------- */

static struct waiting *
wait_for(struct scheduling *s, const json_t *pod)
{
	autofree char *key = xasprintf("%s/%s", meta_namespace(pod), meta_name(pod));
	struct map_slot *slot = map_at(&s->waiting, key, strlen(key));
	struct waiting *w = slot->value;

	if (!w) {
		w = slot->value = xcalloc(1, sizeof *w);
		w->ns = xstrdup(meta_namespace(pod));
		w->name = xstrdup(meta_name(pod));
	}
	return w;
}

static void
waiting_free(void *arg)
{
	struct waiting *w = arg;

	if (!w)
		return;
	free(w->ns);
	free(w->name);
	free(w);
}

static void
wait_no_more(struct scheduling *s, const char *ns, const char *name)
{
	autofree char *key = xasprintf("%s/%s", ns, name);

	waiting_free(map_take(&s->waiting, key, strlen(key)));
}

static double
backoff(const struct waiting *w)
{
	double pause = 1;

	for (unsigned i = 1; i < w->fails && pause < LONGEST_BACKOFF; i++)
		pause *= 2;
	return pause < LONGEST_BACKOFF ? pause : LONGEST_BACKOFF;
}

/* Something changed that may make room: whoever found none may try again. */
static void
unpark(struct scheduling *s)
{
	for (size_t i = 0; i < s->waiting.cap; i++) {
		struct waiting *w = s->waiting.slot[i].key ? s->waiting.slot[i].value : NULL;

		if (!w || !w->parked)
			continue;
		w->parked = false;
		w->due = w->tried + backoff(w);
		s->moved = true;
	}
}

/* --- changes ----------------------------------------------------------------- */

static void
pod_changed(struct scheduling *s, const json_t *pod, const json_t *old, bool gone)
{
	const char *ns = meta_namespace(pod), *name = meta_name(pod);
	bool freed =
	    gone ? scheduler_pod_gone(s->scheduler, ns, name) : scheduler_pod(s->scheduler, pod);
	struct waiting *w;

	s->moved = true; /* the world has other objects now than `ready` */
	if (freed)
		unpark(s);
	if (gone || !schedule_wants(s->scheduler, pod)) {
		wait_no_more(s, ns, name);
		return;
	}
	w = wait_for(s, pod);
	/* its own status changes do not hurry it, a new spec does */
	if (w->parked && old && !json_equal(get(old, "spec"), get(pod, "spec"))) {
		w->parked = false;
		w->due = 0;
	}
}

static void
changed(void *arg, const char *type, const json_t *obj, const json_t *old)
{
	struct scheduling *s = arg;
	const char *kind = text(obj, "kind");
	bool gone = strcmp(type, "DELETED") == 0;

	if (strcmp(kind, "Pod") == 0) {
		pod_changed(s, obj, old, gone);
	} else if (strcmp(kind, "Namespace") == 0) {
		scheduler_namespace(s->scheduler, obj);
	} else if (gone) {
		scheduler_node_gone(s->scheduler, meta_name(obj));
		unpark(s);
	} else if (scheduler_node(s->scheduler, obj)) {
		unpark(s);
	}
}

/* --- one pod ----------------------------------------------------------------- */

/* Carry out what was planned.  Events are only told: their failure is no reason to try again. */
static int
act(struct scheduling *s, const struct plan *plan, struct err *err)
{
	size_t i;
	json_t *action;

	json_array_foreach (plan->actions, i, action) {
		bool event = strcmp(text(action, "action"), "event") == 0;
		struct err ignored;
		int r = client_act(s->client, action, false, NULL, event ? &ignored : err);

		if (r < 0 && !event)
			return r;
	}
	return 0;
}

static void
failed(struct scheduling *s, struct waiting *w, const char *called, const struct err *err)
{
	bool hasty = err->code == ERR_CONFLICT && w->fails == 0;

	scheduler_forget(s->scheduler, w->ns, w->name);
	metric_add(s->errors, 1);
	s->moved = true;
	if (err->code == ERR_UNAVAILABLE) { /* no fault of the pod's */
		log_line("%s: %s", called, err->msg);
		s->silent_until = clock_monotonic() + 1;
		return;
	}
	if (!hasty)
		log_line("%s: cannot be scheduled: %s", called, err->msg);
	w->fails++;
	w->parked = false;
	w->due = hasty ? 0 : w->tried + backoff(w);
}

static void
place_one(struct scheduling *s, struct waiting *w, const json_t *pod)
{
	const struct world *world = cache_world(s->cache);
	autofree char *ref = meta_ref(pod);
	autofree char *called = xasprintf("pod %s/%s", w->ns, w->name);
	json_auto_t *why = NULL;
	struct plan plan;
	const char *node;
	struct err err;
	int64_t began = clock_now_us();
	int r;

	plan_init(&plan, "schedule", ref);
	node = schedule_pod(s->scheduler, world, pod, &plan, s->options->explained ? &why : NULL);
	metric_add(s->busy, clock_now_us() - began);
	if (why)
		s->options->explained(why);
	w->tried = clock_monotonic();
	r = act(s, &plan, &err);
	if (r < 0) {
		failed(s, w, called, &err);
	} else if (node) {
		log_line("%s: bound to %s", called, node);
		metric_add(s->scheduled, 1);
		wait_no_more(s, meta_namespace(pod), meta_name(pod));
	} else {
		if (json_array_size(plan.actions) > 0)
			log_line("%s: %s", called, text(json_array_get(plan.actions, 0), "reason"));
		metric_add(s->unschedulable, 1);
		w->fails++;
		w->parked = true;
		w->due = w->tried + FLUSH_SECONDS;
	}
	plan_release(&plan);
}

/* --- rounds -------------------------------------------------------------------- */

/* Those that are due, most urgent first. */
static void
gather(struct scheduling *s)
{
	double now = clock_monotonic();
	const json_t **all;
	size_t n, kept = 0;

	free(s->ready);
	all = schedule_pending(s->scheduler, cache_world(s->cache), &n);
	for (size_t i = 0; i < n; i++)
		if (wait_for(s, all[i])->due <= now)
			all[kept++] = all[i];
	s->ready = all;
	s->nready = kept;
	s->at = 0;
	s->moved = false;
}

static void
round_of(struct scheduling *s)
{
	if (s->silent_until > clock_monotonic())
		return;
	s->silent_until = 0;
	if (s->moved || s->at >= s->nready)
		gather(s);
	world_set_now(cache_world(s->cache), clock_now());
	for (int i = 0; i < BATCH && s->at < s->nready && s->silent_until == 0; i++) {
		const json_t *pod = s->ready[s->at++];

		place_one(s, wait_for(s, pod), pod);
	}
	metric_set(s->pending, (int64_t)s->waiting.n);
}

/* Seconds until somebody is due; -1: nobody waits. */
static double
idle(const struct scheduling *s)
{
	double first = -1, now = clock_monotonic();

	if (!cache_synced(s->cache))
		return -1;
	if (s->silent_until > now)
		return s->silent_until - now;
	for (size_t i = 0; i < s->waiting.cap; i++) {
		const struct waiting *w = s->waiting.slot[i].key ? s->waiting.slot[i].value : NULL;
		double left = w ? w->due - now : 0;

		if (w && (first < 0 || left < first))
			first = left > 0 ? left : 0;
	}
	return first;
}

static int
run(struct scheduling *s, struct err *err)
{
	bool said = false;
	int r;

	for (;;) {
		bool busy = s->at < s->nready && !s->moved;
		double wait = busy && s->silent_until == 0 ? 0 : idle(s);

		if ((r = cache_wait(s->cache, wait, s->outside.fd, err)) < 0)
			return r;
		if (outside_ends(&s->outside))
			return 0;
		if (!cache_synced(s->cache))
			continue;
		if (!said)
			log_line("ready, %zu nodes", scheduler_nodes(s->scheduler));
		said = true;
		round_of(s);
	}
}

/* --- setting up ------------------------------------------------------------------ */

static void
figures(struct scheduling *s)
{
	static const char attempts[] = "orch_schedule_attempts_total", help[] = "Decisions made.";

	s->scheduled = metric_new(attempts, "counter", help, "result=\"scheduled\"");
	s->unschedulable = metric_new(attempts, "counter", help, "result=\"unschedulable\"");
	s->errors = metric_new(attempts, "counter", help, "result=\"error\"");
	s->pending =
	    metric_new("orch_schedule_pending", "gauge", "Pods that wait for a node.", NULL);
	s->busy =
	    metric_new("orch_schedule_busy_seconds_total", "counter", "Time spent deciding.", NULL);
}

static int
setup(struct scheduling *s, struct err *err)
{
	static const char *const kinds[] = { "Namespace", "Node", "Pod" };
	int r;

	if ((r = outside_open(&s->outside, s->client, s->options->metrics, err)) < 0 ||
	    (r = cache_open(&s->cache, s->client, err)) < 0)
		return r;
	for (size_t i = 0; i < COUNT(kinds); i++)
		if ((r = cache_add(s->cache, kind_find("", "v1", kinds[i]), NULL, NULL, err)) < 0)
			return r;
	cache_on_change(s->cache, changed, s);
	figures(s);
	return 0;
}

static void
teardown(struct scheduling *s)
{
	outside_close(&s->outside, s->client);
	free(s->ready);
	map_release(&s->waiting, waiting_free);
	scheduler_free(s->scheduler);
	cache_close(s->cache);
}

int
scheduling_run(struct client *c, const struct scheduling_options *o, struct err *err)
{
	struct scheduling s = { .client = c, .options = o, .outside = OUTSIDE_INIT };
	int r;

	s.scheduler = scheduler_new(o->name, o->scoring);
	r = setup(&s, err);
	if (r >= 0)
		r = run(&s, err);
	teardown(&s);
	return r;
}
