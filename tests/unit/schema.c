/* The compiled schema: is it whole, and is everything found by every name? */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/lookup.h"
#include "api/schema.h"
#include "base/mem.h"

static int failed;

#define CHECK(ok, ...)                       \
	do {                                 \
		if (!(ok)) {                 \
			printf(__VA_ARGS__); \
			printf("\n");        \
			failed = 1;          \
		}                            \
	} while (0)

static const char *
name_of(const struct kind *k)
{
	static char name[128];

	return k ? kind_group_kind(k, name) : "(none)";
}

static void
check_default(const struct type *t, const struct field *f)
{
	json_error_t error;
	json_auto_t *v = f->dflt ? json_loads(f->dflt, JSON_DECODE_ANY, &error) : NULL;
	bool listed = !f->values || !json_is_string(v);

	CHECK(!f->dflt || v, "%s.%s: default %s is no JSON", t->name, f->name, f->dflt);
	for (const char *const *value = f->values; value && *value; value++)
		listed |= !strcmp(*value, json_string_value(v) ? json_string_value(v) : "");
	CHECK(listed, "%s.%s: default %s is not among its values", t->name, f->name, f->dflt);
}

static void
check_fields(const struct type *t)
{
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];

		CHECK(type_field(t, f->name) == f, "%s.%s: not found", t->name, f->name);
		CHECK(!(f->type->class == CLASS_LIST || f->type->class == CLASS_MAP) ==
			  !f->type->elem,
		    "%s.%s: what does it hold?", t->name, f->name);
		CHECK(f->list != LIST_MAP || (f->list_keys && *f->list_keys),
		    "%s.%s: keys of a map list?", t->name, f->name);
		CHECK(f->number || !strcmp(f->name, "apiVersion") || !strcmp(f->name, "kind") ||
			  !strncmp(t->name, "version.", 8),
		    "%s.%s: no protobuf number", t->name, f->name);
		check_default(t, f);
	}
}

static void
check_kind(const struct kind *k)
{
	char version[128], list[128];

	kind_api_version(k, version);
	CHECK(kind_find(k->group, k->version, k->kind) == k, "%s: not found", name_of(k));
	CHECK(kind_of_resource(k->group, k->version, k->plural) == k, "%s: not found by resource",
	    name_of(k));
	CHECK(kind_of_object(version, k->kind) == k, "%s: not found by apiVersion", name_of(k));
	CHECK(*k->summary, "%s: no sentence", name_of(k));
	CHECK(type_field(k->type, "apiVersion") && type_field(k->type, "kind") &&
		  type_field(k->type, "metadata"),
	    "%s: lacks what every kind has", name_of(k));
	snprintf(list, sizeof list, "%sList", k->kind);
	CHECK(!(k->verbs & VERB_LIST) == !kind_find(k->group, k->version, list), "%s: list",
	    name_of(k));
	for (size_t i = 0; i < k->nsubresources; i++)
		CHECK(kind_subresource(k, k->subresources[i].name) == &k->subresources[i],
		    "%s: subresource %s", name_of(k), k->subresources[i].name);
	check_fields(k->type);
}

static void
words(void)
{
	static const struct {
		const char *word, *kind;
	} t[] = { { "deploy", "Deployment.apps" }, { "DEPLOYMENTS", "Deployment.apps" },
		{ "Deployment", "Deployment.apps" }, { "deployments.apps", "Deployment.apps" },
		{ "deployments.v1.apps", "Deployment.apps" }, { "po", "Pod" },
		{ "pods.v1.", "Pod" }, { "ev", "Event" },
		{ "events.events.k8s.io", "Event.events.k8s.io" },
		{ "ing", "Ingress.networking.k8s.io" },
		{ "ingress.networking", "Ingress.networking.k8s.io" }, { "endpoints", "Endpoints" },
		{ "", "(none)" }, { ".", "(none)" }, { "pod.apps", "(none)" },
		{ "gadget", "(none)" }, { "deploymen", "(none)" },
		{ "deployments.v2.apps", "(none)" }, { "deployments.app", "(none)" } };

	for (size_t i = 0; i < COUNT(t); i++)
		CHECK(!strcmp(name_of(kind_of_word(t[i].word)), t[i].kind), "'%s' is %s", t[i].word,
		    name_of(kind_of_word(t[i].word)));
	CHECK(!strcmp(kind_of_word("hpa")->version, "v2"), "hpa: the newer version first");
	CHECK(!strcmp(kind_of_word("hpa.v1.autoscaling")->version, "v1"),
	    "hpa: the older one by name");
}

