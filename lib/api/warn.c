/* Which kinds have warnings, and those of small kinds. */
#include "api/warn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/check.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "base/mem.h"

void
warn_field(struct causes *out, const struct path *at, const char *fmt, ...)
{
	autofree char *path = path_print(at), *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	cause_add(out, "", "", "%s: %s", path, text);
}

void
warn_fraction(struct causes *out, const struct path *at, const json_t *resources, const char *name)
{
	json_t *v = json_object_get(resources, name);

	if (v && quantity_milli(v) % 1000 != 0)
		warn_field(out, KEY(at, name),
		    "fractional byte value \"%s\" is invalid, must be an integer", str(v, ""));
}

/* --- names that become part of a hostname --- */

static void
warn_name(struct causes *out, const json_t *obj, const char *use)
{
	struct causes refused = CAUSES_INIT;
	autobuf struct buf why = BUF_INIT;
	autofree char *shown = xasprintf("Invalid value: \"%s\": ", meta_name(obj));

	check_dns_label(&refused, NULL, meta_name(obj));
	for (size_t i = 0; i < refused.n; i++) {
		const char *message = refused.item[i].message;
		bool plain = strncmp(message, shown, strlen(shown)) == 0;

		buf_printf(&why, "%s%s", i ? " " : "", plain ? message + strlen(shown) : message);
	}
	if (refused.n)
		warn_plain(out,
		    "metadata.name: this is used in %s, which can result in surprising behavior; a "
		    "DNS label is recommended: [%s]",
		    use, why.data);
	causes_release(&refused);
}

#define IN_PODS "Pod names and hostnames"

/* --- workloads --- */

static void
pod_warnings(struct causes *out, const json_t *obj)
{
	warn_name(out, obj, "the Pod's hostname");
	warn_pod(out, NULL, obj);
}

static void
template_only(struct causes *out, const json_t *obj)
{
	warn_pod(out, AT(AT(NULL, "spec"), "template"), get(obj, "spec", "template"));
}

static void
named_template(struct causes *out, const json_t *obj)
{
	warn_name(out, obj, IN_PODS);
	template_only(out, obj);
}

static void
stateful_set_warnings(struct causes *out, const json_t *obj)
{
	const struct path *at = AT(AT(NULL, "spec"), "volumeClaimTemplates");
	json_t *claim;
	size_t i;

	template_only(out, obj);
	json_array_foreach (get(obj, "spec", "volumeClaimTemplates"), i, claim)
		warn_claim_spec(out, AT(ITEM(at, i), "Spec"), get(claim, "spec"));
	if (num(get(obj, "spec", "revisionHistoryLimit"), 0) < 0)
		warn_plain(out,
		    "spec.revisionHistoryLimit: a negative value retains all historical "
		    "revisions; a value >= 0 is recommended");
}

static void
job_spec_warnings(struct causes *out, const struct path *at, const json_t *spec)
{
	if (strcmp(text(spec, "completionMode"), "Indexed") == 0 &&
	    num(get(spec, "completions"), 0) > 100000 && num(get(spec, "parallelism"), 0) > 10000)
		warn_field(out, at,
		    "In Indexed Jobs with a number of completions higher than 10^5 and a "
		    "parallelism higher than 10^4, Kubernetes might not be able to track "
		    "completedIndexes when a big number of indexes fail");
	warn_pod(out, AT(at, "template"), get(spec, "template"));
}

static void
job_changed(struct causes *out, const json_t *obj)
{
	job_spec_warnings(out, AT(NULL, "spec"), get(obj, "spec"));
}

static void
job_warnings(struct causes *out, const json_t *obj)
{
	warn_name(out, obj, IN_PODS);
	job_changed(out, obj);
}

static void
cron_job_changed(struct causes *out, const json_t *obj)
{
	job_spec_warnings(out, AT(AT(AT(NULL, "spec"), "jobTemplate"), "spec"),
	    get(obj, "spec", "jobTemplate", "spec"));
	if (strstr(text(obj, "spec", "schedule"), "TZ"))
		warn_plain(out, "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone "
				"instead, see https://kubernetes.io/docs/concepts/workloads/"
				"controllers/cron-jobs/ for more details");
}

static void
cron_job_warnings(struct causes *out, const json_t *obj)
{
	warn_name(out, obj, IN_PODS);
	job_spec_warnings(out, AT(AT(AT(NULL, "spec"), "jobTemplate"), "spec"),
	    get(obj, "spec", "jobTemplate", "spec"));
}

