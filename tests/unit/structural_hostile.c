/* Schemas and objects that are made to cost: deep, wide, and against each other. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/structural.h"
#include "base/mem.h"

enum { DEEP = 900, WIDE = 100000 };

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Compile, validate, let go; how many causes there were, -1 for a schema that was refused. */
static int
run(const char *what, json_t *schema, json_t *obj, const json_t *old)
{
	enum { MOST = 20 }; /* seconds of CPU, with sanitizers on a slow machine */
	struct causes causes = CAUSES_INIT;
	double start = seconds();
	struct structural *s = structural_new(schema, "s", &causes);
	int n = -1;

	if (s) {
		structural_prune(s, obj, NULL);
		structural_default(s, obj);
		structural_validate(s, obj, old, &causes);
		json_decref(structural_openapi(schema, 2));
		n = (int)causes.n;
	}
	if (getenv("SHOW_TIMES"))
		fprintf(stderr, "%s: %.2f s\n", what, seconds() - start);
	if (seconds() - start > MOST) {
		fprintf(stderr, "%s took %.1f s\n", what, seconds() - start);
		exit(1);
	}
	structural_free(s);
	causes_release(&causes);
	return n;
}

static json_t *
root(json_t *a)
{
	return json_pack("{s:s, s:{s:o}}", "type", "object", "properties", "a", a);
}

static void
test_deep(void)
{
	json_t *s = json_pack("{s:s}", "type", "string"), *v = json_string("x"),
	       *list = json_pack("{s:s}", "type", "string"), *items = json_string("x");

	for (int i = 0; i < DEEP; i++) {
		s = json_pack("{s:s, s:{s:o}, s:[{s:i}]}", "type", "object", "properties", "a", s,
		    "anyOf", "minProperties", 1);
		v = json_pack("{s:o}", "a", v);
		list = json_pack("{s:s, s:o}", "type", "array", "items", list);
		items = json_pack("[o]", items);
	}
	json_auto_t *schema = root(s), *obj = json_pack("{s:o}", "a", v), *lists = root(list),
		    *deep = json_pack("{s:o}", "a", items);

	assert(run("deep", schema, obj, NULL) == 0);
	assert(run("deep lists", lists, deep, NULL) == 0);
}

/* Many alternatives for each of many items. */
static void
test_wide(void)
{
	json_t *any = json_array(), *list = json_array();

	for (int i = 0; i < 5000; i++)
		json_array_append_new(any, json_pack("{s:i}", "minLength", 10 + i));
	for (int i = 0; i < WIDE; i++)
		json_array_append_new(list, json_string("x"));
	json_auto_t *schema = root(json_pack("{s:s, s:{s:s, s:o}}", "type", "array", "items",
			"type", "string", "anyOf", any)),
		    *obj = json_pack("{s:o}", "a", list);

	assert(run("wide", schema, obj, NULL) > 0);
}

static void
test_enumeration(void)
{
	json_t *choices = json_array(), *list = json_array();

	for (int i = 0; i < WIDE; i++) {
		json_array_append_new(choices, json_sprintf("choice %d", i));
		json_array_append_new(list, json_string("none"));
	}
	json_auto_t *schema = root(json_pack("{s:s, s:{s:s, s:o}}", "type", "array", "items",
			"type", "string", "enum", choices)),
		    *obj = json_pack("{s:o}", "a", list);

	assert(run("enumeration", schema, obj, NULL) > 0);
}

static void
test_pattern(void)
{
	json_t *list = json_array();
	char text[4001];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 300; i++)
		json_array_append_new(list, json_string(text));
	json_auto_t *schema = root(json_pack("{s:s, s:{s:s, s:s}}", "type", "array", "items",
			"type", "string", "pattern", "^(a+)+$|^(a|aa)+b$")),
		    *other = root(json_pack("{s:s, s:{s:s, s:s}}", "type", "array", "items", "type",
			"string", "pattern", "^(a*)*b$")),
		    *obj = json_pack("{s:o}", "a", list);

	assert(run("pattern", schema, obj, NULL) >= 0);
	assert(run("pattern", other, obj, NULL) > 0);
}

/* A list map is compared with what it was item by item, in any order. */
static void
test_list_map(void)
{
	json_t *list = json_array(), *before = json_array();

	for (int i = 0; i < WIDE / 4; i++) {
		json_array_append_new(list, json_pack("{s:o}", "k", json_sprintf("%d", i)));
		json_array_append_new(
		    before, json_pack("{s:o}", "k", json_sprintf("%d", WIDE / 4 - i)));
	}
	json_auto_t *schema = root(json_pack("{s:s, s:s, s:[s], s:{s:s, s:[s], s:{s:{s:s}}}}",
			"type", "array", "x-kubernetes-list-type", "map",
			"x-kubernetes-list-map-keys", "k", "items", "type", "object", "required",
			"k", "properties", "k", "type", "string")),
		    *obj = json_pack("{s:o}", "a", list), *old = json_pack("{s:o}", "a", before);

	assert(run("list map", schema, obj, old) == 0);
}

int
main(void)
{
	test_deep();
	test_wide();
	test_enumeration();
	test_pattern();
	test_list_map();
	return 0;
}
