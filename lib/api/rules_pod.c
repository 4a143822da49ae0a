/* Pods, and the templates that others make Pods from (Kubernetes: pkg/apis/core/validation). */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "api/rules_pod.h"
#include "base/mem.h"

static void
check_security_context(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *context = json_object_get(spec, "securityContext");
	const json_t *sysctls = json_object_get(context, "sysctls");
	json_auto_t *names = json_object();
	size_t i;
	json_t *item;

	check_user_id(out, at, context, "fsGroup");
	check_user_id(out, at, context, "runAsUser");
	check_user_id(out, at, context, "runAsGroup");
	json_array_foreach (json_object_get(context, "supplementalGroups"), i, item)
		if (num(item, 0) < 0 || num(item, 0) > 2147483647)
			refuse_value(out, ITEM(AT(at, "supplementalGroups"), i), item,
			    "must be between 0 and 2147483647, inclusive");
	json_array_foreach (sysctls, i, item) {
		const struct path *here = AT(ITEM(AT(at, "sysctls"), i), "name");
		const char *name = text(item, "name");
		size_t n = strlen(name);

		if (!n)
			refuse_required(out, here, "");
		else if (n > 253 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_./") < n)
			refuse_text(out, here, name,
			    "must have at most 253 characters and match regex "
			    "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./"
			    "])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
		check_unique(out, here, names, name);
	}
	check_seccomp(out, AT(at, "seccompProfile"), json_object_get(context, "seccompProfile"));
}

static void
check_search(struct causes *out, const struct path *at, const char *domain)
{
	size_t n = strlen(domain);

	if (!strcmp(domain, "."))
		return;
	if (!n || strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-_.") < n || domain[0] == '-')
		refuse_text(out, at, domain,
		    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
		    "characters, '_', '-' or "
		    "'.', and must start and end with an alphanumeric character (e.g. "
		    "'example.com', regex used for "
		    "validation is "
		    "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')");
}

static void
check_dns_config(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *config = json_object_get(spec, "dnsConfig");
	const json_t *servers = json_object_get(config, "nameservers");
	bool none = !strcmp(text(spec, "dnsPolicy"), "None");
	size_t i;
	json_t *item;

	if (none && !json_is_object(config))
		refuse_required(out, at, "must provide `dnsConfig` when `dnsPolicy` is None");
	else if (none && !json_array_size(servers))
		refuse_required(out, AT(at, "nameservers"),
		    "must provide at least one DNS nameserver when `dnsPolicy` is None");
	json_array_foreach (servers, i, item)
		check_ip(out, ITEM(AT(at, "nameservers"), i), str(item, ""));
	json_array_foreach (json_object_get(config, "searches"), i, item)
		check_search(out, ITEM(AT(at, "searches"), i), str(item, ""));
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
check_names(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const subdomains[] = { "serviceAccountName", "nodeName",
		"priorityClassName", "runtimeClassName" };
	static const char *const labels[] = { "hostname", "subdomain" };

	for (size_t i = 0; i < COUNT(subdomains); i++)
		if (*str(json_object_get(spec, subdomains[i]), ""))
			check_dns_subdomain(out, AT(at, subdomains[i]),
			    str(json_object_get(spec, subdomains[i]), ""));
	for (size_t i = 0; i < COUNT(labels); i++)
		if (*str(json_object_get(spec, labels[i]), ""))
			check_dns_label(
			    out, AT(at, labels[i]), str(json_object_get(spec, labels[i]), ""));
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
}

static void
check_claims(struct causes *out, const struct path *at, const json_t *claims)
{
	size_t i;
	json_t *claim;

	json_array_foreach (claims, i, claim) {
		bool name = json_object_get(claim, "resourceClaimName");
		bool pattern = json_object_get(claim, "resourceClaimTemplateName");
		json_auto_t *whole =
		    json_pack("{s:s, s:O?, s:O?}", "Name", text(claim, "name"), "ResourceClaimName",
			json_object_get(claim, "resourceClaimName"), "ResourceClaimTemplateName",
			json_object_get(claim, "resourceClaimTemplateName"));

		check_required(out, ITEM(at, i), claim, "name");
		if (name && pattern)
			refuse_value(out, ITEM(at, i), whole,
			    "at most one of `resourceClaimName` or `resourceClaimTemplateName` may "
			    "be specified");
		else if (!name && !pattern)
			refuse_value(out, ITEM(at, i), whole,
			    "must specify one of: `resourceClaimName`, "
			    "`resourceClaimTemplateName`");
	}
}

/* What the Pod as a whole asks for must cover what its containers ask for. */
static void
check_sum(struct causes *out, const struct path *at, const json_t *spec)
{
	const char *name;
	json_t *v, *c;
	size_t i;

	json_object_foreach (get(spec, "resources", "requests"), name, v) {
		int64_t sum = 0;

		json_array_foreach (json_object_get(spec, "containers"), i, c)
			sum +=
			    quantity_milli(json_object_get(get(c, "resources", "requests"), name));
		if (quantity_milli(v) < sum) {
			autofree char *want = quantity_print_milli(sum, QUANTITY_DECIMAL);

			refuse_value(out, KEY(AT(AT(at, "resources"), "requests"), name), v,
			    "must be greater than or equal to aggregate container requests of %s",
			    want);
		}
	}
}

void
check_pod_spec(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const restart[] = { "Always", "OnFailure", "Never", NULL };
	static const char *const dns[] = { "ClusterFirstWithHostNet", "ClusterFirst", "Default",
		"None", NULL };

	check_volumes(out, AT(at, "volumes"), json_object_get(spec, "volumes"));
	check_claims(out, AT(at, "resourceClaims"), json_object_get(spec, "resourceClaims"));
	check_containers(out, AT(at, "containers"), spec);
	check_init_containers(out, AT(at, "initContainers"), spec);
	check_resources(out, AT(at, "resources"), json_object_get(spec, "resources"));
	check_sum(out, at, spec);
	check_one_of(out, at, spec, "restartPolicy", restart);
	check_one_of(out, at, spec, "dnsPolicy", dns);
	check_labels(out, AT(at, "nodeSelector"), json_object_get(spec, "nodeSelector"));
	check_security_context(out, AT(at, "securityContext"), spec);
	check_affinity(out, AT(at, "affinity"), json_object_get(spec, "affinity"));
	check_dns_config(out, AT(at, "dnsConfig"), spec);
	check_gates(out, at, spec);
	check_spread(out, AT(at, "topologySpreadConstraints"),
	    json_object_get(spec, "topologySpreadConstraints"));
	check_host_users(out, at, spec);
	check_names(out, at, spec);
	check_between(out, at, spec, "activeDeadlineSeconds", 1, 2147483647);
	check_tolerations(out, AT(at, "tolerations"), json_object_get(spec, "tolerations"));
	check_host_aliases(out, AT(at, "hostAliases"), json_object_get(spec, "hostAliases"));
}

void
check_template_metadata(struct causes *out, const struct path *at, const json_t *pod_template)
{
	const json_t *meta = json_object_get(pod_template, "metadata");

	check_labels(out, AT(AT(at, "metadata"), "labels"), json_object_get(meta, "labels"));
	check_annotations(
	    out, AT(AT(at, "metadata"), "annotations"), json_object_get(meta, "annotations"));
}

void
check_pod_template(struct causes *out, const struct path *at, const json_t *pod_template)
{
	const json_t *spec = json_object_get(pod_template, "spec");

	check_template_metadata(out, at, pod_template);
	check_pod_spec(out, AT(at, "spec"), spec);
	if (json_array_size(json_object_get(spec, "ephemeralContainers")))
		refuse_forbidden(out, AT(AT(at, "spec"), "ephemeralContainers"),
		    "ephemeral containers not allowed in pod template");
}

static const char mirror[] = "kubernetes.io/config.mirror";

/* What an agent shows of a Pod of its own has a node from the start. */
static void
check_mirror(struct causes *out, const json_t *obj)
{
	const char *value = meta_annotation(obj, mirror);

	if (value && !*text(obj, "spec", "nodeName"))
		refuse_text(out, KEY(AT(AT(NULL, "metadata"), "annotations"), mirror), value,
		    "must set spec.nodeName if mirror pod annotation is set");
}

static void
check_mirror_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const char *now = meta_annotation(obj, mirror), *was = meta_annotation(old, mirror);
	const struct path *at = KEY(AT(AT(NULL, "metadata"), "annotations"), mirror);

	if (was && (!now || strcmp(now, was) != 0))
		refuse_forbidden(out, at, "may not remove or update mirror pod annotation");
	else if (now && !was)
		refuse_forbidden(out, at, "may not add mirror pod annotation");
}

void
pod_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(NULL, "spec");

	check_mirror(out, obj);
	check_pod_spec(out, at, spec);
	check_image(out, AT(at, "containers"), json_object_get(spec, "containers"));
	check_image(out, AT(at, "initContainers"), json_object_get(spec, "initContainers"));
	/* On an update too: a Pod gets a node only through its binding, when no gate is left. */
	if (json_array_size(json_object_get(spec, "schedulingGates")) && *text(spec, "nodeName"))
		refuse_forbidden(out, AT(at, "nodeName"),
		    "cannot be set until all schedulingGates have been cleared");
}

/* --- updates ---------------------------------------------------------------------------- */

/* A toleration as a word, but for its tolerationSeconds, which alone may change. */
static char *
toleration_word(const json_t *toleration)
{
	json_auto_t *rest = json_copy((json_t *)toleration);

	json_object_del(rest, "tolerationSeconds");
	return json_dumps(rest, JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

/* Tolerations may be added; those that are there stay. */
static void
check_added_tolerations(
    struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	json_auto_t *words = json_object();
	size_t i;
	json_t *item;

	json_array_foreach (now, i, item) {
		autofree char *word = toleration_word(item);

		repeats(words, word ? word : "");
	}
	json_array_foreach (before, i, item) {
		autofree char *word = toleration_word(item);

		if (!json_object_get(words, word ? word : "")) {
			refuse_forbidden(out, at,
			    "existing toleration can not be modified except its tolerationSeconds");
			return;
		}
	}
}

static void
check_removed_gates(
    struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	json_auto_t *known = set_of(before, "name");
	size_t i;
	json_t *gate;

	json_array_foreach (now, i, gate)
		if (!json_object_get(known, text(gate, "name")))
			refuse_forbidden(out, AT(ITEM(at, i), "name"),
			    "only deletion is allowed, but found new scheduling gate '%s'",
			    text(gate, "name"));
}

static void
check_deadline(struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	const json_t *deadline = json_object_get(now, "activeDeadlineSeconds");
	const json_t *old = json_object_get(before, "activeDeadlineSeconds");

	if (old && !deadline)
		refuse_text(out, at, "", "must not update from a positive integer to nil value");
	else if (old && num(deadline, 0) > num(old, 0))
		refuse_value(out, at, deadline, "must be less than or equal to previous value");
}

static void
copy_images(json_t *spec, const json_t *from, const char *list)
{
	const json_t *containers = json_object_get(from, list);
	size_t i;
	json_t *c;

	json_array_foreach (json_object_get(spec, list), i, c) {
		json_t *image = json_object_get(json_array_get(containers, i), "image");

		if (image)
			json_object_set(c, "image", image);
	}
}

/* The fields that may change, made the same in a copy of the new spec. */
static json_t *
without_changes(const json_t *now, const json_t *before)
{
	static const char *const free_fields[] = { "activeDeadlineSeconds", "tolerations",
		"schedulingGates" };
	json_t *spec = json_deep_copy(now);

	copy_images(spec, before, "containers");
	copy_images(spec, before, "initContainers");
	for (size_t i = 0; i < COUNT(free_fields); i++) {
		json_t *old = json_object_get(before, free_fields[i]);

		if (old)
			json_object_set(spec, free_fields[i], old);
		else
			json_object_del(spec, free_fields[i]);
	}
	/* A gated Pod has not been looked at by the scheduler: its node selection may still narrow.
	 */
	if (json_array_size(json_object_get(before, "schedulingGates")))
		for (size_t i = 0; i < 2; i++) {
			const char *key = i ? "affinity" : "nodeSelector";
			json_t *old = json_object_get(before, key);

			if (old)
				json_object_set(spec, key, old);
			else
				json_object_del(spec, key);
		}
	if (num(json_object_get(before, "terminationGracePeriodSeconds"), 0) < 0 &&
	    num(json_object_get(now, "terminationGracePeriodSeconds"), 0) == 1)
		json_object_set(spec, "terminationGracePeriodSeconds",
		    json_object_get(before, "terminationGracePeriodSeconds"));
	return spec;
}

void
pod_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *now = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");
	const struct path *at = AT(NULL, "spec");
	static const char *const lists[] = { "containers", "initContainers" };
	json_auto_t *same = NULL;

	check_mirror_update(out, obj, old);
	for (size_t i = 0; i < COUNT(lists); i++)
		if (json_array_size(json_object_get(now, lists[i])) !=
		    json_array_size(json_object_get(before, lists[i]))) {
			refuse_forbidden(
			    out, AT(at, lists[i]), "pod updates may not add or remove containers");
			return;
		}
	check_deadline(out, AT(at, "activeDeadlineSeconds"), now, before);
	check_added_tolerations(out, AT(at, "tolerations"), json_object_get(now, "tolerations"),
	    json_object_get(before, "tolerations"));
	check_removed_gates(out, AT(at, "schedulingGates"), json_object_get(now, "schedulingGates"),
	    json_object_get(before, "schedulingGates"));
	same = without_changes(now, before);
	if (!json_equal(same, before))
		refuse_forbidden(out, at,
		    "pod updates may not change fields other than "
		    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec."
		    "activeDeadlineSeconds`,"
		    "`spec.tolerations` (only additions to existing "
		    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if "
		    "it was "
		    "previously negative)");
}
