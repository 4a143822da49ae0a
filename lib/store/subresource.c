/* Subresources other than status: binding, scale, finalize; eviction has a file of its own. */
#include <string.h>

#include "api/meta.h"
#include "api/selector.h"
#include "api/typed.h"
#include "base/mem.h"
#include "store/admission.h"
#include "store/delete.h"

static void
not_here(struct call *c)
{
	reply_status(
	    c, 404, "NotFound", "the server could not find the requested resource", json_object());
}

static void
answer_created(struct call *c, struct object *written)
{
	(void)written;
	reply_success(c, 201, NULL);
}

static int
bad_request(struct call *c, const char *msg)
{
	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

/* --- pods/binding, and bindings posted by name --- */

static int
binding_read(struct call *c, json_t **ret)
{
	json_t *b;
	const char *kind;

	if (body_json(c, &b) < 0)
		return -1;
	kind = text(b, "target", "kind");
	if (!json_is_object(b))
		bad_request(c, "the object provided is unrecognized (must be of type Binding)");
	else if (*c->target.name && strcmp(meta_name(b), c->target.name) != 0)
		bad_request(c, "name in URL does not match name in Binding object");
	else if (*kind && strcmp(kind, "Node") != 0) {
		autofree char *msg = xasprintf("target.kind: Unsupported value: \"%s\": supported "
					       "values: \"Node\", \"<empty>\"",
		    kind);
		reply_status(c, 500, NULL, msg, NULL);
	} else if (!*text(b, "target", "name"))
		reply_status(c, 500, NULL, "target.name: Required value", NULL);
	else {
		*ret = b;
		return 0;
	}
	json_decref(b);
	return -1;
}

static const char *
binding_obstacle(const json_t *pod, char buf[static 400])
{
	const char *name = meta_name(pod), *node = text(pod, "spec", "nodeName");

	if (meta_deleting(pod))
		snprintf(
		    buf, 400, "pod %.253s is being deleted, cannot be assigned to a host", name);
	else if (*node)
		snprintf(buf, 400, "pod %.120s is already assigned to node \"%.200s\"", name, node);
	else if (json_array_size(get(pod, "spec", "schedulingGates")) > 0)
		snprintf(buf, 400, "pod %.253s has non-empty .spec.schedulingGates", name);
	else
		return NULL;
	return buf;
}

static void
set_scheduled(json_t *pod)
{
	json_t *list, *condition;
	char now[40];
	size_t i;

	list = get(pod, "status", "conditions");
	json_array_foreach (list, i, condition) {
		if (strcmp(text(condition, "type"), "PodScheduled") == 0) {
			json_array_remove(list, i);
			break;
		}
	}
	if (!list) {
		put(pod, json_array(), "status", "conditions");
		list = get(pod, "status", "conditions");
	}
	json_array_append_new(
	    list, json_pack("{s:s,s:s,s:n,s:s}", "type", "PodScheduled", "status", "True",
		      "lastProbeTime", "lastTransitionTime", call_now(now)));
}

static void
merge_annotations(json_t *pod, const json_t *binding)
{
	const char *key;
	json_t *v;

	json_object_foreach (get(binding, "metadata", "annotations"), key, v)
		if (json_is_string(v))
			put(pod, json_incref(v), "metadata", "annotations", key);
}

static int
binding_check(struct call *c, const json_t *pod, const json_t *b)
{
	char why[400];
	struct err err;

	if (*meta_uid(b) && strcmp(meta_uid(b), meta_uid(pod)) != 0) {
		err_set(&err, ERR_CONFLICT,
		    "Operation cannot be fulfilled on pods \"%s\": StorageError: invalid object, "
		    "Code: 4, Key: "
		    "/registry/pods/%s/%s, ResourceVersion: 0, AdditionalErrorMsg: Precondition "
		    "failed: UID in "
		    "precondition: %s, UID in object meta: %s",
		    c->target.name, c->target.namespace, c->target.name, meta_uid(b),
		    meta_uid(pod));
		reply_error(c, &err);
		return -1;
	}
	if (binding_obstacle(pod, why)) {
		err_set(&err, ERR_CONFLICT,
		    "Operation cannot be fulfilled on pods/binding \"%s\": %s", c->target.name,
		    why);
		reply_status(c, 409, "Conflict", err.msg,
		    json_pack("{s:s,s:s}", "name", c->target.name, "kind", "pods/binding"));
		return -1;
	}
	return 0;
}

static void
binding_run(struct call *c)
{
	json_t *b, *pod;

	if (options_read(c, "CreateOptions") < 0 || binding_read(c, &b) < 0)
		return;
	if (!*c->target.name) /* POST bindings: the Pod is named inside */
		call_rename(c, kind_find("", "v1", "Pod"), meta_name(b));
	if (call_current(c) < 0) {
		json_decref(b);
		return;
	}
	pod = object_json(c->old, c->kind);
	if (binding_check(c, pod, b) < 0) {
		json_decref(pod);
	} else {
		put(pod, json_string(text(b, "target", "name")), "spec", "nodeName");
		merge_annotations(pod, b);
		admission_bind(c, pod);
		set_scheduled(pod);
		c->answer = answer_created;
		write_submit(c, pod, false);
	}
	json_decref(b);
}

/* --- scale --- */

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

static json_t *
scale_of(const json_t *obj)
{
	static const char *const copied[] = { "name", "namespace", "uid", "resourceVersion",
		"creationTimestamp" };
	autofree char *selector = scale_selector(obj);
	json_t *s = json_pack("{s:s,s:s,s:{},s:{},s:{s:I}}", "kind", "Scale", "apiVersion",
	    "autoscaling/v1", "metadata", "spec", "status", "replicas",
	    num(get(obj, "status", "replicas"), 0));
	json_int_t replicas = num(get(obj, "spec", "replicas"), 0);

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
	json_t *obj = object_json(written, c->kind), *s = scale_of(obj);

	json_decref(obj);
	reply_json(c, 200, s);
	json_decref(s);
}

static void
scale_get(struct call *c)
{
	if (call_current(c) == 0)
		answer_scale(c, c->old);
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
	if (num(replicas, 0) >= 0)
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
	    (patch && patch_check(c) < 0) || call_current(c) < 0)
		return;
	old = object_json(c->old, c->kind);
	was = scale_of(old);
	if (patch ? patch_apply(c, was, NULL, &scale, NULL) < 0 : body_json(c, &scale) < 0)
		return;
	if (scale_check(c, scale) < 0)
		return;
	obj = json_deep_copy(old);
	put(obj, json_integer(num(get(scale, "spec", "replicas"), 0)), "spec", "replicas");
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
		put(config, json_incref(replicas), "spec", "replicas");
	return config;
}

