/* Exact decimals with suffixes. */
#include "base/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { NANO = -9, FAST_DIGITS = 18, MAX_EXPONENT = 100000, MOST_DIGITS = 1000 };

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

bool
decimal_zero(const struct decimal *d)
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
	if (decimal_zero(d)) {
		d->exponent = 0;
		d->negative = false;
	}
}

/* Cut to a multiple of 10^exponent, away from zero. */
static void
round_to(struct decimal *d, long exponent)
{
	size_t cut, i;

	if (decimal_zero(d) || d->exponent >= exponent)
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

int64_t
decimal_magnitude(struct decimal *d, long shift)
{
	int64_t v = 0;

	d->exponent += shift;
	round_to(d, 0);
	for (size_t i = 0; i < d->n + (size_t)(decimal_zero(d) ? 0 : d->exponent); i++) {
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

int
decimal_parse(struct decimal *d, const char *text, struct err *err)
{
	const char *s = text;
	size_t decimals = 0;
	size_t zeros = strspn(text + (*text == '-' || *text == '+'), "0");
	bool point = false, fast;
	long most;
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
	most = twos ? (decimals ? 0 : 14 - twos * 3) : FAST_DIGITS;
	d->fits = (long)(d->n - (zeros < d->n ? zeros : d->n)) <= most && d->exponent >= NANO;
	d->scale = d->exponent;
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

/* --- text ----------------------------------------------------------------------------------- */

/* Is it a whole number of at least 1024 (so that a binary suffix loses nothing)?  Into *v. */
static bool
binary_value(const struct decimal *d, uint64_t *v)
{
	struct decimal copy = *d;
	int64_t n;

	if (d->exponent < 0)
		return false;
	n = decimal_magnitude(&copy, 0); /* whole: the digits stay as they are */
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
char *
decimal_print(const struct decimal *d)
{
	uint64_t v;
	long extra = ((d->exponent % 3) + 3) % 3, e = d->exponent - extra;
	char suffix[24] = "";
	char *out;
	size_t at = 0;

	if (decimal_zero(d))
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

char *
decimal_print_number(int64_t v, long exponent, enum quantity_format format)
{
	unsigned char digits[24];
	struct decimal d = { .digits = digits, .format = format };

	set_magnitude(&d, v < 0 ? -(uint64_t)v : (uint64_t)v);
	d.negative = v < 0;
	if (!decimal_zero(&d))
		d.exponent += exponent;
	return decimal_print(&d);
}

/* --- arithmetic ----------------------------------------------------------------------------- */

void
decimal_of(struct decimal *d, int64_t v)
{
	*d = (struct decimal){ .digits = xmalloc(32), .format = QUANTITY_EXPONENT, .fits = true };
	set_magnitude(d, v < 0 ? -(uint64_t)v : (uint64_t)v);
	d->negative = v < 0;
}

/* Of the magnitudes alone. */
static int
order(const struct decimal *x, const struct decimal *y)
{
	long top = (long)x->n + x->exponent, other = (long)y->n + y->exponent;

	if (decimal_zero(x) || decimal_zero(y))
		return !decimal_zero(x) - !decimal_zero(y);
	if (top != other)
		return top < other ? -1 : 1;
	for (size_t i = 0; i < x->n || i < y->n; i++) {
		int a = i < x->n ? x->digits[i] : 0, b = i < y->n ? y->digits[i] : 0;

		if (a != b)
			return a < b ? -1 : 1;
	}
	return 0;
}

int
decimal_compare(const struct decimal *x, const struct decimal *y)
{
	if (x->negative != y->negative)
		return x->negative ? -1 : 1;
	return x->negative ? order(y, x) : order(x, y);
}

/* The digit of d that counts 10^place. */
static int
digit_at(const struct decimal *d, long place)
{
	long i = (long)d->n - 1 - (place - d->exponent);

	return i >= 0 && i < (long)d->n ? d->digits[i] : 0;
}

int
decimal_add(struct decimal *sum, const struct decimal *x, const struct decimal *y)
{
	bool subtract = x->negative != y->negative;
	const struct decimal *more = order(x, y) >= 0 ? x : y, *less = more == x ? y : x;
	long low = x->exponent < y->exponent ? x->exponent : y->exponent;
	long high = (long)more->n + more->exponent + 1;
	int carry = 0;

	if (high - low > MOST_DIGITS)
		return -1;
	*sum = (struct decimal){ .negative = more->negative,
		.digits = xcalloc((size_t)(high - low) + 8, 1),
		.n = (size_t)(high - low),
		.exponent = low,
		.format = decimal_zero(x) ? y->format : x->format,
		.fits = x->fits && y->fits,
		.scale = decimal_zero(x)       ? y->scale
			 : decimal_zero(y)     ? x->scale
			 : x->scale < y->scale ? x->scale
					       : y->scale };
	for (long place = low; place < high; place++) {
		int v = digit_at(more, place) + carry +
			(subtract ? -digit_at(less, place) : digit_at(less, place));

		carry = v < 0 ? -1 : v / 10;
		sum->digits[high - 1 - place] = (unsigned char)(v < 0 ? v + 10 : v % 10);
	}
	trim(sum);
	return 0;
}

bool
decimal_int(const struct decimal *d, int64_t *ret)
{
	int64_t v = 0;

	if (!d->fits || d->scale < 0 || d->exponent < 0 || (long)d->n + d->exponent > 19)
		return false;
	for (long place = (long)d->n + d->exponent; place-- > 0;) {
		int digit = digit_at(d, place);

		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, d->negative ? -digit : digit, &v))
			return false;
	}
	*ret = v;
	return true;
}

double
decimal_double(const struct decimal *d)
{
	autofree char *text = xmalloc(d->n + 32);
	size_t at = 0;

	text[at++] = d->negative ? '-' : '+';
	text[at++] = '0';
	for (size_t i = 0; i < d->n; i++)
		text[at++] = (char)('0' + d->digits[i]);
	snprintf(text + at, 24, "e%ld", d->exponent);
	return strtod(text, NULL);
}
