/* Values of a kind's types as Kubernetes' own structs print them. */
#include "api/shown.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "api/line_diff.h"
#include "api/meta.h"
#include "api/schema.h"
#include "base/mem.h"
#include "base/text.h"

/* --- names ------------------------------------------------------------------------------- */

/* Names in Go that are not the name in JSON with a capital. */
static const char *const go_names[][2] = {
	{ "apiGroup", "APIGroup" },
	{ "apiVersion", "APIVersion" },
	{ "awsElasticBlockStore", "AWSElasticBlockStore" },
	{ "bool", "BoolValue" },
	{ "caBundle", "CABundle" },
	{ "cel", "CEL" },
	{ "cephfs", "CephFS" },
	{ "chapAuthDiscovery", "DiscoveryCHAPAuth" },
	{ "chapAuthSession", "SessionCHAPAuth" },
	{ "cidr", "CIDR" },
	{ "cidrs", "CIDRs" },
	{ "clientIP", "ClientIP" },
	{ "csi", "CSI" },
	{ "diskURI", "DataDiskURI" },
	{ "dnsConfig", "DNSConfig" },
	{ "dnsPolicy", "DNSPolicy" },
	{ "fc", "FC" },
	{ "fsGroup", "FSGroup" },
	{ "fsGroupChangePolicy", "FSGroupChangePolicy" },
	{ "fsGroupPolicy", "FSGroupPolicy" },
	{ "fsType", "FSType" },
	{ "gcePersistentDisk", "GCEPersistentDisk" },
	{ "gmsaCredentialSpec", "GMSACredentialSpec" },
	{ "gmsaCredentialSpecName", "GMSACredentialSpecName" },
	{ "grpc", "GRPC" },
	{ "http", "HTTP" },
	{ "httpGet", "HTTPGet" },
	{ "httpHeaders", "HTTPHeaders" },
	{ "int", "IntValue" },
	{ "ip", "IP" },
	{ "ipBlock", "IPBlock" },
	{ "ipFamilies", "IPFamilies" },
	{ "ipFamilyPolicy", "IPFamilyPolicy" },
	{ "iqn", "IQN" },
	{ "iscsi", "ISCSI" },
	{ "iscsiInterface", "ISCSIInterface" },
	{ "nfs", "NFS" },
	{ "nodeID", "NodeID" },
	{ "os", "OS" },
	{ "pdID", "PdID" },
	{ "pdName", "PDName" },
	{ "rbd", "RBD" },
	{ "scaleIO", "ScaleIO" },
	{ "schedulingGroup", "WorkloadRef" }, /* what 1.35 has in its place */
	{ "seLinuxChangePolicy", "SELinuxChangePolicy" },
	{ "seLinuxMount", "SELinuxMount" },
	{ "seLinuxOptions", "SELinuxOptions" },
	{ "secretRef", "SecretRef" },
	{ "storageos", "StorageOS" },
	{ "string", "StringValue" },
	{ "targetWWNs", "TargetWWNs" },
	{ "tcpSocket", "TCPSocket" },
	{ "tls", "TLS" },
	{ "ttlSecondsAfterFinished", "TTLSecondsAfterFinished" },
	{ "tty", "TTY" },
	{ "uid", "UID" },
	{ "url", "URL" },
	{ "version", "VersionValue" },
	{ "wwids", "WWIDs" },
};

static int
by_json_name(const void *key, const void *entry)
{
	return strcmp(key, *(const char *const *)entry);
}

/* "version" and its like are words of DeviceAttribute only. */
static bool
is_attribute(const struct type *t)
{
	return !strcmp(t->name, "resource.v1.DeviceAttribute");
}

static char *
go_name(const struct type *t, const char *name)
{
	static const char *const attribute[] = { "bool", "int", "string", "version", NULL };
	const char *const(*found)[2] =
	    bsearch(name, go_names, COUNT(go_names), sizeof *go_names, by_json_name);
	char *s;

	if (found && (is_attribute(t) || !text_in(name, attribute)))
		return xstrdup((*found)[1]);
	s = xstrdup(name);
	*s = (char)toupper((unsigned char)*s);
	return s;
}

/* --- orders ------------------------------------------------------------------------------ */

#define CONTAINER                                                                      \
	"name image command args workingDir ports envFrom env resources resizePolicy " \
	"restartPolicy restartPolicyRules volumeMounts volumeDevices livenessProbe "   \
	"readinessProbe startupProbe lifecycle terminationMessagePath "                \
	"terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty"

