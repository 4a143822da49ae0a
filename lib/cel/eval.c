/* Evaluation: the tree is walked; errors are values that most operators pass on. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/eval.h"

bool
run_spent(struct run *r, uint64_t more)
{
	r->cost = more > UINT64_MAX - r->cost ? UINT64_MAX : r->cost + more;
	return (r->limit && r->cost > r->limit) || r->a->total > r->memory;
}

/* The one error that no operator takes up: it ends the evaluation. */
static const char over[] = "operation cancelled: actual cost limit exceeded";

struct cel_value
run_cancelled(void)
{
	struct cel_value v = cel_text(over, sizeof over - 1);

	v.kind = CEL_ERROR;
	return v;
}

bool
run_is_cancelled(struct cel_value v)
{
	return v.kind == CEL_ERROR && v.text.p == over;
}

struct cel_value
run_no_overload(struct run *r)
{
	return cel_error(r->a, "no such overload");
}

/* --- names and parts ------------------------------------------------------------------- */

static struct cel_value
variable(struct run *r, const struct cel_expr *e)
{
	size_t slot = (size_t)e->slot;

	if (run_spent(r, COST_NAME))
		return run_cancelled();
	if (e->slot < 0)
		return e->type_value
			   ? CEL_MAKE(CEL_TYPE, type, e->type_value)
			   : cel_error(
				 r->a, "undeclared reference to '%s' (in container '')", e->name);
	return slot < r->p->nvariables ? r->variables[slot] : r->local[slot - r->p->nvariables];
}

static struct cel_value
no_key(struct run *r, struct cel_value key)
{
	switch (key.kind) {
	case CEL_STRING:
		return cel_error(r->a, "no such key: %.*s", (int)key.text.len, key.text.p);
	case CEL_INT:
		return cel_error(r->a, "no such key: %lld", (long long)key.i);
	case CEL_UINT:
		return cel_error(r->a, "no such key: %llu", (unsigned long long)key.u);
	case CEL_DOUBLE:
		return cel_error(r->a, "no such key: %g", key.d);
	case CEL_BOOL:
		return cel_error(r->a, "no such key: %s", key.b ? "true" : "false");
	default:
		return cel_error(r->a, "unsupported key type");
	}
}

/* Does it have the part, and which?  1, 0, or -1 with an error in *ret. */
static int
part(struct run *r, struct cel_value of, struct cel_value key, struct cel_value *ret)
{
	int64_t i;

	if (of.kind == CEL_MAP || of.kind == CEL_OBJECT) {
		if (key.kind > CEL_STRING || key.kind == CEL_NULL) {
			*ret = no_key(r, key);
			return -1;
		}
		return cel_map_find(r->a, of.map, key, ret);
	}
	if (of.kind != CEL_LIST) {
		*ret = run_no_overload(r);
		return -1;
	}
	if (key.kind == CEL_UINT && key.u <= INT64_MAX)
		key = cel_int((int64_t)key.u);
	if (key.kind == CEL_DOUBLE && key.d == (double)(int64_t)key.d)
		key = cel_int((int64_t)key.d);
	if (key.kind != CEL_INT) {
		*ret = cel_error(r->a, "unsupported index type in list");
		return -1;
	}
	i = key.i;
	if (i < 0 || (uint64_t)i >= of.list->n) {
		*ret = cel_error(r->a, "index out of bounds: %lld", (long long)i);
		return 0;
	}
	*ret = cel_list_get(r->a, of.list, (size_t)i);
	return 1;
}

/* of[key], or of[?key]; through an optional it gives an optional. */
static struct cel_value
take(struct run *r, struct cel_value of, struct cel_value key, bool optional)
{
	struct cel_value v;
	int found;

	if (of.kind == CEL_ERROR)
		return of;
	if (key.kind == CEL_ERROR)
		return key;
	if (of.kind == CEL_OPTIONAL) {
		if (!of.holding)
			return of;
		of = *of.holding;
		optional = true;
	}
	found = part(r, of, key, &v);
	if (found < 0)
		return v;
	if (optional)
		return found ? v.kind == CEL_OPTIONAL ? v : cel_optional_of(r->a, v)
			     : cel_optional_none();
	return found ? v : of.kind == CEL_LIST ? v : no_key(r, key);
}

