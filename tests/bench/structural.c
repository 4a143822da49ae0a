/* Custom resources: an object of 5 KB against a schema of 300 fields with 10 rules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/structural.h"
#include "base/mem.h"
#include "bench.h"

enum { GROUPS = 10, FIELDS = 30, ROUNDS = 5000, SCHEMAS = 200 };

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Ten structs of thirty fields; each struct has a rule. */
static json_t *
schema_new(void)
{
	json_t *groups = json_object();

	for (int g = 0; g < GROUPS; g++) {
		json_t *fields = json_object();
		char name[32];

		for (int f = 0; f < FIELDS; f++) {
			snprintf(name, sizeof name, "field%d", f);
			json_object_set_new(fields, name,
			    f % 3 == 0 ? json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum",
					     0, "maximum", 100000)
			    : f % 3 == 1
				? json_pack("{s:s, s:i, s:s}", "type", "string", "maxLength", 64,
				      "pattern", "^[a-z]([-a-z0-9]*[a-z0-9])?$")
				: json_pack("{s:s, s:i, s:{s:s, s:i}}", "type", "array", "maxItems",
				      8, "items", "type", "string", "maxLength", 64));
		}
		snprintf(name, sizeof name, "group%d", g);
		json_object_set_new(groups, name,
		    json_pack("{s:s, s:o, s:[{s:s}]}", "type", "object", "properties", fields,
			"x-kubernetes-validations", "rule",
			"self.field0 <= self.field3 || self.field1.startsWith('web')"));
	}
	return json_pack("{s:s, s:{s:{s:s, s:o}}}", "type", "object", "properties", "spec", "type",
	    "object", "properties", groups);
}

static json_t *
object_new(void)
{
	json_t *spec = json_object();

	for (int g = 0; g < GROUPS; g++) {
		json_t *group = json_object();
		char name[32];

		for (int f = 0; f < FIELDS; f++) {
			snprintf(name, sizeof name, "field%d", f);
			json_object_set_new(group, name,
			    f % 3 == 0	 ? json_integer(f)
			    : f % 3 == 1 ? json_string("web-1")
					 : json_pack("[s]", "a"));
		}
		snprintf(name, sizeof name, "group%d", g);
		json_object_set_new(spec, name, group);
	}
	return json_pack("{s:s, s:s, s:{s:s}, s:o}", "apiVersion", "example.com/v1", "kind",
	    "Thing", "metadata", "name", "x", "spec", spec);
}

int
main(void)
{
	json_auto_t *schema = schema_new(), *obj = object_new();
	autofree char *text = json_dumps(obj, JSON_COMPACT);
	struct causes causes = CAUSES_INIT;
	struct structural *s = structural_new(schema, "s", &causes);
	double start;

	if (!s) {
		fprintf(stderr, "%s: %s\n", causes.item[0].field, causes.item[0].message);
		return 1;
	}
	start = seconds();
	for (int i = 0; i < ROUNDS; i++)
		structural_validate(s, obj, NULL, &causes);
	printf("custom resource of %zu bytes, 300 fields, 10 rules: %.3f ms CPU\n", strlen(text),
	    (seconds() - start) * 1e3 / ROUNDS);
	structural_free(s);
	start = seconds();
	for (int i = 0; i < SCHEMAS; i++)
		structural_free(structural_load(schema));
	printf("compiling that schema: %.3f ms CPU\n", (seconds() - start) * 1e3 / SCHEMAS);
	if (causes.n)
		fprintf(stderr, "%s: %s\n", causes.item[0].field, causes.item[0].message);
	causes_release(&causes);
	return 0;
}
