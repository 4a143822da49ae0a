/* Evaluation of comprehensions. */
#include <string.h>

#include "base/mem.h"
#include "cel/eval.h"

/*
 * map() and filter() add one item after another to a list.  Copying it each time would take time
 * that grows with its square: the items are collected instead, at the same cost.
 */
struct collector {
	struct cel_value *item;
	size_t n, cap;
};

static void
keep(struct run *r, struct collector *c, struct cel_value v)
{
	if (c->n == c->cap) {
		struct cel_value *more;

		c->cap = c->cap ? 2 * c->cap : 8;
		more = arena_alloc(r->a, c->cap * sizeof *more);
		if (c->n)
			memcpy(more, c->item, c->n * sizeof *more);
		c->item = more;
	}
	c->item[c->n++] = v;
}

/* One step of a collecting fold; false: *ret is an error. */
static bool
collect(struct run *r, struct collector *c, const struct cel_expr *filter,
    const struct cel_expr *item, struct cel_value *ret)
{
	if (filter) {
		*ret = run_eval(r, filter);
		if (ret->kind != CEL_BOOL) {
			*ret = ret->kind == CEL_ERROR ? *ret : run_no_overload(r);
			return false;
		}
		if (!ret->b) {
			if (run_spent(r, COST_NAME)) { /* the list as it was */
				*ret = run_cancelled();
				return false;
			}
			return true;
		}
	}
	*ret = run_eval(r, item);
	if (ret->kind == CEL_ERROR)
		return false;
	keep(r, c, *ret);
	if (run_spent(r, COST_NAME + COST_LIST + 1)) {
		*ret = run_cancelled();
		return false;
	}
	return true;
}

/* The variables of the i-th round. */
static void
set_round(struct run *r, const struct cel_fold *f, struct cel_value range, size_t i, void **at,
    struct cel_value *slot)
{
	if (range.kind == CEL_LIST) {
		struct cel_value item = cel_list_get(r->a, range.list, i);

		slot[0] = f->var2 ? cel_int((int64_t)i) : item;
		if (f->var2)
			slot[1] = item;
		return;
	}
	slot[0] = cel_map_key(r->a, range.map, i, at);
	if (f->var2)
		cel_map_find(r->a, range.map, slot[0], &slot[1]);
}

static struct cel_value
rounds(struct run *r, const struct cel_fold *f, struct cel_value range, struct cel_value *slot)
{
	const struct cel_expr *filter = f->filter, *item = f->item;
	size_t n = range.kind == CEL_LIST ? range.list->n : range.map->n;
	struct collector c = { 0 };
	void *at = NULL;

	for (size_t i = 0; i < n; i++) {
		struct cel_value go, v;

		set_round(r, f, range, i, &at, slot + 1);
		go = run_eval(r, f->condition);
		if (run_is_cancelled(go))
			return go;
		if (go.kind == CEL_BOOL && !go.b)
			break;
		if (item) {
			if (!collect(r, &c, filter, item, &v))
				return v;
			continue;
		}
		slot[0] = run_eval(r, f->step);
		if (run_is_cancelled(slot[0]))
			return slot[0];
	}
	if (item && c.n)
		slot[0] = cel_list_of(r->a, c.item, c.n);
	return slot[0];
}

struct cel_value
run_fold(struct run *r, const struct cel_expr *e)
{
	const struct cel_fold *f = e->fold;
	struct cel_value range = run_eval(r, f->range), *slot, v;

	if (range.kind == CEL_ERROR)
		return range;
	if (range.kind != CEL_LIST && range.kind != CEL_MAP && range.kind != CEL_OBJECT)
		return run_no_overload(r);
	slot = r->local + f->slot; /* the accumulator; behind it the variables */
	slot[0] = run_eval(r, f->init);
	v = rounds(r, f, range, slot);
	if (run_is_cancelled(v))
		return v;
	slot[0] = v;
	return run_eval(r, f->result);
}
