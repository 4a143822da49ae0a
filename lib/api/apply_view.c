/* Owners of other versions: what a write changes, as each of them sees the object. */
#include <string.h>

#include "api/apply.h"
#include "api/convert.h"
#include "base/mem.h"

void
apply_convert(const struct apply *req, json_t **obj, const struct kind *from, const struct kind *to,
    const char *what, struct err *broken)
{
	struct err err;

	if (from == to)
		return;
	if (!to->custom || !req->convert) {
		convert_part(*obj, from, to);
		return;
	}
	/* nothing, as what was there before a create, is nothing in every version */
	if (!json_object_get(*obj, "metadata") || broken->code)
		return;
	if (req->convert(to, obj, 1, &err) < 0)
		err_set(broken, ERR_INTERNAL, "%s: %s", what, err.msg);
}

static json_t *
part_copy(const struct apply *req, const json_t *obj, const struct kind *from,
    const struct kind *to, const char *what, struct err *broken)
{
	json_t *copy;

	if (from == to)
		return json_incref((json_t *)obj);
	copy = json_deep_copy(obj);
	apply_convert(req, &copy, from, to, what, broken);
	return copy;
}

/* Versions of custom kinds without a webhook differ in nothing but their schemas, and do not drop
 * what they do not know when it is about owners. */
static json_t *
renamed(const json_t *obj, const struct kind *to)
{
	json_t *copy = json_copy((json_t *)obj);
	char version[128];

	if (json_object_get(copy, "apiVersion"))
		json_object_set_new(copy, "apiVersion", json_string(kind_api_version(to, version)));
	return copy;
}

/* What was there, and what comes, in v's version. */
static void
see(struct apply_views *all, struct apply_view *v)
{
	const struct kind *from = all->req->kind, *to = v->kind;
	json_t *both[2];
	size_t none;
	struct err err;

	if (from != to && to->custom && !all->req->convert) {
		v->old = renamed(all->old, to);
		v->new = renamed(all->new, to);
		return;
	}
	if (from == to || !to->custom) {
		v->old = part_copy(all->req, all->old, from, to, "", &all->broken);
		v->new = part_copy(all->req, all->new, from, to, "", &all->broken);
		return;
	}
	both[0] = json_deep_copy(all->old);
	both[1] = json_deep_copy(all->new);
	none = json_object_get(both[0], "metadata") ? 0 : 1; /* before a create there is nothing */
	if (all->req->convert(to, both + none, 2 - none, &err) < 0)
		err_set(&all->broken, ERR_INTERNAL, "failed to convert %s object: %s",
		    none ? "new" : "old", err.msg);
	v->old = both[0];
	v->new = both[1];
}

static bool
fits(struct apply_views *all, const struct apply_view *v)
{
	autobuf struct buf why = BUF_INIT;

	if (all->broken.code)
		return false;
	if (!typed_check_kept(kind_schema(v->kind), v->old, &why))
		err_set(&all->broken, ERR_INTERNAL, "failed to convert old object: %s", why.data);
	else if (!typed_check_kept(kind_schema(v->kind), v->new, &why))
		err_set(&all->broken, ERR_INTERNAL, "failed to convert new object: %s", why.data);
	return all->broken.code == 0;
}

const struct apply_view *
apply_view(struct apply_views *all, const char *version)
{
	struct arena *a = all->arena;
	const struct kind *own = all->req->kind, *k = kind_sibling(own, version);
	struct apply req = *all->req;
	struct fieldset reset;
	struct apply_view *v;
	struct changes c;

	if (!k && own->custom)
		err_set(&all->broken, ERR_INTERNAL,
		    "failed to convert old object: request to convert CR to an invalid "
		    "group/version: %s",
		    version);
	if (!k || all->broken.code)
		return NULL;
	for (v = all->list; v; v = v->next)
		if (v->kind == k)
			return v;
	req.kind = k;
	reset = apply_reset(a, &req);
	v = arena_alloc(a, sizeof *v);
	*v = (struct apply_view){ .kind = k, .next = all->list };
	see(all, v);
	c = typed_compare(a, kind_schema(k), v->old, v->new);
	v->changed = fieldset_union(a, &c.modified, &c.added);
	v->changed = fieldset_without(a, &v->changed, &reset);
	v->removed = fieldset_without(a, &c.removed, &reset);
	all->list = v;
	return own->custom && !fits(all, v) ? NULL : v;
}

void
apply_views_release(struct apply_views *all)
{
	for (struct apply_view *v = all->list; v; v = v->next) {
		json_decref(v->old);
		json_decref(v->new);
	}
	all->list = NULL;
}

/* What is left of whole, in version k, when `last` goes, but not what managers of version `at` own.
 */
static struct fieldset
kept_for(const struct apply *req, struct arena *a, const struct managers *m, const struct kind *k,
    const struct kind *at, const json_t *whole, const json_t *pruned, json_t **tree,
    struct err *broken)
{
	static const char words[] = "failed add back owned items: failed to convert";
	const struct type *type = kind_schema(at);
	char version[128];
	autofree char *no_merged =
	    xasprintf("%s merged object at version %s", words, kind_api_version(at, version));
	autofree char *no_pruned = xasprintf("%s pruned object at version %s", words, version);
	json_auto_t *all = part_copy(req, whole, k, at, no_merged, broken),
		    *less = part_copy(req, pruned, k, at, no_pruned, broken);
	struct fieldset owned = FIELDSET_EMPTY, everything = typed_fields(a, type, all), left, gone;

	for (size_t i = 0; i < m->n; i++)
		if (kind_sibling(k, m->item[i].version) == at)
			owned = fieldset_union(a, &owned, &m->item[i].fields);
	owned = typed_named(a, type, &owned);
	left = typed_fields(a, type, less);
	left = typed_named(a, type, &left);
	left = fieldset_union(a, &left, &owned);
	everything = typed_named(a, type, &everything);
	gone = fieldset_minus(a, &everything, &left);
	*tree = json_deep_copy(all);
	typed_remove(a, type, *tree, &gone);
	apply_convert(req, tree, at, k, no_pruned, broken);
	return typed_fields(a, kind_schema(k), *tree);
}

struct fieldset
apply_owned(const struct apply *req, struct arena *a, const struct managers *m,
    const struct kind *k, const json_t *whole, const struct fieldset *last, json_t *trees,
    struct err *broken)
{
	json_auto_t *pruned = NULL;
	struct fieldset owned = FIELDSET_EMPTY, more;
	json_t *tree;

	for (size_t i = 0; i < m->n; i++) {
		const struct kind *at = kind_sibling(k, m->item[i].version);

		if (at == k)
			owned = fieldset_union(a, &owned, &m->item[i].fields);
		if (!at || at == k)
			continue;
		if (!pruned) {
			pruned = json_deep_copy(whole);
			typed_remove(a, kind_schema(k), pruned, last);
		}
		more = kept_for(req, a, m, k, at, whole, pruned, &tree, broken);
		owned = fieldset_union(a, &owned, &more);
		json_array_append_new(trees, tree); /* the set points into it */
	}
	return owned;
}
