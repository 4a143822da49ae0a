/*
 * POST of pods/eviction: a deletion that the Pod's disruption budget must allow.  The
 * budget is charged before the Pod goes; whoever keeps its status takes the charge off again.
 */
#include <string.h>

#include "api/meta.h"
#include "api/selector.h"
#include "base/mem.h"
#include "store/admission.h"
#include "store/delete.h"

enum { ATTEMPTS = 10 };

struct search {
	const struct kind *kind;
	const json_t *labels; /* of the Pod */
	struct object *found;
	size_t n;
};

static bool
match_budget(void *arg, struct object *o)
{
	struct search *s = arg;
	json_t *pdb = object_json(o, s->kind);
	struct selector *sel = NULL;
	struct err err;

	if (selector_from_json(&sel, get(pdb, "spec", "selector"), &err) == 0 &&
	    selector_match(sel, s->labels) && s->n++ == 0)
		s->found = object_ref(o);
	selector_free(sel);
	json_decref(pdb);
	return true;
}

/* Whether a Pod's end disrupts nobody: it has ended, is ending, or never ran. */
static bool
free_to_go(const json_t *pod)
{
	static const char *const phases[] = { "Succeeded", "Failed", "Pending" };
	const char *phase = text(pod, "status", "phase");

	for (size_t i = 0; i < COUNT(phases); i++)
		if (strcmp(phase, phases[i]) == 0)
			return true;
	return meta_deleting(pod);
}

/* A Pod that is not ready may go when the others are enough, or when the budget says always. */
static bool
unhealthy_may_go(const json_t *pod, const json_t *pdb)
{
	if (condition_true(pod, "Ready"))
		return false;
	if (strcmp(text(pdb, "spec", "unhealthyPodEvictionPolicy"), "AlwaysAllow") == 0)
		return true;
	return num(get(pdb, "status", "currentHealthy"), 0) >=
		   num(get(pdb, "status", "desiredHealthy"), 0) &&
	       num(get(pdb, "status", "desiredHealthy"), 0) > 0;
}

static void
refuse(struct call *c, const char *why, bool retry)
{
	json_t *d =
	    json_pack("{s:[{s:s,s:s}]}", "causes", "reason", "DisruptionBudget", "message", why);

	if (retry) {
		json_object_set_new(d, "retryAfterSeconds", json_integer(10));
		c->retry_after = "10";
	}
	reply_status(c, 429, "TooManyRequests",
	    "Cannot evict pod as it would violate the pod's disruption budget.", d);
}

/* Answers and returns -1 when the budget has nothing to give. */
static int
check_budget(struct call *c, const json_t *pdb)
{
	json_int_t allowed = num(get(pdb, "status", "disruptionsAllowed"), 0);
	autofree char *why = NULL;

	if (num(get(pdb, "status", "observedGeneration"), 0) < meta_generation(pdb)) {
		why = xasprintf("The disruption budget %s is still being processed by the server.",
		    meta_name(pdb));
		refuse(c, why, true);
		return -1;
	}
	if (allowed > 0)
		return 0;
	why = xasprintf("The disruption budget %s needs %lld healthy pods and has %lld currently",
	    meta_name(pdb), (long long)num(get(pdb, "status", "desiredHealthy"), 0),
	    (long long)num(get(pdb, "status", "currentHealthy"), 0));
	refuse(c, why, false);
	return -1;
}

static int
charge(struct call *c, struct table *t, const struct object *old, json_t *pdb, struct err *err)
{
	struct write w = { .table = t, .draft = DRAFT_INIT, .expect = old->revision };
	char now[40];
	int r;

	put(pdb, json_integer(num(get(pdb, "status", "disruptionsAllowed"), 0) - 1), "status",
	    "disruptionsAllowed");
	put(pdb, json_string(call_now(now)), "status", "disruptedPods", c->target.name);
	draft_encode(&w.draft, t->kind, pdb);
	r = commit_wait(c->server->commit, &w, err);
	write_release(&w);
	return r;
}

enum verdict { GO, AGAIN, ANSWERED };

static enum verdict
ask_one(struct call *c, struct table *t, const struct object *o, const json_t *pod)
{
	json_auto_t *pdb = object_json(o, t->kind);
	struct err err;
	int r;

	/* charged before: the deletion lost a race and comes again */
	if (unhealthy_may_go(pod, pdb) || get(pdb, "status", "disruptedPods", meta_name(pod)))
		return GO;
	if (check_budget(c, pdb) < 0)
		return ANSWERED;
	if (c->dry_run || (r = charge(c, t, o, pdb, &err)) == 0)
		return GO;
	if (r == -ERR_CONFLICT)
		return AGAIN;
	reply_error(c, &err);
	return ANSWERED;
}

