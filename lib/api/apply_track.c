/* Ownership by updates, and what ownership leaves out. */
#include <string.h>

#include "api/apply.h"
#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"

enum { LONGEST = 128 }; /* of a manager's name, FieldManagerMaxLength */

static struct fieldnode *
add_field(struct arena *a, struct fieldset *s, const char *name, bool member)
{
	struct fieldnode *node = fieldset_add(a, s, (struct element){ ELEMENT_FIELD, name });

	node->member = member;
	return node;
}

static struct fieldset
metadata_fields(struct arena *a, const char *const *names)
{
	struct fieldset s = FIELDSET_EMPTY;

	for (; *names; names++)
		add_field(a, &s, *names, true);
	fieldset_sort(&s);
	return s;
}

/* Of a request for a certificate the spec is never written, and of the status each subresource
 * has its own half. */
static void
reset_request(struct arena *a, const struct apply *req, struct fieldset *s)
{
	static const char *const conditions[] = { "conditions", NULL };
	static const char *const certificate[] = { "certificate", NULL };

	add_field(a, s, "spec", true);
	if (!*req->subresource)
		add_field(a, s, "status", true);
	else
		add_field(a, s, "status", false)->below = metadata_fields(
		    a, strcmp(req->subresource, "status") == 0 ? conditions : certificate);
}

bool
status_keeps_metadata(const struct kind *k)
{
	static const char *const kinds[] = { "APIService", "CustomResourceDefinition", "FlowSchema",
		"PriorityLevelConfiguration", "ResourceClaim", "ValidatingAdmissionPolicy",
		"VolumeAttachment", NULL };

	return k->custom || text_in(k->kind, kinds);
}

static void
reset_all_but_status(struct arena *a, const struct kind *k, struct fieldset *s)
{
	static const char *const labels[] = { "labels", NULL };
	static const char *const owners[] = { "deletionTimestamp", "ownerReferences", NULL };

	for (size_t i = 0; i < kind_schema(k)->nfields; i++) {
		const char *name = kind_schema(k)->fields[i].name;

		if (strcmp(name, "metadata") == 0) {
			if (status_keeps_metadata(k))
				add_field(a, s, name, true);
			else if (strcmp(k->kind, "Deployment") == 0)
				add_field(a, s, name, false)->below = metadata_fields(a, labels);
			else if (strcmp(k->kind, "Pod") == 0)
				add_field(a, s, name, false)->below = metadata_fields(a, owners);
		} else if (strcmp(name, "status") != 0) {
			add_field(a, s, name, true);
		}
	}
}

/*
 * /status writes nothing but it (and most of the metadata), others never write the status: the
 * strategies' GetResetFields.
 */
struct fieldset
apply_reset(struct arena *a, const struct apply *req)
{
	struct fieldset s = FIELDSET_EMPTY;

	if (!req->kind->custom && strcmp(req->kind->kind, "CertificateSigningRequest") == 0)
		reset_request(a, req, &s);
	else if (req->kind->custom && strcmp(req->subresource, "status") == 0)
		add_field(a, &s, "spec", true);
	else if (strcmp(req->subresource, "status") == 0)
		reset_all_but_status(a, req->kind, &s);
	else if (strcmp(req->subresource, "scale") != 0 && kind_subresource(req->kind, "status"))
		add_field(a, &s, "status", true);
	fieldset_sort(&s);
	return s;
}

struct fieldset
apply_stripped(struct arena *a, const struct fieldset *s)
{
	static const char *const ours[] = { "creationTimestamp", "generation", "managedFields",
		"name", "namespace", "resourceVersion", "selfLink", "uid", NULL };
	struct fieldset strip = FIELDSET_EMPTY;

	add_field(a, &strip, "apiVersion", true);
	add_field(a, &strip, "kind", true);
	add_field(a, &strip, "metadata", true)->below = metadata_fields(a, ours);
	return fieldset_minus(a, s, &strip);
}

json_t *
apply_plain(const json_t *live)
{
	json_t *ret = json_copy((json_t *)live), *meta = json_object_get(ret, "metadata");

	if (json_object_get(meta, "managedFields")) {
		meta = json_copy(meta);
		json_object_del(meta, "managedFields");
		json_object_set_new(ret, "metadata", meta);
	}
	return ret;
}

/* --- */

static bool
forgets(const json_t *entries)
{
	const json_t *only = json_array_get(entries, 0);

	return json_is_array(entries) &&
	       (json_array_size(entries) == 0 ||
		   (json_array_size(entries) == 1 && json_is_object(only) &&
		       json_object_size(only) == 0));
}

