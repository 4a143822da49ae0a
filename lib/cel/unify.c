/* Assignability with unknowns (cel-spec, langdef.md, Gradual Type Checking). */
#include "cel/unify.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
unify_release(struct unifier *u)
{
	free(u->bound);
	*u = (struct unifier){ 0 };
}

/* An unknown's number is kept where its field table would be. */
const struct cel_type *
unify_fresh(struct unifier *u)
{
	struct cel_type *t = arena_alloc(u->a, sizeof *t);

	GROW(u->bound, u->n, u->cap);
	u->bound[u->n] = NULL;
	*t = (struct cel_type){ .kind = CEL_T_PARAM, .name = "dyn", .nfields = u->n++ };
	return t;
}

/* The unknowns of one signature, by the letters that stand for them. */
static const struct cel_type *
instance(struct unifier *u, const struct cel_type *t, const struct cel_type *letters[26])
{
	struct cel_type *copy;

	if (t->kind == CEL_T_PARAM) {
		const struct cel_type **l = &letters[t->name[0] - 'A'];

		return *l ? *l : (*l = unify_fresh(u));
	}
	if (!t->of[0] || t->kind == CEL_T_OBJECT)
		return t;
	copy = arena_alloc(u->a, sizeof *copy);
	*copy = *t;
	for (int i = 0; i < 2 && t->of[i]; i++)
		copy->of[i] = instance(u, t->of[i], letters);
	return copy;
}

const struct cel_type *
unify_instance(struct unifier *u, const struct cel_signature *s, const struct cel_type **arg)
{
	const struct cel_type *letters[26] = { 0 };

	for (size_t i = 0; i < s->n; i++)
		arg[i] = instance(u, s->arg[i], letters);
	return instance(u, s->result, letters);
}

const struct cel_type *
unify_resolved(struct unifier *u, const struct cel_type *t)
{
	while (t->kind == CEL_T_PARAM && t->nfields < u->n && u->bound[t->nfields])
		t = u->bound[t->nfields];
	return t;
}

static bool
has_unknown(const struct cel_type *t)
{
	if (t->kind == CEL_T_PARAM)
		return true;
	return t->kind != CEL_T_OBJECT &&
	       ((t->of[0] && has_unknown(t->of[0])) || (t->of[1] && has_unknown(t->of[1])));
}

/* With what is known of the unknowns inside of it; what is not known stays, or is dyn. */
static const struct cel_type *
substituted(struct unifier *u, const struct cel_type *t, bool final)
{
	struct cel_type *copy;

	t = unify_resolved(u, t);
	if (t->kind == CEL_T_PARAM)
		return final ? &cel_t_dyn : t;
	if (!has_unknown(t))
		return t;
	copy = arena_alloc(u->a, sizeof *copy);
	*copy = *t;
	for (int i = 0; i < 2 && t->of[i]; i++)
		copy->of[i] = substituted(u, t->of[i], final);
	return copy;
}

const struct cel_type *
unify_substituted(struct unifier *u, const struct cel_type *t)
{
	return substituted(u, t, false);
}

const struct cel_type *
unify_final(struct unifier *u, const struct cel_type *t)
{
	return substituted(u, t, true);
}

/* Does the unknown stand inside the type?  It cannot be bound to that. */
static bool
occurs(struct unifier *u, const struct cel_type *unknown, const struct cel_type *t)
{
	/* step by step: the unknown may stand for something already */
	for (; t && t->kind == CEL_T_PARAM; t = u->bound[t->nfields])
		if (t->nfields == unknown->nfields)
			return true;
	if (!t || t->kind == CEL_T_OBJECT)
		return false;
	for (int i = 0; i < 2; i++)
		if (t->of[i] && occurs(u, unknown, t->of[i]))
			return true;
	return false;
}

static bool
takes_null(const struct cel_type *t)
{
	return t->kind == CEL_T_OBJECT || t->kind == CEL_T_OPAQUE || t->kind == CEL_T_OPTIONAL ||
	       t->kind == CEL_T_TIMESTAMP || t->kind == CEL_T_DURATION || t->kind == CEL_T_NULL ||
	       t->kind == CEL_T_WRAPPER;
}

