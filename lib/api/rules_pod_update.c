/* What may change in a Pod that runs: its images, its deadline, and little else. */
#include <stdint.h>
#include <string.h>

#include "api/rules.h"
#include "api/rules_pod.h"
#include "api/shown.h"
#include "base/mem.h"

static const char selector_terms[] = "requiredDuringSchedulingIgnoredDuringExecution";

/* --- annotations ------------------------------------------------------------------------ */

static void
check_fixed_annotation(
    struct causes *out, const struct path *at, const char *key, bool known, bool changed)
{
	static const char apparmor[] = "container.apparmor.security.beta.kubernetes.io/";
	static const char mirror[] = "kubernetes.io/config.mirror";
	const char *what = !strncmp(key, apparmor, sizeof apparmor - 1) ? "AppArmor annotations"
			   : !strcmp(key, mirror)			? "mirror pod annotation"
									: NULL;

	if (what && known && changed)
		refuse_forbidden(out, KEY(at, key), "may not remove or update %s", what);
	else if (what && !known)
		refuse_forbidden(out, KEY(at, key), "may not add %s", what);
}

static void
check_annotation_changes(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(AT(NULL, "metadata"), "annotations");
	const json_t *now = get(obj, "metadata", "annotations");
	const json_t *before = get(old, "metadata", "annotations");
	const char *key;
	json_t *item;

	json_object_foreach ((json_t *)before, key, item)
		check_fixed_annotation(
		    out, at, key, true, !json_equal(item, json_object_get(now, key)));
	json_object_foreach ((json_t *)now, key, item)
		if (!json_object_get(before, key))
			check_fixed_annotation(out, at, key, false, true);
	check_pod_annotations(
	    out, at, json_object_get(obj, "metadata"), json_object_get(obj, "spec"));
}

/* --- fields that may change ----------------------------------------------------------------- */

