/* Pods through subresources of their own: containers to look around with, and other resources. */
#include <string.h>

#include "api/pod.h"
#include "api/rules_status.h"
#include "api/shown.h"
#include "base/mem.h"

static const struct path *const top = NULL;

static const char mirror[] = "kubernetes.io/config.mirror";

/* Of a Pod that nobody but its node can change, this is all that is said. */
static void
refuse_all(struct causes *out, const char *why)
{
	causes_truncate(out, 0);
	cause_add(out, "FieldValueForbidden", "", "Forbidden: %s", why);
}

/* --- ephemeral containers -------------------------------------------------------------------- */

static const json_t *
named(const json_t *list, const char *name)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item)
		if (!strcmp(text(item, "name"), name))
			return item;
	return NULL;
}

/* They may be added, and in any order; those that are there stay as they are. */
void
pod_ephemeral(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(AT(top, "spec"), "ephemeralContainers");
	size_t i;
	json_t *was;

	if (meta_annotation(old, mirror)) {
		refuse_all(out, "static pods do not support ephemeral containers");
		return;
	}
	json_array_foreach (get(old, "spec", "ephemeralContainers"), i, was) {
		const char *name = text(was, "name");
		const json_t *is = named(get(obj, "spec", "ephemeralContainers"), name);
		autofree char *diff = NULL;

		if (!is) {
			refuse_forbidden(out, at,
			    "existing ephemeral containers \"%s\" may not be removed\n", name);
		} else if (!json_equal(is, was)) {
			diff = shown_diff("core.v1.EphemeralContainer", was, is);
			refuse_forbidden(out, at,
			    "existing ephemeral containers \"%s\" may not be changed\n%s", name,
			    diff);
		}
	}
}

/* --- resize --------------------------------------------------------------------------------- */

static bool
is_sidecar(const json_t *container)
{
	return !strcmp(text(container, "restartPolicy"), "Always");
}

static bool
removed(const json_t *now, const json_t *before)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)before, key, v)
		if (!json_object_get(now, key))
			return true;
	return false;
}

/* What is asked for may be more or less, but not nothing any more. */
static void
check_removed(struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	const struct path *here = AT(at, "resources");

	if (removed(get(now, "resources", "requests"), get(before, "resources", "requests")))
		refuse_forbidden(out, AT(here, "requests"), "resource requests cannot be removed");
	if (removed(get(now, "resources", "limits"), get(before, "resources", "limits")))
		refuse_forbidden(out, AT(here, "limits"), "resource limits cannot be removed");
}

static void
check_all_removed(struct causes *out, const json_t *now, const json_t *before)
{
	const struct path *at = AT(top, "spec");
	size_t i;
	json_t *c;

	check_removed(out, at, now, before);
	json_array_foreach (json_object_get(before, "initContainers"), i, c)
		if (is_sidecar(c))
			check_removed(out, ITEM(AT(at, "initContainers"), i),
			    json_array_get(json_object_get(now, "initContainers"), i), c);
	json_array_foreach (json_object_get(before, "containers"), i, c)
		check_removed(out, ITEM(AT(at, "containers"), i),
		    json_array_get(json_object_get(now, "containers"), i), c);
}

/* Amounts of resources with cpu and memory as they were; NULL where there were none.  New. */
static json_t *
with_old(const json_t *now, const json_t *before)
{
	static const char *const names[] = { "cpu", "memory" };
	json_t *ret;

	ret = now ? json_copy((json_t *)now) : json_object();
	for (size_t i = 0; i < COUNT(names); i++) {
		json_t *v = json_object_get(before, names[i]);

		if (v)
			json_object_set(ret, names[i], v);
		else
			json_object_del(ret, names[i]);
	}
	if (before || json_object_size(ret))
		return ret;
	json_decref(ret);
	return NULL;
}

