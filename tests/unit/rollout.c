/*
 * Rolling updates under random delays: controllers see each kind as it was some time ago (but
 * always with their own writes), agents start and end Pods whenever they like, and the template
 * changes in the middle. At every moment at least replicas - maxUnavailable Pods are ready and at
 * most replicas + maxSurge are live; in the end every Pod runs the last template.
 */
#include "cluster.h"

enum { SEEDS = 25, STEPS = 3000, KINDS = 3 };

static const char *const kinds[KINDS] = { "Deployment", "ReplicaSet", "Pod" };

/* A controller with its cache, kind by kind. */
struct viewer {
	const struct controller *which;
	json_t *seen[KINDS];
	bool wrote[KINDS];
};

struct trial {
	struct cluster c;
	struct viewer viewer[2];
	unsigned long seed, began;
	long long replicas, surge, unavailable, image;
	bool crash; /* plans are cut off at random */
};

static unsigned
draw(struct trial *t, unsigned below)
{
	t->seed = t->seed * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned)(t->seed >> 33) % below;
}

static int
kind_index(const json_t *obj)
{
	for (int k = 0; k < KINDS; k++)
		if (strcmp(text(obj, "kind"), kinds[k]) == 0)
			return k;
	return -1;
}

static void
refresh(struct trial *t, struct viewer *v, int k)
{
	size_t i;
	json_t *obj;

	json_decref(v->seen[k]);
	v->seen[k] = json_array();
	v->wrote[k] = false;
	json_array_foreach (t->c.objects, i, obj)
		if (kind_index(obj) == k)
			json_array_append(v->seen[k], obj);
}

static struct world *
world_of(struct trial *t, struct viewer *v)
{
	struct world *w = world_new();
	size_t i;
	json_t *obj;

	world_set_now(w, t->c.now);
	for (int k = 0; k < KINDS; k++) {
		if (v->wrote[k] || draw(t, 3) == 0)
			refresh(t, v, k);
		json_array_foreach (v->seen[k], i, obj)
			world_put(w, json_incref(obj));
	}
	return w;
}

/* One key of a controller, drawn at random from what it sees.  Returns whether it planned anything.
 */
static bool
reconcile(struct trial *t, struct viewer *v)
{
	struct world *w = world_of(t, v);
	struct walk it = world_each(w, v->which->kind, NULL);
	const json_t *key = it.n ? it.at[draw(t, (unsigned)it.n)] : NULL;
	struct plan plan;
	struct err err;
	json_t *action;
	size_t i;
	bool planned;

	plan_init(&plan, v->which->name, "test");
	if (key && v->which->reconcile(w, key, &plan, &err) < 0)
		abort();
	planned = json_array_size(plan.actions) > 0;
	json_array_foreach (plan.actions, i, action) {
		int k = kind_index(get(action, "object"));

		if (t->crash && draw(t, 10) == 0)
			break;
		if (k >= 0)
			v->wrote[k] = true;
		if (cluster_act(&t->c, action, &err) < 0)
			break;
	}
	plan_release(&plan);
	world_free(w);
	return planned;
}

static void
check(const struct trial *t, const char *when)
{
	long long ready = 0, live = 0;
	size_t i;
	json_t *pod;

	json_array_foreach (t->c.objects, i, pod) {
		if (strcmp(text(pod, "kind"), "Pod") != 0 || !pod_active(pod))
			continue;
		live++;
		ready += pod_ready(pod);
	}
	if (ready >= t->replicas - t->unavailable && live <= t->replicas + t->surge)
		return;
	fprintf(stderr,
	    "seed %lu, %s: %lld live, %lld ready of %lld replicas, surge %lld, unavailable %lld\n",
	    t->began, when, live, ready, t->replicas, t->surge, t->unavailable);
	exit(1);
}

