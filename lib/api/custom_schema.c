/*
 * The schemas of custom kinds: compiled when they are needed, and forgotten when they are not.
 * Whoever finds one missing compiles it, without a lock: of two that do so at the same time one
 * was first, and the other takes what that one made.
 */
#include "api/custom_schema.h"

#include <stdatomic.h>
#include <string.h>

#include "api/meta.h"
#include "api/registry.h"

static _Atomic size_t weight; /* of what lazy definitions have compiled */

/* The schema as it stands in the definition; *holder is to be given back. */
static const json_t *
given(const struct custom *x, json_t **holder)
{
	const struct definition *d = x->definition;
	const json_t *versions;

	*holder = d->load ? d->load(d->source) : json_incref(d->crd);
	versions = get(*holder, "spec", "versions");
	return get(json_array_get(versions, x->place), "schema", "openAPIV3Schema");
}

static struct structural *
compile(struct custom *x)
{
	json_t *holder;
	struct structural *s = structural_load(given(x, &holder)), *none = NULL;

	json_decref(holder);
	if (!atomic_compare_exchange_strong(&x->schema, &none, s)) {
		structural_free(s);
		return none;
	}
	if (x->definition->load)
		weight += structural_size(s);
	return s;
}

const struct structural *
custom_schema(const struct kind *k)
{
	struct custom *x = (struct custom *)k->custom;
	struct structural *s = x->schema;

	if (!x->used)
		x->used = true;
	return s ? s : compile(x);
}

const struct type *
kind_schema(const struct kind *k)
{
	return k->custom ? structural_type(custom_schema(k)) : k->type;
}

json_t *
custom_openapi(const struct kind *k, int version)
{
	json_t *holder, *ret = structural_openapi(given(k->custom, &holder), version);

	json_decref(holder);
	return ret;
}

/* --- forgetting --- */

static void
let_go(void *schema)
{
	structural_free(schema);
}

static struct structural *
take(struct custom *x)
{
	struct structural *s = atomic_exchange(&x->schema, NULL);

	if (s && x->definition->load)
		weight -= structural_size(s);
	return s;
}

void
custom_drop(struct custom *x)
{
	structural_free(take(x));
}

void
definition_forget(struct definition *d, bool all)
{
	for (size_t i = 0; i < d->n; i++) {
		struct custom *x = &d->custom[i];
		bool used = atomic_exchange(&x->used, false);
		struct structural *s = all || !used ? take(x) : NULL;

		if (s)
			registry_retire(let_go, s);
	}
}

size_t
definition_weight(void)
{
	return weight;
}
