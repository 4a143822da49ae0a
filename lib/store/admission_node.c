/* TaintNodesByCondition: a Node takes no Pods until somebody has seen that it is ready. */
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
