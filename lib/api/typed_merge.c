/* Two values made one, and values with parts taken out. */
#include <string.h>

#include "api/typed.h"
#include "base/mem.h"

static json_t *merge(struct arena *a, struct place p, const json_t *live, const json_t *patch);

static json_t *
merge_maps(struct arena *a, const struct place *p, const json_t *live, const json_t *patch)
{
	json_t *ret = json_object(), *v;
	const char *key;

	json_object_foreach ((json_t *)live, key, v)
		json_object_set_new_nocheck(
		    ret, key, merge(a, place_of_field(p, key), v, json_object_get(patch, key)));
	json_object_foreach ((json_t *)patch, key, v)
		if (!json_object_get(live, key))
			json_object_set_new_nocheck(
			    ret, key, merge(a, place_of_field(p, key), NULL, v));
	return ret;
}

/* An item of one of the two lists, and its counterpart in the other. */
struct side {
	const json_t *value;
	struct element at;
	size_t other; /* index there, or NONE */
	bool done;
};
static const size_t NONE = (size_t)-1;

static struct side *
side_of(struct arena *a, const struct place *p, const json_t *list, size_t *n)
{
	struct side *ret = arena_alloc(a, (json_array_size(list) + 1) * sizeof *ret);
	char why[256];
	json_t *v;
	size_t i;

	*n = json_array_size(list);
	json_array_foreach (list, i, v)
		ret[i] = (struct side){ v, place_element(a, p, v, why), NONE, false };
	return ret;
}

static int
by_at(const void *a, const void *b)
{
	const struct side *x = *(struct side *const *)a, *y = *(struct side *const *)b;
	int c =
	    !x->at.text || !y->at.text ? !!x->at.text - !!y->at.text : element_cmp(x->at, y->at);

	return c ? c : (x > y) - (x < y);
}

static struct side **
sorted(struct arena *a, struct side *s, size_t n)
{
	struct side **ret = arena_alloc(a, (n + 1) * sizeof(struct side *));

	for (size_t i = 0; i < n; i++)
		ret[i] = &s[i];
	qsort(ret, n, sizeof *ret, by_at);
	return ret;
}

/* Find the counterparts.  All of several live items with one name have the same one. */
static void
pair(struct arena *a, struct side *live, size_t n, struct side *patch, size_t m)
{
	struct side **x = sorted(a, live, n), **y = sorted(a, patch, m);
	size_t i = 0, j = 0;

	while (i < n && j < m) {
		int c = !x[i]->at.text ? -1 : !y[j]->at.text ? 1 : element_cmp(x[i]->at, y[j]->at);

		if (c < 0) {
			i++;
		} else if (c > 0) {
			j++;
		} else {
			x[i]->other = (size_t)(y[j] - patch);
			if (y[j]->other == NONE)
				y[j]->other = (size_t)(x[i] - live);
			i++;
		}
	}
}

/*
 * The order: items of the patch stand as the patch has them, and those that only live has keep
 * their place in front of the live item that they stood before, as far as both can be had.
 */
static json_t *
merge_lists(struct arena *a, const struct place *p, const json_t *l, const json_t *r)
{
	json_t *ret = json_array();
	size_t n, m, i = 0, j = 0;
	struct side *live = side_of(a, p, l, &n), *patch = side_of(a, p, r, &m);
	struct place item = place_of_item(p);

	pair(a, live, n, patch, m);
	while (i < n || j < m) {
		size_t shared = j; /* the next item of the patch that live has, too */

		while (shared < m && patch[shared].other == NONE)
			shared++;
		if (i < n && live[i].other == NONE) {
			/* in front of it in the patch there may be new ones: after */
			json_array_append_new(ret, merge(a, item, live[i++].value, NULL));
		} else if (i < n && (patch[live[i].other].done ||
					(j < m && live[i].other != j && shared < m &&
					    live[i].other != shared))) {
			i++; /* it comes, or came, where the patch has it */
		} else if (j < m) {
			const struct side *o =
			    patch[j].other == NONE ? NULL : &live[patch[j].other];

			json_array_append_new(
			    ret, merge(a, item, o ? o->value : NULL, patch[j].value));
			patch[j++].done = true;
		} else {
			i++;
		}
	}
	return ret;
}

