/* GET of one object: the bytes as they are kept. */
#include <string.h>

#include "base/mem.h"
#include "store/call.h"

static void
missing(struct call *c)
{
	autofree char *msg = NULL;
	struct err err;

	if (kind_is(c->kind, "", "ComponentStatus")) { /* named in the singular, only here */
		msg = xasprintf("componentstatus \"%s\" not found", c->target.name);
		reply_status(c, 404, "NotFound", msg,
		    json_pack("{s:s,s:s}", "name", c->target.name, "kind", "componentstatus"));
		return;
	}
	fail_not_found(c, c->target.name, &err);
	reply_error(c, &err);
}

void
get_handle(struct call *c)
{
	struct object *o;
	uint64_t version;

	if (*c->req->query && (call_version(c, &version) < 0 || call_too_new(c, version) < 0))
		return;
	o = cache_get(c->server->cache, c->table, c->target.namespace, c->target.name);
	if (!o) {
		missing(c);
		return;
	}
	reply_object(c, 200, o);
	object_unref(o);
}
