/* The world against a plain array: random changes, then every question asked of both. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/meta.h"
#include "base/mem.h"
#include "control/control.h"

enum { KINDS = 3, SPACES = 4, NAMES = 40, NODES = 3, OWNERS = 6, STEPS = 20000 };

static const char *const kinds[KINDS] = { "Pod", "ReplicaSet.apps", "Node" };
static json_t *model[KINDS][SPACES][NAMES];
static unsigned long seed = 42;

static unsigned
draw(unsigned below)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned)(seed >> 33) % below;
}

static json_t *
object(unsigned kind, unsigned space, unsigned name)
{
	static unsigned serial;
	char ns[16], text_name[16], uid[16];
	json_t *obj, *refs = json_array();

	snprintf(ns, sizeof ns, "ns-%u", space);
	snprintf(text_name, sizeof text_name, "x-%u", name);
	snprintf(uid, sizeof uid, "u-%u", ++serial);
	for (unsigned n = draw(3); n > 0; n--)
		json_array_append_new(
		    refs, json_pack("{s:o}", "uid", json_sprintf("o-%u", draw(OWNERS))));
	obj = json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:o}, s:{}}", "apiVersion",
	    kind == 1 ? "apps/v1" : "v1", "kind", kind == 1 ? "ReplicaSet" : kinds[kind],
	    "metadata", "namespace", ns, "name", text_name, "uid", uid, "ownerReferences", refs,
	    "spec");
	if (draw(4))
		put(obj, json_sprintf("n-%u", draw(NODES)), "spec", "nodeName");
	return obj;
}

static bool
owns(const json_t *obj, const char *uid)
{
	size_t i;
	json_t *ref;

	json_array_foreach (get(obj, "metadata", "ownerReferences"), i, ref)
		if (strcmp(text(ref, "uid"), uid) == 0)
			return true;
	return false;
}

/* The walk holds exactly the model's objects that `wanted` accepts, in order. */
static void
expect(
    struct walk it, unsigned first, unsigned last, int space, const char *owner, const char *node)
{
	const json_t *before = NULL, *obj;
	size_t want = 0, have = 0;

	for (unsigned k = first; k <= last; k++)
		for (unsigned s = 0; s < SPACES; s++)
			for (unsigned n = 0; n < NAMES; n++)
				want += (obj = model[k][s][n]) &&
					(space < 0 || (unsigned)space == s) &&
					(!owner || owns(obj, owner)) &&
					(!node || strcmp(text(obj, "spec", "nodeName"), node) == 0);
	for (; (obj = walk_next(&it)); before = obj, have++) {
		if (owner)
			assert(owns(obj, owner));
		if (node)
			assert(strcmp(text(obj, "spec", "nodeName"), node) == 0);
		if (before) {
			int order = strcmp(meta_namespace(before), meta_namespace(obj));

			assert(order < 0 ||
			       (order == 0 && strcmp(meta_name(before), meta_name(obj)) <= 0));
		}
	}
	assert(have == want);
}

static void
question(const struct world *w)
{
	char word[16];
	unsigned k = draw(KINDS), s = draw(SPACES), n = draw(NAMES);
	char ns[16];

	snprintf(ns, sizeof ns, "ns-%u", s);
	snprintf(word, sizeof word, "x-%u", n);
	assert(world_get(w, kinds[k], ns, word) == model[k][s][n]);
	if (model[k][s][n])
		assert(world_by_uid(w, meta_uid(model[k][s][n])) == model[k][s][n]);
	expect(world_each(w, kinds[k], NULL), k, k, -1, NULL, NULL);
	expect(world_each(w, kinds[k], ns), k, k, (int)s, NULL, NULL);
	snprintf(word, sizeof word, "o-%u", draw(OWNERS));
	expect(world_owned(w, kinds[k], word), k, k, -1, word, NULL);
	expect(world_owned(w, NULL, word), 0, KINDS - 1, -1, word, NULL);
	snprintf(word, sizeof word, "n-%u", draw(NODES + 1));
	expect(world_on_node(w, word), 0, 0, -1, NULL, word);
}

