#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/buf.h"
#include "client/wake.h"

/* A key is "index\0group-kind\0namespace\0name\0": which controller, which object. */
static void
wake(struct waker *k, size_t controller, const char *group_kind, const char *ns, const char *name)
{
	autobuf struct buf key = BUF_INIT;

	buf_printf(&key, "%zu%c%s%c%s%c%s", controller, 0, group_kind, 0, ns, 0, name);
	queue_add(k->queue, key.data, key.len, 0);
}

struct key
wake_key(const struct item *it)
{
	struct key key = { .controller = strtoul(it->key, NULL, 10) };

	key.group_kind = it->key + strlen(it->key) + 1;
	key.ns = key.group_kind + strlen(key.group_kind) + 1;
	key.name = key.ns + strlen(key.ns) + 1;
	return key;
}

bool
wake_for_all(const struct controller *c)
{
	return strcmp(c->kind, "*") == 0;
}

static bool
reads(const struct controller *c, const char *group_kind)
{
	for (const char *const *r = c->reads; r && *r; r++)
		if (strcmp(*r, group_kind) == 0 || strcmp(*r, "*") == 0)
			return true;
	return false;
}

struct waking {
	struct waker *waker;
	size_t controller;
};

static void
wake_named(void *arg, const char *group_kind, const char *ns, const char *name)
{
	struct waking *w = arg;
	const char *own = w->waker->which[w->controller]->kind;

	wake(w->waker, w->controller, group_kind ? group_kind : own, ns, name);
}

/* The keys of the owners of an object: its controller owner, or for a "*" controller all of them.
 */
static void
wake_owners(struct waker *k, size_t controller, const json_t *obj)
{
	const struct controller *c = k->which[controller];
	char group_kind[128];
	json_t *ref;
	size_t i;

	json_array_foreach (get(obj, "metadata", "ownerReferences"), i, ref) {
		const json_t *owner;

		meta_group_kind(ref, group_kind);
		if (!wake_for_all(c)) {
			if (truth(get(ref, "controller")) && strcmp(group_kind, c->kind) == 0)
				wake(k, controller, group_kind, meta_namespace(obj),
				    text(ref, "name"));
			continue;
		}
		owner = world_by_uid(k->world, text(ref, "uid"));
		if (owner)
			wake(k, controller, group_kind, meta_namespace(owner), meta_name(owner));
	}
}

/* What an object owned may be free to go when the object itself goes, or begins to. */
static void
wake_owned(struct waker *k, size_t controller, const json_t *obj)
{
	struct walk it = world_owned(k->world, NULL, meta_uid(obj));
	char group_kind[128];

	for (const json_t *o; (o = walk_next(&it));)
		wake(
		    k, controller, meta_group_kind(o, group_kind), meta_namespace(o), meta_name(o));
}

void
wake_changed(void *arg, const char *type, const json_t *obj, const json_t *old)
{
	struct waker *k = arg;
	struct world *w = k->world;
	char group_kind[128];

	meta_group_kind(obj, group_kind);
	for (size_t i = 0; k->which[i]; i++) {
		const struct controller *c = k->which[i];
		struct waking waking = { k, i };

		if (wake_for_all(c) || strcmp(c->kind, group_kind) == 0)
			wake(k, i, group_kind, meta_namespace(obj), meta_name(obj));
		if (wake_for_all(c) && (strcmp(type, "DELETED") == 0 || meta_deleting(obj)))
			wake_owned(k, i, obj);
		if (!wake_for_all(c) && !reads(c, group_kind))
			continue;
		wake_owners(k, i, obj);
		if (old)
			wake_owners(k, i, old); /* the owner that lost it */
		if (c->wakes)
			c->wakes(w, obj, wake_named, &waking);
		if (c->wakes && old)
			c->wakes(w, old, wake_named, &waking);
	}
}
