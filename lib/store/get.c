/* GET of one object: the bytes as they are kept. */
#include <string.h>

#include "store/call.h"

void
get_handle(struct call *c)
{
	struct object *o;
	uint64_t version;
	struct err err;

	if (*c->req->query && (call_version(c, &version) < 0 || call_too_new(c, version) < 0))
		return;
	o = cache_get(c->server->cache, c->table, c->target.namespace, c->target.name);
	if (!o) {
		fail_not_found(c, c->target.name, &err);
		reply_error(c, &err);
		return;
	}
	reply_object(c, 200, o);
	object_unref(o);
}
