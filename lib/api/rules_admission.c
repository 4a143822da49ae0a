/* What extends or guards the server itself: webhooks, APIService. */
#include <string.h>

#include "api/rules.h"
#include "api/rules_admission.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

/* --- webhooks ----------------------------------------------------------------------- */

static bool
has_word(const json_t *list, const char *word)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item)
		if (!strcmp(str(item, ""), word))
			return true;
	return false;
}

static void
check_operations(struct causes *out, const struct path *at, const json_t *operations)
{
	static const char *const known[] = { "*", "CONNECT", "CREATE", "DELETE", "UPDATE", NULL };
	size_t i;
	json_t *op;

	if (!json_array_size(operations))
		refuse_required(out, at, "");
	if (json_array_size(operations) > 1 && has_word(operations, "*"))
		refuse_value(
		    out, at, operations, "if '*' is present, must not specify other operations");
	json_array_foreach (operations, i, op)
		if (!text_in(str(op, ""), known))
			refuse_unsupported(out, ITEM(at, i), str(op, ""), known);
}

/* A list in which '*' stands for everything and so must stand alone. */
static void
check_star(struct causes *out, const struct path *at, const json_t *list, const char *what)
{
	if (!json_array_size(list))
		refuse_required(out, at, "");
	if (json_array_size(list) > 1 && has_word(list, "*"))
		refuse_value(out, at, list, "if '*' is present, must not specify other %s", what);
}

/* "pods/log", of which "pods/" and "/log" may be said by a '*' before it. */
static void
check_subresource(struct causes *out, const struct path *at, const char *whole, json_t *stars)
{
	const char *sub = strchr(whole, '/') + 1;
	autofree char *all = xasprintf("%.*s/*", (int)(sub - 1 - whole), whole);
	autofree char *any = xasprintf("*/%s", sub);

	if (json_object_get(stars, all))
		refuse_text(out, at, whole, "if '%s' is present, must not specify %s", all, whole);
	if (json_object_get(stars, any))
		refuse_text(out, at, whole, "if '%s' is present, must not specify %s", any, whole);
	if (!strcmp(whole, all))
		repeats(stars, all);
	if (!strcmp(whole, any))
		repeats(stars, any);
}

static void
check_resources_of_rule(struct causes *out, const struct path *at, const json_t *resources)
{
	json_auto_t *stars = json_object();
	bool plain = false;
	size_t i;
	json_t *r;

	if (!json_array_size(resources))
		refuse_required(out, at, "");
	json_array_foreach (resources, i, r) {
		const char *whole = str(r, "");

		if (!*whole)
			refuse_required(out, ITEM(at, i), "");
		else if (strchr(whole, '/'))
			check_subresource(out, ITEM(at, i), whole, stars);
		else
			plain = strcmp(whole, "*") != 0;
	}
	if (json_array_size(resources) > 1 && has_word(resources, "*/*"))
		refuse_value(
		    out, at, resources, "if '*/*' is present, must not specify other resources");
	if (plain && has_word(resources, "*"))
		refuse_value(out, at, resources,
		    "if '*' is present, must not specify other resources without subresources");
}

void
check_webhook_rule(struct causes *out, const struct path *at, const json_t *rule)
{
	static const char *const scopes[] = { "*", "Cluster", "Namespaced", NULL };
	const json_t *versions = json_object_get(rule, "apiVersions");
	size_t i;
	json_t *v;

	check_operations(out, AT(at, "operations"), json_object_get(rule, "operations"));
	check_star(out, AT(at, "apiGroups"), json_object_get(rule, "apiGroups"), "API groups");
	check_star(out, AT(at, "apiVersions"), versions, "API versions");
	json_array_foreach (versions, i, v)
		if (!*str(v, ""))
			refuse_required(out, ITEM(AT(at, "apiVersions"), i), "");
	check_resources_of_rule(out, AT(at, "resources"), json_object_get(rule, "resources"));
	check_one_of(out, at, rule, "scope", scopes);
}

