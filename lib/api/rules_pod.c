/* Pods, and the templates that others make Pods from (Kubernetes: pkg/apis/core/validation). */
#include <stdint.h>
#include <string.h>

#include "api/rules.h"
#include "api/rules_pod.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

/* Labels may begin with '_' and hold it. */
static bool
search_fits(const char *domain, size_t n)
{
	const char *end = domain + n;

	for (const char *p = domain; p <= end; p++) {
		size_t len = 0;

		p += *p == '_';
		while (p + len < end && p[len] != '.')
			len++;
		if (!len || strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789-_") < len ||
		    strchr("-_", p[0]) || strchr("-_", p[len - 1]))
			return false;
		p += len;
	}
	return true;
}

static void
check_search(struct causes *out, const struct path *at, const char *domain)
{
	size_t n = strlen(domain);
	autofree char *name = xstrndup(domain, n - (n && domain[n - 1] == '.'));

	if (!strcmp(domain, "."))
		return;
	if (strlen(name) > 253)
		refuse_text(out, at, name, "must be no more than 253 bytes");
	if (!search_fits(name, strlen(name)))
		refuse_text(out, at, name,
		    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
		    "characters, '_', '-' or '.', and must start and end with an alphanumeric "
		    "character (e.g. 'example.com', regex used for validation is "
		    "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')");
}

static void
check_searches(struct causes *out, const struct path *at, const json_t *searches)
{
	enum { MOST = 32, MOST_CHARS = 2048 };
	size_t i, total = 0;
	json_t *item;

	if (json_array_size(searches) > MOST)
		refuse_value(out, at, searches, "must not have more than 32 search paths");
	json_array_foreach (searches, i, item)
		total += json_string_length(item) + !!i;
	if (total > MOST_CHARS)
		refuse_value(out, at, searches,
		    "must not have more than 2048 characters (including spaces) in the search "
		    "list");
	json_array_foreach (searches, i, item)
		check_search(out, ITEM(at, i), str(item, ""));
}

static void
check_dns_config(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *config = json_object_get(spec, "dnsConfig");
	const json_t *servers = json_object_get(config, "nameservers");
	bool none = !strcmp(text(spec, "dnsPolicy"), "None");
	size_t i;
	json_t *item;

	if (none && !json_is_object(config)) {
		refuse_required(out, at, "must provide `dnsConfig` when `dnsPolicy` is None");
		return;
	}
	if (none && !json_array_size(servers)) {
		refuse_required(out, AT(at, "nameservers"),
		    "must provide at least one DNS nameserver when `dnsPolicy` is None");
		return;
	}
	if (json_array_size(servers) > 3)
		refuse_value(
		    out, AT(at, "nameservers"), servers, "must not have more than 3 nameservers");
	json_array_foreach (servers, i, item)
		check_ip(out, ITEM(AT(at, "nameservers"), i), str(item, ""));
	check_searches(out, AT(at, "searches"), json_object_get(config, "searches"));
	json_array_foreach (json_object_get(config, "options"), i, item)
		if (!*text(item, "name"))
			refuse_required(out, ITEM(AT(at, "options"), i), "must not be empty");
}

static void
check_host_aliases(struct causes *out, const struct path *up, const json_t *aliases)
{
	size_t i, j;
	json_t *alias, *name;

	json_array_foreach (aliases, i, alias) {
		const struct path *at = ITEM(up, i);

		check_ip(out, AT(at, "ip"), text(alias, "ip"));
		json_array_foreach (json_object_get(alias, "hostnames"), j, name)
			check_dns_subdomain(out, ITEM(AT(at, "hostnames"), j), str(name, ""));
	}
}

static void
check_gates(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *gates = json_object_get(spec, "schedulingGates");
	json_auto_t *names = json_object();
	size_t i;
	json_t *gate;

	json_array_foreach (json_object_get(spec, "readinessGates"), i, gate)
		check_qualified_name(out, AT(ITEM(AT(at, "readinessGates"), i), "conditionType"),
		    text(gate, "conditionType"));
	json_array_foreach (gates, i, gate) {
		check_qualified_name(out, ITEM(AT(at, "schedulingGates"), i), text(gate, "name"));
		check_unique(out, ITEM(AT(at, "schedulingGates"), i), names, text(gate, "name"));
	}
}

