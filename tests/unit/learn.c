/* Kinds learned from definitions: which are found, which give way, and why one is not there. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/custom.h"
#include "api/learn.h"
#include "api/meta.h"
#include "base/mem.h"

static int failed;

#define CHECK(ok, what)                              \
	do {                                         \
		if (!(ok)) {                         \
			printf("learn: %s\n", what); \
			failed = 1;                  \
		}                                    \
	} while (0)

/* A definition with versions v1 and v1beta1, one of them not served. */
static json_t *
definition(const char *plural, const char *kind, const char *group, const char *short_name)
{
	autofree char *name = xasprintf("%s.%s", plural, group);
	const char *const versions[] = { "v1beta1", "v1", "v2alpha1" };
	json_t *crd = json_pack("{s:s,s:s,s:{s:s},s:{s:s,s:s,s:{s:s,s:s,s:[s]},s:[]}}",
	    "apiVersion", "apiextensions.k8s.io/v1", "kind", "CustomResourceDefinition", "metadata",
	    "name", name, "spec", "group", group, "scope", "Namespaced", "names", "plural", plural,
	    "kind", kind, "shortNames", short_name, "versions");

	for (size_t i = 0; i < COUNT(versions); i++)
		json_array_append_new(get(crd, "spec", "versions"),
		    json_pack("{s:s,s:b,s:b,s:{s:{s:s,s:{s:{s:s}}}}}", "name", versions[i],
			"served", i != 2, "storage", i == 1, "schema", "openAPIV3Schema", "type",
			"object", "properties", "spec", "type", "object"));
	return crd;
}

static int
learn(struct learn *l, json_t *crd, const char *where, char **before, struct err *err)
{
	int r = learn_crd(l, crd, where, LEARN_WRITTEN, before, err);

	learn_serve(l);
	json_decref(crd);
	return r;
}

static void
found(struct learn *l)
{
	const struct kind *k;
	struct err err;

	CHECK(!kind_of_word("wd"), "nothing is known yet");
	CHECK(
	    learn(l, definition("widgets", "Widget", "example.com", "wd"), "a:1", NULL, &err) == 0,
	    "a definition is taken");
	k = kind_of_object("example.com/v1", "Widget");
	CHECK(k && k->custom && kind_of_word("wd") == k, "the stable version is what a name means");
	CHECK(kind_of_word("widgets.v1beta1.example.com") ==
		  kind_of_object("example.com/v1beta1", "Widget"),
	    "another one can be named");
	CHECK(!kind_of_object("example.com/v2alpha1", "Widget"), "one that is not served is not");
	CHECK(strcmp(k->custom->list_kind, "WidgetList") == 0, "its names are complete");
	CHECK(learn_count(l) == 1, "one is known");
}

static void
replaced(struct learn *l)
{
	const struct kind *k = kind_of_word("wd");
	autofree char *before = NULL, *same = NULL;
	struct err err;

	CHECK(learn(l, definition("widgets", "Widget", "example.com", "wd"), "b:1", &same, &err) ==
		      0 &&
		  !same && kind_of_word("wd") == k,
	    "the same one changes nothing");
	CHECK(learn(l, definition("widgets", "Widget", "example.com", "wg"), "c:1", &before,
		  &err) == 1 &&
		  strcmp(before, "a:1") == 0,
	    "another one takes its place");
	CHECK(!kind_of_word("wd") && kind_of_word("wg") && kind_of_word("wg") != k,
	    "with its own names");
	CHECK(strcmp(k->plural, "widgets") == 0, "who has the old kind keeps it");
}

static void
refused(struct learn *l)
{
	json_t *crd = definition("gadgets", "Gadget", "example.com", "wg");
	autofree char *name = NULL, *version = NULL, *none = NULL;
	struct err err;

	CHECK(learn(l, json_incref(crd), "d:1", NULL, &err) == -ERR_CONFLICT &&
		  strcmp(err.msg, "the name 'wg' is in use by 'widgets.example.com'") == 0,
	    "a name has one owner in its group");
	name = learn_why(l, "example.com/v1", "Gadget");
	CHECK(name && strstr(name, "'gadgets.example.com' (d:1) makes no kinds: the name 'wg'"),
	    "that is why its kind is not there");
	CHECK(
	    learn(l, definition("gadgets", "Gadget", "example.org", "wg"), "e:1", NULL, &err) == 0,
	    "another group has names of its own");
	/* once the owner has let go of it */
	CHECK(learn(l, definition("widgets", "Widget", "example.com", "wd"), "f:1", NULL, &err) ==
		      1 &&
		  learn(l, crd, "d:1", NULL, &err) == 0 &&
		  kind_of_object("example.com/v1", "Gadget"),
	    "a name that is given back is free");
	version = learn_why(l, "example.com/v2alpha1", "Widget");
	CHECK(version && strstr(version, "serves no version 'v2alpha1', only v1beta1, v1"),
	    "a version that is not served");
	none = learn_why(l, "example.com/v1", "Gizmo");
	CHECK(!none, "of what nobody defines there is nothing to say");
	crd = definition("gizmos", "Gizmo", "example.com", "gz");
	json_object_set_new(json_object_get(crd, "metadata"), "name", json_string("x.example.com"));
	CHECK(learn(l, crd, "g:1", NULL, &err) == -ERR_INVALID && !kind_of_word("gz"),
	    "what no server takes makes no kind");
}

static void
live(struct learn *l)
{
	json_t *crd = definition("things", "Thing", "example.com", "th");
	struct err err;

	CHECK(learn_crd(l, crd, "server", LEARN_LIVE, NULL, &err) == -ERR_CONFLICT,
	    "one that is not established");
	put(crd,
	    json_pack("{s:s,s:s,s:s,s:s}", "plural", "things", "singular", "thing", "kind", "Thing",
		"listKind", "ThingList"),
	    "status", "acceptedNames");
	put(crd, json_pack("[{s:s,s:s}]", "type", "Established", "status", "True"), "status",
	    "conditions");
	CHECK(learn_crd(l, crd, "server", LEARN_LIVE, NULL, &err) == 0, "one that is");
	learn_serve(l);
	CHECK(kind_of_word("thing") && !kind_of_word("th"), "has the names that it got");
	json_decref(crd);
}

int
main(void)
{
	struct learn *l = learn_new();

	found(l);
	replaced(l);
	refused(l);
	live(l);
	learn_free(l);
	CHECK(!kind_of_word("widgets"), "all is forgotten at the end");
	return failed;
}
