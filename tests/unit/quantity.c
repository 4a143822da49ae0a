/* Quantities: canonical forms and values, after resource.Quantity's own rules. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/quantity.h"
#include "base/mem.h"

static int failed;

static void
same(const char *what, const char *got, const char *want)
{
	if (got && want ? strcmp(got, want) == 0 : got == want)
		return;
	printf("quantity: %s: got '%s', want '%s'\n", what, got ? got : "(refused)",
	    want ? want : "(refused)");
	failed = 1;
}

static void
canonical(void)
{
	static const struct {
		const char *text, *want;
	} t[] = { { "0", "0" }, { "0Gi", "0" }, { "-0", "0" }, { "1024Mi", "1Gi" },
		{ "1536Mi", "1536Mi" }, { "1024Ki", "1Mi" }, { "0.5", "500m" }, { "1.5", "1500m" },
		{ "1000m", "1" }, { ".25", "250m" }, { "0.5Gi", "512Mi" }, { "1000000", "1M" },
		{ "1e3", "1e3" }, { "1E3", "1e3" }, { "1.5e3", "1500" }, { "12e5", "1200e3" },
		{ "100n", "100n" }, { "0.1n", "1n" }, { "1.0000000001", "1000000001n" },
		{ "-1.5", "-1500m" }, { "-1Gi", "-1Gi" }, { "512Ki", "512Ki" }, { "1023", "1023" },
		{ "1Ki", "1Ki" }, { "0.5Ki", "512" }, { "1.5Ki", "1536" }, { "0.001Ki", "1024m" },
		{ "100E", "100E" }, { "8Ei", "9223372036854775807" }, { "1Ei", "1Ei" },
		{ "+5", "5" }, { "5.", "5" }, { "007", "7" }, { "128974848", "128974848" },
		{ "99999999999999999999", "9223372036854775807" }, { "1e0", "1" },
		{ "123456789012345678901234567890n", "9223372036854775807" }, { "1e-3", "1e-3" },
		{ "9.99u", "9990n" }, { "", NULL }, { ".", NULL }, { "-", NULL }, { "1.1.1", NULL },
		{ "1i", NULL }, { "1Kib", NULL }, { "1 Gi", NULL }, { "abc", NULL }, { "1e", NULL },
		{ "1ee3", NULL }, { "0x10", NULL }, { "1mi", NULL }, { "1Gi ", NULL },
		{ "e3", NULL }, { "1e9999999999", NULL }, { "1KM", NULL } };

	for (size_t i = 0; i < COUNT(t); i++) {
		autofree char *got = quantity_canonical(t[i].text);
		autofree char *again = got ? quantity_canonical(got) : NULL;

		same(t[i].text, got, t[i].want);
		if (got && strcmp(got, "9223372036854775807") != 0)
			same("canonical twice", again, got);
		same("valid", quantity_valid(t[i].text) ? "yes" : "no", t[i].want ? "yes" : "no");
	}
}

static void
number(const char *what, int64_t got, int64_t want)
{
	if (got == want)
		return;
	printf("quantity: %s: got %lld, want %lld\n", what, (long long)got, (long long)want);
	failed = 1;
}

static void
values(void)
{
	static const struct {
		const char *text;
		int64_t value, milli;
	} t[] = { { "100m", 1, 100 }, { "1", 1, 1000 }, { "1.5Gi", 1610612736, 1610612736000 },
		{ "1n", 1, 1 }, { "2001u", 1, 3 }, { "-1500m", -2, -1500 },
		{ "1e3", 1000, 1000000 }, { "9223372036854775807", INT64_MAX, INT64_MAX },
		{ "100E", INT64_MAX, INT64_MAX }, { "1e90000", INT64_MAX, INT64_MAX },
		{ "nonsense", 0, 0 } };

	for (size_t i = 0; i < COUNT(t); i++) {
		json_t *v = json_string(t[i].text);

		number(t[i].text, quantity_value(v), t[i].value);
		number(t[i].text, quantity_milli(v), t[i].milli);
		json_decref(v);
	}
	json_t *real = json_real(0.25), *whole = json_integer(4);

	number("real", quantity_milli(real), 250);
	number("integer", quantity_milli(whole), 4000);
	number("missing", quantity_value(NULL), 0);
	json_decref(real);
	json_decref(whole);
}

static void
printing(void)
{
	static const struct {
		int64_t n;
		enum quantity_format format;
		const char *value, *milli;
	} t[] = { { 1610612736, QUANTITY_BINARY, "1536Mi", "1610612736m" },
		{ 1500, QUANTITY_DECIMAL, "1500", "1500m" }, { 3000, QUANTITY_DECIMAL, "3k", "3" },
		{ 0, QUANTITY_BINARY, "0", "0" }, { -2048, QUANTITY_BINARY, "-2Ki", "-2048m" },
		{ 2000, QUANTITY_EXPONENT, "2e3", "2" },
		{ INT64_MIN, QUANTITY_DECIMAL, "-9223372036854775808", "-9223372036854775808m" } };

	for (size_t i = 0; i < COUNT(t); i++) {
		autofree char *value = quantity_print_value(t[i].n, t[i].format);
		autofree char *milli = quantity_print_milli(t[i].n, t[i].format);

		same("print_value", value, t[i].value);
		if (t[i].n != 1610612736)
			same("print_milli", milli, t[i].milli);
	}
}

int
main(void)
{
	canonical();
	values();
	printing();
	return failed;
}
