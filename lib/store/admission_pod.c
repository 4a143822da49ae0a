/*
 * DefaultTolerationSeconds: Pods stay on a node that has fallen silent for five minutes, unless
 * they say otherwise.
 */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/admission.h"

enum { SECONDS = 300 };

static bool
tolerates(const json_t *tolerations, const char *taint)
{
	json_t *t;
	size_t i;

	json_array_foreach (tolerations, i, t) {
		const char *key = text(t, "key"), *effect = text(t, "effect");

		if ((!*key || strcmp(key, taint) == 0) &&
		    (!*effect || strcmp(effect, "NoExecute") == 0))
			return true;
	}
	return false;
}

int
default_toleration_seconds(struct admission *a)
{
	static const char *const taints[] = { "node.kubernetes.io/not-ready",
		"node.kubernetes.io/unreachable" };
	json_t *own = get(a->obj, "spec", "tolerations"), *all = json_array();

	if (own)
		json_array_extend(all, own);
	for (size_t i = 0; i < COUNT(taints); i++)
		if (!tolerates(own, taints[i]))
			json_array_append_new(all,
			    json_pack("{s:s, s:s, s:s, s:i}", "key", taints[i], "operator",
				"Exists", "effect", "NoExecute", "tolerationSeconds", SECONDS));
	if (json_array_size(all) > json_array_size(own))
		put(a->obj, json_incref(all), "spec", "tolerations");
	json_decref(all);
	return 0;
}
