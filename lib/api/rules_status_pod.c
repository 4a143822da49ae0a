/* What the status of a Pod must keep to (Kubernetes: ValidatePodStatusUpdate). */
#include <string.h>

#include "api/rules_status.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

static const char mirror[] = "kubernetes.io/config.mirror";

/* --- annotations that mean something -------------------------------------------------------- */

static void
check_annotation_changes(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(AT(top, "metadata"), "annotations");
	const json_t *now = get(obj, "metadata", "annotations");
	const json_t *before = get(old, "metadata", "annotations");
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)before, key, v)
		if (!strcmp(key, mirror) && !json_equal(v, json_object_get(now, key)))
			refuse_forbidden(
			    out, KEY(at, key), "may not remove or update mirror pod annotation");
	json_object_foreach ((json_t *)now, key, v)
		if (!strcmp(key, mirror) && !json_object_get(before, key))
			refuse_forbidden(out, KEY(at, key), "may not add mirror pod annotation");
}

/* --- conditions and names ------------------------------------------------------------------ */

static void
check_pod_conditions(struct causes *out, const json_t *conditions)
{
	static const char *const own[] = { "PodScheduled", "Ready", "Initialized", NULL };
	const struct path *at = AT(AT(top, "status"), "conditions");
	size_t i;
	json_t *c;

	json_array_foreach (conditions, i, c) {
		const json_t *generation = json_object_get(c, "observedGeneration");

		if (num(generation, 0) < 0)
			refuse_value(out, AT(ITEM(at, i), "observedGeneration"), generation,
			    "must be a non-negative integer");
		if (!text_in(text(c, "type"), own))
			check_qualified_name(out, AT(ITEM(at, i), "Type"), text(c, "type"));
	}
}

static void
check_nomination(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(AT(top, "status"), "nominatedNodeName");
	const char *now = text(obj, "status", "nominatedNodeName");

	if (!*now || !strcmp(now, text(old, "status", "nominatedNodeName")))
		return;
	check_dns_subdomain(out, at, now);
	if (*text(old, "spec", "nodeName"))
		refuse_forbidden(
		    out, at, "may not be set on pods that are already bound to a node");
}

/* --- how containers go on ------------------------------------------------------------------- */

static const json_t *
named(const json_t *list, const char *name)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item)
		if (!strcmp(text(item, "name"), name))
			return item;
	return NULL;
}

static bool
policy_restarts(const char *policy, json_int_t code)
{
	return !strcmp(policy, "Always") || (!strcmp(policy, "OnFailure") && code != 0);
}

/* One rule for exit codes: `In` these or `NotIn` these. */
static bool
rule_matches(const json_t *rule, json_int_t code)
{
	bool hit = false;
	size_t i;
	json_t *v;

	json_array_foreach (get(rule, "exitCodes", "values"), i, v)
		hit |= num(v, -1) == code;
	if (!strcmp(text(rule, "exitCodes", "operator"), "In"))
		return hit;
	return !strcmp(text(rule, "exitCodes", "operator"), "NotIn") && !hit;
}

/* May a container that has ended so be started again?  Its own rules come before its policy, and
 * that before the Pod's. */
static bool
restarts(const json_t *container, const json_t *pod, json_int_t code)
{
	const char *policy = text(container, "restartPolicy");
	size_t i;
	json_t *rule;

	if (!*policy)
		return policy_restarts(str(get(pod, "spec", "restartPolicy"), "Always"), code);
	json_array_foreach (json_object_get(container, "restartPolicyRules"), i, rule)
		if (rule_matches(rule, code)) {
			if (!strcmp(text(rule, "action"), "Restart"))
				return true;
			break;
		}
	return policy_restarts(policy, code);
}

