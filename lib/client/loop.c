#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/text.h"
#include "client/follow.h"
#include "client/loop.h"
#include "client/outside.h"
#include "client/queue.h"
#include "client/wake.h"

enum { BATCH = 32, HOLD_SECONDS = 10, ONCE_SECONDS = 30 };
#define FIRST_RETRY 0.05
#define LONGEST_RETRY 60.0
#define UNSYNCED 1.0 /* a feed that is refused is not waited for for ever */

struct figures {
	struct metric *reconciles, *errors, *actions, *seconds;
};

struct loop {
	struct client *client;
	struct cache *cache;
	const struct controller *const *which;
	const struct loop_options *options;
	struct queue queue;
	struct waker waker;
	struct follow follow;
	struct outside outside;
	struct metric *depth;
	struct figures *figures; /* one per controller */
	FILE *terminal;
	bool quit;
};

/* --- doing one key --------------------------------------------------------------------- */

/* --step: show the plan, ask on the terminal.  'q' ends, 's' leaves this plan out. */
static bool
confirmed(struct loop *l, const struct plan *plan)
{
	char line[64];
	json_t *action;
	size_t i;

	json_array_foreach (plan->actions, i, action)
		jsonl_write(stdout, action);
	fflush(stdout);
	fprintf(stderr, "%s: %s: act? [Enter: yes, s: skip, q: quit] ", plan->by, plan->for_ref);
	if (!fgets(line, sizeof line, l->terminal) || line[0] == 'q') {
		l->quit = true;
		return false;
	}
	return line[0] != 's';
}

static void
say(const json_t *action, const char *verb, const json_t *reply)
{
	autofree char *ref = meta_ref(*meta_name(reply) ? reply : get(action, "object"));

	log_line("%s: %s %s: %s", text(action, "by"), verb, ref, text(action, "reason"));
}

/* The API refused an action: the controller may want to tell people.  What it says is told once and
 * not minded. */
static void
refused(struct loop *l, const struct plan *plan, const json_t *obj, const json_t *action,
    const struct err *why)
{
	const struct controller *c = l->which[0];
	struct plan more;
	json_t *told;
	struct err ignored;
	size_t i;

	for (size_t k = 0; l->which[k]; k++)
		if (strcmp(l->which[k]->name, plan->by) == 0)
			c = l->which[k];
	if (!c->refused || why->code == ERR_CONFLICT || why->code == ERR_UNAVAILABLE)
		return;
	plan_init(&more, plan->by, plan->for_ref);
	c->refused(cache_world(l->cache), obj, action, why, &more);
	json_array_foreach (more.actions, i, told)
		if (client_act(l->client, told, false, NULL, &ignored) < 0)
			break;
	plan_release(&more);
}

static void
note_write(json_t *writes, const char *verb, const json_t *action, json_t *reply)
{
	if (strcmp(verb, "delete") == 0 || strcmp(verb, "evict") == 0)
		json_array_append_new(writes, json_pack("{s:O}", "gone", get(action, "object")));
	else if (strcmp(verb, "bind") != 0 && *meta_name(reply))
		json_array_append(writes, reply);
}

/*
 * Carry out the plan, in order.  What was written goes to *writes, to be waited
 * for: an object for a write, {"gone": object} for a delete.  One that fails ends it, but for
 * deletes: what is in the way of one is not in the way of the next.
 */
static int
act(struct loop *l, const struct plan *plan, const json_t *obj, json_t *writes, struct err *err)
{
	struct err first = { 0 };
	size_t i;
	json_t *action;

	json_array_foreach (plan->actions, i, action) {
		const char *verb = text(action, "action");
		bool delete = strcmp(verb, "delete") == 0;
		json_auto_t *reply = NULL;
		struct err why;
		int r;

		if (first.code && !delete)
			break;
		r = client_act(l->client, action, false, &reply, &why);
		if (strcmp(verb, "event") == 0) /* told: neither waited for nor worth a retry */
			continue;
		if (r < 0 && !first.code) {
			autofree char *ref = meta_ref(get(action, "object"));

			refused(l, plan, obj, action, &why);
			first = why;
			err_wrap(&first, "cannot %s %s", verb, ref);
		}
		if (r < 0)
			continue;
		if (strcmp(verb, "update-status") != 0 && r == 0)
			say(action, verb, reply);
		note_write(writes, verb, action, reply);
	}
	*err = first;
	return -(int)first.code;
}

static double
retry_after(const struct item *it)
{
	double pause = FIRST_RETRY;

	for (unsigned i = 0; i < it->failures && pause < LONGEST_RETRY; i++)
		pause *= 2;
	return pause > LONGEST_RETRY ? LONGEST_RETRY : pause;
}

