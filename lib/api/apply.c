/*
 * An apply, in the order of structured-merge-diff: merge, prune what the manager had and no
 * longer says, find conflicts, hand fields over.
 */
#include "api/apply.h"

#include <string.h>

#include "api/convert.h"
#include "api/meta.h"
#include "base/mem.h"

static const char kubectl[] = "kubectl", first[] = "before-first-apply";

struct run {
	const struct apply *req;
	const struct type *type;
	char version[128];
	struct arena arena;
	struct managers managers;
	struct fieldset reset;
	struct err broken; /* why a version of the object cannot be had; code 0: they all can */
	json_t *live;	   /* without managedFields */
	json_t *new;
	struct fieldset legacy; /* what kubectl may take over without force */
	json_t *legacy_source;
};

void
conflicts_release(struct conflicts *c)
{
	causes_release(&c->causes);
	free(c->message);
	c->message = NULL;
}

/* --- may it be applied at all? --- */

static void
print_gvk(const json_t *patch, struct buf *b)
{
	const char *version = text(patch, "apiVersion");

	buf_printf(
	    b, "%s%s, Kind=%s", strchr(version, '/') ? "" : "/", version, text(patch, "kind"));
}

static int
check_patch(struct run *r, const json_t *patch, struct err *err)
{
	autobuf struct buf what = BUF_INIT, why = BUF_INIT;
	const json_t *managed = get(patch, "metadata", "managedFields");

	print_gvk(patch, &what);
	if (strcmp(text(patch, "kind"), r->req->kind->kind) != 0 ||
	    strcmp(text(patch, "apiVersion"), r->version) != 0)
		return err_set(err, ERR_BAD_REQUEST, "invalid object type: %s", what.data);
	if (managed && !json_is_null(managed))
		return err_set(err, ERR_BAD_REQUEST, "metadata.managedFields must be nil");
	if (typed_check(r->type, patch, &why))
		return 0;
	return err_set(err, ERR_INTERNAL, "failed to create typed patch object (%s/%s; %s): %s",
	    meta_namespace(patch), meta_name(patch), what.data, why.data);
}

/* --- what the manager had and no longer says --- */

/*
 * A field goes when the manager's last apply had it, nobody owns it now, and neither does
 * somebody own the struct, map or item around it that would go with it.  Declared fields on the
 * way count as theirs who own something below them.
 */
static void
prune_in(struct run *r, const struct kind *k, json_t *new, const struct fieldset *last_fields)
{
	struct arena *a = &r->arena;
	json_auto_t *trees = json_array();
	struct fieldset merged = typed_fields(a, kind_schema(k), new), owned, left, all, last, gone;

	last = typed_named(a, kind_schema(k), last_fields);
	owned = apply_owned(r->req, a, &r->managers, k, new, &last, trees, &r->broken);
	owned = typed_named(a, kind_schema(k), &owned);
	all = typed_named(a, kind_schema(k), &merged);

	/* without the last apply, but with what anybody owns */
	left = fieldset_without(a, &merged, &last);
	left = typed_named(a, kind_schema(k), &left);
	left = fieldset_union(a, &left, &owned);
	gone = fieldset_minus(a, &all, &left);

	/* of that, only what was in the last apply goes: the rest was never this manager's */
	left = fieldset_without(a, &all, &gone);
	gone = fieldset_minus(a, &all, &left);
	gone = fieldset_common(a, &last, &gone);
	typed_remove(a, kind_schema(k), new, &gone);
}

/* In the version of the last apply: that is the one its fields are of. */
static void
prune(struct run *r, const struct fieldset *last_fields, const char *version)
{
	const struct kind *own = r->req->kind, *k = kind_sibling(own, version);

	if (fieldset_empty(last_fields) || !k)
		return;
	if (k == own) {
		prune_in(r, k, r->new, last_fields);
		return;
	}
	apply_convert(r->req, &r->new, own, k,
	    "failed to convert merged object to last applied version", &r->broken);
	prune_in(r, k, r->new, last_fields);
	apply_convert(r->req, &r->new, k, own, "failed to convert pruned object", &r->broken);
}

/* --- conflicts --- */

