/* Probes and hooks of containers. */
#include <string.h>

#include "api/rules_pod.h"
#include "base/mem.h"

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
			    "(e.g. 'X-Header-Name', regex used for validation is "
			    "'[-A-Za-z0-9]+')");
	}
}

/* Nobody waits longer than the Pod gets to end. */
static void
check_sleep(
    struct causes *out, const struct path *at, const json_t *action, const struct pod_scope *pod)
{
	const json_t *grace = json_object_get(pod->spec, "terminationGracePeriodSeconds");
	json_int_t seconds = num(json_object_get(action, "seconds"), 0);

	if (grace && (seconds < 0 || seconds > num(grace, 0)))
		refuse_number(out, at, seconds,
		    "must be non-negative and less than terminationGracePeriodSeconds "
		    "(%" JSON_INTEGER_FORMAT ")",
		    num(grace, 0));
}

static void
check_action(struct causes *out, const struct path *at, const char *kind, const json_t *action,
    const struct pod_scope *pod)
{
	if (!strcmp(kind, "exec") && !json_array_size(json_object_get(action, "command")))
		refuse_required(out, AT(at, "command"), "");
	else if (!strcmp(kind, "httpGet"))
		check_http(out, at, action);
	else if (!strcmp(kind, "tcpSocket"))
		check_port_or_name(out, AT(at, "port"), json_object_get(action, "port"));
	else if (!strcmp(kind, "grpc"))
		check_port(out, AT(at, "port"), num(json_object_get(action, "port"), 0));
	else if (!strcmp(kind, "sleep"))
		check_sleep(out, at, action, pod);
}

static void
check_handler(
    struct causes *out, const struct path *at, const json_t *handler, const struct pod_scope *pod)
{
	static const char *const kinds[] = { "exec", "httpGet", "tcpSocket", "grpc", "sleep" };
	size_t n = 0;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		const json_t *h = json_object_get(handler, kinds[i]);

		if (!json_is_object(h))
			continue;
		if (n++)
			refuse_forbidden(
			    out, AT(at, kinds[i]), "may not specify more than 1 handler type");
		else
			check_action(out, AT(at, kinds[i]), kinds[i], h, pod);
	}
	if (!n)
		refuse_required(out, at, "must specify a handler type");
}

static void
check_probe(struct causes *out, const struct path *up, const json_t *container, const char *name,
    const struct pod_scope *pod)
{
	static const char *const numbers[] = { "initialDelaySeconds", "timeoutSeconds",
		"periodSeconds", "successThreshold", "failureThreshold" };
	const json_t *p = json_object_get(container, name);
	const struct path *at = AT(up, name);
	bool readiness = !strcmp(name, "readinessProbe");

	if (!json_is_object(p))
		return;
	check_handler(out, at, p, pod);
	for (size_t i = 0; i < COUNT(numbers); i++)
		check_not_negative(out, at, p, numbers[i]);
	check_positive(out, at, p, "terminationGracePeriodSeconds");
	if (!readiness && num(json_object_get(p, "successThreshold"), 1) != 1)
		refuse_value(out, AT(at, "successThreshold"),
		    json_object_get(p, "successThreshold"), "must be 1");
	if (readiness && json_object_get(p, "terminationGracePeriodSeconds"))
		refuse_value(out, AT(at, "terminationGracePeriodSeconds"),
		    json_object_get(p, "terminationGracePeriodSeconds"),
		    "must not be set for readinessProbes");
}

void
check_probes(
    struct causes *out, const struct path *at, const json_t *container, const struct pod_scope *pod)
{
	static const char *const hooks[] = { "postStart", "preStop" };
	static const char *const probes[] = { "livenessProbe", "readinessProbe", "startupProbe" };
	const json_t *lifecycle = json_object_get(container, "lifecycle");

	for (size_t i = 0; i < COUNT(hooks); i++)
		if (json_object_get(lifecycle, hooks[i]))
			check_handler(out, AT(AT(at, "lifecycle"), hooks[i]),
			    json_object_get(lifecycle, hooks[i]), pod);
	for (size_t i = 0; i < COUNT(probes); i++)
		check_probe(out, at, container, probes[i], pod);
}
