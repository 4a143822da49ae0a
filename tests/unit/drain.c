/*
 * What draining does to a pod: which option it needs, and what budgets let go, in which turn.  Pods
 * are changes of one that runs, is ready and has a controller.  And what taints come of.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/drain.h"
#include "api/meta.h"
#include "api/taint.h"
#include "base/mem.h"

enum { NOW = 1000 };

static json_t *
pod(const char *name)
{
	return json_pack("{s:{s:s,s:s,s:{s:s},s:[{s:s,s:s,s:b}]},s:{},s:{s:s,s:[{s:s,s:s}]}}",
	    "metadata", "name", name, "namespace", "a", "labels", "app", "web", "ownerReferences",
	    "kind", "ReplicaSet", "name", "web", "controller", true, "spec", "status", "phase",
	    "Running", "conditions", "type", "Ready", "status", "True");
}

static json_t *
with(json_t *obj, const char *value, const char *a, const char *b, const char *c)
{
	json_t *v = value ? json_loads(value, JSON_DECODE_ANY, NULL) : json_null();

	assert(v);
	if (c)
		put(obj, v, a, b, c);
	else
		put(obj, v, a, b);
	return obj;
}

static json_t *
budget(const char *name, int allowed, int healthy, int desired, int expected)
{
	return json_pack("{s:{s:s,s:s,s:i},s:{s:{s:{s:s}},s:i},s:{s:i,s:i,s:i,s:i,s:i}}",
	    "metadata", "name", name, "namespace", "a", "generation", 1, "spec", "selector",
	    "matchLabels", "app", "web", "minAvailable", desired, "status", "observedGeneration", 1,
	    "disruptionsAllowed", allowed, "currentHealthy", healthy, "desiredHealthy", desired,
	    "expectedPods", expected);
}

/* Takes pods and budgets.  want: "evict1 wait2 block", a word and turn for each pod; `reason` is in
 * the last one's. */
static void
check(json_t *pods, json_t *budgets, struct drain_options o, const char *want, const char *reason)
{
	size_t n = json_array_size(pods);
	struct drain_verdict *v = xcalloc(n, sizeof *v);
	autobuf struct buf got = BUF_INIT;

	o.now = NOW;
	drain_decide(v, pods, budgets, &o);
	for (size_t i = 0; i < n; i++) {
		buf_printf(&got, "%s%s", i ? " " : "", drain_word(v[i].action));
		if (v[i].turn > 0)
			buf_printf(&got, "%d", v[i].turn);
		assert(v[i].reason && *v[i].reason);
	}
	if (strcmp(got.data, want) != 0 || !strstr(v[n - 1].reason, reason)) {
		fprintf(stderr, "wanted: %s ...%s...\ngot:    %s ...%s...\n", want, reason,
		    got.data, v[n - 1].reason);
		assert(false);
	}
	drain_release(v, n);
	json_decref(pods);
	json_decref(budgets);
}

static json_t *
one(json_t *item)
{
	return json_pack("[o]", item);
}

