#ifndef ORCH_TESTS_BENCH_DEFINITIONS_H
#define ORCH_TESTS_BENCH_DEFINITIONS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/mem.h"

/*
 * CustomResourceDefinitions as clusters have them, ten to a group: of twenty, one is large (300
 * fields, 10 rules, two versions), five are middling (60 fields, 3 rules, two versions) and
 * fourteen small (12 fields, one version).  Every field has a description; all have a status with
 * conditions and two printer columns.
 */
enum { LARGE_OF_20 = 1, MIDDLING_OF_20 = 5, TO_A_GROUP = 10 };

static inline json_t *
definition_fields(int n)
{
	json_t *fields = json_object();

	for (int f = 0; f < n; f++) {
		autofree char *name = xasprintf("field%d", f),
			      *words = xasprintf("The %s of the thing, which says what to do with "
						 "part %d when the thing is made.",
				  name, f);
		json_t *v = f % 3 == 0 ? json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum",
					     0, "maximum", 100000)
			    : f % 3 == 1
				? json_pack("{s:s, s:i, s:s}", "type", "string", "maxLength", 64,
				      "pattern", "^[a-z]([-a-z0-9]*[a-z0-9])?$")
				: json_pack("{s:s, s:i, s:{s:s, s:i}}", "type", "array", "maxItems",
				      8, "items", "type", "string", "maxLength", 64);

		json_object_set_new(v, "description", json_string(words));
		json_object_set_new(fields, name, v);
	}
	return fields;
}

/* Structs of `fields` fields; the first `rules` of them have a rule each. */
static inline json_t *
definition_spec(int structs, int fields, int rules)
{
	json_t *all = json_object();

	for (int g = 0; g < structs; g++) {
		autofree char *name = xasprintf("group%d", g);
		json_t *v = json_pack("{s:s, s:s, s:o}", "type", "object", "description",
		    "A part of the thing that is described by itself.", "properties",
		    definition_fields(fields));

		if (g < rules)
			json_object_set_new(v, "x-kubernetes-validations",
			    json_pack("[{s:s, s:s}]", "rule",
				"self.field0 <= self.field3 || self.field1.startsWith('web')",
				"message", "field0 must not be above field3"));
		json_object_set_new(all, name, v);
	}
	return json_pack("{s:s, s:s, s:o}", "type", "object", "description",
	    "What is wanted of the thing.", "properties", all);
}

static inline json_t *
definition_status(void)
{
	return json_pack("{s:s, s:{s:{s:s}, s:{s:s, s:s, s:[s], s:{s:s, s:[ss], s:{s:{s:s}, "
			 "s:{s:s, s:[sss]}, s:{s:s}, s:{s:s, s:i}, s:{s:s, s:s}}}}}}",
	    "type", "object", "properties", "observedGeneration", "type", "integer", "conditions",
	    "type", "array", "x-kubernetes-list-type", "map", "x-kubernetes-list-map-keys", "type",
	    "items", "type", "object", "required", "type", "status", "properties", "type", "type",
	    "string", "status", "type", "string", "enum", "True", "False", "Unknown", "reason",
	    "type", "string", "message", "type", "string", "maxLength", 32768, "lastTransitionTime",
	    "type", "string", "format", "date-time");
}

static inline json_t *
definition_version(const char *name, bool stored, json_t *spec)
{
	return json_pack("{s:s, s:b, s:b, s:{s:{}}, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}], "
			 "s:{s:{s:s, s:s, s:{s:o, s:o}}}}",
	    "name", name, "served", 1, "storage", stored, "subresources", "status",
	    "additionalPrinterColumns", "name", "Ready", "type", "string", "jsonPath",
	    ".status.conditions[?(@.type==\"Ready\")].status", "name", "Age", "type", "date",
	    "jsonPath", ".metadata.creationTimestamp", "schema", "openAPIV3Schema", "type",
	    "object", "description", "Thing is what the operator makes and keeps.", "properties",
	    "spec", spec, "status", definition_status());
}

/* Its group, plural and name; new. */
static inline char *
definition_group(int i)
{
	return xasprintf("g%d.example.com", i / TO_A_GROUP);
}

/* The i-th, as JSON; new. */
static inline char *
definition_text(int i)
{
	int size = i % 20 < LARGE_OF_20 ? 2 : i % 20 < LARGE_OF_20 + MIDDLING_OF_20;
	int structs = size == 2 ? 10 : size == 1 ? 2 : 1, fields = size ? 30 : 10;
	int rules = size == 2 ? 10 : size == 1 ? 3 : 0;
	autofree char *group = definition_group(i), *kind = xasprintf("Thing%d", i),
		      *plural = xasprintf("thing%ds", i), *name = xasprintf("%s.%s", plural, group);
	json_t *versions = json_array();
	json_auto_t *crd = NULL;

	json_array_append_new(
	    versions, definition_version("v1", true, definition_spec(structs, fields, rules)));
	if (size)
		json_array_append_new(versions,
		    definition_version("v1beta1", false, definition_spec(structs, fields, rules)));
	crd = json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:{s:s, s:s, s:[s]}, s:s, s:o}}", "apiVersion",
	    "apiextensions.k8s.io/v1", "kind", "CustomResourceDefinition", "metadata", "name", name,
	    "spec", "group", group, "names", "kind", kind, "plural", plural, "categories", "things",
	    "scope", "Namespaced", "versions", versions);
	return json_dumps(crd, JSON_COMPACT);
}

#endif
