/* What expressions of admission may use: object, request, namespaceObject, authorizer ... */
#include "api/rules_cel.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/library.h"

/* --- types ---------------------------------------------------------------------------- */

#define OBJECT(name_, fields)                                                                  \
	{                                                                                      \
		.kind = CEL_T_OBJECT, .name = name_, .field = fields, .nfields = COUNT(fields) \
	}

static const struct cel_type strings = {
	.kind = CEL_T_LIST, .name = "list", .of = { &cel_t_string }
};
static const struct cel_type string_map = {
	.kind = CEL_T_MAP, .name = "map", .of = { &cel_t_string, &cel_t_string }
};
static const struct cel_type extra_map = {
	.kind = CEL_T_MAP, .name = "map", .of = { &cel_t_string, &strings }
};

static const struct cel_field kind_fields[] = { { "group", &cel_t_string, NULL },
	{ "version", &cel_t_string, NULL }, { "kind", &cel_t_string, NULL } };
static const struct cel_type kind_type = OBJECT("kubernetes.GroupVersionKind", kind_fields);

static const struct cel_field resource_fields[] = { { "group", &cel_t_string, NULL },
	{ "version", &cel_t_string, NULL }, { "resource", &cel_t_string, NULL } };
static const struct cel_type resource_type =
    OBJECT("kubernetes.GroupVersionResource", resource_fields);

static const struct cel_field user_fields[] = { { "username", &cel_t_string, NULL },
	{ "uid", &cel_t_string, NULL }, { "groups", &strings, NULL },
	{ "extra", &extra_map, NULL } };
static const struct cel_type user_type = OBJECT("kubernetes.UserInfo", user_fields);

static const struct cel_field request_fields[] = { { "kind", &kind_type, NULL },
	{ "resource", &resource_type, NULL }, { "subResource", &cel_t_string, NULL },
	{ "requestKind", &kind_type, NULL }, { "requestResource", &resource_type, NULL },
	{ "requestSubResource", &cel_t_string, NULL }, { "name", &cel_t_string, NULL },
	{ "namespace", &cel_t_string, NULL }, { "operation", &cel_t_string, NULL },
	{ "userInfo", &user_type, NULL }, { "dryRun", &cel_t_bool, NULL },
	{ "options", &cel_t_dyn, NULL } };
static const struct cel_type request_type = OBJECT("kubernetes.AdmissionRequest", request_fields);

static const struct cel_field namespace_spec_fields[] = { { "finalizers", &strings, NULL } };
static const struct cel_type namespace_spec =
    OBJECT("kubernetes.NamespaceSpec", namespace_spec_fields);

static const struct cel_field condition_fields[] = { { "status", &cel_t_string, NULL },
	{ "type", &cel_t_string, NULL }, { "lastTransitionTime", &cel_t_timestamp, NULL },
	{ "message", &cel_t_string, NULL }, { "reason", &cel_t_string, NULL } };
static const struct cel_type condition_type =
    OBJECT("kubernetes.NamespaceCondition", condition_fields);
static const struct cel_type conditions = {
	.kind = CEL_T_LIST, .name = "list", .of = { &condition_type }
};

static const struct cel_field namespace_status_fields[] = { { "conditions", &conditions, NULL },
	{ "phase", &cel_t_string, NULL } };
static const struct cel_type namespace_status =
    OBJECT("kubernetes.NamespaceStatus", namespace_status_fields);

static const struct cel_field metadata_fields[] = { { "name", &cel_t_string, NULL },
	{ "generateName", &cel_t_string, NULL }, { "namespace", &cel_t_string, NULL },
	{ "labels", &string_map, NULL }, { "annotations", &string_map, NULL },
	{ "UID", &cel_t_string, "uid" }, { "creationTimestamp", &cel_t_timestamp, NULL },
	{ "deletionGracePeriodSeconds", &cel_t_int, NULL },
	{ "deletionTimestamp", &cel_t_timestamp, NULL }, { "generation", &cel_t_int, NULL },
	{ "resourceVersion", &cel_t_string, NULL }, { "finalizers", &strings, NULL } };
static const struct cel_type metadata_type =
    OBJECT("kubernetes.NamespaceMetadata", metadata_fields);

static const struct cel_field namespace_fields[] = { { "metadata", &metadata_type, NULL },
	{ "spec", &namespace_spec, NULL }, { "status", &namespace_status, NULL } };
static const struct cel_type namespace_type = OBJECT("kubernetes.Namespace", namespace_fields);

