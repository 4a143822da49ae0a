/*
 * DELETE of one object: preconditions, finalizers by propagation policy, grace for Pods,
 * the phases of a Namespace.
 */
#include "store/delete.h"

#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "store/definition_names.h"

/* --- options --- */

void
delete_options_release(struct delete_options *o)
{
	free(o->policy);
	free(o->uid);
	free(o->version);
}

static int
invalid(struct call *c, const char *reason, const char *field, const char *cause)
{
	autofree char *msg =
	    xasprintf("DeleteOptions.meta.k8s.io \"\" is invalid: %s: %s", field, cause);

	reply_status(c, 422, "Invalid", msg,
	    json_pack("{s:s,s:s,s:[{s:s,s:s,s:s}]}", "group", "meta.k8s.io", "kind",
		"DeleteOptions", "causes", "reason", reason, "message", cause, "field", field));
	return -1;
}

static int
check_policy(struct call *c, const struct delete_options *o, const json_t *orphan)
{
	static const char *const known[] = { "", "Orphan", "Background", "Foreground", NULL };
	autofree char *cause = NULL;

	if (!text_in(o->policy, known)) {
		cause = xasprintf("Unsupported value: \"%s\": supported values: \"Foreground\", "
				  "\"Background\", \"Orphan\", \"nil\"",
		    o->policy);
		return invalid(c, "FieldValueNotSupported", "propagationPolicy", cause);
	}
	if (orphan && *o->policy) {
		cause = xasprintf("Invalid value: \"%s\": orphanDependents and deletionPropagation "
				  "cannot be both set",
		    o->policy);
		return invalid(c, "FieldValueInvalid", "propagationPolicy", cause);
	}
	return 0;
}

static int
check_dry_run(struct call *c, const json_t *list)
{
	json_t *v;
	size_t i;

	json_array_foreach (list, i, v) {
		if (strcmp(str(v, ""), "All") != 0) {
			autofree char *cause = xasprintf(
			    "Unsupported value: [\"%s\"]: supported values: \"All\"", str(v, ""));
			return invalid(c, "FieldValueNotSupported", "dryRun", cause);
		}
		c->dry_run = true;
	}
	return 0;
}

static int
check_types(struct call *c, const json_t *body)
{
	const char *kind = text(body, "kind");
	json_t *grace = json_object_get(body, "gracePeriodSeconds");
	struct err err = { 0 };

	if (body && !json_is_object(body))
		err_set(
		    &err, ERR_BAD_REQUEST, "couldn't get version/kind; the body is not an object");
	else if (*kind && strcmp(kind, "DeleteOptions") != 0)
		err_set(&err, ERR_BAD_REQUEST,
		    "no kind \"%s\" is registered for version \"v1\" in scheme "
		    "\"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27\"",
		    kind);
	else if (grace && !json_is_integer(grace) && !json_is_null(grace))
		err_set(&err, ERR_BAD_REQUEST,
		    "json: cannot unmarshal %s into Go struct field "
		    "DeleteOptions.gracePeriodSeconds of type int64",
		    json_is_string(grace) ? "string" : "value");
	else
		return 0;
	reply_status(c, 400, "BadRequest", err.msg, NULL);
	return -1;
}

int
delete_options_from(struct call *c, const json_t *body, struct delete_options *o)
{
	json_t *grace = json_object_get(body, "gracePeriodSeconds");
	json_t *orphan = json_object_get(body, "orphanDependents");

	*o = (struct delete_options){ 0 };
	if (check_types(c, body) < 0)
		return -1;
	*o = (struct delete_options){ .has_grace = json_is_integer(grace), .grace = num(grace, 0) };
	o->policy = xstrdup(text(body, "propagationPolicy"));
	o->uid = xstrdup(text(body, "preconditions", "uid"));
	o->version = xstrdup(text(body, "preconditions", "resourceVersion"));
	if (check_policy(c, o, json_is_boolean(orphan) ? orphan : NULL) < 0 ||
	    check_dry_run(c, json_object_get(body, "dryRun")) < 0) {
		delete_options_release(o);
		return -1;
	}
	if (json_is_boolean(orphan)) {
		free(o->policy);
		o->policy = xstrdup(json_is_true(orphan) ? "Orphan" : "Background");
	}
	return 0;
}

/* The same as query parameters, for a request without a body. */
static json_t *
query_options(struct call *c)
{
	autofree char *grace = http_query(c->x, "gracePeriodSeconds");
	autofree char *policy = http_query(c->x, "propagationPolicy");
	autofree char *orphan = http_query(c->x, "orphanDependents");
	json_t *body = json_object();
	long long n;

	if (grace && text_int(grace, &n))
		json_object_set_new(body, "gracePeriodSeconds", json_integer(n));
	if (policy)
		json_object_set_new(body, "propagationPolicy", json_string(policy));
	if (orphan && *orphan)
		json_object_set_new(
		    body, "orphanDependents", json_boolean(call_flag(c, "orphanDependents")));
	return body;
}

