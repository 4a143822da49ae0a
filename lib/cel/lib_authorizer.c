/* authorizer (Kubernetes' library/authz.go) for checking types, and jsonpatch.escapeKey(). */
#include <string.h>

#include "cel/library.h"

/* Who asks for what is not known here. */
CEL_FN(unknown)
{
	return cel_error(a, "there is no authorizer here");
}

/* Two checks in one expression are what the limit allows for. */
CEL_COST(cost_of_check)
{
	return 350000;
}

#define AUTHZ(type) "kubernetes.authorization." type
#define RESOURCE AUTHZ("ResourceCheck") ".(string) " AUTHZ("ResourceCheck")

const struct cel_function cel_lib_authorizer[] = {
	{ "path", "authorizer_path", AUTHZ("Authorizer") ".(string) " AUTHZ("PathCheck"), unknown,
	    NULL },
	{ "group", "authorizer_group", AUTHZ("Authorizer") ".(string) " AUTHZ("GroupCheck"),
	    unknown, NULL },
	{ "serviceAccount", "authorizer_serviceaccount",
	    AUTHZ("Authorizer") ".(string, string) " AUTHZ("Authorizer"), unknown, NULL },
	{ "resource", "groupcheck_resource",
	    AUTHZ("GroupCheck") ".(string) " AUTHZ("ResourceCheck"), unknown, NULL },
	{ "subresource", "resourcecheck_subresource", RESOURCE, unknown, NULL },
	{ "namespace", "resourcecheck_namespace", RESOURCE, unknown, NULL },
	{ "name", "resourcecheck_name", RESOURCE, unknown, NULL },
	{ "fieldSelector", "authorizer_fieldselector", RESOURCE, unknown, NULL },
	{ "labelSelector", "authorizer_labelselector", RESOURCE, unknown, NULL },
	{ "check", "pathcheck_check", AUTHZ("PathCheck") ".(string) " AUTHZ("Decision"), unknown,
	    cost_of_check },
	{ "check", "resourcecheck_check", AUTHZ("ResourceCheck") ".(string) " AUTHZ("Decision"),
	    unknown, cost_of_check },
	{ "errored", "decision_errored", AUTHZ("Decision") ".() bool", unknown, NULL },
	{ "error", "decision_error", AUTHZ("Decision") ".() string", unknown, NULL },
	{ "allowed", "decision_allowed", AUTHZ("Decision") ".() bool", unknown, NULL },
	{ "reason", "decision_reason", AUTHZ("Decision") ".() string", unknown, NULL },
	{ 0 },
};

/* RFC 6901, section 4: ~ is ~0 and / is ~1. */
CEL_FN(escape_key)
{
	char *p = arena_alloc(a, 2 * arg[0].text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < arg[0].text.len; i++) {
		char c = arg[0].text.p[i];

		p[len++] = c == '/' ? '~' : c;
		if (c == '~' || c == '/')
			p[len++] = c == '~' ? '0' : '1';
	}
	return cel_text(p, len);
}

const struct cel_function cel_lib_json_patch[] = {
	{ "jsonpatch.escapeKey", "string_jsonpatch_escapeKey_string", "(string) string", escape_key,
	    cel_cost_scan },
	{ 0 },
};
