/* Containers: what each of a Pod's three lists of them must keep to. */
#include <string.h>

#include "api/meta.h"
#include "api/rules_pod.h"
#include "base/mem.h"
#include "base/text.h"

static void
check_ports(struct causes *out, const struct path *at, const json_t *ports)
{
	static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
	json_auto_t *names = NULL;
	size_t i;
	json_t *p;

	json_array_foreach (ports, i, p) {
		const struct path *here = ITEM(at, i);
		json_int_t port = num(json_object_get(p, "containerPort"), 0);
		json_int_t host = num(json_object_get(p, "hostPort"), 0);
		size_t before = out->n;

		if (*text(p, "name"))
			check_port_name(out, AT(here, "name"), text(p, "name"));
		names = names ? names : json_object();
		if (out->n == before)
			check_unique(out, AT(here, "name"), names, text(p, "name"));
		if (!port)
			refuse_required(out, AT(here, "containerPort"), "");
		else
			check_port(out, AT(here, "containerPort"), port);
		if (host)
			check_port(out, AT(here, "hostPort"), host);
		check_one_of(out, here, p, "protocol", protocols);
	}
}

static void
check_resize_policies(
    struct causes *out, const struct path *at, const json_t *policies, const struct pod_scope *pod)
{
	static const char *const resources[] = { "cpu", "memory", NULL };
	static const char *const restarts[] = { "NotRequired", "RestartContainer", NULL };
	bool never = !strcmp(text(pod->spec, "restartPolicy"), "Never");
	json_auto_t *seen = json_array_size(policies) ? json_object() : NULL;
	size_t i;
	json_t *p;

	json_array_foreach (policies, i, p) {
		const char *resource = text(p, "resourceName"), *restart = text(p, "restartPolicy");

		check_unique(out, ITEM(at, i), seen, resource);
		if (!*resource)
			refuse_required(out, at, "");
		else if (!text_in(resource, resources))
			refuse_unsupported(out, at, resource, resources);
		if (!*restart)
			refuse_required(out, at, "");
		else if (!text_in(restart, restarts))
			refuse_unsupported(out, at, restart, restarts);
		if (never && strcmp(restart, "NotRequired"))
			refuse_text(out, at, restart,
			    "must be 'NotRequired' when `restartPolicy` is 'Never'");
	}
}

/* When a container is started again by itself, and for which exit codes. */
static void
check_restart_rules(struct causes *out, const struct path *at, const json_t *c)
{
	static const char *const policies[] = { "Always", "Never", "OnFailure", NULL };
	static const char *const actions[] = { "Restart", NULL };
	static const char *const operators[] = { "In", "NotIn", NULL };
	const json_t *rules = json_object_get(c, "restartPolicyRules");
	enum { MOST_RULES = 20, MOST_CODES = 255 };
	size_t i;
	json_t *r;

	if (json_array_size(rules) && !json_object_get(c, "restartPolicy"))
		refuse_required(out, AT(at, "restartPolicy"),
		    "must specify restartPolicy when restart rules are used");
	check_one_of(out, at, c, "restartPolicy", policies);
	if (json_array_size(rules) > MOST_RULES)
		refuse_too_long(out, AT(at, "restartPolicyRules"), MOST_RULES);
	json_array_foreach (rules, i, r) {
		const struct path *here = ITEM(AT(at, "restartPolicyRules"), i);
		const json_t *codes = json_object_get(r, "exitCodes");

		if (!text_in(text(r, "action"), actions))
			refuse_unsupported(out, AT(here, "action"), text(r, "action"), actions);
		if (!codes)
			refuse_required(out, AT(here, "exitCodes"), "must be specified");
		else if (!text_in(text(codes, "operator"), operators))
			refuse_unsupported(out, AT(AT(here, "exitCodes"), "operator"),
			    text(codes, "operator"), operators);
		if (json_array_size(json_object_get(codes, "values")) > MOST_CODES)
			refuse_too_long(out, AT(AT(here, "exitCodes"), "values"), MOST_CODES);
	}
}

static void
check_container(
    struct causes *out, const struct path *at, const json_t *c, const struct pod_scope *pod)
{
	static const char *const pull[] = { "Always", "IfNotPresent", "Never", NULL };
	static const char *const message[] = { "File", "FallbackToLogsOnError", NULL };

	if (check_required(out, at, c, "name"))
		check_dns_label(out, AT(at, "name"), text(c, "name"));
	check_required(out, at, c, "image");
	check_one_of(out, at, c, "terminationMessagePolicy", message);
	check_ports(out, AT(at, "ports"), json_object_get(c, "ports"));
	check_env(out, AT(at, "env"), json_object_get(c, "env"));
	check_env_from(out, AT(at, "envFrom"), json_object_get(c, "envFrom"));
	check_mounts(out, AT(at, "volumeMounts"), c, pod);
	check_devices(out, AT(at, "volumeDevices"), c, pod);
	check_one_of(out, at, c, "imagePullPolicy", pull);
	check_resources(out, AT(at, "resources"), json_object_get(c, "resources"),
	    RESOURCES_OF_CONTAINER, pod->claims);
	check_resize_policies(out, AT(at, "resizePolicy"), json_object_get(c, "resizePolicy"), pod);
	check_container_security(
	    out, AT(at, "securityContext"), json_object_get(c, "securityContext"), pod);
	check_restart_rules(out, at, c);
}

