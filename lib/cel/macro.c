/* What macros stand for: comprehensions, as cel-go expands them (its cost is counted by these). */
#include <string.h>

#include "base/mem.h"
#include "cel/ast.h"
#include "cel/cel.h"

struct making {
	struct arena *a;
	struct cel_issues *issues;
	struct cel_expr *target, **arg;
	size_t n, at;
	const char *unnamed; /* what is said of an argument that is no name */
};

#define ACCU "@result"

static struct cel_expr *
yes(const struct making *m, bool v)
{
	return cel_constant(m->a, m->at, cel_bool(v));
}

static struct cel_expr *
number(const struct making *m, int64_t v)
{
	return cel_constant(m->a, m->at, cel_int(v));
}

static struct cel_expr *
accu(const struct making *m)
{
	return cel_ident(m->a, m->at, ACCU);
}

static struct cel_expr *
list_of(const struct making *m, struct cel_expr *one)
{
	struct cel_expr *e = cel_node_new(m->a, CEL_N_LIST, m->at);

	e->nitems = one != NULL;
	e->item = arena_alloc(m->a, sizeof *e->item);
	e->item[0] = (struct cel_item){ .value = one };
	return e;
}

/* The i-th argument as the name of a variable; NULL when it is none (told). */
static const char *
variable(const struct making *m, size_t i)
{
	const struct cel_expr *e = m->arg[i];

	if (e->node == CEL_N_IDENT && !e->leading_dot) {
		if (strcmp(e->name, "__result__") != 0 && strcmp(e->name, ACCU) != 0)
			return e->name;
		cel_issue(m->issues, e->at, "iteration variable overwrites accumulator variable");
		return NULL;
	}
	cel_issue(m->issues, e->at, "%s", m->unnamed);
	return NULL;
}

static struct cel_expr *
fold(const struct making *m, const char *var, const char *var2, struct cel_expr *init,
    struct cel_expr *condition, struct cel_expr *step, struct cel_expr *result)
{
	struct cel_expr *e = cel_node_new(m->a, CEL_N_FOLD, m->at);

	e->fold = arena_alloc(m->a, sizeof *e->fold);
	*e->fold = (struct cel_fold){ .var = var,
		.var2 = var2,
		.accu = ACCU,
		.range = m->target,
		.init = init,
		.condition = condition,
		.step = step,
		.result = result };
	return e;
}

/* Both variables of a two-variable form; false when they are none (told). */
static bool
variables(const struct making *m, const char **one, const char **two)
{
	*two = NULL;
	if (!(*one = variable(m, 0)))
		return false;
	if (m->n < 3)
		return true;
	if (!(*two = variable(m, 1)))
		return false;
	if (strcmp(*one, *two) != 0)
		return true;
	cel_issue(m->issues, m->arg[1]->at, "duplicate variable name: %s", *one);
	return false;
}

/* --- has, all, exists, exists_one, map, filter ------------------------------------------ */

static struct cel_expr *
has(const struct making *m)
{
	struct cel_expr *e = m->arg[0];

	if (e->node != CEL_N_SELECT || e->test) {
		cel_issue(m->issues, e->at, "invalid argument to has() macro");
		return e;
	}
	e->test = true;
	e->at = m->at;
	return e;
}

static struct cel_expr *
quantifier(const struct making *m, bool all)
{
	struct cel_expr *going = all ? accu(m) : cel_call(m->a, m->at, "!_", 1, accu(m));
	const char *var, *var2;

	if (!variables(m, &var, &var2))
		return m->arg[0];
	return fold(m, var, var2, yes(m, all),
	    cel_call(m->a, m->at, "@not_strictly_false", 1, going),
	    cel_call(m->a, m->at, all ? "_&&_" : "_||_", 2, accu(m), m->arg[m->n - 1]), accu(m));
}

static struct cel_expr *
expand_all(const struct making *m)
{
	return quantifier(m, true);
}

static struct cel_expr *
expand_exists(const struct making *m)
{
	return quantifier(m, false);
}

static struct cel_expr *
expand_exists_one(const struct making *m)
{
	struct cel_expr *more;
	const char *var, *var2;

	if (!variables(m, &var, &var2))
		return m->arg[0];
	more = cel_call(m->a, m->at, "_+_", 2, accu(m), number(m, 1));
	return fold(m, var, var2, number(m, 0), yes(m, true),
	    cel_call(m->a, m->at, "_?_:_", 3, m->arg[m->n - 1], more, accu(m)),
	    cel_call(m->a, m->at, "_==_", 2, accu(m), number(m, 1)));
}