static void
pod_template_warnings(struct causes *out, const json_t *obj)
{
	warn_pod(out, AT(NULL, "template"), get(obj, "template"));
}

/* --- storage --- */

static void
warn_class_annotation(struct causes *out, const json_t *obj)
{
	static const char key[] = "volume.beta.kubernetes.io/storage-class";

	if (meta_annotation(obj, key))
		warn_field(out, KEY(AT(AT(NULL, "metadata"), "annotations"), key),
		    "deprecated since v1.8; use \"storageClassName\" attribute instead");
}

void
warn_claim_spec(struct causes *out, const struct path *at, const json_t *spec)
{
	const struct path *resources = AT(at, "resources");

	warn_fraction(
	    out, AT(resources, "requests"), get(spec, "resources", "requests"), "storage");
	warn_fraction(out, AT(resources, "limits"), get(spec, "resources", "limits"), "storage");
}

static void
claim_warnings(struct causes *out, const json_t *obj)
{
	warn_class_annotation(out, obj);
	warn_claim_spec(out, AT(NULL, "spec"), get(obj, "spec"));
}

static void
volume_warnings(struct causes *out, const json_t *obj)
{
	static const struct {
		const char *kind, *how;
	} old[] = {
		{ "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+" },
		{ "scaleIO", "deprecated in v1.16, non-functional in v1.22+" },
		{ "storageos", "deprecated in v1.22, non-functional in v1.25+" },
		{ "glusterfs", "deprecated in v1.25, non-functional in v1.26+" },
		{ "cephfs", "deprecated in v1.28, non-functional in v1.31+" },
		{ "rbd", "deprecated in v1.28, non-functional in v1.31+" },
	};
	const struct path *spec = AT(NULL, "spec");
	const struct path *terms =
	    AT(AT(AT(spec, "nodeAffinity"), "required"), "nodeSelectorTerms");
	json_t *term;
	size_t i;

	warn_class_annotation(out, obj);
	if (strcmp(text(obj, "spec", "persistentVolumeReclaimPolicy"), "Recycle") == 0)
		warn_field(out, AT(spec, "persistentVolumeReclaimPolicy"),
		    "The Recycle reclaim policy is deprecated. Instead, the recommended approach "
		    "is "
		    "to use dynamic provisioning.");
	json_array_foreach (
	    get(obj, "spec", "nodeAffinity", "required", "nodeSelectorTerms"), i, term)
		warn_term(out, ITEM(terms, i), term, false);
	for (i = 0; i < COUNT(old); i++)
		if (get(obj, "spec", old[i].kind))
			warn_field(out,
			    AT(spec,
				strcmp(old[i].kind, "storageos") == 0 ? "storageOS" : old[i].kind),
			    "%s", old[i].how);
}

static void
storage_class_warnings(struct causes *out, const json_t *obj)
{
	const struct path *at = AT(NULL, "allowedTopologies");
	json_t *topology, *e;
	size_t i, k;

	json_array_foreach (get(obj, "allowedTopologies"), i, topology)
		json_array_foreach (get(topology, "matchLabelExpressions"), k, e) {
			const char *how = label_deprecated(text(e, "key"));

			if (how)
				warn_field(out,
				    AT(ITEM(AT(ITEM(at, i), "matchLabelExpressions"), k), "key"),
				    "%s", how);
		}
}

static void
capacity_warnings(struct causes *out, const json_t *obj)
{
	warn_selector(out, AT(NULL, "nodeTopology"), get(obj, "nodeTopology"));
}

static void
csi_driver_warnings(struct causes *out, const json_t *obj)
{
	if (json_array_size(get(obj, "spec", "tokenRequests")) > 0 &&
	    !get(obj, "spec", "serviceAccountTokenInSecrets"))
		warn_plain(out, "spec.serviceAccountTokenInSecrets is unset; if supported by this "
				"CSI driver, set to true to prevent possible logging of tokens in "
				"volume attributes");
}

static void
runtime_class_warnings(struct causes *out, const json_t *obj)
{
	const char *key, *how;
	json_t *v;

	json_object_foreach (get(obj, "scheduling", "nodeSelector"), key, v)
		if ((how = label_deprecated(key)))
			warn_field(out, AT(AT(NULL, "scheduling"), "nodeSelector"), "%s", how);
}

static void
node_warnings(struct causes *out, const json_t *obj)
{
	json_t *cidr;
	size_t i;

	if (get(obj, "spec", "configSource"))
		warn_plain(out, "spec.configSource: the feature is no longer available");
	if (*text(obj, "spec", "externalID"))
		warn_plain(
		    out, "spec.externalID: this field is deprecated, and is unused by Kubernetes");
	json_array_foreach (get(obj, "spec", "podCIDRs"), i, cidr)
		warn_cidr(out, ITEM(AT(AT(NULL, "spec"), "podCIDRs"), i), str(cidr, ""));
}

