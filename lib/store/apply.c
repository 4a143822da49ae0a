/* PATCH with application/apply-patch+yaml: server-side apply; and who wrote what on other writes.
 */
#include "api/apply.h"

#include <string.h>

#include "api/meta.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "store/conversion.h"

/* Kubernetes keeps no time for what comes in through /scale, and takes 0 replicas for none. */
static void
track_scale(const struct apply *req, const json_t *old, json_t *obj)
{
	json_t *spec = json_object_get(obj, "spec"), *replicas;

	replicas = json_incref(json_object_get(spec, "replicas"));
	if (num(replicas, 0) == 0)
		json_object_del(spec, "replicas");
	apply_track(req, old, obj);
	if (replicas)
		json_object_set(spec, "replicas", replicas);
	json_decref(replicas);
}

static void
track_but_spec(struct apply *req, const json_t *old, json_t *obj)
{
	json_auto_t *before = json_copy((json_t *)old);
	json_t *spec = json_incref(json_object_get(obj, "spec"));

	json_object_del(before, "spec");
	json_object_del(obj, "spec");
	apply_track(req, old ? before : NULL, obj);
	if (spec)
		json_object_set_new(obj, "spec", spec);
}

void
track_write(struct call *c, const json_t *old, json_t *obj)
{
	bool scale = strcmp(c->target.sub, "scale") == 0;
	char now[40];
	struct apply req = {
		.kind = c->kind,
		.subresource = c->target.sub,
		.manager = c->manager,
		.now = scale ? "" : call_now(now),
		.convert = conversion_of(c->kind) ? conversion_owner : NULL,
	};

	if (c->applying)
		return;
	if (scale)
		track_scale(&req, old, obj);
	else if (kind_strategy(c->kind) & SPEC_IS_OURS)
		track_but_spec(&req, old, obj);
	else
		apply_track(&req, old, obj);
}