static void
check_name(struct causes *out, const struct path *at, const json_t *spec, const char *key)
{
	if (*str(json_object_get(spec, key), ""))
		check_dns_subdomain(out, AT(at, key), str(json_object_get(spec, key), ""));
}

static void
check_host_name(struct causes *out, const struct path *at, const json_t *spec, const char *key)
{
	if (*str(json_object_get(spec, key), ""))
		check_dns_label(out, AT(at, key), str(json_object_get(spec, key), ""));
}

/* Said instead of hostname and subdomain, and of the name of the Node. */
static void
check_override(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *name = json_object_get(spec, "hostnameOverride");

	if (!name)
		return;
	if (truth(json_object_get(spec, "setHostnameAsFQDN")))
		refuse_forbidden(out, AT(at, "setHostnameAsFQDN"),
		    "may not be specified when hostnameOverride is set");
	if (truth(json_object_get(spec, "hostNetwork")))
		refuse_forbidden(out, AT(at, "hostnameOverride"),
		    "may not be specified when hostNetwork is true");
	if (strlen(str(name, "")) > 64)
		refuse_too_long(out, AT(at, "hostnameOverride"), 64);
	check_dns_subdomain(out, AT(at, "hostnameOverride"), str(name, ""));
}

/* Devices have no ids that could be mapped. */
static void
check_host_devices(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const lists[] = { "containers", "initContainers",
		"ephemeralContainers" };
	json_t *c;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (json_object_get(spec, lists[k]), i, c)
			if (json_array_size(json_object_get(c, "volumeDevices")))
				refuse_forbidden(out,
				    AT(ITEM(AT(at, lists[k]), i), "volumeDevices"),
				    "when `hostUsers` is false");
}

static void
check_host_users(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const shared[] = { "hostNetwork", "hostPID", "hostIPC" };

	if (!json_is_false(json_object_get(spec, "hostUsers")))
		return;
	for (size_t i = 0; i < COUNT(shared); i++)
		if (truth(json_object_get(spec, shared[i])))
			refuse_forbidden(out, AT(at, shared[i]), "when `hostUsers` is false");
	check_host_devices(out, at, spec);
}

static void
check_claims(struct causes *out, const struct path *up, const json_t *claims)
{
	static const char *const names[] = { "resourceClaimName", "resourceClaimTemplateName" };
	json_auto_t *seen = json_array_size(claims) ? json_object() : NULL;
	size_t i;
	json_t *claim;

	json_array_foreach (claims, i, claim) {
		const struct path *at = ITEM(up, i);
		size_t n = 0;

		if (check_required(out, at, claim, "name")) {
			if (json_object_get(seen, text(claim, "name")))
				refuse_duplicate(out, AT(at, "name"), text(claim, "name"));
			else
				check_dns_label(out, AT(at, "name"), text(claim, "name"));
			repeats(seen, text(claim, "name"));
		}
		for (size_t k = 0; k < COUNT(names); k++)
			n += !!json_object_get(claim, names[k]);
		if (n > 1)
			refuse_shown(out, at, "core.v1.PodResourceClaim", claim,
			    "at most one of `resourceClaimName` or `resourceClaimTemplateName` may "
			    "be specified");
		if (!n)
			refuse_shown(out, at, "core.v1.PodResourceClaim", claim,
			    "must specify one of: `resourceClaimName`, "
			    "`resourceClaimTemplateName`");
		for (size_t k = 0; k < COUNT(names); k++)
			if (json_object_get(claim, names[k]))
				check_dns_subdomain(out, AT(at, names[k]),
				    str(json_object_get(claim, names[k]), ""));
	}
}