/* A part of something that is no name costs as if it had one. */
static bool
spent_on_part(struct run *r, const struct cel_expr *of)
{
	return run_spent(r, of->attribute ? COST_NAME : 2 * COST_NAME);
}

/* has(): what it looks into is counted for it, and that is taken back where it costs nothing. */
static bool
spent_on_test(struct run *r, const struct cel_expr *of)
{
	bool is_free = r->p->bits & CEL_FREE_HAS;

	if (!of->attribute)
		return run_spent(r, is_free ? 0 : COST_NAME);
	if (is_free && r->cost >= COST_NAME)
		r->cost -= COST_NAME;
	return false;
}

static struct cel_value
selection(struct run *r, const struct cel_expr *e)
{
	struct cel_value of, v;
	int found;

	if (e->slot >= 0 || e->type_value)
		return variable(r, e);
	of = run_eval(r, e->operand);
	if (of.kind == CEL_ERROR)
		return of;
	if (!e->test)
		return spent_on_part(r, e->operand)
			   ? run_cancelled()
			   : take(r, of, cel_text(e->name, strlen(e->name)), false);
	if (spent_on_test(r, e->operand))
		return run_cancelled();
	if (of.kind == CEL_OPTIONAL) {
		if (!of.holding)
			return cel_bool(false);
		of = *of.holding;
	}
	if (of.kind != CEL_MAP && of.kind != CEL_OBJECT)
		return run_no_overload(r);
	found = part(r, of, cel_text(e->name, strlen(e->name)), &v);
	return cel_bool(found > 0 && (of.kind == CEL_MAP || v.kind != CEL_NULL));
}

/* --- logic --------------------------------------------------------------------------------- */

/* false && anything is false, also when the other side fails; the same for true ||. */
static struct cel_value
logic(struct run *r, const struct cel_expr *e, bool decisive)
{
	struct cel_value first = run_eval(r, e->arg[0]), second;

	if (run_is_cancelled(first) || (first.kind == CEL_BOOL && first.b == decisive))
		return first;
	second = run_eval(r, e->arg[1]);
	if (run_is_cancelled(second) || (second.kind == CEL_BOOL && second.b == decisive))
		return second;
	if (first.kind == CEL_BOOL && second.kind == CEL_BOOL)
		return cel_bool(!decisive);
	if (first.kind == CEL_ERROR)
		return first;
	return second.kind == CEL_ERROR ? second : run_no_overload(r);
}

static struct cel_value
ternary(struct run *r, const struct cel_expr *e)
{
	struct cel_value c = run_eval(r, e->arg[0]);

	if (c.kind == CEL_ERROR)
		return c;
	return c.kind == CEL_BOOL ? run_eval(r, e->arg[c.b ? 1 : 2]) : run_no_overload(r);
}

/* --- calls ------------------------------------------------------------------------------------ */

static bool
fits(struct cel_value v, const struct cel_type *t)
{
	static const signed char kinds[] = { [CEL_T_NULL] = CEL_NULL,
		[CEL_T_BOOL] = CEL_BOOL,
		[CEL_T_INT] = CEL_INT,
		[CEL_T_UINT] = CEL_UINT,
		[CEL_T_DOUBLE] = CEL_DOUBLE,
		[CEL_T_STRING] = CEL_STRING,
		[CEL_T_BYTES] = CEL_BYTES,
		[CEL_T_TIMESTAMP] = CEL_TIMESTAMP,
		[CEL_T_DURATION] = CEL_DURATION,
		[CEL_T_LIST] = CEL_LIST,
		[CEL_T_MAP] = CEL_MAP,
		[CEL_T_OBJECT] = CEL_OBJECT,
		[CEL_T_TYPE] = CEL_TYPE,
		[CEL_T_OPTIONAL] = CEL_OPTIONAL,
		[CEL_T_OPAQUE] = CEL_OPAQUE };

	if (t->kind == CEL_T_DYN || t->kind == CEL_T_PARAM)
		return true;
	if (t->kind == CEL_T_MAP && v.kind == CEL_OBJECT)
		return true;
	if (t->kind > CEL_T_OPAQUE || (int)v.kind != kinds[t->kind])
		return false;
	return t->kind != CEL_T_OPAQUE || strcmp(v.opaque->type->name, t->name) == 0;
}

