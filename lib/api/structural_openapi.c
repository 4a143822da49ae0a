/* What OpenAPI publishes of a custom kind. */
#include <string.h>

#include "api/meta.h"
#include "api/structural_node.h"
#include "base/mem.h"

static void restrict_schema(json_t *schema);

static void
restrict_all(json_t *schemas)
{
	const char *name;
	json_t *part;

	json_object_foreach (schemas, name, part)
		restrict_schema(part);
}

/*
 * Version 2 knows no nullable, and its clients refuse what they cannot place: such a field is
 * published without a type, and what keeps unknown fields without those that are known.
 */
static void
restrict_schema(json_t *schema)
{
	static const char *const never[] = { "anyOf", "oneOf", "not", "allOf", "default",
		"nullable" };
	bool nullable = truth(json_object_get(schema, "nullable"));

	if (truth(json_object_get(schema, "x-kubernetes-preserve-unknown-fields")) || nullable) {
		json_object_del(schema, "items");
		json_object_del(schema, "properties");
	}
	if (nullable || truth(json_object_get(schema, "x-kubernetes-int-or-string")))
		json_object_del(schema, "type");
	if (nullable)
		json_object_del(schema, "additionalProperties");
	for (size_t i = 0; i < COUNT(never); i++)
		json_object_del(schema, never[i]);
	if (json_is_object(json_object_get(schema, "items")))
		restrict_schema(json_object_get(schema, "items"));
	if (json_is_object(json_object_get(schema, "additionalProperties")))
		restrict_schema(json_object_get(schema, "additionalProperties"));
	restrict_all(json_object_get(schema, "properties"));
}

/* The words that the API has for these in all kinds. */
static void
add_own(json_t *properties, const char *name, const char *type, const char *description)
{
	json_object_set_new(
	    properties, name, json_pack("{s:s, s:s}", "type", type, "description", description));
}

json_t *
structural_openapi(const json_t *given, int version)
{
	const char *meta =
	    version == 2 ? "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
			 : "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
	json_t *schema = given ? json_deep_copy(given) : json_object(), *properties;

	if (version == 2)
		restrict_schema(schema);
	properties = json_object_get(schema, "properties");
	if (!json_is_object(properties)) {
		if (truth(json_object_get(schema, "x-kubernetes-preserve-unknown-fields")) &&
		    version == 2)
			return schema;
		properties = json_object();
		json_object_set_new(schema, "properties", properties);
	}
	add_own(properties, "apiVersion", "string",
	    "APIVersion names the version of the schema that this object is written in.");
	add_own(properties, "kind", "string", "Kind is the kind of thing that this object is.");
	json_object_set_new(properties, "metadata",
	    version == 2 ? json_pack("{s:s, s:s}", "$ref", meta, "description",
			       "Metadata that every object has.")
			 : json_pack("{s:[{s:s}], s:s}", "allOf", "$ref", meta, "description",
			       "Metadata that every object has."));
	return schema;
}
