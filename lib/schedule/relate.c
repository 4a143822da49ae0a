#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "schedule/relate.h"
#include "schedule/topology.h"

/* Reading the terms out of a pod, once for its class. */

/*
 * The labelSelector with what matchLabelKeys and mismatchLabelKeys add: the pod's own value of
 * these keys.  An API server has merged those of affinity into the selector already; twice does no
 * harm.
 */
static struct selector *
selector_of(const json_t *term, const json_t *pod)
{
	static const char *const lists[] = { "matchLabelKeys", "mismatchLabelKeys" };
	static const char *const ops[] = { "In", "NotIn" };
	json_auto_t *wanted = json_deep_copy(get(term, "labelSelector"));
	struct selector *s = NULL;
	struct err ignored;

	for (size_t l = 0; wanted && l < COUNT(lists); l++) {
		json_t *key;
		size_t i;

		json_array_foreach (get(term, lists[l]), i, key) {
			const char *value = meta_label(pod, str(key, ""));

			if (!value)
				continue;
			if (!json_is_array(get(wanted, "matchExpressions")))
				put(wanted, json_array(), "matchExpressions");
			json_array_append_new(get(wanted, "matchExpressions"),
			    json_pack("{s:s, s:s, s:[s]}", "key", str(key, ""), "operator", ops[l],
				"values", value));
		}
	}
	if (selector_from_json(&s, wanted, &ignored) < 0)
		return NULL;
	return s;
}

static void
add_term(struct scheduler *s, struct related *r, enum term_kind kind, const json_t *term,
    const json_t *pod, int weight)
{
	struct term *t;
	struct err ignored;

	r->term[kind] = xreallocarray(r->term[kind], r->nterms[kind] + 1, sizeof *t);
	t = &r->term[kind][r->nterms[kind]++];
	*t = (struct term){ .selector = selector_of(term, pod),
		.namespaces = get(term, "namespaces"),
		.topology = topology_number(s, text(term, "topologyKey")),
		.weight = weight };
	if (get(term, "namespaceSelector"))
		(void)selector_from_json(&t->ns_selector, get(term, "namespaceSelector"), &ignored);
	r->between = true;
}

static void
read_affinity(struct scheduler *s, struct related *r, const json_t *affinity, const json_t *pod,
    enum term_kind required, enum term_kind preferred)
{
	size_t i;
	json_t *t;

	json_array_foreach (get(affinity, "requiredDuringSchedulingIgnoredDuringExecution"), i, t)
		add_term(s, r, required, t, pod, 1);
	json_array_foreach (get(affinity, "preferredDuringSchedulingIgnoredDuringExecution"), i, t)
		add_term(s, r, preferred, get(t, "podAffinityTerm"), pod, preference_weight(t));
}

static int64_t
at_least_one(const json_t *v)
{
	return num(v, 1) < 1 ? 1 : num(v, 1);
}

static void
read_spread(struct scheduler *s, struct related *r, const json_t *pod)
{
	const json_t *list = get(pod, "spec", "topologySpreadConstraints");
	size_t i;
	json_t *c;

	r->spread = xcalloc(json_array_size(list) + 1, sizeof *r->spread);
	json_array_foreach (list, i, c)
		r->spread[r->nspread++] = (struct spread){ .selector = selector_of(c, pod),
			.topology = topology_number(s, text(c, "topologyKey")),
			.max_skew = at_least_one(get(c, "maxSkew")),
			.min_domains = at_least_one(get(c, "minDomains")),
			.hard = strcmp(text(c, "whenUnsatisfiable"), "ScheduleAnyway") != 0,
			.honor_affinity = strcmp(text(c, "nodeAffinityPolicy"), "Ignore") != 0,
			.honor_taints = strcmp(text(c, "nodeTaintsPolicy"), "Honor") == 0 };
}

/* Pods of one controller keep apart, as upstream's system defaults have it. */
static void
spread_by_default(struct scheduler *s, struct related *r, const json_t *pod)
{
	static const struct {
		const char *key;
		int64_t max_skew;
	} dflt[] = { { "kubernetes.io/hostname", 3 }, { "topology.kubernetes.io/zone", 5 } };
	const char *owner = text(meta_controller(pod), "uid");

	if (r->nspread || !*owner)
		return;
	r->spread = xreallocarray(r->spread, COUNT(dflt), sizeof *r->spread);
	for (size_t i = 0; i < COUNT(dflt); i++)
		r->spread[r->nspread++] = (struct spread){ .owner = owner,
			.topology = topology_number(s, dflt[i].key),
			.max_skew = dflt[i].max_skew,
			.honor_affinity = true };
}

struct related *
related_of(struct scheduler *s, const json_t *pod)
{
	struct related *r = xcalloc(1, sizeof *r);

	read_affinity(
	    s, r, get(pod, "spec", "affinity", "podAffinity"), pod, TERM_NEAR, TERM_PREFER);
	read_affinity(
	    s, r, get(pod, "spec", "affinity", "podAntiAffinity"), pod, TERM_AWAY, TERM_AVOID);
	read_spread(s, r, pod);
	spread_by_default(s, r, pod);
	if (r->between || r->nspread)
		return r;
	related_free(r);
	return NULL;
}

void
related_free(struct related *r)
{
	if (!r)
		return;
	for (int kind = 0; kind < TERM_KINDS; kind++) {
		for (size_t i = 0; i < r->nterms[kind]; i++) {
			selector_free(r->term[kind][i].selector);
			selector_free(r->term[kind][i].ns_selector);
		}
		free(r->term[kind]);
	}
	for (size_t i = 0; i < r->nspread; i++)
		selector_free(r->spread[i].selector);
	free(r->spread);
	free(r);
}

static bool
namespace_matches(
    const struct scheduler *s, const struct term *t, const json_t *owner, const json_t *pod)
{
	const char *ns = meta_namespace(pod);
	size_t i;
	json_t *one;

	if (json_array_size(t->namespaces) == 0 && !t->ns_selector)
		return strcmp(ns, meta_namespace(owner)) == 0;
	json_array_foreach (t->namespaces, i, one)
		if (strcmp(str(one, ""), ns) == 0)
			return true;
	return t->ns_selector &&
	       selector_match(t->ns_selector, map_get(&s->namespaces, ns, strlen(ns)));
}

bool
term_matches(
    const struct scheduler *s, const struct term *t, const json_t *owner, const json_t *pod)
{
	return t->selector && namespace_matches(s, t, owner, pod) &&
	       selector_match(t->selector, meta_labels(pod));
}
