/*
 * Objects of kinds that are views now (api/convert.h) had a place of their own once: they move to
 * where those of the kept kind are.  Each is first written there and then deleted here, so that an
 * interruption loses nothing.
 */
#include "api/convert.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/call.h"

struct found {
	struct object **object;
	size_t n, cap;
};

static bool
collect(void *arg, struct object *o)
{
	struct found *f = arg;

	GROW(f->object, f->n, f->cap);
	f->object[f->n++] = object_ref(o);
	return true;
}

static int
write_there(struct server *s, const struct kind *k, const struct object *o, struct err *err)
{
	struct write w = { .table = cache_table(s->cache, k), .draft = DRAFT_INIT };
	json_auto_t *obj = object_json_kept(o, k);
	int r;

	if (cache_exists(s->cache, w.table, object_namespace(o), object_name(o))) {
		log_line("%s '%s/%s' is there in another version, too: that one is kept", k->kind,
		    object_namespace(o), object_name(o));
		return 0;
	}
	draft_encode(&w.draft, k, obj);
	r = commit_wait(s->commit, &w, err);
	write_release(&w);
	return r;
}

static int
delete_here(struct server *s, struct table *t, struct object *o, struct err *err)
{
	struct write w = { .table = t, .expect = o->revision, .deletes = true };
	int r;

	draft_copy(&w.draft, o);
	r = commit_wait(s->commit, &w, err);
	write_release(&w);
	return r;
}

static int
move_all(struct server *s, struct table *t, struct err *err)
{
	struct walk walk = { .table = t };
	struct found f = { 0 };
	uint64_t revision;
	int r = cache_walk(s->cache, &walk, collect, &f, &revision, err);

	for (size_t i = 0; i < f.n; i++) {
		if (r == 0)
			r = write_there(s, t->kind, f.object[i], err);
		if (r == 0)
			r = delete_here(s, t, f.object[i], err);
		object_unref(f.object[i]);
	}
	if (r == 0 && f.n)
		log_line("%zu objects of kind %s moved to where those of %s are", f.n,
		    t->kind->kind, kind_stored(t->kind)->type->name);
	free(f.object);
	return r;
}

int
migrate(struct server *s, struct err *err)
{
	size_t n;
	struct table *t = cache_tables(s->cache, &n);

	for (size_t i = 0; i < n; i++)
		if (kind_stored(t[i].kind) != t[i].kind && t[i].count > 0 &&
		    move_all(s, &t[i], err) < 0)
			return err_wrap(err, "cannot move objects of '%s'", t[i].prefix);
	return 0;
}
