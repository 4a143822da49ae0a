/* What calls may cost: cel-go's own functions (checker/cost.go), and what Kubernetes says of its
 * libraries (apiserver's cel/library/cost.go). */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cel/cost.h"
#include "cel/library.h"

static const double TENTH = 0.1, QUARTER = 0.25;

static struct cel_range
one(void)
{
	return RANGE(1, 1);
}

static struct call_cost
costs(struct cel_range cost)
{
	return (struct call_cost){ .cost = cost };
}

static struct call_cost
costs_sized(struct cel_range cost, struct cel_range size)
{
	return (struct call_cost){ cost, size, true };
}

/* A regular expression, which has a part for every four characters, on a text. */
static struct cel_range
search(struct cel_range text, struct cel_range regex)
{
	return range_times(range_scale(range_add(text, one()), TENTH), range_scale(regex, QUARTER));
}

/* --- Kubernetes' libraries ------------------------------------------------------------------ */

/* A name, or a part of one: what a schema may say something of. */
static bool
has_path(const struct cel_expr *e)
{
	return e->node == CEL_N_IDENT || e->node == CEL_N_SELECT || e->op == CEL_OP_INDEX;
}

/* The size of a list's items: what their type says, where the list is a field. */
static struct cel_range
item_size(const struct cel_expr *list)
{
	const struct cel_type *of = list->type->of[0];

	if (of && of->bounded && has_path(list))
		return RANGE(0, of->most);
	return RANGE(0, UINT64_MAX);
}

/* isSorted(), sum() ...: once through the list, and through its strings. */
static struct call_cost
walk(struct coster *c, struct cel_expr *e)
{
	struct cel_range size = cost_size_or_any(c, e->operand), item = one();
	const struct cel_type *of = e->operand->type->of[0];

	if (e->operand->type->kind != CEL_T_LIST || !of)
		return costs(range_scale(size, TENTH));
	if (of->kind == CEL_T_STRING || of->kind == CEL_T_BYTES)
		item = range_add(item, range_scale(item_size(e->operand), TENTH));
	return costs(range_times(size, item));
}

static struct call_cost
replace(struct coster *c, struct cel_expr *e)
{
	struct cel_range size = cost_size_or_any(c, e->operand);
	struct cel_range old = cost_size_or_any(c, e->arg[0]), new = cost_size_or_any(c, e->arg[1]);
	struct cel_range count = { 0, 0 }, kept = { 0, 0 };

	if (old.min == 0) { /* an empty text stands around every character */
		count.max = size.max < UINT64_MAX ? size.max + 1 : size.max;
		kept.max = size.max;
	} else if (new.max <= old.min) {
		kept.max = size.max;
	} else {
		count.max = size.max / old.min + (size.max % old.min != 0);
	}
	if (old.max == 0) {
		count.min = size.min < UINT64_MAX ? size.min + 1 : size.min;
		kept.min = size.min;
	} else if (old.max <= new.min) {
		kept.min = size.min;
	} else {
		count.min = size.min / old.max + (size.min % old.max != 0);
	}
	return costs_sized(range_scale(size, 2 * TENTH), range_add(range_times(count, new), kept));
}

static struct call_cost
join(struct coster *c, struct cel_expr *e)
{
	struct cel_range list = cost_size_or_any(c, e->operand);
	struct cel_range size = range_times(list, item_size(e->operand));

	if (e->nargs > 0)
		size = range_add(
		    size, range_times(cost_size_or_any(c, e->arg[0]),
			      RANGE(list.min ? list.min - 1 : 0, list.max ? list.max - 1 : 0)));
	return costs_sized(range_scale(size, TENTH), size);
}

/* A limit that is written down bounds the parts. */
static struct call_cost
split(struct coster *c, struct cel_expr *e)
{
	struct cel_range size = cost_size_or_any(c, e->operand);
	uint64_t most = size.max;

	if (e->nargs > 1 && e->arg[1]->node == CEL_N_CONST && e->arg[1]->value.kind == CEL_INT &&
	    e->arg[1]->value.i >= 0)
		most = (uint64_t)e->arg[1]->value.i;
	return costs_sized(range_scale(size, 2 * TENTH), RANGE(0, most));
}

