/* Quantities (Kubernetes' library/quantity.go). */
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "cel/library.h"

const struct cel_type cel_quantity_type = { .kind = CEL_T_OPAQUE, .name = "kubernetes.Quantity" };

static bool
same(const void *x, const void *y)
{
	return decimal_compare(x, y) == 0;
}

/* The digits move into the arena. */
static struct cel_value
keep(struct arena *a, struct decimal *d)
{
	struct decimal *copy = arena_alloc(a, sizeof *copy);

	*copy = *d;
	copy->digits = arena_alloc(a, d->n + 1);
	if (d->n)
		memcpy(copy->digits, d->digits, d->n);
	free(d->digits);
	return cel_opaque_of(a, &cel_quantity_type, copy, same);
}

struct cel_value
cel_quantity(struct arena *a, const char *p, size_t len)
{
	struct decimal d = { 0 };
	struct err err;
	const char *text = arena_text(a, p, len);

	if (strlen(text) != len)
		return cel_error(a, "quantities must match the regular expression "
				    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
	if (decimal_parse(&d, text, &err) < 0) {
		free(d.digits);
		return cel_error(a, "%s", err.msg);
	}
	return keep(a, &d);
}

CEL_FN(make)
{
	return cel_quantity(a, arg[0].text.p, arg[0].text.len);
}

CEL_FN(is_quantity)
{
	return cel_bool(cel_quantity(a, arg[0].text.p, arg[0].text.len).kind != CEL_ERROR);
}

static const struct decimal *
number(const struct cel_value *v)
{
	return v->opaque->data;
}

CEL_FN(sign)
{
	const struct decimal *d = number(arg);

	return cel_int(decimal_zero(d) ? 0 : d->negative ? -1 : 1);
}

CEL_FN(compare)
{
	return cel_int(decimal_compare(number(arg), number(arg + 1)));
}

CEL_FN(greater)
{
	return cel_bool(decimal_compare(number(arg), number(arg + 1)) > 0);
}

CEL_FN(less)
{
	return cel_bool(decimal_compare(number(arg), number(arg + 1)) < 0);
}

CEL_FN(as_double)
{
	return cel_double(decimal_double(number(arg)));
}

CEL_FN(is_integer)
{
	int64_t v;

	return cel_bool(decimal_int(number(arg), &v));
}

CEL_FN(as_integer)
{
	int64_t v;

	return decimal_int(number(arg), &v) ? cel_int(v)
					    : cel_error(a, "cannot convert value to integer");
}

static struct cel_value
add_to(struct arena *a, const struct decimal *x, const struct decimal *y, bool subtract)
{
	struct decimal sum, other = *y;

	other.negative = !decimal_zero(y) && y->negative != subtract;
	if (decimal_add(&sum, x, &other) < 0)
		return cel_error(a, "the quantity has too many digits");
	return keep(a, &sum);
}

CEL_FN(add)
{
	return add_to(a, number(arg), number(arg + 1), false);
}

CEL_FN(subtract)
{
	return add_to(a, number(arg), number(arg + 1), true);
}

static struct cel_value
add_int(struct arena *a, const struct cel_value *arg, bool subtract)
{
	struct decimal d;
	struct cel_value v;

	decimal_of(&d, arg[1].i);
	v = add_to(a, number(arg), &d, subtract);
	free(d.digits);
	return v;
}

CEL_FN(add_whole)
{
	return add_int(a, arg, false);
}

CEL_FN(subtract_whole)
{
	return add_int(a, arg, true);
}

#define Q "kubernetes.Quantity"

/* sign() stands before its argument, in Kubernetes too. */
const struct cel_function cel_lib_quantity[] = {
	{ "quantity", "string_to_quantity", "(string) " Q, make, cel_cost_scan },
	{ "isQuantity", "is_quantity_string", "(string) bool", is_quantity, cel_cost_scan },
	{ "sign", "quantity_sign", "(" Q ") int", sign, NULL },
	{ "isGreaterThan", "quantity_is_greater_than", Q ".(" Q ") bool", greater, NULL },
	{ "isLessThan", "quantity_is_less_than", Q ".(" Q ") bool", less, NULL },
	{ "compareTo", "quantity_compare_to", Q ".(" Q ") int", compare, NULL },
	{ "asApproximateFloat", "quantity_get_float", Q ".() double", as_double, NULL },
	{ "asInteger", "quantity_get_int", Q ".() int", as_integer, NULL },
	{ "isInteger", "quantity_is_integer", Q ".() bool", is_integer, NULL },
	{ "add", "quantity_add", Q ".(" Q ") " Q, add, NULL },
	{ "add", "quantity_add_int", Q ".(int) " Q, add_whole, NULL },
	{ "sub", "quantity_sub", Q ".(" Q ") " Q, subtract, NULL },
	{ "sub", "quantity_sub_int", Q ".(int) " Q, subtract_whole, NULL },
	{ 0 },
};