static enum verdict
ask_budgets(struct call *c, const json_t *pod)
{
	const struct kind *k = kind_find("policy", "v1", "PodDisruptionBudget");
	struct table *t = cache_table(c->server->cache, k);
	struct search s = { .kind = k, .labels = meta_labels(pod) };
	struct walk walk = { .table = t, .namespace = c->target.namespace };
	enum verdict v = GO;
	uint64_t revision;
	struct err err;

	if (free_to_go(pod))
		return GO;
	cache_walk(c->server->cache, &walk, match_budget, &s, &revision, &err);
	if (s.n > 1) {
		reply_status(c, 500, "InternalError",
		    "This pod has more than one PodDisruptionBudget, which the eviction "
		    "subresource does not support.",
		    NULL);
		v = ANSWERED;
	} else if (s.n == 1) {
		v = ask_one(c, t, s.found, pod);
	}
	object_unref(s.found);
	return v;
}

static void
answer_created(struct call *c, struct object *written)
{
	(void)written;
	reply_success(c, 201, NULL);
}

/* Why a Pod went away is told by a condition of it. */
static void
set_evicted(json_t *pod)
{
	static const char type[] = "DisruptionTarget";
	json_t *list = get(pod, "status", "conditions"), *c;
	char now[40];
	size_t i;

	if (!list)
		put(pod, json_array(), "status", "conditions");
	list = get(pod, "status", "conditions");
	json_array_foreach (list, i, c)
		if (strcmp(text(c, "type"), type) == 0)
			break;
	c = json_pack("{s:s,s:s,s:n,s:s,s:s,s:s}", "type", type, "status", "True", "lastProbeTime",
	    "lastTransitionTime", call_now(now), "reason", "EvictionByEvictionAPI", "message",
	    "Eviction API: evicting");
	if (i < json_array_size(list))
		json_array_set_new(list, i, c);
	else
		json_array_append_new(list, c);
}

/* Writes that down before the Pod goes; what is asked of its version is asked of the new one. */
static enum verdict
mark(struct call *c, json_t *pod, struct delete_options *o)
{
	struct write w = { .table = c->table, .draft = DRAFT_INIT, .expect = c->old->revision };
	struct err err;
	int r;

	if (c->dry_run || delete_check(c->kind, pod, o, &err) < 0 ||
	    strcmp(text(condition_find(pod, "DisruptionTarget"), "reason"),
		"EvictionByEvictionAPI") == 0)
		return GO;
	set_evicted(pod);
	draft_encode(&w.draft, c->kind, pod);
	r = commit_wait(c->server->commit, &w, &err);
	if (r == 0) {
		object_unref(c->old);
		c->old = object_ref(w.object);
		if (*o->version) {
			free(o->version);
			o->version = xasprintf("%llu", (unsigned long long)c->old->revision);
		}
	} else if (r != -ERR_CONFLICT) {
		reply_error(c, &err);
	}
	write_release(&w);
	return r == 0 ? GO : r == -ERR_CONFLICT ? AGAIN : ANSWERED;
}

static enum verdict
try_once(struct call *c, struct delete_options *o)
{
	json_auto_t *pod = NULL;
	enum verdict v;

	object_unref(c->old);
	if (call_current(c) < 0)
		return ANSWERED;
	pod = object_json(c->old, c->kind);
	v = ask_budgets(c, pod);
	return v == GO ? mark(c, pod, o) : v;
}

static void
evict(struct call *c, struct delete_options *o)
{
	enum verdict v = AGAIN;

	for (int i = 0; i < ATTEMPTS && v == AGAIN; i++)
		v = try_once(c, o);
	if (v == AGAIN)
		refuse(c, "The disruption budget changes too often.", true);
	else if (v == GO)
		delete_object(c, o);
}

/* The version before this one looks the same. */
static int
eviction_read(struct call *c, json_t **ret)
{
	const struct kind *k = kind_find("policy", "v1", "Eviction");
	json_t *e;

	if (body_load(c, k->kind, k, &e) < 0)
		return -1;
	if (strcmp(text(e, "apiVersion"), "policy/v1beta1") == 0)
		json_object_set_new(e, "apiVersion", json_string("policy/v1"));
	if (object_decode(c, k, e) < 0) {
		json_decref(e);
		return -1;
	}
	if (strcmp(meta_name(e), c->target.name) == 0) {
		*ret = e;
		return 0;
	}
	reply_status(
	    c, 400, "BadRequest", "name in URL does not match name in Eviction object", NULL);
	json_decref(e);
	return -1;
}

static void
eviction_run(struct call *c)
{
	struct delete_options o;
	json_auto_t *e = NULL;

	if (options_read(c, "CreateOptions") < 0 || eviction_read(c, &e) < 0 ||
	    delete_options_from(c, json_object_get(e, "deleteOptions"), &o) < 0)
		return;
	if (admission_mutate(c, OP_CREATE, NULL, e) == 0 &&
	    admission_validate(c, OP_CREATE, NULL, e) == 0) {
		c->answer = answer_created;
		evict(c, &o);
	}
	delete_options_release(&o);
}

void
eviction_handle(struct call *c)
{
	call_defer(c, eviction_run);
}