static void
failed(struct loop *l, struct item *it, const struct plan *plan, const struct err *err)
{
	bool stale = err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND;
	/* a first conflict is our own haste, not news */
	bool hasty = stale && it->failures == 0;

	if (!hasty)
		log_line("%s: %s: %s", plan->by, plan->for_ref, err->msg);
	queue_retry(&l->queue, it, hasty ? 0 : clock_monotonic() + retry_after(it));
	it->failures++;
}

static void
settle(struct loop *l, struct item *it, const struct plan *plan, json_t *writes)
{
	double now = clock_monotonic();

	if (json_array_size(writes) > 0)
		queue_hold(&l->queue, it, json_incref(writes), now + HOLD_SECONDS);
	if (plan->again > 0 && !l->options->once) {
		if (it->held)
			it->woken = true; /* looks again as soon as it may, and asks anew */
		else
			queue_retry(&l->queue, it, now + (double)plan->again);
	}
}

static void
reconcile(struct loop *l, struct item *it)
{
	struct key key = wake_key(it);
	const struct controller *c = l->which[key.controller];
	struct figures *f = &l->figures[key.controller];
	struct world *w = cache_world(l->cache);
	const json_t *obj = world_get(w, key.group_kind, key.ns, key.name);
	json_auto_t *writes = json_array();
	autofree char *ref = NULL;
	int64_t began = clock_now_us();
	struct plan plan;
	struct err err;
	int r;

	if (!obj) {
		queue_forget(&l->queue, it);
		return;
	}
	world_set_now(w, clock_now());
	ref = meta_ref(obj);
	plan_init(&plan, c->name, ref);
	r = c->reconcile(w, obj, &plan, &err);
	if (r >= 0 && json_array_size(plan.actions) > 0 &&
	    (!l->options->step || confirmed(l, &plan)))
		r = act(l, &plan, obj, writes, &err);
	metric_add(f->reconciles, 1);
	metric_add(f->actions, (int64_t)json_array_size(plan.actions));
	metric_add(f->seconds, clock_now_us() - began);
	if (r >= 0)
		it->failures = 0;
	else
		metric_add(f->errors, 1);
	settle(l, it, &plan, writes);
	if (r < 0)
		failed(l, it, &plan, &err);
	plan_release(&plan);
	if (r >= 0)
		queue_forget(&l->queue, it);
}

/* --- holding ------------------------------------------------------------------------------- */

static bool
seen(const struct loop *l, const json_t *write)
{
	const json_t *gone = get(write, "gone"), *have;
	char group_kind[128];

	if (!gone)
		return cache_has_seen(l->cache, write);
	meta_group_kind(gone, group_kind);
	have = world_get(cache_world(l->cache), group_kind, meta_namespace(gone), meta_name(gone));
	return !have || meta_deleting(have) || strcmp(meta_uid(have), meta_uid(gone)) != 0;
}

/* Let go of the keys whose writes have all been seen; the seconds until the first gives up waiting.
 */
static double
let_go(struct loop *l)
{
	double now = clock_monotonic(), first = -1;

	for (struct item *it = l->queue.held, *next; it; it = next) {
		next = it->next;
		while (json_array_size(it->held) > 0 && seen(l, json_array_get(it->held, 0)))
			json_array_remove(it->held, 0);
		if (json_array_size(it->held) == 0 || it->held_until <= now) {
			/* a write that never shows (a selector, a lost event): look again */
			it->woken = it->woken || json_array_size(it->held) > 0;
			queue_let_go(&l->queue, it, now);
			if (it->at == SIZE_MAX)
				queue_forget(&l->queue, it);
		} else if (first < 0 || it->held_until - now < first) {
			first = it->held_until - now;
		}
	}
	return first;
}

/* --- setting up --------------------------------------------------------------------------------
 */

static int
settings(struct loop *l, struct err *err)
{
	const struct list *list = l->options->settings;

	for (size_t i = 0; list && i < list->n; i++) {
		const char *eq = strchr(list->item[i], '=');
		autofree char *name = NULL;

		if (!eq)
			return err_set(
			    err, ERR_BAD_REQUEST, "setting '%s' is not NAME=VALUE", list->item[i]);
		name = xstrndup(list->item[i], (size_t)(eq - list->item[i]));
		world_set(cache_world(l->cache), name, eq + 1);
	}
	return 0;
}

