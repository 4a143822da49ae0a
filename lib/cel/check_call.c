/* The checker: calls, operators, and which overloads they may mean. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/check.h"

static void
no_overload(
    struct checker *c, const struct cel_expr *e, const struct cel_type *const *types, size_t n)
{
	autobuf struct buf b = BUF_INIT;
	size_t i = 0;

	if (e->operand)
		buf_printf(&b, "%s.", check_shown(c, types[i++]));
	buf_putc(&b, '(');
	for (size_t first = i; i < n; i++)
		buf_printf(&b, "%s%s", i > first ? ", " : "", check_shown(c, types[i]));
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
		else if (!check_is_dyn(result) && !cel_type_same(result, out))
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
		types[at++] = checked(c, e->operand);
	for (size_t i = 0; i < e->nargs; i++)
		types[at++] = checked(c, e->arg[i]);
	if ((result = resolve(c, e, types, n)))
		return result;
	for (size_t i = 0; i < n; i++) /* one mistake is enough */
		if (unify_resolved(&c->types, types[i])->kind == CEL_T_ERROR)
			return &cel_t_error;
	no_overload(c, e, types, n);
	return &cel_t_error;
}

void
check_expect(struct checker *c, struct cel_expr *e, const struct cel_type *want)
{
	if (!unify_assignable(&c->types, e->type, want))
		cel_issue(c->issues, e->at, "expected type '%s' but found '%s'",
		    check_shown(c, want), check_shown(c, e->type));
}

/* The type of two that may stand in one place. */
const struct cel_type *
check_join(struct checker *c, const struct cel_expr *e, const struct cel_type *one,
    const struct cel_type *two)
{
	if (unify_assignable(&c->types, two, one))
		return check_is_dyn(unify_resolved(&c->types, two)) ? &cel_t_dyn : one;
	if (unify_assignable(&c->types, one, two))
		return two;
	if (c->env->bits & CEL_HOMOGENEOUS) {
		cel_issue(c->issues, e->at, "expected type '%s' but found '%s'",
		    check_shown(c, one), check_shown(c, two));
		return &cel_t_error;
	}
	return &cel_t_dyn;
}

static const struct cel_type *
check_ternary(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *types[3];
	const struct cel_type *both = check_fresh(c);

	for (int i = 0; i < 3; i++)
		types[i] = checked(c, e->arg[i]);
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
		types[i] = checked(c, e->arg[i]);
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

	types[0] = checked(c, e->arg[0]);
	types[1] = checked(c, e->arg[1]);
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
	const struct cel_type *of = checked(c, e->arg[0]), *t;
	struct cel_value name = e->arg[1]->value;

	e->arg[1]->type = &cel_t_string;
	t = check_field(c, e->at, of, arena_text(c->a, name.text.p, name.text.len));
	t = unify_resolved(&c->types, t);
	return t->kind == CEL_T_OPTIONAL || t->kind == CEL_T_ERROR ? t : cel_optional_type(c->a, t);
}

/* space.function(x) is a call of a function of that whole name, when there is one. */
static void
take_space(struct checker *c, struct cel_expr *e)
{
	const char *space = e->operand && !check_begins_local(c, e->operand)
				? check_qualified(c, e->operand)
				: NULL;
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

const struct cel_type *
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
		checked(c, e->operand);
	for (size_t i = 0; i < e->nargs; i++)
		checked(c, e->arg[i]);
	return check_undeclared(c, e->at, e->name);
}
