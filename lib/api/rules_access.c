/* Who may do what: Role, ClusterRole and their bindings. */
#include <string.h>

#include "api/rules.h"
#include "api/selector.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

static void
check_policy_rule(struct causes *out, const struct path *at, const json_t *rule, bool in_namespace)
{
	const json_t *urls = json_object_get(rule, "nonResourceURLs");
	const json_t *groups = json_object_get(rule, "apiGroups");
	const json_t *resources = json_object_get(rule, "resources");

	if (!json_array_size(json_object_get(rule, "verbs")))
		refuse_required(out, AT(at, "verbs"), "verbs must contain at least one value");
	if (json_array_size(urls)) {
		if (in_namespace)
			refuse_value(out, AT(at, "nonResourceURLs"), urls,
			    "namespaced rules cannot apply to non-resource URLs");
		if (json_array_size(groups) || json_array_size(resources) ||
		    json_array_size(json_object_get(rule, "resourceNames")))
			refuse_value(out, AT(at, "nonResourceURLs"), urls,
			    "rules cannot apply to both regular resources and non-resource URLs");
		return;
	}
	if (!json_array_size(groups))
		refuse_required(
		    out, AT(at, "apiGroups"), "resource rules must supply at least one api group");
	if (!json_array_size(resources))
		refuse_required(
		    out, AT(at, "resources"), "resource rules must supply at least one resource");
}

static void
check_rules(struct causes *out, const json_t *obj, bool in_namespace)
{
	size_t i;
	json_t *rule;

	json_array_foreach (json_object_get(obj, "rules"), i, rule)
		check_policy_rule(out, ITEM(AT(top, "rules"), i), rule, in_namespace);
}

void
role_create(struct causes *out, const json_t *obj)
{
	check_rules(out, obj, true);
}

void
cluster_role_create(struct causes *out, const json_t *obj)
{
	const json_t *sum = json_object_get(obj, "aggregationRule");
	const json_t *selectors = json_object_get(sum, "clusterRoleSelectors");
	const struct path *at = AT(AT(top, "aggregationRule"), "clusterRoleSelectors");
	size_t i;
	json_t *s;

	check_rules(out, obj, false);
	if (sum && !json_array_size(selectors))
		refuse_required(out, at,
		    "at least one clusterRoleSelector required if aggregationRule is non-nil");
	json_array_foreach (selectors, i, s) {
		struct selector *parsed = NULL;
		struct err err;

		check_label_selector(out, ITEM(at, i), s);
		if (selector_from_json(&parsed, s, &err) < 0)
			refuse_shown(out, ITEM(at, i), "meta.v1.LabelSelector", s, "%s", err.msg);
		else
			selector_free(parsed);
	}
}

static void
check_subject(struct causes *out, const struct path *at, const json_t *s, bool in_namespace)
{
	static const char *const kinds[] = { "ServiceAccount", "User", "Group", NULL };
	static const char *const rbac[] = { "rbac.authorization.k8s.io", NULL };
	static const char *const core[] = { "", NULL };
	const char *kind = text(s, "kind"), *group = text(s, "apiGroup");

	check_required(out, at, s, "name");
	if (!strcmp(kind, "ServiceAccount")) {
		if (*text(s, "name"))
			check_dns_subdomain(out, AT(at, "name"), text(s, "name"));
		if (*group)
			refuse_unsupported(out, AT(at, "apiGroup"), group, core);
		if (!in_namespace && !*text(s, "namespace"))
			refuse_required(out, AT(at, "namespace"), "");
	} else if (!strcmp(kind, "User") || !strcmp(kind, "Group")) {
		if (!text_in(group, rbac))
			refuse_unsupported(out, AT(at, "apiGroup"), group, rbac);
	} else {
		refuse_unsupported(out, AT(at, "kind"), kind, kinds);
	}
}

static void
check_binding(struct causes *out, const json_t *obj, bool in_namespace)
{
	static const char *const groups[] = { "rbac.authorization.k8s.io", NULL };
	static const char *const roles[] = { "Role", "ClusterRole", NULL };
	static const char *const cluster[] = { "ClusterRole", NULL };
	const json_t *ref = json_object_get(obj, "roleRef");
	const struct path *at = AT(top, "roleRef");
	size_t i;
	json_t *s;

	if (!text_in(text(ref, "apiGroup"), groups))
		refuse_unsupported(out, AT(at, "apiGroup"), text(ref, "apiGroup"), groups);
	if (!text_in(text(ref, "kind"), in_namespace ? roles : cluster))
		refuse_unsupported(
		    out, AT(at, "kind"), text(ref, "kind"), in_namespace ? roles : cluster);
	if (check_required(out, at, ref, "name"))
		check_path_segment(out, AT(at, "name"), text(ref, "name"));
	json_array_foreach (json_object_get(obj, "subjects"), i, s)
		check_subject(out, ITEM(AT(top, "subjects"), i), s, in_namespace);
}

void
role_binding_create(struct causes *out, const json_t *obj)
{
	check_binding(out, obj, true);
}

void
cluster_role_binding_create(struct causes *out, const json_t *obj)
{
	check_binding(out, obj, false);
}

void
role_binding_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *ref = json_object_get(obj, "roleRef");

	if (!same_value(ref, json_object_get(old, "roleRef")))
		refuse_shown(
		    out, AT(top, "roleRef"), "rbac.v1.RoleRef", ref, "cannot change roleRef");
}