static void
scale_apply(struct call *c)
{
	json_auto_t *old = NULL, *scale = NULL, *config = NULL;
	json_t *obj;

	if (apply_read(c, &scale) < 0 || call_current(c) < 0)
		return;
	old = object_json(c->old, c->kind);
	if (!(config = scale_config(c, scale)) || apply_config(c, old, config, &obj) < 0)
		return;
	c->answer = answer_scale;
	if (update_prepare(c, old, obj, PART_MAIN) < 0)
		json_decref(obj);
	else
		update_submit(c, obj);
}

/* --- namespaces/finalize --- */

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

/* --- which --- */

/* Written like the object itself, of which they are a part. */
static bool
is_part(struct call *c)
{
	bool pod = kind_is(c->kind, "", "Pod");
	const char *sub = c->target.sub;

	return (pod && strcmp(sub, "ephemeralcontainers") == 0) ||
	       (pod && strcmp(sub, "resize") == 0) ||
	       (kind_is(c->kind, "certificates.k8s.io", "CertificateSigningRequest") &&
		   strcmp(sub, "approval") == 0);
}

static void
part_handle(struct call *c)
{
	if (strcmp(c->req->method, "GET") == 0)
		get_handle(c);
	else if (strcmp(c->req->method, "PUT") == 0)
		update_handle(c);
	else
		patch_handle(c);
}

void
subresource_handle(struct call *c)
{
	const char *sub = c->target.sub, *method = c->req->method;
	bool pod = kind_is(c->kind, "", "Pod");

	if ((pod && strcmp(sub, "binding") == 0) || kind_is(c->kind, "", "Binding"))
		call_defer(c, binding_run);
	else if (pod && strcmp(sub, "eviction") == 0)
		eviction_handle(c);
	else if (kind_is(c->kind, "", "ServiceAccount") && strcmp(sub, "token") == 0)
		token_handle(c);
	else if (strcmp(sub, "scale") == 0)
		call_defer(c, strcmp(method, "GET") == 0     ? scale_get
			      : patch_form(c) == PATCH_APPLY ? scale_apply
							     : scale_run);
	else if (kind_is(c->kind, "", "Namespace") && strcmp(sub, "finalize") == 0)
		call_defer(c, finalize_run);
	else if (is_part(c))
		part_handle(c);
	else
		not_here(c);
}
