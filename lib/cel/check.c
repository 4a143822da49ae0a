/* The checker: types, overloads, and where each variable is found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/env.h"
#include "cel/unify.h"

enum { MOST_LOCALS = 64 };

struct checker {
	const struct cel_env *env;
	struct cel_program *program;
	struct arena *a;
	struct cel_issues *issues;
	struct cel_variable local[MOST_LOCALS];
	size_t nlocals;
	struct unifier types;
};

static const struct cel_type *check(struct checker *c, struct cel_expr *e);

static const char *
shown(struct checker *c, const struct cel_type *t)
{
	autobuf struct buf b = BUF_INIT;

	cel_type_print(unify_resolved(&c->types, t), &b);
	return arena_text(c->a, b.data, b.len);
}

static const struct cel_type *
fresh(struct checker *c)
{
	return unify_fresh(&c->types);
}

static bool
is_dyn(const struct cel_type *t)
{
	return t->kind == CEL_T_DYN || t->kind == CEL_T_ERROR;
}

/* --- names ------------------------------------------------------------------------------- */

static bool
find_variable(struct checker *c, const char *name, bool global, struct cel_expr *e)
{
	for (size_t i = c->nlocals; !global && i-- > 0;) {
		if (strcmp(c->local[i].name, name) == 0) {
			e->slot = (int)(c->env->nvariables + i);
			e->type = c->local[i].type;
			return true;
		}
	}
	for (size_t i = 0; i < c->env->nvariables; i++) {
		if (strcmp(c->env->variable[i].name, name) == 0) {
			e->slot = (int)i;
			e->type = c->env->variable[i].type;
			c->program->used[i] = true;
			return true;
		}
	}
	return false;
}

static bool
find_name(struct checker *c, const char *name, bool global, struct cel_expr *e)
{
	const struct cel_type *t;

	if (find_variable(c, name, global, e)) {
		e->resolved = name;
		return true;
	}
	if (!(t = cel_env_type_named(c->env, name, c->a)))
		return false;
	e->type_value = t;
	e->type = cel_type_type(c->a, t);
	return true;
}

/* "a.b.c" when the expression is nothing but names and dots. */
static const char *
qualified(struct checker *c, const struct cel_expr *e)
{
	const char *first;
	autofree char *whole = NULL;

	if (e->node == CEL_N_IDENT)
		return e->name;
	if (e->node != CEL_N_SELECT || e->test || !(first = qualified(c, e->operand)))
		return NULL;
	whole = xasprintf("%s.%s", first, e->name);
	return arena_text(c->a, whole, strlen(whole));
}

static const struct cel_expr *
leftmost(const struct cel_expr *e)
{
	while (e->node == CEL_N_SELECT)
		e = e->operand;
	return e;
}

/* Is the first name one of a comprehension's?  Then it is not the beginning of a longer one. */
static bool
begins_local(struct checker *c, const struct cel_expr *e)
{
	const struct cel_expr *first = leftmost(e);

	if (first->node != CEL_N_IDENT || first->leading_dot)
		return false;
	for (size_t i = 0; i < c->nlocals; i++)
		if (strcmp(c->local[i].name, first->name) == 0)
			return true;
	return false;
}

static const struct cel_type *
undeclared(struct checker *c, size_t at, const char *name)
{
	cel_issue(c->issues, at, "undeclared reference to '%s' (in container '')", name);
	return &cel_t_error;
}

static const struct cel_type *
check_ident(struct checker *c, struct cel_expr *e)
{
	if (find_name(c, e->name, e->leading_dot, e))
		return e->type;
	return undeclared(c, e->at, e->name);
}

/* --- selection ------------------------------------------------------------------------------ */

static const struct cel_type *
field_type(struct checker *c, size_t at, const struct cel_type *of, const char *name)
{
	const struct cel_field *f;

	of = unify_resolved(&c->types, of);
	switch (of->kind) {
	case CEL_T_OBJECT:
		if ((f = cel_field_of(of, name)))
			return f->type;
		if (of->open)
			return &cel_t_dyn;
		cel_issue(c->issues, at, "undefined field '%s'", name);
		return &cel_t_error;
	case CEL_T_MAP:
		return of->of[1] ? of->of[1] : &cel_t_dyn;
	case CEL_T_OPTIONAL: {
		const struct cel_type *t = field_type(c, at, of->of[0], name);

		return t->kind == CEL_T_ERROR ? t : cel_optional_type(c->a, t);
	}
	case CEL_T_PARAM:
		unify_assignable(&c->types, &cel_t_dyn, of);
		return &cel_t_dyn;
	case CEL_T_DYN:
	case CEL_T_ERROR:
		return &cel_t_dyn;
	default:
		cel_issue(
		    c->issues, at, "type '%s' does not support field selection", shown(c, of));
		return &cel_t_error;
	}
}

