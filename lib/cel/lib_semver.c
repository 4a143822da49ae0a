/* Semantic versions (semver.org 2.0.0; Kubernetes' library/semverlib.go). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cel/library.h"

const struct cel_type cel_semver_type = { .kind = CEL_T_OPAQUE, .name = "kubernetes.Semver" };

struct version {
	uint64_t number[3]; /* major, minor, patch */
	const char *pre;    /* "alpha.1", "" for none */
};

static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";

/* A number without leading zeroes at p, which ends it at one of `ends`; NULL, or what is wrong. */
static const char *
read_number(const char **p, uint64_t *ret, const char *what, struct arena *a)
{
	size_t n = strspn(*p, "0123456789");
	char *part = arena_text(a, *p, n);

	if (n == 0 || ((*p)[n] && !strchr(".-+", (*p)[n])))
		return cel_error(a, "Invalid character(s) found in %s number \"%.*s\"", what,
		    (int)strcspn(*p, ".-+"), *p)
		    .text.p;
	if (n > 1 && *part == '0')
		return cel_error(a, "%s number must not contain leading zeroes \"%s\"",
		    strcmp(what, "major") == 0	 ? "Major"
		    : strcmp(what, "minor") == 0 ? "Minor"
						 : "Patch",
		    part)
		    .text.p;
	*ret = 0;
	for (size_t i = 0; i < n; i++)
		if (__builtin_mul_overflow(*ret, 10, ret) ||
		    __builtin_add_overflow(*ret, (uint64_t)(part[i] - '0'), ret))
			return "value out of range";
	*p += n;
	return NULL;
}

/* Identifiers with dots between them; those of a prerelease that are numbers begin with no zero. */
static const char *
check_parts(const char *s, size_t len, bool pre, struct arena *a)
{
	for (const char *end = s + len;; s++) {
		size_t n = 0;

		while (s + n < end && s[n] != '.')
			n++;
		if (n == 0)
			return pre ? "Prerelease is empty" : "Build meta data is empty";
		if (strspn(s, letters) < n)
			return cel_error(a, "Invalid character(s) found in %s \"%.*s\"",
			    pre ? "prerelease" : "build meta data", (int)n, s)
			    .text.p;
		if (pre && n > 1 && *s == '0' && strspn(s, "0123456789") >= n)
			return cel_error(a,
			    "Numeric PreRelease version must not contain leading zeroes \"%.*s\"",
			    (int)n, s)
			    .text.p;
		if ((s += n) == end)
			return NULL;
	}
}

/* NULL, or what is wrong (in the arena). */
static const char *
parse(const char *s, struct version *v, struct arena *a)
{
	static const char *const names[] = { "major", "minor", "patch" };
	const char *why, *p = s;

	v->pre = "";
	if (!*s)
		return "Version string empty";
	for (int i = 0; i < 3; i++) {
		if ((why = read_number(&p, &v->number[i], names[i], a)))
			return why;
		if (i < 2 && *p++ != '.')
			return "No Major.Minor.Patch elements found";
	}
	if (*p == '-') {
		size_t n = strcspn(++p, "+");

		if ((why = check_parts(p, n, true, a)))
			return why;
		v->pre = arena_text(a, p, n);
		p += n;
	}
	if (*p == '+') {
		p++;
		return check_parts(p, strlen(p), false, a);
	}
	return *p ? "No Major.Minor.Patch elements found" : NULL;
}

/* "v1.02" as "1.2.0"; NULL when it is too short for what follows it. */
static const char *
normalized(const char *s, struct arena *a)
{
	char *out = arena_alloc(a, strlen(s) + 16);
	size_t n = 0;
	int parts = 0;

	s += *s == 'v';
	while (parts < 3) {
		size_t len = parts < 2 ? strcspn(s, ".") : strlen(s), zeros = strspn(s, "0");

		if (parts < 2 && s[len] == '\0' && memchr(s, '+', len) != NULL)
			return NULL;
		if (parts < 2 && s[len] == '\0' && memchr(s, '-', len) != NULL)
			return NULL;
		if (zeros > len)
			zeros = len;
		if (len <= 1)
			zeros = 0;
		else if (zeros && (zeros == len || !isdigit((unsigned char)s[zeros])))
			zeros--;
		if (parts++)
			out[n++] = '.';
		memcpy(out + n, s + zeros, len - zeros);
		n += len - zeros;
		s += len;
		if (!*s)
			break;
		s++;
	}
	for (; parts < 3; parts++) {
		out[n++] = '.';
		out[n++] = '0';
	}
	out[n] = '\0';
	return out;
}

