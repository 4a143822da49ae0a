/* Named formats (Kubernetes' library/format.go): format.dns1123Label().validate(x). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"
#include "cel/library.h"

const struct cel_type cel_format_type = { .kind = CEL_T_OPAQUE, .name = "kubernetes.NamedFormat" };

/* What is wrong with a text: up to as many words as there is room for. */
struct wrong {
	struct arena *a;
	const char *words[4];
	size_t n;
};

struct named {
	const char *name;
	void (*check)(struct wrong *w, const char *s, bool prefix);
	bool prefix;  /* of a generated name: what follows makes its end fine */
	size_t regex; /* how long a regular expression of it would be: for the cost */
};

static void
complain(struct wrong *w, const char *words)
{
	if (w->n < COUNT(w->words))
		w->words[w->n++] = words;
}

static void
check_length(struct wrong *w, const char *s, size_t most)
{
	if (strlen(s) > most)
		complain(w, cel_error(w->a, "must be no more than %zu characters", most).text.p);
}

/* Kubernetes takes the dash at the end of a prefix for a letter. */
static const char *
with_end(struct wrong *w, const char *s, bool prefix)
{
	size_t n = strlen(s);
	char *copy;

	if (!prefix || n < 2 || s[n - 1] != '-')
		return s;
	copy = arena_text(w->a, s, n);
	copy[n - 2] = 'a';
	copy[n - 1] = '\0';
	return copy;
}

#define SHAPE "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define NAME_SHAPE "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

static void
check_label(struct wrong *w, const char *whole, bool prefix)
{
	const char *s = with_end(w, whole, prefix);

	check_length(w, s, 63);
	if (text_dns_label(s, strlen(s)))
		return;
	complain(w,
	    text_dns_subdomain(s, strlen(s))
		? "must not contain dots"
		: "a lowercase RFC 1123 label must consist of lower case alphanumeric characters "
		  "or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  "
		  "or '123-abc', regex used for validation is '" SHAPE "')");
}

static const char subdomain_words[] =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '" SHAPE "(\\." SHAPE ")*')";

static void
check_subdomain(struct wrong *w, const char *whole, bool prefix)
{
	const char *s = with_end(w, whole, prefix);

	check_length(w, s, 253);
	if (!text_dns_subdomain(s, strlen(s)))
		complain(w, subdomain_words);
}

static void
check_1035(struct wrong *w, const char *whole, bool prefix)
{
	const char *s = with_end(w, whole, prefix);

	check_length(w, s, 63);
	if (!text_dns_label(s, strlen(s)) || isdigit((unsigned char)*s))
		complain(w,
		    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
		    "start with an alphabetic character, and end with an alphanumeric character "
		    "(e.g. 'my-name',  or 'abc-123', regex used for validation is "
		    "'[a-z]([-a-z0-9]*[a-z0-9])?')");
}

static bool
name_fits(const char *s)
{
	size_t n = strlen(s);

	if (!n || !isalnum((unsigned char)s[0]) || !isalnum((unsigned char)s[n - 1]))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("-_.", *s))
			return false;
	return true;
}

static void
check_label_value(struct wrong *w, const char *s, bool prefix)
{
	(void)prefix;
	check_length(w, s, 63);
	if (*s && !name_fits(s))
		complain(w,
		    "a valid label must be an empty string or consist of alphanumeric characters, "
		    "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
		    "'MyValue',  or 'my_value',  or '12345', regex used for validation is "
		    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')");
}

#define NAME_WORDS                                                                                \
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "  \
	"an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for " \
	"validation is '" NAME_SHAPE "')"

static void
check_qualified(struct wrong *w, const char *s, bool prefix)
{
	const char *slash = strchr(s, '/'), *name = slash ? slash + 1 : s;

	(void)prefix;
	if (slash && strchr(name, '/')) {
		complain(w, "a qualified name " NAME_WORDS
			    " with an optional DNS subdomain prefix and '/' (e.g. "
			    "'example.com/MyName')");
		return;
	}
	if (slash == s) {
		complain(w, "prefix part must be non-empty");
	} else if (slash) {
		const char *domain = arena_text(w->a, s, (size_t)(slash - s));

		if (strlen(domain) > 253)
			complain(w, "prefix part must be no more than 253 characters");
		if (!text_dns_subdomain(domain, strlen(domain)))
			complain(w, cel_error(w->a, "prefix part %s", subdomain_words).text.p);
	}
	if (!*name)
		complain(w, "name part must be non-empty");
	else if (strlen(name) > 63)
		complain(w, "name part must be no more than 63 characters");
	if (!name_fits(name))
		complain(w, "name part " NAME_WORDS);
}

static void
check_uri(struct wrong *w, const char *s, bool prefix)
{
	const char *why = cel_url_refused(w->a, s, strlen(s));

	(void)prefix;
	if (why)
		complain(w, cel_error(w->a, "parse \"%s\": %s", s, why).text.p);
}

/* Eight hex digits, three times four, twelve; the dashes may be missing. */
static void
check_uuid(struct wrong *w, const char *s, bool prefix)
{
	static const int groups[] = { 8, 4, 4, 4, 12 };
	const char *p = s;

	(void)prefix;
	for (size_t i = 0; i < COUNT(groups); i++) {
		p += i && *p == '-';
		for (int n = 0; n < groups[i]; n++, p++)
			if (!isxdigit((unsigned char)*p)) {
				complain(w, "does not match the UUID format");
				return;
			}
	}
	if (*p)
		complain(w, "does not match the UUID format");
}

