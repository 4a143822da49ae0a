/* PUT of namespaces/finalize: what still holds a Namespace that is leaving. */
#include "api/meta.h"
#include "store/call.h"

static void
finalize_run(struct call *c)
{
	json_t *body, *old, *obj, *finalizers;

	if (options_read(c, "UpdateOptions") < 0 || body_object(c, c->kind, &body) < 0)
		return;
	if (call_current(c) < 0) {
		json_decref(body);
		return;
	}
	old = object_json(c->old, c->kind);
	obj = json_deep_copy(old);
	finalizers = get(body, "spec", "finalizers");
	json_object_del(json_object_get(obj, "metadata"), "resourceVersion");
	if (*meta_version(body))
		put(obj, json_string(meta_version(body)), "metadata", "resourceVersion");
	if (json_array_size(finalizers) > 0)
		put(obj, json_incref(finalizers), "spec", "finalizers");
	else
		json_object_del(json_object_get(obj, "spec"), "finalizers");
	json_decref(body);
	c->status = 200;
	if (update_prepare(c, old, obj, PART_SPEC) < 0)
		json_decref(obj);
	else
		update_submit(c, obj);
	json_decref(old);
}

void
finalize_handle(struct call *c)
{
	call_defer(c, finalize_run);
}