static const struct cel_type *
check_select(struct checker *c, struct cel_expr *e)
{
	const char *whole = e->test || begins_local(c, e) ? NULL : qualified(c, e);
	const struct cel_type *of, *t;

	if (whole && find_name(c, whole, true, e))
		return e->type;
	of = check(c, e->operand);
	t = field_type(c, e->at, of, e->name);
	if (e->test)
		return t->kind == CEL_T_ERROR && of->kind != CEL_T_ERROR ? t : &cel_t_bool;
	return t;
}

/* --- calls --------------------------------------------------------------------------------------
 */

static void
no_overload(
    struct checker *c, const struct cel_expr *e, const struct cel_type *const *types, size_t n)
{
	autobuf struct buf b = BUF_INIT;
	size_t i = 0;

	if (e->operand)
		buf_printf(&b, "%s.", shown(c, types[i++]));
	buf_putc(&b, '(');
	for (size_t first = i; i < n; i++)
		buf_printf(&b, "%s%s", i > first ? ", " : "", shown(c, types[i]));
	buf_putc(&b, ')');
	cel_issue(c->issues, e->at, "found no matching overload for '%s' applied to '%s'", e->name,
	    b.data);
}

/* Which overloads these types fit; the type of the result, or NULL when none does. */
static const struct cel_type *
resolve(struct checker *c, struct cel_expr *e, const struct cel_type *const *types, size_t n)
{
	const struct cel_type *result = NULL;
	size_t found = 0;

	for (size_t i = 0; i < e->set->n; i++) {
		struct cel_overload *o = &e->set->overload[i];
		const struct cel_type *arg[COUNT(o->sig.arg)], *out;

		if (o->sig.n != n || o->sig.member != (e->operand != NULL))
			continue;
		out = unify_instance(&c->types, &o->sig, arg);
		if (!unify_all(&c->types, types, arg, n))
			continue;
		out = unify_resolved(&c->types, out);
		e->overload = found++ ? NULL : o;
		e->candidates |= i < 64 ? UINT64_C(1) << i : 0;
		if (!result)
			result = out;
		else if (!is_dyn(result) && !cel_type_same(result, out))
			result = &cel_t_dyn;
	}
	return result;
}

static const struct cel_type *
call_set(struct checker *c, struct cel_expr *e)
{
	size_t n = e->nargs + (e->operand != NULL);
	const struct cel_type **types = arena_alloc(c->a, (n + 1) * sizeof *types), *result;
	size_t at = 0;

	if (e->operand)
		types[at++] = check(c, e->operand);
	for (size_t i = 0; i < e->nargs; i++)
		types[at++] = check(c, e->arg[i]);
	if ((result = resolve(c, e, types, n)))
		return result;
	for (size_t i = 0; i < n; i++) /* one mistake is enough */
		if (unify_resolved(&c->types, types[i])->kind == CEL_T_ERROR)
			return &cel_t_error;
	no_overload(c, e, types, n);
	return &cel_t_error;
}

static void
expect(struct checker *c, struct cel_expr *e, const struct cel_type *want)
{
	if (!unify_assignable(&c->types, e->type, want))
		cel_issue(c->issues, e->at, "expected type '%s' but found '%s'", shown(c, want),
		    shown(c, e->type));
}

/* The type of two that may stand in one place. */
static const struct cel_type *
join(struct checker *c, const struct cel_expr *e, const struct cel_type *one,
    const struct cel_type *two)
{
	if (unify_assignable(&c->types, two, one))
		return is_dyn(unify_resolved(&c->types, two)) ? &cel_t_dyn : one;
	if (unify_assignable(&c->types, one, two))
		return two;
	if (c->env->bits & CEL_HOMOGENEOUS) {
		cel_issue(c->issues, e->at, "expected type '%s' but found '%s'", shown(c, one),
		    shown(c, two));
		return &cel_t_error;
	}
	return &cel_t_dyn;
}

