/* The action stream's verbs (orch-streams(7)), carried out. */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/absent.h"
#include "client/http.h"
#include "control/control.h"

#define DRY "dryRun=All"

struct act {
	struct client *c;
	const json_t *action, *obj;
	const struct kind *kind;
	const char *ns;
	bool dry;
	json_t **ret; /* never NULL */
};

/* A name that is taken by an object with the same controller owner is our own, made before. */
static int
taken(const struct act *a, struct err *err)
{
	const char *ours = text(meta_controller(a->obj), "uid");
	json_auto_t *there = NULL;
	struct err ignored;

	if (!*ours || !*meta_name(a->obj) ||
	    client_get(a->c, a->kind, a->ns, meta_name(a->obj), &there, &ignored) < 0 ||
	    strcmp(text(meta_controller(there), "uid"), ours) != 0)
		return -(int)err->code;
	*a->ret = steal(there);
	return 1;
}

static int
act_create(const struct act *a, struct err *err)
{
	int r = client_create(a->c, a->obj, a->dry ? DRY : NULL, a->ret, err);

	return r == -ERR_EXISTS ? taken(a, err) : r;
}

static int
act_update(const struct act *a, struct err *err)
{
	return client_update(
	    a->c, a->obj, text(a->action, "subresource"), a->dry ? DRY : NULL, a->ret, err);
}

static int
act_update_status(const struct act *a, struct err *err)
{
	return client_update(a->c, a->obj, "status", a->dry ? DRY : NULL, a->ret, err);
}

static int
act_patch(const struct act *a, struct err *err)
{
	return client_patch(a->c, a->kind, a->ns, meta_name(a->obj), text(a->action, "subresource"),
	    "application/merge-patch+json", a->obj, a->dry ? DRY : NULL, a->ret, err);
}

static int
act_apply(const struct act *a, struct err *err)
{
	const char *by = text(a->action, "by");
	autobuf struct buf query = BUF_INIT;

	buf_puts(&query, "force=true&fieldManager=");
	text_percent(&query, *by ? by : "orch-act");
	if (a->dry)
		buf_puts(&query, "&" DRY);
	return client_patch(a->c, a->kind, a->ns, meta_name(a->obj), text(a->action, "subresource"),
	    "application/apply-patch+yaml", a->obj, query.data, a->ret, err);
}

static int
act_delete(const struct act *a, struct err *err)
{
	json_auto_t *options = json_deep_copy(get(a->action, "options"));
	int r;

	if (!options)
		options = json_object();
	if (*meta_uid(a->obj))
		put(options, json_string(meta_uid(a->obj)), "preconditions", "uid");
	if (a->dry)
		put(options, json_pack("[s]", "All"), "dryRun");
	r = client_delete(a->c, a->kind, a->ns, meta_name(a->obj), options, a->ret, err);
	return r == -ERR_NOT_FOUND ? 1 : r;
}

/* POST to pods/NAME/SUB. */
static int
post_to_pod(const struct act *a, const char *sub, const json_t *body, struct err *err)
{
	autofree char *name = xasprintf("%s/%s", meta_name(a->obj), sub);
	autofree char *path = client_path(kind_find("", "v1", "Pod"), a->ns, "", NULL);
	autofree char *full = xasprintf("%s/%s%s", path, name, a->dry ? "?" DRY : "");

	return client_post(a->c, full, body, a->ret, err);
}

static int
act_evict(const struct act *a, struct err *err)
{
	json_auto_t *eviction = json_pack("{s:s, s:s, s:{s:s, s:s}, s:O*}", "apiVersion",
	    "policy/v1", "kind", "Eviction", "metadata", "name", meta_name(a->obj), "namespace",
	    a->ns, "deleteOptions", json_deep_copy(get(a->action, "options")));

	if (*meta_uid(a->obj))
		put(eviction, json_string(meta_uid(a->obj)), "deleteOptions", "preconditions",
		    "uid");
	return post_to_pod(a, "eviction", eviction, err);
}

static int
act_bind(const struct act *a, struct err *err)
{
	return post_to_pod(a, "binding", a->obj, err);
}

/* Events with the same name are the same happening: count it up. */
static int
act_event(const struct act *a, struct err *err)
{
	json_auto_t *there = NULL, *patch = NULL;
	int r = client_create(a->c, a->obj, a->dry ? DRY : NULL, a->ret, err);

	if (r != -ERR_EXISTS)
		return r;
	if ((r = client_get(a->c, a->kind, a->ns, meta_name(a->obj), &there, err)) < 0)
		return r;
	patch = json_pack("{s:I, s:O*}", "count", num(get(there, "count"), 1) + 1, "lastTimestamp",
	    get(a->obj, "lastTimestamp"));
	return client_patch(a->c, a->kind, a->ns, meta_name(a->obj), NULL,
	    "application/merge-patch+json", patch, a->dry ? DRY : NULL, a->ret, err);
}

static int (*const verbs[ACT_COUNT])(const struct act *a, struct err *err) = {
	[ACT_CREATE] = act_create,
	[ACT_UPDATE] = act_update,
	[ACT_UPDATE_STATUS] = act_update_status,
	[ACT_PATCH] = act_patch,
	[ACT_APPLY] = act_apply,
	[ACT_DELETE] = act_delete,
	[ACT_EVICT] = act_evict,
	[ACT_BIND] = act_bind,
	[ACT_EVENT] = act_event,
};

/* A delete that says so, and names a namespace, is of everything of the kind there. */
static bool
whole_collection(const json_t *action)
{
	return strcmp(text(action, "action"), "delete") == 0 && truth(get(action, "collection")) &&
	       *text(action, "object", "metadata", "namespace");
}

static int
check(struct act *a, int verb, struct err *err)
{
	bool generated = verb == ACT_CREATE && *text(a->obj, "metadata", "generateName");
	int r;

	if (verb < 0)
		return err_set(
		    err, ERR_BAD_REQUEST, "unknown action '%s'", text(a->action, "action"));
	if (!json_is_object(a->obj))
		return err_set(
		    err, ERR_BAD_REQUEST, "action '%s' has no object", text(a->action, "action"));
	if (!*meta_name(a->obj) && !generated && !whole_collection(a->action))
		return err_set(err, ERR_BAD_REQUEST, "object.metadata.name is missing");
	if (verb == ACT_BIND || verb == ACT_EVICT) {
		a->kind = kind_find("", "v1", "Pod");
	} else if ((r = client_kind_of(a->c, a->obj, &a->kind, err)) < 0) {
		return r;
	}
	a->ns = meta_namespace(a->obj);
	if (a->kind->namespaced && !*a->ns)
		a->ns = client_namespace(a->c);
	return 0;
}

int
client_act(struct client *c, const json_t *action, bool dry_run, json_t **ret, struct err *err)
{
	struct act a = { .c = c, .action = action, .obj = get(action, "object"), .dry = dry_run };
	int verb = verb_of_name(text(action, "action")), r;
	json_t *reply = NULL;

	a.ret = &reply;
	if ((r = check(&a, verb, err)) < 0 ||
	    (r = act_still_absent(c, get(action, "absent"), err)) < 0 ||
	    (r = act_still_empty(c, text(action, "empty"), err)) < 0 ||
	    (r = verbs[verb](&a, err)) < 0) {
		json_decref(reply);
		return r;
	}
	if (ret)
		*ret = reply;
	else
		json_decref(reply);
	return r;
}