/* On the Node's network a port is the Node's too. */
static void
check_node_ports(struct causes *out, const struct path *at, const struct pod_scope *pod)
{
	size_t i, j;
	json_t *c, *p;

	if (!truth(json_object_get(pod->spec, "hostNetwork")))
		return;
	json_array_foreach (json_object_get(pod->spec, "containers"), i, c)
		json_array_foreach (json_object_get(c, "ports"), j, p) {
			json_int_t host = num(json_object_get(p, "hostPort"), 0);

			if ((pod->whole || host) &&
			    host != num(json_object_get(p, "containerPort"), 0))
				refuse_number(out,
				    AT(ITEM(AT(ITEM(at, i), "ports"), j), "hostPort"), host,
				    "must match `containerPort` when `hostNetwork` is true");
		}
}

/* Where it runs, and what it is called there. */
static void
check_place(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const preemption[] = { "PreemptLowerPriority", "Never", NULL };
	json_auto_t *overhead = NULL;

	check_name(out, at, spec, "serviceAccountName");
	check_name(out, at, spec, "nodeName");
	check_between(out, at, spec, "activeDeadlineSeconds", 1, 2147483647);
	check_host_name(out, at, spec, "hostname");
	check_host_name(out, at, spec, "subdomain");
	check_override(out, at, spec);
	check_tolerations(out, AT(at, "tolerations"), json_object_get(spec, "tolerations"));
	check_host_aliases(out, AT(at, "hostAliases"), json_object_get(spec, "hostAliases"));
	check_name(out, at, spec, "priorityClassName");
	if (json_object_get(spec, "runtimeClassName"))
		check_dns_subdomain(
		    out, AT(at, "runtimeClassName"), text(spec, "runtimeClassName"));
	check_one_of(out, at, spec, "preemptionPolicy", preemption);
	if (json_object_get(spec, "overhead")) {
		overhead = json_pack("{s:O}", "limits", json_object_get(spec, "overhead"));
		check_resources(out, AT(at, "overhead"), overhead, RESOURCES_OF_CONTAINER, NULL);
	}
	check_system(out, at, spec);
}

/* pod_name: of a Pod itself; "" for a template. */
static void
check_spec(struct causes *out, const struct path *at, const json_t *spec, const char *pod_name)
{
	static const char *const restart[] = { "Always", "OnFailure", "Never", NULL };
	static const char *const dns[] = { "ClusterFirstWithHostNet", "ClusterFirst", "Default",
		"None", NULL };
	json_auto_t *volumes =
	    check_volumes(out, AT(at, "volumes"), json_object_get(spec, "volumes"), pod_name);
	json_auto_t *claims = set_of(json_object_get(spec, "resourceClaims"), "name");
	struct pod_scope pod = { spec, volumes, claims, *pod_name };

	check_claims(out, AT(at, "resourceClaims"), json_object_get(spec, "resourceClaims"));
	check_containers(out, AT(at, "containers"), &pod);
	check_init_containers(out, AT(at, "initContainers"), &pod);
	check_ephemeral_containers(out, AT(at, "ephemeralContainers"), &pod);
	check_pod_resources(out, AT(at, "resources"), &pod);
	check_node_ports(out, AT(at, "containers"), &pod);
	check_one_of(out, at, spec, "restartPolicy", restart);
	check_one_of(out, at, spec, "dnsPolicy", dns);
	check_labels(out, AT(at, "nodeSelector"), json_object_get(spec, "nodeSelector"));
	check_pod_security(out, AT(at, "securityContext"), spec);
	check_affinity(out, AT(at, "affinity"), json_object_get(spec, "affinity"));
	check_dns_config(out, AT(at, "dnsConfig"), spec);
	check_gates(out, at, spec);
	check_spread(out, AT(at, "topologySpreadConstraints"),
	    json_object_get(spec, "topologySpreadConstraints"));
	check_host_users(out, at, spec);
	check_place(out, at, spec);
}

void
check_pod_spec(struct causes *out, const struct path *at, const json_t *spec)
{
	check_spec(out, at, spec, "");
}

