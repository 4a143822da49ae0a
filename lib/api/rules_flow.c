/* FlowSchema and PriorityLevelConfiguration (Kubernetes: pkg/apis/flowcontrol/validation). */
#include <math.h>
#include <string.h>

#include "api/rules.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

static bool
has_star(const json_t *list)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item)
		if (!strcmp(str(item, ""), "*"))
			return true;
	return false;
}

/* --- FlowSchema: whom ----------------------------------------------------------------------- */

static void
check_account(struct causes *out, const struct path *at, const json_t *account)
{
	const char *name = text(account, "name"), *ns = text(account, "namespace");

	if (!*name)
		refuse_required(out, AT(at, "name"), "");
	else if (strcmp(name, "*") != 0)
		check_dns_subdomain(out, AT(at, "name"), name);
	if (!*ns)
		refuse_required(
		    out, AT(at, "namespace"), "must specify namespace for service account");
	else
		check_dns_label(out, AT(at, "namespace"), ns);
}

static void
check_subject(struct causes *out, const struct path *at, const json_t *s)
{
	static const struct {
		const char *kind, *field;
	} choices[] = { { "ServiceAccount", "serviceAccount" }, { "User", "user" },
		{ "Group", "group" } };
	static const char *const kinds[] = { "Group", "ServiceAccount", "User", NULL };

	if (!text_in(text(s, "kind"), kinds)) {
		refuse_unsupported(out, AT(at, "kind"), text(s, "kind"), kinds);
		return;
	}
	for (size_t i = 0; i < COUNT(choices); i++) {
		const json_t *given = json_object_get(s, choices[i].field);
		const struct path *here = AT(at, choices[i].field);
		autofree char *words = xasprintf(
		    "%s is required when subject kind is '%s'", choices[i].field, choices[i].kind);

		if (strcmp(text(s, "kind"), choices[i].kind) != 0)
			continue;
		if (!given)
			refuse_required(out, here, words);
		else if (!i)
			check_account(out, here, given);
		else
			check_required(out, here, given, "name");
	}
	for (size_t i = 0; i < COUNT(choices); i++)
		if (json_object_get(s, choices[i].field) &&
		    strcmp(text(s, "kind"), choices[i].kind) != 0)
			refuse_forbidden(out, AT(at, choices[i].field),
			    "%s is forbidden when subject kind is not '%s'", choices[i].field,
			    choices[i].kind);
}

/* --- FlowSchema: what ----------------------------------------------------------------------- */

static void
check_verbs(struct causes *out, const struct path *at, const json_t *verbs)
{
	static const char *const known[] = { "create", "delete", "deletecollection", "get", "list",
		"patch", "proxy", "update", "watch", NULL };
	bool all = true;
	size_t i;
	json_t *verb;

	json_array_foreach (verbs, i, verb)
		all &= text_in(str(verb, ""), known);
	if (!json_array_size(verbs))
		refuse_required(out, at, "verbs must contain at least one value");
	else if (has_star(verbs) && json_array_size(verbs) > 1)
		refuse_value(out, at, verbs, "if '*' is present, must not specify other verbs");
	else if (!has_star(verbs) && !all)
		refuse_unsupported_value(out, at, verbs, known);
}

static void
check_list(struct causes *out, const struct path *at, const json_t *list, const char *missing,
    const char *others)
{
	if (!json_array_size(list))
		refuse_required(out, at, missing);
	else if (json_array_size(list) > 1 && has_star(list))
		refuse_value(out, at, list, "if '*' is present, must not specify other %s", others);
}

static void
check_namespaces(struct causes *out, const struct path *at, const json_t *rule)
{
	const json_t *list = json_object_get(rule, "namespaces");
	size_t i;
	json_t *ns;

	if (!json_array_size(list) && !truth(json_object_get(rule, "clusterScope")))
		refuse_required(out, at,
		    "resource rules that are not cluster scoped must supply at least one "
		    "namespace");
	if (has_star(list) && json_array_size(list) > 1)
		refuse_value(out, at, list, "if '*' is present, must not specify other namespaces");
	if (has_star(list))
		return;
	json_array_foreach (list, i, ns) {
		struct causes wrong = CAUSES_INIT;

		check_dns_label(&wrong, NULL, str(ns, ""));
		for (size_t w = 0; w < wrong.n; w++) {
			const char *why = strstr(wrong.item[w].message, "\": ");

			refuse_value(out, ITEM(at, i), ns,
			    "each member of this list must be '*' or a DNS-1123 label; %s",
			    why ? why + 3 : "");
		}
		causes_release(&wrong);
	}
}