/* --- which --- */

#define MOUNTABLE "kubernetes.io/enforce-mountable-secrets"

static void
account_warnings(struct causes *out, const json_t *obj)
{
	if (meta_annotation(obj, MOUNTABLE))
		warn_field(out, KEY(AT(AT(NULL, "metadata"), "annotations"), MOUNTABLE),
		    "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted "
		    "secrets");
}

typedef void warner(struct causes *out, const json_t *obj);

static const struct {
	const char *group, *kind;
	warner *create, *update;
	bool spec;	  /* an update only when the spec changes */
	const char *once; /* or when it had no such annotation before; may be NULL */
} warners[] = {
	{ "", "Endpoints", warn_endpoints, warn_endpoints, false, NULL },
	{ "", "Node", node_warnings, node_warnings, false, NULL },
	{ "", "PersistentVolume", volume_warnings, volume_warnings, false, NULL },
	{ "", "PersistentVolumeClaim", claim_warnings, claim_warnings, false, NULL },
	{ "", "Pod", pod_warnings, NULL, false, NULL },
	{ "", "PodTemplate", pod_template_warnings, pod_template_warnings, false, NULL },
	{ "", "ReplicationController", named_template, template_only, true, NULL },
	{ "", "Service", warn_service, warn_service, false, NULL },
	{ "", "ServiceAccount", account_warnings, account_warnings, false, MOUNTABLE },
	{ "apps", "DaemonSet", template_only, template_only, true, NULL },
	{ "apps", "Deployment", named_template, template_only, true, NULL },
	{ "apps", "ReplicaSet", named_template, template_only, true, NULL },
	{ "apps", "StatefulSet", stateful_set_warnings, stateful_set_warnings, true, NULL },
	{ "batch", "CronJob", cron_job_warnings, cron_job_changed, true, NULL },
	{ "batch", "Job", job_warnings, job_changed, true, NULL },
	{ "discovery.k8s.io", "EndpointSlice", warn_new_slice, warn_slice, false, NULL },
	{ "networking.k8s.io", "Ingress", warn_ingress, NULL, false, NULL },
	{ "networking.k8s.io", "NetworkPolicy", warn_network_policy, warn_network_policy, false,
	    NULL },
	{ "node.k8s.io", "RuntimeClass", runtime_class_warnings, runtime_class_warnings, false,
	    NULL },
	{ "storage.k8s.io", "CSIDriver", csi_driver_warnings, csi_driver_warnings, false, NULL },
	{ "storage.k8s.io", "CSIStorageCapacity", capacity_warnings, capacity_warnings, false,
	    NULL },
	{ "storage.k8s.io", "StorageClass", storage_class_warnings, storage_class_warnings, false,
	    NULL },
};

static size_t
find(const struct kind *k)
{
	size_t i;

	for (i = 0; i < COUNT(warners); i++)
		if (strcmp(k->kind, warners[i].kind) == 0 &&
		    strcmp(k->group, warners[i].group) == 0)
			break;
	return i;
}

static bool
is_definition(const struct kind *k)
{
	return strcmp(k->kind, "CustomResourceDefinition") == 0 &&
	       strcmp(k->group, "apiextensions.k8s.io") == 0;
}

void
warn_create(const struct kind *k, const json_t *obj, struct causes *out)
{
	size_t i = k->custom ? COUNT(warners) : find(k);

	if (k->custom)
		warn_custom(out, obj, NULL);
	else if (i < COUNT(warners))
		warners[i].create(out, obj);
	else if (is_definition(k))
		warn_definition(out, obj, NULL);
}

void
warn_update(
    const struct kind *k, const char *sub, const json_t *obj, const json_t *old, struct causes *out)
{
	size_t i = k->custom ? COUNT(warners) : find(k);

	if (k->custom && strcmp(sub, "status") != 0)
		warn_custom(out, obj, old);
	if (strcmp(sub, "status") == 0) {
		warn_status(k, obj, out);
		return;
	}
	if (!*sub && is_definition(k))
		warn_definition(out, obj, old);
	if (*sub || i == COUNT(warners) || !warners[i].update)
		return;
	if (warners[i].once && meta_annotation(old, warners[i].once))
		return;
	if (!warners[i].spec || !json_equal(get(obj, "spec"), get(old, "spec")))
		warners[i].update(out, obj);
}
