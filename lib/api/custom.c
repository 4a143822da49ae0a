/* From a CustomResourceDefinition to kinds. */
#include "api/custom.h"

#include <stdlib.h>
#include <string.h>

#include "api/custom_schema.h"
#include "api/jsonpath.h"
#include "api/meta.h"
#include "base/arena.h"
#include "base/mem.h"

enum {
	ALL_VERBS = VERB_GET | VERB_LIST | VERB_WATCH | VERB_CREATE | VERB_UPDATE | VERB_PATCH |
		    VERB_DELETE | VERB_DELETECOLLECTION,
	PART_VERBS = VERB_GET | VERB_UPDATE | VERB_PATCH,
};

static void *
zeroed(struct arena *a, size_t size)
{
	return memset(arena_alloc(a, size), 0, size);
}

static const char *
copied(struct arena *a, const char *text)
{
	return *text ? arena_text(a, text, strlen(text)) : "";
}

/* A list of strings as an array ended by NULL. */
static const char *const *
words(struct arena *a, const json_t *list)
{
	const char **ret = zeroed(a, (json_array_size(list) + 1) * sizeof *ret);
	size_t i, n = 0;
	json_t *v;

	json_array_foreach (list, i, v)
		if (json_is_string(v))
			ret[n++] = copied(a, json_string_value(v));
	return ret;
}

/* JSONPaths of definitions are simple: ".spec.replicas" is spec.replicas. */
static const char *
plain_path(struct arena *a, const json_t *of, const char *key)
{
	const char *path = text(of, key);

	return copied(a, *path == '.' ? path + 1 : path);
}

static const char *const *
selectable(struct arena *a, const json_t *list)
{
	const char **ret = zeroed(a, (json_array_size(list) + 1) * sizeof *ret);
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v)
		ret[i] = plain_path(a, v, "jsonPath");
	return ret;
}

static bool
is_path(const char *text)
{
	struct jsonpath *p;
	struct err err;

	if (jsonpath_parse_path(&p, text, &err) < 0)
		return false;
	jsonpath_free(p);
	return true;
}

static const char *
column_about(struct arena *a, const json_t *column)
{
	autofree char *made = NULL;

	if (*text(column, "description"))
		return copied(a, text(column, "description"));
	made = xasprintf(
	    "Custom resource definition column (in JSONPath format): %s", text(column, "jsonPath"));
	return copied(a, made);
}

static void
add_columns(struct arena *a, struct kind *k, struct custom *x, const json_t *version)
{
	const json_t *list = json_object_get(version, "additionalPrinterColumns");
	size_t n = json_array_size(list), i, shown = 1;
	struct column *c = zeroed(a, (n + 2) * sizeof *c);
	const char **about = zeroed(a, (n + 2) * sizeof *about);
	json_t *v;

	about[0] = "Name";
	about[1] = "Age";
	c[0] = (struct column){ "Name", "string", "name", 0, ".metadata.name" };
	c[1] = (struct column){ "Age", "date", "", 0, ".metadata.creationTimestamp" };
	json_array_foreach (list, i, v) {
		if (!is_path(text(v, "jsonPath")))
			break; /* neither it nor what comes behind it */
		about[shown] = column_about(a, v);
		c[shown++] = (struct column){ .name = copied(a, text(v, "name")),
			.type = copied(a, text(v, "type")),
			.format = copied(a, text(v, "format")),
			.priority = (int)num(json_object_get(v, "priority"), 0),
			.path = copied(a, text(v, "jsonPath")) };
	}
	k->columns = c;
	k->ncolumns = n ? shown : 2;
	x->about = about;
}

static void
add_subresources(struct arena *a, struct kind *k, struct custom *x, const json_t *version)
{
	const json_t *scale = get(version, "subresources", "scale");
	struct subresource *s = zeroed(a, 2 * sizeof *s);

	x->status = json_object_get(json_object_get(version, "subresources"), "status");
	if (x->status)
		s[k->nsubresources++] =
		    (struct subresource){ "status", k->group, k->version, k->kind, PART_VERBS };
	if (scale) {
		x->scale[0] = plain_path(a, scale, "specReplicasPath");
		x->scale[1] = plain_path(a, scale, "statusReplicasPath");
		x->scale[2] = plain_path(a, scale, "labelSelectorPath");
		s[k->nsubresources++] =
		    (struct subresource){ "scale", "autoscaling", "v1", "Scale", PART_VERBS };
	}
	k->subresources = s;
}

