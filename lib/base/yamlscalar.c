/*
 * What a YAML scalar means: the YAML 1.1 rules of go-yaml v2, which is what
 * Kubernetes reads manifests with.  Facts checked against its resolver: the words below;
 * underscores anywhere in a number; 0b, 0o, 0x and a leading 0; no base 60; a number that
 * does not fit a float stays text.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/yaml.h"
#include "base/yamltag.h"

enum word { NO_WORD, WORD_TRUE, WORD_FALSE, WORD_NULL, WORD_INF, WORD_NAN };

/* In their lower-case form; each may also be capitalised ("Yes") or upper case ("YES"). */
static const struct {
	const char *text;
	enum word means;
} words[] = {
	{ "y", WORD_TRUE },
	{ "yes", WORD_TRUE },
	{ "true", WORD_TRUE },
	{ "on", WORD_TRUE },
	{ "n", WORD_FALSE },
	{ "no", WORD_FALSE },
	{ "false", WORD_FALSE },
	{ "off", WORD_FALSE },
	{ "null", WORD_NULL },
	{ "~", WORD_NULL },
	{ ".nan", WORD_NAN },
	{ ".inf", WORD_INF },
	{ "+.inf", WORD_INF },
	{ "-.inf", WORD_INF },
};

/* Same text in one of the three allowed cases? */
static bool
same_word(const char *text, const char *word, size_t len)
{
	size_t first = strspn(word, "+-."); /* the letter that "capitalised" capitalises */
	bool lower = true, upper = true, title = true;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		char up = (char)toupper((unsigned char)word[i]);

		lower = lower && c == word[i];
		upper = upper && c == up;
		title = title && c == (i == first ? up : word[i]);
	}
	/* ".NaN" is allowed, ".Nan" is not */
	if (strcmp(word, ".nan") == 0)
		title = memcmp(text, ".NaN", 4) == 0;
	return lower || upper || title;
}

static enum word
word_of(const char *text, size_t len)
{
	if (len == 0)
		return WORD_NULL;
	if (len > 5 || !strchr("yYnNtTfFoO~.+-", text[0]))
		return NO_WORD;
	for (size_t i = 0; i < COUNT(words); i++)
		if (strlen(words[i].text) == len && same_word(text, words[i].text, len))
			return words[i].means;
	return NO_WORD;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? and nothing else */
static bool
looks_float(const char *s)
{
	size_t whole, part = 0;

	s += *s == '+' || *s == '-';
	whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.') {
		part = strspn(s + 1, "0123456789");
		s += part + 1;
	}
	if (whole == 0 && part == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		if (!isdigit((unsigned char)*s))
			return false;
		s += strspn(s, "0123456789");
	}
	return *s == '\0';
}

/* The base that a prefix says, moving *s behind it. */
static unsigned
base_of(const char **s)
{
	const char *p = *s;

	if (p[0] != '0' || p[1] == '\0')
		return 10;
	*s += 2;
	switch (p[1]) {
	case 'x':
	case 'X':
		return 16;
	case 'b':
	case 'B':
		return 2;
	case 'o':
	case 'O':
		return 8;
	default:
		*s -= 1;
		return 8;
	}
}

/* A whole number in any base; as a float when 64 bits do not hold it. */
static json_t *
whole_number(const char *s)
{
	bool negative = *s == '-';
	uint64_t n = 0, limit = (uint64_t)INT64_MAX + negative;
	double big = 0;
	bool fits = true;
	unsigned base;

	s += *s == '+' || *s == '-';
	base = base_of(&s);
	if (*s == '\0')
		return NULL;
	for (; *s; s++) {
		unsigned digit = isdigit((unsigned char)*s) ? (unsigned)(*s - '0')
				 : isxdigit((unsigned char)*s)
				     ? (unsigned)(tolower((unsigned char)*s) - 'a' + 10)
				     : 99;

		if (digit >= base)
			return NULL;
		big = big * base + digit;
		if (fits && (__builtin_mul_overflow(n, base, &n) ||
				__builtin_add_overflow(n, digit, &n) || n > limit))
			fits = false;
	}
	if (fits)
		return json_integer(negative ? (json_int_t)(0 - n) : (json_int_t)n);
	if (base == 10)
		return NULL; /* a float of the same text is rounded properly */
	return json_real(negative ? -big : big);
}

/* Kubernetes turns YAML into JSON text, where 1e3 and 1.0 are written as whole numbers. */
static json_t *
float_value(double v)
{
	char text[40];
	long double whole;

	if (v != floor(v) || v >= 0x1p63 || v < -0x1p63)
		return json_real(v);
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	whole = strtold(text, NULL);
	if (whole >= 0x1p63L || whole < -0x1p63L)
		return json_real(v);
	return json_integer((json_int_t)whole);
}

