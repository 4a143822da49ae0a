/* Optional values: optional.of(x), .orValue(y), a[?b], a.?b. */
#include <string.h>

#include "cel/function.h"

static struct cel_value
of(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return cel_optional_of(a, arg[0]);
}

static bool
is_zero(struct cel_value v)
{
	switch (v.kind) {
	case CEL_NULL:
		return true;
	case CEL_BOOL:
		return !v.b;
	case CEL_INT:
		return v.i == 0;
	case CEL_UINT:
		return v.u == 0;
	case CEL_DOUBLE:
		return v.d == 0;
	case CEL_STRING:
	case CEL_BYTES:
		return v.text.len == 0;
	case CEL_LIST:
		return v.list->n == 0;
	case CEL_MAP:
	case CEL_OBJECT:
		return v.map->n == 0;
	case CEL_TIMESTAMP:
	case CEL_DURATION:
		return v.time.s == 0 && v.time.ns == 0;
	case CEL_OPTIONAL:
		return !v.holding;
	default:
		return false;
	}
}

static struct cel_value
of_non_zero(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return is_zero(arg[0]) ? cel_optional_none() : cel_optional_of(a, arg[0]);
}

static struct cel_value
none(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)arg;
	(void)n;
	return cel_optional_none();
}

static struct cel_value
value(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return arg[0].holding ? *arg[0].holding : cel_error(a, "optional.none() dereference");
}

static struct cel_value
has_value(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return cel_bool(arg[0].holding != NULL);
}

static struct cel_value
unwrap(struct arena *a, const struct cel_value *arg, size_t n)
{
	const struct cel_list *l = arg[0].list;
	struct cel_value *items = arena_alloc(a, (l->n + 1) * sizeof *items);
	size_t found = 0;

	(void)n;
	for (size_t i = 0; i < l->n; i++) {
		struct cel_value v = cel_list_get(a, l, i);

		if (v.kind != CEL_OPTIONAL)
			return cel_error(a, "value is not optional");
		if (v.holding)
			items[found++] = *v.holding;
	}
	return cel_list_of(a, items, found);
}

static struct cel_value
first(struct arena *a, const struct cel_value *arg, size_t n)
{
	const struct cel_list *l = arg[0].list;

	(void)n;
	return l->n ? cel_optional_of(a, cel_list_get(a, l, 0)) : cel_optional_none();
}

static struct cel_value
last(struct arena *a, const struct cel_value *arg, size_t n)
{
	const struct cel_list *l = arg[0].list;

	(void)n;
	return l->n ? cel_optional_of(a, cel_list_get(a, l, l->n - 1)) : cel_optional_none();
}

/* What a map becomes with one entry more, for transformMap and transformMapEntry. */
static struct cel_value
insert(struct arena *a, const struct cel_map *m, const struct cel_entry *more, size_t n)
{
	struct cel_entry *all = arena_alloc(a, (m->n + n) * sizeof *all);
	size_t at = m->n;

	if (m->n)
		memcpy(all, m->entry, m->n * sizeof *all);
	for (size_t i = 0; i < n; i++) {
		struct cel_value ignored;

		if (cel_map_find(a, m, more[i].key, &ignored)) {
			struct cel_value key = more[i].key;

			return key.kind == CEL_STRING
				   ? cel_error(a, "insert failed: key %.*s already exists",
					 (int)key.text.len, key.text.p)
				   : cel_error(a, "insert failed: key already exists");
		}
		all[at++] = more[i];
	}
	return cel_map_of(a, all, at);
}

static struct cel_value
insert_one(struct arena *a, const struct cel_value *arg, size_t n)
{
	struct cel_entry one = { arg[1], arg[2] };

	(void)n;
	return insert(a, arg[0].map, &one, 1);
}

static struct cel_value
insert_map(struct arena *a, const struct cel_value *arg, size_t n)
{
	const struct cel_map *from = arg[1].map;
	struct cel_entry *more = arena_alloc(a, (from->n + 1) * sizeof *more);
	void *at = NULL;

	(void)n;
	for (size_t i = 0; i < from->n; i++) {
		more[i].key = cel_map_key(a, from, i, &at);
		cel_map_find(a, from, more[i].key, &more[i].value);
	}
	return insert(a, arg[0].map, more, from->n);
}

const struct cel_function cel_lib_optional[] = {
	{ "optional.of", "optional_of", "(A) optional(A)", of, NULL },
	{ "optional.ofNonZeroValue", "optional_ofNonZeroValue", "(A) optional(A)", of_non_zero,
	    NULL },
	{ "optional.none", "optional_none", "() optional(A)", none, NULL },
	{ "value", "optional_value", "optional(A).() A", value, NULL },
	{ "hasValue", "optional_hasValue", "optional(A).() bool", has_value, NULL },
	{ "or", "optional_or_optional", "optional(A).(optional(A)) optional(A)", NULL, NULL },
	{ "orValue", "optional_orValue_value", "optional(A).(A) A", NULL, NULL },
	{ "optional.unwrap", "optional_unwrap", "(list(optional(A))) list(A)", unwrap, NULL },
	{ "unwrapOpt", "optional_unwrapOpt", "list(optional(A)).() list(A)", unwrap, NULL },
	/* the evaluator knows these */
	{ "_[?_]", "list_optindex_optional_int", "(list(A), int) optional(A)", NULL, NULL },
	{ "_[?_]", "optional_list_optindex_optional_int", "(optional(list(A)), int) optional(A)",
	    NULL, NULL },
	{ "_[?_]", "map_optindex_optional_value", "(map(A, B), A) optional(B)", NULL, NULL },
	{ "_[?_]", "optional_map_optindex_optional_value", "(optional(map(A, B)), A) optional(B)",
	    NULL, NULL },
	{ "_[_]", "optional_list_index_int", "(optional(list(A)), int) optional(A)", NULL, NULL },
	{ "_[_]", "optional_map_index_value", "(optional(map(A, B)), A) optional(B)", NULL, NULL },
	{ "first", "list_first", "list(A).() optional(A)", first, NULL },
	{ "last", "list_last", "list(A).() optional(A)", last, NULL },
	{ "cel.@mapInsert", "@mapInsert_map_key_value", "(map(A, B), A, B) map(A, B)", insert_one,
	    NULL },
	{ "cel.@mapInsert", "@mapInsert_map_map", "(map(A, B), map(A, B)) map(A, B)", insert_map,
	    NULL },
	{ 0 },
};
