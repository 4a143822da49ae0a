/* From CustomResourceDefinitions to what is served. */
#include "store/definitions.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/apply.h"
#include "api/convert.h"
#include "api/custom.h"
#include "api/meta.h"
#include "api/registry.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/definition_names.h"
#include "store/delete.h"

/* A definition as it was last looked at. */
struct known {
	char *name;
	uint64_t revision; /* of the definition */
	bool seen;	   /* still there */
	bool ending;
	bool refused;		       /* some of its names */
	json_t *names;		       /* those that it has */
	json_t *basis;		       /* what the kinds were made of */
	struct definition *definition; /* NULL: nothing of it is served */
	struct known *next;
};

struct definitions {
	struct server *server;
	const struct kind *kind;
	struct table *table;
	struct known *known;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool changed, stop;
	_Atomic uint64_t looked; /* the table's last change that was looked at */
	_Atomic bool waiting;	 /* for instances to go, or for memory to become free */
};

/* --- what is there --- */

struct gathered {
	struct object **object;
	size_t n, cap;
};

static bool
gather_one(void *arg, struct object *o)
{
	struct gathered *g = arg;

	GROW(g->object, g->n, g->cap);
	g->object[g->n++] = object_ref(o);
	return true;
}

static struct gathered
gather(struct definitions *d, struct table *t)
{
	struct gathered g = { 0 };
	struct walk w = { .table = t };
	uint64_t revision;
	struct err err;

	(void)cache_walk(d->server->cache, &w, gather_one, &g, &revision, &err);
	return g;
}

static void
gathered_release(struct gathered *g)
{
	for (size_t i = 0; i < g->n; i++)
		object_unref(g->object[i]);
	free(g->object);
}

static struct known *
known_find(struct definitions *d, const char *name)
{
	struct known *k = d->known;

	while (k && strcmp(k->name, name) != 0)
		k = k->next;
	return k;
}

/* --- serving --- */

static int
by_place(const void *a, const void *b)
{
	const struct kind *k = *(const struct kind *const *)a, *l = *(const struct kind *const *)b;
	int c = strcmp(k->group, l->group);

	c = c ? c : strcmp(k->version, l->version);
	return c ? c : strcmp(k->kind, l->kind);
}

static void
publish(struct definitions *d)
{
	const struct kind **all = NULL;
	size_t n = 0, cap = 0;

	for (struct known *k = d->known; k; k = k->next) {
		for (size_t i = 0; k->definition && i < k->definition->nserved; i++) {
			GROW(all, n, cap);
			all[n++] = k->definition->served[i];
		}
	}
	if (n)
		qsort(all, n, sizeof *all, by_place);
	registry_set(all, n);
	free(all);
}

static void
retire(void *what)
{
	definition_free(what);
}

/* The tables show the new kinds from now on; who watches the old ones is sent away. */
static void
attach(struct definitions *d, struct definition *def, uint64_t since)
{
	struct cache *c = d->server->cache;
	struct table *t = cache_custom_table(c, def->stored->group, def->stored->plural);

	for (size_t i = 0; i < def->n; i++) {
		def->custom[i].table = t;
		def->custom[i].view = cache_custom_view(c, &def->kinds[i]);
		def->custom[i].since = since;
	}
	watches_lock(d->server->watches);
	for (size_t i = 0; i < def->n; i++)
		((struct table *)def->custom[i].view)->kind = &def->kinds[i];
	t->kind = def->stored;
	watches_unlock(d->server->watches);
}

static void
detach(struct definitions *d, struct definition *def, bool gone)
{
	struct table *t = def->custom[0].table;

	watches_lock(d->server->watches);
	for (size_t i = 0; i < def->n; i++) {
		struct table *view = def->custom[i].view;

		if (view->kind == &def->kinds[i])
			view->kind = cache_no_kind();
	}
	if (gone)
		t->kind = cache_no_kind();
	watches_unlock(d->server->watches);
	watches_end_table(d->server->watches, t);
	registry_retire(retire, def);
}

/* What the kinds depend on. */
static json_t *
basis_of(const json_t *crd)
{
	return json_pack("{s:O,s:O}", "spec", json_object_get(crd, "spec"), "names",
	    get(crd, "status", "acceptedNames"));
}

/* Serve crd as it is now.  Returns whether anything has changed. */
static bool
serve(struct definitions *d, struct known *k, const json_t *crd, uint64_t since)
{
	json_t *basis = basis_of(crd);
	struct definition *before = k->definition, *def;
	struct err err;

	if (before && json_equal(basis, k->basis)) {
		json_decref(basis);
		return false;
	}
	if (!(def = definition_new(crd, &err))) {
		log_line("cannot serve '%s': %s", k->name, err.msg);
		json_decref(basis);
		return false;
	}
	json_decref(k->basis);
	k->basis = basis;
	attach(d, def, since);
	k->definition = def;
	publish(d);
	if (before)
		detach(d, before, false);
	return true;
}

