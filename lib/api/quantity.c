#include "api/quantity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int
quantity_parse(const char *text, int64_t *milli, enum quantity_format *format, struct err *err)
{
	struct decimal d;
	int r = decimal_parse(&d, text, err);

	if (r == 0) {
		int64_t v = decimal_magnitude(&d, 3);

		*milli = d.negative ? -v : v;
		*format = d.format;
	}
	free(d.digits);
	return r;
}

bool
quantity_valid(const char *text)
{
	struct decimal d;
	struct err err;
	int r = decimal_parse(&d, text, &err);

	free(d.digits);
	return r == 0;
}

static int64_t
scaled(const json_t *v, long shift)
{
	char text[40];
	struct decimal d;
	struct err err;
	int64_t n = 0;

	if (json_is_integer(v))
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v))
		snprintf(text, sizeof text, "%.17g", json_real_value(v));
	else if (!json_is_string(v))
		return 0;
	if (decimal_parse(&d, json_is_string(v) ? json_string_value(v) : text, &err) == 0) {
		n = decimal_magnitude(&d, shift);
		n = d.negative ? -n : n;
	}
	free(d.digits);
	return n;
}

int64_t
quantity_value(const json_t *v)
{
	return scaled(v, 0);
}

int64_t
quantity_milli(const json_t *v)
{
	return scaled(v, 3);
}

char *
quantity_print_value(int64_t value, enum quantity_format format)
{
	return decimal_print_number(value, 0, format);
}

char *
quantity_print_milli(int64_t milli, enum quantity_format format)
{
	return decimal_print_number(milli, -3, format);
}

char *
quantity_canonical(const char *text)
{
	struct decimal d;
	struct err err;
	char *out = NULL;

	if (decimal_parse(&d, text, &err) == 0)
		out = decimal_print(&d);
	free(d.digits);
	return out;
}
