/* PATCH, in the forms that Kubernetes has (api/patch.h); server-side apply goes on in apply.c. */
#include "api/patch.h"

#include <string.h>
#include <strings.h>

#include "api/cause.h"
#include "api/golang.h"
#include "api/meta.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/call.h"

enum { OPERATIONS = 10000 };

static const char *const types[] = {
	[PATCH_JSON] = "application/json-patch+json",
	[PATCH_MERGE_JSON] = "application/merge-patch+json",
	[PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
	[PATCH_APPLY] = "application/apply-patch+yaml",
};

enum patch_form
patch_form(struct call *c)
{
	const char *type = http_header(c->x, "Content-Type");

	for (size_t i = PATCH_JSON; type && i < COUNT(types); i++)
		if (strncasecmp(type, types[i], strlen(types[i])) == 0 &&
		    strchr("; ", type[strlen(types[i])]))
			return (enum patch_form)i;
	return PATCH_NONE;
}

static int
bad_patch(struct call *c, const char *why)
{
	autofree char *msg = xasprintf("error decoding patch: %s", why);

	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

/* It is JSON, but not the kind of value that this form is. */
static int
bad_type(struct call *c, enum patch_form form, const json_t *patch)
{
	autofree char *why =
	    xasprintf("json: cannot unmarshal %s into Go value of type %s", go_json_type(patch),
		form == PATCH_JSON ? "[]handlers.jsonPatchOp" : "map[string]interface {}");

	return bad_patch(c, why);
}

static int
read_patch(struct call *c, enum patch_form form, json_t **ret)
{
	json_error_t e;
	json_t *patch = NULL;
	char fault[96], why[128];
	size_t used;
	int r;

	/* the fast way; it knows no keys that stand twice and nothing that Go forgives */
	if (json_decode(c->req->body, c->req->len, &patch, &used, why) != JSON_FINE ||
	    used + strspn(c->req->body + used, " \t\r\n") != c->req->len) {
		json_decref(patch);
		patch = json_loadb(c->req->body, c->req->len, JSON_DECODE_ANY, &e);
	}
	if (!patch)
		return bad_patch(
		    c, go_json_fault(c->req->body, c->req->len, fault) ? fault : e.text);
	if (form == PATCH_JSON && json_is_array(patch) && json_array_size(patch) > OPERATIONS) {
		autofree char *msg =
		    xasprintf("Request entity too large: The allowed maximum operations in a JSON "
			      "patch is %d, got %zu",
			OPERATIONS, json_array_size(patch));

		json_decref(patch);
		reply_status(c, 413, "RequestEntityTooLarge", msg, NULL);
		return -1;
	}
	if (form == PATCH_JSON ? json_is_array(patch) : json_is_object(patch)) {
		*ret = patch;
		return 0;
	}
	r = bad_type(c, form, patch);
	json_decref(patch);
	return r;
}

/* The version that was read is no condition, only one that the patch itself names is. */
static bool
names_version(enum patch_form form, const json_t *patch, const json_t *obj, const json_t *old)
{
	if (form == PATCH_JSON)
		return strcmp(meta_version(obj), meta_version(old)) != 0;
	return get(patch, "metadata", "resourceVersion");
}

/* Its metadata may be shared with what messages show. */
static void
forget_version(json_t *obj)
{
	json_t *meta = json_copy(json_object_get(obj, "metadata"));

	if (!meta)
		return;
	json_object_del(meta, "resourceVersion");
	json_object_set_new(obj, "metadata", meta);
}

int
patch_apply(
    struct call *c, const json_t *old, const struct type *type, json_t **ret, json_t **shown)
{
	enum patch_form form = patch_form(c);
	json_t *patch = NULL, *obj;
	struct err err;
	int r = 0;

	if (read_patch(c, form, &patch) < 0)
		return -1;
	obj = json_deep_copy(old);
	if (form == PATCH_JSON)
		r = json_patch(&obj, patch, &err);
	else if (form == PATCH_STRATEGIC)
		r = strategic_patch(&obj, patch, type, &err);
	else
		obj = merge_patch(obj, patch);
	if (r == 0) {
		if (shown)
			*shown = c->kind->custom	   ? sorted_copy(obj)
				 : form == PATCH_STRATEGIC ? json_copy(obj)
							   : patch_shown(obj, patch);
		if (!names_version(form, patch, obj, old))
			forget_version(obj);
		json_decref(patch);
		*ret = obj;
		return 0;
	}
	json_decref(patch);
	json_decref(obj);
	if (err.code == ERR_INVALID)
		reply_status(c, 422, "Invalid",
		    "the server rejected our request due to an error in our request",
		    json_object());
	else
		reply_status(c, err_http(err.code),
		    err.code == ERR_INTERNAL ? NULL : err_reason(err.code), err.msg, NULL);
	return -1;
}

static void
patch_run(struct call *c)
{
	json_t *old, *obj, *shown;
	int r;

	if (options_read(c, "PatchOptions") < 0 || call_current(c) < 0)
		return;
	if (call_old(c, &old) < 0)
		return;
	c->status = 200;
	c->patching = true;
	if (patch_apply(c, old, c->kind->type, &obj, &shown) == 0) {
		c->patched = shown;
		r = object_decode(c, c->kind, obj);
		if (r == 0) /* else the call has been answered and is gone */
			c->patched = NULL;
		json_decref(shown);
		if (r < 0 || update_prepare(c, old, obj, call_part(c)) < 0)
			json_decref(obj);
		else
			update_submit(c, obj);
	}
	json_decref(old);
}

int
patch_check(struct call *c)
{
	if (c->kind->custom && (patch_form(c) == PATCH_STRATEGIC || patch_form(c) == PATCH_NONE)) {
		reply_status(c, 415, "UnsupportedMediaType",
		    "the body of the request was in an unknown format - accepted media types "
		    "include: application/json-patch+json, application/merge-patch+json, "
		    "application/apply-patch+yaml",
		    NULL);
		return -1;
	}
	if (patch_form(c) != PATCH_NONE)
		return 0;
	reply_status(c, 415, "UnsupportedMediaType", "415: Unsupported Media Type", json_object());
	return -1;
}

void
patch_handle(struct call *c)
{
	if (patch_check(c) == 0)
		call_defer(c, patch_form(c) == PATCH_APPLY ? apply_run : patch_run);
}
