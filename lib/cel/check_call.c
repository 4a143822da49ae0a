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

		if (o->sig.member != (e->operand != NULL))
			continue;
		out = unify_instance(&c->types, &o->sig, arg);
		if (o->sig.n != n || !unify_all(&c->types, types, arg, n))
			continue;
		out = unify_substituted(&c->types, out);
		e->overload = found++ ? NULL : o;
		e->candidates |= i < 64 ? UINT64_C(1) << i : 0;
		if (!result)
			result = out;
		else if (!check_is_dyn(result) && !cel_type_same(result, out))
			result = &cel_t_dyn;
	}
	return result;
}

/* The arguments are checked already. */
static const struct cel_type *
call_types(struct checker *c, struct cel_expr *e, const struct cel_type *const *types, size_t n)
{
	const struct cel_type *result = resolve(c, e, types, n);

	if (result)
		return result;
	for (size_t i = 0; i < n; i++) /* one mistake is enough */
		if (unify_resolved(&c->types, types[i])->kind == CEL_T_ERROR)
			return &cel_t_error;
	no_overload(c, e, types, n);
	return &cel_t_error;
}

static const struct cel_type *
call_set(struct checker *c, struct cel_expr *e)
{
	size_t n = e->nargs + (e->operand != NULL);
	const struct cel_type **types = arena_alloc(c->a, (n + 1) * sizeof *types);
	size_t at = 0;

	if (e->operand)
		types[at++] = checked(c, e->operand);
	for (size_t i = 0; i < e->nargs; i++)
		types[at++] = checked(c, e->arg[i]);
	return call_types(c, e, types, n);
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
	if (unify_assignable(&c->types, one, two))
		return unify_general(
		    unify_substituted(&c->types, one), unify_substituted(&c->types, two));
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

/* a[b], a[?b]: of lists, maps and optionals of them; and of objects that have any fields. */
static const struct cel_type *
check_index(struct checker *c, struct cel_expr *e, bool optional)
{
	const struct cel_type *types[2], *of;

	types[0] = checked(c, e->arg[0]);
	types[1] = checked(c, e->arg[1]);
	of = unify_resolved(&c->types, types[0]);
	if (of->kind == CEL_T_OBJECT && of->open)
		return optional ? cel_optional_type(c->a, &cel_t_dyn) : &cel_t_dyn;
	e->set = cel_env_find(c->env, e->name);
	return call_types(c, e, types, 2);
}

static const struct cel_type *
check_optional_select(struct checker *c, struct cel_expr *e)
{
	const struct cel_type *of = checked(c, e->arg[0]), *t;
	struct cel_value name = e->arg[1]->value;

	e->arg[1]->type = &cel_t_string;
	t = check_field(c, e->at, of, arena_text(c->a, name.text.p, name.text.len));
	t = unify_resolved(&c->types, t);
	if (t->kind == CEL_T_ERROR || unify_resolved(&c->types, of)->kind == CEL_T_OPTIONAL)
		return t;
	return cel_optional_type(c->a, t);
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

	if (e->operand)
		return e->nargs == 1 &&
			       (strcmp(e->name, "or") == 0 || strcmp(e->name, "orValue") == 0)
			   ? CEL_OP_OR_ELSE
			   : CEL_OP_CALL;
	if (*e->name != '_' && *e->name != '@')
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
	case CEL_OP_OR_ELSE:
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