struct refusal {
	struct conflicts *out;
	const struct manager *who;
	struct buf message;
	bool several;
};

static void
refuse_path(void *arg, const char *path)
{
	struct refusal *f = arg;
	autobuf struct buf who = BUF_INIT;

	manager_print(f->who, &who);
	cause_add(&f->out->causes, "FieldManagerConflict", path, "conflict with %s", who.data);
	buf_printf(&f->message, f->several ? "\n- %s" : "%s", path);
}

static void
count_path(void *arg, const char *path)
{
	(void)path;
	++*(size_t *)arg;
}

static int
refuse(struct run *r, const struct fieldset *conflict, struct conflicts *out, struct err *err)
{
	struct refusal f = { .out = out, .message = BUF_INIT };
	struct manager **order = arena_alloc(&r->arena, (r->managers.n + 1) * sizeof *order);
	size_t n = 0, paths = 0;

	for (size_t i = 0; i < r->managers.n; i++) {
		size_t j = n;

		if (fieldset_empty(&conflict[i]))
			continue;
		fieldset_each(&conflict[i], count_path, &paths);
		for (; j && manager_cmp(order[j - 1], &r->managers.item[i]) > 0; j--)
			order[j] = order[j - 1];
		order[j] = &r->managers.item[i];
		n++;
	}
	f.several = paths > 1;
	buf_printf(&f.message, "Apply failed with %zu conflict%s: ", paths, paths > 1 ? "s" : "");
	for (size_t i = 0; i < n; i++) {
		f.who = order[i];
		buf_printf(&f.message, "%sconflict%s with ", i ? "\n" : "", paths > 1 ? "s" : "");
		manager_print(f.who, &f.message);
		buf_puts(&f.message, paths > 1 ? ":" : ": ");
		fieldset_each(&conflict[order[i] - r->managers.item], refuse_path, &f);
	}
	out->message = buf_detach(&f.message);
	return err_set(err, ERR_CONFLICT, "%.1000s", out->message);
}

/* What others own of the fields that change; kubectl may have what its client-side self set. */
static int
take_over(struct run *r, struct apply_views *views, const struct manager *self,
    struct conflicts *conflicts, struct err *err)
{
	struct arena *a = &r->arena;
	struct fieldset *conflict = arena_alloc(a, (r->managers.n + 1) * sizeof *conflict);
	bool any = false;

	for (size_t i = 0; i < r->managers.n; i++) {
		struct manager *m = &r->managers.item[i];
		const struct apply_view *v = m == self ? NULL : apply_view(views, m->version);
		struct fieldset none = FIELDSET_EMPTY, open;

		if (views->broken.code) {
			*err = views->broken;
			return -(int)err->code;
		}

		conflict[i] = m == self || !v ? none : fieldset_common(a, &m->fields, &v->changed);
		open = fieldset_minus(a, &conflict[i], &r->legacy);
		any |= !fieldset_empty(&open);
	}
	if (any && !r->req->force) {
		for (size_t i = 0; i < r->managers.n; i++)
			conflict[i] = fieldset_minus(a, &conflict[i], &r->legacy);
		return refuse(r, conflict, conflicts, err);
	}
	for (size_t i = 0; i < r->managers.n; i++) {
		struct manager *m = &r->managers.item[i];
		const struct apply_view *v = m == self ? NULL : apply_view(views, m->version);

		if (!v && m != self) /* of a version that there is no more */
			m->fields = (struct fieldset)FIELDSET_EMPTY;
		if (!v ||
		    (fieldset_empty(&conflict[i]) && !fieldset_meets(&m->fields, &v->removed)))
			continue;
		m->fields = fieldset_minus(a, &m->fields, &conflict[i]);
		m->fields = fieldset_minus(a, &m->fields, &v->removed);
		m->entry = NULL;
	}
	return 0;
}

static int
hand_over(struct run *r, const struct manager *self, struct conflicts *conflicts, struct err *err)
{
	struct apply_views views = {
		.arena = &r->arena, .req = r->req, .old = r->live, .new = r->new
	};
	int res = take_over(r, &views, self, conflicts, err);

	apply_views_release(&views);
	return res;
}

/* --- the whole --- */

