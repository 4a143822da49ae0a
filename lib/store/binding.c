/*
 * pods/binding, and bindings posted by name: a Pod gets its node.  Kubernetes does not look whether
 * there is such a node.
 */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/admission.h"

static int
bad_request(struct call *c, const char *msg)
{
	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

/* --- what is asked for --- */

/* These are told without a reason, as errors inside Kubernetes. */
static int
refuse_target(struct call *c, const json_t *b)
{
	const char *kind = text(b, "target", "kind");
	bool other = *kind && strcmp(kind, "Node") != 0, nameless = !*text(b, "target", "name");
	autobuf struct buf msg = BUF_INIT;

	if (!other && !nameless)
		return 0;
	if (other && nameless)
		buf_putc(&msg, '[');
	if (other)
		buf_printf(&msg,
		    "target.kind: Unsupported value: \"%s\": supported values: \"Node\", "
		    "\"<empty>\"",
		    kind);
	if (nameless)
		buf_printf(&msg, "%starget.name: Required value", other ? ", " : "");
	if (other && nameless)
		buf_putc(&msg, ']');
	reply_status(c, 500, NULL, msg.data, NULL);
	return -1;
}

/* A Binding that is posted by itself names its Pod inside. */
static int
check_name(struct call *c, const char *name)
{
	autofree char *msg = NULL;

	if (*c->target.name)
		return strcmp(name, c->target.name) == 0
			   ? 0
			   : bad_request(c, "name in URL does not match name in Binding object");
	if (!*name)
		return bad_request(c, "Name parameter required.");
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		msg = xasprintf("Name parameter invalid: \"%s\": may not be '%s'", name, name);
	else if (strpbrk(name, "/%"))
		msg = xasprintf("Name parameter invalid: \"%s\": may not contain '%c'", name,
		    strchr(name, '/') ? '/' : '%');
	return msg ? bad_request(c, msg) : 0;
}

static int
binding_read(struct call *c, json_t **ret)
{
	json_t *b;

	if (body_object(c, kind_find("", "v1", "Binding"), &b) < 0)
		return -1;
	if (check_name(c, meta_name(b)) < 0 || refuse_target(c, b) < 0) {
		json_decref(b);
		return -1;
	}
	*ret = b;
	return 0;
}

/* --- whether it may be --- */

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

static int
precondition(struct call *c, const char *what, const char *wanted, const char *is)
{
	struct err err;

	if (!*wanted || strcmp(wanted, is) == 0)
		return 0;
	err_set(&err, ERR_CONFLICT,
	    "Operation cannot be fulfilled on pods \"%s\": StorageError: invalid object, Code: 4, "
	    "Key: /registry/pods/%s/%s, ResourceVersion: 0, AdditionalErrorMsg: Precondition "
	    "failed: %s in precondition: %s, %s in object meta: %s",
	    c->target.name, c->target.namespace, c->target.name, what, wanted, what, is);
	reply_error(c, &err);
	return -1;
}

static int
binding_check(struct call *c, const json_t *pod, const json_t *b)
{
	char why[400];
	struct err err;

	if (precondition(c, "UID", meta_uid(b), meta_uid(pod)) < 0 ||
	    precondition(c, "ResourceVersion", meta_version(b), meta_version(pod)) < 0)
		return -1;
	if (!binding_obstacle(pod, why))
		return 0;
	err_set(&err, ERR_CONFLICT, "Operation cannot be fulfilled on pods/binding \"%s\": %s",
	    c->target.name, why);
	reply_status(c, 409, "Conflict", err.msg,
	    json_pack("{s:s,s:s}", "name", c->target.name, "kind", "pods/binding"));
	return -1;
}

/* --- what it does --- */

static void
set_scheduled(json_t *pod)
{
	json_t *list = get(pod, "status", "conditions"), *c;
	const char *since = NULL;
	char now[40];
	size_t i, at;

	if (!list)
		put(pod, json_array(), "status", "conditions");
	list = get(pod, "status", "conditions");
	at = json_array_size(list);
	json_array_foreach (list, i, c)
		if (strcmp(text(c, "type"), "PodScheduled") == 0) {
			at = i;
			since = strcmp(text(c, "status"), "True") == 0
				    ? text(c, "lastTransitionTime")
				    : NULL;
			break;
		}
	c = json_pack("{s:s,s:s,s:n,s:s}", "type", "PodScheduled", "status", "True",
	    "lastProbeTime", "lastTransitionTime", since && *since ? since : call_now(now));
	if (at < json_array_size(list))
		json_array_set_new(list, at, c);
	else
		json_array_append_new(list, c);
}

/* Labels and annotations of the Binding become the Pod's. */
static void
merge(json_t *pod, const json_t *binding, const char *which)
{
	const char *key;
	json_t *v;

	json_object_foreach (get(binding, "metadata", which), key, v)
		if (json_is_string(v))
			put(pod, json_incref(v), "metadata", which, key);
}

static void
assign(struct call *c, json_t *pod, const json_t *b)
{
	put(pod, json_string(text(b, "target", "name")), "spec", "nodeName");
	merge(pod, b, "annotations");
	merge(pod, b, "labels");
	admission_bind(c, pod);
	set_scheduled(pod);
	json_object_del(json_object_get(pod, "status"), "nominatedNodeName");
}

static void
answer_created(struct call *c, struct object *written)
{
	(void)written;
	reply_success(c, 201, NULL);
}

static void
binding_run(struct call *c)
{
	json_auto_t *b = NULL;
	json_t *pod;

	if (options_read(c, "CreateOptions") < 0 || binding_read(c, &b) < 0 ||
	    admission_mutate(c, OP_CREATE, NULL, b) < 0 ||
	    admission_validate(c, OP_CREATE, NULL, b) < 0)
		return;
	if (!*c->target.name)
		call_rename(c, kind_find("", "v1", "Pod"), meta_name(b));
	if (call_current(c) < 0)
		return;
	pod = object_json(c->old, c->kind);
	if (binding_check(c, pod, b) < 0) {
		json_decref(pod);
		return;
	}
	assign(c, pod, b);
	c->answer = answer_created;
	write_submit(c, pod, false);
}

void
binding_handle(struct call *c)
{
	call_defer(c, binding_run);
}