static void
options(void)
{
	static const char set[] = "[{\"kind\":\"DaemonSet\",\"name\":\"ds\",\"controller\":true}]";
	static const char dir[] = "[{\"name\":\"v\",\"emptyDir\":{}}]";
	static const char mirror[] = "{\"kubernetes.io/config.mirror\":\"x\"}";
	const struct drain_options none = { 0 };
	json_auto_t *orphans = json_pack("{s:b}", "a/ds", true);
#define POD(...) one(with(pod("p"), __VA_ARGS__))
#define OWNED(value) POD(value, "metadata", "ownerReferences", NULL)

	check(one(pod("p")), NULL, none, "evict1", "no budget");
	check(OWNED(NULL), NULL, none, "refuse", "--force");
	check(OWNED("[{\"kind\":\"X\",\"name\":\"x\"}]"), NULL, none, "refuse", "--force");
	check(OWNED(NULL), NULL, (struct drain_options){ .force = true }, "evict1", "no budget");
	check(OWNED(set), NULL, none, "refuse", "--ignore-daemonsets");
	check(OWNED(set), NULL, (struct drain_options){ .force = true }, "refuse", "DaemonSet ds");
	check(OWNED(set), NULL, (struct drain_options){ .ignore_daemonsets = true }, "skip", "ds");
	check(OWNED(set), NULL,
	    (struct drain_options){ .ignore_daemonsets = true, .orphans = orphans }, "refuse",
	    "does not exist");
	check(OWNED(set), NULL, (struct drain_options){ .force = true, .orphans = orphans },
	    "evict1", "no budget");
	check(POD(dir, "spec", "volumes", NULL), NULL, none, "refuse", "emptyDir v");
	check(POD(dir, "spec", "volumes", NULL), NULL,
	    (struct drain_options){ .delete_emptydir = true }, "evict1", "");
	check(POD("[{\"name\":\"v\",\"configMap\":{}}]", "spec", "volumes", NULL), NULL, none,
	    "evict1", "");
	check(POD(mirror, "metadata", "annotations", NULL), NULL, none, "skip", "mirror");
	/* what has finished goes, whatever it has */
	check(one(with(with(with(pod("p"), "\"Failed\"", "status", "phase", NULL), dir, "spec",
			   "volumes", NULL),
		  NULL, "metadata", "ownerReferences", NULL)),
	    NULL, none, "evict1", "finished (Failed)");
	check(POD("\"1970-01-01T00:16:00Z\"", "metadata", "deletionTimestamp", NULL), NULL,
	    (struct drain_options){ .skip_after = 30 }, "skip", "40 seconds ago");
	check(POD("\"1970-01-01T00:16:00Z\"", "metadata", "deletionTimestamp", NULL), NULL,
	    (struct drain_options){ .skip_after = 40 }, "evict1", "on its end");
#undef OWNED
#undef POD
}

static json_t *
five(void)
{
	return json_pack("[o,o,o,o,o]", pod("1"), pod("2"), pod("3"), pod("4"), pod("5"));
}

static json_t *
sick(void)
{
	return with(pod("sick"), "[]", "status", "conditions", NULL);
}

static void
budgets(void)
{
	const struct drain_options none = { 0 };
	json_t *elsewhere = with(budget("b", 0, 1, 1, 1), "\"z\"", "metadata", "namespace", NULL);
	json_t *nothing = with(budget("b", 0, 1, 1, 1), NULL, "spec", "selector", NULL);
	json_t *stale = with(budget("b", 5, 5, 0, 5), "2", "metadata", "generation", NULL);
	json_t *always = with(
	    budget("b", 0, 0, 2, 3), "\"AlwaysAllow\"", "spec", "unhealthyPodEvictionPolicy", NULL);
	json_t *charged = with(budget("b", 0, 1, 1, 1), "\"now\"", "status", "disruptedPods", "p");

	check(five(), one(budget("b", 1, 5, 4, 5)), none, "evict1 wait2 wait3 wait4 wait5", "1 go");
	check(
	    five(), one(budget("b", 2, 5, 3, 5)), none, "evict1 evict1 wait2 wait2 wait3", "2 go");
	/* one is missing now: later as many as the budget means go at once */
	check(five(), one(budget("b", 1, 5, 4, 6)), none, "evict1 wait2 wait2 wait3 wait3", "2 go");
	check(five(), one(budget("b", 9, 9, 0, 9)), none, "evict1 evict1 evict1 evict1 evict1", "");
	check(
	    one(pod("p")), one(budget("b", 0, 2, 2, 3)), none, "block", "2 of 3 healthy, 2 needed");
	check(one(pod("p")), one(budget("b", 0, 3, 3, 3)), none, "block", "never");
	check(one(pod("p")), one(elsewhere), none, "evict1", "no budget");
	check(one(pod("p")), one(nothing), none, "evict1", "no budget");
	check(one(pod("p")), one(stale), none, "block", "no status");
	check(one(pod("p")), json_pack("[o,o]", budget("b", 5, 5, 0, 5), budget("c", 5, 5, 0, 5)),
	    none, "block", "b and c");
	check(one(pod("p")), one(charged), none, "evict1", "charged");
	check(one(pod("p")), one(budget("b", 0, 3, 3, 3)),
	    (struct drain_options){ .deletes = true }, "evict1", "deleted");
	/* not ready: when enough others are, or always */
	check(one(sick()), one(budget("b", 0, 2, 2, 3)), none, "evict1", "not ready");
	check(one(sick()), one(budget("b", 0, 1, 2, 3)), none, "block", "1 of 3");
	check(one(sick()), one(budget("b", 0, 0, 0, 1)), none, "block", "");
	check(one(sick()), one(always), none, "evict1", "not ready");
	check(one(with(pod("p"), "\"Pending\"", "status", "phase", NULL)),
	    one(budget("b", 0, 3, 3, 3)), none, "evict1", "does not run");
	/* who goes anyway takes nothing from the others */
	check(json_pack("[o,o,o]", sick(), pod("1"), pod("2")), one(budget("b", 1, 2, 1, 3)), none,
	    "evict1 evict1 wait2", "");
}

