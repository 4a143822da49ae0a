#include <string.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "control/map.h"
#include "control/served.h"
#include "control/sorted.h"
#include "control/world.h"

/* Thirty years; what is longer cannot be added to a time without care. */
#define LONGEST 1e9

struct world {
	int64_t now;
	struct map entries; /* kind, ns, name -> entry */
	struct map uids;    /* -> entry */
	struct map lists;   /* kind; kind, ns; owner's uid; owner's uid, kind; node -> list */
	struct map known;
	struct map settings; /* -> string */
	char **kind;	     /* the name of every kind that has been here */
	size_t nkinds, kinds_cap;
	struct map kind_names; /* -> the same, to be found */
	struct served_table served;
};

/* A key for the maps: a letter that tells the index, and fields parted by NUL. */
struct key {
	char small[256];
	char *data;
	size_t len;
};

static void
key_make(struct key *k, char index, const char *a, const char *b, const char *c)
{
	const char *part[] = { a, b, c };
	size_t len = 1, at = 1;

	for (size_t i = 0; i < COUNT(part); i++)
		len += part[i] ? strlen(part[i]) + 1 : 0;
	k->data = len <= sizeof k->small ? k->small : xmalloc(len);
	k->len = len;
	k->data[0] = index;
	for (size_t i = 0; i < COUNT(part); i++) {
		if (!part[i])
			continue;
		memcpy(k->data + at, part[i], strlen(part[i]) + 1);
		at += strlen(part[i]) + 1;
	}
}

static void
key_release(struct key *k)
{
	if (k->data != k->small)
		free(k->data);
}
#define autokey __attribute__((cleanup(key_release)))

/* --- indexes ------------------------------------------------------------- */

enum index {
	BY_KIND = 'k',
	BY_NAMESPACE = 'n',
	BY_OWNER = 'o',
	BY_OWNER_KIND = 'p',
	ORPHANS = 'a',
	BY_NODE = 'd'
};

static struct sorted *
list_of(struct world *w, enum index index, const char *a, const char *b)
{
	autokey struct key k;
	struct map_slot *s;

	key_make(&k, (char)index, a, b, NULL);
	s = map_at(&w->lists, k.data, k.len);
	if (!s->value)
		s->value = xcalloc(1, sizeof(struct sorted));
	return s->value;
}

static void
index_one(
    struct world *w, enum index index, const char *a, const char *b, struct entry *e, bool add)
{
	struct sorted *l = list_of(w, index, a, b);

	if (add) {
		sorted_add(l, e);
		return;
	}
	sorted_remove(l, e);
	if (l->n == 0) {
		autokey struct key k;

		key_make(&k, (char)index, a, b, NULL);
		sorted_free(map_take(&w->lists, k.data, k.len));
	}
}

/* Has the same uid stood before position `end` in the ownerReferences? */
static bool
owner_repeats(const json_t *refs, size_t end, const char *uid)
{
	for (size_t i = 0; i < end; i++)
		if (strcmp(text(json_array_get(refs, i), "uid"), uid) == 0)
			return true;
	return false;
}

/* Put an entry into the indexes of its place; these stay when the object changes. */
static void
index_place(struct world *w, struct entry *e, bool add)
{
	index_one(w, BY_KIND, e->kind, NULL, e, add);
	index_one(w, BY_NAMESPACE, e->kind, e->ns, e, add);
}

/* Put an entry into the indexes that follow from what its object says, or take it out again. */
static void
index_content(struct world *w, struct entry *e, bool add)
{
	const json_t *refs = get(e->obj, "metadata", "ownerReferences");
	const char *uid = meta_uid(e->obj);
	size_t i;
	json_t *ref;

	json_array_foreach (refs, i, ref) {
		const char *owner = text(ref, "uid");

		if (!*owner || owner_repeats(refs, i, owner))
			continue;
		index_one(w, BY_OWNER, owner, NULL, e, add);
		index_one(w, BY_OWNER_KIND, owner, e->kind, e, add);
	}
	if (!meta_controller(e->obj))
		index_one(w, ORPHANS, e->kind, e->ns, e, add);
	if (strcmp(e->kind, "Pod") == 0)
		index_one(w, BY_NODE, text(e->obj, "spec", "nodeName"), NULL, e, add);
	if (*uid && add)
		map_at(&w->uids, uid, strlen(uid))->value = e;
	else if (*uid && map_get(&w->uids, uid, strlen(uid)) == e)
		map_take(&w->uids, uid, strlen(uid));
}

/* A newer object in the place of e's. */
static void
replace(struct world *w, struct entry *e, json_t *obj)
{
	struct sorted *lists[2];
	json_t *old = e->obj;

	index_content(w, e, false);
	lists[0] = list_of(w, BY_KIND, e->kind, NULL);
	lists[1] = list_of(w, BY_NAMESPACE, e->kind, e->ns);
	for (size_t i = 0; i < COUNT(lists); i++)
		lists[i]->at[sorted_find(lists[i], e)] = obj;
	e->obj = obj;
	e->ns = meta_namespace(obj);
	e->name = meta_name(obj);
	json_decref(old);
	index_content(w, e, true);
}

static struct walk
walk_of(const struct world *w, enum index index, const char *a, const char *b)
{
	autokey struct key k;
	struct sorted *l;

	key_make(&k, (char)index, a, b, NULL);
	l = map_get(&w->lists, k.data, k.len);
	if (!l)
		return (struct walk){ NULL, 0 };
	sorted_settle(l);
	return (struct walk){ l->at, l->n };
}

