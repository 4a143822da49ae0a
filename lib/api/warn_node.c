/* Labels of nodes that are deprecated, wherever nodes are selected by them. */
#include <string.h>

#include "api/label.h"
#include "api/meta.h"
#include "api/warn.h"
#include "base/mem.h"

static const struct {
	const char *key, *how;
} labels[] = {
	{ "beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead" },
	{ "beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead" },
	{ "failure-domain.beta.kubernetes.io/region",
	    "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead" },
	{ "failure-domain.beta.kubernetes.io/zone",
	    "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead" },
	{ "beta.kubernetes.io/instance-type",
	    "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead" },
	{ "app.kubernetes.io/created-by", "deprecated since v1.9" },
	{ "scheduler.alpha.kubernetes.io/preferAvoidPods",
	    "deprecated since v1.22; use Taints and Tolerations instead" },
	{ "node-role.kubernetes.io/master",
	    "use \"node-role.kubernetes.io/control-plane\" instead" },
};

const char *
label_deprecated(const char *key)
{
	for (size_t i = 0; i < COUNT(labels); i++)
		if (strcmp(key, labels[i].key) == 0)
			return labels[i].how;
	return NULL;
}

static void
warn_value(struct causes *out, const struct path *at, const json_t *value)
{
	autofree char *why = label_value_refused(str(value, ""));

	if (why)
		warn_field(out, at, "%s is invalid, %s", str(value, ""), why);
}

static void
warn_expressions(struct causes *out, const struct path *at, const json_t *expressions, bool values)
{
	json_t *e, *value;
	size_t i, k;

	json_array_foreach (expressions, i, e) {
		const char *key = text(e, "key"), *how = label_deprecated(key);

		if (how)
			warn_field(out, AT(ITEM(at, i), "key"), "%s is %s", key, how);
		if (!values)
			continue;
		json_array_foreach (get(e, "values"), k, value)
			warn_value(out, ITEM(AT(ITEM(at, i), "values"), k), value);
	}
}

void
warn_term(struct causes *out, const struct path *at, const json_t *term, bool values)
{
	warn_expressions(out, AT(at, "matchExpressions"), get(term, "matchExpressions"), values);
}

void
warn_selector(struct causes *out, const struct path *at, const json_t *selector)
{
	const char *key, *how;
	json_t *v;

	warn_expressions(out, AT(at, "matchExpressions"), get(selector, "matchExpressions"), false);
	json_object_foreach (get(selector, "matchLabels"), key, v)
		if ((how = label_deprecated(key)))
			warn_field(out, AT(AT(at, "matchLabels"), key), "%s", how);
}
