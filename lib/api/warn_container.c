/* What may not be meant in the containers of a Pod. */
#include <string.h>

#include "api/meta.h"
#include "api/warn.h"
#include "base/mem.h"

static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

/* Annotations of long ago that a field stands for now. */
static void
warn_profiles(struct causes *out, const struct path *at, const json_t *pod, const json_t *c)
{
	static const char seccomp[] = "container.seccomp.security.alpha.kubernetes.io/";
	static const char apparmor[] = "container.apparmor.security.beta.kubernetes.io/";
	const char *name = text(c, "name");
	const struct path *annotations = AT(AT(at, "metadata"), "annotations");
	autofree char *old = xasprintf("%s%s", seccomp, name);
	autofree char *older = xasprintf("%s%s", apparmor, name);

	if (!get(c, "securityContext", "seccompProfile") && meta_annotation(pod, old))
		warn_field(out, KEY(annotations, old),
		    "non-functional in v1.27+; use the \"seccompProfile\" field instead");
	if (!get(c, "securityContext", "appArmorProfile") &&
	    !get(pod, "spec", "securityContext", "appArmorProfile") && meta_annotation(pod, older))
		warn_field(out, KEY(annotations, older),
		    "deprecated since v1.30; use the \"appArmorProfile\" field instead");
}

/* A variable that stands twice is fine when the later one is made out of the earlier. */
static void
warn_env(struct causes *out, const struct path *at, const json_t *env)
{
	json_auto_t *seen = json_object();
	json_t *e;
	size_t i;

	json_array_foreach (env, i, e) {
		const char *name = text(e, "name"), *value = text(e, "value");
		autofree char *reference = xasprintf("$(%s)", name);

		if (!json_object_get(seen, name))
			json_object_set_new(seen, name, json_true());
		else if (get(e, "valueFrom") || !strstr(value, reference) ||
			 strcmp(value, reference) == 0)
			warn_field(out, ITEM(AT(at, "env"), i),
			    "hides previous definition of \"%s\", which may be dropped when using "
			    "apply",
			    name);
	}
}

static void
warn_container(struct causes *out, const struct path *pod_at, const struct path *at,
    const json_t *pod, const json_t *c)
{
	static const char *const bytes[] = { "memory", "ephemeral-storage" };
	const struct path *resources = AT(at, "resources");

	warn_profiles(out, pod_at, pod, c);
	for (size_t i = 0; i < COUNT(bytes); i++) {
		warn_fraction(
		    out, AT(resources, "limits"), get(c, "resources", "limits"), bytes[i]);
		warn_fraction(
		    out, AT(resources, "requests"), get(c, "resources", "requests"), bytes[i]);
	}
	warn_env(out, at, get(c, "env"));
}

void
warn_containers(struct causes *out, const struct path *at, const json_t *pod)
{
	const struct path *spec = AT(at, "spec");
	json_t *c;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(pod, "spec", lists[k]), i, c)
			warn_container(out, at, ITEM(AT(spec, lists[k]), i), pod, c);
}

/* --- ports: two of them may be the same one --- */

struct port {
	const char *list;
	size_t container, index;
	const json_t *port;
};

/* How the later port stands to the earlier one with the same number and protocol; NULL: well. */
static const char *
clash(const json_t *a, const json_t *b)
{
	const char *ip = text(a, "hostIP"), *other_ip = text(b, "hostIP");
	json_int_t host = num(get(a, "hostPort"), 0), other_host = num(get(b, "hostPort"), 0);

	if (num(get(a, "containerPort"), 0) != num(get(b, "containerPort"), 0) ||
	    strcmp(text(a, "protocol"), text(b, "protocol")) != 0)
		return NULL;
	if (strcmp(ip, other_ip) == 0 && host == other_host)
		return "duplicate";
	if (!host || !other_host)
		return "overlapping";
	return host == other_host && (*ip == '\0') != (*other_ip == '\0') ? "dangerously ambiguous"
									  : NULL;
}

static char *
port_path(const struct path *spec, const struct port *p)
{
	return path_print(ITEM(AT(ITEM(AT(spec, p->list), p->container), "ports"), p->index));
}

static void
warn_port(struct causes *out, const struct path *spec, const struct port *all, size_t n)
{
	const struct port *p = &all[n];
	const struct path *at = ITEM(AT(ITEM(AT(spec, p->list), p->container), "ports"), p->index);
	const char *ip = text(p->port, "hostIP");

	if (*ip && !num(get(p->port, "hostPort"), 0))
		warn_field(out, at,
		    "hostIP set without hostPort: {Name:%s HostPort:0 ContainerPort:%lld "
		    "Protocol:%s HostIP:%s}",
		    text(p->port, "name"), (long long)num(get(p->port, "containerPort"), 0),
		    text(p->port, "protocol"), ip);
	if (*ip)
		warn_ip(out, AT(at, "hostIP"), ip);
	for (size_t i = 0; i < n; i++) {
		const char *how = clash(p->port, all[i].port);
		autofree char *other = how ? port_path(spec, &all[i]) : NULL;

		if (how)
			warn_field(out, at, "%s port definition with %s", how, other);
	}
}

void
warn_ports(struct causes *out, const struct path *at, const json_t *spec)
{
	autofree struct port *all = NULL;
	size_t n = 0, cap = 0, i, k;
	json_t *c, *port;

	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(spec, lists[l]), i, c)
			json_array_foreach (get(c, "ports"), k, port) {
				GROW(all, n, cap);
				all[n] = (struct port){ lists[l], i, k, port };
				warn_port(out, at, all, n++);
			}
}