/* What has ended stays so; containers: their specs, NULL for what is never started again. */
static void
check_endings(struct causes *out, const json_t *obj, const json_t *old, const char *list,
    const json_t *containers)
{
	const struct path *at = AT(AT(top, "status"), list);
	size_t i;
	json_t *was;

	json_array_foreach (get(old, "status", list), i, was) {
		const json_t *ended = get(was, "state", "terminated");
		const json_t *is = named(get(obj, "status", list), text(was, "name"));
		const json_t *container = named(containers, text(was, "name"));

		if (!ended || !is || get(is, "state", "terminated"))
			continue;
		if (!container || !restarts(container, old, num(get(ended, "exitCode"), 0)))
			refuse_forbidden(out, AT(ITEM(at, i), "state"),
			    "may not be transitioned to non-terminated state");
	}
}

static void
check_all_endings(struct causes *out, const json_t *obj, const json_t *old)
{
	check_endings(out, obj, old, "containerStatuses", get(old, "spec", "containers"));
	check_endings(out, obj, old, "initContainerStatuses", get(old, "spec", "initContainers"));
	check_endings(out, obj, old, "ephemeralContainerStatuses", NULL);
}

/* --- claims ------------------------------------------------------------------------------- */

static void
check_claims(struct causes *out, const json_t *obj)
{
	const struct path *at = AT(AT(top, "status"), "resourceClaimStatuses");
	json_auto_t *known = set_of(get(obj, "spec", "resourceClaims"), "name");
	json_auto_t *seen = json_object();
	size_t i;
	json_t *claim;

	json_array_foreach (get(obj, "status", "resourceClaimStatuses"), i, claim) {
		const struct path *here = AT(ITEM(at, i), "name");
		const char *name = text(claim, "name");

		if (!json_object_get(known, name))
			refuse_text(out, here, name,
			    "must match the name of an entry in `spec.resourceClaims`");
		check_unique(out, here, seen, name);
		if (json_object_get(claim, "resourceClaimName"))
			check_dns_subdomain(out, here, text(claim, "resourceClaimName"));
	}
}

/* --- addresses ------------------------------------------------------------------------------ */

/* The list as Go shows it. */
static json_t *
shown_ips(const json_t *ips)
{
	json_t *list = json_array(), *ip;
	size_t i;

	json_array_foreach (ips, i, ip)
		json_array_append_new(list, json_pack("{s:s}", "IP", text(ip, "ip")));
	return list;
}

static bool
two_families(const json_t *ips)
{
	const char *a = text(json_array_get(ips, 0), "ip"), *b = text(json_array_get(ips, 1), "ip");

	return json_array_size(ips) == 2 && ip_valid(a) && ip_valid(b) &&
	       !strchr(a, ':') != !strchr(b, ':');
}

static void
check_ips(struct causes *out, const json_t *obj, const json_t *old, const char *list)
{
	const struct path *at = AT(AT(top, "status"), list);
	const json_t *ips = get(obj, "status", list);
	json_auto_t *known = set_of(get(old, "status", list), "ip"), *all = NULL;
	size_t i;
	json_t *ip;

	json_array_foreach (ips, i, ip)
		check_new_ip(out, ITEM(at, i), text(ip, "ip"), known);
	if (json_array_size(ips) < 2 || two_families(ips))
		return;
	all = shown_ips(ips);
	refuse_value(out, at, all, "may specify no more than one IP for each IP family");
}

static void
check_host_ips(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *ips = get(obj, "status", "hostIPs");
	const char *first = text(json_array_get(ips, 0), "ip");

	if (json_array_size(ips) && strcmp(first, text(obj, "status", "hostIP")))
		refuse_text(out, AT(ITEM(AT(AT(top, "status"), "hostIPs"), 0), "ip"), first,
		    "must be equal to `hostIP`");
	check_ips(out, obj, old, "hostIPs");
}

/* --- users and devices ---------------------------------------------------------------------- */

static void
check_user(struct causes *out, const struct path *at, const json_t *linux_user, const char *os)
{
	size_t i;
	json_t *gid;

	if (!strcmp(os, "windows")) {
		if (linux_user)
			refuse_forbidden(out, at, "cannot be set for a windows pod");
		return;
	}
	check_between(out, at, linux_user, "uid", 0, 2147483647);
	check_between(out, at, linux_user, "gid", 0, 2147483647);
	json_array_foreach (json_object_get(linux_user, "supplementalGroups"), i, gid)
		if (num(gid, 0) < 0 || num(gid, 0) > 2147483647)
			refuse_value(out, ITEM(AT(at, "supplementalGroups"), i), gid,
			    "must be between 0 and 2147483647, inclusive");
}

