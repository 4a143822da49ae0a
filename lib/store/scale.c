/* scale: how many, of kinds that have a number of replicas; as a Scale of its own. */
#include <string.h>

#include "api/custom.h"
#include "api/meta.h"
#include "api/selector.h"
#include "api/typed.h"
#include "base/mem.h"
#include "store/call.h"

static int
bad_request(struct call *c, const char *msg)
{
	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

/* The selector of a scalable kind as text: a LabelSelector, or a ReplicationController's map. */
static char *
scale_selector(const json_t *obj)
{
	json_t *s = get(obj, "spec", "selector");
	struct selector *sel = NULL;
	struct err err;
	char *text;

	if (json_object_get(s, "matchLabels") || json_object_get(s, "matchExpressions"))
		(void)selector_from_json(&sel, s, &err);
	else if (s)
		sel = selector_from_map(s);
	text = sel ? selector_print(sel) : xstrdup("");
	selector_free(sel);
	return text;
}

/* The value at "spec.replicas" or "spec.size.min"; NULL: none. */
static json_t *
at_path(const json_t *obj, const char *path)
{
	while (obj && *path) {
		size_t n = strcspn(path, ".");

		obj = json_object_getn(obj, path, n);
		path += n + (path[n] == '.');
	}
	return (json_t *)obj;
}

/* Takes value. */
static void
place_at(json_t *obj, const char *path, json_t *value)
{
	size_t n = strcspn(path, ".");
	json_t *below;

	if (!path[n]) {
		json_object_set_new(obj, path, value);
		return;
	}
	if (!json_is_object(below = json_object_getn(obj, path, n)))
		json_object_setn_new(obj, path, n, below = json_object());
	place_at(below, path + n + 1, value);
}

static const char *
replicas_path(const struct kind *k)
{
	return k->custom ? k->custom->scale[0] : "spec.replicas";
}

static json_t *
scale_of(const struct kind *k, const json_t *obj)
{
	const char *const *paths = k->custom ? k->custom->scale : NULL;
	static const char *const copied[] = { "name", "namespace", "uid", "resourceVersion",
		"creationTimestamp" };
	autofree char *selector =
	    paths ? xstrdup(paths[2] && *paths[2] ? str(at_path(obj, paths[2]), "") : "")
		  : scale_selector(obj);
	json_t *s = json_pack("{s:s,s:s,s:{},s:{},s:{s:I}}", "kind", "Scale", "apiVersion",
	    "autoscaling/v1", "metadata", "spec", "status", "replicas",
	    num(paths ? at_path(obj, paths[1]) : get(obj, "status", "replicas"), 0));
	json_int_t replicas = num(at_path(obj, replicas_path(k)), 0);

	for (size_t i = 0; i < COUNT(copied); i++) {
		json_t *v = get(obj, "metadata", copied[i]);
		if (v)
			put(s, json_incref(v), "metadata", copied[i]);
	}
	if (replicas)
		put(s, json_integer(replicas), "spec", "replicas");
	if (*selector)
		put(s, json_string(selector), "status", "selector");
	return s;
}

static void
answer_scale(struct call *c, struct object *written)
{
	json_t *obj = object_json(written, c->kind), *s = scale_of(c->kind, obj);

	json_decref(obj);
	reply_json(c, 200, s);
	json_decref(s);
}

/* Can there be a Scale of it?  Else it has been said. */
static int
check_source(struct call *c, const json_t *obj)
{
	autofree char *why = c->kind->custom ? custom_scale_fault(c->kind->custom, obj) : NULL;

	if (why)
		reply_status(c, 500, NULL, why, NULL);
	return why ? -1 : 0;
}

static int
check_replicas(struct call *c, const json_t *obj)
{
	autofree char *msg = NULL;

	if (!c->kind->custom || at_path(obj, replicas_path(c->kind)))
		return 0;
	msg = xasprintf("Internal error occurred: the spec replicas field \".%s\" does not exist",
	    replicas_path(c->kind));
	reply_status(c, 500, "InternalError", msg,
	    json_pack(
		"{s:[{s:s}]}", "causes", "message", msg + strlen("Internal error occurred: ")));
	return -1;
}

static void
answer_checked(struct call *c, struct object *o)
{
	json_auto_t *obj = object_json(o, c->kind);

	if (check_source(c, obj) == 0 && check_replicas(c, obj) == 0)
		answer_scale(c, o);
}

static void
scale_get(struct call *c)
{
	if (call_current(c) < 0)
		return;
	c->answer = answer_checked;
	answer_object(c, c->old);
}

/* A patch of a number that there is not must bring one. */
static int
check_given(struct call *c, const json_t *obj, const json_t *scale)
{
	autofree char *msg = NULL;

	if (!c->kind->custom || at_path(obj, replicas_path(c->kind)) ||
	    get(scale, "spec", "replicas"))
		return 0;
	msg = xasprintf("the spec replicas field \".%s\" cannot be empty", replicas_path(c->kind));
	return bad_request(c, msg);
}

static int
scale_check(struct call *c, const json_t *scale)
{
	json_t *replicas = get(scale, "spec", "replicas");
	autofree char *cause = NULL, *msg = NULL;

	if (!json_is_object(scale))
		return bad_request(
		    c, "the object provided is unrecognized (must be of type Scale)");
	if (*text(scale, "kind") && strcmp(text(scale, "kind"), "Scale") != 0) {
		msg = xasprintf(
		    "%s in version \"v1\" cannot be handled as a Scale: converting (v1.%s) to "
		    "(autoscaling.Scale): unknown conversion",
		    text(scale, "kind"), text(scale, "kind"));
		return bad_request(c, msg);
	}
	if (replicas && !json_is_integer(replicas))
		return bad_request(c, "Scale in version \"v1\" cannot be handled as a Scale: "
				      "spec.replicas is no number");
	if (num(replicas, 0) >= 0 || c->kind->custom) /* its own rules say it */
		return 0;
	cause = xasprintf(
	    "Invalid value: %lld: must be greater than or equal to 0", (long long)num(replicas, 0));
	msg = xasprintf(
	    "Scale.autoscaling \"%s\" is invalid: spec.replicas: %s", c->target.name, cause);
	reply_status(c, 422, "Invalid", msg,
	    json_pack("{s:s,s:s,s:s,s:[{s:s,s:s,s:s}]}", "name", c->target.name, "group",
		"autoscaling", "kind", "Scale", "causes", "reason", "FieldValueInvalid", "message",
		cause, "field", "spec.replicas"));
	return -1;
}

/* PUT and PATCH: what was asked for, as an update of the object itself. */
static void
scale_run(struct call *c)
{
	bool patch = strcmp(c->req->method, "PATCH") == 0;
	json_auto_t *old = NULL, *was = NULL, *scale = NULL;
	const char *version;
	json_t *obj;

	if (options_read(c, patch ? "PatchOptions" : "UpdateOptions") < 0 ||
	    (patch && patch_check(c) < 0) || call_current(c) < 0 || call_old(c, &old) < 0)
		return;
	if (check_source(c, old) < 0)
		return;
	was = scale_of(c->kind, old);
	if (patch ? patch_apply(c, was, NULL, &scale, NULL) < 0 : body_json(c, &scale) < 0)
		return;
	if (scale_check(c, scale) < 0 || (patch && check_given(c, old, scale) < 0))
		return;
	obj = json_deep_copy(old);
	place_at(obj, replicas_path(c->kind), json_integer(num(get(scale, "spec", "replicas"), 0)));
	if (*meta_name(scale))
		put(obj, json_string(meta_name(scale)), "metadata", "name");
	json_object_del(json_object_get(obj, "metadata"), "resourceVersion");
	if (*(version = meta_version(scale)))
		put(obj, json_string(version), "metadata", "resourceVersion");
	c->answer = answer_scale;
	if (update_prepare(c, old, obj, PART_MAIN) < 0)
		json_decref(obj);
	else
		update_submit(c, obj);
}

/* What a Scale that is applied says of the object itself; new.  Answers and returns NULL. */
static json_t *
scale_config(struct call *c, const json_t *scale)
{
	const struct kind *k = kind_find("autoscaling", "v1", "Scale");
	autobuf struct buf why = BUF_INIT, msg = BUF_INIT;
	const char *version = text(scale, "apiVersion"), *kind = text(scale, "kind");
	json_t *config, *replicas = get(scale, "spec", "replicas");
	char own[128];

	if (strcmp(version, "autoscaling/v1") != 0 || strcmp(kind, "Scale") != 0) {
		buf_printf(&msg, "invalid object type: %s%s, Kind=%s",
		    strchr(version, '/') ? "" : "/", version, kind);
		bad_request(c, msg.data);
		return NULL;
	}
	if (!typed_check(k->type, scale, &why)) {
		buf_printf(&msg, "failed to create typed patch object (%s/%s; %s, Kind=%s): %s",
		    meta_namespace(scale), meta_name(scale), version, kind, why.data);
		reply_status(c, 500, NULL, msg.data, NULL);
		return NULL;
	}
	if (scale_check(c, scale) < 0)
		return NULL;
	config = json_pack("{s:s,s:s,s:{s:s}}", "apiVersion", kind_api_version(c->kind, own),
	    "kind", c->kind->kind, "metadata", "name", meta_name(scale));
	if (*meta_version(scale))
		put(config, json_string(meta_version(scale)), "metadata", "resourceVersion");
	if (replicas)
		place_at(config, replicas_path(c->kind), json_incref(replicas));
	return config;
}

static void
scale_apply(struct call *c)
{
	json_auto_t *old = NULL, *scale = NULL, *config = NULL;
	json_t *obj;

	if (apply_read(c, &scale) < 0 || call_current(c) < 0 || call_old(c, &old) < 0)
		return;
	if (!(config = scale_config(c, scale)) || apply_config(c, old, config, &obj) < 0)
		return;
	c->answer = answer_scale;
	if (update_prepare(c, old, obj, PART_MAIN) < 0)
		json_decref(obj);
	else
		update_submit(c, obj);
}

void
scale_handle(struct call *c)
{
	call_defer(c, strcmp(c->req->method, "GET") == 0 ? scale_get
		      : patch_form(c) == PATCH_APPLY	 ? scale_apply
							 : scale_run);
}
