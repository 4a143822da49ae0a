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

const struct cel_type *
unify_final(struct unifier *u, const struct cel_type *t)
{
	struct cel_type *copy;

	t = unify_resolved(u, t);
	if (t->kind == CEL_T_PARAM)
		return &cel_t_dyn;
	if (!t->of[0] || t->kind == CEL_T_OBJECT)
		return t;
	copy = arena_alloc(u->a, sizeof *copy);
	*copy = *t;
	for (int i = 0; i < 2 && t->of[i]; i++)
		copy->of[i] = unify_final(u, t->of[i]);
	return copy;
}

/* Does the unknown stand inside the type?  It cannot be bound to that. */
static bool
occurs(struct unifier *u, const struct cel_type *unknown, const struct cel_type *t)
{
	t = unify_resolved(u, t);
	if (t == unknown)
		return true;
	if (t->kind == CEL_T_OBJECT)
		return false;
	for (int i = 0; i < 2; i++)
		if (t->of[i] && occurs(u, unknown, t->of[i]))
			return true;
	return false;
}

static bool
takes_null(const struct cel_type *t)
{
	return t->kind == CEL_T_OBJECT || t->kind == CEL_T_OPAQUE || t->kind == CEL_T_TIMESTAMP ||
	       t->kind == CEL_T_DURATION || t->kind == CEL_T_NULL;
}

static bool
assign(struct unifier *u, const struct cel_type *from, const struct cel_type *to)
{
	from = unify_resolved(u, from);
	to = unify_resolved(u, to);
	if (from == to)
		return true;
	if (to->kind == CEL_T_PARAM || from->kind == CEL_T_PARAM) {
		const struct cel_type *unknown = to->kind == CEL_T_PARAM ? to : from;
		const struct cel_type *other = unknown == to ? from : to;

		if (occurs(u, unknown, other))
			return false;
		u->bound[unknown->nfields] = other;
		return true;
	}
	if (from->kind == CEL_T_DYN || from->kind == CEL_T_ERROR || to->kind == CEL_T_DYN ||
	    to->kind == CEL_T_ERROR)
		return true;
	if (from->kind == CEL_T_NULL)
		return takes_null(to);
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
