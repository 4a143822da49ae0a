#include "node/honour.h"

#include <fnmatch.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"

/*
 * Patterns of fnmatch(3) over paths below spec: "*" for anything that may follow.  The first that
 * fits decides; `why` NULL: it is honoured.
 */
static const struct {
	const char *pattern, *why;
} rules[] = {
	/* of a cluster */
	{ "nodeName", "there are no other nodes" },
	{ "nodeSelector*", "there are no other nodes" },
	{ "affinity*", "there are no other nodes" },
	{ "topologySpreadConstraints*", "there are no other nodes" },
	{ "tolerations*", "there are no taints" },
	{ "schedulerName", "there is no scheduler" },
	{ "schedulingGates*", "there is no scheduler" },
	{ "schedulingGroup*", "there is no scheduler" },
	{ "priority*", "there is no scheduler" },
	{ "preemptionPolicy", "there is no scheduler" },
	{ "serviceAccount*", "there are no accounts" },
	{ "automountServiceAccountToken", "there are no accounts" },
	{ "enableServiceLinks", "there are no Services" },
	{ "readinessGates*", "nobody sets these conditions" },
	{ "resourceClaims*", "there are no devices" },
	{ "volumes\\[*\\].projected.sources\\[*\\].serviceAccountToken*", "there are no accounts" },
	{ "volumes\\[*\\].projected.sources\\[*\\].clusterTrustBundle*",
	    "there is no cluster to trust" },
	{ "volumes\\[*\\].projected.sources\\[*\\].podCertificate*", "nobody signs certificates" },

	/* not done yet */
	{ "resources.claims*", "there are no devices" },
	{ "resources.*.cpu", NULL },
	{ "resources.*.memory", NULL },
	{ "resources.*.hugepages-*", NULL },
	{ "resources*", "not done by this node" },
	{ "*ontainers\\[*\\].resizePolicy*", "nobody asks a pod run by hand for other resources" },
	{ "*ontainers\\[*\\].resources.claims*", "there are no devices" },
	{ "*ontainers\\[*\\].resources.*.cpu", NULL },
	{ "*ontainers\\[*\\].resources.*.memory", NULL },
	{ "*ontainers\\[*\\].resources.*.ephemeral-storage", NULL },
	{ "*ontainers\\[*\\].resources.*.hugepages-*", NULL },
	{ "*ontainers\\[*\\].resources*", NULL }, /* the machine has none: the pod is refused */
	{ "*securityContext.seLinux*", "no SELinux labels are set" },
	{ "*securityContext.windowsOptions*", "this is no Windows" },

	/* done */
	{ "activeDeadlineSeconds", NULL },
	{ "containers\\[*\\].*", NULL },
	{ "initContainers\\[*\\].*", NULL },
	{ "ephemeralContainers\\[*\\].*", NULL },
	{ "dnsConfig*", NULL },
	{ "dnsPolicy", NULL },
	{ "hostAliases*", NULL },
	{ "hostIPC", NULL },
	{ "hostNetwork", NULL },
	{ "hostPID", NULL },
	{ "hostUsers", NULL },
	{ "hostname", NULL },
	{ "hostnameOverride", NULL },
	{ "setHostnameAsFQDN", NULL },
	{ "shareProcessNamespace", NULL },
	{ "subdomain", NULL },
	{ "imagePullSecrets*", NULL },
	{ "os*", NULL },
	{ "overhead*", NULL },
	{ "restartPolicy", NULL },
	{ "runtimeClassName", NULL },
	{ "terminationGracePeriodSeconds", NULL },
	{ "securityContext*", NULL },
	{ "volumes\\[*\\].name", NULL },
	{ "volumes\\[*\\].emptyDir*", NULL },
	{ "volumes\\[*\\].hostPath*", NULL },
	{ "volumes\\[*\\].persistentVolumeClaim*", NULL },
	{ "volumes\\[*\\].ephemeral*", NULL },
	{ "volumes\\[*\\].image*", NULL },
	{ "volumes\\[*\\].configMap*", NULL },
	{ "volumes\\[*\\].secret*", NULL },
	{ "volumes\\[*\\].downwardAPI*", NULL },
	{ "volumes\\[*\\].projected*", NULL },
};

struct walk {
	void (*each)(void *arg, const char *path, const char *why);
	void *arg;
};

static const char *
verdict(const char *path)
{
	for (size_t i = 0; i < COUNT(rules); i++)
		if (fnmatch(rules[i].pattern, path, 0) == 0)
			return rules[i].why;
	return "not known to this node";
}

/* Defaults are in every object that a server has kept: they ask for nothing. */
static bool
idle(const char *path, const json_t *value)
{
	static const struct {
		const char *path, *value;
	} defaults[] = { { "schedulerName", "default-scheduler" },
		{ "preemptionPolicy", "PreemptLowerPriority" } };

	for (size_t i = 0; i < COUNT(defaults); i++)
		if (strcmp(path, defaults[i].path) == 0 &&
		    strcmp(str(value, ""), defaults[i].value) == 0)
			return true;
	if (strcmp(path, "enableServiceLinks") == 0)
		return json_is_true(value);
	if (strcmp(path, "priority") == 0 && num(value, 1) == 0)
		return true;
	return json_is_false(value) || json_is_null(value) ||
	       (json_is_object(value) && json_object_size(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0);
}

static void
walk(struct walk *w, const char *path, const json_t *value)
{
	const char *key, *why;
	json_t *v;
	size_t i;

	if (json_is_object(value)) {
		json_object_foreach ((json_t *)value, key, v) {
			autofree char *below = xasprintf("%s%s%s", path, *path ? "." : "", key);

			walk(w, below, v);
		}
	} else if (json_is_array(value)) {
		json_array_foreach (value, i, v) {
			autofree char *below = xasprintf("%s[%zu]", path, i);

			walk(w, below, v);
		}
	} else if (!idle(path, value) && (why = verdict(path))) {
		autofree char *full = xasprintf("spec.%s", path);

		w->each(w->arg, full, why);
	}
}

void
honour_check(
    const json_t *pod, void (*each)(void *arg, const char *path, const char *why), void *arg)
{
	struct walk w = { each, arg };

	walk(&w, "", get(pod, "spec"));
}