static const char *
deprecation(struct arena *a, const struct kind *k, const json_t *version)
{
	const char *said = text(version, "deprecationWarning");
	autofree char *made = NULL;

	if (!truth(json_object_get(version, "deprecated")))
		return NULL;
	if (*said)
		return copied(a, said);
	made = xasprintf("%s/%s %s is deprecated", k->group, k->version, k->kind);
	return arena_text(a, made, strlen(made));
}

static void
add_version(struct definition *d, const json_t *crd, const json_t *version)
{
	static const struct type later = {
		.name = "Object", .class = CLASS_STRUCT, .summary = "", .open = true
	};
	const json_t *spec = json_object_get(crd, "spec");
	const json_t *names = get(crd, "status", "acceptedNames");
	struct arena *a = d->memory;
	struct custom *x = &d->custom[d->n];
	struct kind *k = &d->kinds[d->n];

	*k = (struct kind){
		.group = copied(a, text(spec, "group")),
		.version = copied(a, text(version, "name")),
		.kind = copied(a, text(names, "kind")),
		.plural = copied(a, text(names, "plural")),
		.singular = copied(a, text(names, "singular")),
		.short_names = words(a, json_object_get(names, "shortNames")),
		.categories = words(a, json_object_get(names, "categories")),
		.namespaced = strcmp(text(spec, "scope"), "Namespaced") == 0,
		.verbs = ALL_VERBS,
		.type = &later,
		.summary =
		    copied(a, text(get(version, "schema", "openAPIV3Schema"), "description")),
		.named = NAME_SUBDOMAIN,
		.custom = x,
	};
	x->definition = d;
	x->place = d->n++;
	x->list_kind = copied(a, text(names, "listKind"));
	x->selectable = selectable(a, json_object_get(version, "selectableFields"));
	x->warning = deprecation(a, k, version);
	add_columns(a, k, x, version);
	add_subresources(a, k, x, version);
}

struct definition *
definition_lazy(const json_t *crd, json_t *(*load)(void *source), void *source)
{
	struct definition *d = xcalloc(1, sizeof *d);
	struct arena *a = xcalloc(1, sizeof *a);
	const json_t *versions = get(crd, "spec", "versions");
	size_t i, n = json_array_size(versions);
	json_t *v;

	d->memory = a;
	d->load = load;
	d->source = source;
	d->kinds = zeroed(a, (n + 1) * sizeof *d->kinds);
	d->custom = zeroed(a, (n + 1) * sizeof *d->custom);
	d->served = zeroed(a, (n + 1) * sizeof *d->served);
	json_array_foreach (versions, i, v) {
		add_version(d, crd, v);
		if (truth(json_object_get(v, "storage")))
			d->stored = &d->kinds[i];
		if (truth(json_object_get(v, "served")))
			d->served[d->nserved++] = &d->kinds[i];
	}
	if (!d->stored && d->n)
		d->stored = &d->kinds[0];
	for (i = 0; i < d->n; i++) {
		d->custom[i].stored = d->stored;
		d->custom[i].served = d->served;
		d->custom[i].all = d->kinds;
		d->custom[i].nall = d->n;
	}
	return d;
}

struct definition *
definition_new(const json_t *crd)
{
	struct definition *d = definition_lazy(crd, NULL, NULL);

	d->crd = json_deep_copy(crd);
	for (size_t i = 0; i < d->n; i++)
		d->kinds[i].type = kind_schema(&d->kinds[i]);
	return d;
}

void
definition_free(struct definition *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++)
		custom_drop(&d->custom[i]);
	json_decref(d->crd);
	arena_release(d->memory);
	free(d->memory);
	free(d);
}
