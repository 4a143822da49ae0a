/* What an evaluation may cost (cel-go's checker/cost.go). */
#include "cel/cost.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { COST_NAME = 1, COST_LIST = 10, COST_MAP = 30, COST_STRUCT = 40 };

static struct cel_range cost_of(struct coster *c, struct cel_expr *e);

/* --- ranges --------------------------------------------------------------------------------- */

static uint64_t
plus(uint64_t x, uint64_t y)
{
	return x > UINT64_MAX - y ? UINT64_MAX : x + y;
}

static uint64_t
times(uint64_t x, uint64_t y)
{
	uint64_t r;

	return __builtin_mul_overflow(x, y, &r) ? UINT64_MAX : r;
}

static uint64_t
scale(uint64_t x, double factor)
{
	double v = ceil((double)x * factor);

	return v >= 18446744073709551616.0 ? UINT64_MAX : (uint64_t)v;
}

struct cel_range
range_add(struct cel_range a, struct cel_range b)
{
	return RANGE(plus(a.min, b.min), plus(a.max, b.max));
}

struct cel_range
range_times(struct cel_range a, struct cel_range b)
{
	return RANGE(times(a.min, b.min), times(a.max, b.max));
}

struct cel_range
range_scale(struct cel_range a, double factor)
{
	return RANGE(scale(a.min, factor), scale(a.max, factor));
}

struct cel_range
range_union(struct cel_range a, struct cel_range b)
{
	return RANGE(a.min < b.min ? a.min : b.min, a.max > b.max ? a.max : b.max);
}

static struct cel_range
fixed(uint64_t v)
{
	return RANGE(v, v);
}

/* --- sizes ---------------------------------------------------------------------------------- */

struct cel_estimate *
cost_estimate(struct coster *c, struct cel_expr *e)
{
	if (!e->estimate) {
		e->estimate = arena_alloc(c->a, sizeof *e->estimate);
		*e->estimate = (struct cel_estimate){ 0 };
	}
	return e->estimate;
}

static const struct cost_local *
local_of(const struct coster *c, const struct cel_expr *e)
{
	if (e->node != CEL_N_IDENT || e->leading_dot)
		return NULL;
	for (size_t i = c->nlocals; i-- > 0;)
		if (strcmp(c->local[i].name, e->name) == 0)
			return &c->local[i];
	return NULL;
}

/* What is written down has its size. */
static bool
written_size(const struct cel_expr *e, struct cel_range *ret)
{
	switch (e->node) {
	case CEL_N_CONST:
		*ret = fixed(cel_size(e->value));
		return true;
	case CEL_N_LIST:
	case CEL_N_MAP:
		*ret = fixed(e->nitems);
		return true;
	default:
		return false;
	}
}

static bool
is_scalar(const struct cel_type *t)
{
	switch (t->kind) {
	case CEL_T_BOOL:
	case CEL_T_DOUBLE:
	case CEL_T_DURATION:
	case CEL_T_INT:
	case CEL_T_TIMESTAMP:
	case CEL_T_UINT:
		return true;
	case CEL_T_OPTIONAL:
		return t->of[0] && is_scalar(t->of[0]);
	default:
		return false;
	}
}

bool
cost_size(struct coster *c, struct cel_expr *e, struct cel_range *ret)
{
	const struct cost_local *local = local_of(c, e);

	if (e->estimate && e->estimate->sized) {
		*ret = e->estimate->size;
		return true;
	}
	if (written_size(e, ret))
		return true;
	if (local && local->sized) {
		*ret = local->size;
		return true;
	}
	if (e->type->bounded) {
		*ret = RANGE(0, e->type->most);
		return true;
	}
	*ret = fixed(1);
	if (c->bits & CEL_SIZED_NAMES && e->node == CEL_N_IDENT && e->type_value)
		return true;
	return is_scalar(e->type);
}

struct cel_range
cost_size_or_any(struct coster *c, struct cel_expr *e)
{
	struct cel_range r;

	return cost_size(c, e, &r) ? r : RANGE(0, UINT64_MAX);
}

bool
cost_entries(struct coster *c, struct cel_expr *e, struct cel_range *key, struct cel_range *value)
{
	const struct cost_local *local = local_of(c, e);

	if (e->estimate && e->estimate->entries) {
		*key = e->estimate->key;
		*value = e->estimate->value;
		return true;
	}
	if (!local || !local->entries)
		return false;
	*key = local->key;
	*value = local->value;
	return true;
}