static const struct cel_type *
check_ternary(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *types[3];
	const struct cel_type *both = fresh(c);

	for (int i = 0; i < 3; i++)
		types[i] = check(c, e->arg[i]);
	if (unify_assignable(&c->types, types[0], &cel_t_bool) &&
	    unify_assignable(&c->types, types[1], both) &&
	    unify_assignable(&c->types, types[2], both))
		return unify_resolved(&c->types, both);
	no_overload(c, e, types, 3);
	return &cel_t_error;
}

static const struct cel_type *
check_logic(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *types[2];
	bool fine = true;

	for (size_t i = 0; i < e->nargs; i++) {
		types[i] = check(c, e->arg[i]);
		fine = unify_assignable(&c->types, types[i], &cel_t_bool) && fine;
	}
	if (!fine)
		no_overload(c, e, types, e->nargs);
	return &cel_t_bool;
}

/* a[b], a[?b]: of lists, maps and optionals of them. */
static const struct cel_type *
index_type(
    struct checker *c, struct cel_expr *e, const struct cel_type *of, const struct cel_type *by)
{
	const struct cel_type *t;

	of = unify_resolved(&c->types, of);
	switch (of->kind) {
	case CEL_T_LIST:
		return unify_assignable(&c->types, by, &cel_t_int) ? of->of[0] : NULL;
	case CEL_T_MAP:
		return unify_assignable(&c->types, by, of->of[0]) ? of->of[1] : NULL;
	case CEL_T_OPTIONAL:
		t = index_type(c, e, of->of[0], by);
		return t ? cel_optional_type(c->a, t) : NULL;
	case CEL_T_OBJECT:
		return of->open ? &cel_t_dyn : NULL;
	case CEL_T_PARAM:
	case CEL_T_DYN:
	case CEL_T_ERROR:
		return &cel_t_dyn;
	default:
		return NULL;
	}
}

static const struct cel_type *
check_index(struct checker *c, struct cel_expr *e, bool optional)
{
	const struct cel_type *types[2], *t;

	types[0] = check(c, e->arg[0]);
	types[1] = check(c, e->arg[1]);
	if (!(t = index_type(c, e, types[0], types[1]))) {
		no_overload(c, e, types, 2);
		return &cel_t_error;
	}
	t = unify_resolved(&c->types, t);
	return optional && t->kind != CEL_T_OPTIONAL ? cel_optional_type(c->a, t) : t;
}

static const struct cel_type *
check_optional_select(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *of = check(c, e->arg[0]), *t;
	struct cel_value name = e->arg[1]->value;

	e->arg[1]->type = &cel_t_string;
	t = field_type(c, e->at, of, arena_text(c->a, name.text.p, name.text.len));
	t = unify_resolved(&c->types, t);
	return t->kind == CEL_T_OPTIONAL || t->kind == CEL_T_ERROR ? t : cel_optional_type(c->a, t);
}

/* space.function(x) is a call of a function of that whole name, when there is one. */
static void
take_space(struct checker *c, struct cel_expr *e)
{
	const char *space =
	    e->operand && !begins_local(c, e->operand) ? qualified(c, e->operand) : NULL;
	autofree char *whole = space ? xasprintf("%s.%s", space, e->name) : NULL;
	const struct cel_function_set *set = whole ? cel_env_find(c->env, whole) : NULL;

	if (!set)
		return;
	e->operand = NULL;
	e->set = set;
	e->name = set->name;
}

static enum cel_op
operation(const struct cel_expr *e)
{
	static const struct {
		const char *name;
		enum cel_op op;
	} known[] = { { "_&&_", CEL_OP_AND }, { "_||_", CEL_OP_OR }, { "_?_:_", CEL_OP_TERNARY },
		{ "_[_]", CEL_OP_INDEX }, { "_[?_]", CEL_OP_INDEX_OPTIONAL },
		{ "_?._", CEL_OP_FIELD_OPTIONAL }, { "@not_strictly_false", CEL_OP_NOT_FALSE } };

	if (e->operand || (*e->name != '_' && *e->name != '@'))
		return CEL_OP_CALL;
	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(known[i].name, e->name) == 0)
			return known[i].op;
	return CEL_OP_CALL;
}

