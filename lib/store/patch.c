/* PATCH by JSON merge patch (RFC 7386). */
#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/call.h"

json_t *
merge_patch(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *v;

	if (!json_is_object(patch)) {
		json_decref(target);
		return json_deep_copy(patch);
	}
	if (!json_is_object(target)) {
		json_decref(target);
		target = json_object();
	}
	json_object_foreach ((json_t *)patch, key, v) {
		json_t *was;

		if (json_is_null(v)) {
			json_object_del(target, key);
			continue;
		}
		was = json_object_get(target, key);
		json_object_set_new(target, key, merge_patch(json_incref(was), v));
	}
	return target;
}

static bool
is_merge_patch(const char *type)
{
	static const char want[] = "application/merge-patch+json";

	return type && strncasecmp(type, want, strlen(want)) == 0 &&
	       strchr("; ", type[strlen(want)]);
}

static void
unsupported(struct call *c, const char *type)
{
	autofree char *msg =
	    xasprintf("the body of the request was in an unknown format - accepted media types "
		      "include: application/merge-patch+json (got '%.100s')",
		type ? type : "");

	reply_status(c, 415, "UnsupportedMediaType", msg, NULL);
}

static void
patch_run(struct call *c)
{
	const char *type = http_header(c->x, "Content-Type");
	json_t *patch, *old, *obj;

	if (!is_merge_patch(type)) {
		unsupported(c, type);
		return;
	}
	if (options_read(c, "PatchOptions") < 0 || call_current(c) < 0 || body_json(c, &patch) < 0)
		return;
	if (!json_is_object(patch)) {
		json_decref(patch);
		reply_status(c, 400, "BadRequest", "the patch is not a JSON object", NULL);
		return;
	}
	old = object_json(c->old, c->kind);
	obj = merge_patch(json_deep_copy(old), patch);
	c->status = 200;
	/* the version read is not the patch's: only one that the patch itself names is a condition
	 */
	if (!get(patch, "metadata", "resourceVersion"))
		json_object_del(json_object_get(obj, "metadata"), "resourceVersion");
	json_decref(patch);
	if (object_decode(c, c->kind, obj) < 0 ||
	    update_prepare(c, old, obj, *c->target.sub ? PART_STATUS : PART_MAIN) < 0)
		json_decref(obj);
	else
		update_submit(c, obj);
	json_decref(old);
}

void
patch_handle(struct call *c)
{
	call_defer(c, patch_run);
}
