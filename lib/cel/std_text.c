/* Strings, bytes, and conversions between the simple types. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cel/function.h"
#include "cel/regex.h"

static uint64_t
cost_of_contains(const struct cel_value *arg, size_t n, struct cel_value result)
{
	(void)n;
	(void)result;
	return cel_tenth(cel_size(arg[0])) * cel_tenth(cel_size(arg[1]));
}

static uint64_t
cost_of_matches(const struct cel_value *arg, size_t n, struct cel_value result)
{
	(void)n;
	(void)result;
	return cel_tenth(cel_size(arg[0]) + 1) * ((cel_size(arg[1]) + 3) / 4);
}

/* --- strings ------------------------------------------------------------------------------ */

static struct cel_value
contains(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return cel_bool(arg[1].text.len == 0 ||
			memmem(arg[0].text.p, arg[0].text.len, arg[1].text.p, arg[1].text.len));
}

static struct cel_value
starts_with(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return cel_bool(arg[0].text.len >= arg[1].text.len &&
			memcmp(arg[0].text.p, arg[1].text.p, arg[1].text.len) == 0);
}

static struct cel_value
ends_with(struct arena *a, const struct cel_value *arg, size_t n)
{
	size_t x = arg[0].text.len, y = arg[1].text.len;

	(void)a;
	(void)n;
	return cel_bool(x >= y && memcmp(arg[0].text.p + x - y, arg[1].text.p, y) == 0);
}

static struct cel_value
matches(struct arena *a, const struct cel_value *arg, size_t n)
{
	const char *why;
	struct cel_regex *r = cel_regex(a, arg[1].text.p, arg[1].text.len, &why);
	int found;

	(void)n;
	if (!r)
		return cel_error(a, "%s", why);
	found = cel_regex_match(r, arg[0].text.p, arg[0].text.len);
	return found < 0 ? cel_error(a, "the regular expression takes too long on this text")
			 : cel_bool(found);
}

/* --- to numbers ------------------------------------------------------------------------------ */

static struct cel_value
same(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return arg[0];
}

static struct cel_value
int_of_uint(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return arg[0].u > INT64_MAX ? cel_error(a, "integer overflow") : cel_int((int64_t)arg[0].u);
}

static struct cel_value
int_of_double(struct arena *a, const struct cel_value *arg, size_t n)
{
	double d = arg[0].d;

	(void)n;
	if (isnan(d) || d <= -9223372036854775808.0 || d >= 9223372036854775808.0)
		return cel_error(a, "integer overflow");
	return cel_int((int64_t)d);
}

static struct cel_value
int_of_string(struct arena *a, const struct cel_value *arg, size_t n)
{
	char *s = arena_text(a, arg[0].text.p, arg[0].text.len), *end;
	long long v;

	(void)n;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (*end || end == s || errno || strchr(" \t\n\v\f\r", *s))
		return cel_error(a, "type conversion error from 'string' to 'int'");
	return cel_int(v);
}

static struct cel_value
int_of_timestamp(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return cel_int(arg[0].time.s);
}

static struct cel_value
uint_of_int(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return arg[0].i < 0 ? cel_error(a, "unsigned integer overflow")
			    : cel_uint((uint64_t)arg[0].i);
}

static struct cel_value
uint_of_double(struct arena *a, const struct cel_value *arg, size_t n)
{
	double d = arg[0].d;

	(void)n;
	if (isnan(d) || d < 0 || d >= 18446744073709551616.0)
		return cel_error(a, "unsigned integer overflow");
	return cel_uint((uint64_t)d);
}

static struct cel_value
uint_of_string(struct arena *a, const struct cel_value *arg, size_t n)
{
	char *s = arena_text(a, arg[0].text.p, arg[0].text.len), *end;
	unsigned long long v;

	(void)n;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (*end || end == s || errno || *s < '0' || *s > '9')
		return cel_error(a, "type conversion error from 'string' to 'uint'");
	return cel_uint(v);
}

static struct cel_value
double_of_int(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return cel_double((double)arg[0].i);
}

static struct cel_value
double_of_uint(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)a;
	(void)n;
	return cel_double((double)arg[0].u);
}