static void
random_changes(void)
{
	struct world *w = world_new();

	for (int i = 0; i < STEPS; i++) {
		unsigned k = draw(KINDS), s = draw(SPACES), n = draw(NAMES);
		char ns[16], name[16];

		snprintf(ns, sizeof ns, "ns-%u", s);
		snprintf(name, sizeof name, "x-%u", n);
		if (draw(3)) {
			model[k][s][n] = object(k, s, n);
			world_put(w, model[k][s][n]);
		} else {
			assert(world_remove(w, kinds[k], ns, name) == !!model[k][s][n]);
			model[k][s][n] = NULL;
		}
		if (draw(10) == 0)
			question(w);
	}
	world_free(w);
}

/* Nodes and settings, which the random walk does not ask. */
static void
fixed(void)
{
	struct world *w = world_new();
	struct walk it;

	assert(!world_get(w, "Pod", "a", "b") && !world_by_uid(w, "") && !world_count(w, "Pod"));
	it = world_on_node(w, "n1");
	assert(!walk_next(&it));
	for (int i = 0; i < 3; i++)
		world_put(w, json_pack("{s:s, s:s, s:{s:s, s:o}, s:{s:s}}", "apiVersion", "v1",
				 "kind", "Pod", "metadata", "namespace", "a", "name",
				 json_sprintf("p%d", 2 - i), "spec", "nodeName", i ? "n1" : ""));
	it = world_on_node(w, "n1");
	assert(strcmp(meta_name(walk_next(&it)), "p0") == 0);
	assert(strcmp(meta_name(walk_next(&it)), "p1") == 0 && !walk_next(&it));
	it = world_on_node(w, "");
	assert(strcmp(meta_name(walk_next(&it)), "p2") == 0 && !walk_next(&it));
	assert(!world_knows(w, "Pod"));
	world_set_known(w, "Pod");
	assert(world_knows(w, "Pod") && !world_knows(w, "Node"));
	assert(world_seconds(w, "grace", 40) == 40);
	world_set(w, "grace", "1m30s");
	world_set(w, "grace", "2m");
	assert(world_seconds(w, "grace", 40) == 120);
	assert(strcmp(world_kind(w, 0), "Pod") == 0 && !world_kind(w, 1));
	world_free(w);
}

/* A hundred thousand Pods: put in at random, changed one at a time, asked in between. */
static void
large(void)
{
	enum { MANY = 100000 };
	struct world *w = world_new();
	clock_t start = clock();
	size_t sum = 0;

	for (unsigned i = 0; i < MANY; i++)
		world_put(w, json_pack("{s:s, s:s, s:{s:s, s:o, s:[{s:o}]}, s:{s:o}}", "apiVersion",
				 "v1", "kind", "Pod", "metadata", "namespace", "default", "name",
				 json_sprintf("p-%u", draw(1U << 31)), "ownerReferences", "uid",
				 json_sprintf("rs-%u", i % 1000), "spec", "nodeName",
				 json_sprintf("n-%u", i % 500)));
	assert(world_count(w, "Pod") > MANY - 100);
	for (unsigned i = 0; i < 1000; i++) {
		char uid[16];

		world_put(
		    w, json_pack("{s:s, s:s, s:{s:s, s:o}}", "apiVersion", "v1", "kind", "Pod",
			   "metadata", "namespace", "default", "name", json_sprintf("q-%u", i)));
		snprintf(uid, sizeof uid, "rs-%u", i);
		sum += world_owned(w, "Pod", uid).n + world_each(w, "Pod", "default").n % 2;
		world_remove(w, "Pod", "default", "no such");
	}
	assert(sum > MANY - 100);
	world_free(w);
	assert((double)(clock() - start) / CLOCKS_PER_SEC <
	       20); /* 0.4 s here; a scan would take minutes */
}

int
main(void)
{
	for (int v = 0; v < ACT_COUNT; v++)
		assert(verb_of_name(verb_name((enum verb)v)) == v);
	assert(verb_of_name("dance") == -1);
	random_changes();
	fixed();
	large();
	return 0;
}