static struct call_cost
contains_range(struct coster *c, struct cel_expr *e, const char *overload)
{
	struct cel_range bytes = { 4, 16 };
	struct cel_range cost = range_scale(range_add(bytes, bytes), TENTH);

	if (text_starts(overload, "cidr_contains_cidr"))
		cost = range_add(range_add(cost, range_scale(bytes, TENTH)), one());
	if (text_ends(overload, "_string"))
		cost = range_add(cost, range_scale(cost_size_or_any(c, e->arg[0]), TENTH));
	return costs(cost);
}

static struct call_cost
validate(struct coster *c, struct cel_expr *e)
{
	enum { LONGEST_FORMAT = 128 };
	struct cel_range size = cost_size_or_any(c, e->arg[0]);

	return costs(range_scale(range_scale(size, TENTH), LONGEST_FORMAT * QUARTER));
}

/* --- cel-go's lists ------------------------------------------------------------------------- */

/* A new list: what it costs to make one of that size. */
static struct call_cost
makes(struct cel_range size, double factor)
{
	return costs_sized(range_add(range_scale(size, factor), RANGE(11, 11)), size);
}

/* A number that is written down. */
static uint64_t
written(const struct cel_expr *e, uint64_t otherwise)
{
	if (e->node != CEL_N_CONST || e->value.kind != CEL_INT)
		return otherwise;
	return e->value.i < 0 ? 0 : (uint64_t)e->value.i;
}

/* true: *ret is what cel-go's ext/lists.go says. */
static bool
of_slices(struct coster *c, struct cel_expr *e, const char *overload, struct call_cost *ret)
{
	struct cel_range size;
	uint64_t n;

	/* nothing is said of lists.range(): cel-go 0.26 does not come to ask its estimator */
	if (!e->operand || !text_starts(overload, "list_"))
		return false;
	size = cost_size_or_any(c, e->operand);
	if (strcmp(overload, "list_slice") == 0) {
		n = written(e->arg[1], size.max) - written(e->arg[0], 0);
		*ret = makes(RANGE(n, n), 1);
	} else if (strcmp(overload, "list_reverse") == 0) {
		*ret = makes(size, 1);
	} else if (text_starts(overload, "list_flatten")) {
		*ret = makes(size, e->nargs ? (double)written(e->arg[0], UINT64_MAX) : 1);
	} else if (strcmp(overload, "list_distinct") == 0) {
		*ret = makes(range_times(size, size), 2);
	} else if (text_ends(overload, "_sort") || text_ends(overload, "_sortByAssociatedKeys")) {
		if (e->nargs)
			size = cost_size_or_any(c, e->arg[0]);
		*ret = makes(range_times(size, size),
		    text_starts(overload, "list_string_") || text_starts(overload, "list_bytes_")
			? 2 + TENTH
			: 2);
	} else {
		return false;
	}
	return true;
}

/* A text is looked through, and some more: selectors are made of requirements. */
static bool
of_text(struct coster *c, struct cel_expr *e, struct call_cost *ret)
{
	static const char *const parsers[] = { "cidr", "isIP", "isCIDR", "ip", "quantity",
		"isQuantity", "semver", "isSemver", NULL };
	enum { REQUIREMENT = 50, SELECTOR = 10 };
	struct cel_range size, tenth;

	if (e->nargs == 0)
		return false;
	size = cost_size_or_any(c, e->arg[0]);
	tenth = range_scale(size, TENTH);
	if (!e->operand && text_in(e->name, parsers))
		*ret = costs(tenth);
	else if (strcmp(e->name, "url") == 0 || strcmp(e->name, "jsonpatch.escapeKey") == 0)
		*ret = costs_sized(tenth, size);
	else if (strcmp(e->name, "ip.isCanonical") == 0)
		*ret = costs(range_scale(size, 2 * TENTH));
	else if (strcmp(e->name, "fieldSelector") == 0 || strcmp(e->name, "labelSelector") == 0)
		*ret = costs(range_add(range_add(RANGE(SELECTOR, SELECTOR), tenth),
		    range_scale(range_scale(size, 0.5), REQUIREMENT)));
	else
		return false;
	return true;
}