static void
why(void)
{
	json_auto_t *b = budget("b", 0, 1, 2, 3);
	json_auto_t *pods = json_pack("[o,o]", pod("well"), sick());
	autobuf struct buf out = BUF_INIT;

	drain_why(&out, b, pods);
	assert(
	    strcmp(out.data,
		"budget a/b (minAvailable 2): 1 healthy of 3, 2 needed, 0 may go; not ready: sick "
		"on no node: Running") == 0);
}

/* Taints as they are then, "KEY=VALUE:EFFECT ...", or the error. */
static void
taints(const char *word, const char *another, bool overwrite, const char *want, const char *said)
{
	char *words[] = { (char *)word, (char *)another };
	json_auto_t *node =
	    json_loads("{\"spec\":{\"taints\":[{\"key\":\"a\",\"value\":\"1\",\"effect\":"
		       "\"NoSchedule\"},{\"key\":\"a\",\"effect\":\"NoExecute\"}]}}",
		0, NULL);
	autobuf struct buf got = BUF_INIT;
	json_auto_t *then = NULL;
	struct taint_edits e = { NULL, NULL };
	const char *what = "";
	struct err err = { .msg = "" };
	json_t *t;
	size_t i;

	if (taint_parse(&e, words, another ? 2 : 1, &err) == 0 &&
	    taint_edit(&then, &e, node, overwrite, &what, &err) == 0)
		json_array_foreach (then, i, t)
			buf_printf(&got, "%s%s=%s:%.3s", i ? " " : "", text(t, "key"),
			    text(t, "value"), text(t, "effect") + 2);
	if (strcmp(got.data ? got.data : "", want) != 0 || !strstr(then ? what : err.msg, said)) {
		fprintf(stderr, "%s: wanted %s (%s), got %s (%s%s)\n", word, want, said,
		    got.data ? got.data : "", what, err.msg);
		assert(false);
	}
	taint_release(&e);
}

int
main(void)
{
	options();
	budgets();
	why();
	taints("b=2:NoSchedule", NULL, false, "b=2:Sch a=1:Sch a=:Exe", "tainted");
	taints("a=1:NoSchedule", NULL, false, "a=1:Sch a=:Exe", "unchanged");
	taints("a=2:NoSchedule", NULL, false, "", "--overwrite is false");
	taints("a=2:NoSchedule", NULL, true, "a=2:Sch a=:Exe", "modified");
	taints("a-", NULL, false, "", "untainted");
	taints("a:NoExecute-", "b:NoExecute", false, "b=:Exe a=1:Sch", "modified");
	taints("a:PreferNoSchedule-", NULL, false, "", "\"a:PreferNoSchedule\" not found");
	taints("a-", "a:NoSchedule", true, "", "both modify and remove");
	return 0;
}
