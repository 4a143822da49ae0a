/* What extends or guards the server itself: webhooks, APIService. */
#include <string.h>

#include "api/rules.h"
#include "base/mem.h"

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

/* A list in which '*' stands for everything and so must stand alone. */
static void
check_star(struct causes *out, const struct path *at, const json_t *rule, const char *key,
    const char *star, const char *what)
{
	const json_t *list = json_object_get(rule, key);

	if (!json_array_size(list))
		refuse_required(out, AT(at, key), "");
	else if (json_array_size(list) > 1 && has_word(list, star))
		refuse_value(out, AT(at, key), list,
		    "if '%s' is present, must not specify other %s", star, what);
}

static void
check_webhook_rule(struct causes *out, const struct path *at, const json_t *rule)
{
	static const char *const operations[] = { "*", "CONNECT", "CREATE", "DELETE", "UPDATE",
		NULL };
	size_t i;
	json_t *op;

	json_array_foreach (json_object_get(rule, "operations"), i, op) {
		bool known = false;

		for (const char *const *o = operations; *o; o++)
			known |= !strcmp(str(op, ""), *o);
		if (!known)
			refuse_unsupported(
			    out, ITEM(AT(at, "operations"), i), str(op, ""), operations);
	}
	check_star(out, at, rule, "operations", "*", "operations");
	check_star(out, at, rule, "apiGroups", "*", "API groups");
	check_star(out, at, rule, "apiVersions", "*", "API versions");
	check_star(out, at, rule, "resources", "*/*", "resources");
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

static void
check_client(struct causes *out, const struct path *at, const json_t *client)
{
	const json_t *service = json_object_get(client, "service");
	const char *url = text(client, "url");

	if (!*url == !service) {
		refuse_required(out, at, "exactly one of url or service is required");
	} else if (*url) {
		check_url(out, AT(at, "url"), url);
	} else {
		check_required(out, AT(at, "service"), service, "name");
		check_required(out, AT(at, "service"), service, "namespace");
		if (json_object_get(service, "port"))
			check_port(out, AT(AT(at, "service"), "port"),
			    num(json_object_get(service, "port"), 0));
	}
}

static void
check_webhook(struct causes *out, const struct path *at, const json_t *hook)
{
	const json_t *versions = json_object_get(hook, "admissionReviewVersions");
	const char *name = text(hook, "name"), *dot = strchr(name, '.');
	size_t i;
	json_t *rule;

	if (!*name)
		refuse_required(out, AT(at, "name"), "");
	else if (!dot || !strchr(dot + 1, '.'))
		refuse_text(out, AT(at, "name"), name,
		    "should be a domain with at least three segments separated by dots");
	else
		check_dns_subdomain(out, AT(at, "name"), name);
	if (!json_array_size(versions))
		refuse_required(
		    out, AT(at, "admissionReviewVersions"), "must specify one of v1, v1beta1");
	else if (!has_word(versions, "v1") && !has_word(versions, "v1beta1"))
		refuse_value(out, AT(at, "admissionReviewVersions"), versions,
		    "must include at least one of v1, v1beta1");
	json_array_foreach (json_object_get(hook, "rules"), i, rule)
		check_webhook_rule(out, ITEM(AT(at, "rules"), i), rule);
	if (!*text(hook, "sideEffects"))
		refuse_required(
		    out, AT(at, "sideEffects"), "must specify one of None, NoneOnDryRun");
	if (json_object_get(hook, "timeoutSeconds") &&
	    (num(json_object_get(hook, "timeoutSeconds"), 1) < 1 ||
		num(json_object_get(hook, "timeoutSeconds"), 1) > 30))
		refuse_value(out, AT(at, "timeoutSeconds"), json_object_get(hook, "timeoutSeconds"),
		    "the timeout value must be between 1 and 30 seconds");
	check_label_selector(
	    out, AT(at, "namespaceSelector"), json_object_get(hook, "namespaceSelector"));
	check_label_selector(
	    out, AT(at, "objectSelector"), json_object_get(hook, "objectSelector"));
	check_client(out, AT(at, "clientConfig"), json_object_get(hook, "clientConfig"));
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
	if (group < 1 || group > 20000)
		refuse_number(out, AT(at, "groupPriorityMinimum"), group,
		    "must be positive and less than 20000");
	if (version < 1 || version > 1000)
		refuse_number(
		    out, AT(at, "versionPriority"), version, "must be positive and less than 1000");
	if (truth(json_object_get(spec, "insecureSkipTLSVerify")) && *text(spec, "caBundle"))
		refuse_value(out, AT(at, "insecureSkipTLSVerify"),
		    json_object_get(spec, "insecureSkipTLSVerify"),
		    "may not be true if caBundle is present");
}
