/* What form an answer may have (RFC 9110, 12.5.1): the first one of the list that we can make. */
#include <string.h>
#include <strings.h>

#include "api/protobuf.h"
#include "base/mem.h"
#include "store/call.h"

static bool
is(const char *s, size_t n, const char *want)
{
	return n == strlen(want) && strncasecmp(s, want, n) == 0;
}

/* A parameter of "type;a=b;c=d" into buf, "" when it is not there. */
static const char *
parameter(const char *s, size_t n, const char *name, char buf[static 64])
{
	const char *end = s + n;
	size_t len = strlen(name);

	buf[0] = '\0';
	while ((s = memchr(s, ';', (size_t)(end - s)))) {
		size_t value;

		for (s++; s < end && *s == ' '; s++)
			;
		if ((size_t)(end - s) <= len || strncmp(s, name, len) != 0 || s[len] != '=')
			continue;
		s += len + 1;
		value = strcspn(s, ";, ");
		if (s + value > end)
			value = (size_t)(end - s);
		snprintf(buf, 64, "%.*s", (int)(value < 63 ? value : 63), s);
		break;
	}
	return buf;
}

/* "as=..." of group meta.k8s.io or, for discovery, apidiscovery.k8s.io. */
static bool
transformed(const char *s, size_t n, const struct target *t, struct shape *shape)
{
	static const struct {
		const char *name;
		enum form form;
	} forms[] = { { "Table", FORM_TABLE }, { "PartialObjectMetadata", FORM_PARTIAL },
		{ "PartialObjectMetadataList", FORM_PARTIAL_LIST } };
	char as[64], group[64], version[64];

	parameter(s, n, "as", as);
	parameter(s, n, "g", group);
	parameter(s, n, "v", version);
	if (t->type == TARGET_API || t->type == TARGET_APIS) {
		shape->form = FORM_AGGREGATED;
		return strcmp(as, "APIGroupDiscoveryList") == 0 && strcmp(version, "v2") == 0;
	}
	if (t->type != TARGET_RESOURCE || strcmp(group, "meta.k8s.io") != 0)
		return false;
	if (strcmp(version, "v1") != 0 && strcmp(version, "v1beta1") != 0)
		return false;
	shape->version = strcmp(version, "v1") == 0 ? "meta.k8s.io/v1" : "meta.k8s.io/v1beta1";
	for (size_t i = 0; i < COUNT(forms); i++) {
		shape->form = forms[i].form;
		if (strcmp(as, forms[i].name) == 0)
			return true;
	}
	return false;
}

/* Protobuf is there for what has a schema, and for metadata; a Table is no message. */
static bool
encodable(const char *s, size_t n, const struct target *t, struct shape *shape)
{
	char as[64];

	shape->protobuf = true;
	if (!*parameter(s, n, "as", as))
		return t->type != TARGET_RESOURCE || !t->kind->custom;
	return t->type == TARGET_RESOURCE && transformed(s, n, t, shape) &&
	       shape->form != FORM_TABLE && strcmp(shape->version, "meta.k8s.io/v1") == 0;
}

/* Can one "type/subtype;parameter=value" of the list be served? */
static bool
acceptable(const char *s, size_t n, const struct target *t, struct shape *shape)
{
	size_t type = strcspn(s, ";, \t");
	char as[64];

	if (type > n)
		type = n;
	*shape = (struct shape){ .form = FORM_JSON };
	if (is(s, type, "application/yaml")) {
		shape->form = FORM_YAML;
		return true;
	}
	if (is(s, type, "*/*") || is(s, type, "application/*"))
		return true;
	if (is(s, type, PROTOBUF_TYPE))
		return encodable(s, n, t, shape);
	if (!is(s, type, "application/json"))
		return false;
	return !*parameter(s, n, "as", as) || transformed(s, n, t, shape);
}

/* Metadata of one is not metadata of many, and the other way round. */
static int
check_number(struct call *c)
{
	bool list = c->kind && !*c->target.name && strcmp(c->req->method, "GET") == 0 &&
		    !call_flag(c, "watch");
	bool custom = c->kind && c->kind->custom;
	const char *package = custom			   ? "unstructured"
			      : c->kind && *c->kind->group ? c->kind->group
							   : "core",
		   *kind = custom    ? "Unstructured"
			   : c->kind ? c->kind->kind
				     : "";
	autofree char *msg = NULL;

	if (c->shape.form == FORM_PARTIAL && list)
		msg = xasprintf("you requested PartialObjectMetadata, but the requested object is "
				"a list (*%s.%sList)",
		    package, kind);
	else if (c->shape.form == FORM_PARTIAL_LIST && !list)
		msg = xasprintf("you requested PartialObjectMetadataList, but the requested object "
				"is not a list (*%s.%s)",
		    package, kind);
	if (!msg)
		return 0;
	c->shape.form = FORM_JSON;
	reply_status(c, 406, "NotAcceptable", msg, NULL);
	return -1;
}

static int
read_include(struct call *c)
{
	autofree char *v = c->shape.form == FORM_TABLE ? http_query(c->x, "includeObject") : NULL;
	autofree char *msg = NULL;

	if (!v || !*v || strcmp(v, "Metadata") == 0)
		return 0;
	c->shape.include = strcmp(v, "Object") == 0 ? INCLUDE_OBJECT : INCLUDE_NONE;
	if (c->shape.include == INCLUDE_OBJECT || strcmp(v, "None") == 0)
		return 0;
	msg = xasprintf("Unable to convert to Table as requested: includeObject: Invalid value: "
			"\"%.100s\": must be "
			"'Metadata', 'Object', 'None', or empty",
	    v);
	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

int
call_negotiate(struct call *c)
{
	const char *accept = http_header(c->x, "Accept");

	if (!accept || !*accept)
		return 0;
	while (*accept) {
		size_t n;

		accept += strspn(accept, " \t,");
		n = strcspn(accept, ",");
		if (n > 0 && acceptable(accept, n, &c->target, &c->shape))
			return check_number(c) < 0 || read_include(c) < 0 ? -1 : 0;
		accept += n;
	}
	c->shape = (struct shape){ .form = FORM_JSON };
	reply_status(c, 406, "NotAcceptable",
	    "only the following media types are accepted: application/json, application/yaml, "
	    "application/vnd.kubernetes.protobuf",
	    NULL);
	return -1;
}
