/*
 * Definitions of custom kinds as a program gets them, and objects of them: "[value, value ...]", of
 * which each CustomResourceDefinition is learned (as people write it, and as a server would have
 * it), and everything is then looked up, checked and shown.  A value without a kind is taken for a
 * schema, or for an object of the kind that was learned last.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/learn.h"
#include "api/lookup.h"
#include "api/meta.h"
#include "api/table.h"
#include "base/json.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A definition around a schema, so that the fuzzer need not find one. */
static json_t *
definition_of(const json_t *schema)
{
	return json_pack(
	    "{s:s,s:s,s:{s:s},s:{s:s,s:s,s:{s:s,s:s},s:[{s:s,s:b,s:b,s:{s:{}},s:{s:O}}]}}",
	    "apiVersion", "apiextensions.k8s.io/v1", "kind", "CustomResourceDefinition", "metadata",
	    "name", "widgets.example.com", "spec", "group", "example.com", "scope", "Namespaced",
	    "names", "plural", "widgets", "kind", "Widget", "versions", "name", "v1", "served", 1,
	    "storage", 1, "subresources", "status", "schema", "openAPIV3Schema", schema);
}

static void
learn(struct learn *l, const json_t *crd)
{
	json_auto_t *live = json_deep_copy(crd);
	autofree char *before = NULL, *why = NULL;
	struct err err;
	int r = learn_crd(l, crd, "first", LEARN_WRITTEN, &before, &err);

	learn_serve(l);
	if (r < 0) {
		why = learn_why(l, "example.com/v1", "Widget");
		/* a server may have taken what none would take now */
		if (json_is_object(json_object_get(live, "spec"))) {
			put(live, json_incref(get(live, "spec", "names")), "status",
			    "acceptedNames");
			put(live, json_pack("[{s:s,s:s}]", "type", "Established", "status", "True"),
			    "status", "conditions");
			(void)learn_crd(l, live, "second", LEARN_LIVE, NULL, &err);
			learn_serve(l);
		}
	} else if (learn_crd(l, crd, "again", LEARN_WRITTEN, NULL, &err) != 0) {
		abort(); /* the same one is no other */
	}
}

static void
use(const struct kind *k, const json_t *given)
{
	json_auto_t *obj = json_deep_copy(given), *twice = NULL, *cells = NULL;
	struct causes unknown = CAUSES_INIT, causes = CAUSES_INIT;
	const struct field *f;
	struct err err;

	if (validate_decode(k, obj, &unknown, &err) == 0) {
		for (size_t i = 0; i < unknown.n; i++)
			(void)field_at(&f, k->type, unknown.item[i].field, &err);
		normalize(k, obj);
		defaults_apply(k, obj);
		twice = json_deep_copy(obj);
		defaults_apply(k, twice);
		if (!json_equal(obj, twice))
			abort();
		validate_sent(k, obj, &causes);
		validate_update(k, twice, obj, &causes);
		free(causes_message(&causes, k, "x"));
		cells = table_cells(k, obj, 0);
	}
	causes_release(&unknown);
	causes_release(&causes);
}

static void
take(struct learn *l, json_t *v)
{
	const struct kind *k = kind_of_object("example.com/v1", "Widget");
	const char *path;

	if (is_definition(v)) {
		learn(l, v);
		return;
	}
	if (!k && !json_object_get(v, "kind")) {
		json_auto_t *crd = definition_of(v);

		learn(l, crd);
		return;
	}
	if (*text(v, "kind"))
		k = kind_of_object(text(v, "apiVersion"), text(v, "kind"));
	(void)kind_of_path(text(v, "kind"), &path);
	if (k && k->custom) {
		if (!json_object_get(v, "kind")) {
			json_object_set_new(v, "kind", json_string(k->kind));
			json_object_set_new(v, "apiVersion", json_string("example.com/v1"));
		}
		use(k, v);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct learn *l = learn_new();
	json_t *all = NULL, *v;
	char msg[128];
	size_t used, i;

	if (json_decode((const char *)data, size, &all, &used, msg) == JSON_FINE) {
		json_array_foreach (all, i, v)
			if (json_is_object(v))
				take(l, v);
	}
	learn_free(l);
	json_decref(all);
	return 0;
}
