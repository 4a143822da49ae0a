/*
 * TaintNodesByCondition: a Node takes no Pods until somebody has seen that it is ready;
 * PodTopologyLabels: where its Pods are.
 */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/admission.h"

int
taint_nodes_by_condition(struct admission *a)
{
	static const char key[] = "node.kubernetes.io/not-ready";
	json_t *taints = get(a->obj, "spec", "taints"), *taint;
	size_t i;

	json_array_foreach (taints, i, taint)
		if (strcmp(text(taint, "key"), key) == 0 &&
		    strcmp(text(taint, "effect"), "NoSchedule") == 0)
			return 0;
	if (!taints) {
		taints = json_array();
		put(a->obj, taints, "spec", "taints");
	}
	json_array_append_new(taints, json_pack("{s:s, s:s}", "key", key, "effect", "NoSchedule"));
	return 0;
}

/* --- PodTopologyLabels: a Pod says in which zone and region its node is --- */

int
pod_topology_labels(struct admission *a)
{
	static const char *const keys[] = { "topology.kubernetes.io/zone",
		"topology.kubernetes.io/region" };
	const char *name = text(a->obj, "spec", "nodeName");
	json_auto_t *node = *name ? admission_get(a, "", "Node", "", name) : NULL;

	for (size_t i = 0; i < COUNT(keys); i++) {
		json_t *v = get(node, "metadata", "labels", keys[i]);

		if (v && !get(a->obj, "metadata", "labels", keys[i]))
			put(a->obj, json_incref(v), "metadata", "labels", keys[i]);
	}
	return 0;
}
