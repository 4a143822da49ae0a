/* RuntimeClass: what a Pod's class costs, and where it may run. */
#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "store/admission.h"

/* The Pod's class into *ret, NULL when it names none; new. */
static int
find_class(struct admission *a, json_t **ret)
{
	const char *name = text(a->obj, "spec", "runtimeClassName");

	*ret = NULL;
	if (!*name)
		return 0;
	*ret = admission_get(a, "node.k8s.io", "RuntimeClass", "", name);
	return *ret ? 0 : admission_forbid(a, "pod rejected: RuntimeClass \"%s\" not found", name);
}

static bool
same_resources(const json_t *x, const json_t *y)
{
	const char *name;
	json_t *v;

	if (json_object_size(x) != json_object_size(y))
		return false;
	json_object_foreach ((json_t *)x, name, v) {
		const char *other = str(json_object_get(y, name), NULL);
		autofree char *one = quantity_canonical(str(v, "")),
			      *two = other ? quantity_canonical(other) : NULL;

		if (!one || !two || quantity_milli(v) != quantity_milli(json_object_get(y, name)))
			return false;
	}
	return true;
}

static int
refuse_overhead(struct admission *a)
{
	return admission_forbid(
	    a, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
}

static int
set_overhead(struct admission *a, const json_t *class)
{
	json_t *fixed = get(class, "overhead", "podFixed"), *own = get(a->obj, "spec", "overhead");

	if (!get(class, "overhead"))
		return 0;
	if (own && !same_resources(fixed, own))
		return refuse_overhead(a);
	if (fixed)
		put(a->obj, json_incref(fixed), "spec", "overhead");
	return 0;
}

static int
set_selector(struct admission *a, const json_t *class)
{
	const char *key;
	json_t *v;

	json_object_foreach (get(class, "scheduling", "nodeSelector"), key, v) {
		json_t *own = get(a->obj, "spec", "nodeSelector", key);

		if (own && !json_equal(own, v))
			return admission_forbid(a,
			    "conflict: runtimeClass.scheduling.nodeSelector[%s] = %s; "
			    "pod.spec.nodeSelector[%s] = %s",
			    key, str(v, ""), key, str(own, ""));
		put(a->obj, json_incref(v), "spec", "nodeSelector", key);
	}
	return 0;
}

/* Does a toleration tolerate all that another one does? */
static bool
covers(const json_t *wide, const json_t *t)
{
	const char *key = text(wide, "key"), *effect = text(wide, "effect");
	bool exists = strcmp(text(wide, "operator"), "Exists") == 0;
	json_t *seconds = get(wide, "tolerationSeconds");

	if (json_equal(wide, t))
		return true;
	if (strcmp(key, text(t, "key")) != 0 && !(exists && !*key))
		return false;
	if (*effect && strcmp(effect, text(t, "effect")) != 0)
		return false;
	if (strcmp(effect, "NoExecute") == 0 && seconds &&
	    (!get(t, "tolerationSeconds") || num(get(t, "tolerationSeconds"), 0) > num(seconds, 0)))
		return false;
	return exists || (strcmp(text(t, "operator"), "Exists") != 0 &&
			     strcmp(text(wide, "value"), text(t, "value")) == 0);
}

/* Is number i of all said by another one?  Of equal ones the first stays. */
static bool
redundant(const json_t *all, size_t i, const json_t *merged)
{
	json_t *t = json_array_get(all, i), *other;
	size_t k;

	json_array_foreach (merged, k, other)
		if (covers(other, t))
			return true;
	for (k = i + 1; (other = json_array_get(all, k)); k++)
		if (!json_equal(other, t) && covers(other, t))
			return true;
	return false;
}

static void
set_tolerations(struct admission *a, const json_t *class)
{
	json_t *merged = json_array();
	json_auto_t *all = json_array();
	json_t *own = get(a->obj, "spec", "tolerations");
	json_t *more = get(class, "scheduling", "tolerations");

	if (own)
		json_array_extend(all, own);
	if (more)
		json_array_extend(all, more);
	for (size_t i = 0; i < json_array_size(all); i++)
		if (!redundant(all, i, merged))
			json_array_append(merged, json_array_get(all, i));
	if (json_array_size(merged) > 0)
		put(a->obj, json_incref(merged), "spec", "tolerations");
	json_decref(merged);
}

int
runtime_class_mutate(struct admission *a)
{
	json_auto_t *class = NULL;

	if (find_class(a, &class) < 0 || set_overhead(a, class) < 0)
		return -1;
	if (!get(class, "scheduling"))
		return 0;
	if (set_selector(a, class) < 0)
		return -1;
	set_tolerations(a, class);
	return 0;
}

int
runtime_class_validate(struct admission *a)
{
	json_t *own = get(a->obj, "spec", "overhead");
	json_auto_t *class = NULL;

	if (find_class(a, &class) < 0)
		return -1;
	if (get(class, "overhead"))
		return same_resources(get(class, "overhead", "podFixed"), own) ? 0
									       : refuse_overhead(a);
	if (own)
		return admission_forbid(a, "pod rejected: Pod Overhead set without corresponding "
					   "RuntimeClass defined Overhead");
	return 0;
}
