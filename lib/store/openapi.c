/* /openapi/v3: which documents there are, and the documents. */
#include "api/openapi.h"

#include <string.h>

#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/call.h"

/* Clients keep a document by its hash: it changes with the program only. */
static void
add_document(json_t *paths, const struct kind *k)
{
	char version[128];
	autofree char *name =
	    xasprintf("%s/%s", *k->group ? "apis" : "api", kind_api_version(k, version));
	autofree char *id = xasprintf("%s " ORCH_VERSION " " __DATE__ " " __TIME__, name);
	autofree char *url = xasprintf("/openapi/v3/%s?hash=%016llX", name,
	    (unsigned long long)text_hash(id, strlen(id), TEXT_HASH_SEED));

	if (!json_object_get(paths, name))
		json_object_set_new(paths, name, json_pack("{s:s}", "serverRelativeURL", url));
}

static void
index_run(struct call *c)
{
	json_t *paths = json_object(), *v;
	autobuf struct buf b = BUF_INIT;
	size_t n;
	const struct kind *k = schema_kinds(&n);

	for (size_t i = 0; i < n; i++)
		add_document(paths, &k[i]);
	v = json_pack("{s:o}", "paths", paths);
	jsonl_add(&b, v);
	json_decref(v);
	reply_text(c, 200, "text/plain; charset=utf-8", b.data);
}

static void
document_run(struct call *c)
{
	json_t *v = openapi_v3(c->target.group, c->target.version);

	reply_json(c, 200, v);
	json_decref(v);
}

void
openapi_handle(struct call *c)
{
	call_defer(c, *c->target.version ? document_run : index_run);
}
