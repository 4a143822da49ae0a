/* The checker: types, overloads, and where each variable is found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/check.h"

const char *
check_shown(struct checker *c, const struct cel_type *t)
{
	autobuf struct buf b = BUF_INIT;

	cel_type_print(unify_substituted(&c->types, t), &b);
	return arena_text(c->a, b.data, b.len);
}

const struct cel_type *
check_fresh(struct checker *c)
{
	return unify_fresh(&c->types);
}

bool
check_is_dyn(const struct cel_type *t)
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

/* What a type's name stands for where types are looked at: list is list(dyn). */
static const struct cel_type *
of_name(const struct cel_type *t)
{
	static const struct cel_type list = { .kind = CEL_T_LIST,
		.name = "list",
		.of = { &cel_t_dyn } },
				     map = { .kind = CEL_T_MAP,
					     .name = "map",
					     .of = { &cel_t_dyn, &cel_t_dyn } };

	switch (t->kind) {
	case CEL_T_LIST:
		return t->of[0] ? t : &list;
	case CEL_T_MAP:
		return t->of[0] ? t : &map;
	case CEL_T_NULL:
		return &cel_t_null;
	case CEL_T_TIMESTAMP:
		return &cel_t_timestamp;
	case CEL_T_DURATION:
		return &cel_t_duration;
	default:
		return t;
	}
}

static bool
find_name(struct checker *c, const char *name, bool global, struct cel_expr *e)
{
	const struct cel_type *t;
	int64_t number;

	if (find_variable(c, name, global, e)) {
		e->resolved = name;
		return true;
	}
	if (cel_well_known_number(name, &number)) {
		*e = (struct cel_expr){ .node = CEL_N_CONST,
			.at = e->at,
			.slot = -1,
			.value = cel_int(number),
			.type = &cel_t_int };
		return true;
	}
	if (!(t = cel_env_type_named(c->env, name, c->a)))
		return false;
	e->type_value = t->kind == CEL_T_WRAPPER ? t->of[0] : t;
	e->type = cel_type_type(c->a, of_name(t));
	return true;
}

/* "a.b.c" when the expression is nothing but names and dots. */
const char *
check_qualified(struct checker *c, const struct cel_expr *e)
{
	const char *first;
	autofree char *whole = NULL;

	if (e->node == CEL_N_IDENT)
		return e->name;
	if (e->node != CEL_N_SELECT || e->test || !(first = check_qualified(c, e->operand)))
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
bool
check_begins_local(struct checker *c, const struct cel_expr *e)
{
	const struct cel_expr *first = leftmost(e);

	if (first->node != CEL_N_IDENT || first->leading_dot)
		return false;
	for (size_t i = 0; i < c->nlocals; i++)
		if (strcmp(c->local[i].name, first->name) == 0)
			return true;
	return false;
}

const struct cel_type *
check_undeclared(struct checker *c, size_t at, const char *name)
{
	cel_issue(c->issues, at, "undeclared reference to '%s' (in container '')", name);
	return &cel_t_error;
}

static const struct cel_type *
check_ident(struct checker *c, struct cel_expr *e)
{
	if (find_name(c, e->name, e->leading_dot, e))
		return e->type;
	return check_undeclared(c, e->at, e->name);
}

/* --- selection ------------------------------------------------------------------------------ */

const struct cel_type *
check_field(struct checker *c, size_t at, const struct cel_type *of, const char *name)
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
		const struct cel_type *t = check_field(c, at, of->of[0], name);

		return t->kind == CEL_T_ERROR ? t : cel_optional_type(c->a, t);
	}
	case CEL_T_PARAM:
		unify_assignable(&c->types, &cel_t_dyn, of);
		return &cel_t_dyn;
	case CEL_T_DYN:
	case CEL_T_ERROR:
		return &cel_t_dyn;
	default:
		cel_issue(c->issues, at, "type '%s' does not support field selection",
		    check_shown(c, of));
		return &cel_t_dyn;
	}
}

static const struct cel_type *
check_select(struct checker *c, struct cel_expr *e)
{
	const char *whole = e->test || check_begins_local(c, e) ? NULL : check_qualified(c, e);
	const struct cel_type *of, *t;

	if (whole && find_name(c, whole, true, e))
		return e->type;
	of = checked(c, e->operand);
	t = check_field(c, e->at, of, e->name);
	if (e->test)
		return t->kind == CEL_T_ERROR && of->kind != CEL_T_ERROR ? t : &cel_t_bool;
	return t;
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
	if (!check_is_dyn(t))
		cel_issue(c->issues, i->value->at, "expected type '%s' but found '%s'",
		    check_shown(c, cel_optional_type(c->a, t)), check_shown(c, t));
	return t;
}

static const struct cel_type *
check_list(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *of = NULL;

	for (size_t i = 0; i < e->nitems; i++) {
		struct cel_item *it = &e->item[i];
		const struct cel_type *t = inside_optional(c, it, checked(c, it->value));

		of = of ? check_join(c, it->value, of, t) : t;
	}
	return cel_list_type(c->a, of ? of : check_fresh(c));
}

