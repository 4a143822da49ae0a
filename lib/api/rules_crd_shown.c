/*
 * Parts of CustomResourceDefinitions as messages show them: Kubernetes prints its own structs, with
 * all their fields, in their order and by their Go names.
 */
#include <string.h>

#include "api/meta.h"
#include "api/rules.h"
#include "base/mem.h"

static json_t *shown_schema(const json_t *s);

static json_t *
flag(const json_t *s, const char *key)
{
	return json_boolean(truth(json_object_get(s, key)));
}

static json_t *
words(const json_t *s, const char *key)
{
	return json_string(text(s, key));
}

/* What there is, or null. */
static json_t *
given(const json_t *s, const char *key)
{
	json_t *v = json_object_get(s, key);

	return v ? json_incref(v) : json_null();
}

static json_t *
sorted(const json_t *s, const char *key)
{
	const json_t *v = json_object_get(s, key);

	return v ? sorted_copy(v) : json_null();
}

static json_t *
list_of(const json_t *list, json_t *(*shown)(const json_t *v))
{
	json_t *ret, *v;
	size_t i;

	if (!json_is_array(list))
		return json_null();
	ret = json_array();
	json_array_foreach (list, i, v)
		json_array_append_new(ret, shown(v));
	return ret;
}

static json_t *
map_of(const json_t *map, json_t *(*shown)(const json_t *v))
{
	json_auto_t *ordered = NULL;
	json_t *ret, *v;
	const char *name;

	if (!json_is_object(map))
		return json_null();
	ordered = sorted_copy(map);
	ret = json_object();
	json_object_foreach (ordered, name, v)
		json_object_set_new(ret, name, shown(v));
	return ret;
}

static json_t *
shown_items(const json_t *v)
{
	json_t *one = json_is_object(v) ? shown_schema(v) : json_null();

	return v ? json_pack("{s:o,s:o}", "Schema", one, "JSONSchemas", list_of(v, shown_schema))
		 : json_null();
}

static json_t *
shown_or_bool(const json_t *v)
{
	if (!v)
		return json_null();
	return json_pack("{s:b,s:o}", "Allows", !json_is_false(v), "Schema",
	    json_is_object(v) ? shown_schema(v) : json_null());
}

static json_t *
shown_dependency(const json_t *v)
{
	return json_pack("{s:o,s:o}", "Schema", json_is_object(v) ? shown_schema(v) : json_null(),
	    "Property", json_is_array(v) ? json_incref((json_t *)v) : json_null());
}

static json_t *
shown_docs(const json_t *v)
{
	return v ? json_pack(
		       "{s:s,s:s}", "Description", text(v, "description"), "URL", text(v, "url"))
		 : json_null();
}

static json_t *
shown_rule(const json_t *rule)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "Rule", words(rule, "rule"), "Message",
	    words(rule, "message"), "MessageExpression", words(rule, "messageExpression"), "Reason",
	    given(rule, "reason"), "FieldPath", words(rule, "fieldPath"), "OptionalOldSelf",
	    given(rule, "optionalOldSelf"));
}

static void
show_bounds(json_t *o, const json_t *s)
{
	json_object_set_new(o, "Default", sorted(s, "default"));
	json_object_set_new(o, "Maximum", given(s, "maximum"));
	json_object_set_new(o, "ExclusiveMaximum", flag(s, "exclusiveMaximum"));
	json_object_set_new(o, "Minimum", given(s, "minimum"));
	json_object_set_new(o, "ExclusiveMinimum", flag(s, "exclusiveMinimum"));
	json_object_set_new(o, "MaxLength", given(s, "maxLength"));
	json_object_set_new(o, "MinLength", given(s, "minLength"));
	json_object_set_new(o, "Pattern", words(s, "pattern"));
	json_object_set_new(o, "MaxItems", given(s, "maxItems"));
	json_object_set_new(o, "MinItems", given(s, "minItems"));
	json_object_set_new(o, "UniqueItems", flag(s, "uniqueItems"));
	json_object_set_new(o, "MultipleOf", given(s, "multipleOf"));
	json_object_set_new(o, "Enum", sorted(s, "enum"));
	json_object_set_new(o, "MaxProperties", given(s, "maxProperties"));
	json_object_set_new(o, "MinProperties", given(s, "minProperties"));
	json_object_set_new(o, "Required", given(s, "required"));
}