/* The same host port can be bound once. */
static void
check_host_ports(struct causes *out, const struct path *at, const json_t *c, json_t *bound)
{
	size_t i;
	json_t *p;

	json_array_foreach (json_object_get(c, "ports"), i, p) {
		json_int_t port = num(json_object_get(p, "hostPort"), 0);
		autofree char *key = NULL;

		if (!port)
			continue;
		key = xasprintf("%s/%s/%" JSON_INTEGER_FORMAT,
		    str(json_object_get(p, "protocol"), "TCP"), text(p, "hostIP"), port);
		check_unique(out, AT(ITEM(AT(at, "ports"), i), "hostPort"), bound, key);
	}
}

void
check_containers(struct causes *out, const struct path *at, const struct pod_scope *pod)
{
	const json_t *containers = json_object_get(pod->spec, "containers");
	json_auto_t *names = json_object(), *bound = json_object();
	size_t i;
	json_t *c;

	if (!json_array_size(containers))
		refuse_required(out, at, "");
	json_array_foreach (containers, i, c) {
		check_container(out, ITEM(at, i), c, pod);
		check_unique(out, AT(ITEM(at, i), "name"), names, text(c, "name"));
		check_probes(out, ITEM(at, i), c, pod);
	}
	json_array_foreach (containers, i, c)
		check_host_ports(out, ITEM(at, i), c, bound);
}

/* One after the other before the rest; with restartPolicy Always they stay beside it, and only
 * then hooks and probes make sense. */
void
check_init_containers(struct causes *out, const struct path *at, const struct pod_scope *pod)
{
	static const char *const later[] = { "lifecycle", "livenessProbe", "readinessProbe",
		"startupProbe" };
	json_auto_t *names = NULL;
	size_t i;
	json_t *c;

	json_array_foreach (json_object_get(pod->spec, "initContainers"), i, c) {
		const struct path *here = ITEM(at, i);
		json_auto_t *bound = json_object();

		names = names ? names : set_of(json_object_get(pod->spec, "containers"), "name");
		check_container(out, here, c, pod);
		check_unique(out, AT(here, "name"), names, text(c, "name"));
		check_host_ports(out, ITEM(at, 0), c, bound);
		if (!strcmp(text(c, "restartPolicy"), "Always")) {
			check_probes(out, here, c, pod);
			continue;
		}
		for (size_t l = 0; l < COUNT(later); l++)
			if (json_object_get(c, later[l]))
				refuse_forbidden(out, AT(here, later[l]),
				    "may not be set for init containers without "
				    "restartPolicy=Always");
	}
}

/* --- containers for looking into a Pod ---------------------------------------------------------
 */

/* What a Pod depends on has no place in them: names as Go's reflection gives them. */
static void
check_plain(struct causes *out, const struct path *at, const json_t *c)
{
	static const char *const refused[] = { "ports", "resizePolicy", "restartPolicy",
		"restartPolicyRules", "livenessProbe", "readinessProbe", "startupProbe",
		"lifecycle" };
	const json_t *mounts = json_object_get(c, "volumeMounts");
	size_t i;
	json_t *m;

	for (size_t r = 0; r < COUNT(refused); r++)
		if (json_object_get(c, refused[r]))
			refuse_forbidden(
			    out, AT(at, refused[r]), "cannot be set for an Ephemeral Container");
	if (json_object_size(json_object_get(c, "resources")))
		refuse_forbidden(
		    out, AT(at, "resources"), "cannot be set for an Ephemeral Container");
	json_array_foreach (mounts, i, m) {
		const struct path *here = ITEM(AT(at, "volumeMounts"), i);

		if (*text(m, "subPath"))
			refuse_forbidden(
			    out, AT(here, "subPath"), "cannot be set for an Ephemeral Container");
		if (*text(m, "subPathExpr"))
			refuse_forbidden(out, AT(here, "subPathExpr"),
			    "cannot be set for an Ephemeral Container");
	}
}

void
check_ephemeral_containers(struct causes *out, const struct path *at, const struct pod_scope *pod)
{
	const json_t *containers = json_object_get(pod->spec, "ephemeralContainers");
	json_auto_t *names = NULL, *others = NULL, *before = NULL;
	size_t i;
	json_t *c;

	if (!json_array_size(containers))
		return;
	others = set_of(json_object_get(pod->spec, "containers"), "name");
	before = set_of(json_object_get(pod->spec, "initContainers"), "name");
	json_object_update(others, before);
	names = json_copy(others);
	json_array_foreach (containers, i, c) {
		const struct path *here = ITEM(at, i);
		const char *target = text(c, "targetContainerName");

		check_container(out, here, c, pod);
		if (repeats(names, text(c, "name")))
			refuse_duplicate(out, AT(here, "name"), text(c, "name"));
		if (*target && !json_object_get(others, target))
			refuse_not_found(out, AT(here, "targetContainerName"), target);
		check_plain(out, here, c);
	}
	check_images(out, at, containers);
}

/* --- for all -----------------------------------------------------------------------------------
 */

void
each_container(const struct path *at, const json_t *spec,
    void (*each)(void *ctx, const struct path *at, const json_t *container), void *ctx)
{
	static const char *const lists[] = { "initContainers", "containers",
		"ephemeralContainers" };
	size_t i;
	json_t *c;

	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (json_object_get(spec, lists[l]), i, c)
			each(ctx, ITEM(AT(at, lists[l]), i), c);
}

/* Only of Pods: templates have always been allowed to hold a placeholder. */
void
check_images(struct causes *out, const struct path *at, const json_t *containers)
{
	size_t i;
	json_t *c;

	json_array_foreach (containers, i, c) {
		const char *image = text(c, "image");
		size_t n = strlen(image);

		if (n && (strchr(" \t\n\r\v\f", image[0]) || strchr(" \t\n\r\v\f", image[n - 1])))
			refuse_text(out, AT(ITEM(at, i), "image"), image,
			    "must not have leading or trailing whitespace");
	}
}