static void
change_template(struct trial *t)
{
	json_t *next = json_deep_copy(json_array_get(t->c.objects, 0));
	json_t *container = json_array_get(get(next, "spec", "template", "spec", "containers"), 0);

	/* now and then back to an old one */
	t->image = draw(t, 3) ? t->image + 1 : (long long)draw(t, (unsigned)t->image + 1);
	put(container, json_sprintf("web:%lld", t->image), "image");
	put(next, json_integer(meta_generation(next) + 1), "metadata", "generation");
	cluster_store(&t->c, 0, next);
}

static bool
step(struct trial *t)
{
	switch (draw(t, 4)) {
	case 0:
		return reconcile(t, &t->viewer[0]);
	case 1:
	case 2:
		return reconcile(t, &t->viewer[1]);
	default:
		return agent_step(&t->c, draw(t, (unsigned)json_array_size(t->c.objects)));
	}
}

/* In turn, with fresh eyes, until nobody has anything to do. */
static bool
settle(struct trial *t, bool checked)
{
	for (int quiet = 0, i = 0; i < 100 * STEPS; i++) {
		quiet = step(t) ? 0 : quiet + 1;
		if (checked)
			check(t, "at the end");
		if (quiet > 400)
			return true;
	}
	return false;
}

static void
expect_image(const struct trial *t)
{
	autofree char *want = xasprintf("web:%lld", t->image);
	long long live = 0;
	size_t i;
	json_t *pod;

	json_array_foreach (t->c.objects, i, pod) {
		const json_t *containers = get(pod, "spec", "containers");

		if (strcmp(text(pod, "kind"), "Pod") != 0)
			continue;
		live++;
		assert(strcmp(text(json_array_get(containers, 0), "image"), want) == 0);
	}
	assert(live == t->replicas);
}

static void
trial_init(struct trial *t, unsigned long seed)
{
	static const char *const names[] = { "deployment", "replicaset" };
	json_t *d;

	*t = (struct trial){ .seed = seed, .began = seed };
	cluster_init(&t->c, 1767225600);
	t->replicas = 1 + draw(t, 9);
	t->surge = draw(t, 4);
	t->unavailable = draw(t, (unsigned)t->replicas + 1);
	if (!t->surge && !t->unavailable)
		t->unavailable = 1;
	d = json_pack("{s:s, s:s, s:{s:s, s:s, s:i}, s:{s:I, s:{s:{s:s}}, s:{s:s, s:{s:I, s:I}},"
		      " s:{s:{s:{s:s}}, s:{s:[{s:s, s:s}]}}}}",
	    "apiVersion", "apps/v1", "kind", "Deployment", "metadata", "name", "web", "namespace",
	    "default", "generation", 1, "spec", "replicas", (json_int_t)t->replicas, "selector",
	    "matchLabels", "app", "web", "strategy", "type", "RollingUpdate", "rollingUpdate",
	    "maxSurge", (json_int_t)t->surge, "maxUnavailable", (json_int_t)t->unavailable,
	    "template", "metadata", "labels", "app", "web", "spec", "containers", "name", "c",
	    "image", "web:0");
	assert(d);
	cluster_add(&t->c, d);
	for (int v = 0; v < 2; v++) {
		t->viewer[v].which = controller_find(names[v]);
		for (int k = 0; k < KINDS; k++)
			refresh(t, &t->viewer[v], k);
	}
}

static void
trial(unsigned long seed)
{
	struct trial t;

	trial_init(&t, seed);
	if (!settle(&t, false))
		abort();
	expect_image(&t);
	t.crash = seed % 2;
	for (int i = 0; i < STEPS; i++) {
		if (draw(&t, 300) == 0)
			change_template(&t);
		step(&t);
		check(&t, "under way");
	}
	t.crash = false;
	if (!settle(&t, true)) {
		fprintf(stderr, "seed %lu: no end\n", seed);
		exit(1);
	}
	expect_image(&t);
	cluster_release(&t.c);
	for (int v = 0; v < 2; v++)
		for (int k = 0; k < KINDS; k++)
			json_decref(t.viewer[v].seen[k]);
}

int
main(void)
{
	for (unsigned long seed = 1; seed <= SEEDS; seed++)
		trial(seed);
	return 0;
}