static const struct cel_type *
check_call(struct checker *c, struct cel_expr *e)
{
	e->op = operation(e);
	e->attribute = e->op == CEL_OP_INDEX || e->op == CEL_OP_INDEX_OPTIONAL ||
		       e->op == CEL_OP_FIELD_OPTIONAL;
	switch (e->op) {
	case CEL_OP_TERNARY:
		return check_ternary(c, e);
	case CEL_OP_AND:
	case CEL_OP_OR:
	case CEL_OP_NOT_FALSE:
		return check_logic(c, e);
	case CEL_OP_INDEX:
	case CEL_OP_INDEX_OPTIONAL:
		return check_index(c, e, e->op == CEL_OP_INDEX_OPTIONAL);
	case CEL_OP_FIELD_OPTIONAL:
		return check_optional_select(c, e);
	case CEL_OP_CALL:
		break;
	}
	take_space(c, e);
	if (!e->set)
		e->set = cel_env_find(c->env, e->name);
	if (e->set)
		return call_set(c, e);
	if (e->operand)
		check(c, e->operand);
	for (size_t i = 0; i < e->nargs; i++)
		check(c, e->arg[i]);
	return undeclared(c, e->at, e->name);
}

/* --- literals
 * -------------------------------------------------------------------------------------- */

/* ?x in a literal: an optional, of which the value counts. */
static const struct cel_type *
inside_optional(struct checker *c, const struct cel_item *i, const struct cel_type *t)
{
	if (!i->optional)
		return t;
	t = unify_resolved(&c->types, t);
	if (t->kind == CEL_T_OPTIONAL)
		return t->of[0];
	if (!is_dyn(t))
		cel_issue(c->issues, i->value->at, "expected type '%s' but found '%s'",
		    "optional_type(dyn)", shown(c, t));
	return &cel_t_dyn;
}

static const struct cel_type *
check_list(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *of = NULL;

	for (size_t i = 0; i < e->nitems; i++) {
		struct cel_item *it = &e->item[i];
		const struct cel_type *t = inside_optional(c, it, check(c, it->value));

		of = of ? join(c, it->value, of, t) : t;
	}
	return cel_list_type(c->a, of ? of : fresh(c));
}

static const struct cel_type *
check_map(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *key = NULL, *value = NULL;

	for (size_t i = 0; i < e->nitems; i++) {
		struct cel_item *it = &e->item[i];
		const struct cel_type *k = check(c, it->key), *v;

		key = key ? join(c, it->key, key, k) : k;
		v = inside_optional(c, it, check(c, it->value));
		value = value ? join(c, it->value, value, v) : v;
	}
	return cel_map_type(c->a, key ? key : fresh(c), value ? value : fresh(c));
}

static const struct cel_type *
check_struct(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *t = cel_env_type_named(c->env, e->name, c->a);

	if (!t)
		undeclared(c, e->at, e->name);
	else if (t->kind != CEL_T_OBJECT) {
		cel_issue(c->issues, e->at, "'%s' is not a message type", e->name);
		t = NULL;
	}
	for (size_t i = 0; i < e->nitems; i++) {
		struct cel_item *it = &e->item[i];
		const struct cel_type *v = inside_optional(c, it, check(c, it->value));
		const struct cel_type *want = t ? field_type(c, it->value->at, t, it->field) : NULL;

		if (want && !unify_assignable(&c->types, v, want))
			cel_issue(c->issues, it->value->at,
			    "expected type of field '%s' is '%s' but provided type is '%s'",
			    it->field, shown(c, want), shown(c, v));
	}
	return t ? t : &cel_t_error;
}

/* --- comprehensions
 * ---------------------------------------------------------------------------------- */

static void
declare(struct checker *c, const char *name, const struct cel_type *type)
{
	c->local[c->nlocals++] = (struct cel_variable){ name, type };
	if (c->nlocals > c->program->locals)
		c->program->locals = c->nlocals;
}