static void
set_entries(struct coster *c, struct cel_expr *e, struct cel_range key, struct cel_range value)
{
	struct cel_estimate *s = cost_estimate(c, e);

	s->entries = true;
	s->key = key;
	s->value = value;
}

static void
set_size(struct coster *c, struct cel_expr *e, struct cel_range size)
{
	struct cel_estimate *s = cost_estimate(c, e);

	s->sized = true;
	s->size = size;
}

static void
copy_sizes(struct coster *c, struct cel_expr *to, struct cel_expr *from)
{
	struct cel_range size, key, value;

	if (cost_size(c, from, &size))
		set_size(c, to, size);
	if (cost_entries(c, from, &key, &value))
		set_entries(c, to, key, value);
}

/* --- names and literals --------------------------------------------------------------------- */

static struct cel_range
cost_of_select(struct coster *c, struct cel_expr *e)
{
	struct cel_range sum;

	if (e->slot >= 0 || e->type_value)
		return fixed(COST_NAME);
	sum = cost_of(c, e->operand);
	if (e->test)
		return range_add(sum, fixed(c->bits & CEL_FREE_HAS ? 0 : COST_NAME));
	switch (e->operand->type->kind) {
	case CEL_T_MAP:
	case CEL_T_OBJECT:
	case CEL_T_PARAM:
		return range_add(sum, fixed(COST_NAME));
	default:
		return sum;
	}
}

static struct cel_range
cost_of_list(struct coster *c, struct cel_expr *e)
{
	struct cel_range sum = fixed(COST_LIST), item = { e->nitems ? UINT64_MAX : 0, 0 };

	for (size_t i = 0; i < e->nitems; i++) {
		sum = range_add(sum, cost_of(c, e->item[i].value));
		item = range_union(item, cost_size_or_any(c, e->item[i].value));
	}
	set_entries(c, e, fixed(1), item);
	return sum;
}

static struct cel_range
cost_of_map(struct coster *c, struct cel_expr *e)
{
	struct cel_range sum = fixed(e->node == CEL_N_MAP ? COST_MAP : COST_STRUCT);
	struct cel_range key = { e->nitems ? UINT64_MAX : 0, 0 }, value = key;

	for (size_t i = 0; i < e->nitems; i++) {
		if (e->item[i].key) {
			sum = range_add(sum, cost_of(c, e->item[i].key));
			key = range_union(key, cost_size_or_any(c, e->item[i].key));
		}
		sum = range_add(sum, cost_of(c, e->item[i].value));
		value = range_union(value, cost_size_or_any(c, e->item[i].value));
	}
	if (e->node == CEL_N_MAP)
		set_entries(c, e, key, value);
	return sum;
}

/* --- comprehensions ------------------------------------------------------------------------- */

static void
push(struct coster *c, const char *name)
{
	c->local[c->nlocals++] = (struct cost_local){ .name = name };
}

static void
push_accumulator(struct coster *c, const struct cel_fold *f)
{
	struct cost_local l = { .name = f->accu };

	l.sized = cost_size(c, f->init, &l.size);
	l.entries = cost_entries(c, f->init, &l.key, &l.value);
	c->local[c->nlocals++] = l;
}

/* The variables of a fold have the sizes of its range's entries. */
static void
push_variables(struct coster *c, const struct cel_fold *f)
{
	struct cel_range key, value;
	bool known = cost_entries(c, f->range, &key, &value);
	bool list = f->range->type->kind == CEL_T_LIST;

	push(c, f->var);
	c->local[c->nlocals - 1].sized = known;
	c->local[c->nlocals - 1].size = list && !f->var2 ? value : key;
	if (!f->var2)
		return;
	push(c, f->var2);
	c->local[c->nlocals - 1].sized = known;
	c->local[c->nlocals - 1].size = value;
}

/* cel.bind() goes over nothing. */
static bool
is_bind(const struct cel_fold *f)
{
	return f->range->node == CEL_N_LIST && f->range->nitems == 0 &&
	       f->condition->node == CEL_N_CONST && f->condition->value.kind == CEL_BOOL &&
	       !f->condition->value.b;
}

