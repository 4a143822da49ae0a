#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "control/taint.h"

/* Which status of which condition means which taint. */
static const struct {
	const char *condition, *status, *key, *effect;
} rules[] = {
	{ "Ready", "False", TAINT_NOT_READY, "NoSchedule" },
	{ "Ready", "", TAINT_NOT_READY, "NoSchedule" }, /* nothing was reported yet */
	{ "Ready", "Unknown", TAINT_UNREACHABLE, "NoSchedule" },
	{ "Ready", "False", TAINT_NOT_READY, "NoExecute" },
	{ "Ready", "Unknown", TAINT_UNREACHABLE, "NoExecute" },
	{ "MemoryPressure", "True", "node.kubernetes.io/memory-pressure", "NoSchedule" },
	{ "DiskPressure", "True", "node.kubernetes.io/disk-pressure", "NoSchedule" },
	{ "PIDPressure", "True", "node.kubernetes.io/pid-pressure", "NoSchedule" },
	{ "NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable", "NoSchedule" },
};

#define UNSCHEDULABLE "node.kubernetes.io/unschedulable"

static bool
is(const json_t *taint, const char *key, const char *effect)
{
	return strcmp(text(taint, "key"), key) == 0 && strcmp(text(taint, "effect"), effect) == 0;
}

/* Does a rule decide about this taint? */
static bool
ruled(const json_t *taint)
{
	for (size_t i = 0; i < COUNT(rules); i++)
		if (is(taint, rules[i].key, rules[i].effect))
			return true;
	return is(taint, UNSCHEDULABLE, "NoSchedule");
}

static bool
wanted(const json_t *node, const char *key, const char *effect)
{
	if (strcmp(key, UNSCHEDULABLE) == 0)
		return truth(get(node, "spec", "unschedulable"));
	for (size_t i = 0; i < COUNT(rules); i++) {
		const char *status = text(condition_find(node, rules[i].condition), "status");

		if (strcmp(rules[i].key, key) == 0 && strcmp(rules[i].effect, effect) == 0 &&
		    strcmp(rules[i].status, status) == 0)
			return true;
	}
	return false;
}

static void
want(json_t *taints, const json_t *node, const char *key, const char *effect, const char *now)
{
	size_t i;
	json_t *taint;

	if (!wanted(node, key, effect))
		return;
	json_array_foreach (taints, i, taint)
		if (is(taint, key, effect))
			return;
	json_array_append_new(
	    taints, json_pack("{s:s, s:s, s:s}", "key", key, "effect", effect, "timeAdded", now));
}

json_t *
taints_of_state(const json_t *node, const char *now)
{
	json_t *taints = json_array(), *taint;
	size_t i;

	json_array_foreach (get(node, "spec", "taints"), i, taint) {
		json_t *copy;

		if (ruled(taint) && !wanted(node, text(taint, "key"), text(taint, "effect")))
			continue;
		copy = json_deep_copy(taint);
		/* Evictions count from here, so there has to be a time. */
		if (strcmp(text(taint, "effect"), "NoExecute") == 0 && !*text(taint, "timeAdded"))
			put(copy, json_string(now), "timeAdded");
		json_array_append_new(taints, copy);
	}
	for (i = 0; i < COUNT(rules); i++)
		want(taints, node, rules[i].key, rules[i].effect, now);
	want(taints, node, UNSCHEDULABLE, "NoSchedule", now);
	return taints;
}

bool
taint_present(const json_t *node, const char *key)
{
	size_t i;
	json_t *taint;

	json_array_foreach (get(node, "spec", "taints"), i, taint)
		if (strcmp(text(taint, "key"), key) == 0)
			return true;
	return false;
}

static bool
tolerates(const json_t *toleration, const json_t *taint)
{
	const char *effect = text(toleration, "effect"), *key = text(toleration, "key");
	const char *op = text(toleration, "operator");

	if (*effect && strcmp(effect, text(taint, "effect")) != 0)
		return false;
	if (*key && strcmp(key, text(taint, "key")) != 0)
		return false;
	if (strcmp(op, "Exists") == 0)
		return true;
	return *key && (!*op || strcmp(op, "Equal") == 0) &&
	       strcmp(text(toleration, "value"), text(taint, "value")) == 0;
}

const json_t *
taint_toleration(const json_t *taint, const json_t *pod)
{
	size_t i;
	json_t *toleration;

	json_array_foreach (get(pod, "spec", "tolerations"), i, toleration)
		if (tolerates(toleration, taint))
			return toleration;
	return NULL;
}