static const struct cel_type *
check_map(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *key = NULL, *value = NULL;

	for (size_t i = 0; i < e->nitems; i++) {
		struct cel_item *it = &e->item[i];
		const struct cel_type *k = checked(c, it->key), *v;

		key = key ? check_join(c, it->key, key, k) : k;
		v = inside_optional(c, it, checked(c, it->value));
		value = value ? check_join(c, it->value, value, v) : v;
	}
	return cel_map_type(c->a, key ? key : check_fresh(c), value ? value : check_fresh(c));
}

/* What an object of that name is; NULL: none can be made (told). */
static const struct cel_type *
struct_type(struct checker *c, struct cel_expr *e)
{
	struct cel_expr variable = { .slot = -1 };
	const struct cel_type *t;

	if (find_variable(c, e->name, false, &variable)) {
		cel_issue(c->issues, e->at, "'%s' is not a type", check_shown(c, variable.type));
		return NULL;
	}
	if ((e->known = cel_well_known(e->name)))
		return e->known->type;
	if (!(t = cel_env_type_named(c->env, e->name, c->a))) {
		check_undeclared(c, e->at, e->name);
	} else if (t->kind != CEL_T_OBJECT) {
		cel_issue(c->issues, e->at, "'%s' is not a message type", e->name);
		t = NULL;
	}
	return t;
}

static const struct cel_type *
struct_field(struct checker *c, const struct cel_expr *e, const struct cel_type *t,
    const struct cel_item *it)
{
	if (!e->known)
		return check_field(c, it->at, t, it->field);
	for (size_t i = 0; i < e->known->nfields; i++)
		if (strcmp(e->known->field[i].name, it->field) == 0)
			return e->known->field[i].type;
	cel_issue(c->issues, it->at, "undefined field '%s'", it->field);
	return &cel_t_error;
}

static const struct cel_type *
check_struct(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *t = struct_type(c, e);

	if (!t) { /* one mistake is enough */
		struct cel_issues ignored = { 0 }, *told = c->issues;

		c->issues = &ignored;
		for (size_t i = 0; i < e->nitems; i++)
			checked(c, e->item[i].value);
		c->issues = told;
		cel_issues_release(&ignored);
		return &cel_t_error;
	}
	for (size_t i = 0; i < e->nitems; i++) {
		struct cel_item *it = &e->item[i];
		const struct cel_type *v = inside_optional(c, it, checked(c, it->value));
		const struct cel_type *want = struct_field(c, e, t, it);

		if (!unify_assignable(&c->types, v, want))
			cel_issue(c->issues, it->at,
			    "expected type of field '%s' is '%s' but provided type is '%s'",
			    it->field, check_shown(c, want), check_shown(c, v));
	}
	return t;
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
	} else if (!check_is_dyn(t) && !(t->kind == CEL_T_OBJECT && t->open)) {
		cel_issue(c->issues, range->at,
		    "expression of type '%s' cannot be range of a comprehension (must be list, "
		    "map, or dynamic)",
		    check_shown(c, t));
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

	checked(c, f->range);
	accu = checked(c, f->init);
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
	checked(c, f->condition);
	check_expect(c, f->condition, &cel_t_bool);
	checked(c, f->step);
	check_expect(c, f->step, accu);
	c->nlocals = outside + 1;
	result = checked(c, f->result);
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

const struct cel_type *
checked(struct checker *c, struct cel_expr *e)
{
	if (e->shared && e->type) /* twice at each of many levels would never end */
		return e->type;
	return e->type = type_of(c, e);
}

/* Nothing is unknown any more: what was not found is dyn. */
static void
settle(struct checker *c, struct cel_expr *e)
{
	struct cel_fold *f = e->fold;
	struct cel_expr *parts[] = { e->operand, f ? f->range : NULL, f ? f->init : NULL,
		f ? f->condition : NULL, f ? f->step : NULL, f ? f->result : NULL };

	if (e->settled)
		return;
	e->settled = true;
	if (e->type)
		e->type = unify_final(&c->types, e->type);
	for (size_t i = 0; i < COUNT(parts); i++)
		if (parts[i])
			settle(c, parts[i]);
	for (size_t i = 0; i < e->nargs; i++)
		settle(c, e->arg[i]);
	for (size_t i = 0; i < e->nitems; i++) {
		if (e->item[i].key)
			settle(c, e->item[i].key);
		settle(c, e->item[i].value);
	}
}

void
cel_check(const struct cel_env *env, struct cel_program *p, struct cel_issues *issues)
{
	struct checker c = { .env = env,
		.program = p,
		.a = &p->arena,
		.issues = issues,
		.types = { .a = &p->arena } };

	checked(&c, p->root);
	settle(&c, p->root);
	unify_release(&c.types);
}