static void
show_parts(json_t *o, const json_t *s)
{
	static const struct {
		const char *shown, *key;
	} lists[] = { { "AllOf", "allOf" }, { "OneOf", "oneOf" }, { "AnyOf", "anyOf" } };
	const json_t *not = json_object_get(s, "not");

	json_object_set_new(o, "Items", shown_items(json_object_get(s, "items")));
	for (size_t i = 0; i < COUNT(lists); i++)
		json_object_set_new(
		    o, lists[i].shown, list_of(json_object_get(s, lists[i].key), shown_schema));
	json_object_set_new(o, "Not", not ? shown_schema(not ) : json_null());
	json_object_set_new(
	    o, "Properties", map_of(json_object_get(s, "properties"), shown_schema));
	json_object_set_new(
	    o, "AdditionalProperties", shown_or_bool(json_object_get(s, "additionalProperties")));
	json_object_set_new(
	    o, "PatternProperties", map_of(json_object_get(s, "patternProperties"), shown_schema));
	json_object_set_new(
	    o, "Dependencies", map_of(json_object_get(s, "dependencies"), shown_dependency));
	json_object_set_new(
	    o, "AdditionalItems", shown_or_bool(json_object_get(s, "additionalItems")));
	json_object_set_new(
	    o, "Definitions", map_of(json_object_get(s, "definitions"), shown_schema));
	json_object_set_new(o, "ExternalDocs", shown_docs(json_object_get(s, "externalDocs")));
	json_object_set_new(o, "Example", sorted(s, "example"));
}

static void
show_extensions(json_t *o, const json_t *s)
{
	json_object_set_new(
	    o, "XPreserveUnknownFields", given(s, "x-kubernetes-preserve-unknown-fields"));
	json_object_set_new(o, "XEmbeddedResource", flag(s, "x-kubernetes-embedded-resource"));
	json_object_set_new(o, "XIntOrString", flag(s, "x-kubernetes-int-or-string"));
	json_object_set_new(o, "XListMapKeys", given(s, "x-kubernetes-list-map-keys"));
	json_object_set_new(o, "XListType", given(s, "x-kubernetes-list-type"));
	json_object_set_new(o, "XMapType", given(s, "x-kubernetes-map-type"));
	json_object_set_new(
	    o, "XValidations", list_of(json_object_get(s, "x-kubernetes-validations"), shown_rule));
}

static json_t *
shown_schema(const json_t *s)
{
	json_t *o = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "ID", words(s, "id"), "Schema",
	    words(s, "$schema"), "Ref", given(s, "$ref"), "Description", words(s, "description"),
	    "Type", words(s, "type"), "Nullable", flag(s, "nullable"), "Format", words(s, "format"),
	    "Title", words(s, "title"));

	show_bounds(o, s);
	show_parts(o, s);
	show_extensions(o, s);
	return o;
}

json_t *
crd_shown_schema(const json_t *schema)
{
	return shown_schema(schema);
}

json_t *
crd_shown_items(const json_t *items)
{
	return shown_items(items);
}

/* --- versions ------------------------------------------------------------------------------- */

static json_t *
shown_subresources(const json_t *v)
{
	const json_t *scale = json_object_get(v, "scale");
	json_t *shown =
	    scale ? json_pack("{s:o,s:o,s:o}", "SpecReplicasPath", words(scale, "specReplicasPath"),
			"StatusReplicasPath", words(scale, "statusReplicasPath"),
			"LabelSelectorPath", given(scale, "labelSelectorPath"))
		  : json_null();

	return json_pack("{s:o,s:o}", "Status",
	    json_object_get(v, "status") ? json_object() : json_null(), "Scale", shown);
}

static json_t *
shown_column(const json_t *v)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:I,s:o}", "Name", words(v, "name"), "Type",
	    words(v, "type"), "Format", words(v, "format"), "Description", words(v, "description"),
	    "Priority", num(json_object_get(v, "priority"), 0), "JSONPath", words(v, "jsonPath"));
}

static json_t *
shown_field(const json_t *v)
{
	return json_pack("{s:o}", "JSONPath", words(v, "jsonPath"));
}

static json_t *
shown_validation(const json_t *v)
{
	const json_t *schema = json_object_get(v, "openAPIV3Schema");

	return json_pack("{s:o}", "OpenAPIV3Schema", schema ? shown_schema(schema) : json_null());
}

json_t *
crd_shown_part(const char *key, const json_t *v)
{
	if (!v)
		return json_null();
	if (!strcmp(key, "schema"))
		return shown_validation(v);
	if (!strcmp(key, "subresources"))
		return shown_subresources(v);
	return list_of(v, strcmp(key, "selectableFields") ? shown_column : shown_field);
}