/* What the variables of a comprehension over this type are. */
static void
variable_types(struct checker *c, const struct cel_expr *range, bool two,
    const struct cel_type **first, const struct cel_type **second)
{
	const struct cel_type *t = unify_resolved(&c->types, range->type);

	*first = *second = &cel_t_dyn;
	if (t->kind == CEL_T_LIST) {
		*first = two ? &cel_t_int : t->of[0];
		*second = t->of[0];
	} else if (t->kind == CEL_T_MAP) {
		*first = t->of[0];
		*second = t->of[1];
	} else if (t->kind == CEL_T_PARAM) {
		unify_assignable(&c->types, &cel_t_dyn, t);
	} else if (!is_dyn(t) && !(t->kind == CEL_T_OBJECT && t->open)) {
		cel_issue(c->issues, range->at,
		    "expression of type '%s' cannot be range of a comprehension (must be list, "
		    "map, or dynamic)",
		    shown(c, t));
		*first = *second = &cel_t_error;
	}
}

static bool
is_accu(const struct cel_expr *e, const struct cel_fold *f)
{
	return e->node == CEL_N_IDENT && strcmp(e->name, f->accu) == 0;
}

/* accu + [x]: x; else NULL. */
static const struct cel_expr *
added(const struct cel_expr *e, const struct cel_fold *f)
{
	if (e->node != CEL_N_CALL || e->operand || strcmp(e->name, "_+_") != 0 ||
	    !is_accu(e->arg[0], f) || e->arg[1]->node != CEL_N_LIST || e->arg[1]->nitems != 1 ||
	    e->arg[1]->item[0].optional)
		return NULL;
	return e->arg[1]->item[0].value;
}

/* map() and filter() add one item after another to a list: what, and when, if not always. */
static const struct cel_expr *
collects(const struct cel_fold *f, const struct cel_expr **filter)
{
	const struct cel_expr *s = f->step;

	*filter = NULL;
	if (f->init->node != CEL_N_LIST || f->init->nitems > 0)
		return NULL;
	if (s->node == CEL_N_CALL && !s->operand && strcmp(s->name, "_?_:_") == 0 &&
	    is_accu(s->arg[2], f)) {
		*filter = s->arg[0];
		s = s->arg[1];
	}
	return added(s, f);
}

static const struct cel_type *
check_fold(struct checker *c, struct cel_expr *e)
{
	struct cel_fold *f = e->fold;
	const struct cel_type *first, *second, *accu, *result;
	size_t outside = c->nlocals;

	check(c, f->range);
	accu = check(c, f->init);
	variable_types(c, f->range, f->var2 != NULL, &first, &second);
	if (c->nlocals + 3 > MOST_LOCALS) {
		cel_issue(c->issues, e->at, "comprehensions are nested too deeply");
		return &cel_t_error;
	}
	f->slot = c->nlocals;
	f->item = collects(f, &f->filter);
	declare(c, f->accu, accu);
	declare(c, f->var, first);
	if (f->var2)
		declare(c, f->var2, second);
	check(c, f->condition);
	expect(c, f->condition, &cel_t_bool);
	check(c, f->step);
	expect(c, f->step, accu);
	c->nlocals = outside + 1;
	result = check(c, f->result);
	c->nlocals = outside;
	return unify_resolved(&c->types, result);
}

/* --- all
 * -------------------------------------------------------------------------------------------------
 */

static const struct cel_type *
type_of(struct checker *c, struct cel_expr *e)
{
	switch (e->node) {
	case CEL_N_CONST:
		return e->value.kind == CEL_NULL ? &cel_t_null : cel_type_of(e->value);
	case CEL_N_IDENT:
		e->attribute = true;
		return check_ident(c, e);
	case CEL_N_SELECT:
		e->attribute = true;
		return check_select(c, e);
	case CEL_N_CALL:
		return check_call(c, e);
	case CEL_N_LIST:
		return check_list(c, e);
	case CEL_N_MAP:
		return check_map(c, e);
	case CEL_N_STRUCT:
		return check_struct(c, e);
	case CEL_N_FOLD:
		return check_fold(c, e);
	}
	return &cel_t_error;
}

static const struct cel_type *
check(struct checker *c, struct cel_expr *e)
{
	return e->type = type_of(c, e);
}

void
cel_check(const struct cel_env *env, struct cel_program *p, struct cel_issues *issues)
{
	struct checker c = { .env = env,
		.program = p,
		.a = &p->arena,
		.issues = issues,
		.types = { .a = &p->arena } };

	check(&c, p->root);
	p->root->type = unify_final(&c.types, p->root->type);
	unify_release(&c.types);
}
