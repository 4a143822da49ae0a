/* An APIService for each group and version that this server serves by itself. */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/bootstrap_private.h"

/* In which order clients look through the groups (kube-apiserver's numbers). */
static const struct {
	const char *group;
	int priority;
} groups[] = {
	{ "", 18000 },
	{ "apps", 17800 },
	{ "events.k8s.io", 17750 },
	{ "authentication.k8s.io", 17700 },
	{ "authorization.k8s.io", 17600 },
	{ "autoscaling", 17500 },
	{ "batch", 17400 },
	{ "certificates.k8s.io", 17300 },
	{ "networking.k8s.io", 17200 },
	{ "policy", 17100 },
	{ "rbac.authorization.k8s.io", 17000 },
	{ "storage.k8s.io", 16800 },
	{ "admissionregistration.k8s.io", 16700 },
	{ "apiextensions.k8s.io", 16700 },
	{ "scheduling.k8s.io", 16600 },
	{ "coordination.k8s.io", 16500 },
	{ "node.k8s.io", 16300 },
	{ "discovery.k8s.io", 16200 },
	{ "flowcontrol.apiserver.k8s.io", 16100 },
	{ "resource.k8s.io", 15900 },
};

static int
version_priority(const char *group, const char *version)
{
	if (!*group)
		return 1;
	if (strcmp(group, "flowcontrol.apiserver.k8s.io") == 0)
		return 21;
	return strcmp(version, "v1") == 0 ? 15 : 30;
}

void
api_priorities(const char *group, const char *version, int *group_priority, int *priority)
{
	/* behind all others: custom kinds; before all: what says what there is */
	bool first = strcmp(group, "apiregistration.k8s.io") == 0;

	*group_priority = first ? 20000 : 1000;
	*priority = 100;
	for (size_t g = 0; g < COUNT(groups); g++) {
		if (strcmp(groups[g].group, group) != 0 || !group_built_in(group))
			continue;
		*group_priority = groups[g].priority;
		*priority = version_priority(group, version);
	}
}

static json_t *
api_service(const char *group, const char *version, int priority)
{
	autofree char *name = xasprintf("%s.%s", version, group);
	char now[40];
	json_t *o = json_pack("{s:s,s:s,s:{s:s,s:{s:s}},s:{s:s,s:i,s:i}}", "apiVersion",
	    "apiregistration.k8s.io/v1", "kind", "APIService", "metadata", "name", name, "labels",
	    "kube-aggregator.kubernetes.io/automanaged", "onstart", "spec", "version", version,
	    "groupPriorityMinimum", priority, "versionPriority", version_priority(group, version));

	if (*group)
		put(o, json_string(group), "spec", "group");
	condition_set(o, "Available", "True", "Local", "Local APIServices are always available",
	    call_now(now));
	return o;
}

void
bootstrap_api(struct bootstrap *b)
{
	size_t n;
	const struct kind *const *k = schema_kinds(&n);
	const struct kind *last = NULL;

	/* the kinds of one group and version stand together */
	for (size_t i = 0; i < n; i++) {
		if (!k[i]->verbs || (last && strcmp(k[i]->group, last->group) == 0 &&
					strcmp(k[i]->version, last->version) == 0))
			continue;
		last = k[i];
		for (size_t g = 0; g < COUNT(groups); g++)
			if (strcmp(groups[g].group, last->group) == 0)
				bootstrap_want(b,
				    api_service(last->group, last->version, groups[g].priority),
				    CARE_MANAGED, "kube-apiserver");
	}
}