static bool
is_int32(const char *text)
{
	long long n;

	return text_int(text, &n) && n >= INT32_MIN && n <= INT32_MAX && (text[0] != '+') &&
	       !(text[0] == '0' && text[1]) && !(text[0] == '-' && text[1] == '0');
}

/* What Kubernetes says about a Pod in its annotations. */
void
check_pod_annotations(
    struct causes *out, const struct path *at, const json_t *meta, const json_t *spec)
{
	static const char mirror[] = "kubernetes.io/config.mirror";
	static const char cost[] = "controller.kubernetes.io/pod-deletion-cost";
	const json_t *notes = json_object_get(meta, "annotations");
	const json_t *m = json_object_get(notes, mirror), *c = json_object_get(notes, cost);

	if (m && !*text(spec, "nodeName"))
		refuse_value(out, KEY(at, mirror), m,
		    "must set spec.nodeName if mirror pod annotation is set");
	if (c && !is_int32(str(c, "")))
		refuse_value(out, KEY(at, cost), c, "must be a 32bit integer");
	check_security_annotations(out, at, meta, spec);
}

/* Kubernetes leaves out "metadata" here. */
void
check_template_metadata(struct causes *out, const struct path *at, const json_t *pod_template)
{
	const json_t *meta = json_object_get(pod_template, "metadata");

	check_labels(out, AT(at, "labels"), json_object_get(meta, "labels"));
	check_annotations(out, AT(at, "annotations"), json_object_get(meta, "annotations"));
	check_pod_annotations(
	    out, AT(at, "annotations"), meta, json_object_get(pod_template, "spec"));
}

void
check_pod_template(struct causes *out, const struct path *at, const json_t *pod_template)
{
	const json_t *spec = json_object_get(pod_template, "spec");

	check_template_metadata(out, at, pod_template);
	check_pod_spec(out, AT(at, "spec"), spec);
	check_profiles_agree(out, AT(at, "spec"), json_object_get(pod_template, "metadata"), spec);
	if (json_array_size(json_object_get(spec, "ephemeralContainers")))
		refuse_forbidden(out, AT(AT(at, "spec"), "ephemeralContainers"),
		    "ephemeral containers not allowed in pod template");
}

/* A token can only be of an account. */
static void
check_tokens(struct causes *out, const struct path *at, const json_t *spec)
{
	size_t i, j;
	json_t *volume, *source;

	if (*text(spec, "serviceAccountName"))
		return;
	json_array_foreach (json_object_get(spec, "volumes"), i, volume)
		json_array_foreach (get(volume, "projected", "sources"), j, source)
			if (json_object_get(source, "serviceAccountToken"))
				refuse_forbidden(out,
				    AT(ITEM(AT(AT(ITEM(AT(at, "volumes"), i), "projected"),
						"sources"),
					   j),
					"serviceAccountToken"),
				    "must not be specified when serviceAccountName is not set");
}

void
pod_spec(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec"), *meta = json_object_get(obj, "metadata");
	const struct path *at = AT(NULL, "spec");

	check_pod_annotations(out, AT(AT(NULL, "metadata"), "annotations"), meta, spec);
	check_spec(out, at, spec, *meta_name(obj) ? meta_name(obj) : "?");
	check_tokens(out, at, spec);
	check_images(out, AT(at, "containers"), json_object_get(spec, "containers"));
	check_images(out, AT(at, "initContainers"), json_object_get(spec, "initContainers"));
}

void
pod_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(NULL, "spec");

	pod_spec(out, obj);
	if (json_array_size(json_object_get(spec, "ephemeralContainers")))
		refuse_forbidden(out, AT(at, "ephemeralContainers"), "cannot be set on create");
	if (json_array_size(json_object_get(spec, "schedulingGates")) && *text(spec, "nodeName"))
		refuse_forbidden(out, AT(at, "nodeName"),
		    "cannot be set until all schedulingGates have been cleared");
	check_profiles_agree(out, at, json_object_get(obj, "metadata"), spec);
}