/* Whose fields there were before: as the object itself says, else as live does. */
static void
read_managers(const struct apply *req, struct managers *m, struct arena *a, const json_t *own,
    const json_t *live)
{
	struct err err;

	if (*req->subresource)
		own = NULL;
	if (forgets(own))
		return;
	if (own && managers_read(m, a, own, &err) == 0 && m->n)
		return;
	if (managers_read(m, a, get(live, "metadata", "managedFields"), &err) < 0)
		m->n = 0;
}

static void
take(const struct apply *req, struct managers *m, const char *version, const struct fieldset *set)
{
	struct manager *self;

	if (fieldset_empty(set))
		return;
	self = managers_get(m, &(struct manager){ .name = *req->manager ? req->manager : "unknown",
				   .version = version,
				   .subresource = req->subresource });
	self->fields = fieldset_union(m->arena, &self->fields, set);
	if (*req->now || !self->time)
		self->time = req->now;
	self->entry = NULL;
}

/* Returns whether it can be told: else nobody owns anything any more. */
static bool
note_changes(const struct apply *req, struct managers *m, const json_t *old, const json_t *new,
    const char *version)
{
	struct arena *a = m->arena;
	struct apply_views views = { .arena = a, .req = req, .old = old, .new = new };
	const struct apply_view *own = apply_view(&views, version);
	struct fieldset changed =
	    own ? apply_stripped(a, &own->changed) : (struct fieldset)FIELDSET_EMPTY;

	for (size_t i = 0; i < m->n && !views.broken.code; i++) {
		struct manager *one = &m->item[i];
		const struct apply_view *v = apply_view(&views, one->version);
		struct fieldset lost;

		if (!v) { /* of a version that there is no more */
			one->fields = (struct fieldset)FIELDSET_EMPTY;
			continue;
		}
		lost = fieldset_union(a, &v->changed, &v->removed);
		if (!fieldset_meets(&one->fields, &lost))
			continue;
		one->fields = fieldset_minus(a, &one->fields, &lost);
		one->entry = NULL;
	}
	take(req, m, version, &changed);
	managers_drop_empty(m);
	managers_cap(m);
	apply_views_release(&views);
	return !views.broken.code;
}

void
apply_track(const struct apply *req, const json_t *live, json_t *obj)
{
	autoarena struct arena a = ARENA_INIT;
	struct managers m = { .arena = &a };
	json_t *meta = json_object_get(obj, "metadata"),
	       *own = json_incref(json_object_get(meta, "managedFields")), *old, *entries;
	char version[128];

	if (!json_is_object(meta)) {
		json_decref(own);
		return;
	}
	read_managers(req, &m, &a, own, live);
	json_object_del(meta, "managedFields");
	/* one that has no owners gets none before the first apply */
	if (m.n || !live) {
		old = live		  ? apply_plain(live)
		      : req->kind->custom ? json_object()
					  : typed_nothing(kind_schema(req->kind));
		if (note_changes(req, &m, old, obj, kind_api_version(req->kind, version)) &&
		    (entries = managers_json(&m)))
			json_object_set_new(meta, "managedFields", entries);
		json_decref(old);
	}
	managers_release(&m);
	json_decref(own);
}

static json_t *
without_times(const json_t *entries)
{
	json_t *ret = json_array(), *e;
	size_t i;

	json_array_foreach (entries, i, e) {
		json_t *copy = json_copy(e);

		json_object_del(copy, "time");
		json_array_append_new(ret, copy);
	}
	return ret;
}

void
apply_keep_times(const json_t *live, json_t *obj)
{
	json_t *was = get(live, "metadata", "managedFields"),
	       *is = get(obj, "metadata", "managedFields"), *x, *y;
	bool same;

	if (!was || !is || json_array_size(was) != json_array_size(is) || json_equal(was, is))
		return;
	x = without_times(was);
	y = without_times(is);
	same = json_equal(x, y);
	json_decref(x);
	json_decref(y);
	if (!same)
		return;
	x = apply_plain(live);
	y = apply_plain(obj);
	/* what is applied need not name the version that it was made from */
	json_object_del(json_object_get(x, "metadata"), "resourceVersion");
	json_object_del(json_object_get(y, "metadata"), "resourceVersion");
	if (json_equal(x, y))
		json_object_set(json_object_get(obj, "metadata"), "managedFields", was);
	json_decref(x);
	json_decref(y);
}

char *
apply_manager(const char *field_manager, const char *user_agent)
{
	struct buf b = BUF_INIT;

	if (field_manager && *field_manager)
		return xstrdup(field_manager);
	buf_puts(&b, "");
	for (const char *p = user_agent; p && *p && *p != '/';) {
		size_t n = text_utf8(p, strlen(p));

		if (n && b.len + n > LONGEST)
			break;
		if (n > 1 || (*p >= ' ' && *p < 0x7f))
			buf_add(&b, p, n);
		p += n ? n : 1;
	}
	return buf_detach(&b);
}