static void
check_resource_rule(struct causes *out, const struct path *at, const json_t *rule)
{
	check_verbs(out, AT(at, "verbs"), json_object_get(rule, "verbs"));
	check_list(out, AT(at, "apiGroups"), json_object_get(rule, "apiGroups"),
	    "resource rules must supply at least one api group", "api groups");
	check_list(out, AT(at, "resources"), json_object_get(rule, "resources"),
	    "resource rules must supply at least one resource", "resources");
	check_namespaces(out, AT(at, "namespaces"), rule);
}

static const char *
url_refused(const char *url)
{
	const char *star = strchr(url, '*');
	size_t n = strlen(url);

	if (!*url)
		return "must not be empty";
	if (!strcmp(url, "/"))
		return NULL;
	if (*url != '/')
		return "must start with slash";
	if (strchr(url, ' '))
		return "must not contain white-space";
	if (strstr(url, "//"))
		return "must not contain double slash";
	if (star && (strchr(star + 1, '*') || strcmp(url + n - 2, "/*") != 0))
		return "wildcard can only do suffix matching";
	return NULL;
}

static void
check_url_rule(struct causes *out, const struct path *up, const json_t *rule)
{
	const json_t *urls = json_object_get(rule, "nonResourceURLs");
	const struct path *at = AT(up, "nonResourceURLs");
	size_t i;
	json_t *url;

	check_verbs(out, AT(up, "verbs"), json_object_get(rule, "verbs"));
	check_list(
	    out, at, urls, "nonResourceURLs must contain at least one value", "non-resource URLs");
	if (has_star(urls))
		return;
	json_array_foreach (urls, i, url) {
		const char *why = url_refused(str(url, ""));

		if (why)
			refuse_value(out, ITEM(at, i), url, "%s", why);
	}
}

static void
check_rule(struct causes *out, const struct path *at, const json_t *rule)
{
	const json_t *subjects = json_object_get(rule, "subjects");
	const json_t *resources = json_object_get(rule, "resourceRules");
	const json_t *urls = json_object_get(rule, "nonResourceRules");
	size_t i;
	json_t *item;

	if (!json_array_size(subjects))
		refuse_required(
		    out, AT(at, "subjects"), "subjects must contain at least one value");
	json_array_foreach (subjects, i, item)
		check_subject(out, ITEM(AT(at, "subjects"), i), item);
	if (!json_array_size(resources) && !json_array_size(urls))
		refuse_required(out, at,
		    "at least one of resourceRules and nonResourceRules has to be non-empty");
	json_array_foreach (resources, i, item)
		check_resource_rule(out, ITEM(AT(at, "resourceRules"), i), item);
	json_array_foreach (urls, i, item)
		check_url_rule(out, ITEM(AT(at, "nonResourceRules"), i), item);
}

static void
check_precedence(struct causes *out, const struct path *at, const json_t *obj)
{
	json_int_t n = num(get(obj, "spec", "matchingPrecedence"), 0);

	if (n <= 0)
		refuse_number(out, at, n, "must be a positive value");
	if (n > 10000)
		refuse_number(out, at, n, "must not be greater than 10000");
	if (n == 1 && strcmp(meta_name(obj), "exempt") != 0)
		refuse_number(
		    out, at, n, "only the schema named 'exempt' may have matchingPrecedence 1");
}

void
flow_schema_create(struct causes *out, const json_t *obj)
{
	static const char *const methods[] = { "ByNamespace", "ByUser", NULL };
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *method = json_object_get(spec, "distinguisherMethod");
	const char *level = text(spec, "priorityLevelConfiguration", "name");
	const struct path *at = AT(top, "spec");
	size_t i;
	json_t *rule;

	check_precedence(out, AT(at, "matchingPrecedence"), obj);
	if (method && !text_in(text(method, "type"), methods)) {
		json_auto_t *whole = shown("flowcontrol.v1.FlowDistinguisherMethod", method);

		refuse_unsupported_value(
		    out, AT(AT(at, "distinguisherMethod"), "type"), whole, methods);
	}
	if (*level)
		check_dns_subdomain(out, AT(AT(at, "priorityLevelConfiguration"), "name"), level);
	else
		refuse_required(out, AT(AT(at, "priorityLevelConfiguration"), "name"),
		    "must reference a priority level");
	json_array_foreach (json_object_get(spec, "rules"), i, rule)
		check_rule(out, ITEM(AT(at, "rules"), i), rule);
}

/* --- PriorityLevelConfiguration ------------------------------------------------------------- */

enum { MOST_QUEUES = 10000000, MOST_BITS = 60 };

