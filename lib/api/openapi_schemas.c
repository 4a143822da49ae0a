/* The types of the schema as OpenAPI v3 writes them. */
#include <stdio.h>
#include <string.h>

#include "api/openapi.h"
#include "base/mem.h"
#include "base/text.h"

static const char meta_package[] = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/* "core.v1.PodSpec" is io.k8s.api.core.v1.PodSpec; some packages live elsewhere. New. */
static char *
full_name(const char *name)
{
	static const char *const elsewhere[][2] = {
		{ "meta.v1.", meta_package },
		{ "version.", "io.k8s.apimachinery.pkg.version." },
		{ "apiextensions.", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions." },
		{ "apiregistration.", "io.k8s.kube-aggregator.pkg.apis.apiregistration." },
	};

	for (size_t i = 0; i < COUNT(elsewhere); i++)
		if (text_starts(name, elsewhere[i][0]))
			return xasprintf("%s%s", elsewhere[i][1], name + strlen(elsewhere[i][0]));
	return xasprintf("io.k8s.api.%s", name);
}

static json_t *
reference(const char *name)
{
	autofree char *path = xasprintf("#/components/schemas/%s", name);

	return json_pack("{s:s}", "$ref", path);
}

static json_t *
basic(const char *type, const char *format)
{
	json_t *s = json_pack("{s:s}", "type", type);

	if (format)
		json_object_set_new(s, "format", json_string(format));
	return s;
}

/* Types that JSON has no struct for. */
static json_t *
special(enum type_class class, const char **name)
{
	switch (class) {
	case CLASS_TIME:
		*name = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
		return basic("string", "date-time");
	case CLASS_MICROTIME:
		*name = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
		return basic("string", "date-time");
	case CLASS_DURATION:
		*name = "io.k8s.apimachinery.pkg.apis.meta.v1.Duration";
		return basic("string", NULL);
	case CLASS_QUANTITY:
		*name = "io.k8s.apimachinery.pkg.api.resource.Quantity";
		return json_pack("{s:[{s:s},{s:s}]}", "oneOf", "type", "string", "type", "number");
	case CLASS_INT_OR_STRING:
		*name = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
		return json_pack("{s:s,s:[{s:s},{s:s}]}", "format", "int-or-string", "oneOf",
		    "type", "integer", "type", "string");
	case CLASS_RAW:
		*name = "io.k8s.apimachinery.pkg.runtime.RawExtension";
		return basic("object", NULL);
	default:
		return NULL;
	}
}

/* Beside a $ref nothing else is allowed: it goes into allOf. */
static json_t *
wrap(json_t *s)
{
	return json_object_get(s, "$ref") ? json_pack("{s:[o]}", "allOf", s) : s;
}

static json_t *schema_of(json_t *all, const struct type *t);

/* What is in a list or map. */
static json_t *
element(json_t *all, const struct type *t)
{
	json_t *s = schema_of(all, t);

	return t->class == CLASS_STRUCT ? wrap(s) : s;
}

static void add_struct(json_t *all, const struct type *t);

/* The schema of a value of this type, adding to `all` what it refers to. */
static json_t *
schema_of(json_t *all, const struct type *t)
{
	const char *name = NULL;
	json_t *s = special(t->class, &name);

	if (s) {
		if (!json_object_get(all, name))
			json_object_set(all, name, s);
		json_decref(s);
		return reference(name);
	}
	switch (t->class) {
	case CLASS_BOOL:
		return basic("boolean", NULL);
	case CLASS_INT32:
		return basic("integer", "int32");
	case CLASS_INT64:
		return basic("integer", "int64");
	case CLASS_DOUBLE:
		return basic("number", "double");
	case CLASS_BYTES:
		return basic("string", "byte");
	case CLASS_ANY:
		return json_object();
	case CLASS_LIST:
		s = basic("array", NULL);
		json_object_set_new(s, "items", element(all, t->elem));
		return s;
	case CLASS_MAP:
		s = basic("object", NULL);
		json_object_set_new(s, "additionalProperties", element(all, t->elem));
		return s;
	case CLASS_STRUCT: {
		autofree char *full = full_name(t->name);

		add_struct(all, t);
		return reference(full);
	}
	default:
		return basic("string", NULL);
	}
}

static json_t *
words(const char *const *word)
{
	json_t *list = json_array();

	for (; word && *word; word++)
		json_array_append_new(list, json_string(*word));
	return list;
}

/* How patches and server-side apply treat it. */
static void
add_extensions(json_t *s, const struct field *f)
{
	if (f->patch)
		json_object_set_new(s, "x-kubernetes-patch-strategy",
		    json_string((f->patch & PATCH_MERGE) && (f->patch & PATCH_RETAIN_KEYS)
				    ? "merge,retainKeys"
				: (f->patch & PATCH_MERGE) ? "merge"
							   : "retainKeys"));
	if (f->merge_key)
		json_object_set_new(s, "x-kubernetes-patch-merge-key", json_string(f->merge_key));
	if (f->type->class == CLASS_LIST) {
		static const char *const names[] = { "atomic", "set", "map" };

		json_object_set_new(s, "x-kubernetes-list-type", json_string(names[f->list]));
		if (f->list == LIST_MAP)
			json_object_set_new(s, "x-kubernetes-list-map-keys", words(f->list_keys));
	} else if (f->type->class == CLASS_MAP && f->type->atomic) {
		json_object_set_new(s, "x-kubernetes-map-type", json_string("atomic"));
	}
}

static json_t *
property(json_t *all, const struct field *f)
{
	json_t *s = wrap(schema_of(all, f->type)), *items = json_object_get(s, "items");

	if (*f->summary)
		json_object_set_new(s, "description", json_string(f->summary));
	if (f->dflt)
		json_object_set_new(s, "default", json_loads(f->dflt, JSON_DECODE_ANY, NULL));
	if (f->values)
		json_object_set_new(items ? items : s, "enum", words(f->values));
	add_extensions(s, f);
	return s;
}

static void
add_struct(json_t *all, const struct type *t)
{
	autofree char *name = full_name(t->name);
	json_t *s, *properties, *required;

	if (json_object_get(all, name))
		return;
	s = basic("object", NULL);
	json_object_set(all, name, s); /* first, as types may contain themselves */
	properties = json_object();
	required = json_array();
	for (size_t i = 0; i < t->nfields; i++) {
		json_object_set_new(properties, t->fields[i].name, property(all, &t->fields[i]));
		if (t->fields[i].required)
			json_array_append_new(required, json_string(t->fields[i].name));
	}
	if (*t->summary)
		json_object_set_new(s, "description", json_string(t->summary));
	if (json_array_size(required))
		json_object_set(s, "required", required);
	if (t->nfields)
		json_object_set(s, "properties", properties);
	if (t->atomic)
		json_object_set_new(s, "x-kubernetes-map-type", json_string("atomic"));
	json_decref(properties);
	json_decref(required);
	json_decref(s);
}

static json_t *
kind_names(const struct kind *k, const char *suffix)
{
	autofree char *name = xasprintf("%s%s", k->kind, suffix);

	return json_pack("[{s:s,s:s,s:s}]", "group", k->group, "kind", name, "version", k->version);
}

static void
add_kind(json_t *all, const struct kind *k)
{
	autofree char *name = full_name(k->type->name), *list = xasprintf("%sList", name);
	const struct type *list_meta = type_find("meta.v1.ListMeta");
	json_t *s;

	add_struct(all, k->type);
	json_object_set_new(
	    json_object_get(all, name), "x-kubernetes-group-version-kind", kind_names(k, ""));
	if (!(k->verbs & VERB_LIST) || !list_meta)
		return;
	add_struct(all, list_meta);
	s = json_pack("{s:s,s:[s],s:{s:{s:s},s:{s:s},s:{s:s,s:o},s:o}}", "type", "object",
	    "required", "items", "properties", "apiVersion", "type", "string", "kind", "type",
	    "string", "items", "type", "array", "items", wrap(reference(name)), "metadata",
	    wrap(schema_of(all, list_meta)));
	json_object_set_new(s, "x-kubernetes-group-version-kind", kind_names(k, "List"));
	json_object_set_new(all, list, s);
}

json_t *
openapi_schemas(const char *group, const char *version)
{
	json_t *all = json_object();
	size_t n;
	const struct kind *k = schema_kinds(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(k[i].group, group) == 0 && strcmp(k[i].version, version) == 0)
			add_kind(all, &k[i]);
	return all;
}
