/* The sets of fields that come out of one value, and of two. */
#include <string.h>

#include "api/typed.h"

/* --- of one --- */

static struct fieldset fields_of(struct arena *a, struct place p, const json_t *v, bool *self);

static void
add_found(
    struct arena *a, struct fieldset *s, struct element at, bool member, struct fieldset below)
{
	struct fieldnode *node;

	if (!member && !below.n)
		return;
	node = fieldset_add(a, s, at);
	node->member = member;
	node->below = below;
}

static struct fieldset
fields_of_map(struct arena *a, const struct place *p, const json_t *v)
{
	struct fieldset s = FIELDSET_EMPTY;
	const char *key;
	json_t *item;

	json_object_foreach ((json_t *)v, key, item) {
		bool self = false;
		struct fieldset below = fields_of(a, place_of_field(p, key), item, &self);

		/* null and {} have nothing below them to tell that they are there */
		self |= json_is_null(item) || !place_knows(p, key) ||
			(json_is_object(item) && json_object_size(item) == 0);
		add_found(a, &s, (struct element){ ELEMENT_FIELD, key }, self, below);
	}
	fieldset_sort(&s);
	return s;
}

static struct fieldset
fields_of_list(struct arena *a, const struct place *p, const json_t *v)
{
	struct fieldset s = FIELDSET_EMPTY;
	size_t n;
	struct named_item *item = place_items(a, p, v, &n);

	for (size_t i = 0; i < n; i++) {
		bool self = true;
		struct fieldset below = fields_of(a, place_of_item(p), item[i].value, &self);

		if (i && element_cmp(item[i - 1].at, item[i].at) == 0) {
			struct fieldnode *same = &s.node[s.n - 1];

			same->below = fieldset_union(a, &same->below, &below);
			continue;
		}
		add_found(a, &s, item[i].at, true, below);
	}
	return s;
}

static struct fieldset
fields_of(struct arena *a, struct place p, const json_t *v, bool *self)
{
	struct fieldset none = FIELDSET_EMPTY;

	p = place_seen(p, v, NULL);
	switch (p.relation) {
	case REL_STRUCT:
	case REL_MAP:
		return json_is_object(v) ? fields_of_map(a, &p, v) : none;
	case REL_SET:
	case REL_LIST_MAP:
		return json_is_array(v) ? fields_of_list(a, &p, v) : none;
	case REL_LEAF:
		break;
	}
	*self = true;
	return none;
}

struct fieldset
typed_fields(struct arena *a, const struct type *t, const json_t *value)
{
	bool self;

	return fields_of(a, place_of(t), value, &self);
}

/* --- of two --- */

/* What is known of one place: is the path itself in one of the sets, and what is below it. */
struct found {
	bool added, removed, modified;
	struct changes below;
};

static void compare(
    struct arena *a, struct place p, const json_t *old, const json_t *new, struct found *ret);

static void
put_found(struct arena *a, struct changes *c, struct element at, const struct found *f)
{
	add_found(a, &c->added, at, f->added, f->below.added);
	add_found(a, &c->removed, at, f->removed, f->below.removed);
	add_found(a, &c->modified, at, f->modified, f->below.modified);
}

static void
compare_field(struct arena *a, const struct place *p, const char *key, const json_t *old,
    const json_t *new, struct changes *ret)
{
	struct found f = { 0 };

	compare(a, place_of_field(p, key), old, new, &f);
	put_found(a, ret, (struct element){ ELEMENT_FIELD, key }, &f);
}

static void
compare_maps(struct arena *a, const struct place *p, const json_t *old, const json_t *new,
    struct changes *ret)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)old, key, v)
		compare_field(a, p, key, v, json_object_get(new, key), ret);
	json_object_foreach ((json_t *)new, key, v)
		if (!json_object_get(old, key))
			compare_field(a, p, key, NULL, v, ret);
	fieldset_sort(&ret->added);
	fieldset_sort(&ret->removed);
	fieldset_sort(&ret->modified);
}

/* How many items from here on have the same name. */
static size_t
run_of(const struct named_item *item, size_t i, size_t n)
{
	size_t from = i;

	for (i++; i < n && element_cmp(item[from].at, item[i].at) == 0;)
		i++;
	return i - from;
}

static bool
runs_equal(const struct named_item *x, const struct named_item *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!json_equal(x[i].value, y[i].value))
			return false;
	return true;
}

static void
compare_lists(struct arena *a, const struct place *p, const json_t *old, const json_t *new,
    struct changes *ret)
{
	size_t n, m, i = 0, j = 0;
	struct named_item *x = place_items(a, p, old, &n), *y = place_items(a, p, new, &m);

	while (i < n || j < m) {
		int c = i == n ? 1 : j == m ? -1 : element_cmp(x[i].at, y[j].at);
		size_t xs = c <= 0 ? run_of(x, i, n) : 0, ys = c >= 0 ? run_of(y, j, m) : 0;
		struct element at = c <= 0 ? x[i].at : y[j].at;
		struct found f = { 0 };

		if (xs <= 1 && ys <= 1)
			compare(a, place_of_item(p), xs ? x[i].value : NULL, ys ? y[j].value : NULL,
			    &f);
		else if (!xs)
			f.added = true;
		else if (!ys)
			f.removed = true;
		else
			f.modified = xs != ys || !runs_equal(&x[i], &y[j], xs);
		put_found(a, ret, at, &f);
		i += xs;
		j += ys;
	}
}

static size_t
size_of(const json_t *v)
{
	return json_is_array(v) ? json_array_size(v) : json_object_size(v);
}

/* Two values, of which one may be NULL (missing).  Where both are empty there is nothing to go
 * into, and the place itself is what counts. */
static void
compare(struct arena *a, struct place p, const json_t *old, const json_t *new, struct found *ret)
{
	bool list;

	p = place_seen(p, old, new);
	list = p.relation == REL_SET || p.relation == REL_LIST_MAP;
	if (p.relation == REL_LEAF || (!size_of(old) && !size_of(new))) {
		ret->modified = old && new && !json_equal(old, new);
	} else if (list) {
		compare_lists(a, &p, json_is_array(old) ? old : NULL,
		    json_is_array(new) ? new : NULL, &ret->below);
	} else {
		compare_maps(a, &p, json_is_object(old) ? old : NULL,
		    json_is_object(new) ? new : NULL, &ret->below);
	}
	ret->added = !old;
	ret->removed = !new;
}

struct changes
typed_compare(struct arena *a, const struct type *t, const json_t *old, const json_t *new)
{
	struct found f = { 0 };

	compare(a, place_of(t), old, new, &f);
	return f.below;
}
