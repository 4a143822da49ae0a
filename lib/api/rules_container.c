/* Containers: names, ports, environment, mounts, probes, security. */
#include <string.h>

#include "api/rules.h"
#include "api/rules_pod.h"
#include "base/mem.h"

static void
check_ports(struct causes *out, const struct path *at, const json_t *ports)
{
	static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
	json_auto_t *names = json_object();
	size_t i;
	json_t *p;

	json_array_foreach (ports, i, p) {
		const struct path *here = ITEM(at, i);
		json_int_t port = num(json_object_get(p, "containerPort"), 0);
		json_int_t host = num(json_object_get(p, "hostPort"), 0);

		if (*text(p, "name")) {
			check_port_name(out, AT(here, "name"), text(p, "name"));
			check_unique(out, AT(here, "name"), names, text(p, "name"));
		}
		if (!port)
			refuse_required(out, AT(here, "containerPort"), "");
		else
			check_port(out, AT(here, "containerPort"), port);
		if (host)
			check_port(out, AT(here, "hostPort"), host);
		check_one_of(out, here, p, "protocol", protocols);
	}
}

/* --- mounts ------------------------------------------------------------------------ */

/* A path below some folder, not out of it. */
void
check_local_path(struct causes *out, const struct path *at, const char *path)
{
	if (*path == '/')
		refuse_text(out, at, path, "must be a relative path");
	for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
		if (!strncmp(p, "..", 2) && (!p[2] || p[2] == '/')) {
			refuse_text(out, at, path, "must not contain '..'");
			return;
		}
}

static void
check_mounts(
    struct causes *out, const struct path *at, const json_t *container, const json_t *volumes)
{
	static const char *const propagation[] = { "Bidirectional", "HostToContainer", "None",
		NULL };
	const json_t *mounts = json_object_get(container, "volumeMounts");
	bool privileged = truth(get(container, "securityContext", "privileged"));
	json_auto_t *paths = json_object();
	size_t i;
	json_t *m;

	json_array_foreach (mounts, i, m) {
		const struct path *here = ITEM(at, i);
		const char *name = text(m, "name"), *path = text(m, "mountPath");

		if (check_required(out, here, m, "name") && !json_object_get(volumes, name))
			refuse_not_found(out, AT(here, "name"), name);
		check_required(out, here, m, "mountPath");
		if (repeats(paths, path))
			refuse_text(out, AT(here, "mountPath"), path, "must be unique");
		/* The missing index is Kubernetes' own. */
		check_local_path(out, AT(at, "subPath"), text(m, "subPath"));
		if (*text(m, "subPathExpr")) {
			if (*text(m, "subPath"))
				refuse_text(out, AT(here, "subPathExpr"), text(m, "subPathExpr"),
				    "subPathExpr and subPath are mutually exclusive");
			check_local_path(out, AT(at, "subPathExpr"), text(m, "subPathExpr"));
		}
		check_one_of(out, at, m, "mountPropagation", propagation);
		if (!strcmp(text(m, "mountPropagation"), "Bidirectional") && !privileged)
			refuse_forbidden(out, AT(at, "mountPropagation"),
			    "Bidirectional mount propagation is available only to privileged "
			    "containers");
	}
}

/* --- probes and hooks ---------------------------------------------------------------- */