/* Is the first one equal to the second, or does it say less? */
static bool
less_specific(const struct cel_type *one, const struct cel_type *two)
{
	if (one->kind == CEL_T_DYN || one->kind == CEL_T_PARAM)
		return true;
	if (two->kind == CEL_T_DYN || two->kind == CEL_T_PARAM)
		return false;
	if (one->kind == CEL_T_WRAPPER && two->kind != CEL_T_WRAPPER)
		return cel_type_same(one->of[0], two);
	if (one->kind != two->kind)
		return false;
	if (one->kind == CEL_T_TYPE)
		return true;
	if (one->kind == CEL_T_OBJECT || one->kind == CEL_T_OPAQUE)
		return strcmp(one->name, two->name) == 0;
	for (int i = 0; i < 2; i++)
		if (one->of[i] && two->of[i] && !less_specific(one->of[i], two->of[i]))
			return false;
	return true;
}

const struct cel_type *
unify_general(const struct cel_type *one, const struct cel_type *two)
{
	return less_specific(one, two) ? one : two;
}

static bool assign(struct unifier *u, const struct cel_type *from, const struct cel_type *to);

/* May the unknown stand for that type?  *bound: it stands for something already. */
static bool
stands_for(struct unifier *u, const struct cel_type *unknown, const struct cel_type *t, bool *bound)
{
	const struct cel_type **place = &u->bound[unknown->nfields];

	*bound = *place != NULL;
	if (*bound) {
		const struct cel_type *more;

		if (!assign(u, t, *place))
			return false;
		place = &u->bound[unknown->nfields];
		more = unify_general(t, *place);
		if (!occurs(u, unknown, more))
			*place = more;
		return true;
	}
	if (occurs(u, unknown, t))
		return false;
	*place = t;
	return true;
}

/* What is wanted is known: the kinds must agree. */
static bool
assign_known(struct unifier *u, const struct cel_type *from, const struct cel_type *to)
{
	if (from->kind == CEL_T_WRAPPER && to->kind != CEL_T_WRAPPER)
		from = from->of[0];
	if (to->kind == CEL_T_WRAPPER && from->kind != CEL_T_WRAPPER)
		to = to->of[0];
	if (from->kind != to->kind)
		return false;
	if (from->kind == CEL_T_OBJECT || from->kind == CEL_T_OPAQUE)
		return strcmp(from->name, to->name) == 0;
	if (from->kind == CEL_T_TYPE)
		return true;
	for (int i = 0; i < 2; i++)
		if (from->of[i] && to->of[i] && !assign(u, from->of[i], to->of[i]))
			return false;
	return true;
}

static bool
assign(struct unifier *u, const struct cel_type *from, const struct cel_type *to)
{
	bool bound;

	if (from == to)
		return true;
	if (to->kind == CEL_T_PARAM) {
		if (from->kind == CEL_T_PARAM && from->nfields == to->nfields)
			return true;
		if (stands_for(u, to, from, &bound))
			return true;
		if (bound)
			return false;
	}
	if (from->kind == CEL_T_PARAM)
		return stands_for(u, from, to, &bound);
	if (to->kind == CEL_T_PARAM)
		return false;
	if (from->kind == CEL_T_DYN || from->kind == CEL_T_ERROR || to->kind == CEL_T_DYN ||
	    to->kind == CEL_T_ERROR)
		return true;
	if (from->kind == CEL_T_NULL)
		return takes_null(to);
	if (to->kind == CEL_T_NULL)
		return takes_null(from);
	return assign_known(u, from, to);
}

bool
unify_all(struct unifier *u, const struct cel_type *const *from, const struct cel_type *const *to,
    size_t n)
{
	size_t all = u->n;
	autofree const struct cel_type **before = xmalloc((all + 1) * sizeof *before);

	if (all)
		memcpy(before, u->bound, all * sizeof *before);
	for (size_t i = 0; i < n; i++) {
		if (assign(u, from[i], to[i]))
			continue;
		if (all)
			memcpy(u->bound, before, all * sizeof *before);
		return false;
	}
	return true;
}

bool
unify_assignable(struct unifier *u, const struct cel_type *from, const struct cel_type *to)
{
	return unify_all(u, &from, &to, 1);
}
