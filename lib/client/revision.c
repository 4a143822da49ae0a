#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/patch.h"
#include "api/selector.h"
#include "api/validate.h"
#include "base/mem.h"
#include "client/revision.h"
#include "control/rollout.h"

#define HASH_LABEL "pod-template-hash"

/* --- reading -------------------------------------------------------------------------------- */

struct reading {
	struct revisions *out;
	const json_t *owner;
	bool sets; /* ReplicaSets */
};

static int
take(void *arg, json_t *obj, struct err *err)
{
	struct reading *r = arg;
	long long number = r->sets ? rollout_revision(obj) : num(get(obj, "revision"), 0);

	(void)err;
	if (!meta_owned_by(obj, r->owner) || number <= 0) {
		json_decref(obj);
		return 0;
	}
	GROW(r->out->item, r->out->n, r->out->cap);
	r->out->item[r->out->n++] = (struct revision){ number, obj };
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	const struct revision *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

int
revisions_read(struct revisions *r, struct client *c, const struct kind *k, const json_t *owner,
    struct err *err)
{
	char group_kind[128];
	bool sets = strcmp(kind_group_kind(k, group_kind), "Deployment.apps") == 0;
	struct reading reading = { r, owner, sets };
	struct selector *labels;
	struct list_options o = { 0 };
	autofree char *selector = NULL;
	int n;

	*r = (struct revisions){ 0 };
	if (!sets && strcmp(group_kind, "DaemonSet.apps") != 0 &&
	    strcmp(group_kind, "StatefulSet.apps") != 0)
		return err_set(err, ERR_BAD_REQUEST, "a %s has no rollout", k->kind);
	if ((n = selector_from_json(&labels, get(owner, "spec", "selector"), err)) < 0)
		return err_wrap(err, "spec.selector");
	o.selector = selector = selector_print(labels);
	selector_free(labels);
	n = client_list(c, kind_find("apps", "v1", sets ? "ReplicaSet" : "ControllerRevision"),
	    meta_namespace(owner), &o, take, &reading, NULL, err);
	if (r->n)
		qsort(r->item, r->n, sizeof *r->item, by_number);
	return n;
}

void
revisions_release(struct revisions *r)
{
	for (size_t i = 0; i < r->n; i++)
		json_decref(r->item[i].obj);
	free(r->item);
	*r = (struct revisions){ 0 };
}

int
revisions_find(
    const struct revisions *r, long long number, const struct revision **ret, struct err *err)
{
	if (number == 0 && r->n < 2)
		return err_set(err, ERR_NOT_FOUND, "there is no revision before the latest");
	if (number == 0) {
		*ret = &r->item[r->n - 2];
		return 0;
	}
	for (size_t i = 0; i < r->n; i++)
		if (r->item[i].number == number) {
			*ret = &r->item[i];
			return 0;
		}
	if (r->n == 0)
		return err_set(err, ERR_NOT_FOUND, "it has no revisions");
	return err_set(err, ERR_NOT_FOUND, "it has no revision %lld, only %lld to %lld", number,
	    r->item[0].number, r->item[r->n - 1].number);
}

/* --- restoring -------------------------------------------------------------------------------- */

static bool
is_set(const struct revision *rev)
{
	return strcmp(text(rev->obj, "kind"), "ReplicaSet") == 0;
}

/* The annotations of a rolled back Deployment: what is about itself stays, the rest is what the
 * revision had. */
static json_t *
annotations(const json_t *owner, const json_t *rs)
{
	json_t *all = json_object(), *value;
	const char *key;

	json_object_foreach (get(owner, "metadata", "annotations"), key, value)
		if (rollout_private_annotation(key))
			json_object_set(all, key, value);
	json_object_foreach (get(rs, "metadata", "annotations"), key, value)
		if (!rollout_private_annotation(key))
			json_object_set(all, key, value);
	return all;
}

int
revision_restored(json_t **ret, const struct kind *k, const json_t *owner,
    const struct revision *rev, struct err *err)
{
	json_auto_t *obj = json_deep_copy(owner);

	if (is_set(rev)) {
		json_t *t = json_deep_copy(get(rev->obj, "spec", "template"));

		json_object_del(get(t, "metadata", "labels"), HASH_LABEL);
		put(obj, t ? t : json_null(), "spec", "template");
		put(obj, annotations(owner, rev->obj), "metadata", "annotations");
	} else if (strategic_patch(&obj, get(rev->obj, "data"), k->type, err) < 0) {
		err->code = ERR_INVALID; /* a server would say 500: here it is what was read */
		return err_wrap(err, "%s", meta_name(rev->obj));
	}
	if (!json_is_object(get(obj, "spec", "template")))
		return err_set(err, ERR_INVALID, "%s holds no template", meta_name(rev->obj));
	*ret = json_incref(obj);
	return 0;
}

int
revision_patch(const struct kind *k, const json_t *owner, const struct revision *rev,
    const char **type, json_t **patch, struct err *err)
{
	json_auto_t *restored = NULL, *defaulted = NULL;
	autofree char *now = NULL, *then = NULL;
	int r;

	if ((r = revision_restored(&restored, k, owner, rev, err)) < 0)
		return r;
	now = rollout_template_text(owner);
	/* a revision may be from before the server knew some default */
	defaulted = json_deep_copy(restored);
	defaults_apply(k, defaulted);
	then = rollout_template_text(defaulted);
	*patch = NULL;
	if (now && then && strcmp(now, then) == 0)
		return 0;
	if (!is_set(rev)) {
		*type = "application/strategic-merge-patch+json";
		*patch = json_deep_copy(get(rev->obj, "data"));
		put(*patch, json_string(meta_version(owner)), "metadata", "resourceVersion");
		return 0;
	}
	*type = "application/json-patch+json";
	*patch = json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:O},{s:s,s:s,s:O}]", "op", "replace", "path",
	    "/metadata/resourceVersion", "value", meta_version(owner), "op", "replace", "path",
	    "/spec/template", "value", get(restored, "spec", "template"), "op", "add", "path",
	    "/metadata/annotations", "value", get(restored, "metadata", "annotations"));
	return 0;
}
