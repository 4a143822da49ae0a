/* The types of the schema as OpenAPI v3 writes them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/custom.h"
#include "api/openapi_parts.h"
#include "api/tables.h"
#include "base/buf.h"
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

	switch (t->class) { /* never a pointer: its zero is the default */
	case CLASS_STRUCT:
		s = wrap(s);
		json_object_set_new(s, "default", json_object());
		break;
	case CLASS_STRING:
		json_object_set_new(s, "default", json_string(""));
		break;
	case CLASS_INT32:
	case CLASS_INT64:
		json_object_set_new(s, "default", json_integer(0));
		break;
	case CLASS_BOOL:
		json_object_set_new(s, "default", json_false());
		break;
	default:
		break;
	}
	return s;
}

static void add_struct(json_t *all, const struct type *t);
static void mark_kind(json_t *s, const struct type *t);

/* Any value, or any object, under a name; `other` is not needed then (taken). */
static json_t *
add_named(json_t *all, const char *name, const char *type, json_t *other)
{
	autofree char *full = full_name(name);

	json_decref(other);
	if (!json_object_get(all, full))
		json_object_set_new(all, full, type ? basic(type, NULL) : json_object());
	return reference(full);
}

/* The schema of a value of this type, adding to `all` what it refers to. */
static json_t *
schema_of(json_t *all, const struct type *t)
{
	const char *name = NULL;
	json_t *s = special(t->class, &name);

	/* a JSON value that has a name of its own */
	if ((t->class == CLASS_ANY || t->class == CLASS_RAW) && strchr(t->name, '.'))
		return add_named(all, t->name, t->class == CLASS_RAW ? "object" : NULL, s);
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

/* A field may say that its struct is not atomic: its type is then a copy of the defined one. */
static const struct type *
as_defined(const struct type *t)
{
	const struct type *defined = type_find(t->name);

	return defined ? defined : t;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *
words(const char *const *word)
{
	json_t *list = json_array();

	for (; word && *word; word++)
		json_array_append_new(list, json_string(*word));
	return list;
}

static json_t *
sorted_words(const char *const *word)
{
	const char *sorted[128];
	size_t n = 0;

	while (word[n] && n + 1 < COUNT(sorted)) {
		sorted[n] = word[n];
		n++;
	}
	sorted[n] = NULL;
	qsort(sorted, n, sizeof *sorted, by_text);
	return words(sorted);
}

/* How patches and server-side apply treat it. */
static void
add_extensions(json_t *s, const struct field *f)
{
	if (f->patch)
		json_object_set_new(s, "x-kubernetes-patch-strategy",
		    json_string((f->patch & PATCH_MERGE) && (f->patch & PATCH_RETAIN_KEYS)
				    ? "merge,retainKeys"
				: (f->patch & PATCH_MERGE)   ? "merge"
				: (f->patch & PATCH_REPLACE) ? "replace"
							     : "retainKeys"));
	if (f->merge_key)
		json_object_set_new(s, "x-kubernetes-patch-merge-key", json_string(f->merge_key));
	/* a list that protobuf wraps is a type of its own in Kubernetes, without a mark */
	if (f->type->class == CLASS_LIST && !f->wire) {
		static const char *const names[] = { "atomic", "set", "map" };

		json_object_set_new(s, "x-kubernetes-list-type", json_string(names[f->list]));
		if (f->list == LIST_MAP)
			json_object_set_new(s, "x-kubernetes-list-map-keys", words(f->list_keys));
	} else if (f->type->class == CLASS_MAP && (f->type->atomic || f->marked)) {
		json_object_set_new(s, "x-kubernetes-map-type",
		    json_string(f->type->atomic ? "atomic" : "granular"));
	} else if (f->type->class == CLASS_STRUCT && f->type != as_defined(f->type)) {
		json_object_set_new(s, "x-kubernetes-map-type", json_string("granular"));
	} else if (f->type->class == CLASS_BYTES && f->marked) {
		json_object_set_new(s, "x-kubernetes-list-type", json_string("atomic"));
	}
}

/*
 * Kubernetes says the defaults that are marked in its Go types, not those that code gives; and what
 * is no pointer has its zero, if JSON always writes it.
 */
static void
add_default(json_t *s, const struct field *f)
{
	const char *dflt = f->shown_default;

	if (!dflt && !f->pointer && f->type->class == CLASS_STRUCT)
		dflt = "{}";
	if (!dflt && !f->pointer && f->required && f->type->class == CLASS_STRING)
		dflt = "\"\"";
	if (!dflt && !f->pointer && f->dflt &&
	    (strcmp(f->dflt, "0") == 0 || strcmp(f->dflt, "false") == 0))
		dflt = f->dflt;
	if (dflt)
		json_object_set_new(s, "default", json_loads(dflt, JSON_DECODE_ANY, NULL));
}

static json_t *
property(json_t *all, const struct field *f)
{
	bool fields = f->type->class == CLASS_RAW && strcmp(f->name, "fieldsV1") == 0;
	json_t *s = wrap(
	    fields ? add_named(all, "meta.v1.FieldsV1", "object", NULL) : schema_of(all, f->type));
	json_t *items = json_object_get(s, "items");

	if (!items)
		items = json_object_get(s, "additionalProperties");
	if (*f->summary)
		json_object_set_new(s, "description", json_string(f->summary));
	add_default(s, f);
	if (f->shown)
		json_object_set_new(items ? items : s, "enum", sorted_words(f->shown));
	add_extensions(s, f);
	return s;
}

/* All fields but the one that says which of them counts: {"localhostProfile": "LocalhostProfile"}
 */
static json_t *
unions(const struct type *t)
{
	json_t *by = json_object();

	for (size_t i = 0; i < t->nfields; i++) {
		const char *name = t->fields[i].name;

		if (strcmp(name, t->discriminator) != 0)
			json_object_set_new(by, name,
			    json_sprintf("%c%s", toupper((unsigned char)*name), name + 1));
	}
	return json_pack("[{s:s*,s:o}]", "discriminator",
	    *t->discriminator ? t->discriminator : NULL, "fields-to-discriminateBy", by);
}

static void
add_struct(json_t *all, const struct type *t)
{
	autofree char *name = full_name(t->name);
	json_t *s, *properties, *required;

	if (json_object_get(all, name))
		return;
	t = as_defined(t);
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
	if (t->discriminator)
		json_object_set_new(s, "x-kubernetes-unions", unions(t));
	mark_kind(s, t);
	json_decref(properties);
	json_decref(required);
	json_decref(s);
}

/* --- which kinds a type is --- */

/* Options and events go with every group and version that Kubernetes ever had. */
static const char *const versions[] = { "/v1", "admission.k8s.io/v1", "admission.k8s.io/v1beta1",
	"admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1alpha1",
	"admissionregistration.k8s.io/v1beta1", "apiextensions.k8s.io/v1",
	"apiextensions.k8s.io/v1beta1", "apiregistration.k8s.io/v1",
	"apiregistration.k8s.io/v1beta1", "apps/v1", "apps/v1beta1", "apps/v1beta2",
	"authentication.k8s.io/v1", "authentication.k8s.io/v1alpha1",
	"authentication.k8s.io/v1beta1", "authorization.k8s.io/v1", "authorization.k8s.io/v1beta1",
	"autoscaling/v1", "autoscaling/v2", "autoscaling/v2beta1", "autoscaling/v2beta2",
	"batch/v1", "batch/v1beta1", "certificates.k8s.io/v1", "certificates.k8s.io/v1alpha1",
	"certificates.k8s.io/v1beta1", "coordination.k8s.io/v1", "coordination.k8s.io/v1alpha2",
	"coordination.k8s.io/v1beta1", "discovery.k8s.io/v1", "discovery.k8s.io/v1beta1",
	"events.k8s.io/v1", "events.k8s.io/v1beta1", "extensions/v1beta1",
	"flowcontrol.apiserver.k8s.io/v1", "flowcontrol.apiserver.k8s.io/v1beta1",
	"flowcontrol.apiserver.k8s.io/v1beta2", "flowcontrol.apiserver.k8s.io/v1beta3",
	"imagepolicy.k8s.io/v1alpha1", "internal.apiserver.k8s.io/v1alpha1", "networking.k8s.io/v1",
	"networking.k8s.io/v1beta1", "node.k8s.io/v1", "node.k8s.io/v1alpha1",
	"node.k8s.io/v1beta1", "policy/v1", "policy/v1beta1", "rbac.authorization.k8s.io/v1",
	"rbac.authorization.k8s.io/v1alpha1", "rbac.authorization.k8s.io/v1beta1",
	"resource.k8s.io/v1", "resource.k8s.io/v1alpha3", "resource.k8s.io/v1beta1",
	"resource.k8s.io/v1beta2", "scheduling.k8s.io/v1", "scheduling.k8s.io/v1alpha1",
	"scheduling.k8s.io/v1beta1", "storage.k8s.io/v1", "storage.k8s.io/v1alpha1",
	"storage.k8s.io/v1beta1", "storagemigration.k8s.io/v1beta1" };

static json_t *
kind_names(const char *group, const char *version, const char *kind)
{
	return json_pack("[{s:s,s:s,s:s}]", "group", group, "kind", kind, "version", version);
}

static json_t *
names_in_all(const char *kind)
{
	json_t *list = json_array();

	for (size_t i = 0; i < COUNT(versions); i++) {
		const char *slash = strchr(versions[i], '/');

		json_array_append_new(
		    list, json_pack("{s:s%,s:s,s:s}", "group", versions[i],
			      (size_t)(slash - versions[i]), "kind", kind, "version", slash + 1));
	}
	return list;
}

/* A struct that is a kind says so. */
static void
mark_kind(json_t *s, const struct type *t)
{
	static const char key[] = "x-kubernetes-group-version-kind";
	const struct kind *const *k = table_of_served; /* those of custom kinds are none of these */

	if (strcmp(t->name, "meta.v1.DeleteOptions") == 0)
		json_object_set_new(s, key, names_in_all("DeleteOptions"));
	if (strcmp(t->name, "meta.v1.WatchEvent") == 0)
		json_object_set_new(s, key, names_in_all("WatchEvent"));
	for (size_t i = 0; i < served_kinds; i++)
		if (k[i]->type == t)
			json_object_set_new(
			    s, key, kind_names(k[i]->group, k[i]->version, k[i]->kind));
}

json_t *
openapi_type(json_t *schemas, const struct type *t)
{
	return t ? schema_of(schemas, t) : json_object();
}

/* Groups of custom kinds are written backwards: "com.example.v1.Thing"; new. */
static char *
custom_name(const struct kind *k)
{
	autobuf struct buf b = BUF_INIT;
	const char *end = k->group + strlen(k->group), *at;

	do {
		for (at = end; at > k->group && at[-1] != '.'; at--)
			;
		buf_add(&b, at, (size_t)(end - at));
		buf_putc(&b, '.');
		end = at - 1;
	} while (at > k->group);
	buf_printf(&b, "%s.%s", k->version, k->kind);
	return xstrdup(b.data);
}

static void
add_selectable(json_t *schema, const struct kind *k)
{
	json_t *list = json_array();

	for (const char *const *f = k->custom->selectable; f && *f; f++)
		json_array_append_new(list, json_pack("{s:s}", "fieldPath", *f));
	if (json_array_size(list))
		json_object_set(schema, "x-kubernetes-selectable-fields", list);
	json_decref(list);
}

static json_t *
add_custom(json_t *schemas, const struct kind *k)
{
	autofree char *name = custom_name(k);
	json_t *s;

	if (!json_object_get(schemas, name)) {
		json_decref(openapi_type(schemas, type_find("meta.v1.ObjectMeta")));
		s = custom_openapi(k, 3);
		json_object_set_new(s, "x-kubernetes-group-version-kind",
		    kind_names(k->group, k->version, k->kind));
		add_selectable(s, k);
		json_object_set_new(schemas, name, s);
	}
	return reference(name);
}

json_t *
openapi_kind(json_t *schemas, const struct kind *k)
{
	static const char key[] = "x-kubernetes-group-version-kind";
	autofree char *name = k->custom ? NULL : full_name(k->type->name);
	json_t *s;

	if (!name)
		return add_custom(schemas, k);
	add_struct(schemas, k->type);
	s = json_object_get(schemas, name);
	if (!json_object_get(s, key))
		json_object_set_new(s, key, kind_names(k->group, k->version, k->kind));
	return reference(name);
}

json_t *
openapi_list(json_t *schemas, const struct kind *k)
{
	autofree char *name = k->custom ? custom_name(k) : full_name(k->type->name);
	autofree char *list = xasprintf("%sList", name);
	autofree char *kind =
	    k->custom ? xstrdup(k->custom->list_kind) : xasprintf("%sList", k->kind);
	autofree char *words = xasprintf("List of %s", k->plural);
	json_t *s;

	if (json_object_get(schemas, list))
		return reference(list);
	s = json_pack("{s:s,s:[s],s:{s:{s:s},s:{s:s},s:{s:s,s:s,s:o},s:o}}", "type", "object",
	    "required", "items", "properties", "apiVersion", "type", "string", "kind", "type",
	    "string", "items", "description", words, "type", "array", "items",
	    wrap(openapi_kind(schemas, k)), "metadata",
	    wrap(openapi_type(schemas, type_find("meta.v1.ListMeta"))));
	json_object_set_new(
	    s, "x-kubernetes-group-version-kind", kind_names(k->group, k->version, kind));
	json_object_set_new(schemas, list, s);
	return reference(list);
}