/* A number, or NULL when the text is none. */
static json_t *
number(const char *text, size_t len)
{
	char plain[400], *p = plain;
	json_t *n;
	double v;

	if (len >= sizeof plain)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (text[i] != '_' || text[0] == '.')
			*p++ = text[i];
	*p = '\0';
	if (text[0] != '.' && (n = whole_number(plain)))
		return n;
	if (!looks_float(plain))
		return NULL;
	v = strtod(plain, NULL);
	return isinf(v) ? NULL : float_value(v);
}

json_t *
yaml_scalar(const char *text, size_t len, struct err *err)
{
	json_t *n;

	switch (word_of(text, len)) {
	case WORD_TRUE:
		return json_true();
	case WORD_FALSE:
		return json_false();
	case WORD_NULL:
		return json_null();
	case WORD_INF:
	case WORD_NAN:
		err_set(err, ERR_BAD_REQUEST, "JSON cannot hold %.*s; quote it if it is text",
		    (int)len, text);
		return NULL;
	case NO_WORD:
		break;
	}
	if (strchr("0123456789+-.", text[0]) && (n = number(text, len)))
		return n;
	return json_stringn_nocheck(text, len);
}

bool
yaml_is_special(const char *text, size_t len)
{
	json_t *n;

	if (word_of(text, len) != NO_WORD)
		return true;
	if (!strchr("0123456789+-.", text[0]) || !(n = number(text, len)))
		return false;
	json_decref(n);
	return true;
}

/* --- tags -------------------------------------------------------------------- */

static int
base64_digit(char c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* !!binary: the bytes that base64 stands for, as a string, for JSON has no bytes. */
static json_t *
binary(const char *text, size_t len, struct err *err)
{
	autobuf struct buf out = BUF_INIT;
	unsigned bits = 0;
	size_t n = 0, pad = 0;
	json_t *ret;

	for (size_t i = 0; i < len; i++) {
		int d = base64_digit(text[i]);

		if (text[i] == '\n' || text[i] == '\r')
			continue;
		if (text[i] == '=')
			pad++;
		if ((d < 0 && text[i] != '=') || (d >= 0 && pad))
			goto bad;
		bits = bits << 6 | (unsigned)(d < 0 ? 0 : d);
		if (++n % 4 != 0)
			continue;
		for (size_t k = 0; k < 3 - pad % 4 && pad <= 2; k++)
			buf_putc(&out, (char)(bits >> (16 - 8 * k)));
	}
	if (n % 4 != 0 || pad > 2)
		goto bad;
	ret = memchr(out.len ? out.data : "", '\0', out.len)
		  ? NULL
		  : json_stringn(out.len ? out.data : "", out.len);
	if (!ret)
		err_set(err, ERR_BAD_REQUEST,
		    "!!binary holds bytes that are no text; write the base64 itself as a string");
	return ret;
bad:
	err_set(err, ERR_BAD_REQUEST, "!!binary is not base64");
	return NULL;
}

json_t *
yaml_tagged(const char *tag, const char *text, size_t len, struct err *err)
{
	static const struct {
		const char *name;
		json_type a, b;
	} known[] = {
		{ "bool", JSON_TRUE, JSON_FALSE },
		{ "int", JSON_INTEGER, JSON_INTEGER },
		{ "float", JSON_REAL, JSON_INTEGER },
		{ "null", JSON_NULL, JSON_NULL },
	};
	static const char prefix[] = "tag:yaml.org,2002:";
	json_t *v;

	if (!text_starts(tag, prefix))
		return json_stringn_nocheck(text, len); /* a tag of one's own says nothing */
	tag += strlen(prefix);
	if (strcmp(tag, "binary") == 0)
		return binary(text, len, err);
	for (size_t i = 0; i < COUNT(known); i++) {
		if (strcmp(tag, known[i].name) != 0)
			continue;
		if (!(v = yaml_scalar(text, len, err)))
			return NULL;
		if (json_typeof(v) == known[i].a || json_typeof(v) == known[i].b)
			return v;
		json_decref(v);
		err_set(err, ERR_BAD_REQUEST, "'%.*s' is no !!%s", len > 100 ? 100 : (int)len, text,
		    tag);
		return NULL;
	}
	return json_stringn_nocheck(text, len); /* !!str, !!timestamp and what we do not know */
}

/* The shortest text of a number in single precision, as sigs.k8s.io/yaml makes a key of it. */
static char *
float_key(double v)
{
	char text[40];

	for (int digits = 1; digits <= 9; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtof(text, NULL) == (float)v)
			break;
	}
	return xstrdup(text);
}

char *
yaml_key(const json_t *key)
{
	switch (json_typeof(key)) {
	case JSON_STRING:
		return xstrdup(json_string_value(key));
	case JSON_INTEGER:
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(key));
	case JSON_REAL:
		return float_key(json_real_value(key));
	case JSON_TRUE:
		return xstrdup("true");
	case JSON_FALSE:
		return xstrdup("false");
	default:
		return NULL;
	}
}
