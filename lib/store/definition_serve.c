/* From CustomResourceDefinitions to what is served. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/registry.h"
#include "base/mem.h"
#include "store/aggregation.h"
#include "store/conversion.h"
#include "store/definitions_private.h"

static int
by_place(const void *a, const void *b)
{
	const struct kind *k = *(const struct kind *const *)a, *l = *(const struct kind *const *)b;
	int c = strcmp(k->group, l->group);

	c = c ? c : strcmp(k->version, l->version);
	return c ? c : strcmp(k->kind, l->kind);
}

void
definitions_publish(struct definitions *d)
{
	const struct kind **all = NULL;
	size_t n = 0, cap = 0;

	for (size_t at = 0; at < d->n; at++) {
		const struct definition *def = d->known[at]->definition;

		for (size_t i = 0; def && i < def->nserved; i++) {
			GROW(all, n, cap);
			all[n++] = def->served[i];
		}
	}
	if (n)
		qsort(all, n, sizeof *all, by_place);
	registry_set(all, n);
	free(all);
	d->unpublished = false;
	aggregation_kinds_changed(d->server->aggregation);
}

void
definition_release(void *what)
{
	struct definition *def = what;
	struct object *source = def ? def->source : NULL;

	if (def)
		conversion_retire(def->custom[0].conversion);
	definition_free(def);
	object_unref(source);
}

/* The tables show the new kinds from now on; who watches the old ones is sent away. */
static void
attach(struct definitions *d, struct definition *def, const json_t *crd, uint64_t since)
{
	struct cache *c = d->server->cache;
	struct conversion *webhook = conversion_new(d->server, crd);
	struct table *t = cache_custom_table(c, def->stored->group, def->stored->plural);

	for (size_t i = 0; i < def->n; i++) {
		def->custom[i].conversion = webhook;
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

void
definition_detach(struct definitions *d, struct definition *def, bool gone)
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
	registry_retire(definition_release, def);
}

/* --- one of them --- */

static json_t *
load(void *source)
{
	return object_json(
	    source, kind_find("apiextensions.k8s.io", "v1", "CustomResourceDefinition"));
}

static void
drop(void *object)
{
	object_unref(object);
}

/*
 * What the kinds depend on: the names, and the spec, whose every change is a new generation.  New.
 */
static char *
basis_of(const struct known *k, const json_t *crd)
{
	const json_t *meta = json_object_get(crd, "metadata");

	return xasprintf("%s %lld %s", text(meta, "uid"),
	    (long long)json_integer_value(json_object_get(meta, "generation")),
	    k->names ? k->names : "");
}

struct definition *
definition_serve(struct definitions *d, struct known *k, struct object *o, const json_t *crd)
{
	autofree char *basis = basis_of(k, crd);
	struct definition *before = k->definition;

	if (before && strcmp(basis, k->basis) == 0) {
		/* what it was made of is needed no more: here is the same */
		registry_retire(drop, atomic_exchange(&before->source, object_ref(o)));
		return NULL;
	}
	free(k->basis);
	k->basis = steal(basis);
	k->definition = definition_lazy(crd, load, object_ref(o));
	attach(d, k->definition, crd, o->revision);
	d->unpublished = true;
	return before;
}