/* list.map(x, f), list.map(x, p, f), list.transformList(i, x, f) and with p. */
static struct cel_expr *
collect(const struct making *m, const char *var, const char *var2, struct cel_expr *filter,
    struct cel_expr *item)
{
	struct cel_expr *step = cel_call(m->a, m->at, "_+_", 2, accu(m), list_of(m, item));

	if (filter)
		step = cel_call(m->a, m->at, "_?_:_", 3, filter, step, accu(m));
	return fold(m, var, var2, list_of(m, NULL), yes(m, true), step, accu(m));
}

static struct cel_expr *
expand_map(const struct making *m)
{
	const char *var = variable(m, 0);

	return var ? collect(m, var, NULL, m->n == 3 ? m->arg[1] : NULL, m->arg[m->n - 1])
		   : m->arg[0];
}

static struct cel_expr *
expand_filter(const struct making *m)
{
	const char *var = variable(m, 0);

	return var ? collect(m, var, NULL, m->arg[1], cel_ident(m->a, m->arg[0]->at, var))
		   : m->arg[0];
}

/* --- the two-variable forms ----------------------------------------------------------------- */

static struct cel_expr *
expand_transform_list(const struct making *m)
{
	const char *var, *var2;

	if (!variables(m, &var, &var2))
		return m->arg[0];
	return collect(m, var, var2, m->n == 4 ? m->arg[2] : NULL, m->arg[m->n - 1]);
}

static struct cel_expr *
transform_map(const struct making *m, bool entry)
{
	struct cel_expr *step, *empty = cel_node_new(m->a, CEL_N_MAP, m->at);
	const char *var, *var2;

	if (!variables(m, &var, &var2))
		return m->arg[0];
	step = entry ? cel_call(m->a, m->at, "cel.@mapInsert", 2, accu(m), m->arg[m->n - 1])
		     : cel_call(m->a, m->at, "cel.@mapInsert", 3, accu(m),
			   cel_ident(m->a, m->at, var), m->arg[m->n - 1]);
	if (m->n == 4)
		step = cel_call(m->a, m->at, "_?_:_", 3, m->arg[2], step, accu(m));
	return fold(m, var, var2, empty, yes(m, true), step, accu(m));
}

static struct cel_expr *
expand_transform_map(const struct making *m)
{
	return transform_map(m, false);
}

static struct cel_expr *
expand_transform_entry(const struct making *m)
{
	return transform_map(m, true);
}

/* --- cel.bind, optional.optMap --------------------------------------------------------------- */

/* cel.bind(x, init, body): a fold over nothing whose result is the body. */
static struct cel_expr *
bind(const struct making *m, const char *var, struct cel_expr *init, struct cel_expr *body)
{
	struct making empty = *m;
	struct cel_expr *e;

	empty.target = list_of(m, NULL);
	e = fold(&empty, "#unused", NULL, init, yes(m, false), cel_ident(m->a, m->at, var), body);
	e->fold->accu = var;
	return e;
}

static struct cel_expr *
expand_bind(const struct making *m)
{
	const char *var = variable(m, 0);

	return var ? bind(m, var, m->arg[1], m->arg[2]) : m->arg[0];
}

static struct cel_expr *
member(const struct making *m, struct cel_expr *target, const char *name)
{
	struct cel_expr *e = cel_call(m->a, m->at, name, 0);

	e->operand = target;
	return e;
}

/*
 * list.sortBy(x, key): the list by the order of its items' keys (cel-go's ext/lists.go).  What it
 * is bound to is looked at twice.
 */
static struct cel_expr *
expand_sort_by(const struct making *m)
{
	static const char input[] = "@__sortBy_input__";
	struct making keys = *m;
	struct cel_expr *sorted;

	switch (m->target->node) {
	case CEL_N_CONST:
	case CEL_N_MAP:
	case CEL_N_STRUCT:
		cel_issue(m->issues, m->target->at,
		    "sortBy can only be applied to a list, identifier, comprehension, call or "
		    "select expression");
		return m->target;
	default:
		break;
	}
	keys.target = cel_ident(m->a, m->at, input);
	sorted = cel_call(m->a, m->at, "@sortByAssociatedKeys", 1, expand_map(&keys));
	sorted->operand = cel_ident(m->a, m->at, input);
	return bind(m, input, m->target, sorted);
}

