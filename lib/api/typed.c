/* Places in the schema: what is granular, what is atomic, and what items of lists are called. */
#include "api/typed.h"

#include <string.h>

#include "base/mem.h"

enum { KEYS = 8 };

const struct type type_deduced = { .name = "Object", .class = CLASS_ANY, .summary = "" };

static struct place
place_in(const struct type *t, enum list_type list, const char *const *keys)
{
	struct place p = { REL_LEAF, t == &type_deduced ? NULL : t, keys };

	if (t->class == CLASS_STRUCT && !t->atomic)
		p.relation = REL_STRUCT;
	else if (t->class == CLASS_MAP && !t->atomic)
		p.relation = REL_MAP;
	else if (t->class == CLASS_LIST && list == LIST_SET)
		p.relation = REL_SET;
	else if (t->class == CLASS_LIST && list == LIST_MAP && keys)
		p.relation = REL_LIST_MAP;
	return p;
}

struct place
place_of(const struct type *t)
{
	return place_in(t, LIST_ATOMIC, NULL);
}

bool
place_knows(const struct place *p, const char *name)
{
	return p->relation == REL_STRUCT && type_field(p->type, name);
}

struct place
place_of_field(const struct place *p, const char *name)
{
	const struct field *f = NULL;

	if (p->relation == REL_STRUCT)
		f = type_field(p->type, name);
	if (f)
		return place_in(f->type, f->list, f->list_keys);
	if (p->relation == REL_MAP && p->type)
		return place_of(p->type->elem);
	return (struct place){ REL_LEAF, NULL, NULL };
}

struct place
place_of_item(const struct place *p)
{
	return place_of(p->type->elem);
}

struct place
place_seen(struct place p, const json_t *x, const json_t *y)
{
	if (!p.type && (json_is_object(x) || !x || json_is_null(x)) &&
	    (json_is_object(y) || !y || json_is_null(y)) &&
	    (json_is_object(x) || json_is_object(y)))
		p.relation = REL_MAP;
	return p;
}

/* What a key field counts as when it is missing: its default, or what a required one is without
 * (of Go's types, which have protobuf: custom kinds have none but those they state). */
static const char *
key_default(const struct type *item, const char *key)
{
	const struct field *f = type_field(item, key);

	if (!f || f->dflt)
		return f ? f->dflt : NULL;
	if (!f->required || !item->nwire)
		return NULL;
	return f->type->class == CLASS_STRING					? "\"\""
	       : f->type->class == CLASS_INT32 || f->type->class == CLASS_INT64 ? "0"
										: NULL;
}

struct element
place_element(struct arena *a, const struct place *p, const json_t *item, char why[static 256])
{
	struct element none = { ELEMENT_VALUE, NULL }, e;
	const char *dflt[KEYS], *missing = "";
	size_t n = 0;

	if (p->relation == REL_SET) {
		if (!json_is_object(item) && !json_is_array(item) && !json_is_null(item))
			return element_value(a, item);
		snprintf(why, 256, "associative list without keys has an element that's %s",
		    json_is_null(item) ? "an explicit null" : "a map type");
		return none;
	}
	if (!json_is_object(item)) {
		snprintf(why, 256, "associative list with keys %s",
		    json_is_null(item) ? "has an element that's an explicit null"
				       : "may not have non-map elements");
		return none;
	}
	for (; p->keys[n] && n < KEYS; n++)
		dflt[n] = key_default(p->type->elem, p->keys[n]);
	e = element_key(a, item, p->keys, dflt, n, &missing);
	if (!e.text)
		snprintf(why, 256,
		    "associative list with keys has an element that omits key field \"%s\" (and "
		    "doesn't have default value)",
		    missing);
	return e;
}

static int
by_name(const void *a, const void *b)
{
	const struct named_item *x = a, *y = b;
	int c = element_cmp(x->at, y->at);

	return c ? c : (x->index > y->index) - (x->index < y->index);
}

struct named_item *
place_items(struct arena *a, const struct place *p, const json_t *list, size_t *n)
{
	struct named_item *ret = arena_alloc(a, (json_array_size(list) + 1) * sizeof *ret);
	char why[256];
	json_t *v;
	size_t i;

	*n = 0;
	json_array_foreach (list, i, v) {
		struct element at = place_element(a, p, v, why);

		if (at.text)
			ret[(*n)++] = (struct named_item){ at, v, i };
	}
	qsort(ret, *n, sizeof *ret, by_name);
	return ret;
}

/* What a field that nobody has set is written as; NULL when it is left out.  New.  Those of custom
 * kinds, which have no number in protobuf, always are. */
static json_t *
unset(const struct field *f)
{
	enum type_class class = f->type->class;
	bool always = f->required || (f->dflt && strcmp(f->dflt, "null") == 0);

	if (class == CLASS_STRUCT)
		return !f->pointer ? typed_nothing(f->type) : always ? json_null() : NULL;
	if (f->list == LIST_SET) /* they are left out even where one is wanted */
		return NULL;
	if (always && !f->pointer && class == CLASS_STRING)
		return json_string("");
	if (always && !f->pointer && (class == CLASS_INT32 || class == CLASS_INT64))
		return json_integer(0);
	if (f->dflt && (strcmp(f->dflt, "\"\"") == 0 || strcmp(f->dflt, "0") == 0))
		return class == CLASS_STRING ? json_string("") : json_integer(0);
	return always ? json_null() : NULL;
}

json_t *
typed_nothing(const struct type *t)
{
	json_t *ret = json_object(), *v;

	for (size_t i = 0; i < t->nfields; i++)
		if (t->fields[i].number && (v = unset(&t->fields[i])))
			json_object_set_new(ret, t->fields[i].name, v);
	return ret;
}