/* Of two identifiers: numbers by value and before words. */
static int
order_parts(const char *x, size_t m, const char *y, size_t n)
{
	bool a = strspn(x, "0123456789") >= m, b = strspn(y, "0123456789") >= n;
	int r;

	if (a != b)
		return a ? -1 : 1;
	if (a && m != n)
		return m < n ? -1 : 1;
	r = memcmp(x, y, m < n ? m : n);
	return r ? (r < 0 ? -1 : 1) : (m > n) - (m < n);
}

/* semver.org, 11: a prerelease comes before its release. */
static int
order_pre(const char *x, const char *y)
{
	if (!*x || !*y)
		return !*x - !*y;
	for (;;) {
		size_t m = strcspn(x, "."), n = strcspn(y, ".");
		int r = order_parts(x, m, y, n);

		if (r)
			return r;
		x += m;
		y += n;
		if (!*x || !*y)
			return (*x != '\0') - (*y != '\0');
		x++;
		y++;
	}
}

static int
order(const struct version *x, const struct version *y)
{
	for (int i = 0; i < 3; i++)
		if (x->number[i] != y->number[i])
			return x->number[i] < y->number[i] ? -1 : 1;
	return order_pre(x->pre, y->pre);
}

static bool
same(const void *x, const void *y)
{
	return order(x, y) == 0;
}

static struct cel_value
read_version(struct arena *a, const struct cel_value *arg, size_t n)
{
	const char *s = arena_text(a, arg[0].text.p, arg[0].text.len), *why;
	struct version *v = arena_alloc(a, sizeof *v);

	if (strlen(s) != arg[0].text.len)
		return cel_error(a, "No Major.Minor.Patch elements found");
	if (n > 1 && arg[1].b && !(s = normalized(s, a)))
		return cel_error(a, "short version cannot contain PreRelease/Build meta data");
	if ((why = parse(s, v, a)))
		return cel_error(a, "%s", why);
	return cel_opaque_of(a, &cel_semver_type, v, same);
}

CEL_FN(make)
{
	return read_version(a, arg, n);
}

CEL_FN(is_semver)
{
	return cel_bool(read_version(a, arg, n).kind != CEL_ERROR);
}

static const struct version *
version_of(const struct cel_value *v)
{
	return v->opaque->data;
}

CEL_FN(major_of)
{
	return cel_int((int64_t)version_of(arg)->number[0]);
}

CEL_FN(minor_of)
{
	return cel_int((int64_t)version_of(arg)->number[1]);
}

CEL_FN(patch_of)
{
	return cel_int((int64_t)version_of(arg)->number[2]);
}

CEL_FN(compare)
{
	return cel_int(order(version_of(arg), version_of(arg + 1)));
}

CEL_FN(greater)
{
	return cel_bool(order(version_of(arg), version_of(arg + 1)) > 0);
}

CEL_FN(less)
{
	return cel_bool(order(version_of(arg), version_of(arg + 1)) < 0);
}

#define V "kubernetes.Semver"

const struct cel_function cel_lib_semver[] = {
	{ "semver", "string_to_semver", "(string) " V, make, cel_cost_scan },
	{ "semver", "string_bool_to_semver", "(string, bool) " V, make, cel_cost_scan },
	{ "isSemver", "is_semver_string", "(string) bool", is_semver, cel_cost_scan },
	{ "isSemver", "is_semver_string_bool", "(string, bool) bool", is_semver, cel_cost_scan },
	{ "isGreaterThan", "semver_is_greater_than", V ".(" V ") bool", greater, NULL },
	{ "isLessThan", "semver_is_less_than", V ".(" V ") bool", less, NULL },
	{ "compareTo", "semver_compare_to", V ".(" V ") int", compare, NULL },
	{ "major", "semver_major", V ".() int", major_of, NULL },
	{ "minor", "semver_minor", V ".() int", minor_of, NULL },
	{ "patch", "semver_patch", V ".() int", patch_of, NULL },
	{ 0 },
};
