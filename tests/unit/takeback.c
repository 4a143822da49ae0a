/* A write taken back, with others writing in between. */
#include "client/takeback.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *
parse(const char *text)
{
	json_t *v = json_loads(text, 0, NULL);

	assert(v);
	return v;
}

/* want NULL: it cannot be taken back. */
static void
content(const char *before, const char *after, const char *now, const char *want)
{
	json_t *b = parse(before), *a = parse(after), *n = parse(now),
	       *w = parse(want ? want : "{}"), *got = NULL;
	struct err err;
	int r = takeback_content(b, a, n, &got, &err);

	if ((r < 0) != !want || (want && !json_equal(got, w))) {
		fprintf(stderr, "%s -> %s, now %s: %s\n", before, after, now,
		    got ? json_dumps(got, 0) : err.msg);
		abort();
	}
	assert(r >= 0 || err.code == ERR_GONE);
	json_decref(b);
	json_decref(a);
	json_decref(n);
	json_decref(w);
	json_decref(got);
}

static void
contents(void)
{
	/* nobody else */
	content("{\"x\":1}", "{\"x\":2}", "{\"x\":2}", "{\"x\":1}");
	content("{}", "{\"x\":{\"y\":2}}", "{\"x\":{\"y\":2}}", "{}");
	content("{\"x\":{\"y\":2}}", "{}", "{}", "{\"x\":{\"y\":2}}");
	content("{\"l\":[1]}", "{\"l\":[1,2]}", "{\"l\":[1,2]}", "{\"l\":[1]}");
	/* others beside us */
	content("{\"d\":{\"a\":1}}", "{\"d\":{\"a\":2}}", "{\"d\":{\"a\":2,\"b\":3}}",
	    "{\"d\":{\"a\":1,\"b\":3}}");
	content("{}", "{\"d\":{\"a\":2}}", "{\"d\":{\"a\":2,\"b\":3}}", "{\"d\":{\"b\":3}}");
	content("{\"l\":[1]}", "{\"l\":[1],\"x\":1}", "{\"l\":[1,7],\"x\":1}", "{\"l\":[1,7]}");
	/* others in our place: theirs */
	content("{\"x\":1}", "{\"x\":2}", "{\"x\":3}", "{\"x\":3}");
	content("{\"x\":1}", "{\"x\":2}", "{}", "{}");
	content("{\"x\":1}", "{}", "{\"x\":3}", "{\"x\":3}");
	content("{\"x\":1}", "{\"x\":2}", "{\"x\":1}", "{\"x\":1}");
	/* a list that both have changed */
	content("{\"l\":[1]}", "{\"l\":[1,2]}", "{\"l\":[1,2,3]}", NULL);
	/* what a server keeps is as now */
	content("{\"metadata\":{\"resourceVersion\":\"1\",\"generation\":1},\"status\":{\"s\":1}}",
	    "{\"metadata\":{\"resourceVersion\":\"2\",\"generation\":2},\"status\":{\"s\":1}}",
	    "{\"metadata\":{\"resourceVersion\":\"3\",\"generation\":2},\"status\":{\"s\":2}}",
	    "{\"metadata\":{\"resourceVersion\":\"3\",\"generation\":2},\"status\":{\"s\":2}}");
}

static json_t *
owned(const char *entries)
{
	return json_pack("{s:{s:o}}", "metadata", "managedFields", parse(entries));
}

#define ENTRY(who, op, sub, fields)                                                         \
	"{\"manager\":\"" who "\",\"operation\":\"" op "\",\"apiVersion\":\"v1\",\"time\":" \
	"\"2026-01-01T00:00:00Z\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":" fields sub "}"
#define STATUS ",\"subresource\":\"status\""

static void
managers(const char *before, const char *after, const char *was, const char *now, const char *want)
{
	json_t *b = owned(before), *a = owned(after), *x = owned(was), *n = owned(now),
	       *w = parse(want), *got = NULL;
	struct err err;

	if (takeback_managers(b, a, x, n, "us", &got, &err) < 0 || !json_equal(got, w)) {
		fprintf(stderr, "got %s\n", got ? json_dumps(got, 0) : err.msg);
		abort();
	}
	json_decref(b);
	json_decref(a);
	json_decref(x);
	json_decref(n);
	json_decref(w);
	json_decref(got);
}

int
main(void)
{
	static const char mine[] = "[" ENTRY("us", "Apply", "", "{\"f:x\":{}}") "]";
	static const char more[] = "[" ENTRY("us", "Apply", "", "{\"f:x\":{},\"f:y\":{}}") "]";
	static const char torn[] = "[" ENTRY("us", "Apply", "", "{\"f:y\":{}}") "," ENTRY(
	    "orch-undo", "Update", "", "{\"f:x\":{}}") "]";

	contents();
	managers(mine, more, more, torn, mine);
	/* what was another's and we had forced is his again */
	managers("[" ENTRY("other", "Update", "", "{\"f:x\":{}}") "]", mine, mine,
	    "[" ENTRY("orch-undo", "Update", "", "{\"f:x\":{}}") "]",
	    "[" ENTRY("other", "Update", "", "{\"f:x\":{}}") "]");
	/* a status, and what others own since */
	managers("[" ENTRY("other", "Update", "", "{\"f:a\":{}}") "," ENTRY(
		     "kcm", "Update", STATUS, "{\"f:status\":{}}") "]",
	    "[" ENTRY("us", "Apply", "", "{\"f:a\":{}}") "," ENTRY(
		"kcm", "Update", STATUS, "{\"f:status\":{}}") "]",
	    "[" ENTRY("us", "Apply", "", "{\"f:a\":{}}") "," ENTRY(
		"other", "Update", "", "{\"f:b\":{}}") "," ENTRY("kcm", "Update", STATUS,
		"{\"f:status\":{\"f:n\":{}}}") "]",
	    "[" ENTRY("other", "Update", "", "{\"f:b\":{}}") "," ENTRY(
		"new", "Update", "", "{\"f:c\":{}}") "," ENTRY("kcm", "Update", STATUS,
		"{\"f:status\":{\"f:n\":{}}}") "]",
	    "[" ENTRY("kcm", "Update", STATUS, "{\"f:status\":{\"f:n\":{}}}") "," ENTRY("new",
		"Update", "",
		"{\"f:c\":{}}") "," ENTRY("other", "Update", "", "{\"f:a\":{},\"f:b\":{}}") "]");
	return 0;
}