static bool
all_fit(const struct cel_overload *o, const struct cel_value *arg, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (!fits(arg[k], o->sig.arg[k]))
			return false;
	return true;
}

/* The overload that the checker found, or the first that the values fit. */
static const struct cel_overload *
dispatch(const struct cel_expr *e, const struct cel_value *arg, size_t n)
{
	if (e->overload && all_fit(e->overload, arg, n))
		return e->overload;
	for (size_t i = 0; i < e->set->n; i++) {
		const struct cel_overload *o = &e->set->overload[i];

		if (o->sig.n == n && o->sig.member == (e->operand != NULL) && all_fit(o, arg, n))
			return o;
	}
	return NULL;
}

static struct cel_value
apply(struct run *r, const struct cel_expr *e, const struct cel_value *arg, size_t n)
{
	const struct cel_overload *o = e->set ? dispatch(e, arg, n) : NULL;
	bool known;
	struct cel_value v;

	if (!o)
		return run_no_overload(r);
	v = o->call(r->a, arg, n);
	known = o->cost && (!o->exact || e->overload == o);
	return run_spent(r, known ? o->cost(arg, n, v) : 1) ? run_cancelled() : v;
}

static struct cel_value
call(struct run *r, const struct cel_expr *e)
{
	size_t n = e->nargs + (e->operand != NULL), at = 0;
	struct cel_value few[4], *arg = n <= COUNT(few) ? few : arena_alloc(r->a, n * sizeof *arg);

	for (size_t i = 0; i < n; i++) {
		const struct cel_expr *one =
		    e->operand ? i ? e->arg[i - 1] : e->operand : e->arg[i];

		arg[at] = run_eval(r, one);
		if (arg[at].kind == CEL_ERROR)
			return arg[at];
		at++;
	}
	return apply(r, e, arg, n);
}

static struct cel_value
not_false(struct run *r, const struct cel_expr *e)
{
	struct cel_value v = run_eval(r, e->arg[0]);

	if (run_is_cancelled(v) || run_spent(r, 1))
		return run_cancelled();
	return cel_bool(v.kind != CEL_BOOL || v.b);
}

/* x.or(y), x.orValue(y): y is looked at only when x holds nothing; the call itself costs nothing.
 */
static struct cel_value
or_else(struct run *r, const struct cel_expr *e)
{
	struct cel_value v;

	if (!e->set)
		return call(r, e);
	v = run_eval(r, e->operand);
	if (v.kind != CEL_OPTIONAL)
		return v;
	if (!v.holding)
		return run_eval(r, e->arg[0]);
	return strcmp(e->name, "or") == 0 ? v : *v.holding;
}

static struct cel_value
index_of(struct run *r, const struct cel_expr *e, bool optional)
{
	struct cel_value of = run_eval(r, e->arg[0]), key;

	if (of.kind == CEL_ERROR)
		return of;
	key = e->arg[1]->node == CEL_N_CONST ? e->arg[1]->value : run_eval(r, e->arg[1]);
	if (key.kind == CEL_ERROR)
		return key;
	if (spent_on_part(r, e->arg[0]))
		return run_cancelled();
	return take(r, of, key, optional);
}

static struct cel_value
operation(struct run *r, const struct cel_expr *e)
{
	switch (e->op) {
	case CEL_OP_AND:
		return logic(r, e, false);
	case CEL_OP_OR:
		return logic(r, e, true);
	case CEL_OP_TERNARY:
		return ternary(r, e);
	case CEL_OP_INDEX:
		return index_of(r, e, false);
	case CEL_OP_INDEX_OPTIONAL:
	case CEL_OP_FIELD_OPTIONAL:
		return index_of(r, e, true);
	case CEL_OP_NOT_FALSE:
		return not_false(r, e);
	case CEL_OP_OR_ELSE:
		return or_else(r, e);
	case CEL_OP_CALL:
		break;
	}
	return call(r, e);
}

/* --- literals ------------------------------------------------------------------------------------
 */