static size_t
size_of(const json_t *v)
{
	return json_is_array(v) ? json_array_size(v) : json_object_size(v);
}

static json_t *
merge(struct arena *a, struct place p, const json_t *live, const json_t *patch)
{
	p = place_seen(p, live, patch);
	if (p.relation == REL_LEAF || (!size_of(live) && !size_of(patch)))
		return json_deep_copy(patch ? patch : live);
	if (p.relation == REL_SET || p.relation == REL_LIST_MAP)
		return merge_lists(
		    a, &p, json_is_array(live) ? live : NULL, json_is_array(patch) ? patch : NULL);
	return merge_maps(
	    a, &p, json_is_object(live) ? live : NULL, json_is_object(patch) ? patch : NULL);
}

json_t *
typed_merge(struct arena *a, const struct type *t, const json_t *live, const json_t *patch)
{
	return merge(a, place_of(t), live, patch);
}

/* --- removal --- */

static void cut(struct arena *a, struct place p, json_t *v, const struct fieldset *fields);

static void
cut_map(struct arena *a, const struct place *p, json_t *v, const struct fieldset *fields)
{
	for (uint32_t i = 0; i < fields->n; i++) {
		const struct fieldnode *f = &fields->node[i];

		if (f->at.kind != ELEMENT_FIELD)
			continue;
		if (f->member)
			json_object_del(v, f->at.text);
		else
			cut(a, place_of_field(p, f->at.text), json_object_get(v, f->at.text),
			    &f->below);
	}
}

static void
cut_list(struct arena *a, const struct place *p, json_t *v, const struct fieldset *fields)
{
	struct place item = place_of_item(p);
	char why[256];

	for (size_t i = 0; i < json_array_size(v);) {
		json_t *it = json_array_get(v, i);
		struct element at = place_element(a, p, it, why);
		const struct fieldnode *f = at.text ? fieldset_find(fields, at) : NULL;

		if (f && f->member) {
			json_array_remove(v, i);
			continue;
		}
		if (f)
			cut(a, item, it, &f->below);
		i++;
	}
}

static void
cut(struct arena *a, struct place p, json_t *v, const struct fieldset *fields)
{
	if (!v || !fields->n)
		return;
	p = place_seen(p, v, NULL);
	if ((p.relation == REL_STRUCT || p.relation == REL_MAP) && json_is_object(v))
		cut_map(a, &p, v, fields);
	else if ((p.relation == REL_SET || p.relation == REL_LIST_MAP) && json_is_array(v))
		cut_list(a, &p, v, fields);
}

void
typed_remove(struct arena *a, const struct type *t, json_t *value, const struct fieldset *fields)
{
	cut(a, place_of(t), value, fields);
}

/* --- */

static struct fieldset
named(struct arena *a, struct place p, const struct fieldset *s)
{
	struct fieldset ret = FIELDSET_EMPTY;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct fieldnode *from = &s->node[i];
		struct fieldnode *to = fieldset_add(a, &ret, from->at);
		bool field = from->at.kind == ELEMENT_FIELD;
		bool list = p.relation == REL_SET || p.relation == REL_LIST_MAP;
		struct place below = field  ? place_of_field(&p, from->at.text)
				     : list ? place_of_item(&p)
					    : (struct place){ REL_LEAF, NULL, NULL };

		to->member = from->member || (field && place_knows(&p, from->at.text));
		to->below = named(a, below, &from->below);
	}
	return ret;
}

struct fieldset
typed_named(struct arena *a, const struct type *t, const struct fieldset *s)
{
	return named(a, place_of(t), s);
}