static void
check_http(struct causes *out, const struct path *at, const json_t *get_action)
{
	static const char *const schemes[] = { "HTTP", "HTTPS", NULL };
	size_t i;
	json_t *header;

	check_required(out, at, get_action, "path");
	check_port_or_name(out, AT(at, "port"), json_object_get(get_action, "port"));
	check_one_of(out, at, get_action, "scheme", schemes);
	json_array_foreach (json_object_get(get_action, "httpHeaders"), i, header) {
		const char *name = text(header, "name");
		size_t n = strlen(name);

		if (!n ||
		    strspn(name,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") < n)
			refuse_text(out, AT(at, "httpHeaders"), name,
			    "a valid HTTP header must consist of alphanumeric characters or '-' "
			    "(e.g. 'X-Header-Name', "
			    "regex used for validation is '[-A-Za-z0-9]+')");
	}
}

static void
check_handler(struct causes *out, const struct path *at, const json_t *handler)
{
	static const char *const kinds[] = { "exec", "httpGet", "tcpSocket", "grpc", "sleep" };
	size_t n = 0;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		const json_t *h = json_object_get(handler, kinds[i]);
		const struct path *here = AT(at, kinds[i]);

		if (!json_is_object(h))
			continue;
		if (n++)
			refuse_forbidden(out, here, "may not specify more than 1 handler type");
		else if (!strcmp(kinds[i], "exec") &&
			 !json_array_size(json_object_get(h, "command")))
			refuse_required(out, AT(here, "command"), "");
		else if (!strcmp(kinds[i], "httpGet"))
			check_http(out, here, h);
		else if (!strcmp(kinds[i], "tcpSocket"))
			check_port_or_name(out, AT(here, "port"), json_object_get(h, "port"));
		else if (!strcmp(kinds[i], "grpc"))
			check_port(out, AT(here, "port"), num(json_object_get(h, "port"), 0));
	}
	if (!n)
		refuse_required(out, at, "must specify a handler type");
}

static void
check_probe(struct causes *out, const struct path *up, const json_t *container, const char *name)
{
	static const char *const numbers[] = { "initialDelaySeconds", "timeoutSeconds",
		"periodSeconds", "successThreshold", "failureThreshold" };
	const json_t *p = json_object_get(container, name);
	const struct path *at = AT(up, name);
	bool readiness = !strcmp(name, "readinessProbe");

	if (!json_is_object(p))
		return;
	check_handler(out, at, p);
	for (size_t i = 0; i < COUNT(numbers); i++)
		check_not_negative(out, at, p, numbers[i]);
	if (!readiness && num(json_object_get(p, "successThreshold"), 1) != 1)
		refuse_value(out, AT(at, "successThreshold"),
		    json_object_get(p, "successThreshold"), "must be 1");
	if (readiness && json_object_get(p, "terminationGracePeriodSeconds"))
		refuse_value(out, AT(at, "terminationGracePeriodSeconds"),
		    json_object_get(p, "terminationGracePeriodSeconds"),
		    "must not be set for readinessProbes");
	else
		check_positive(out, at, p, "terminationGracePeriodSeconds");
}

/* --- security -------------------------------------------------------------------------- */

void
check_user_id(struct causes *out, const struct path *at, const json_t *context, const char *key)
{
	check_between(out, at, context, key, 0, 2147483647);
}

void
check_seccomp(struct causes *out, const struct path *at, const json_t *profile)
{
	const char *type = text(profile, "type"), *local = text(profile, "localhostProfile");

	if (!json_is_object(profile))
		return;
	if (!*type)
		refuse_required(out, AT(at, "type"), "type is required when seccompProfile is set");
	else if (!strcmp(type, "Localhost") && !json_object_get(profile, "localhostProfile"))
		refuse_required(
		    out, AT(at, "localhostProfile"), "must be set when seccomp type is Localhost");
	else if (!strcmp(type, "Localhost"))
		check_local_path(out, AT(at, "localhostProfile"), local);
	else if (json_object_get(profile, "localhostProfile")) {
		json_auto_t *whole =
		    json_pack("{s:s, s:s}", "Type", type, "LocalhostProfile", local);

		refuse_value(out, AT(at, "localhostProfile"), whole,
		    "can only be set when seccomp type is Localhost");
	}
}

static void
check_security(struct causes *out, const struct path *at, const json_t *context)
{
	bool privileged = truth(json_object_get(context, "privileged"));

	if (!json_is_object(context))
		return;
	check_user_id(out, at, context, "runAsUser");
	check_user_id(out, at, context, "runAsGroup");
	if (json_is_false(json_object_get(context, "allowPrivilegeEscalation")) && privileged)
		refuse_value(out, at, context,
		    "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
	check_seccomp(out, AT(at, "seccompProfile"), json_object_get(context, "seccompProfile"));
}

/* --- a container as a whole ---------------------------------------------------------------- */

static void
check_resize_policies(struct causes *out, const struct path *at, const json_t *policies)
{
	static const char *const resources[] = { "cpu", "memory", NULL };
	static const char *const restarts[] = { "NotRequired", "RestartContainer", NULL };
	json_auto_t *resources_seen = json_object();
	size_t i;
	json_t *p;

	json_array_foreach (policies, i, p) {
		const char *resource = text(p, "resourceName"), *restart = text(p, "restartPolicy");

		if (strcmp(resource, "cpu") && strcmp(resource, "memory"))
			refuse_unsupported(out, at, resource, resources);
		if (strcmp(restart, "NotRequired") && strcmp(restart, "RestartContainer"))
			refuse_unsupported(out, at, restart, restarts);
		if (repeats(resources_seen, resource))
			refuse_duplicate(out, at, resource);
	}
}

static void
check_container(struct causes *out, const struct path *at, const json_t *c, const json_t *volumes)
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
	check_mounts(out, AT(at, "volumeMounts"), c, volumes);
	check_one_of(out, at, c, "imagePullPolicy", pull);
	check_resources(out, AT(at, "resources"), json_object_get(c, "resources"));
	check_resize_policies(out, AT(at, "resizePolicy"), json_object_get(c, "resizePolicy"));
	check_security(out, AT(at, "securityContext"), json_object_get(c, "securityContext"));
}

static void
check_lifecycle(struct causes *out, const struct path *at, const json_t *lifecycle)
{
	static const char *const hooks[] = { "postStart", "preStop" };

	for (size_t i = 0; i < COUNT(hooks); i++)
		if (json_object_get(lifecycle, hooks[i]))
			check_handler(out, AT(at, hooks[i]), json_object_get(lifecycle, hooks[i]));
}

static void
check_probes(struct causes *out, const struct path *at, const json_t *c)
{
	check_lifecycle(out, AT(at, "lifecycle"), json_object_get(c, "lifecycle"));
	check_probe(out, at, c, "livenessProbe");
	check_probe(out, at, c, "readinessProbe");
	check_probe(out, at, c, "startupProbe");
}

/* The same host port can be bound once. */
static void
check_host_ports(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *containers = json_object_get(spec, "containers");
	json_t *bound = json_object(), *c, *p;
	size_t i, j;

	json_array_foreach (containers, i, c)
		json_array_foreach (json_object_get(c, "ports"), j, p) {
			const struct path *here = AT(ITEM(AT(ITEM(at, i), "ports"), j), "hostPort");
			json_int_t port = num(json_object_get(p, "hostPort"), 0);
			autofree char *key = xasprintf("%s/%s/%" JSON_INTEGER_FORMAT,
			    str(json_object_get(p, "protocol"), "TCP"), text(p, "hostIP"), port);

			if (!port)
				continue;
			if (json_object_get(bound, key))
				refuse_duplicate(out, here, key);
			json_object_set_new(bound, key, json_true());
			if (truth(json_object_get(spec, "hostNetwork")) &&
			    port != num(json_object_get(p, "containerPort"), 0))
				refuse_number(out, here, port,
				    "must match `containerPort` when `hostNetwork` is true");
		}
	json_decref(bound);
}

void
check_containers(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *containers = json_object_get(spec, "containers");
	json_auto_t *names = json_object(),
		    *volumes = set_of(json_object_get(spec, "volumes"), "name");
	size_t i;
	json_t *c;

	if (!json_array_size(containers))
		refuse_required(out, at, "");
	json_array_foreach (containers, i, c) {
		check_container(out, ITEM(at, i), c, volumes);
		check_unique(out, AT(ITEM(at, i), "name"), names, text(c, "name"));
		check_probes(out, ITEM(at, i), c);
	}
	check_host_ports(out, at, spec);
}

/* One after the other before the rest; with restartPolicy Always they stay beside it, and only
 * then hooks and probes make sense. */
void
check_init_containers(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const later[] = { "lifecycle", "livenessProbe", "readinessProbe",
		"startupProbe" };
	const json_t *containers = json_object_get(spec, "initContainers");
	json_auto_t *names = set_of(json_object_get(spec, "containers"), "name");
	json_auto_t *volumes = set_of(json_object_get(spec, "volumes"), "name");
	size_t i;
	json_t *c;

	json_array_foreach (containers, i, c) {
		const struct path *here = ITEM(at, i);

		check_container(out, here, c, volumes);
		check_unique(out, AT(here, "name"), names, text(c, "name"));
		if (!strcmp(text(c, "restartPolicy"), "Always")) {
			check_probes(out, here, c);
			continue;
		}
		for (size_t l = 0; l < COUNT(later); l++)
			if (json_object_get(c, later[l]))
				refuse_forbidden(out, AT(here, later[l]),
				    "may not be set for init containers without "
				    "restartPolicy=Always");
	}
}

/* Only of Pods: templates have always been allowed to hold a placeholder. */
void
check_image(struct causes *out, const struct path *at, const json_t *containers)
{
	size_t i;
	json_t *c;

	json_array_foreach (containers, i, c) {
		const char *image = text(c, "image");
		size_t n = strlen(image);

		if (n && (strchr(" \t\n", image[0]) || strchr(" \t\n", image[n - 1])))
			refuse_text(out, AT(ITEM(at, i), "image"), image,
			    "must not have leading or trailing whitespace");
	}
}