static struct cel_expr *
opt_map(const struct making *m, bool flat)
{
	const char *var = variable(m, 0);
	struct cel_expr *body, *value;

	if (!var)
		return m->arg[0];
	m->target->shared = true;
	value = member(m, m->target, "value");
	body = bind(m, var, value, m->arg[1]);
	if (!flat)
		body = cel_call(m->a, m->at, "optional.of", 1, body);
	return cel_call(m->a, m->at, "_?_:_", 3, member(m, m->target, "hasValue"), body,
	    cel_call(m->a, m->at, "optional.none", 0));
}

static struct cel_expr *
expand_opt_map(const struct making *m)
{
	return opt_map(m, false);
}

static struct cel_expr *
expand_opt_flat_map(const struct making *m)
{
	return opt_map(m, true);
}

/* --- which -------------------------------------------------------------------------------------
 */

#define SIMPLE "argument must be a simple name"
#define IDENT "argument is not an identifier"

static const struct {
	const char *name;
	bool member;
	size_t n;
	const char *space; /* it must stand behind this name: cel.bind */
	struct cel_expr *(*expand)(const struct making *m);
	unsigned bits; /* what turns it on; 0: it is there always */
	const char *unnamed;
} macros[] = {
	{ "has", false, 1, NULL, has, 0, NULL },
	{ "all", true, 2, NULL, expand_all, 0, SIMPLE },
	{ "all", true, 3, NULL, expand_all, 0, SIMPLE },
	{ "exists", true, 2, NULL, expand_exists, 0, SIMPLE },
	{ "exists", true, 3, NULL, expand_exists, 0, SIMPLE },
	{ "exists_one", true, 2, NULL, expand_exists_one, 0, SIMPLE },
	{ "exists_one", true, 3, NULL, expand_exists_one, 0, SIMPLE },
	{ "existsOne", true, 2, NULL, expand_exists_one, 0, SIMPLE },
	{ "existsOne", true, 3, NULL, expand_exists_one, 0, SIMPLE },
	{ "map", true, 2, NULL, expand_map, 0, IDENT },
	{ "map", true, 3, NULL, expand_map, 0, IDENT },
	{ "filter", true, 2, NULL, expand_filter, 0, IDENT },
	{ "sortBy", true, 2, NULL, expand_sort_by, 0, IDENT },
	{ "transformList", true, 3, NULL, expand_transform_list, 0, SIMPLE },
	{ "transformList", true, 4, NULL, expand_transform_list, 0, SIMPLE },
	{ "transformMap", true, 3, NULL, expand_transform_map, 0, SIMPLE },
	{ "transformMap", true, 4, NULL, expand_transform_map, 0, SIMPLE },
	{ "transformMapEntry", true, 3, NULL, expand_transform_entry, 0, SIMPLE },
	{ "transformMapEntry", true, 4, NULL, expand_transform_entry, 0, SIMPLE },
	{ "bind", true, 3, "cel", expand_bind, CEL_BINDINGS,
	    "cel.bind() variable names must be simple identifiers" },
	{ "optMap", true, 2, NULL, expand_opt_map, 0,
	    "optMap() variable name must be a simple identifier" },
	{ "optFlatMap", true, 2, NULL, expand_opt_flat_map, 0,
	    "optFlatMap() variable name must be a simple identifier" },
};

struct cel_expr *
cel_expand(struct arena *a, struct cel_issues *issues, unsigned bits, struct cel_expr *target,
    const char *name, struct cel_expr **args, size_t n, size_t at)
{
	struct making m = { a, issues, target, args, n, at, NULL };

	for (size_t i = 0; i < COUNT(macros); i++) {
		struct cel_expr *e;

		if (strcmp(macros[i].name, name) != 0 || macros[i].n != n ||
		    macros[i].member != (target != NULL))
			continue;
		if (macros[i].space &&
		    (target->node != CEL_N_IDENT || strcmp(target->name, macros[i].space) != 0))
			continue;
		if (macros[i].bits & ~bits)
			continue;
		m.unnamed = macros[i].unnamed;
		e = macros[i].expand(&m);
		e->macro = macros[i].name;
		return e;
	}
	return NULL;
}