static void
facts(void)
{
	const struct type *spec = type_find("core.v1.PodSpec");
	const struct field *containers = type_field(spec, "containers");
	const struct field *map = type_field(type_find("core.v1.Volume"), "configMap");
	const struct field *claim =
	    type_field(type_find("core.v1.PersistentVolumeSpec"), "claimRef");

	CHECK(containers->required && containers->list == LIST_MAP &&
		  containers->patch == PATCH_MERGE && !strcmp(containers->merge_key, "name") &&
		  containers->number == 2,
	    "PodSpec.containers");
	CHECK(map->number == 19 && map->outer[0] == 2 && !map->outer[1], "Volume.configMap");
	CHECK(type_find("core.v1.ObjectReference")->atomic && !claim->type->atomic,
	    "atomic and granular");
	CHECK(type_field(spec, "nodeSelector")->type->atomic, "an atomic map");
	CHECK(kind_find("autoscaling", "v1", "Scale") && kind_find("policy", "v1", "Eviction") &&
		  kind_find("", "v1", "DeleteOptions") && kind_find("", "v1", "Status"),
	    "kinds without a resource");
	CHECK(!kind_find("apps", "v1", "Pod") && !kind_find("apps", "v", "Deployment") &&
		  !kind_find("app", "v1", "Deployment") && !kind_find("apps", "v1", "Deploymen") &&
		  !kind_find("apps", "v1", "Deployments"),
	    "nearly right is wrong");
	CHECK(!kind_of_object("", "Pod") && !kind_of_object("/v1", "Gadget") &&
		  !kind_of_object("apps/v1/x", "Deployment"),
	    "malformed apiVersions");
	CHECK(!type_find("PodSpec") && !type_find("") && !type_field(spec, "Containers"),
	    "exact names");
}

static void
paths(void)
{
	const struct type *pod = kind_find("", "v1", "Pod")->type;
	const struct field *f;
	struct err err;
	const char *rest;

	CHECK(!field_at(&f, pod, "spec.containers[0].ports[1].protocol", &err) &&
		  !strcmp(f->name, "protocol"),
	    "a path with indexes");
	CHECK(!field_at(&f, pod, "", &err) && !f, "an empty path");
	CHECK(field_at(&f, pod, "spec.contaniers", &err) == -ERR_NOT_FOUND &&
		  strstr(err.msg, "did you mean 'containers'?"),
	    "a suggestion: %s", err.msg);
	CHECK(field_at(&f, pod, "spec.xyzzy", &err) == -ERR_NOT_FOUND && !strstr(err.msg, "mean"),
	    "no suggestion: %s", err.msg);
	CHECK(field_at(&f, pod, "spec.containers[0", &err) == 0, "an open bracket");
	CHECK(kind_of_path("ingresses.networking.k8s.io.spec.rules", &rest) &&
		  !strcmp(rest, "spec.rules"),
	    "a path behind a group");
	CHECK(!kind_of_path("nothing.like.it", &rest), "no kind");
}

int
main(void)
{
	size_t n;
	const struct kind *const *k = schema_kinds(&n);

	CHECK(n == 68, "%zu kinds", n);
	for (size_t i = 0; i < n; i++)
		check_kind(k[i]);
	check_fields(type_find("core.v1.PodSpec"));
	check_fields(type_find("core.v1.Container"));
	check_fields(type_find("meta.v1.ObjectMeta"));
	words();
	facts();
	paths();
	return failed;
}