/* Structs whose fields stand in another order inside than by their numbers on the wire. */
static const char *const orders[][2] = {
	{ "core.v1.Container", CONTAINER },
	{ "core.v1.EphemeralContainer", CONTAINER " targetContainerName" },
	{ "core.v1.PersistentVolumeClaimSpec",
	    "accessModes selector resources volumeName storageClassName volumeMode dataSource "
	    "dataSourceRef volumeAttributesClassName" },
	{ "core.v1.PersistentVolumeSpec",
	    "gcePersistentDisk awsElasticBlockStore hostPath glusterfs nfs rbd quobyte iscsi "
	    "flexVolume cinder cephfs fc flocker azureFile vsphereVolume azureDisk "
	    "photonPersistentDisk portworxVolume scaleIO local storageos csi" },
	{ "core.v1.PodSecurityContext",
	    "hostNetwork hostPID hostIPC shareProcessNamespace hostUsers seLinuxOptions "
	    "windowsOptions runAsUser runAsGroup runAsNonRoot supplementalGroups "
	    "supplementalGroupsPolicy fsGroup fsGroupChangePolicy sysctls seccompProfile "
	    "appArmorProfile seLinuxChangePolicy" },
	{ "core.v1.PodSpec",
	    "volumes initContainers containers ephemeralContainers restartPolicy "
	    "terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector "
	    "serviceAccountName automountServiceAccountToken nodeName securityContext "
	    "imagePullSecrets hostname subdomain setHostnameAsFQDN affinity schedulerName "
	    "tolerations hostAliases priorityClassName priority preemptionPolicy dnsConfig "
	    "readinessGates runtimeClassName overhead enableServiceLinks "
	    "topologySpreadConstraints os schedulingGates resourceClaims resources "
	    "hostnameOverride schedulingGroup" },
	{ "core.v1.SecurityContext",
	    "capabilities privileged seLinuxOptions windowsOptions runAsUser runAsGroup "
	    "runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation procMount "
	    "seccompProfile appArmorProfile" },
	{ "core.v1.ServicePort", "name protocol appProtocol port targetPort nodePort" },
	{ "core.v1.Volume",
	    "name hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs "
	    "iscsi glusterfs persistentVolumeClaim rbd quobyte flexVolume cinder cephfs flocker "
	    "downwardAPI fc azureFile configMap vsphereVolume azureDisk photonPersistentDisk "
	    "projected portworxVolume scaleIO storageos csi ephemeral image" },
	{ "core.v1.VolumeMount",
	    "name readOnly recursiveReadOnly mountPath subPath mountPropagation subPathExpr" },
	{ "meta.v1.OwnerReference", "apiVersion kind name uid controller blockOwnerDeletion" },
	{ "resource.v1.DeviceAttribute", "int bool string version" },
};

static json_t *show(const struct type *t, const json_t *v, bool pointer);

/* Inside, what a Pod shares with its Node stands in its security context. */
static json_t *
with_shared(const json_t *spec)
{
	static const char *const keys[] = { "hostNetwork", "hostPID", "hostIPC",
		"shareProcessNamespace", "hostUsers" };
	json_t *moved = json_copy((json_t *)spec);
	json_t *context = json_copy(json_object_get(spec, "securityContext"));

	for (size_t i = 0; i < COUNT(keys); i++) {
		json_t *v = json_object_get(spec, keys[i]);

		if (v && !context)
			context = json_object();
		if (v)
			json_object_set(context, keys[i], v);
	}
	if (context)
		json_object_set_new(moved, "securityContext", context);
	return moved;
}

/* What stands in PodSecurityContext only inside. */
static json_t *
show_moved(const char *name, const json_t *v)
{
	bool flag = name[0] == 'h' && strcmp(name, "hostUsers") != 0;

	return v ? json_incref((json_t *)v) : flag ? json_false() : json_null();
}

static void
show_field(json_t *out, const struct type *t, const char *name, const json_t *v)
{
	const struct field *f = type_field(t, name);
	autofree char *go = go_name(t, name);

	if (f)
		json_object_set_new(out, go, show(f->type, json_object_get(v, name), f->pointer));
	else if (!strcmp(t->name, "core.v1.PodSecurityContext"))
		json_object_set_new(out, go, show_moved(name, json_object_get(v, name)));
}

/* The fields that words names, one after the other. */
static void
show_words(json_t *out, const struct type *t, const char *words, const json_t *v)
{
	char name[64];

	for (const char *p = words; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		snprintf(name, sizeof name, "%.*s", (int)n, p);
		show_field(out, t, name, v);
		p += n;
	}
}

/* Metadata is embedded, and prints as on the wire, without what is not there. */
static json_t *
show_template(const struct type *t, const json_t *v)
{
	json_auto_t *meta = sorted_copy(json_object_get(v, "metadata"));
	const struct type *m = type_find("meta.v1.ObjectMeta");
	json_t *out = json_object();

	for (size_t i = 0; i < m->nwire; i++) {
		const char *name = m->fields[m->wire_order[i]].name;
		json_t *value = json_object_get(meta, name);

		if (value)
			json_object_set(out, name, value);
	}
	show_field(out, t, "spec", v);
	return out;
}