static void
forget(struct definitions *d, struct known *k)
{
	struct known **link = &d->known;
	struct definition *def = k->definition;

	while (*link != k)
		link = &(*link)->next;
	*link = k->next;
	if (def) {
		publish(d);
		detach(d, def, true);
	}
	for (struct known *o = d->known; o; o = o->next)
		if (o->refused)
			o->revision = 0; /* what this one had is free */
	json_decref(k->names);
	json_decref(k->basis);
	free(k->name);
	free(k);
}

/* --- writing --- */

/* The status as changed; `last`: its last finalizer is gone, and so it goes.  Somebody else may
 * have been faster: then we are told of it and look again. */
static void
write_status(struct definitions *d, struct object *was, json_t *crd)
{
	struct write w = { .table = d->table, .expect = was->revision, .draft = DRAFT_INIT };
	json_auto_t *old = object_json(was, d->kind);
	char now[40];
	struct apply track = { .kind = d->kind,
		.subresource = "status",
		.manager = "kube-apiserver",
		.now = call_now(now) };
	struct err err;

	apply_track(&track, old, crd);
	w.deletes = update_deletes(d->kind, crd);
	draft_encode(&w.draft, d->kind, w.deletes ? old : crd);
	if (commit_wait(d->server->commit, &w, &err) < 0 && w.result != -ERR_CONFLICT)
		log_line("cannot write '%s': %s", object_name(was), err.msg);
	write_release(&w);
}

/* --- the end --- */

static void
delete_instance(struct definitions *d, struct table *t, struct object *o)
{
	struct write w = { .table = t, .expect = o->revision, .draft = DRAFT_INIT };
	json_t *obj = object_json_kept(o, t->kind);
	struct delete_options options = {
		.policy = (char *)"", .uid = (char *)"", .version = (char *)""
	};
	enum deletion what = delete_decide(t->kind, obj, &options, clock_now());
	struct err err;

	if (what != DELETE_UNCHANGED) {
		w.deletes = what == DELETE_NOW;
		draft_encode(&w.draft, t->kind, obj);
		(void)commit_wait(d->server->commit, &w, &err);
	}
	write_release(&w);
	json_decref(obj);
}

static void
drop_finalizer(json_t *crd)
{
	json_t *list = get(crd, "metadata", "finalizers");

	for (size_t i = json_array_size(list); i-- > 0;)
		if (strcmp(str(json_array_get(list, i), ""), DEFINITION_FINALIZER) == 0)
			json_array_remove(list, i);
	if (json_array_size(list) == 0)
		json_object_del(json_object_get(crd, "metadata"), "finalizers");
}

/* It is being deleted: its instances first.  Returns whether some are left. */
static bool
end(struct definitions *d, struct known *k, struct object *o, json_t *crd)
{
	struct table *t = k->definition ? k->definition->custom[0].table : NULL;
	struct gathered g = t ? gather(d, t) : (struct gathered){ 0 };
	char now[40];

	for (size_t i = 0; i < g.n; i++)
		delete_instance(d, t, g.object[i]);
	gathered_release(&g);
	if (t && cache_count(d->server->cache, t) > 0) {
		if (condition_set(crd, "Terminating", "True", "InstanceDeletionInProgress",
			"CustomResource deletion is in progress", call_now(now)))
			write_status(d, o, crd);
		return true;
	}
	condition_set(crd, "Terminating", "False",
	    t ? "InstanceDeletionCompleted" : "NeverEstablished",
	    t ? "removed all instances" : "resource was never established", call_now(now));
	drop_finalizer(crd);
	write_status(d, o, crd);
	return false;
}

/* --- one definition --- */

/* The names that definitions of this one's group have: as they are now, not as they were when this
 * look at all of them began. */
static struct taken
names_of_group(struct definitions *d, const json_t *crd)
{
	const char *group = text(crd, "spec", "group");
	struct taken t;

	taken_init(&t);
	for (struct known *k = d->known; k; k = k->next) {
		const char *dot = strchr(k->name, '.'); /* its name says the group */

		if (k->names && dot && strcmp(dot + 1, group) == 0)
			taken_add(&t, k->names);
	}
	return t;
}

/* What it has from now on.  Whoever was refused a name may get it now. */
static void
note_names(struct definitions *d, struct known *k, json_t *names, bool refused)
{
	bool changed = !json_equal(names, k->names);

	json_decref(k->names);
	k->names = names;
	k->refused = refused;
	for (struct known *o = d->known; changed && o; o = o->next)
		if (o != k && o->refused)
			o->revision = 0;
}

