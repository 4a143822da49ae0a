/* PUT, and what every change of an existing object goes through. */
#include <string.h>

#include "api/convert.h"
#include "api/custom.h"
#include "api/meta.h"
#include "base/mem.h"
#include "store/admission.h"
#include "store/service.h"

/* metadata that a client cannot change: it comes from the stored object. */
static void
keep_system_fields(const json_t *old, json_t *obj)
{
	static const char *const ours[] = { "uid", "creationTimestamp", "generation",
		"deletionTimestamp", "deletionGracePeriodSeconds", "name", "namespace" };
	json_t *from = json_object_get(old, "metadata"), *to = json_object_get(obj, "metadata");
	bool other = *meta_uid(obj);

	for (size_t i = 0; i < COUNT(ours); i++) {
		json_t *v = json_object_get(from, ours[i]);

		if (v && (!other || strcmp(ours[i], "uid") != 0))
			json_object_set(to, ours[i], v);
		else if (!v)
			json_object_del(to, ours[i]);
	}
}

static int
check_version(struct call *c, const json_t *obj)
{
	const char *version = meta_version(obj), *name = c->target.name;
	char *end;
	struct err err;
	autofree char *msg = NULL;

	if (!*version || strcmp(version, "0") == 0)
		return 0;
	unsigned long long n = strtoull(version, &end, 10);
	if (*end || *version == '-') {
		msg = xasprintf("strconv.ParseUint: parsing \"%s\": invalid syntax", version);
		reply_status(c, 500, NULL, msg, NULL);
		return -1;
	}
	c->conditional = true;
	if (n == c->old->revision)
		return 0;
	fail_modified(c, name, &err);
	reply_error(c, &err);
	return -1;
}

static int
check_uid(struct call *c, const json_t *old, const json_t *obj)
{
	char resource[128];
	struct err err;

	/* Of a patch validation says it: only a whole object is a precondition. */
	if (!*meta_uid(obj) || strcmp(meta_uid(obj), meta_uid(old)) == 0 || c->patching)
		return 0;
	err_set(&err, ERR_CONFLICT,
	    "Operation cannot be fulfilled on %s \"%s\": StorageError: invalid object, Code: 4, "
	    "Key: "
	    "/registry/%s/%s%s%s, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID "
	    "in "
	    "precondition: %s, UID in object meta: %s",
	    call_resource(c, resource), c->target.name, c->kind->plural, c->target.namespace,
	    *c->target.namespace ? "/" : "", c->target.name, meta_uid(obj), meta_uid(old));
	reply_error(c, &err);
	return -1;
}

static void
keep(json_t *obj, const json_t *old, const char *key)
{
	json_t *v = json_object_get(old, key);

	if (v)
		json_object_set(obj, key, v);
	else
		json_object_del(obj, key);
}

/* What was wrong before, and is let through for that, is warned about. */
static void
warn_passed(struct call *c, const struct kind *k, const json_t *now, const json_t *was, bool status,
    struct causes *causes)
{
	struct causes passed = CAUSES_INIT;

	custom_validate(k, now, was, status, causes, &passed);
	for (size_t i = 0; i < passed.n && causes->n == 0; i++) {
		autofree char *text =
		    xasprintf("%s: %s", passed.item[i].field, passed.item[i].message);

		call_warn(c, text);
	}
	causes_release(&passed);
}

static int
check_rules(struct call *c, const json_t *old, const json_t *obj, enum part part)
{
	const struct kind *k = kind_checked(c->kind);
	json_auto_t *now = convert_copy(obj, c->kind, k), *was = convert_copy(old, c->kind, k);
	struct causes causes = CAUSES_INIT;
	int r = 0;

	if (k->custom)
		warn_passed(c, k, now, was, part == PART_STATUS, &causes);
	else if (part == PART_STATUS || part == PART_OTHER)
		validate_part(k, c->target.sub, now, was, &causes);
	else
		validate_update(k, now, was, &causes);
	if (causes.n) {
		refuse_object(c, &causes, obj, c->target.name);
		r = -1;
	}
	causes_release(&causes);
	return r;
}

