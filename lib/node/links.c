/* Services as environment variables (Kubernetes' envvars: HOST and PORT, and Docker's links). */
#include <ctype.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/spec.h"

static char *
variable(const char *name)
{
	char *s = xstrdup(name);

	for (char *p = s; *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	return s;
}

__attribute__((format(printf, 3, 4))) static void
add(json_t *env, const char *value, const char *fmt, ...)
{
	autofree char *name = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&name, fmt, ap) < 0)
		abort();
	va_end(ap);
	environment_set(env, name, value);
}

static void
add_port(json_t *env, const char *prefix, const char *ip, const json_t *port, bool first)
{
	const char *protocol = *text(port, "protocol") ? text(port, "protocol") : "TCP";
	autofree char *big = variable(protocol), *small = xstrdup(protocol), *url = NULL;
	autofree char *number = xasprintf("%d", (int)num(get(port, "port"), 0));
	bool six = strchr(ip, ':') != NULL;

	for (char *p = small; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	url = xasprintf("%s://%s%s%s:%s", small, six ? "[" : "", ip, six ? "]" : "", number);
	if (first) {
		add(env, number, "%s_SERVICE_PORT", prefix);
		add(env, url, "%s_PORT", prefix);
	}
	if (*text(port, "name")) {
		autofree char *name = variable(text(port, "name"));

		add(env, number, "%s_SERVICE_PORT_%s", prefix, name);
	}
	add(env, url, "%s_PORT_%s_%s", prefix, number, big);
	add(env, small, "%s_PORT_%s_%s_PROTO", prefix, number, big);
	add(env, number, "%s_PORT_%s_%s_PORT", prefix, number, big);
	add(env, ip, "%s_PORT_%s_%s_ADDR", prefix, number, big);
}

static void
add_service(json_t *env, const json_t *service)
{
	const char *ip = text(service, "spec", "clusterIP");
	autofree char *prefix = variable(meta_name(service));
	json_t *port;
	size_t i;

	if (!*ip || strcmp(ip, "None") == 0)
		return;
	add(env, ip, "%s_SERVICE_HOST", prefix);
	json_array_foreach (get(service, "spec", "ports"), i, port)
		add_port(env, prefix, ip, port, i == 0);
}

/* The API server's own Service is told of in any case; one of the pod's namespace that has its name
 * comes before it. */
void
environment_links(json_t *env, const json_t *pod, const json_t *services)
{
	json_t *service;
	size_t i;

	json_array_foreach (services, i, service)
		if (strcmp(meta_namespace(service), "default") == 0 &&
		    strcmp(meta_name(service), "kubernetes") == 0)
			add_service(env, service);
	if (json_is_false(get(pod, "spec", "enableServiceLinks")))
		return;
	json_array_foreach (services, i, service)
		if (strcmp(meta_namespace(service), meta_namespace(pod)) == 0)
			add_service(env, service);
}