static void
check_url(struct causes *out, const struct path *at, const char *url)
{
	const char *scheme = strstr(url, "://"), *rest = scheme ? scheme + 3 : url;
	const char *user = memchr(rest, '@', strcspn(rest, "/?#"));
	const char *fragment = strchr(rest, '#'), *query = strchr(rest, '?');
	autofree char *part = xstrndup(url, scheme ? (size_t)(scheme - url) : 0);

	if (strcmp(part, "https"))
		refuse_text(out, at, part,
		    "'https' is the only allowed URL scheme; desired format: https://host[/path]");
	if (!*rest || strchr("/?#", *rest))
		refuse_text(
		    out, at, "", "host must be specified; desired format: https://host[/path]");
	if (user) {
		autofree char *who = xstrndup(rest, (size_t)(user - rest));

		refuse_text(out, at, who, "user information is not permitted in the URL");
	}
	if (fragment)
		refuse_text(out, at, fragment + 1, "fragments are not permitted in the URL");
	if (query) {
		autofree char *what = xstrndup(query + 1, strcspn(query + 1, "#"));

		refuse_text(out, at, what, "query parameters are not permitted in the URL");
	}
}

/* A path of a Service: between slashes are names. */
static void
check_service_path(struct causes *out, const struct path *at, const char *path)
{
	unsigned step = 0;

	if (!*path || !strcmp(path, "/"))
		return;
	if (!strcmp(path, "//")) {
		refuse_text(out, at, path, "segment[0] may not be empty");
		return;
	}
	if (*path != '/')
		refuse_text(out, at, path, "must start with a '/'");
	for (const char *p = path + (*path == '/'); *p; step++) {
		size_t n = strcspn(p, "/");
		autofree char *word = xstrndup(p, n);
		struct causes wrong = CAUSES_INIT;

		p += n + (p[n] == '/');
		if (!n) {
			refuse_text(out, at, path, "segment[%u] may not be empty", step);
			continue;
		}
		check_dns_subdomain(&wrong, NULL, word);
		for (size_t i = 0; i < wrong.n; i++) {
			const char *why = strstr(wrong.item[i].message, "\": ");

			refuse_text(out, at, path, "segment[%u]: %s", step, why ? why + 3 : "");
		}
		causes_release(&wrong);
	}
}

static void
check_service_ref(struct causes *out, const struct path *at, const json_t *service)
{
	const json_t *port = json_object_get(service, "port");
	const json_t *path = json_object_get(service, "path");

	if (!*text(service, "name"))
		refuse_required(out, AT(at, "name"), "service name is required");
	if (!*text(service, "namespace"))
		refuse_required(out, AT(at, "namespace"), "service namespace is required");
	if (port && (num(port, 0) < 1 || num(port, 0) > 65535))
		refuse_value(out, AT(at, "port"), port,
		    "port is not valid: must be between 1 and 65535, inclusive");
	if (path)
		check_service_path(out, AT(at, "path"), str(path, ""));
}

void
check_webhook_client(struct causes *out, const struct path *at, const json_t *client)
{
	const json_t *service = json_object_get(client, "service");
	const json_t *url = json_object_get(client, "url");

	if (!url == !service) {
		refuse_required(out, at, "exactly one of url or service is required");
	} else if (url) {
		check_url(out, AT(at, "url"), str(url, ""));
	} else {
		check_service_ref(out, AT(at, "service"), service);
	}
}

static void
check_versions(struct causes *out, const struct path *at, const json_t *versions)
{
	json_auto_t *seen = json_object();
	size_t i;
	json_t *v;

	if (!json_array_size(versions)) {
		refuse_required(out, at, "must specify one of v1, v1beta1");
		return;
	}
	json_array_foreach (versions, i, v)
		if (repeats(seen, str(v, "")))
			refuse_value(out, ITEM(at, i), v, "duplicate version");
		else
			check_dns_1035(out, ITEM(at, i), str(v, ""));
	if (!has_word(versions, "v1") && !has_word(versions, "v1beta1"))
		refuse_value(out, at, versions, "must include at least one of v1, v1beta1");
}

/* What a webhook must say about itself. */
static void
check_words(struct causes *out, const struct path *at, const json_t *hook)
{
	static const char *const failure[] = { "Fail", "Ignore", NULL };
	static const char *const match[] = { "Equivalent", "Exact", NULL };
	static const char *const effects[] = { "None", "NoneOnDryRun", NULL };
	const json_t *timeout = json_object_get(hook, "timeoutSeconds");

	check_one_of(out, at, hook, "failurePolicy", failure);
	check_one_of(out, at, hook, "matchPolicy", match);
	if (!json_object_get(hook, "sideEffects"))
		refuse_required(
		    out, AT(at, "sideEffects"), "must specify one of None, NoneOnDryRun");
	check_one_of(out, at, hook, "sideEffects", effects);
	if (timeout && (num(timeout, 1) < 1 || num(timeout, 1) > 30))
		refuse_value(out, AT(at, "timeoutSeconds"), timeout,
		    "the timeout value must be between 1 and 30 seconds");
}