static void
check_byte(struct wrong *w, const char *s, bool prefix)
{
	size_t bad;

	(void)prefix;
	if (!*s || strpbrk(s, "\r\n") || !bytes_valid(s, &bad))
		complain(w, "invalid base64");
}

static bool
digits(const char **p, int n, int *v)
{
	for (*v = 0; n-- > 0; (*p)++) {
		if (!isdigit((unsigned char)**p))
			return false;
		*v = *v * 10 + **p - '0';
	}
	return true;
}

/* 2006-01-02, a day that there is. */
static bool
date_at(const char **p)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int y, m, d;

	if (!digits(p, 4, &y) || *(*p)++ != '-' || !digits(p, 2, &m) || *(*p)++ != '-' ||
	    !digits(p, 2, &d))
		return false;
	return m >= 1 && m <= 12 && d >= 1 &&
	       d <= days[m - 1] + (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
}

static void
check_date(struct wrong *w, const char *s, bool prefix)
{
	(void)prefix;
	if (!date_at(&s) || *s)
		complain(w, "invalid date");
}

static bool
datetime_fits(const char *s)
{
	int h, m, sec, zone_h, zone_m;
	size_t n;

	if (!date_at(&s) || (*s != 'T' && *s != 't'))
		return false;
	s++;
	if (!digits(&s, 2, &h) || *s++ != ':' || !digits(&s, 2, &m) || *s++ != ':' ||
	    !digits(&s, 2, &sec) || h > 23 || m > 59 || sec > 59)
		return false;
	if (*s == '.') {
		if (!(n = strspn(++s, "0123456789")))
			return false;
		s += n;
	}
	if (*s == 'Z' || *s == 'z')
		return !s[1];
	if (*s != '+' && *s != '-')
		return false;
	s++;
	return digits(&s, 2, &zone_h) && *s++ == ':' && digits(&s, 2, &zone_m) && !*s;
}

static void
check_datetime(struct wrong *w, const char *s, bool prefix)
{
	(void)prefix;
	if (!datetime_fits(s))
		complain(w, "invalid datetime");
}

static const struct named formats[] = {
	{ "dns1123Label", check_label, false, 30 },
	{ "dns1123Subdomain", check_subdomain, false, 60 },
	{ "dns1035Label", check_1035, false, 30 },
	{ "qualifiedName", check_qualified, false, 60 },
	{ "dns1123LabelPrefix", check_label, true, 30 },
	{ "dns1123SubdomainPrefix", check_subdomain, true, 60 },
	{ "dns1035LabelPrefix", check_1035, true, 30 },
	{ "labelValue", check_label_value, false, 40 },
	{ "uri", check_uri, false, 1000 },
	{ "uuid", check_uuid, false, 85 },
	{ "byte", check_byte, false, 84 },
	{ "date", check_date, false, 71 },
	{ "datetime", check_datetime, false, 71 },
};

static bool
same(const void *x, const void *y)
{
	return x == y;
}

static struct cel_value
format_of(struct arena *a, size_t i)
{
	return cel_opaque_of(a, &cel_format_type, &formats[i], same);
}

CEL_FN(named)
{
	for (size_t i = 0; i < COUNT(formats); i++)
		if (strlen(formats[i].name) == arg[0].text.len &&
		    memcmp(formats[i].name, arg[0].text.p, arg[0].text.len) == 0)
			return cel_optional_of(a, format_of(a, i));
	return cel_optional_none();
}

CEL_FN(validate)
{
	const struct named *f = arg[0].opaque->data;
	const char *s = arena_text(a, arg[1].text.p, arg[1].text.len);
	struct wrong w = { .a = a };
	struct cel_value *items;

	f->check(&w, s, f->prefix);
	if (w.n == 0)
		return cel_optional_none();
	items = arena_alloc(a, w.n * sizeof *items);
	for (size_t i = 0; i < w.n; i++)
		items[i] = cel_string(a, w.words[i]);
	return cel_optional_of(a, cel_list_of(a, items, w.n));
}

CEL_COST(cost_of_validate)
{
	const struct named *f = arg[0].opaque->data;

	return cel_tenth(cel_size(arg[1]) + 1) * ((f->regex + 3) / 4);
}

#define FORMAT(i)                       \
	CEL_FN(format_##i)              \
	{                               \
		return format_of(a, i); \
	}
FORMAT(0)
FORMAT(1)
FORMAT(2)
FORMAT(3)
FORMAT(4)
FORMAT(5)
FORMAT(6)
FORMAT(7)
FORMAT(8)
FORMAT(9)
FORMAT(10)
FORMAT(11)
FORMAT(12)

#define F "kubernetes.NamedFormat"
#define MAKES(name, i)                                                    \
	{                                                                 \
		"format." name, "format." name, "() " F, format_##i, NULL \
	}

const struct cel_function cel_lib_named[] = {
	MAKES("dns1123Label", 0),
	MAKES("dns1123Subdomain", 1),
	MAKES("dns1035Label", 2),
	MAKES("qualifiedName", 3),
	MAKES("dns1123LabelPrefix", 4),
	MAKES("dns1123SubdomainPrefix", 5),
	MAKES("dns1035LabelPrefix", 6),
	MAKES("labelValue", 7),
	MAKES("uri", 8),
	MAKES("uuid", 9),
	MAKES("byte", 10),
	MAKES("date", 11),
	MAKES("datetime", 12),
	{ "format.named", "format-named", "(string) optional(" F ")", named, NULL },
	{ "validate", "format-validate", F ".(string) optional(list(string))", validate,
	    cost_of_validate },
	{ 0 },
};