int
delete_options_read(struct call *c, struct delete_options *o)
{
	json_t *body;
	int r;

	if (options_read(c, "DeleteOptions") < 0 || body_json(c, &body) < 0)
		return -1;
	if (!body)
		body = query_options(c);
	r = delete_options_from(c, body, o);
	json_decref(body);
	return r;
}

int
delete_check(
    const struct kind *k, const json_t *obj, const struct delete_options *o, struct err *err)
{
	const char *dot = *k->group ? "." : "";

	if (*o->uid && strcmp(o->uid, meta_uid(obj)) != 0)
		return err_set(err, ERR_CONFLICT,
		    "Operation cannot be fulfilled on %s%s%s \"%s\": the UID in the precondition "
		    "(%s) "
		    "does not match the "
		    "UID in record (%s). The object might have been deleted and then recreated",
		    k->kind, dot, k->group, meta_name(obj), o->uid, meta_uid(obj));
	if (*o->version && strcmp(o->version, meta_version(obj)) != 0)
		return err_set(err, ERR_CONFLICT,
		    "Operation cannot be fulfilled on %s%s%s \"%s\": the ResourceVersion in the "
		    "precondition (%s) does "
		    "not match the ResourceVersion in record (%s). The object might have been "
		    "modified",
		    k->kind, dot, k->group, meta_name(obj), o->version, meta_version(obj));
	return 0;
}

/* --- deciding --- */

static void
set_finalizer(json_t *obj, const char *name, bool there)
{
	json_t *list = get(obj, "metadata", "finalizers"), *v;
	size_t i;

	if (there == meta_has_finalizer(obj, name))
		return;
	if (there) {
		if (!list) {
			put(obj, json_array(), "metadata", "finalizers");
			list = get(obj, "metadata", "finalizers");
		}
		json_array_append_new(list, json_string(name));
		return;
	}
	json_array_foreach (list, i, v)
		if (strcmp(str(v, ""), name) == 0)
			json_array_remove(list, i--);
	if (json_array_size(list) == 0)
		json_object_del(json_object_get(obj, "metadata"), "finalizers");
}

/* Who waits for the dependents (garbage collection by ownerReferences) is a finalizer. */
static void
apply_policy(const struct kind *k, json_t *obj, const char *policy)
{
	if (!*policy && !(kind_strategy(k) & ORPHANS))
		return;
	set_finalizer(obj, "orphan", !*policy || strcmp(policy, "Orphan") == 0);
	set_finalizer(obj, "foregroundDeletion", strcmp(policy, "Foreground") == 0);
}

static bool
graceful(const struct kind *k)
{
	return kind_is(k, "", "Pod");
}

/* Only a Pod that may be running somewhere has time to stop. */
static json_int_t
grace_of(const struct kind *k, const json_t *obj, const struct delete_options *o)
{
	const char *phase = text(obj, "status", "phase");
	json_int_t grace;

	if (!graceful(k))
		return 0;
	grace =
	    o->has_grace ? o->grace : num(get(obj, "spec", "terminationGracePeriodSeconds"), 30);
	if (grace < 0)
		grace = 1;
	if (!*text(obj, "spec", "nodeName") || strcmp(phase, "Succeeded") == 0 ||
	    strcmp(phase, "Failed") == 0)
		return 0;
	return grace;
}

static void
mark(const struct kind *k, json_t *obj, json_int_t grace, int64_t when)
{
	char text[TIME_TEXT];

	put(obj, json_string(time_print(when, text)), "metadata", "deletionTimestamp");
	if (kind_is(k, "apiextensions.k8s.io", "CustomResourceDefinition"))
		return;
	if (!kind_is(k, "", "Namespace"))
		put(obj, json_integer(grace), "metadata", "deletionGracePeriodSeconds");
	else
		put(obj, json_string("Terminating"), "status", "phase");
	if (meta_generation(obj) > 0)
		put(obj, json_integer(meta_generation(obj) + 1), "metadata", "generation");
}

static bool
held(const struct kind *k, const json_t *obj)
{
	return json_array_size(get(obj, "metadata", "finalizers")) > 0 ||
	       (kind_is(k, "", "Namespace") && json_array_size(get(obj, "spec", "finalizers")) > 0);
}

/* A second deletion can only make the time shorter. */
static enum deletion
decide_again(const struct kind *k, json_t *obj, const struct delete_options *o)
{
	json_int_t was = num(get(obj, "metadata", "deletionGracePeriodSeconds"), 0);
	json_int_t grace = grace_of(k, obj, o);
	int64_t when;

	if (graceful(k) && was > 0 && (o->has_grace || grace == 0) && grace < was) {
		if (time_parse(text(obj, "metadata", "deletionTimestamp"), &when)) {
			char text[TIME_TEXT];

			put(obj, json_string(time_print(when - was + grace, text)), "metadata",
			    "deletionTimestamp");
		}
		put(obj, json_integer(grace), "metadata", "deletionGracePeriodSeconds");
		return grace == 0 && !held(k, obj) ? DELETE_NOW : DELETE_MARKED;
	}
	return was > 0 || held(k, obj) ? DELETE_UNCHANGED : DELETE_NOW;
}

