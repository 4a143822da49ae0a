/* Where objects may be created. */
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/admission.h"

static void
refuse_terminating(struct call *c, const char *name)
{
	char resource[128];
	autofree char *msg = xasprintf("%s \"%s\" is forbidden: unable to create new content in "
				       "namespace %s because it is being terminated",
	    call_resource(c, resource), name, c->target.namespace);
	autofree char *cause = xasprintf("namespace %s is being terminated", c->target.namespace);
	json_t *d = json_pack("{s:s}", "name", name);

	if (*c->kind->group)
		json_object_set_new(d, "group", json_string(c->kind->group));
	json_object_set_new(d, "kind", json_string(c->kind->plural));
	json_object_set_new(d, "causes",
	    json_pack("[{s:s,s:s,s:s}]", "reason", "NamespaceTerminating", "message", cause,
		"field", "metadata.namespace"));
	reply_status(c, 403, "Forbidden", msg, d);
}

int
namespace_lifecycle(struct admission *a)
{
	struct call *c = a->c;
	bool leaving;

	if (!a->kind->namespaced)
		return 0;
	struct object *ns =
	    cache_get(c->server->cache, c->server->namespaces, "", c->target.namespace);

	if (!ns) {
		autofree char *msg = xasprintf("namespaces \"%s\" not found", c->target.namespace);
		reply_status(c, 404, "NotFound", msg,
		    json_pack("{s:s,s:s}", "name", c->target.namespace, "kind", "namespaces"));
		return -1;
	}
	leaving = strcmp(object_field(ns, c->server->namespaces->kind, "status.phase"),
		      "Terminating") == 0;
	object_unref(ns);
	if (leaving)
		refuse_terminating(c, meta_name(a->obj));
	return leaving ? -1 : 0;
}
