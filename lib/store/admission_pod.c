/*
 * DefaultTolerationSeconds: Pods stay on a node that has fallen silent for a while, unless they
 * say otherwise.
 */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/admission.h"

static struct {
	const char *taint;
	long long seconds;
} taints[] = {
	{ "node.kubernetes.io/not-ready", 300 },
	{ "node.kubernetes.io/unreachable", 300 },
};

void
admission_tolerations(long long not_ready, long long unreachable)
{
	taints[0].seconds = not_ready;
	taints[1].seconds = unreachable;
}

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
	json_t *own = get(a->obj, "spec", "tolerations"), *all = json_array();

	if (own)
		json_array_extend(all, own);
	for (size_t i = 0; i < COUNT(taints); i++)
		if (!tolerates(own, taints[i].taint))
			json_array_append_new(
			    all, json_pack("{s:s, s:s, s:s, s:I}", "key", taints[i].taint,
				     "operator", "Exists", "effect", "NoExecute",
				     "tolerationSeconds", (json_int_t)taints[i].seconds));
	if (json_array_size(all) > json_array_size(own))
		put(a->obj, json_incref(all), "spec", "tolerations");
	json_decref(all);
	return 0;
}
