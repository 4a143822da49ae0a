/* Objects in versions that a webhook has made, kept while there is room: by object and version. */
#include <string.h>

#include "api/custom.h"
#include "base/mem.h"
#include "store/conversion_private.h"

enum { MOST_BYTES = 64 << 20 };

struct shown {
	struct shown *next; /* in its slot */
	struct shown *newer, *older;
	const struct conversion *owner;
	const struct kind *kind;
	struct object *from, *shown;
	size_t bytes;
};

static struct shown **
slot_of(struct conversions *all, const struct object *o, const struct kind *k)
{
	uint64_t h = (uint64_t)(uintptr_t)o * UINT64_C(0x9e3779b97f4a7c15) ^
		     (uint64_t)(uintptr_t)k * UINT64_C(0xc2b2ae3d27d4eb4f);

	return &all->slot[(h >> 32) % SHOWN_SLOTS];
}

/* --- all of these with the lock held --- */

static struct shown *
find(struct conversions *all, const struct object *o, const struct kind *k)
{
	struct shown *s = *slot_of(all, o, k);

	while (s && (s->from != o || s->kind != k))
		s = s->next;
	return s;
}

static void
unlink_age(struct conversions *all, struct shown *s)
{
	*(s->newer ? &s->newer->older : &all->newest) = s->older;
	*(s->older ? &s->older->newer : &all->oldest) = s->newer;
}

static void
link_newest(struct conversions *all, struct shown *s)
{
	s->newer = NULL;
	s->older = all->newest;
	*(s->older ? &s->older->newer : &all->oldest) = s;
	all->newest = s;
}

static void
drop(struct conversions *all, struct shown *s)
{
	struct shown **p = slot_of(all, s->from, s->kind);

	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	unlink_age(all, s);
	all->bytes -= s->bytes;
	object_unref(s->from);
	object_unref(s->shown);
	free(s);
}

/* --- */

struct object *
shown_get(struct conversions *all, const struct object *o, const struct kind *k)
{
	struct object *ret = NULL;
	struct shown *s;

	pthread_mutex_lock(&all->cache_lock);
	if ((s = find(all, o, k))) {
		unlink_age(all, s);
		link_newest(all, s);
		ret = object_ref(s->shown);
	}
	pthread_mutex_unlock(&all->cache_lock);
	return ret;
}

void
shown_put(struct conversion *v, struct object *o, const struct kind *k, struct object *shown)
{
	struct conversions *all = v->all;
	struct shown *s;

	pthread_mutex_lock(&all->cache_lock);
	if (!find(all, o, k)) {
		struct shown **slot = slot_of(all, o, k);

		s = xcalloc(1, sizeof *s);
		*s = (struct shown){ .next = *slot,
			.owner = v,
			.kind = k,
			.from = object_ref(o),
			.shown = object_ref(shown),
			/* the first may live for us alone */
			.bytes = sizeof *s + o->body->len + shown->body->len };
		*slot = s;
		link_newest(all, s);
		all->bytes += s->bytes;
		while (all->bytes > MOST_BYTES)
			drop(all, all->oldest);
	}
	pthread_mutex_unlock(&all->cache_lock);
}

void
shown_drop(struct conversion *v)
{
	struct conversions *all = v->all;

	pthread_mutex_lock(&all->cache_lock);
	for (struct shown *s = all->newest, *older; s; s = older) {
		older = s->older;
		if (s->owner == v)
			drop(all, s);
	}
	pthread_mutex_unlock(&all->cache_lock);
}

void
shown_release(struct conversions *all)
{
	while (all->newest)
		drop(all, all->newest);
}

/* --- showing ------------------------------------------------------------------------- */

/* An object like o, of the tree that was made of it. */
static struct object *
shown_object(const struct object *o, const struct kind *k, const json_t *obj)
{
	struct draft d = DRAFT_INIT;
	struct object *ret;

	draft_encode_as(&d, k, obj);
	ret = draft_finish(&d, o->revision);
	ret->shown = true;
	draft_release(&d);
	return ret;
}

/* As it is kept: what others make of it is for them to say. */
static json_t *
kept_json(const struct object *o, const struct kind *k)
{
	json_t *obj = object_json(o, object_kind(o, k));
	autofree char *version = xasprintf("%s/%s", k->group, object_version(o));

	if (*object_version(o)) /* it may be one that is no more, and will be refused */
		json_object_set_new(obj, "apiVersion", json_string(version));
	return obj;
}

/* Ask for m of the objects, those that `which` says. */
static int
ask(const struct kind *k, struct object *const *in, const size_t *which, size_t m,
    struct object **out, struct err *err)
{
	json_t **obj = xcalloc(m, sizeof(json_t *));
	int r;

	for (size_t i = 0; i < m; i++)
		obj[i] = kept_json(in[which[i]], k);
	r = conversion_run(k, obj, m, err);
	for (size_t i = 0; i < m; i++) {
		if (r == 0) {
			out[which[i]] = shown_object(in[which[i]], k, obj[i]);
			shown_put(k->custom->conversion, in[which[i]], k, out[which[i]]);
		}
		json_decref(obj[i]);
	}
	free(obj);
	return r;
}

/* One question has so many objects, or bytes, at most. */
enum { ASK_OBJECTS = 1000, ASK_BYTES = 16 << 20 };

static int
ask_all(const struct kind *k, struct object *const *in, const size_t *which, size_t m,
    struct object **out, struct err *err)
{
	int r = 0;

	for (size_t i = 0, n; r == 0 && i < m; i += n) {
		size_t bytes = 0;

		for (n = 0; i + n < m && n < ASK_OBJECTS && bytes < ASK_BYTES; n++)
			bytes += in[which[i + n]]->body->len;
		r = ask(k, in, which + i, n, out, err);
	}
	return r;
}

int
conversion_show(
    const struct kind *k, struct object *const *in, size_t n, struct object **out, struct err *err)
{
	struct conversion *v = k->custom ? k->custom->conversion : NULL;
	autofree size_t *which = v ? xcalloc(n + 1, sizeof *which) : NULL;
	size_t m = 0;
	int r;

	for (size_t i = 0; i < n; i++) {
		if (!v || !conversion_asks(in[i], k))
			out[i] = object_ref(in[i]);
		else if (!(out[i] = shown_get(v->all, in[i], k)))
			which[m++] = i;
	}
	r = m ? ask_all(k, in, which, m, out, err) : 0;
	for (size_t i = 0; r < 0 && i < n; i++)
		object_unref(out[i]);
	return r;
}

int
conversion_json(struct object *o, const struct kind *k, json_t **ret, struct err *err)
{
	struct object *shown;
	int r = conversion_show(k, &o, 1, &shown, err);

	if (r < 0)
		return r;
	*ret = object_json(shown, k);
	object_unref(shown);
	return 0;
}

struct object *
conversion_known(struct object *o, const struct kind *k)
{
	struct conversion *v = k->custom ? k->custom->conversion : NULL;

	return v && conversion_asks(o, k) ? shown_get(v->all, o, k) : object_ref(o);
}

int
conversion_encode(struct draft *d, const struct kind *k, const json_t *obj, struct err *err)
{
	const struct kind *stored = k->custom ? k->custom->stored : k;
	json_t *kept;
	int r;

	if (stored == k || !conversion_of(k)) {
		draft_encode(d, k, obj);
		return 0;
	}
	kept = json_deep_copy(obj);
	if ((r = conversion_run(stored, &kept, 1, err)) == 0) {
		custom_default(stored, kept);
		draft_encode_as(d, stored, kept);
	}
	json_decref(kept);
	return r;
}