/* x == y of Kubernetes' own types. */
static bool
of_equality(const struct cel_expr *e, struct call_cost *ret)
{
	const struct cel_type *t = e->nargs == 2 ? e->arg[0]->type : NULL;
	enum { LONGEST_FORMAT_NAME = 64 };
	struct cel_range size = one();

	if (!t || strcmp(e->name, "_==_") != 0 || t->kind != CEL_T_OPAQUE ||
	    e->arg[1]->type->kind != CEL_T_OPAQUE || strcmp(t->name, e->arg[1]->type->name) != 0)
		return false;
	if (strcmp(t->name, cel_format_type.name) == 0)
		size.max = LONGEST_FORMAT_NAME;
	else if (strcmp(t->name, "kubernetes.URL") == 0 && e->arg[1]->estimate &&
		 e->arg[1]->estimate->sized)
		size.max = e->arg[1]->estimate->size.max;
	*ret = costs(size.max == 1 ? size : range_scale(size, TENTH));
	return true;
}

/* true: *ret is what Kubernetes says. */
static bool
of_library(struct coster *c, struct cel_expr *e, const char *overload, struct call_cost *ret)
{
	static const char *const walks[] = { "isSorted", "sum", "max", "min", "indexOf",
		"lastIndexOf", NULL };
	static const char *const scans[] = { "lowerAscii", "upperAscii", "substring", "trim",
		NULL };
	struct cel_range size;

	if (of_text(c, e, ret) || of_equality(e, ret))
		return true;
	if (!e->operand)
		return false;
	size = cost_size_or_any(c, e->operand);
	if (text_in(e->name, walks))
		*ret = walk(c, e);
	else if (text_in(e->name, scans))
		*ret = costs_sized(range_scale(size, TENTH), size);
	else if (strcmp(e->name, "replace") == 0 && e->nargs >= 2)
		*ret = replace(c, e);
	else if (strcmp(e->name, "split") == 0)
		*ret = split(c, e);
	else if (strcmp(e->name, "join") == 0)
		*ret = join(c, e);
	else if (text_starts(overload, "string_find_"))
		*ret =
		    costs_sized(search(size, cost_size_or_any(c, e->arg[0])), RANGE(0, size.max));
	else if (text_starts(overload, "cidr_contains_"))
		*ret = contains_range(c, e, overload);
	else if (strcmp(overload, "format-validate") == 0)
		*ret = validate(c, e);
	else if (strcmp(e->name, "check") == 0)
		*ret = costs(RANGE(350000, 350000));
	else
		return false;
	return true;
}

/* --- the language's own --------------------------------------------------------------------- */

static struct call_cost
conditional(struct coster *c, struct cel_expr *e, const struct cel_range *arg)
{
	struct cel_range key[2], value[2];

	if (cost_entries(c, e->arg[1], &key[0], &value[0]) &&
	    cost_entries(c, e->arg[2], &key[1], &value[1])) {
		struct cel_estimate *s = cost_estimate(c, e);

		s->entries = true;
		s->key = range_union(key[0], key[1]);
		s->value = range_union(value[0], value[1]);
	}
	return costs_sized(range_add(arg[0], range_union(arg[1], arg[2])),
	    range_union(cost_size_or_any(c, e->arg[1]), cost_size_or_any(c, e->arg[2])));
}

static struct call_cost
concatenation(struct coster *c, struct cel_expr *e, bool list)
{
	struct cel_range size =
	    range_add(cost_size_or_any(c, e->arg[0]), cost_size_or_any(c, e->arg[1]));
	struct cel_range key[2], value[2];

	if (cost_entries(c, e->arg[0], &key[0], &value[0]) &&
	    cost_entries(c, e->arg[1], &key[1], &value[1])) {
		struct cel_estimate *s = cost_estimate(c, e);

		s->entries = true;
		s->key = range_union(key[0], key[1]);
		s->value = range_union(value[0], value[1]);
	}
	return costs_sized(list ? one() : range_scale(size, TENTH), size);
}