static int
check_name(struct call *c, const json_t *obj)
{
	const char *name = meta_name(obj), *ns = meta_namespace(obj);
	autofree char *msg = NULL;

	if (strcmp(name, c->target.name) != 0)
		msg =
		    *name
			? xasprintf(
			      "the name of the object (%s) does not match the name on the URL (%s)",
			      name, c->target.name)
			: xasprintf("the name of the object (%s based on URL) was undeterminable: "
				    "name must be provided",
			      c->target.name);
	else if (c->kind->namespaced && *ns && strcmp(ns, c->target.namespace) != 0)
		msg = xasprintf(
		    "the namespace of the object (%s) does not match the namespace on the URL (%s)",
		    ns, c->target.namespace);
	if (!msg)
		return 0;
	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

/* Some kinds are never replaced by who has not seen them; a patch always has. */
static int
needs_version(struct call *c)
{
	static const char cause[] = "Invalid value: 0: must be specified for an update";
	char resource[128];
	autofree char *msg = NULL;
	json_t *d;

	if (c->conditional || strcmp(c->req->method, "PUT") != 0 ||
	    strcmp(c->target.sub, "scale") == 0 || !(kind_strategy(c->kind) & NEEDS_VERSION))
		return 0;
	msg = xasprintf("%s \"%s\" is invalid: metadata.resourceVersion: %s",
	    call_resource(c, resource), c->target.name, cause);
	d = json_pack("{s:s,s:s,s:s,s:[{s:s,s:s,s:s}]}", "name", c->target.name, "group",
	    c->kind->group, "kind", c->kind->plural, "causes", "reason", "FieldValueInvalid",
	    "message", cause, "field", "metadata.resourceVersion");
	reply_status(c, 422, "Invalid", msg, d);
	return -1;
}

int
update_prepare(struct call *c, const json_t *old, json_t *obj, enum part part)
{
	json_t *meta = json_object_get(obj, "metadata");

	if (check_name(c, obj) < 0 || check_version(c, obj) < 0 || check_uid(c, old, obj) < 0)
		return -1;
	if (needs_version(c) < 0)
		return -1;
	keep_system_fields(old, obj);
	if (part == PART_STATUS && !c->kind->custom)
		part_enter(c, old, obj);
	else if (part != PART_STATUS && part != PART_OTHER && kind_has_status(c->kind))
		keep(obj, old, "status");
	if (part == PART_MAIN)
		strategy_enter(c->kind, obj);
	convert_keep(c->kind, old, obj, part == PART_STATUS);
	defaults_apply(c->kind, obj);
	convert_settle(c->kind, obj);
	track_write(c, old, obj);
	if (part == PART_STATUS && c->kind->custom) /* who writes more owns it, but has no effect */
		part_enter(c, old, obj);
	normalize_kept(c->kind, obj);
	if (admission_mutate(c, OP_UPDATE, old, obj) < 0 ||
	    (part == PART_MAIN && services_reserve(c, old, obj) < 0))
		return -1;
	if (part == PART_MAIN)
		strategy_update(c->kind, old, obj);
	else
		part_take(c, old, obj);
	if (check_rules(c, old, obj, part) < 0)
		return -1;
	call_warn_update(c, old, obj);
	if (admission_validate(c, OP_UPDATE, old, obj) < 0)
		return -1;
	if (part != PART_STATUS && strategy_counts(c->kind, old, obj))
		json_object_set_new(meta, "generation", json_integer(meta_generation(old) + 1));
	return 0;
}

/* An object that was only held by finalizers goes when the last one is taken away. */
bool
update_deletes(const struct kind *k, const json_t *obj)
{
	if (!meta_deleting(obj) || json_array_size(get(obj, "metadata", "finalizers")) > 0)
		return false;
	if (num(get(obj, "metadata", "deletionGracePeriodSeconds"), 0) > 0)
		return false;
	return !kind_is(k, "", "Namespace") || json_array_size(get(obj, "spec", "finalizers")) == 0;
}

static void
update_run(struct call *c)
{
	json_t *obj, *old;

	if (options_read(c, "UpdateOptions") < 0 || body_object(c, c->kind, &obj) < 0)
		return;
	if (!*c->target.sub && (kind_strategy(c->kind) & CREATES_ON_UPDATE) &&
	    !cache_exists(c->server->cache, c->table, c->target.namespace, c->target.name) &&
	    strcmp(meta_name(obj), c->target.name) == 0) {
		json_decref(obj);
		create_handle(c);
		return;
	}
	if (call_current(c) < 0) {
		json_decref(obj);
		return;
	}
	if (call_old(c, &old) < 0) {
		json_decref(obj);
		return;
	}
	c->status = 200;
	if (update_prepare(c, old, obj, call_part(c)) < 0)
		json_decref(obj);
	else
		update_submit(c, obj);
	json_decref(old);
}

void
update_handle(struct call *c)
{
	call_defer(c, update_run);
}
