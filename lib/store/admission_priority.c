/* Priority: the number and the preemption policy behind a Pod's priorityClassName. */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/admission.h"

/* Kubernetes' own classes, which are known here before anybody has made the objects. */
static const struct {
	const char *name;
	json_int_t value;
} system_classes[] = {
	{ "system-cluster-critical", 2000000000 },
	{ "system-node-critical", 2000001000 },
};

static json_t *
find_class(struct admission *a, const char *name)
{
	json_t *class = admission_get(a, "scheduling.k8s.io", "PriorityClass", "", name);

	for (size_t i = 0; !class && i < COUNT(system_classes); i++)
		if (strcmp(name, system_classes[i].name) == 0)
			class = json_pack("{s:{s:s}, s:I}", "metadata", "name", name, "value",
			    system_classes[i].value);
	return class;
}

/* The class of Pods that name none: of several, the one with the lowest value; new, or NULL. */
static json_t *
default_class(struct admission *a)
{
	json_auto_t *all = admission_list_with(
	    a, "scheduling.k8s.io", "PriorityClass", NULL, "\"globalDefault\":true");
	json_t *class, *found = NULL;
	size_t i;

	json_array_foreach (all, i, class)
		if (truth(get(class, "globalDefault")) &&
		    (!found || num(get(class, "value"), 0) < num(get(found, "value"), 0)))
			found = class;
	return json_incref(found);
}

/* What the class says, and an error when the Pod says otherwise. */
static int
resolve(struct admission *a, const json_t *class, const char *policy)
{
	json_t *spec = json_object_get(a->obj, "spec"), *said = json_object_get(spec, "priority");
	json_int_t value = class ? num(json_object_get(class, "value"), 0) : 0;
	const char *own = text(spec, "preemptionPolicy");

	if (json_is_integer(said) && json_integer_value(said) != value)
		return admission_forbid(a,
		    "the integer value of priority (%lld) must not be provided in pod spec; "
		    "priority admission controller computed %lld from the given PriorityClass name",
		    (long long)json_integer_value(said), (long long)value);
	if (*own && strcmp(own, policy) != 0)
		return admission_forbid(a,
		    "the string value of PreemptionPolicy (%s) must not be provided in pod spec; "
		    "priority admission controller computed %s from the given PriorityClass name",
		    own, policy);
	json_object_set_new(spec, "priority", json_integer(value));
	json_object_set_new(spec, "preemptionPolicy", json_string(policy));
	return 0;
}

static int
resolve_new(struct admission *a)
{
	json_t *spec = json_object_get(a->obj, "spec");
	const char *name = text(spec, "priorityClassName"), *policy;
	json_auto_t *class = *name ? find_class(a, name) : default_class(a);

	if (*name && !class)
		return admission_forbid(a, "no PriorityClass with name %s was found", name);
	if (class && !*name)
		json_object_set_new(spec, "priorityClassName", json_string(meta_name(class)));
	policy = class ? text(class, "preemptionPolicy") : "";
	return resolve(a, class, *policy ? policy : "PreemptLowerPriority");
}

/* What a Pod once got stays, also when a client that does not know of it leaves it out. */
static void
keep(struct admission *a, const char *key)
{
	json_t *was = get(a->old, "spec", key);

	if (was && !get(a->obj, "spec", key))
		put(a->obj, json_incref(was), "spec", key);
}

int
priority_mutate(struct admission *a)
{
	if (!kind_is(a->kind, "", "Pod"))
		return 0;
	if (a->op == OP_CREATE)
		return resolve_new(a);
	keep(a, "priority");
	keep(a, "preemptionPolicy");
	return 0;
}

int
priority_validate(struct admission *a)
{
	json_auto_t *other = NULL;

	if (!kind_is(a->kind, "scheduling.k8s.io", "PriorityClass") ||
	    !truth(get(a->obj, "globalDefault")))
		return 0;
	other = default_class(a);
	if (!other || (a->op == OP_UPDATE && strcmp(meta_name(other), meta_name(a->obj)) == 0))
		return 0;
	return admission_forbid(a,
	    "PriorityClass %s is already marked as default. Only one default can exist",
	    meta_name(other));
}