enum deletion
delete_decide(const struct kind *k, json_t *obj, const struct delete_options *o, int64_t now)
{
	json_int_t grace;
	char text[TIME_TEXT];

	if (meta_deleting(obj))
		return decide_again(k, obj, o);
	apply_policy(k, obj, o->policy);
	if (kind_is(k, "apiextensions.k8s.io", "CustomResourceDefinition"))
		definition_ends(obj, time_print(now, text));
	grace = grace_of(k, obj, o);
	if (grace == 0 && !held(k, obj)) {
		if (graceful(k))
			mark(k, obj, 0, now);
		return DELETE_NOW;
	}
	mark(k, obj, grace, now + grace);
	return DELETE_MARKED;
}

bool
delete_marks(enum deletion d, const json_t *old, const json_t *obj)
{
	static const char grace[] = "deletionGracePeriodSeconds";

	return d == DELETE_NOW && meta_deleting(obj) &&
	       (!meta_deleting(old) ||
		   num(get(obj, "metadata", grace), 0) != num(get(old, "metadata", grace), 0));
}

/* --- the verb --- */

static int
check_protected(struct call *c)
{
	static const char *const namespaces[] = { "default", "kube-system", "kube-public", NULL };
	static const char *const classes[] = { "system-node-critical", "system-cluster-critical",
		NULL };
	const char *why = NULL;
	char resource[128];
	struct err err;

	if (kind_is(c->kind, "", "Namespace") && text_in(c->target.name, namespaces))
		why = "this namespace may not be deleted";
	if (kind_is(c->kind, "scheduling.k8s.io", "PriorityClass") &&
	    text_in(c->target.name, classes))
		why = "this is a system priority class and cannot be deleted";
	if (!why)
		return 0;
	err_set(&err, ERR_FORBIDDEN, "%s \"%s\" is forbidden: %s", call_resource(c, resource),
	    c->target.name, why);
	reply_error(c, &err);
	return -1;
}

static void
answer_status(struct call *c, struct object *written)
{
	json_t *d = json_pack("{s:s}", "name", object_name(written));

	if (*c->kind->group)
		json_object_set_new(d, "group", json_string(c->kind->group));
	json_object_set_new(d, "kind", json_string(c->kind->plural));
	json_object_set_new(d, "uid", json_string(c->uid));
	reply_success(c, 200, d);
}

static void
refuse_condition(struct call *c, const struct err *err)
{
	json_t *d = json_pack("{s:s}", "name", c->target.name);

	if (*c->kind->group)
		json_object_set_new(d, "group", json_string(c->kind->group));
	json_object_set_new(d, "kind", json_string(c->kind->kind));
	reply_status(c, 409, "Conflict", err->msg, d);
}

void
delete_object(struct call *c, const struct delete_options *o)
{
	json_auto_t *old = NULL;
	json_t *obj;
	enum deletion d;
	struct err err;

	if (call_old(c, &obj) < 0)
		return;
	old = json_pack("{s:o}", "metadata", json_copy(json_object_get(obj, "metadata")));
	if (delete_check(c->kind, obj, o, &err) < 0) {
		json_decref(obj);
		refuse_condition(c, &err);
		return;
	}
	snprintf(c->uid, sizeof c->uid, "%s", meta_uid(obj));
	d = delete_decide(c->kind, obj, o, clock_now());
	c->status = 200;
	c->write.marks = delete_marks(d, old, obj);
	if (d == DELETE_NOW && !c->answer && !(kind_strategy(c->kind) & RETURNS_DELETED))
		c->answer = answer_status;
	c->terse = c->answer == answer_status;
	write_submit(c, obj, d == DELETE_NOW);
}

/* What a client of long ago expects of Jobs surprises everyone else. */
static void
warn_orphans(struct call *c, const struct delete_options *o)
{
	if (kind_is(c->kind, "batch", "Job") && !*o->policy)
		call_warn(c, "child pods are preserved by default when jobs are deleted; set "
			     "propagationPolicy=Background to remove them or set "
			     "propagationPolicy=Orphan to "
			     "suppress this warning");
}

static void
delete_run(struct call *c)
{
	struct delete_options o;

	c->answer = NULL;
	c->terse = false;
	if (delete_options_read(c, &o) < 0)
		return;
	if (call_current(c) == 0 && check_protected(c) == 0) {
		warn_orphans(c, &o);
		delete_object(c, &o);
	}
	delete_options_release(&o);
}

void
delete_handle(struct call *c)
{
	call_defer(c, delete_run);
}
