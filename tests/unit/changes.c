/* What changed between two states of an object, by whom; what a Secret holds is not told. */
#include <assert.h>
#include <string.h>

#include "api/changes.h"
#include "base/mem.h"

static json_t *
parse(const char *s)
{
	json_error_t where;
	json_t *v = json_loads(s, 0, &where);

	if (!v)
		fprintf(stderr, "%s: %s\n", where.text, s);
	assert(v);
	return v;
}

/* The changes, each ended by a '\n'. */
static void
expect(const char *before, const char *after, size_t width, const char *want)
{
	json_auto_t *a = parse(before), *b = parse(after);
	autobuf struct buf got = BUF_INIT;
	struct changes c = { 0 };

	buf_puts(&got, "");
	changes_between(&c, a, b, width);
	for (size_t i = 0; i < c.n; i++)
		buf_printf(&got, "%s\n", c.line[i]);
	changes_release(&c);
	if (strcmp(got.data, want) != 0)
		fprintf(stderr, "got:\n%swant:\n%s", got.data, want);
	assert(strcmp(got.data, want) == 0);
}

static void
lines(void)
{
	expect("{}", "{}", 0, "");
	expect("{\"spec\":{\"n\":1}}", "{\"spec\":{\"n\":1}}", 0, "");
	expect("{\"spec\":{\"n\":1,\"old\":true}}", "{\"spec\":{\"n\":3,\"new\":\"x\"}}", 0,
	    "spec.n: 1 -> 3\n-spec.old\n+spec.new: x\n");
	/* spec, then metadata, then status; noise not at all */
	expect("{\"status\":{\"a\":1,\"observedGeneration\":1},\"metadata\":{\"generation\":1,"
	       "\"labels\":{\"a\":\"1\"}},\"spec\":{\"b\":1}}",
	    "{\"status\":{\"a\":2,\"observedGeneration\":2},\"metadata\":{\"generation\":2,"
	    "\"resourceVersion\":\"9\",\"managedFields\":[1],\"labels\":{\"a\":\"2\"}},\"spec\":{"
	    "\"b\":2}}",
	    0, "spec.b: 1 -> 2\nmetadata.labels.a: 1 -> 2\nstatus.a: 1 -> 2\n");
	expect("{\"metadata\":{}}", "{\"metadata\":{\"annotations\":{\"a.b/c\":\"d\"}}}", 0,
	    "+metadata.annotations[a.b/c]: d\n");
	expect("{\"metadata\":{\"annotations\":{\"a.b/c\":\"\"}}}",
	    "{\"metadata\":{\"annotations\":{\"a.b/c\":\"x\\ny\"}}}", 0,
	    "metadata.annotations[a.b/c]: \"\" -> \"x\\ny\"\n");
	/* another type of value */
	expect("{\"x\":[1]}", "{\"x\":{\"a\":1}}", 0, "x: [1] -> {\"a\":1}\n");
	expect("{\"x\":null}", "{\"x\":false}", 0, "x: null -> false\n");
}

static void
lists(void)
{
	/* by name, whatever the order is */
	expect("{\"c\":[{\"name\":\"a\",\"i\":1},{\"name\":\"b\",\"i\":1}]}",
	    "{\"c\":[{\"name\":\"b\",\"i\":2},{\"name\":\"new\"}]}", 0,
	    "-c[a]\nc[b].i: 1 -> 2\n+c[new]: {\"name\":\"new\"}\n");
	expect("{\"c\":[{\"type\":\"Ready\",\"status\":\"False\"}]}",
	    "{\"c\":[{\"type\":\"Ready\",\"status\":\"True\"}]}", 0,
	    "c[Ready].status: False -> True\n");
	/* names that stand there twice tell nothing apart */
	expect("{\"c\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
	    "{\"c\":[{\"name\":\"a\"},{\"name\":\"b\"}]}", 0, "c[1].name: a -> b\n");
	expect("{\"c\":[1,2,3]}", "{\"c\":[1,4]}", 0, "c[1]: 2 -> 4\n-c[2]\n");
	expect("{\"c\":[]}", "{\"c\":[\"x\"]}", 0, "+c[0]: x\n");
}

static void
widths(void)
{
	struct changes c = { 0 };
	autobuf struct buf out = BUF_INIT;
	json_auto_t *a = parse("{\"a\":1,\"b\":1,\"c\":1}"),
		    *b = parse("{\"a\":2,\"b\":2,\"c\":2}");

	expect("{\"x\":\"1\"}", "{\"x\":\"123456789\"}", 4, "x: 1 -> 1234...\n");
	/* not in the middle of a character */
	expect("{\"x\":\"1\"}", "{\"x\":\"12\xc3\xa4\xc3\xb6\"}", 3, "x: 1 -> 12...\n");
	changes_between(&c, a, b, 0);
	changes_summary(&c, 2, &out);
	assert(strcmp(out.data, "a: 1 -> 2, b: 1 -> 2, and 1 more") == 0);
	changes_release(&c);
}

static void
secrets(void)
{
	expect("{\"kind\":\"Secret\",\"data\":{\"k\":\"c2VjcmV0\"}}",
	    "{\"kind\":\"Secret\",\"data\":{\"k\":\"b3RoZXI=\",\"n\":\"eA==\"}}", 0,
	    "data.k: *** -> ***\n+data.n: ***\n");
	expect("{\"kind\":\"Secret\"}", "{\"kind\":\"Secret\",\"data\":{\"n\":\"eA==\"}}", 0,
	    "+data: ***\n");
}

#define ENTRY(who, time, fields)                                                                \
	"{\"manager\":\"" who "\",\"operation\":\"Update\",\"time\":\"" time "\",\"fieldsV1\":" \
	"{\"f:" fields "\":{}}}"
#define OBJ(entries) "{\"metadata\":{\"managedFields\":[" entries "]}}"
#define T1 "2026-01-01T00:00:01Z"
#define T2 "2026-01-01T00:00:02Z"

static void
expect_by(const char *before, const char *after, const char *want_who, const char *want_when)
{
	json_auto_t *a = before ? parse(before) : NULL, *b = parse(after);
	const char *who, *when;

	changes_by(a, b, &who, &when);
	assert(strcmp(who, want_who) == 0);
	assert(strcmp(when, want_when) == 0);
}

static void
writers(void)
{
	expect_by(NULL, "{\"metadata\":{\"creationTimestamp\":\"" T1 "\"}}", "", T1);
	expect_by(NULL, OBJ(ENTRY("one", T1, "a")), "one", T1);
	/* the one with a new time, not the one that lost a field to it */
	expect_by(OBJ(ENTRY("one", T1, "a") "," ENTRY("two", T1, "b")),
	    OBJ(ENTRY("two", T2, "a") "," ENTRY("one", T1, "c")), "two", T2);
	/* twice within a second: its fields have changed, at least */
	expect_by(OBJ(ENTRY("one", T1, "a") "," ENTRY("two", T1, "b")),
	    OBJ(ENTRY("one", T1, "c") "," ENTRY("two", T1, "b")), "one", T1);
	/* not even that: the newest */
	expect_by(OBJ(ENTRY("one", T2, "a") "," ENTRY("two", T1, "b")),
	    OBJ(ENTRY("one", T2, "a") "," ENTRY("two", T1, "b")), "one", T2);
}

int
main(void)
{
	lines();
	lists();
	widths();
	secrets();
	writers();
	return 0;
}
