#include <string.h>

#include "api/meta.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "client/apply.h"
#include "client/threeway.h"

enum { TRIES = 8 };

/* --- preparing ------------------------------------------------------------------------ */

void
apply_encode_secret(const struct kind *k, json_t *obj)
{
	json_t *strings = get(obj, "stringData"), *value;
	const char *key;

	if (*k->group || strcmp(k->kind, "Secret") != 0)
		return;
	json_object_foreach (strings, key, value) {
		autofree char *bytes = NULL;

		if (!json_is_string(value))
			return; /* the server says it better */
		bytes = bytes_encode(json_string_value(value), json_string_length(value));
		put(obj, json_string(bytes), "data", key);
	}
	json_object_del(obj, "stringData");
}

void
apply_prepare(json_t *obj, const struct kind *k, const char *ns)
{
	strip_server_fields(obj);
	if (k->namespaced)
		put(obj, json_string(ns), "metadata", "namespace");
	else
		json_object_del(get(obj, "metadata"), "namespace");
}

static json_t *
annotated(const struct kind *k, const json_t *obj)
{
	json_t *copy = json_deep_copy(obj);
	autofree char *text = last_applied_text(obj);

	apply_encode_secret(k, copy);
	put(copy, json_string(text), "metadata", "annotations", LAST_APPLIED);
	return copy;
}

/* --- one object ------------------------------------------------------------------------- */

struct applying {
	struct client *c;
	const struct kind *kind;
	const char *ns, *name;
	const struct writer *how;
	json_t *wanted; /* with the annotation */
};

static int
create(const struct applying *a, json_t **ret, struct err *err)
{
	if (a->how->dry != DRY_CLIENT)
		return client_create(a->c, a->wanted, a->how->query, ret, err);
	*ret = json_incref(a->wanted);
	return 0;
}

/* What live has to become, and the patch for it; *patch NULL when nothing is to be done. */
static void
plan(const struct applying *a, const json_t *live, json_t **merged, json_t **patch)
{
	const char *annotation = meta_annotation(live, LAST_APPLIED);
	json_auto_t *last = annotation ? json_loads(annotation, 0, NULL) : NULL;

	apply_encode_secret(a->kind, last);
	*merged = threeway_merge(a->kind, last, a->wanted, live);
	*patch = merge_patch_between(a->kind, live, *merged);
}

static int
change(const struct applying *a, json_t *live, enum apply_result *result, json_t **ret,
    struct err *err)
{
	json_auto_t *merged = NULL, *patch = NULL;
	int r;

	plan(a, live, &merged, &patch);
	*result = patch ? APPLY_CONFIGURED : APPLY_UNCHANGED;
	if (!patch || a->how->dry == DRY_CLIENT) {
		*ret = json_incref(patch ? merged : live);
		return 0;
	}
	put(patch, json_string(meta_version(live)), "metadata", "resourceVersion");
	r = client_patch(a->c, a->kind, a->ns, a->name, NULL, "application/merge-patch+json", patch,
	    a->how->query, ret, err);
	/* the server saw no difference: it writes nothing then */
	if (r == 0 && a->how->dry == DRY_NO && strcmp(meta_version(*ret), meta_version(live)) == 0)
		*result = APPLY_UNCHANGED;
	return r;
}

/* Look, then create or change; EXISTS, CONFLICT and NOT_FOUND mean that somebody was quicker. */
static int
attempt(const struct applying *a, enum apply_result *result, json_t **ret, struct err *err)
{
	json_auto_t *live = NULL;
	int r = client_get(a->c, a->kind, a->ns, a->name, &live, err);

	if (r == -ERR_NOT_FOUND) {
		*result = APPLY_CREATED;
		return create(a, ret, err);
	}
	return r < 0 ? r : change(a, live, result, ret, err);
}

int
apply_object(struct client *c, const struct kind *k, const json_t *obj, const struct writer *how,
    enum apply_result *result, json_t **ret, struct err *err)
{
	json_auto_t *wanted = annotated(k, obj), *reply = NULL;
	struct applying a = { c, k, meta_namespace(obj), meta_name(obj), how, wanted };
	int r = 0;

	if (!*a.name)
		return err_set(err, ERR_BAD_REQUEST, "metadata.name is missing");
	for (int try = 0; try < TRIES; try++) {
		r = attempt(&a, result, &reply, err);
		if (r != -ERR_CONFLICT && r != -ERR_EXISTS)
			break;
	}
	if (r == 0 && ret)
		*ret = steal(reply);
	return r;
}

/* --- names ------------------------------------------------------------------------------- */

char *
apply_key(const struct kind *k, const char *ns, const char *name)
{
	char group_kind[128];

	return xasprintf("%s/%s/%s", kind_group_kind(k, group_kind), ns, name);
}
