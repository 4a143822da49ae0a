/* What OpenAPI publishes of a custom kind. */
#include <string.h>

#include "api/meta.h"
#include "api/structural_node.h"
#include "base/mem.h"

static const char version_words[] =
    "APIVersion names the version of the schema that this object is written in.";
static const char kind_words[] = "Kind is the kind of thing that this object is.";

static bool
keeps_unknown(const json_t *schema)
{
	return truth(json_object_get(schema, "x-kubernetes-preserve-unknown-fields"));
}

/* Call f for what is directly below. */
static void
below(json_t *schema, void (*f)(json_t *schema))
{
	static const char *const single[] = { "items", "additionalProperties" };
	const char *name;
	json_t *part;

	for (size_t i = 0; i < COUNT(single); i++)
		if (json_is_object(json_object_get(schema, single[i])))
			f(json_object_get(schema, single[i]));
	json_object_foreach (json_object_get(schema, "properties"), name, part)
		f(part);
}

static void
drop_required(json_t *schema, const char *name)
{
	json_t *list = json_object_get(schema, "required");

	for (size_t i = json_array_size(list); i-- > 0;)
		if (strcmp(str(json_array_get(list, i), ""), name) == 0)
			json_array_remove(list, i);
	if (list && json_array_size(list) == 0)
		json_object_del(schema, "required");
}

/*
 * Version 2 knows no nullable, and its clients refuse what they cannot place: such a field is
 * published without a type, and is not required; what keeps unknown fields goes without those that
 * are known.
 */
static void
restrict_schema(json_t *schema)
{
	static const char *const never[] = { "anyOf", "oneOf", "not", "allOf", "default",
		"nullable" };
	json_t *part;
	const char *name;

	if (truth(json_object_get(schema, "nullable"))) {
		json_object_del(schema, "type");
		json_object_del(schema, "items");
		json_object_del(schema, "properties");
	}
	if (keeps_unknown(schema)) {
		json_object_del(schema, "type");
		json_object_del(schema, "items");
		json_object_del(schema, "properties");
		if (truth(json_object_get(schema, "x-kubernetes-embedded-resource"))) {
			drop_required(schema, "apiVersion");
			drop_required(schema, "kind");
		}
	}
	if (truth(json_object_get(schema, "x-kubernetes-int-or-string")) ||
	    (!strcmp(text(schema, "type"), "array") && !json_object_get(schema, "items")))
		json_object_del(schema, "type");
	json_object_foreach (json_object_get(schema, "properties"), name, part)
		if (truth(json_object_get(part, "nullable")))
			drop_required(schema, name);
	if (truth(json_object_get(json_object_get(schema, "additionalProperties"), "nullable")))
		json_object_del(schema, "required");
	for (size_t i = 0; i < COUNT(never); i++)
		json_object_del(schema, never[i]);
	below(schema, restrict_schema);
}

static json_t *
text_property(const char *description)
{
	return json_pack("{s:s, s:s}", "type", "string", "description", description);
}

static json_t *
metadata_property(void)
{
	return json_pack("{s:[{s:s}], s:s}", "allOf", "$ref",
	    "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "description",
	    "Metadata that every object has.");
}

static void
add_own(json_t *schema)
{
	json_t *properties = json_object_get(schema, "properties");

	if (!json_is_object(properties))
		json_object_set_new(schema, "properties", properties = json_object());
	json_object_set_new(properties, "apiVersion", text_property(version_words));
	json_object_set_new(properties, "kind", text_property(kind_words));
	json_object_set_new(properties, "metadata", metadata_property());
}

static void
require(json_t *schema, const char *name)
{
	json_t *list = json_object_get(schema, "required"), *v;
	size_t i;

	json_array_foreach (list, i, v)
		if (strcmp(str(v, ""), name) == 0)
			return;
	if (!list)
		json_object_set_new(schema, "required", list = json_array());
	json_array_append_new(list, json_string(name));
}

/* What a value may be in as many words as there are: clients do not know of these extensions. */
static void
unfold(json_t *schema)
{
	static const char *const unsaid[] = { "id", "$schema", "externalDocs", "example" };
	json_auto_t *either = json_pack("[{s:s}, {s:s}]", "type", "integer", "type", "string");
	const json_t *any = json_object_get(schema, "anyOf"),
		     *first = json_array_get(json_object_get(schema, "allOf"), 0);

	below(schema, unfold);
	for (size_t i = 0; i < COUNT(unsaid); i++)
		json_object_del(schema, unsaid[i]);
	if (truth(json_object_get(schema, "x-kubernetes-embedded-resource"))) {
		add_own(schema);
		require(schema, "kind");
		require(schema, "apiVersion");
	}
	if (!truth(json_object_get(schema, "x-kubernetes-int-or-string")) ||
	    json_equal(any, either) || json_equal(json_object_get(first, "anyOf"), either))
		return;
	if (!any) {
		json_object_set(schema, "anyOf", either);
		return;
	}
	if (!json_object_get(schema, "allOf"))
		json_object_set_new(schema, "allOf", json_array());
	json_array_insert_new(
	    json_object_get(schema, "allOf"), 0, json_pack("{s:O}", "anyOf", either));
}

/* Of an object that keeps unknown fields version 2 says nothing but that it is one. */
static json_t *
bare(const json_t *schema)
{
	json_t *ret = json_pack("{s:s}", "type", "object"), *v;
	static const char *const kept[] = { "x-kubernetes-group-version-kind",
		"x-kubernetes-selectable-fields" };

	for (size_t i = 0; i < COUNT(kept); i++)
		if ((v = json_object_get(schema, kept[i])))
			json_object_set(ret, kept[i], v);
	return ret;
}

/* References as version 2 writes them: metadata is all that they are used for. */
static void
refer(json_t *schema)
{
	json_t *metadata = json_object_get(json_object_get(schema, "properties"), "metadata");

	if (json_object_get(metadata, "$ref") || json_object_get(metadata, "allOf"))
		json_object_set_new(json_object_get(schema, "properties"), "metadata",
		    json_pack("{s:s, s:s}", "$ref",
			"#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
			"description", "Metadata that every object has."));
}

static void
refer_all(json_t *schema)
{
	if (truth(json_object_get(schema, "x-kubernetes-embedded-resource")))
		refer(schema);
	below(schema, refer_all);
}

json_t *
structural_openapi(const json_t *given, int version)
{
	json_t *schema = given ? json_deep_copy(given) : json_object();

	if (version == 2 && keeps_unknown(schema)) {
		json_decref(schema);
		return bare(given);
	}
	unfold(schema);
	add_own(schema);
	if (version != 2)
		return schema;
	refer_all(schema);
	refer(schema);
	restrict_schema(schema);
	return schema;
}