static struct cel_value
double_of_string(struct arena *a, const struct cel_value *arg, size_t n)
{
	char *s = arena_text(a, arg[0].text.p, arg[0].text.len), *end;
	double v = strtod(s, &end);

	(void)n;
	if (*end || end == s || strchr(" \t\n\v\f\r", *s))
		return cel_error(a, "type conversion error from 'string' to 'double'");
	return cel_double(v);
}

/* --- to text ------------------------------------------------------------------------------------
 */

static struct cel_value
string_of_int(struct arena *a, const struct cel_value *arg, size_t n)
{
	char text[32];

	(void)n;
	snprintf(text, sizeof text, "%lld", (long long)arg[0].i);
	return cel_string(a, text);
}

static struct cel_value
string_of_uint(struct arena *a, const struct cel_value *arg, size_t n)
{
	char text[32];

	(void)n;
	snprintf(text, sizeof text, "%llu", (unsigned long long)arg[0].u);
	return cel_string(a, text);
}

/* The shortest text that reads back as the same number, as Go's %g with precision -1. */
static struct cel_value
string_of_double(struct arena *a, const struct cel_value *arg, size_t n)
{
	char text[40];
	double d = arg[0].d;
	int digits = 1;
	char *e;

	(void)n;
	if (isnan(d))
		return cel_string(a, "NaN");
	if (isinf(d))
		return cel_string(a, d > 0 ? "+Inf" : "-Inf");
	do
		snprintf(text, sizeof text, "%.*e", digits - 1, d);
	while (strtod(text, NULL) != d && digits++ < 17);
	e = strchr(text, 'e');
	if (atoi(e + 1) >= -4 && atoi(e + 1) < 21) {
		int after = digits - 1 - atoi(e + 1);

		snprintf(text, sizeof text, "%.*f", after > 0 ? after : 0, d);
	}
	return cel_string(a, text);
}

static struct cel_value
string_of_bool(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return cel_string(a, arg[0].b ? "true" : "false");
}

static struct cel_value
string_of_bytes(struct arena *a, const struct cel_value *arg, size_t n)
{
	struct cel_value v = arg[0];
	size_t len;

	(void)n;
	for (size_t i = 0; i < v.text.len; i += len)
		if ((len = text_utf8(v.text.p + i, v.text.len - i)) == 0)
			return cel_error(a, "invalid UTF-8 in bytes, cannot convert to string");
	v.kind = CEL_STRING;
	return v;
}

static struct cel_value
string_of_timestamp(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return cel_string(a, cel_print_timestamp(a, arg[0]));
}

static struct cel_value
string_of_duration(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	return cel_string(a, cel_print_duration(a, arg[0]));
}

static struct cel_value
bytes_of_string(struct arena *a, const struct cel_value *arg, size_t n)
{
	struct cel_value v = arg[0];

	(void)a;
	(void)n;
	v.kind = CEL_BYTES;
	return v;
}

static struct cel_value
bool_of_string(struct arena *a, const struct cel_value *arg, size_t n)
{
	static const char *const yes[] = { "1", "t", "true", "TRUE", "True", "T", NULL };
	static const char *const no[] = { "0", "f", "false", "FALSE", "False", "F", NULL };
	char *s = arena_text(a, arg[0].text.p, arg[0].text.len);

	(void)n;
	if (text_in(s, yes) || text_in(s, no))
		return cel_bool(text_in(s, yes));
	return cel_error(a, "type conversion error from 'string' to 'bool'");
}

/* --- to time
 * --------------------------------------------------------------------------------------- */

static struct cel_value
timestamp_of_string(struct arena *a, const struct cel_value *arg, size_t n)
{
	struct cel_value v;

	(void)n;
	return cel_parse_timestamp(arg[0].text.p, arg[0].text.len, &v)
		   ? v
		   : cel_error(
			 a, "type conversion error from 'string' to 'google.protobuf.Timestamp'");
}

static struct cel_value
timestamp_of_int(struct arena *a, const struct cel_value *arg, size_t n)
{
	(void)n;
	if (arg[0].i < INT64_C(-62135596800) || arg[0].i > INT64_C(253402300799))
		return cel_error(a, "timestamp overflow");
	return (struct cel_value){ .kind = CEL_TIMESTAMP, .time = { arg[0].i, 0 } };
}