static void
count(struct loop *l)
{
	size_t n = 0;

	while (l->which[n])
		n++;
	l->figures = xcalloc(n, sizeof *l->figures);
	l->depth =
	    metric_new("orch_loop_queue_depth", "gauge", "Keys that wait to be reconciled.", NULL);
	for (size_t i = 0; i < n; i++) {
		autofree char *label = xasprintf("controller=\"%s\"", l->which[i]->name);

		l->figures[i] = (struct figures){
			metric_new(
			    "orch_loop_reconciles_total", "counter", "Keys reconciled.", label),
			metric_new(
			    "orch_loop_errors_total", "counter", "Reconciles that failed.", label),
			metric_new("orch_loop_actions_total", "counter", "Actions planned.", label),
			metric_new("orch_loop_busy_seconds_total", "counter",
			    "Time in reconciling and acting.", label),
		};
	}
}

static void
changed(void *arg, const char *type, const json_t *obj, const json_t *old)
{
	struct loop *l = arg;

	follow_changed(&l->follow, obj);
	wake_changed(&l->waker, type, obj, old);
}

/* Another set of kinds: who looks at all of them may have something to do. */
static void
group_changed(void *arg, const json_t *group)
{
	struct loop *l = arg;

	wake_changed(&l->waker, "MODIFIED", group, NULL);
}

static int
setup(struct loop *l, struct err *err)
{
	int r;

	if ((r = cache_open(&l->cache, l->client, err)) < 0 || (r = settings(l, err)) < 0 ||
	    (r = follow_start(&l->follow, l->client, l->cache, l->which, err)) < 0 ||
	    (r = outside_open(&l->outside, l->client, l->options->metrics, err)) < 0)
		return r;
	if (l->options->step && !(l->terminal = fopen("/dev/tty", "re")))
		return err_sys(err, errno, "cannot step without a terminal");
	l->waker = (struct waker){ &l->queue, l->which, cache_world(l->cache) };
	cache_on_change(l->cache, changed, l);
	count(l);
	return 0;
}

static void
teardown(struct loop *l)
{
	outside_close(&l->outside, l->client);
	if (l->terminal)
		fclose(l->terminal);
	queue_release(&l->queue);
	free(l->figures);
	follow_release(&l->follow);
	cache_close(l->cache);
}

/* --- running ------------------------------------------------------------------------------- */

static bool
asked_to_end(struct loop *l)
{
	return outside_ends(&l->outside) || l->quit;
}

static double
sooner(double a, double b)
{
	return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

/* Every kind was listed, and which there are is known. */
static bool
synced(const struct loop *l)
{
	return (l->follow.asked || !l->follow.all) && cache_synced(l->cache);
}

/* Seconds until there is something to do that no event will tell. */
static double
idle(struct loop *l, double held)
{
	double next = queue_next(&l->queue), ask = follow_due(&l->follow);

	held = sooner(held, ask);
	if (!synced(l))
		return sooner(held, UNSYNCED);
	if (next >= 0) {
		next -= clock_monotonic();
		next = next < 0 ? 0 : next;
	}
	return sooner(next, held);
}

/* Once, and the server cannot be reached: that is told, not waited for.  0: wait for ever. */
static double
deadline(const struct loop *l)
{
	double seconds = ONCE_SECONDS;

	if (!l->options->once)
		return 0;
	if (client_options.timeout)
		text_duration(client_options.timeout, &seconds);
	return clock_monotonic() + seconds;
}

static int
run(struct loop *l, struct err *err)
{
	double held = -1, until = deadline(l);
	bool said = false;

	for (;;) {
		struct item *it;
		double left = until > 0 && !said ? until - clock_monotonic() : -1;
		int r;

		if (until > 0 && !said && left <= 0)
			return err_set(err, ERR_TIMEOUT, "'%s' did not list its objects in time",
			    client_server(l->client));
		r = cache_wait(l->cache, sooner(idle(l, held), left), l->outside.fd, err);

		if (r < 0)
			return r;
		if (asked_to_end(l))
			return 0;
		held = let_go(l);
		metric_set(l->depth, (int64_t)l->queue.n);
		follow_ask(&l->follow, group_changed, l);
		if (!synced(l))
			continue;
		if (!said)
			log_line("ready");
		said = true;
		/* a few at a time, so that the cache keeps up with the world */
		for (int i = 0;
		     i < BATCH && !l->quit && (it = queue_take(&l->queue, clock_monotonic())); i++)
			reconcile(l, it);
		held = let_go(l);
		if (l->options->once && l->queue.n == 0 && l->queue.nheld == 0)
			return 0;
	}
}

int
loop_run(struct client *c, const struct controller *const *which, const struct loop_options *o,
    struct err *err)
{
	struct loop l = { .client = c, .which = which, .options = o, .outside = OUTSIDE_INIT };
	int r = setup(&l, err);

	if (r >= 0)
		r = run(&l, err);
	teardown(&l);
	return r;
}
