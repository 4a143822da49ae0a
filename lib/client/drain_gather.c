#include "client/drain_gather.h"

#include <string.h>

#include "api/meta.h"
#include "api/selector.h"
#include "base/clock.h"
#include "base/mem.h"

#define EXPLAIN_AGAIN 10.0 /* seconds */

static const struct kind *
pods(void)
{
	return kind_find("", "v1", "Pod");
}

static const struct kind *
budgets(void)
{
	return kind_find("policy", "v1", "PodDisruptionBudget");
}

static int
append(void *arg, json_t *obj, struct err *err)
{
	(void)err;
	json_array_append_new(arg, obj);
	return 0;
}

/* --- at the start --------------------------------------------------------------------------- */

static int
read_pods(struct drain *d, const struct list *nodes, struct err *err)
{
	for (size_t i = 0; i < nodes->n; i++) {
		autofree char *field = xasprintf("spec.nodeName=%s", nodes->item[i]);
		struct list_options o = { .selector = d->pod_selector, .fields = field };
		int r = client_list(d->client, pods(), NULL, &o, append, d->pods, NULL, err);

		if (r < 0)
			return err_wrap(err, "node %s", nodes->item[i]);
	}
	return 0;
}

/* Who may not read budgets can evict all the same: the server knows them. */
static int
read_budgets(struct drain *d, struct err *err)
{
	struct list_options o = { 0 };
	int r = client_list(d->client, budgets(), NULL, &o, append, d->budgets, NULL, err);

	return r == -ERR_FORBIDDEN || r == -ERR_NOT_FOUND ? 0 : r;
}

/* The DaemonSet of a pod, when it is not there any more. */
static int
find_orphan(struct drain *d, const json_t *pod, struct err *err)
{
	const struct kind *k = kind_find("apps", "v1", "DaemonSet");
	const json_t *owner = meta_controller(pod);
	const char *ns = meta_namespace(pod), *name = text(owner, "name");
	autofree char *key = xasprintf("%s/%s", ns, name);
	json_auto_t *set = NULL;
	int r;

	if (strcmp(text(owner, "kind"), "DaemonSet") != 0 || json_object_get(d->orphans, key))
		return 0;
	if ((r = client_get(d->client, k, ns, name, &set, err)) == -ERR_NOT_FOUND)
		json_object_set_new(d->orphans, key, json_true());
	return r == -ERR_NOT_FOUND ? 0 : r;
}

bool
drain_refused(const struct drain *d, const char *node)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->item[i].verdict->action == DRAIN_REFUSE &&
		    strcmp(d->item[i].node, node) == 0)
			return true;
	return false;
}

static void
begin(struct drain *d)
{
	size_t n = json_array_size(d->pods), i;
	json_t *pod;

	d->verdicts = xcalloc(n + 1, sizeof *d->verdicts);
	d->item = xcalloc(n + 1, sizeof *d->item);
	d->how.orphans = d->orphans;
	drain_decide(d->verdicts, d->pods, d->budgets, &d->how);
	json_array_foreach (d->pods, i, pod)
		d->item[d->n++] = (struct drain_pod){ .node = text(pod, "spec", "nodeName"),
			.pod = pod,
			.verdict = &d->verdicts[i] };
	for (i = 0; i < n; i++)
		if (d->item[i].verdict->action < DRAIN_SKIP && !drain_refused(d, d->item[i].node))
			d->item[i].state = DRAIN_DUE;
}

int
drain_gather(struct drain *d, const struct list *nodes, struct err *err)
{
	json_t *pod;
	size_t i;
	int r;

	d->pods = json_array();
	d->budgets = json_array();
	d->orphans = json_object();
	d->explained = json_object();
	d->first = json_array();
	if ((r = read_pods(d, nodes, err)) < 0 || (r = read_budgets(d, err)) < 0)
		return r;
	json_array_foreach (d->pods, i, pod)
		if ((r = find_orphan(d, pod, err)) < 0)
			return err_wrap(
			    err, "the DaemonSet of pod %s/%s", meta_namespace(pod), meta_name(pod));
	json_array_extend(d->first, d->budgets);
	begin(d);
	return 0;
}

void
drain_close(struct drain *d)
{
	if (d->verdicts)
		drain_release(d->verdicts, d->n);
	free(d->item);
	json_decref(d->pods);
	json_decref(d->budgets);
	json_decref(d->orphans);
	json_decref(d->explained);
	json_decref(d->first);
}

/* --- while it runs -------------------------------------------------------------------------- */

int
drain_keep(const struct drain *d, struct cache *cache, struct err *err)
{
	const char *last = "";

	/* pods come node by node */
	for (size_t i = 0; i < d->n; i++) {
		autofree char *field = xasprintf("spec.nodeName=%s", d->item[i].node);
		struct list_options o = { .fields = field };
		int r;

		if (strcmp(last, d->item[i].node) == 0)
			continue;
		last = d->item[i].node;
		if ((r = cache_add(cache, pods(), NULL, &o, err)) < 0)
			return r;
	}
	return cache_add_kind(cache, budgets(), CACHE_OPTIONAL, err);
}

void
drain_know(struct drain *d, const json_t *budget, bool deleted)
{
	json_t *b;
	size_t i;

	json_array_foreach (d->budgets, i, b)
		if (strcmp(meta_uid(b), meta_uid(budget)) == 0) {
			json_array_remove(d->budgets, i);
			break;
		}
	if (!deleted)
		json_array_append(d->budgets, (json_t *)budget);
}

/* Is there something new to be said of a budget?  Its numbers say so, or the time: pods that are
 * counted may have other troubles by now. */
static bool
worth(const json_t *entry, const json_t *budget, double now)
{
	return !entry || strcmp(text(entry, "version"), meta_version(budget)) != 0 ||
	       now - json_real_value(get(entry, "at")) >= EXPLAIN_AGAIN;
}

static void
tell_once(struct drain *d, const struct drain_pod *p, const char *key, const json_t *budget,
    const char *why)
{
	bool known = strcmp(text(d->explained, key, "why"), why) == 0;

	json_object_set_new(d->explained, key,
	    json_pack("{s:s, s:s, s:f}", "why", why, "version", budget ? meta_version(budget) : "",
		"at", clock_monotonic()));
	if (!known)
		d->tell(d->arg, p, why);
}

void
drain_explain(struct drain *d, const struct drain_pod *p)
{
	const json_t *b = drain_budget_of(d->budgets, p->pod);
	const char *ns = meta_namespace(p->pod);
	/* what several budgets count is refused as an internal error, in words that say so */
	bool plain = !b || p->said.code == ERR_INTERNAL;
	autofree char *key =
	    xasprintf("%s/%s/%s", ns, plain ? meta_name(p->pod) : "", plain ? "" : meta_name(b));
	autobuf struct buf why = BUF_INIT;
	json_auto_t *others = NULL;
	struct list_options o = { 0 };
	struct err ignored;

	if (plain) {
		tell_once(d, p, key, NULL, p->said.msg);
		return;
	}
	if (!worth(json_object_get(d->explained, key), b, clock_monotonic()))
		return;
	others = json_array();
	client_list(d->client, pods(), ns, &o, append, others, NULL, &ignored);
	drain_why(&why, b, others);
	tell_once(d, p, key, b, why.data);
}