/* The value of an item: 1, 0 when it is an optional that holds nothing, -1 with an error. */
static int
item_value(struct run *r, const struct cel_item *i, struct cel_value *ret)
{
	*ret = run_eval(r, i->value);
	if (ret->kind == CEL_ERROR)
		return -1;
	if (!i->optional)
		return 1;
	if (ret->kind != CEL_OPTIONAL) {
		*ret = cel_error(r->a, "cannot initialize optional entry from non-optional value");
		return -1;
	}
	if (!ret->holding)
		return 0;
	*ret = *ret->holding;
	return 1;
}

static struct cel_value
list(struct run *r, const struct cel_expr *e)
{
	struct cel_value *items = arena_alloc(r->a, (e->nitems + 1) * sizeof *items), v;
	size_t n = 0;

	for (size_t i = 0; i < e->nitems; i++) {
		int there = item_value(r, &e->item[i], &v);

		if (there < 0)
			return v;
		if (there)
			items[n++] = v;
	}
	return run_spent(r, COST_LIST) ? run_cancelled() : cel_list_of(r->a, items, n);
}

static struct cel_value
map(struct run *r, const struct cel_expr *e)
{
	struct cel_entry *entries = arena_alloc(r->a, (e->nitems + 1) * sizeof *entries);
	struct cel_map so_far = { .entry = entries };

	for (size_t i = 0; i < e->nitems; i++) {
		const struct cel_item *it = &e->item[i];
		struct cel_value key = it->key ? run_eval(r, it->key)
					       : cel_text(it->field, strlen(it->field)),
				 v, before;
		int there;

		if (key.kind == CEL_ERROR)
			return key;
		if (key.kind != CEL_STRING && key.kind != CEL_INT && key.kind != CEL_UINT &&
		    key.kind != CEL_BOOL)
			return cel_error(r->a, "unsupported key type");
		if ((there = item_value(r, it, &v)) < 0)
			return v;
		if (cel_map_find(r->a, &so_far, key, &before))
			return cel_error(r->a, "Failed with repeated key");
		if (there)
			entries[so_far.n++] = (struct cel_entry){ key, v };
	}
	if (run_spent(r, e->node == CEL_N_MAP ? COST_MAP : COST_STRUCT))
		return run_cancelled();
	return cel_map_of(r->a, entries, so_far.n);
}

static struct cel_value
structure(struct run *r, const struct cel_expr *e)
{
	struct cel_value v = map(r, e);
	struct cel_map *m;

	if (v.kind != CEL_MAP)
		return v;
	if (e->type->kind == CEL_T_ERROR)
		return cel_error(r->a, "unknown type '%s'", e->name);
	if (e->known)
		return e->known->make(r->a, e->known, v.map);
	m = arena_alloc(r->a, sizeof *m);
	*m = *v.map;
	m->type = e->type;
	return CEL_MAKE(CEL_OBJECT, map, m);
}

/* --- all
 * ---------------------------------------------------------------------------------------------- */

struct cel_value
run_eval(struct run *r, const struct cel_expr *e)
{
	switch (e->node) {
	case CEL_N_CONST:
		return e->value;
	case CEL_N_IDENT:
		return variable(r, e);
	case CEL_N_SELECT:
		return selection(r, e);
	case CEL_N_CALL:
		return operation(r, e);
	case CEL_N_LIST:
		return list(r, e);
	case CEL_N_MAP:
		return map(r, e);
	case CEL_N_STRUCT:
		return structure(r, e);
	case CEL_N_FOLD:
		return run_fold(r, e);
	}
	return run_no_overload(r);
}

struct cel_value
cel_eval(const struct cel_program *p, const struct cel_value *variables, struct arena *a,
    uint64_t limit, uint64_t *cost)
{
	struct cel_value few[8];
	struct run r = { .p = p,
		.variables = variables,
		.a = a,
		.limit = limit,
		.memory = a->total + ((size_t)128 << 20) };
	struct cel_value v;

	r.local = p->locals <= COUNT(few) ? few : arena_alloc(a, p->locals * sizeof *r.local);
	v = run_eval(&r, p->root);
	if (cost)
		*cost = r.cost;
	return v;
}