static struct call_cost
comparison(struct coster *c, struct cel_expr *e)
{
	uint64_t x = cost_size_or_any(c, e->arg[0]).max, y = cost_size_or_any(c, e->arg[1]).max;
	uint64_t most = x < y ? x : y;

	return costs(range_scale(RANGE(most > 0, most), TENTH));
}

/* An item of what is known is of a known size. */
static struct call_cost
item(struct coster *c, struct cel_expr *e)
{
	struct call_cost r = costs(one());
	struct cel_range key;

	r.sized = cost_entries(c, e->arg[0], &key, &r.size);
	return r;
}

static bool
compares(const char *overload)
{
	static const char *const orders[] = { "less_string", "greater_string", "less_equals_string",
		"greater_equals_string", "less_bytes", "greater_bytes", "less_equals_bytes",
		"greater_equals_bytes", "equals", "not_equals", NULL };

	return text_in(overload, orders);
}

static struct call_cost
of_language(struct coster *c, struct cel_expr *e, const char *overload)
{
	struct cel_range first = { 0, UINT64_MAX };

	if (e->nargs > 0)
		first = cost_size_or_any(c, e->arg[0]);
	if (strcmp(overload, "index") == 0)
		return item(c, e);
	if (strcmp(overload, "string_format_list_string") == 0)
		return costs(range_scale(cost_size_or_any(c, e->operand), TENTH));
	if (strcmp(overload, "string_to_bytes") == 0)
		return costs_sized(range_scale(first, TENTH), range_times(first, RANGE(1, 4)));
	if (strcmp(overload, "bytes_to_string") == 0)
		return costs_sized(range_scale(first, TENTH), RANGE(first.min / 4, first.max));
	if (strcmp(overload, "strings_quote") == 0)
		return costs_sized(range_scale(first, TENTH),
		    range_add(range_times(first, RANGE(1, 2)), RANGE(2, 2)));
	if (strcmp(overload, "starts_with_string") == 0 ||
	    strcmp(overload, "ends_with_string") == 0)
		return costs(range_scale(first, TENTH));
	if (strcmp(overload, "in_list") == 0)
		return costs(cost_size_or_any(c, e->arg[1]));
	if (strcmp(overload, "matches_string") == 0)
		return costs(search(cost_size_or_any(c, e->operand), first));
	if (strcmp(overload, "contains_string") == 0)
		return costs(range_times(range_scale(cost_size_or_any(c, e->operand), TENTH),
		    range_scale(first, TENTH)));
	if (strcmp(overload, "add_string") == 0 || strcmp(overload, "add_bytes") == 0 ||
	    strcmp(overload, "add_list") == 0)
		return concatenation(c, e, strcmp(overload, "add_list") == 0);
	if (compares(overload))
		return comparison(c, e);
	if (text_starts(overload, "list_sets_")) {
		struct cel_range pairs = range_times(first, cost_size_or_any(c, e->arg[1]));

		if (strstr(overload, "equivalent"))
			pairs = range_times(pairs, RANGE(2, 2));
		return costs(range_add(pairs, one()));
	}
	return costs(one());
}

struct call_cost
cost_of_call(
    struct coster *c, struct cel_expr *e, const char *overload, const struct cel_range *arg)
{
	struct call_cost r;

	if (e->op == CEL_OP_AND || e->op == CEL_OP_OR)
		return costs(RANGE(arg[0].min, range_add(arg[0], arg[1]).max));
	if (e->op == CEL_OP_TERNARY)
		return conditional(c, e, arg);
	if (!of_slices(c, e, overload, &r) && !of_library(c, e, overload, &r))
		r = of_language(c, e, overload);
	for (size_t i = 0; i < e->nargs; i++)
		r.cost = range_add(r.cost, arg[i]);
	return r;
}