static void
check_hand(struct causes *out, const struct path *at, json_int_t hand, json_int_t queues)
{
	if (hand <= 0)
		refuse_number(out, at, hand, "must be positive");
	else if (hand > queues)
		refuse_number(out, at, hand,
		    "should not be greater than queues (%" JSON_INTEGER_FORMAT ")", queues);
	else if (ceil(log10((double)queues) / log10(2) * (double)hand) > MOST_BITS)
		refuse_number(out, at, hand,
		    "required entropy bits of deckSize %" JSON_INTEGER_FORMAT
		    " and handSize %" JSON_INTEGER_FORMAT " should not be greater than %d",
		    queues, hand, MOST_BITS);
}

static void
check_queuing(struct causes *out, const struct path *at, const json_t *queuing)
{
	json_int_t length = num(json_object_get(queuing, "queueLengthLimit"), 0);
	json_int_t queues = num(json_object_get(queuing, "queues"), 0);

	if (length <= 0)
		refuse_number(out, AT(at, "queueLengthLimit"), length, "must be positive");
	if (queues <= 0)
		refuse_number(out, AT(at, "queues"), queues, "must be positive");
	else if (queues > MOST_QUEUES)
		refuse_number(
		    out, AT(at, "queues"), queues, "must not be greater than %d", (int)MOST_QUEUES);
	check_hand(out, AT(at, "handSize"), num(json_object_get(queuing, "handSize"), 0), queues);
}

static void
check_response(struct causes *out, const struct path *at, const json_t *response)
{
	static const char *const types[] = { "Queue", "Reject", NULL };
	const char *type = text(response, "type");
	const json_t *queuing = json_object_get(response, "queuing");

	if (!text_in(type, types))
		refuse_unsupported(out, AT(at, "type"), type, types);
	else if (!strcmp(type, "Reject") && queuing)
		refuse_forbidden(out, AT(at, "queuing"),
		    "must be nil if limited.limitResponse.type is not Limited");
	else if (!strcmp(type, "Queue") && !queuing)
		refuse_required(out, AT(at, "queuing"),
		    "must not be empty if limited.limitResponse.type is Limited");
	else if (queuing)
		check_queuing(out, AT(at, "queuing"), queuing);
}

/* What both sorts of level have. */
static void
check_shares(struct causes *out, const struct path *at, const json_t *level, const char *negative)
{
	const json_t *shares = json_object_get(level, "nominalConcurrencyShares");
	const json_t *lend = json_object_get(level, "lendablePercent");

	if (num(shares, 0) < 0)
		refuse_value(out, AT(at, "nominalConcurrencyShares"), shares, "%s", negative);
	if (lend && (num(lend, 0) < 0 || num(lend, 0) > 100))
		refuse_value(
		    out, AT(at, "lendablePercent"), lend, "must be between 0 and 100, inclusive");
}

static void
check_limited(struct causes *out, const struct path *at, const json_t *limited)
{
	const json_t *borrow = json_object_get(limited, "borrowingLimitPercent");

	check_shares(out, at, limited, "must be a non-negative integer");
	check_response(out, AT(at, "limitResponse"), json_object_get(limited, "limitResponse"));
	if (borrow && num(borrow, 0) < 0)
		refuse_value(out, AT(at, "borrowingLimitPercent"), borrow,
		    "if specified, must be a non-negative integer");
}

void
priority_level_create(struct causes *out, const json_t *obj)
{
	static const char *const types[] = { "Exempt", "Limited", NULL };
	const json_t *spec = json_object_get(obj, "spec");
	const char *type = text(spec, "type");
	const json_t *limited = json_object_get(spec, "limited");
	const json_t *exempt = json_object_get(spec, "exempt");
	const struct path *at = AT(top, "spec");

	if (!strcmp(meta_name(obj), "exempt") != !strcmp(type, "Exempt"))
		refuse_text(out, AT(at, "type"), type,
		    "must be 'Exempt' if and only if `name` is 'exempt'");
	if (!text_in(type, types)) {
		refuse_unsupported(out, AT(at, "type"), type, types);
	} else if (!strcmp(type, "Exempt")) {
		if (limited)
			refuse_forbidden(
			    out, AT(at, "limited"), "must be nil if the type is not Limited");
		check_shares(out, AT(at, "exempt"), exempt, "must be a non-negative integer");
	} else {
		if (exempt)
			refuse_forbidden(
			    out, AT(at, "exempt"), "must be nil if the type is Limited");
		if (!limited)
			refuse_required(
			    out, AT(at, "limited"), "must not be empty when type is Limited");
		else
			check_limited(out, AT(at, "limited"), limited);
	}
}