/* A toleration as a word, but for its tolerationSeconds, which alone may change. */
static char *
toleration_word(const json_t *toleration)
{
	json_auto_t *rest = json_copy((json_t *)toleration);

	json_object_del(rest, "tolerationSeconds");
	return json_dumps(rest, JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

/* Tolerations may be added; those that are there stay. */
static void
check_added_tolerations(
    struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	json_auto_t *words = json_object();
	size_t i;
	json_t *item;

	json_array_foreach (now, i, item) {
		autofree char *word = toleration_word(item);

		repeats(words, word ? word : "");
	}
	json_array_foreach (before, i, item) {
		autofree char *word = toleration_word(item);

		if (!json_object_get(words, word ? word : "")) {
			refuse_forbidden(out, at,
			    "existing toleration can not be modified except its tolerationSeconds");
			return;
		}
	}
}

static void
check_removed_gates(
    struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	json_auto_t *known = set_of(before, "name");
	size_t i;
	json_t *gate;

	json_array_foreach (now, i, gate)
		if (!json_object_get(known, text(gate, "name")))
			refuse_forbidden(out, AT(ITEM(at, i), "name"),
			    "only deletion is allowed, but found new scheduling gate '%s'",
			    text(gate, "name"));
}

/* False: nothing else is asked. */
static bool
check_deadline(struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	const json_t *deadline = json_object_get(now, "activeDeadlineSeconds");
	const json_t *old = json_object_get(before, "activeDeadlineSeconds");
	size_t n = out->n;

	if (deadline && (num(deadline, 0) < 0 || num(deadline, 0) > INT32_MAX))
		refuse_value(out, at, deadline, "must be between 0 and 2147483647, inclusive");
	else if (deadline && old && num(deadline, 0) > num(old, 0))
		refuse_value(out, at, deadline, "must be less than or equal to previous value");
	else if (old && !deadline)
		refuse_text(
		    out, at, "null", "must not update from a positive integer to nil value");
	return out->n == n || !deadline;
}

/* --- a Pod that waits to be scheduled --------------------------------------------------------- */

static bool
only_more(const json_t *now, const json_t *before)
{
	const char *key;
	json_t *item;

	json_object_foreach ((json_t *)before, key, item)
		if (!json_equal(item, json_object_get(now, key)))
			return false;
	return true;
}

/* Expressions may follow those that are there. */
static bool
only_longer(const json_t *now, const json_t *before)
{
	size_t i;
	json_t *item;

	json_array_foreach (before, i, item)
		if (!json_equal(item, json_array_get(now, i)))
			return false;
	return true;
}

static void
check_narrower_affinity(
    struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	static const char *const parts[] = { "matchExpressions", "matchFields" };
	const json_t *old =
	    json_object_get(json_object_get(before, selector_terms), "nodeSelectorTerms");
	const json_t *new =
	    json_object_get(json_object_get(now, selector_terms), "nodeSelectorTerms");
	size_t i;
	json_t *term;

	at = AT(AT(at, selector_terms), "nodeSelectorTerms");
	if (!json_array_size(old))
		return;
	if (json_array_size(old) != json_array_size(new)) {
		refuse_shown(out, at, "[]core.v1.NodeSelectorTerm", new,
		    "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
		return;
	}
	json_array_foreach (old, i, term) {
		const json_t *next = json_array_get(new, i);
		bool empty = true, fits = true;

		for (size_t k = 0; k < COUNT(parts); k++) {
			const json_t *had = json_object_get(term, parts[k]);

			empty &= !json_array_size(had);
			fits &= only_longer(json_object_get(next, parts[k]), had);
		}
		if (empty ? !same_value(term, next) : !fits)
			refuse_shown(out, ITEM(at, i), "core.v1.NodeSelectorTerm", next,
			    "only additions are allowed (no mutations or deletions)");
	}
}

/* The scheduler has not looked at it: what it asks of a Node may get narrower. */
static void
check_narrower(struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	const json_t *had = json_object_get(before, "nodeSelector");
	const json_t *has = json_object_get(now, "nodeSelector");

	if (!only_more(has, had)) {
		json_auto_t *map = sorted_copy(has);

		refuse_value(out, AT(at, "nodeSelector"), map,
		    "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
	}
	check_narrower_affinity(out, AT(AT(at, "affinity"), "nodeAffinity"),
	    get(now, "affinity", "nodeAffinity"), get(before, "affinity", "nodeAffinity"));
}

/* --- the rest ------------------------------------------------------------------------------- */

static void
set_or_delete(json_t *obj, const char *key, json_t *value)
{
	if (value)
		json_object_set(obj, key, value);
	else
		json_object_del(obj, key);
}

static void
copy_images(json_t *spec, const json_t *from, const char *list)
{
	const json_t *containers = json_object_get(from, list);
	size_t i;
	json_t *c;

	json_array_foreach (json_object_get(spec, list), i, c)
		set_or_delete(c, "image", json_object_get(json_array_get(containers, i), "image"));
}

/* Its affinity to nodes as it was, to Pods as it is now. */
static void
copy_node_affinity(json_t *spec, const json_t *before)
{
	json_t *had = json_object_get(before, "affinity"), *has = json_object_get(spec, "affinity");

	if (had && !has)
		json_object_set_new(spec, "affinity", has = json_object());
	if (has)
		set_or_delete(has, "nodeAffinity", json_object_get(had, "nodeAffinity"));
	if (!had && has && !json_object_size(has))
		json_object_del(spec, "affinity");
}

/* The new spec with those fields that may change as they were; new. */
static json_t *
without_changes(const json_t *now, const json_t *before)
{
	static const char *const free_fields[] = { "activeDeadlineSeconds", "tolerations",
		"schedulingGates" };
	static const char grace[] = "terminationGracePeriodSeconds";
	json_t *spec = json_deep_copy(now);

	copy_images(spec, before, "containers");
	copy_images(spec, before, "initContainers");
	for (size_t i = 0; i < COUNT(free_fields); i++)
		set_or_delete(spec, free_fields[i], json_object_get(before, free_fields[i]));
	if (json_array_size(json_object_get(before, "schedulingGates"))) {
		set_or_delete(spec, "nodeSelector", json_object_get(before, "nodeSelector"));
		copy_node_affinity(spec, before);
	}
	if (num(json_object_get(before, grace), 0) < 0 && num(json_object_get(now, grace), 0) == 1)
		json_object_set(spec, grace, json_object_get(before, grace));
	return spec;
}

static void
check_rest(struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	json_auto_t *same = without_changes(now, before);
	autofree char *diff = NULL;

	if (json_equal(same, before))
		return;
	diff = shown_diff("core.v1.PodSpec", before, same);
	refuse_forbidden(out, at,
	    "pod updates may not change fields other than `spec.containers[*].image`,"
	    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
	    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to "
	    "be set to 1 if it was previously negative)\n%s",
	    diff);
}

void
pod_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *now = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");
	const struct path *at = AT(NULL, "spec");
	static const char *const lists[] = { "containers", "initContainers" };

	check_annotation_changes(out, obj, old);
	for (size_t i = 0; i < COUNT(lists); i++) {
		const json_t *containers = json_object_get(now, lists[i]);

		if (json_array_size(containers) !=
		    json_array_size(json_object_get(before, lists[i]))) {
			refuse_forbidden(
			    out, AT(at, lists[i]), "pod updates may not add or remove containers");
			return;
		}
		for (size_t k = 0; k < json_array_size(containers); k++)
			check_required(
			    out, ITEM(AT(at, lists[i]), k), json_array_get(containers, k), "image");
		check_images(out, AT(at, lists[i]), containers);
	}
	if (!check_deadline(out, AT(at, "activeDeadlineSeconds"), now, before))
		return;
	check_added_tolerations(out, AT(at, "tolerations"), json_object_get(now, "tolerations"),
	    json_object_get(before, "tolerations"));
	check_tolerations(out, AT(at, "tolerations"), json_object_get(now, "tolerations"));
	check_removed_gates(out, AT(at, "schedulingGates"), json_object_get(now, "schedulingGates"),
	    json_object_get(before, "schedulingGates"));
	if (json_array_size(json_object_get(before, "schedulingGates")))
		check_narrower(out, at, now, before);
	check_rest(out, at, now, before);
}