static struct cel_range
cost_of_fold(struct coster *c, struct cel_expr *e)
{
	struct cel_fold *f = e->fold;
	struct cel_range sum = range_add(cost_of(c, f->range), cost_of(c, f->init)), round, count,
			 key, value;
	size_t outside = c->nlocals;

	if (outside + 3 > COUNT(c->local))
		return RANGE(sum.min, UINT64_MAX);
	push_accumulator(c, f);
	if (is_bind(f)) {
		sum = range_add(sum, cost_of(c, f->result));
		copy_sizes(c, e, f->result);
		c->nlocals = outside;
		return sum;
	}
	push_variables(c, f);
	round = range_add(cost_of(c, f->condition), cost_of(c, f->step));
	c->nlocals = outside + 1;
	sum = range_add(sum, cost_of(c, f->result));
	c->nlocals = outside;
	count = cost_size_or_any(c, f->range);
	if (f->init->node == CEL_N_CONST) {
		if (cost_size(c, f->init, &key))
			set_size(c, e, key);
	} else if (f->init->node == CEL_N_LIST || f->init->node == CEL_N_MAP) {
		set_size(c, e, count);
		if (cost_entries(c, f->step, &key, &value))
			set_entries(c, e, key, value);
	}
	return range_add(sum, range_times(count, round));
}

/* --- calls ---------------------------------------------------------------------------------- */

/* dyn(x) has the sizes of x. */
static struct cel_range
cost_of_dyn(struct coster *c, struct cel_expr *e)
{
	struct cel_range sum = range_add(fixed(1), cost_of(c, e->arg[0]));

	copy_sizes(c, e, e->arg[0]);
	return sum;
}

/* All overloads that may be meant, together. */
static struct call_cost
cost_of_overloads(struct coster *c, struct cel_expr *e, const struct cel_range *costs)
{
	struct call_cost all = { .cost = { UINT64_MAX, 0 } };

	for (size_t i = 0; e->set && i < e->set->n && i < 64; i++) {
		struct call_cost one;

		if (!(e->candidates >> i & 1))
			continue;
		one = cost_of_call(c, e, e->set->overload[i].id, costs);
		all.cost = range_union(all.cost, one.cost);
		if (one.sized)
			all.size = all.sized ? range_union(all.size, one.size) : one.size;
		all.sized |= one.sized;
	}
	if (all.cost.min > all.cost.max)
		all.cost = fixed(0);
	return all;
}

static const char *
operator_overload(const struct cel_expr *e)
{
	static const char *const ids[] = { [CEL_OP_AND] = "logical_and",
		[CEL_OP_OR] = "logical_or",
		[CEL_OP_TERNARY] = "conditional",
		[CEL_OP_INDEX] = "index",
		[CEL_OP_INDEX_OPTIONAL] = "index",
		[CEL_OP_FIELD_OPTIONAL] = "select_optional_field",
		[CEL_OP_NOT_FALSE] = "not_strictly_false",
		[CEL_OP_OR_ELSE] = "" };

	return ids[e->op];
}

static struct cel_range
cost_of_any_call(struct coster *c, struct cel_expr *e)
{
	struct cel_range *costs = arena_alloc(c->a, (e->nargs + 1) * sizeof *costs);
	struct cel_range sum = fixed(0);
	struct call_cost call;

	if (!e->operand && e->nargs == 1 && strcmp(e->name, "dyn") == 0)
		return cost_of_dyn(c, e);
	for (size_t i = 0; i < e->nargs; i++)
		costs[i] = cost_of(c, e->arg[i]);
	if (e->operand)
		sum = cost_of(c, e->operand);
	call = e->op == CEL_OP_CALL || e->op == CEL_OP_OR_ELSE
		   ? cost_of_overloads(c, e, costs)
		   : cost_of_call(c, e, operator_overload(e), costs);
	if (call.sized)
		set_size(c, e, call.size);
	return range_add(sum, call.cost);
}

static struct cel_range
cost_of_node(struct coster *c, struct cel_expr *e)
{
	switch (e->node) {
	case CEL_N_CONST:
		return fixed(0);
	case CEL_N_IDENT:
		return fixed(COST_NAME);
	case CEL_N_SELECT:
		return cost_of_select(c, e);
	case CEL_N_CALL:
		return cost_of_any_call(c, e);
	case CEL_N_LIST:
		return cost_of_list(c, e);
	case CEL_N_MAP:
	case CEL_N_STRUCT:
		return cost_of_map(c, e);
	case CEL_N_FOLD:
		return cost_of_fold(c, e);
	}
	return fixed(0);
}

static struct cel_range
cost_of(struct coster *c, struct cel_expr *e)
{
	struct cel_estimate *s;

	if (!e->shared)
		return cost_of_node(c, e);
	s = cost_estimate(c, e);
	if (!s->costed) {
		s->cost = cost_of_node(c, e);
		s->costed = true;
	}
	return s->cost;
}

struct cel_range
cel_program_cost(struct cel_program *p)
{
	struct coster c = { .a = &p->arena, .bits = p->bits };

	return cost_of(&c, p->root);
}