static void
check_webhook(struct causes *out, const struct path *at, const json_t *hook)
{
	static const char *const again[] = { "IfNeeded", "Never", NULL };
	size_t i;
	json_t *rule;

	check_domain(out, AT(at, "name"), text(hook, "name"), 3);
	json_array_foreach (json_object_get(hook, "rules"), i, rule)
		check_webhook_rule(out, ITEM(AT(at, "rules"), i), rule);
	check_words(out, at, hook);
	check_label_selector(
	    out, AT(at, "namespaceSelector"), json_object_get(hook, "namespaceSelector"));
	check_label_selector(
	    out, AT(at, "objectSelector"), json_object_get(hook, "objectSelector"));
	check_one_of(out, at, hook, "reinvocationPolicy", again);
	check_webhook_client(out, AT(at, "clientConfig"), json_object_get(hook, "clientConfig"));
	check_match_conditions(
	    out, AT(at, "matchConditions"), json_object_get(hook, "matchConditions"), false);
	check_versions(out, AT(at, "admissionReviewVersions"),
	    json_object_get(hook, "admissionReviewVersions"));
}

void
webhooks_create(struct causes *out, const json_t *obj)
{
	const json_t *hooks = json_object_get(obj, "webhooks");
	json_auto_t *names = json_object();
	size_t i;
	json_t *hook;

	json_array_foreach (hooks, i, hook) {
		check_webhook(out, ITEM(AT(top, "webhooks"), i), hook);
		check_unique(
		    out, AT(ITEM(AT(top, "webhooks"), i), "name"), names, text(hook, "name"));
	}
}

/* --- APIService --------------------------------------------------------------------------- */

/* How many bytes a text in base64 stands for. */
static size_t
bytes_of(const char *text)
{
	size_t n = strlen(text);

	return n / 4 * 3 - text_ends(text, "=") - text_ends(text, "==");
}

/* Who answers for it; without a Service the server does. */
static void
check_backend(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *service = json_object_get(spec, "service");
	const json_t *trust = json_object_get(spec, "insecureSkipTLSVerify");
	const json_t *port = json_object_get(service, "port");
	size_t n = bytes_of(text(spec, "caBundle"));
	autofree char *bytes = xasprintf("%zu bytes", n);

	if (!service && n)
		refuse_text(
		    out, AT(at, "caBundle"), bytes, "local APIServices may not have a caBundle");
	if (!service && truth(trust))
		refuse_value(out, AT(at, "insecureSkipTLSVerify"), trust,
		    "local APIServices may not have insecureSkipTLSVerify");
	if (!service)
		return;
	check_required(out, AT(at, "service"), service, "namespace");
	check_required(out, AT(at, "service"), service, "name");
	if (port && (num(port, 0) < 1 || num(port, 0) > 65535))
		refuse_value(out, AT(AT(at, "service"), "port"), port,
		    "port is not valid: must be between 1 and 65535, inclusive");
	if (truth(trust) && n)
		refuse_value(out, AT(at, "insecureSkipTLSVerify"), trust,
		    "may not be true if caBundle is present");
}

void
api_service_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	json_int_t group = num(json_object_get(spec, "groupPriorityMinimum"), 0);
	json_int_t version = num(json_object_get(spec, "versionPriority"), 0);
	autofree char *name = xasprintf("%s.%s", text(spec, "version"), text(spec, "group"));
	const struct path *at = AT(top, "spec");

	if (strcmp(meta_name(obj), name))
		refuse_text(out, AT(AT(top, "metadata"), "name"), meta_name(obj),
		    "must be `spec.version+\".\"+spec.group`: \"%s\"", name);
	if (*text(spec, "group"))
		check_dns_subdomain(out, AT(at, "group"), text(spec, "group"));
	else if (strcmp(text(spec, "version"), "v1") != 0)
		refuse_required(out, AT(at, "group"),
		    "only v1 may have an empty group and it better be legacy kube");
	check_dns_1035(out, AT(at, "version"), text(spec, "version"));
	if (group < 1 || group > 20000)
		refuse_number(out, AT(at, "groupPriorityMinimum"), group,
		    "must be positive and less than 20000");
	if (version < 1 || version > 1000)
		refuse_number(
		    out, AT(at, "versionPriority"), version, "must be positive and less than 1000");
	check_backend(out, at, spec);
}