static int
bad_request(struct call *c, const char *msg)
{
	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

/* Fields that stand twice in the text: refused, told, or not. */
static int
check_twice(struct call *c, const char *lines)
{
	autobuf struct buf msg = BUF_INIT;

	if (!lines || c->validation == VALIDATE_IGNORE)
		return 0;
	buf_puts(&msg, "error strict decoding YAML: error converting YAML to JSON: ");
	yaml_twice(c, lines, &msg);
	return c->validation == VALIDATE_WARN ? 0 : bad_request(c, msg.data);
}

static int
read_yaml(struct call *c, json_t **ret)
{
	struct yaml *y = yaml_open(c->req->body, c->req->len, NULL);
	autobuf struct buf twice = BUF_INIT;
	autofree char *msg = NULL;
	json_t *v = NULL;
	unsigned long line;
	struct err err;
	int r;

	yaml_allow_duplicates(y, &twice);
	r = yaml_read(y, &v, &line, &err);
	yaml_close(y);
	if (r <= 0 || !json_is_object(v)) {
		msg =
		    xasprintf("error decoding YAML: %s", r < 0 ? err.msg : "the body is no object");
		r = bad_request(c, msg);
	} else {
		r = check_twice(c, twice.data);
	}
	if (r < 0)
		json_decref(v);
	else
		*ret = v;
	return r;
}

/* YAML, of which JSON is a part: and JSON is what most clients send. */
static int
read_config(struct call *c, json_t **ret)
{
	const char *text = c->req->body;
	size_t used, len = c->req->len;
	char fault[128];
	json_t *v;

	if (json_decode(text, len, &v, &used, fault) == JSON_FINE) {
		if (used + strspn(text + used, " \t\r\n") == len && json_is_object(v)) {
			*ret = v;
			return 0;
		}
		json_decref(v);
	}
	return read_yaml(c, ret);
}

static int
check_names(struct call *c, const json_t *config)
{
	const char *name = meta_name(config), *ns = meta_namespace(config);
	autofree char *msg = NULL;

	if (c->kind->namespaced && *ns && strcmp(ns, c->target.namespace) != 0)
		return bad_request(c,
		    "the namespace of the provided object does not match the namespace sent on the "
		    "request");
	if (strcmp(name, c->target.name) == 0)
		return 0;
	msg = *name ? xasprintf("the name of the object (%s) does not match the name on the URL "
				"(%s)",
			  name, c->target.name)
		    : xasprintf("the name of the object (%s based on URL) was undeterminable: name "
				"must be provided",
			  c->target.name);
	return bad_request(c, msg);
}

static int
check_options(struct call *c)
{
	static const char cause[] = "Required value: is required for apply patch";
	autofree char *manager = http_query(c->x, "fieldManager"), *msg = NULL;

	if (manager && *manager)
		return 0;
	msg = xasprintf("PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: %s", cause);
	reply_status(c, 422, "Invalid", msg,
	    json_pack("{s:s,s:s,s:[{s:s,s:s,s:s}]}", "group", "meta.k8s.io", "kind", "PatchOptions",
		"causes", "reason", "FieldValueRequired", "message", cause, "field",
		"fieldManager"));
	return -1;
}

static void
refuse(struct call *c, struct conflicts *conflicts, const struct err *err)
{
	json_t *details;

	if (conflicts->message) {
		details = json_object();
		json_object_set_new(details, "causes", causes_json(&conflicts->causes));
		reply_status(c, 409, "Conflict", conflicts->message, details);
	} else {
		reply_status(c, err_http(err->code),
		    err->code == ERR_INTERNAL ? NULL : err_reason(err->code), err->msg, NULL);
	}
	conflicts_release(conflicts);
}

int
apply_config(struct call *c, const json_t *old, const json_t *config, json_t **ret)
{
	struct conflicts conflicts = { CAUSES_INIT, NULL };
	json_t *obj;
	struct err err;
	char now[40];
	struct apply req = {
		.kind = c->kind,
		.subresource = c->target.sub,
		.manager = c->manager,
		.now = strcmp(c->target.sub, "scale") == 0 ? "" : call_now(now),
		.force = call_flag(c, "force"),
		.convert = conversion_of(c->kind) ? conversion_owner : NULL,
	};

	if (apply_patch(&req, old, config, &obj, &conflicts, &err) < 0) {
		refuse(c, &conflicts, &err);
		return -1;
	}
	/* the version read is no condition: only one that the config names is */
	if (!*meta_version(config))
		json_object_del(json_object_get(obj, "metadata"), "resourceVersion");
	c->validation = VALIDATE_IGNORE; /* nothing unknown gets as far as this */
	if (object_decode(c, c->kind, obj) < 0) {
		json_decref(obj);
		return -1;
	}
	*ret = obj;
	return 0;
}

static int
unknown_uid(struct call *c, const json_t *config)
{
	char resource[128];
	struct err err;

	if (!*meta_uid(config))
		return 0;
	err_set(&err, ERR_CONFLICT,
	    "Operation cannot be fulfilled on %s \"%s\": uid mismatch: the provided object "
	    "specified uid %s, and no existing object was found",
	    call_resource(c, resource), c->target.name, meta_uid(config));
	reply_error(c, &err);
	return -1;
}

static void
apply_new(struct call *c, const json_t *config)
{
	json_t *obj;

	if (apply_config(c, NULL, config, &obj) < 0)
		return;
	json_object_del(json_object_get(obj, "metadata"), "resourceVersion");
	if (check_names(c, config) < 0 || unknown_uid(c, config) < 0 ||
	    create_prepare(c, obj) < 0) {
		json_decref(obj);
		return;
	}
	c->status = 201;
	write_submit(c, obj, false);
}

static void
apply_there(struct call *c, const json_t *config)
{
	json_auto_t *old = NULL;
	json_t *obj;

	if (call_old(c, &old) < 0 || apply_config(c, old, config, &obj) < 0)
		return;
	c->status = 200;
	if (check_names(c, config) < 0 || update_prepare(c, old, obj, call_part(c)) < 0) {
		json_decref(obj);
		return;
	}
	apply_keep_times(old, obj);
	update_submit(c, obj);
}

int
apply_read(struct call *c, json_t **config)
{
	c->patching = c->applying = true;
	if (options_read(c, "PatchOptions") < 0 || check_options(c) < 0)
		return -1;
	return read_config(c, config);
}

void
apply_run(struct call *c)
{
	json_auto_t *config = NULL;

	if (apply_read(c, &config) < 0)
		return;
	if (*c->target.sub && call_current(c) < 0)
		return;
	if (!c->old)
		c->old = cache_get(c->server->cache, c->table, c->target.namespace, c->target.name);
	if (c->old)
		apply_there(c, config);
	else
		apply_new(c, config);
}