static const struct cel_field patch_fields[] = { { "op", &cel_t_string, NULL },
	{ "from", &cel_t_string, NULL }, { "path", &cel_t_string, NULL },
	{ "value", &cel_t_dyn, NULL } };
static const struct cel_type patch_type = OBJECT("JSONPatch", patch_fields);
static const struct cel_type patches = {
	.kind = CEL_T_LIST, .name = "list", .of = { &patch_type }
};

static const struct cel_type object_type = { .kind = CEL_T_OBJECT, .name = "Object" };
static const struct cel_type authorizer = { .kind = CEL_T_OPAQUE,
	.name = "kubernetes.authorization.Authorizer" };
static const struct cel_type resource_check = { .kind = CEL_T_OPAQUE,
	.name = "kubernetes.authorization.ResourceCheck" };

const struct cel_type *const gives_bool[] = { &cel_t_bool, NULL };
const struct cel_type *const gives_string[] = { &cel_t_string, NULL };
const struct cel_type *const gives_text_or_null[] = { &cel_t_string, &cel_t_null, NULL };
const struct cel_type *const gives_object[] = { &object_type, NULL };
const struct cel_type *const gives_patches[] = { &patches, NULL };

/* --- environments -------------------------------------------------------------------------- */

void
expressions_init(struct expressions *e, size_t variables)
{
	*e = (struct expressions){ 0 };
	e->field = xcalloc(variables + 1, sizeof *e->field);
	e->variables = (struct cel_type){
		.kind = CEL_T_OBJECT, .name = "kubernetes.variables", .field = e->field
	};
}

void
expressions_release(struct expressions *e)
{
	for (size_t i = 0; i < COUNT(e->env); i++)
		cel_env_free(e->env[i]);
	arena_release(&e->arena);
	free(e->field);
}

static struct cel_env *
env_of(struct expressions *e, unsigned uses)
{
	struct cel_env *env = e->env[uses];

	if (env)
		return env;
	env = e->env[uses] = cel_env_new(CEL_AS_KUBERNETES);
	cel_env_kubernetes(env);
	cel_env_variable(env, "object", &cel_t_dyn);
	cel_env_variable(env, "oldObject", &cel_t_dyn);
	cel_env_variable(env, "namespaceObject", &namespace_type);
	cel_env_variable(env, "request", &request_type);
	if (uses & USES_PARAMS)
		cel_env_variable(env, "params", &cel_t_dyn);
	if (uses & USES_AUTHORIZER) {
		cel_env_variable(env, "authorizer", &authorizer);
		cel_env_variable(env, "authorizer.requestResource", &resource_check);
	}
	if (uses & USES_VARIABLES)
		cel_env_variable(env, "variables", &e->variables);
	if (uses & USES_PATCHES) {
		cel_env_library(env, cel_lib_json_patch);
		cel_env_type(env, &patch_type);
		cel_env_open_types(env, "Object");
	}
	return env;
}

/* --- compiling ----------------------------------------------------------------------------- */

static void
refuse_type(struct causes *out, const struct path *at, const char *shown,
    const struct cel_type *const *gives, const struct cel_type *has)
{
	autobuf struct buf want = BUF_INIT, got = BUF_INIT;

	for (size_t i = 0; gives[i]; i++) {
		if (i)
			buf_putc(&want, ' ');
		cel_type_print_name(gives[i], &want);
	}
	cel_type_print_name(has, &got);
	refuse_text(out, at, shown,
	    gives[1] ? "must evaluate to one of [%s] but got %s" : "must evaluate to %s but got %s",
	    want.data, got.data);
}

void
check_expression(struct causes *out, const struct path *at, struct expressions *e, unsigned uses,
    const char *source, const char *shown, const struct cel_type *const *gives)
{
	autobuf struct buf issues = BUF_INIT;
	struct cel_program *p;
	const struct cel_type *has;
	size_t i = 0;

	if (cel_compile(env_of(e, uses), source, &p, &issues) < 0) {
		refuse_text(out, at, shown, "compilation failed: %s", issues.data);
		return;
	}
	has = cel_program_type(p);
	while (gives[i] && !cel_type_same(gives[i], has))
		i++;
	if (!gives[i])
		refuse_type(out, at, shown, gives, has);
	cel_program_free(p);
}