static json_t *
show_struct(const struct type *t, const json_t *v)
{
	const char *const(*order)[2] =
	    bsearch(t->name, orders, COUNT(orders), sizeof *orders, by_json_name);
	static const char *const templates[] = { "batch.v1.JobTemplateSpec",
		"core.v1.PersistentVolumeClaimTemplate", "core.v1.PodTemplateSpec",
		"resource.v1.ResourceClaimTemplateSpec", NULL };
	bool pod = !strcmp(t->name, "core.v1.PodSpec");
	json_auto_t *moved = pod ? with_shared(v) : NULL;
	json_t *out;

	if (text_in(t->name, templates))
		return show_template(t, v);
	out = json_object();
	if (order) {
		show_words(out, t, (*order)[1], pod ? moved : v);
		return out;
	}
	for (size_t i = 0; i < t->nwire; i++)
		show_field(out, t, t->fields[t->wire_order[i]].name, v);
	return out;
}

/* Types of the meta package have names for JSON in Kubernetes too, and leave out what is empty. */
static json_t *
show_plain(const struct type *t, const json_t *v)
{
	const char *const(*order)[2] =
	    bsearch(t->name, orders, COUNT(orders), sizeof *orders, by_json_name);
	json_auto_t *sorted = sorted_copy(v);
	const char *words =
	    order ? (*order)[1] : "matchLabels matchExpressions key operator values";
	json_t *out = json_object(), *item;
	const char *key;
	char name[64];

	for (const char *p = words; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		snprintf(name, sizeof name, "%.*s", (int)n, p);
		if ((item = json_object_get(sorted, name))) {
			const struct field *f = type_field(t, name);

			json_object_set_new(
			    out, name, f ? show(f->type, item, f->pointer) : json_incref(item));
		}
		p += n;
	}
	json_object_foreach (sorted, key, item)
		if (!json_object_get(out, key))
			json_object_set(out, key, item);
	return out;
}

static json_t *
show_list(const struct type *t, const json_t *v)
{
	json_t *out, *item;
	size_t i;

	if (!json_array_size(v))
		return json_null();
	out = json_array();
	json_array_foreach (v, i, item)
		json_array_append_new(out, show(t->elem, item, false));
	return out;
}

static json_t *
show_map(const struct type *t, const json_t *v)
{
	json_auto_t *sorted = json_object_size(v) ? sorted_copy(v) : NULL;
	json_t *out, *item;
	const char *key;

	if (!sorted)
		return json_null();
	out = json_object();
	json_object_foreach (sorted, key, item)
		json_object_set_new(out, key, show(t->elem, item, false));
	return out;
}

/* What Go makes of a value that is not there. */
static json_t *
zero(const struct type *t)
{
	switch (t->class) {
	case CLASS_STRING:
	case CLASS_DURATION:
		return json_string("");
	case CLASS_BOOL:
		return json_false();
	case CLASS_INT32:
	case CLASS_INT64:
	case CLASS_DOUBLE:
	case CLASS_INT_OR_STRING:
		return json_integer(0);
	case CLASS_QUANTITY:
		return json_string("0");
	default:
		return json_null();
	}
}

static json_t *
show(const struct type *t, const json_t *v, bool pointer)
{
	bool missing = !v || json_is_null(v);

	if (t->class == CLASS_LIST)
		return show_list(t, v);
	if (t->class == CLASS_MAP)
		return show_map(t, v);
	if (missing && pointer)
		return json_null();
	if (t->class == CLASS_STRUCT)
		return strncmp(t->name, "meta.", 5) ? show_struct(t, v) : show_plain(t, v);
	return missing ? zero(t) : json_incref((json_t *)v);
}

json_t *
shown(const char *type, const json_t *value)
{
	bool list = !strncmp(type, "[]", 2);
	const struct type *t = type_find(type + (list ? 2 : 0));
	json_t *out, *item;
	size_t i;

	if (!t)
		return json_deep_copy(value);
	if (!list)
		return show(t, value, true);
	if (!json_array_size(value))
		return json_null();
	out = json_array();
	json_array_foreach (value, i, item)
		json_array_append_new(out, show(t, item, false));
	return out;
}

void
refuse_shown(struct causes *out, const struct path *at, const char *type, const json_t *value,
    const char *fmt, ...)
{
	json_auto_t *form = shown(type, value);
	autofree char *detail = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&detail, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (json_is_null(form) && *type != '[')
		refuse_text(out, at, "null", "%s", detail);
	else
		refuse_value(out, at, form, "%s", detail);
}

/* One value on many lines, as encoding/json indents it. */
static char *
lines_of(const char *type, const json_t *value)
{
	json_auto_t *form = shown(type, value);

	return json_dumps(form, JSON_INDENT(1) | JSON_ENCODE_ANY);
}

char *
shown_diff(const char *type, const json_t *before, const json_t *now)
{
	autofree char *a = lines_of(type, before), *b = lines_of(type, now);

	return line_diff(a, b, 3);
}