/* Does it differ in more than how much cpu and memory it asks for, and how that is changed? */
static bool
differs(const json_t *now, const json_t *before)
{
	json_auto_t *limits =
	    with_old(get(now, "resources", "limits"), get(before, "resources", "limits"));
	json_auto_t *requests =
	    with_old(get(now, "resources", "requests"), get(before, "resources", "requests"));
	json_auto_t *a = json_copy((json_t *)now), *b = json_copy((json_t *)before);

	if (!same_value(limits, get(before, "resources", "limits")) ||
	    !same_value(requests, get(before, "resources", "requests")) ||
	    json_array_size(get(before, "resources", "claims")))
		return true;
	json_object_del(a, "resources");
	json_object_del(b, "resources");
	json_object_del(a, "resizePolicy");
	json_object_del(b, "resizePolicy");
	return !json_equal(a, b);
}

static void
check_init_resized(struct causes *out, const json_t *now, const json_t *before)
{
	const struct path *at = AT(top, "spec");
	const json_t *list = json_object_get(before, "initContainers");
	size_t i;
	json_t *c;

	json_array_foreach (json_object_get(now, "initContainers"), i, c) {
		const json_t *was = json_array_get(list, i);

		if (is_sidecar(c) && differs(c, was))
			refuse_forbidden(out, at,
			    "only cpu and memory resources for sidecar containers are mutable");
		else if (!is_sidecar(c) && !json_equal(c, was))
			refuse_forbidden(
			    out, at, "resources for non-sidecar init containers are immutable");
	}
}

/* What the Pod says of itself (KEP-5419). */
static void
check_whole_resized(struct causes *out, const json_t *now, const json_t *before)
{
	json_auto_t *limits =
	    with_old(get(now, "resources", "limits"), get(before, "resources", "limits"));
	json_auto_t *requests =
	    with_old(get(now, "resources", "requests"), get(before, "resources", "requests"));

	if (!get(now, "resources") && !get(before, "resources"))
		return;
	if (!same_value(limits, get(before, "resources", "limits")) ||
	    !same_value(requests, get(before, "resources", "requests")))
		refuse_forbidden(out, AT(top, "spec"), "only cpu and memory resources are mutable");
}

/* Nothing but containers, and not more or fewer of these. */
static void
check_rest(struct causes *out, const json_t *now, const json_t *before)
{
	static const char *const lists[] = { "containers", "initContainers" };
	json_auto_t *a = json_copy((json_t *)now), *b = json_copy((json_t *)before);
	bool same = true;

	for (size_t i = 0; i < COUNT(lists); i++) {
		same = same && json_array_size(json_object_get(a, lists[i])) ==
				   json_array_size(json_object_get(b, lists[i]));
		json_object_del(a, lists[i]);
		json_object_del(b, lists[i]);
	}
	json_object_del(a, "resources");
	json_object_del(b, "resources");
	if (!same || !json_equal(a, b))
		refuse_forbidden(out, AT(top, "spec"), "only cpu and memory resources are mutable");
}

/* A node that can do it says what its running containers have. */
static bool
supported(const json_t *pod)
{
	size_t i;
	json_t *c;

	json_array_foreach (get(pod, "status", "containerStatuses"), i, c)
		if (get(c, "state", "running"))
			return json_object_get(c, "resources");
	return true;
}

/* Why this Pod cannot be resized at all, NULL when it can. */
static const char *
unfit(const json_t *old)
{
	if (meta_annotation(old, mirror))
		return "static pods cannot be resized";
	return !strcmp(text(old, "spec", "os", "name"), "windows")
		   ? "windows pods cannot be resized"
		   : NULL;
}

void
pod_resize(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *now = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");
	const json_t *list = json_object_get(before, "containers");
	const char *was = text(old, "status", "qosClass");
	size_t i;
	json_t *c;

	if (unfit(old)) {
		refuse_all(out, unfit(old));
		return;
	}
	if (strcmp(*was ? was : pod_qos(old), pod_qos(obj)))
		refuse_text(out, AT(top, "spec"), text(obj, "status", "qosClass"),
		    "Pod QOS Class may not change as a result of resizing");
	if (!supported(old))
		refuse_forbidden(
		    out, AT(top, "spec"), "Pod running on node without support for resize");
	check_all_removed(out, now, before);
	json_array_foreach (json_object_get(now, "containers"), i, c)
		if (differs(c, json_array_get(list, i)))
			refuse_forbidden(
			    out, AT(top, "spec"), "only cpu and memory resources are mutable");
	check_whole_resized(out, now, before);
	check_init_resized(out, now, before);
	if (out->n == 0)
		check_rest(out, now, before);
}
