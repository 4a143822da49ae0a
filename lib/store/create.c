/* POST to a collection. */
#include <string.h>

#include "api/convert.h"
#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/admission.h"
#include "store/service.h"

/* What only the server may set. */
static void
system_fields(const struct kind *k, json_t *obj)
{
	static const char *const ours[] = { "deletionTimestamp", "deletionGracePeriodSeconds",
		"generation" };
	char now[TIME_TEXT], uid[37];
	json_t *meta = json_object_get(obj, "metadata");

	for (size_t i = 0; i < COUNT(ours); i++)
		json_object_del(meta, ours[i]);
	new_uid(uid);
	json_object_set_new(meta, "uid", json_string(uid));
	json_object_set_new(meta, "creationTimestamp", json_string(time_print(clock_now(), now)));
	if (kind_strategy(k) & HAS_GENERATION)
		json_object_set_new(meta, "generation", json_integer(1));
}

/* Where it goes; a kind of the cluster does not care what the object says. */
static int
place(struct call *c, json_t *obj)
{
	json_t *meta = json_object_get(obj, "metadata");
	const char *ns = meta_namespace(obj);

	if (c->kind->namespaced && *ns && strcmp(ns, c->target.namespace) != 0) {
		reply_status(c, 400, "BadRequest",
		    "the namespace of the provided object does not match the namespace sent on the "
		    "request",
		    NULL);
		return -1;
	}
	if (c->kind->namespaced)
		json_object_set_new(meta, "namespace", json_string(c->target.namespace));
	else
		json_object_del(meta, "namespace");
	return 0;
}

static void
name(struct call *c, json_t *obj)
{
	const char *base = text(obj, "metadata", "generateName");

	if (*meta_name(obj) || !*base)
		return;
	autofree char *made = name_generate(base);
	json_object_set_new(json_object_get(obj, "metadata"), "name", json_string(made));
	c->generated = true;
}

int
create_prepare(struct call *c, json_t *obj)
{
	struct causes causes = CAUSES_INIT;
	const char *version = meta_version(obj);
	json_t *checked;
	int r = 0;

	if (place(c, obj) < 0)
		return -1;
	if (*version && strcmp(version, "0") != 0) {
		reply_status(c, 500, NULL,
		    "resourceVersion should not be set on objects to be created", NULL);
		return -1;
	}
	name(c, obj);
	system_fields(c->kind, obj);
	strategy_clear(c->kind, obj);
	defaults_apply(c->kind, obj);
	convert_settle(c->kind, obj);
	track_write(c, NULL, obj);
	normalize_kept(c->kind, obj);
	if (admission_mutate(c, OP_CREATE, NULL, obj) < 0)
		return -1;
	strategy_requester(c, obj);
	strategy_create(c->kind, obj);
	if (services_reserve(c, NULL, obj) < 0)
		return -1;
	checked = convert_copy(obj, c->kind, kind_checked(c->kind));
	validate_create(kind_checked(c->kind), checked, &causes);
	json_decref(checked);
	if (causes.n) {
		refuse_object(c, &causes, obj, meta_name(obj));
		r = -1;
	}
	causes_release(&causes);
	if (r < 0)
		return r;
	call_warn_create(c, obj);
	r = admission_validate(c, OP_CREATE, NULL, obj);
	if (r == 0)
		strategy_kept(c->kind, obj);
	return r;
}

static void
create_run(struct call *c)
{
	json_t *obj;

	if (options_read(c, "CreateOptions") < 0 || body_object(c, c->kind, &obj) < 0)
		return;
	if (create_prepare(c, obj) < 0) {
		json_decref(obj);
		return;
	}
	struct object *there =
	    cache_get(c->server->cache, c->table, c->target.namespace, meta_name(obj));
	if (there && !c->generated) {
		struct err err;
		json_t *old = object_json_kept(there, kind_stored(c->kind));

		fail_exists(c, meta_name(obj), &err);
		if (meta_deleting(old))
			err_wrap(&err, "object is being deleted");
		json_decref(old);
		json_decref(obj);
		object_unref(there);
		reply_error(c, &err);
		return;
	}
	object_unref(there);
	c->status = 201;
	write_submit(c, obj, false);
}

void
create_handle(struct call *c)
{
	call_defer(c, create_run);
}