static struct cel_value
duration_of_string(struct arena *a, const struct cel_value *arg, size_t n)
{
	struct cel_value v;

	(void)n;
	return cel_parse_duration(arg[0].text.p, arg[0].text.len, &v)
		   ? v
		   : cel_error(
			 a, "type conversion error from 'string' to 'google.protobuf.Duration'");
}

struct cel_value
cel_string_of(struct arena *a, struct cel_value v)
{
	switch (v.kind) {
	case CEL_STRING:
		return v;
	case CEL_BOOL:
		return string_of_bool(a, &v, 1);
	case CEL_INT:
		return string_of_int(a, &v, 1);
	case CEL_UINT:
		return string_of_uint(a, &v, 1);
	case CEL_DOUBLE:
		return string_of_double(a, &v, 1);
	case CEL_BYTES:
		return string_of_bytes(a, &v, 1);
	case CEL_TIMESTAMP:
		return string_of_timestamp(a, &v, 1);
	case CEL_DURATION:
		return string_of_duration(a, &v, 1);
	default:
		return cel_error(a, "no such overload");
	}
}

const struct cel_function cel_std_text[] = {
	{ "contains", "contains_string", "string.(string) bool", contains, cost_of_contains },
	{ "startsWith", "starts_with_string", "string.(string) bool", starts_with, cel_cost_scan },
	{ "endsWith", "ends_with_string", "string.(string) bool", ends_with, cel_cost_scan },
	{ "matches", "matches", "(string, string) bool", matches, cost_of_matches },
	{ "matches", "matches_string", "string.(string) bool", matches, cost_of_matches },
	{ "int", "int64_to_int64", "(int) int", same, NULL },
	{ "int", "uint64_to_int64", "(uint) int", int_of_uint, NULL },
	{ "int", "double_to_int64", "(double) int", int_of_double, NULL },
	{ "int", "string_to_int64", "(string) int", int_of_string, NULL },
	{ "int", "timestamp_to_int64", "(timestamp) int", int_of_timestamp, NULL },
	{ "uint", "uint64_to_uint64", "(uint) uint", same, NULL },
	{ "uint", "int64_to_uint64", "(int) uint", uint_of_int, NULL },
	{ "uint", "double_to_uint64", "(double) uint", uint_of_double, NULL },
	{ "uint", "string_to_uint64", "(string) uint", uint_of_string, NULL },
	{ "double", "double_to_double", "(double) double", same, NULL },
	{ "double", "int64_to_double", "(int) double", double_of_int, NULL },
	{ "double", "uint64_to_double", "(uint) double", double_of_uint, NULL },
	{ "double", "string_to_double", "(string) double", double_of_string, NULL },
	{ "bool", "bool_to_bool", "(bool) bool", same, NULL },
	{ "bool", "string_to_bool", "(string) bool", bool_of_string, NULL },
	{ "string", "string_to_string", "(string) string", same, NULL },
	{ "string", "bool_to_string", "(bool) string", string_of_bool, NULL },
	{ "string", "int64_to_string", "(int) string", string_of_int, NULL },
	{ "string", "uint64_to_string", "(uint) string", string_of_uint, NULL },
	{ "string", "double_to_string", "(double) string", string_of_double, NULL },
	{ "string", "bytes_to_string", "(bytes) string", string_of_bytes, cel_cost_scan },
	{ "string", "timestamp_to_string", "(timestamp) string", string_of_timestamp, NULL },
	{ "string", "duration_to_string", "(duration) string", string_of_duration, NULL },
	{ "bytes", "bytes_to_bytes", "(bytes) bytes", same, NULL },
	{ "bytes", "string_to_bytes", "(string) bytes", bytes_of_string, cel_cost_scan },
	{ "timestamp", "timestamp_to_timestamp", "(timestamp) timestamp", same, NULL },
	{ "timestamp", "string_to_timestamp", "(string) timestamp", timestamp_of_string, NULL },
	{ "timestamp", "int64_to_timestamp", "(int) timestamp", timestamp_of_int, NULL },
	{ "duration", "duration_to_duration", "(duration) duration", same, NULL },
	{ "duration", "string_to_duration", "(string) duration", duration_of_string, NULL },
	{ 0 },
};