/* --- the world ----------------------------------------------------------- */

struct world *
world_new(void)
{
	return xcalloc(1, sizeof(struct world));
}

static void
entry_free(void *arg)
{
	struct entry *e = arg;

	json_decref(e->obj);
	free(e);
}

/* The world's own copy of a kind's name. */
static const char *
kind_name(struct world *w, const char *kind)
{
	struct map_slot *slot = map_at(&w->kind_names, kind, strlen(kind));

	if (!slot->value) {
		GROW(w->kind, w->nkinds, w->kinds_cap);
		slot->value = w->kind[w->nkinds++] = xstrdup(kind);
	}
	return slot->value;
}

/* What is served is looked up in a table that is made of these objects. */
static void
note_served(struct world *w, const char *kind)
{
	if (strcmp(kind, DISCOVERY) == 0)
		w->served.current = false;
}

struct served_table *
world_served_table(const struct world *w)
{
	return (struct served_table *)&w->served;
}

void
world_free(struct world *w)
{
	if (!w)
		return;
	map_release(&w->lists, sorted_free);
	map_release(&w->uids, NULL);
	map_release(&w->entries, entry_free);
	map_release(&w->known, NULL);
	map_release(&w->settings, free);
	map_release(&w->kind_names, NULL);
	served_release(&w->served);
	for (size_t i = 0; i < w->nkinds; i++)
		free(w->kind[i]);
	free(w->kind);
	free(w);
}

void
world_put(struct world *w, json_t *obj)
{
	char kind[128];
	autokey struct key k;
	struct map_slot *s;
	struct entry *e;

	meta_group_kind(obj, kind);
	note_served(w, kind);
	key_make(&k, 'e', kind, meta_namespace(obj), meta_name(obj));
	s = map_at(&w->entries, k.data, k.len);
	if (s->value) {
		replace(w, s->value, obj);
		return;
	}
	e = s->value = xmalloc(sizeof *e);
	*e = (struct entry){ obj, kind_name(w, kind), meta_namespace(obj), meta_name(obj) };
	index_place(w, e, true);
	index_content(w, e, true);
}

bool
world_remove(struct world *w, const char *group_kind, const char *ns, const char *name)
{
	autokey struct key k;
	struct entry *e;

	key_make(&k, 'e', group_kind, ns ? ns : "", name);
	e = map_take(&w->entries, k.data, k.len);
	if (!e)
		return false;
	note_served(w, e->kind);
	index_content(w, e, false);
	index_place(w, e, false);
	entry_free(e);
	return true;
}

int64_t
world_now(const struct world *w)
{
	return w->now;
}

void
world_set_now(struct world *w, int64_t now)
{
	w->now = now;
}

size_t
world_count(const struct world *w, const char *group_kind)
{
	return walk_of(w, BY_KIND, group_kind, NULL).n;
}

const json_t *
world_get(const struct world *w, const char *group_kind, const char *ns, const char *name)
{
	autokey struct key k;
	const struct entry *e;

	key_make(&k, 'e', group_kind, ns ? ns : "", name);
	e = map_get(&w->entries, k.data, k.len);
	return e ? e->obj : NULL;
}

const json_t *
world_by_uid(const struct world *w, const char *uid)
{
	const struct entry *e = map_get(&w->uids, uid, strlen(uid));

	return e ? e->obj : NULL;
}

bool
world_knows(const struct world *w, const char *group_kind)
{
	return map_get(&w->known, "*", 1) || map_get(&w->known, group_kind, strlen(group_kind));
}

void
world_set_known(struct world *w, const char *group_kind)
{
	map_at(&w->known, group_kind, strlen(group_kind))->value = w;
}

const char *
world_setting(const struct world *w, const char *name)
{
	return map_get(&w->settings, name, strlen(name));
}

void
world_set(struct world *w, const char *name, const char *value)
{
	struct map_slot *s = map_at(&w->settings, name, strlen(name));

	free(s->value);
	s->value = xstrdup(value);
}

double
world_seconds(const struct world *w, const char *name, double dflt)
{
	const char *value = world_setting(w, name);
	double seconds;

	if (!value || !text_duration(value, &seconds))
		return dflt;
	return seconds < LONGEST ? seconds : LONGEST;
}

const char *
world_kind(const struct world *w, size_t i)
{
	return i < w->nkinds ? w->kind[i] : NULL;
}

struct walk
world_each(const struct world *w, const char *group_kind, const char *ns)
{
	return walk_of(w, ns ? BY_NAMESPACE : BY_KIND, group_kind, ns);
}

struct walk
world_owned(const struct world *w, const char *group_kind, const char *owner_uid)
{
	return walk_of(w, group_kind ? BY_OWNER_KIND : BY_OWNER, owner_uid, group_kind);
}

struct walk
world_orphans(const struct world *w, const char *group_kind, const char *ns)
{
	return walk_of(w, ORPHANS, group_kind, ns);
}

struct walk
world_on_node(const struct world *w, const char *node)
{
	return walk_of(w, BY_NODE, node, NULL);
}

const json_t *
walk_next(struct walk *it)
{
	if (!it->n)
		return NULL;
	it->n--;
	return *it->at++;
}
