#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/quantity.h"
#include "base/mem.h"
#include "base/text.h"

/*
 * A quantity in the making: an exact decimal, digits[0] the most significant, times
 * 10^exponent.  Kubernetes keeps at most nine decimals (rounded away from zero)
 * and, where its fast path does not hold, at most 2^63 - 1.
 */
struct decimal {
	bool negative;
	unsigned char *digits;
	size_t n;
	long exponent;
	enum quantity_format format;
};

enum { NANO = -9, FAST_DIGITS = 18, MAX_EXPONENT = 100000 };

static const char ten_suffixes[] = "num\0kMGTPE"; /* 10^-9 ... 10^18 by steps of three */
static const char two_suffixes[] = "KMGTPE";	  /* followed by 'i': 2^10 ... 2^60 */

/* 10^3k suffix at k = -3 ... 6, or 0. */
static char
ten_suffix(long thousands)
{
	return thousands >= -3 && thousands <= 6 ? ten_suffixes[thousands + 3] : 0;
}

static void
times_1024(struct decimal *d)
{
	unsigned carry = 0;

	for (size_t i = d->n; i-- > 0;) {
		carry += d->digits[i] * 1024u;
		d->digits[i] = (unsigned char)(carry % 10);
		carry /= 10;
	}
	for (; carry; carry /= 10) { /* the buffer has room for four more digits a step */
		memmove(d->digits + 1, d->digits, d->n++);
		d->digits[0] = (unsigned char)(carry % 10);
	}
}

static bool
is_zero(const struct decimal *d)
{
	return d->n == 0;
}

static void
trim(struct decimal *d)
{
	size_t zeros = 0;

	while (zeros < d->n && d->digits[zeros] == 0)
		zeros++;
	memmove(d->digits, d->digits + zeros, d->n -= zeros);
	for (; d->n && d->digits[d->n - 1] == 0; d->n--)
		d->exponent++;
	if (is_zero(d)) {
		d->exponent = 0;
		d->negative = false;
	}
}

/* Cut to a multiple of 10^exponent, away from zero. */
static void
round_to(struct decimal *d, long exponent)
{
	size_t cut, i;

	if (is_zero(d) || d->exponent >= exponent)
		return;
	cut = (size_t)(exponent - d->exponent);
	d->exponent = exponent;
	if (cut >= d->n) {
		d->digits[0] = 1;
		d->n = 1;
		return trim(d);
	}
	d->n -= cut; /* what is cut ends in a digit that is not 0: trimmed */
	for (i = d->n; i-- > 0 && ++d->digits[i] == 10;)
		d->digits[i] = 0;
	if (d->digits[0] == 0) {
		memmove(d->digits + 1, d->digits, d->n++);
		d->digits[0] = 1;
	}
	trim(d);
}

/* |d| x 10^shift as a whole number, rounded up; INT64_MAX when it is more. */
static int64_t
magnitude(struct decimal *d, long shift)
{
	int64_t v = 0;

	d->exponent += shift;
	round_to(d, 0);
	for (size_t i = 0; i < d->n + (size_t)(is_zero(d) ? 0 : d->exponent); i++) {
		int digit = i < d->n ? d->digits[i] : 0;

		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
			return INT64_MAX;
	}
	return v;
}

static void
set_magnitude(struct decimal *d, uint64_t v)
{
	char text[24];

	d->n = (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)v);
	for (size_t i = 0; i < d->n; i++)
		d->digits[i] = (unsigned char)(text[i] - '0');
	d->exponent = 0;
	trim(d);
}

/* resource.ParseQuantity caps what its int64 fast path cannot hold. */
static void
cap(struct decimal *d, bool fast)
{
	static const char max[] = "9223372036854775807";
	long length = (long)d->n + d->exponent;

	if (fast || d->negative || length < (long)sizeof max - 1)
		return;
	if (length > (long)sizeof max - 1)
		return set_magnitude(d, INT64_MAX);
	for (size_t i = 0; i < d->n && i < sizeof max - 1; i++)
		if (d->digits[i] != max[i] - '0') {
			if (d->digits[i] > max[i] - '0')
				set_magnitude(d, INT64_MAX);
			return;
		}
}

/* The suffix: *twos powers of 1024, or a power of ten into d->exponent. */
static bool
read_suffix(const char *s, struct decimal *d, int *twos)
{
	long long e;
	const char *at;

	*twos = 0;
	d->format = QUANTITY_DECIMAL;
	if (*s == '\0')
		return true;
	if (s[1] == '\0') {
		for (int k = -3; k <= 6; k++)
			if (ten_suffix(k) == *s) {
				d->exponent += 3 * k;
				return true;
			}
		return false;
	}
	if (s[1] == 'i' && s[2] == '\0' && (at = strchr(two_suffixes, *s))) {
		d->format = QUANTITY_BINARY;
		*twos = (int)(at - two_suffixes) + 1;
		return true;
	}
	if ((*s != 'e' && *s != 'E') || !text_int(s + 1, &e) || e < -MAX_EXPONENT ||
	    e > MAX_EXPONENT)
		return false;
	d->format = QUANTITY_EXPONENT;
	d->exponent += (long)e;
	return true;
}

