/* Three-way merges: a row each of what was applied, what is applied, what is there, what must come
 * out. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "client/threeway.h"

#define POD(spec) "{\"spec\":" spec "}"
#define C(list) "{\"spec\":{\"containers\":[" list "]}}"

static const struct row {
	const char *kind, *last, *wanted, *live, *out;
} rows[] = {
	/* fields: set, removed when it was ours, left when it was not */
	{ "Pod", "{}", "{\"a\":1}", "{\"b\":2}", "{\"a\":1,\"b\":2}" },
	{ "Pod", "{\"a\":1}", "{}", "{\"a\":1,\"b\":2}", "{\"b\":2}" },
	{ "Pod", NULL, "{\"a\":null}", "{\"a\":1,\"b\":2}", "{\"b\":2}" },
	{ "Pod", "{\"m\":{\"x\":1,\"y\":1}}", "{\"m\":{\"x\":2}}",
	    "{\"m\":{\"x\":1,\"y\":1,\"z\":1}}", "{\"m\":{\"x\":2,\"z\":1}}" },
	{ "Pod", "{\"m\":{\"x\":1}}", "{}", "{\"m\":{\"x\":1,\"z\":1}}", "{}" },
	/* containers by name */
	{ "Pod", C("{\"name\":\"a\",\"image\":\"1\"}"), C("{\"name\":\"a\",\"image\":\"2\"}"),
	    C("{\"name\":\"a\",\"image\":\"1\",\"tty\":true}"),
	    C("{\"name\":\"a\",\"image\":\"2\",\"tty\":true}") },
	{ "Pod", C("{\"name\":\"a\"},{\"name\":\"b\"}"), C("{\"name\":\"b\"},{\"name\":\"c\"}"),
	    C("{\"name\":\"x\"},{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"y\"}"),
	    C("{\"name\":\"x\"},{\"name\":\"b\"},{\"name\":\"y\"},{\"name\":\"c\"}") },
	{ "Pod", C("{\"name\":\"a\"},{\"name\":\"b\"}"), C("{\"name\":\"b\"},{\"name\":\"a\"}"),
	    C("{\"name\":\"a\"},{\"name\":\"b\"}"), C("{\"name\":\"b\"},{\"name\":\"a\"}") },
	/* lists of plain values: a command as a whole, finalizers as a set */
	{ "Pod", C("{\"name\":\"a\",\"args\":[\"1\",\"2\"]}"),
	    C("{\"name\":\"a\",\"args\":[\"3\"]}"), C("{\"name\":\"a\",\"args\":[\"1\",\"2\"]}"),
	    C("{\"name\":\"a\",\"args\":[\"3\"]}") },
	{ "Pod", "{\"metadata\":{\"finalizers\":[\"a\",\"b\"]}}",
	    "{\"metadata\":{\"finalizers\":[\"b\"]}}",
	    "{\"metadata\":{\"finalizers\":[\"x\",\"a\",\"b\"]}}",
	    "{\"metadata\":{\"finalizers\":[\"x\",\"b\"]}}" },
	/* the same port of two protocols */
	{ "Pod", NULL,
	    C("{\"name\":\"a\",\"ports\":[{\"containerPort\":53,\"protocol\":\"UDP\"},{"
	      "\"containerPort\":53,\"name\":\"t\"}]}"),
	    C("{\"name\":\"a\",\"ports\":[{\"containerPort\":53,\"protocol\":\"UDP\"},{"
	      "\"containerPort\":53,\"protocol\":\"TCP\"}]}"),
	    C("{\"name\":\"a\",\"ports\":[{\"containerPort\":53,\"protocol\":\"UDP\"},{"
	      "\"containerPort\":53,\"protocol\":\"TCP\",\"name\":\"t\"}]}") },
	/* a key that is there twice */
	{ "Pod", NULL, C("{\"name\":\"a\",\"env\":[{\"name\":\"X\"},{\"name\":\"X\"}]}"),
	    C("{\"name\":\"a\",\"env\":[{\"name\":\"X\"},{\"name\":\"Y\"}]}"),
	    C("{\"name\":\"a\",\"env\":[{\"name\":\"X\"},{\"name\":\"Y\"},{\"name\":\"X\"}]}") },
	/* a volume is a union: another source replaces the one before */
	{ "Pod", POD("{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}"),
	    POD("{\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"c\"}}]}"),
	    POD("{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}"),
	    POD("{\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"c\"}}]}") },
	/* without a schema lists are replaced */
	{ NULL, "{\"l\":[{\"name\":\"a\"}]}", "{\"l\":[{\"name\":\"b\"}]}",
	    "{\"l\":[{\"name\":\"a\"},{\"name\":\"x\"}]}", "{\"l\":[{\"name\":\"b\"}]}" },
};

static json_t *
parse(const char *text)
{
	json_t *v = json_loads(text, 0, NULL);

	assert(v);
	return v;
}

static void
check(const struct row *row)
{
	const struct kind *k = row->kind ? kind_of_word(row->kind) : NULL;
	json_t *last = row->last ? parse(row->last) : NULL, *wanted = parse(row->wanted);
	json_t *live = parse(row->live), *out = parse(row->out), *patch, *again;
	json_t *got = threeway_merge(k, last, wanted, live);

	if (!json_equal(got, out)) {
		fprintf(stderr, "got %s\nnot %s\n", json_dumps(got, 0), row->out);
		assert(!"merge");
	}
	/* applied a second time nothing is left to do */
	again = threeway_merge(k, wanted, wanted, got);
	assert(!merge_patch_between(k, got, again));
	patch = merge_patch_between(k, live, got);
	assert((patch == NULL) == json_equal(live, got));
	json_decref(last);
	json_decref(wanted);
	json_decref(live);
	json_decref(out);
	json_decref(patch);
	json_decref(again);
	json_decref(got);
}

static void
patches(void)
{
	const struct kind *k = kind_of_word("pod");
	json_t *from = parse(
	    C("{\"name\":\"a\",\"resources\":{\"requests\":{\"cpu\":\"1\",\"memory\":\"1Gi\"}}}"));
	json_t *same = parse(C("{\"name\":\"a\",\"resources\":{\"requests\":{\"cpu\":\"1000m\","
			       "\"memory\":\"1024Mi\"}}}"));
	json_t *other = parse(C(
	    "{\"name\":\"a\",\"resources\":{\"requests\":{\"cpu\":\"999m\",\"memory\":\"1Gi\"}}}"));
	json_t *patch, *want;

	assert(!merge_patch_between(k, from, same));
	assert((patch = merge_patch_between(k, from, other)));
	json_decref(patch);
	json_decref(from);
	json_decref(other);
	from = parse("{\"a\":{\"b\":1,\"c\":2},\"d\":1}");
	other = parse("{\"a\":{\"b\":1,\"c\":3}}");
	want = parse("{\"a\":{\"c\":3},\"d\":null}");
	patch = merge_patch_between(NULL, from, other);
	assert(json_equal(patch, want));
	json_decref(patch);
	json_decref(want);
	json_decref(from);
	json_decref(same);
	json_decref(other);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(&rows[i]);
	patches();
	return 0;
}