static bool
has_claim(const json_t *container, const char *name)
{
	size_t i;
	json_t *c;

	json_array_foreach (get(container, "resources", "claims"), i, c) {
		const char *request = text(c, "request");
		autofree char *whole =
		    xasprintf("claim:%s%s%s", text(c, "name"), *request ? "/" : "", request);

		if (!strcmp(whole, name))
			return true;
	}
	return false;
}

static void
check_health(struct causes *out, const struct path *at, const json_t *resources)
{
	static const char *const states[] = { "Healthy", "Unhealthy", "Unknown", NULL };
	json_auto_t *ids = json_object();
	size_t i;
	json_t *r;

	json_array_foreach (resources, i, r) {
		if (!text_in(text(r, "health"), states))
			refuse_unsupported(
			    out, AT(ITEM(at, i), "health"), text(r, "health"), states);
		check_unique(out, AT(ITEM(at, i), "resourceID"), ids, text(r, "resourceID"));
	}
}

/* What was given to a container is something that it asks for. */
static void
check_allocated(
    struct causes *out, const struct path *at, const json_t *allocated, const json_t *container)
{
	size_t i;
	json_t *r;

	json_array_foreach (allocated, i, r) {
		const struct path *here = ITEM(at, i);
		const char *name = text(r, "name");

		if (container && text_starts(name, "claim:") && !has_claim(container, name))
			refuse_text(out, AT(here, "name"), name,
			    "must match one of the container's resource claims in a format "
			    "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is "
			    "empty");
		else if (container && !text_starts(name, "claim:") &&
			 !get(container, "resources", "requests", name))
			refuse_text(out, AT(here, "name"), name,
			    "must match one of the container's resource requests");
		check_health(out, AT(here, "resources"), json_object_get(r, "resources"));
	}
}

static void
check_containers_status(
    struct causes *out, const json_t *obj, const char *list, const json_t *containers)
{
	const struct path *at = AT(AT(top, "status"), list);
	const char *os = text(obj, "spec", "os", "name");
	size_t i;
	json_t *c;

	json_array_foreach (get(obj, "status", list), i, c) {
		const struct path *here = ITEM(at, i);
		const json_t *allocated = json_object_get(c, "allocatedResourcesStatus");

		check_user(out, AT(AT(here, "user"), "linux"), get(c, "user", "linux"), os);
		if (containers)
			check_allocated(out, AT(here, "allocatedResourcesStatus"), allocated,
			    named(containers, text(c, "name")));
		else if (json_array_size(allocated))
			refuse_forbidden(out, AT(here, "allocatedResourcesStatus"),
			    "must not be specified in container status");
	}
}

void
pod_status_rules(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *generation = get(obj, "status", "observedGeneration");

	check_annotation_changes(out, obj, old);
	check_pod_conditions(out, get(obj, "status", "conditions"));
	check_nomination(out, obj, old);
	if (num(generation, 0) < 0)
		refuse_value(out, AT(AT(top, "status"), "observedGeneration"), generation,
		    "must be a non-negative integer");
	check_immutable(out, AT(AT(top, "status"), "qosClass"), get(obj, "status", "qosClass"),
	    get(old, "status", "qosClass"));
	check_all_endings(out, obj, old);
	check_claims(out, obj);
	check_ips(out, obj, old, "podIPs");
	check_host_ips(out, obj, old);
	check_containers_status(out, obj, "containerStatuses", get(obj, "spec", "containers"));
	check_containers_status(
	    out, obj, "initContainerStatuses", get(obj, "spec", "initContainers"));
	check_containers_status(out, obj, "ephemeralContainerStatuses", NULL);
}
