/* What a list or watch asks for: continue tokens and selectors against an object. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "store/object.h"
#include "store/token.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

static struct object *
sample(const struct kind *k)
{
	struct draft d = DRAFT_INIT;
	json_t *pod = json_pack("{s:{s:s,s:s,s:{s:s,s:s}},s:{s:s}}", "metadata", "name", "web",
	    "namespace", "default", "labels", "app", "web", "tier", "1", "spec", "nodeName", "n1");
	struct object *o;

	draft_encode(&d, k, pod);
	o = draft_finish(&d, 7);
	assert(draft_same(&d, o));
	draft_release(&d);
	json_decref(pod);
	return o;
}

static void
try_token(const char *text)
{
	struct token t = { 0 }, again = { 0 };
	struct err err;

	if (token_parse(&t, text, &err) == 0) {
		autofree char *printed = token_print(&t);

		assert(token_parse(&again, printed, &err) == 0);
		assert(
		    strcmp(t.namespace, again.namespace) == 0 && strcmp(t.name, again.name) == 0);
		assert(t.revision == again.revision);
		token_release(&again);
	}
	token_release(&t);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static struct object *o;
	autofree char *text = xstrndup((const char *)data, len);
	char *line = strchr(text, '\n');
	struct filter f = { .kind = kind_find("", "v1", "Pod") };
	struct err err;

	if (!o)
		o = sample(f.kind);
	if (line)
		*line++ = '\0';
	try_token(text);
	if (filter_parse(&f, text, line, &err) == 0)
		(void)filter_match(&f, o);
	filter_release(&f);
	return 0;
}