static struct known *
known_add(struct definitions *d, const char *name)
{
	struct known *k = xcalloc(1, sizeof *k);

	k->name = xstrdup(name);
	k->next = d->known;
	d->known = k;
	return k;
}

/* Served first, said so then: who reads that it is established finds it. */
static void
look_at(struct definitions *d, struct known *k, struct object *o)
{
	json_auto_t *crd = object_json(o, d->kind);
	struct taken taken = names_of_group(d, crd);
	char now[40];
	bool changed;

	k->revision = o->revision;
	k->ending = meta_deleting(crd) && meta_has_finalizer(crd, DEFINITION_FINALIZER);
	changed = !meta_deleting(crd) && definition_settle(crd, &taken, call_now(now));
	taken_release(&taken);
	note_names(d, k, json_incref(get(crd, "status", "acceptedNames")),
	    !definition_condition(crd, "NamesAccepted"));
	if (definition_established(crd))
		(void)serve(d, k, crd, o->revision);
	for (size_t i = 0; k->definition && i < k->definition->n; i++)
		k->definition->custom[i].terminating = definition_condition(crd, "Terminating");
	if (changed)
		write_status(d, o, crd);
	else if (k->ending)
		k->ending = end(d, k, o, crd);
}

/* All that have changed.  Returns whether something is still to be waited for. */
static bool
look(struct definitions *d)
{
	bool waits = false;

	d->looked = d->table->changed;
	struct gathered all = gather(d, d->table);

	for (struct known *k = d->known; k; k = k->next)
		k->seen = false;
	for (size_t i = 0; i < all.n; i++) {
		struct object *o = all.object[i];
		struct known *k = known_find(d, object_name(o));

		if (!k)
			k = known_add(d, object_name(o));
		k->seen = true;
		if (k->revision != o->revision || k->ending)
			look_at(d, k, o);
		waits |= k->ending;
	}
	for (struct known *k = d->known, *next; k; k = next) {
		next = k->next;
		if (!k->seen)
			forget(d, k);
	}
	for (struct known *k = d->known; k; k = k->next)
		waits |= k->revision == 0;
	gathered_release(&all);
	return waits;
}

/* --- the thread --- */

static bool
wait_for_change(struct definitions *d, bool soon)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += soon ? 20000000 : 900000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&d->lock);
	if (!d->changed && !d->stop)
		pthread_cond_timedwait(&d->wake, &d->lock, &until);
	d->changed = false;
	stop = d->stop;
	pthread_mutex_unlock(&d->lock);
	return !stop;
}

static void *
definitions_thread(void *arg)
{
	struct definitions *d = arg;
	bool waits = false;

	while (wait_for_change(d, waits)) {
		if (waits || d->looked != d->table->changed)
			waits = look(d);
		waits |= registry_reap() > 0;
	}
	return NULL;
}

void
definitions_changed(struct definitions *d)
{
	if (!d || d->looked == d->table->changed)
		return;
	pthread_mutex_lock(&d->lock);
	d->changed = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

/* What is established is served before anybody asks. */
static void
serve_all(struct definitions *d)
{
	struct gathered all = gather(d, d->table);

	for (size_t i = 0; i < all.n; i++) {
		json_auto_t *crd = object_json(all.object[i], d->kind);
		struct known *k = known_add(d, object_name(all.object[i]));

		k->names = json_incref(get(crd, "status", "acceptedNames"));
		if (definition_established(crd))
			(void)serve(d, k, crd, all.object[i]->revision);
	}
	gathered_release(&all);
}

int
definitions_start(struct definitions **ret, struct server *s, struct err *err)
{
	struct definitions *d = xcalloc(1, sizeof *d);
	int r;

	d->server = s;
	d->kind = kind_find("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
	d->table = cache_table(s->cache, d->kind);
	d->looked = UINT64_MAX; /* whatever is there has to be looked at once */
	pthread_mutex_init(&d->lock, NULL);
	clock_cond_init(&d->wake);
	serve_all(d);
	if ((r = pthread_create(&d->thread, NULL, definitions_thread, d)) != 0) {
		free(d);
		return err_sys(err, r, "cannot start the thread of definitions");
	}
	*ret = d;
	return 0;
}

void
definitions_stop(struct definitions *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
}

void
definitions_free(struct definitions *d)
{
	if (!d)
		return;
	registry_set(NULL, 0);
	for (struct known *k = d->known, *next; k; k = next) {
		next = k->next;
		definition_free(k->definition);
		json_decref(k->names);
		json_decref(k->basis);
		free(k->name);
		free(k);
	}
	(void)registry_reap();
	pthread_mutex_destroy(
	    &d->lock); /* the commit thread has told us of changes until its end */
	pthread_cond_destroy(&d->wake);
	free(d);
}
