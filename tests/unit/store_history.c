/*
 * The cache against a model: after random writes in three namespaces, every older
 * revision, in every scope and in pages, is walked as it was.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/cache.h"

enum { STEPS = 400, SPACES = 3, NAMES = 5, KEYS = SPACES * NAMES, PAGE = 3 };

static unsigned held[STEPS + 1][KEYS]; /* the model: which revision each key has, 0: none */
static struct cache *cache;
static struct table *pods;

static struct object *
object(int key, uint64_t revision)
{
	struct draft d = DRAFT_INIT;
	char name[8], ns[8];
	json_t *pod;
	struct object *o;

	snprintf(ns, sizeof ns, "s%d", key / NAMES);
	snprintf(name, sizeof name, "n%d", key % NAMES);
	pod = json_pack("{s:{s:s,s:s}}", "metadata", "name", name, "namespace", ns);
	draft_encode(&d, pods->kind, pod);
	o = draft_finish(&d, revision);
	draft_release(&d);
	json_decref(pod);
	return o;
}

static void
step(unsigned i, unsigned *seed)
{
	int key = rand_r(seed) % KEYS;
	bool there = held[i - 1][key], deletes = there && rand_r(seed) % 3 == 0;
	struct object *o = object(key, i);

	memcpy(held[i], held[i - 1], sizeof held[i]);
	held[i][key] = deletes ? 0 : i;
	cache_begin(cache);
	cache_apply(cache, pods, o,
	    deletes ? EVENT_DELETED
	    : there ? EVENT_MODIFIED
		    : EVENT_ADDED,
	    i);
	cache_end(cache);
	object_unref(o);
}

struct page {
	struct object *object[PAGE];
	size_t n;
};

static bool
take(void *arg, struct object *o)
{
	struct page *p = arg;

	if (p->n == PAGE)
		return false;
	p->object[p->n++] = object_ref(o);
	return true;
}

/* All of one scope at one revision, page by page, beside the model. */
static void
compare(unsigned revision, int space)
{
	char ns[16], after_ns[8] = "", after_name[8] = "";
	struct walk w = { .table = pods, .revision = revision };
	int key = space < 0 ? 0 : space * NAMES, end = space < 0 ? KEYS : key + NAMES;
	struct page p;

	snprintf(ns, sizeof ns, "s%d", space);
	w.namespace = space < 0 ? NULL : ns;
	do {
		uint64_t at;
		struct err err;

		p.n = 0;
		assert(cache_walk(cache, &w, take, &p, &at, &err) == 0 && at == revision);
		for (size_t i = 0; i < p.n; i++) {
			struct object *o = p.object[i];

			while (key < end && !held[revision][key])
				key++;
			assert(key < end && o->revision == held[revision][key]);
			assert(atoi(object_namespace(o) + 1) == key / NAMES &&
			       atoi(object_name(o) + 1) == key % NAMES);
			key++;
			strcpy(after_ns, object_namespace(o));
			strcpy(after_name, object_name(o));
			object_unref(o);
		}
		w.after_namespace = after_ns;
		w.after_name = after_name;
	} while (p.n == PAGE);
	while (key < end && !held[revision][key])
		key++;
	assert(key == end);
}

static void
compare_all(unsigned from)
{
	for (unsigned r = from; r <= STEPS; r++)
		for (int space = -1; space < SPACES; space++)
			compare(r, space);
}

int
main(void)
{
	static const struct history_limits few = { -1, 50, 1 << 20, 50 };
	unsigned seed = 3;

	cache = cache_new();
	pods = cache_table(cache, kind_find("", "v1", "Pod"));
	for (unsigned i = 1; i <= STEPS; i++)
		step(i, &seed);
	compare_all(1);
	assert(cache_trim(cache, &few, STEPS, 1000) == STEPS - 50);
	assert(cache_compacted(cache) == STEPS - 50);
	compare_all(STEPS - 50);
	cache_free(cache);
	return 0;
}