/* The type of a variable as others see it: what is no simple type, list or map is dyn. */
static const struct cel_type *
seen_as(struct arena *a, const struct cel_type *t)
{
	static const struct cel_type *const simple[] = { &cel_t_null, &cel_t_bool, &cel_t_int,
		&cel_t_uint, &cel_t_double, &cel_t_string, &cel_t_bytes, &cel_t_timestamp,
		&cel_t_duration };

	for (size_t i = 0; i < COUNT(simple); i++)
		if (t->kind == simple[i]->kind)
			return simple[i];
	if (t->kind == CEL_T_LIST)
		return cel_list_type(a, seen_as(a, t->of[0]));
	if (t->kind == CEL_T_MAP)
		return cel_map_type(a, seen_as(a, t->of[0]), seen_as(a, t->of[1]));
	return &cel_t_dyn;
}

static void
define(struct expressions *e, const char *name, const struct cel_type *type)
{
	size_t i = 0;

	while (i < e->variables.nfields && strcmp(e->field[i].name, name) != 0)
		i++;
	e->field[i] = (struct cel_field){ arena_text(&e->arena, name, strlen(name)), type, NULL };
	if (i == e->variables.nfields)
		e->variables.nfields++;
}

void
check_variable(struct causes *out, const struct path *at, struct expressions *e, unsigned uses,
    const char *name, const char *source)
{
	autobuf struct buf issues = BUF_INIT;
	struct cel_program *p;

	if (cel_compile(env_of(e, uses | USES_VARIABLES), source, &p, &issues) < 0) {
		refuse_text(out, at, source, "compilation failed: %s", issues.data);
		define(e, name, &cel_t_dyn);
		return;
	}
	define(e, name, seen_as(&e->arena, cel_program_type(p)));
	cel_program_free(p);
}

/* --- devices --------------------------------------------------------------------------------- */

/* Sizes are bounded by what a ResourceSlice may hold, and so is the cost. */
enum { VALUE_MOST = 64, DOMAIN_MOST = 63, NAME_MOST = 32, MAP_MOST = 32, COST_MOST = 1000000 };

#define BOUNDED_TEXT(most_)                                                            \
	{                                                                              \
		.kind = CEL_T_STRING, .name = "string", .bounded = true, .most = most_ \
	}
#define BOUNDED_MAP(key, value)                                                          \
	{                                                                                \
		.kind = CEL_T_MAP, .name = "map", .of = { key, value }, .bounded = true, \
		.most = MAP_MOST                                                         \
	}

/* An attribute may have one of several types: it is told apart from dyn only in the result. */
static const struct cel_type attribute = {
	.kind = CEL_T_DYN, .name = "any", .bounded = true, .most = VALUE_MOST
};
static const struct cel_type domain = BOUNDED_TEXT(DOMAIN_MOST);
static const struct cel_type identifier = BOUNDED_TEXT(NAME_MOST);
static const struct cel_type attributes = BOUNDED_MAP(&identifier, &attribute);
static const struct cel_type all_attributes = BOUNDED_MAP(&domain, &attributes);
static const struct cel_type capacities = BOUNDED_MAP(&identifier, &cel_quantity_type);
static const struct cel_type all_capacities = BOUNDED_MAP(&domain, &capacities);
static const struct cel_field device_fields[] = { { "driver", &domain, NULL },
	{ "attributes", &all_attributes, NULL }, { "capacity", &all_capacities, NULL },
	{ "allowMultipleAllocations", &cel_t_bool, NULL } };
static const struct cel_type device_type = OBJECT("kubernetes.DRADevice", device_fields);

static void
check_device_program(
    struct causes *out, const struct path *at, const char *source, struct cel_program *p)
{
	const struct cel_type *has = cel_program_type(p);
	autobuf struct buf got = BUF_INIT;

	if (has->kind != CEL_T_BOOL && strcmp(has->name, attribute.name) != 0) {
		cel_type_print_name(has, &got);
		refuse_text(
		    out, at, source, "must evaluate to bool or the unknown type, not %s", got.data);
	} else if (cel_program_cost(p).max > COST_MOST) {
		refuse_forbidden(out, at, "too complex, exceeds cost limit");
	}
}

struct cel_env *
device_environment(void)
{
	struct cel_env *env = cel_env_new(CEL_AS_KUBERNETES | CEL_BINDINGS);

	cel_env_kubernetes(env);
	cel_env_variable(env, "device", &device_type);
	return env;
}

void
check_device_expression(
    struct causes *out, const struct path *at, const struct cel_env *env, const char *source)
{
	autobuf struct buf issues = BUF_INIT;
	struct cel_program *p = NULL;

	if (cel_compile(env, source, &p, &issues) < 0)
		refuse_text(out, at, source, "compilation failed: %s", issues.data);
	else
		check_device_program(out, at, source, p);
	cel_program_free(p);
}