static int
bad_format(struct err *err)
{
	return err_set(err, ERR_BAD_REQUEST,
	    "quantities must match the regular expression "
	    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

/* The text after the number must be letters, perhaps a sign, perhaps digits. */
static bool
suffix_shape(const char *s)
{
	s += strspn(s, "eEinumkKMGTP");
	s += *s == '+' || *s == '-';
	return s[strspn(s, "0123456789")] == '\0';
}

/* d->digits must be released with free(3), also on failure. */
static int
decimal_parse(struct decimal *d, const char *text, struct err *err)
{
	const char *s = text;
	size_t decimals = 0;
	bool point = false, fast;
	int twos;

	memset(d, 0, sizeof *d);
	d->digits = xmalloc(strlen(text) + 32);
	d->negative = *s == '-';
	s += *s == '-' || *s == '+';
	for (; (*s >= '0' && *s <= '9') || (*s == '.' && !point); s++) {
		if (*s == '.') {
			point = true;
			continue;
		}
		d->digits[d->n++] = (unsigned char)(*s - '0');
		decimals += point;
	}
	if (d->n == 0 || !suffix_shape(s))
		return bad_format(err);
	fast = d->n <= FAST_DIGITS;
	d->exponent = -(long)decimals;
	if (!read_suffix(s, d, &twos))
		return err_set(err, ERR_BAD_REQUEST, "unable to parse quantity's suffix");
	fast = fast && twos == 0 && d->exponent >= NANO;
	for (int i = 0; i < twos; i++)
		times_1024(d);
	trim(d);
	if (d->exponent > MAX_EXPONENT)
		return err_set(err, ERR_BAD_REQUEST, "unable to parse quantity's suffix");
	round_to(d, NANO);
	cap(d, fast);
	return 0;
}

int
quantity_parse(const char *text, int64_t *milli, enum quantity_format *format, struct err *err)
{
	struct decimal d;
	int r = decimal_parse(&d, text, err);

	if (r == 0) {
		int64_t v = magnitude(&d, 3);

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
		n = magnitude(&d, shift);
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

/* Is it a whole number of at least 1024 (so that a binary suffix loses nothing)?  Into *v. */
static bool
binary_value(const struct decimal *d, uint64_t *v)
{
	struct decimal copy = *d;
	int64_t n;

	if (d->exponent < 0)
		return false;
	n = magnitude(&copy, 0); /* whole: the digits stay as they are */
	*v = (uint64_t)n;
	return n >= 1024;
}

static char *
print_binary(bool negative, uint64_t v)
{
	int twos = 0;
	char suffix[3] = "";

	for (; v % 1024 == 0 && twos < 6; v /= 1024)
		twos++;
	if (twos)
		snprintf(suffix, sizeof suffix, "%ci", two_suffixes[twos - 1]);
	return xasprintf("%s%llu%s", negative ? "-" : "", (unsigned long long)v, suffix);
}

/* Trimmed digits and an exponent that is a multiple of three (Quantity.AsCanonicalBytes). */
static char *
decimal_print(const struct decimal *d)
{
	uint64_t v;
	long extra = ((d->exponent % 3) + 3) % 3, e = d->exponent - extra;
	char suffix[24] = "";
	char *out;
	size_t at = 0;

	if (is_zero(d))
		return xstrdup("0");
	if (d->format == QUANTITY_BINARY && binary_value(d, &v))
		return print_binary(d->negative, v);
	if (d->format == QUANTITY_EXPONENT && e != 0)
		snprintf(suffix, sizeof suffix, "e%ld", e);
	else if (e != 0 && ten_suffix(e / 3))
		snprintf(suffix, sizeof suffix, "%c", ten_suffix(e / 3));
	else if (e != 0)
		snprintf(suffix, sizeof suffix, "e%ld", e);
	out = xmalloc(d->n + sizeof suffix + 4);
	if (d->negative)
		out[at++] = '-';
	for (size_t i = 0; i < d->n; i++)
		out[at++] = (char)('0' + d->digits[i]);
	for (long i = 0; i < extra; i++)
		out[at++] = '0';
	memcpy(out + at, suffix, strlen(suffix) + 1);
	return out;
}

static char *
print_number(int64_t v, long exponent, enum quantity_format format)
{
	unsigned char digits[24];
	struct decimal d = { .digits = digits, .format = format };

	set_magnitude(&d, v < 0 ? -(uint64_t)v : (uint64_t)v);
	d.negative = v < 0;
	if (!is_zero(&d))
		d.exponent += exponent;
	return decimal_print(&d);
}

char *
quantity_print_value(int64_t value, enum quantity_format format)
{
	return print_number(value, 0, format);
}

char *
quantity_print_milli(int64_t milli, enum quantity_format format)
{
	return print_number(milli, -3, format);
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