/* An object without owners belongs to "before-first-apply". */
static void
own_before(struct run *r, const json_t *live, json_t **nothing)
{
	struct manager *m;
	struct changes c;

	if (r->managers.n || !live)
		return;
	*nothing = r->req->kind->custom ? json_object() : typed_nothing(r->type);
	c = typed_compare(&r->arena, r->type, *nothing, r->live);
	m = managers_get(&r->managers, &(struct manager){ .name = first,
					   .version = r->version,
					   .subresource = r->req->subresource,
					   .time = r->req->now });
	m->fields = fieldset_union(&r->arena, &c.modified, &c.added);
	m->fields = fieldset_without(&r->arena, &m->fields, &r->reset);
	m->fields = apply_stripped(&r->arena, &m->fields);
	managers_drop_empty(&r->managers);
}

static struct manager *
self_of(struct run *r)
{
	return managers_get(
	    &r->managers, &(struct manager){ .name = *r->req->manager ? r->req->manager : "unknown",
			      .version = r->version,
			      .subresource = r->req->subresource,
			      .time = "",
			      .applied = true });
}

static int
merge_in(struct run *r, const json_t *patch, struct conflicts *conflicts, struct err *err)
{
	struct manager *self = self_of(r);
	struct fieldset last = self->fields, set = typed_fields(&r->arena, r->type, patch);
	const char *last_version = self->version;
	const json_t *entry = self->entry;
	bool same;
	int res;

	self->fields = fieldset_without(&r->arena, &set, &r->reset);
	r->new = typed_merge(&r->arena, r->type, r->live, patch);
	self->version = r->version; /* what it owns now; what it had is of the one before */
	prune(r, &last, last_version);
	if (r->broken.code) {
		*err = r->broken;
		return err_wrap(err, "failed to prune fields");
	}
	if ((res = hand_over(r, self, conflicts, err)) < 0)
		return res;
	self->fields = apply_stripped(&r->arena, &self->fields);
	same = json_equal(r->live, r->new);
	if (!same && *r->req->now)
		self->time = r->req->now;
	if (!same || !entry || strcmp(last_version, r->version) != 0 ||
	    !fieldset_equal(&last, &self->fields))
		self->entry = NULL;
	managers_drop_empty(&r->managers);
	return 0;
}

static void
set_managers(json_t *obj, json_t *entries)
{
	if (entries)
		put(obj, entries, "metadata", "managedFields");
	else
		json_object_del(json_object_get(obj, "metadata"), "managedFields");
}

static int
run_apply(struct run *r, const json_t *live, const json_t *patch, json_t **nothing,
    struct conflicts *conflicts, struct err *err)
{
	int res = check_patch(r, patch, err);

	if (res < 0)
		return res;
	res = managers_read(
	    &r->managers, &r->arena, live ? get(live, "metadata", "managedFields") : NULL, err);
	if (res < 0)
		return err_wrap(err, "failed to decode managed fields");
	r->reset = apply_reset(&r->arena, r->req);
	own_before(r, live, nothing);
	if (live && strcmp(r->req->manager, kubectl) == 0)
		r->legacy_source = legacy_fields(&r->arena, r->req->kind, r->live, &r->legacy);
	if ((res = merge_in(r, patch, conflicts, err)) < 0)
		return res;
	set_managers(r->new, managers_json(&r->managers));
	if (strcmp(r->req->manager, kubectl) == 0)
		legacy_note(r->new, patch);
	return 0;
}

int
apply_patch(const struct apply *a, const json_t *live, const json_t *patch, json_t **ret,
    struct conflicts *conflicts, struct err *err)
{
	struct run r = { .req = a, .type = kind_schema(a->kind) };
	json_t *nothing = NULL;
	int res;

	kind_api_version(a->kind, r.version);
	r.live = live ? apply_plain(live) : json_object();
	res = run_apply(&r, live, patch, &nothing, conflicts, err);
	if (res == 0)
		*ret = r.new;
	else
		json_decref(r.new);
	managers_release(&r.managers);
	arena_release(&r.arena);
	json_decref(r.live);
	json_decref(r.legacy_source);
	json_decref(nothing);
	return res;
}
