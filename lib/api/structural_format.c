/*
 * The formats of strings that Kubernetes knows (apiextensions lists them; what they mean is
 * kube-openapi's strfmt).  Every other format is ignored.
 */
#include <ctype.h>
#include <string.h>

#include "api/check.h"
#include "api/structural_node.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/time.h"
#include "cel/regex.h"
#include "cel/value.h"

static bool
matches(const char *pattern, const char *p, size_t len)
{
	struct arena a = { 0 };
	const char *why;
	struct cel_regex *r = cel_regex(&a, pattern, strlen(pattern), &why);
	bool ret = r && cel_regex_match(r, p, len) == 1;

	arena_release(&a);
	return ret;
}

static size_t
digits(const char *p, size_t len)
{
	size_t n = 0;

	while (n < len && isdigit((unsigned char)p[n]))
		n++;
	return n;
}

static bool
is_date(const char *p, size_t len)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day;

	if (len != 10 || digits(p, 4) != 4 || p[4] != '-' || digits(p + 5, 2) != 2 || p[7] != '-' ||
	    digits(p + 8, 2) != 2)
		return false;
	year = atoi(p);
	month = atoi(p + 5);
	day = atoi(p + 8);
	if (month < 1 || month > 12 || day < 1)
		return false;
	return day <= days[month - 1] +
			  (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* A date, 't' or a space, and a time with or without fraction and zone. */
static bool
is_date_time(const char *p, size_t len)
{
	if (len < 12 || !is_date(p, 10) || !strchr("Tt ", p[10]))
		return false;
	return matches(
	    "^([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)([.,][0-9]+)?([zZ]|[+-]([01][0-"
	    "9]|2[0-3]):?[0-5][0-9])?$",
	    p + 11, len - 11);
}

/* Go's durations, and those that people write: "3 days". */
static bool
is_duration(const char *p, size_t len)
{
	struct cel_value v;

	return cel_parse_duration(p, len, &v) ||
	       matches(
		   "^\\s*([0-9]+\\s*(ns|nanosecond[s]?|nano[s]?|us|µs|microsecond[s]?|micro[s]?|ms|"
		   "millisecond[s]?|milli[s]?|s|second[s]?|sec[s]?|m|minute[s]?|min[s]?|h|hour[s]?|"
		   "hr[s]?|"
		   "d|day[s]?|w|week[s]?|wk[s]?)\\s*)+$",
		   p, len);
}

static bool
is_byte(const char *p, size_t len)
{
	size_t bad;

	return len && len % 4 == 0 && !strpbrk(p, "\r\n") && bytes_valid(p, &bad);
}

static bool
is_ipv4(const char *p, size_t len)
{
	uint8_t byte[16];

	return len && !strchr(p, ':') && ip_bytes(p, byte) == 32;
}

static bool
is_ipv6(const char *p, size_t len)
{
	uint8_t byte[16];

	return len && strchr(p, ':') && ip_bytes(p, byte);
}

static bool
is_cidr(const char *p, size_t len)
{
	return len && cidr_valid(p);
}

static bool
is_mac(const char *p, size_t len)
{
	return matches(
	    "^([0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){7}|"
	    "[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){19}|[0-9A-Fa-f]{4}([.][0-9A-Fa-f]{4}){2}|"
	    "[0-9A-Fa-f]{4}([.][0-9A-Fa-f]{4}){3}|[0-9A-Fa-f]{4}([.][0-9A-Fa-f]{4}){9})$",
	    p, len);
}

/* The version stands at the start of the third group; some have a variant in the fourth. */
static bool
uuid(const char *p, size_t len, const char *version, const char *variant)
{
	autofree char *pattern = xasprintf("^[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?%s[0-9A-Fa-f]{3}-?%s"
					   "[0-9A-Fa-f]{3}-?[0-9A-Fa-f]{12}$",
	    version, variant);

	return matches(pattern, p, len);
}

static bool
is_uuid(const char *p, size_t len)
{
	return uuid(p, len, "[0-9A-Fa-f]", "[0-9A-Fa-f]");
}

static bool
is_uuid3(const char *p, size_t len)
{
	return uuid(p, len, "3", "[0-9A-Fa-f]");
}

static bool
is_uuid4(const char *p, size_t len)
{
	return uuid(p, len, "4", "[89abAB]");
}

static bool
is_uuid5(const char *p, size_t len)
{
	return uuid(p, len, "5", "[89abAB]");
}

/* A path or an absolute URL, as an HTTP request may name it. */
static bool
is_uri(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			return false;
		if (p[i] == '%' && (i + 2 >= len || !isxdigit((unsigned char)p[i + 1]) ||
				       !isxdigit((unsigned char)p[i + 2])))
			return false;
	}
	return len && (*p == '/' || matches("^[A-Za-z][A-Za-z0-9+.-]*:[^ ]", p, len)) &&
	       !matches("^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]* ", p, len);
}

/* One address, perhaps with a name: "A B <a@b.example>". */
static bool
is_email(const char *p, size_t len)
{
	static const char address[] =
	    "([A-Za-z0-9!#$%&'*+/=?^_`{|}~\\x{80}-\\x{10ffff}-]+([.][A-Za-z0-9!#$%&'*+/"
	    "=?^_`{|}~\\x{80}-\\x{10ffff}-]+)*|\"([^\"\\\\]|\\\\.)*\")@([A-Za-z0-9!#$%&'*+/"
	    "=?^_`{|}~\\x{80}-\\x{10ffff}-]+([.][A-Za-z0-9!#$%&'*+/"
	    "=?^_`{|}~\\x{80}-\\x{10ffff}-]+)*|"
	    "\\[[0-9A-Fa-f.:]+\\])";
	autofree char *pattern = xasprintf(
	    "^[ \t]*(%s|[^<>\"@,;:]*<%s>|\"[^\"]*\"[ \t]*<%s>)[ \t]*$", address, address, address);

	return len <= 4096 && matches(pattern, p, len);
}

/* Names with dots between, of which none is longer than 63 bytes. */
static bool
is_hostname(const char *p, size_t len)
{
	size_t label = 0;

	if (!len || len > 255)
		return false;
	for (size_t i = 0; i < len; i++) {
		label = p[i] == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return matches(
	    "^([a-zA-Z0-9\\p{S}\\p{L}]((-?[a-zA-Z0-9\\p{S}\\p{L}]{0,62})?)|([a-zA-Z0-9\\p{S}"
	    "\\p{L}](([a-zA-Z0-9\\p{S}\\p{L}-]{0,61}[a-zA-Z0-9\\p{S}\\p{L}])?)(\\.)){1,}([a-"
	    "zA-Z0-9\\p{S}\\p{L}])(-?[a-zA-Z0-9\\p{S}\\p{L}]){1,62})$",
	    p, len);
}

/* Digits with a sum over them, with spaces and hyphens between. */
static size_t
plain(const char *p, size_t len, char out[static 32])
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (p[i] != ' ' && p[i] != '-') {
			if (n == 31)
				return 0;
			out[n++] = p[i];
		}
	out[n] = '\0';
	return n;
}

static bool
is_isbn10(const char *p, size_t len)
{
	char text[32];
	int sum = 0;

	if (plain(p, len, text) != 10 || digits(text, 9) != 9)
		return false;
	for (int i = 0; i < 9; i++)
		sum += (i + 1) * (text[i] - '0');
	if (text[9] == 'X')
		sum += 100;
	else if (isdigit((unsigned char)text[9]))
		sum += 10 * (text[9] - '0');
	else
		return false;
	return sum % 11 == 0;
}

static bool
is_isbn13(const char *p, size_t len)
{
	char text[32];
	int sum = 0;

	if (plain(p, len, text) != 13 || digits(text, 13) != 13)
		return false;
	for (int i = 0; i < 13; i++)
		sum += (i % 2 ? 3 : 1) * (text[i] - '0');
	return sum % 10 == 0;
}

static bool
is_isbn(const char *p, size_t len)
{
	return is_isbn10(p, len) || is_isbn13(p, len);
}

static bool
is_credit_card(const char *p, size_t len)
{
	char text[32];
	size_t n = plain(p, len, text);
	int sum = 0;

	if (n < 12 || digits(text, n) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int d = text[n - 1 - i] - '0';

		sum += i % 2 ? d * 2 - (d > 4 ? 9 : 0) : d;
	}
	return sum % 10 == 0;
}

static bool
is_ssn(const char *p, size_t len)
{
	return len == 11 && matches("^[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}$", p, len);
}

static bool
is_hex_color(const char *p, size_t len)
{
	return matches("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", p, len);
}

static bool
is_rgb_color(const char *p, size_t len)
{
	return matches(
	    "^rgb\\( *(0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]) *, *(0|[1-9][0-9]?|1[0-9]"
	    "{2}|2[0-4][0-9]|25[0-5]) *, *(0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]) *\\)$",
	    p, len);
}

static bool
is_object_id(const char *p, size_t len)
{
	return matches("^[0-9a-fA-F]{24}$", p, len);
}

static bool
is_label(const char *p, size_t len)
{
	return len <= 63 && matches("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", p, len);
}

static bool
is_subdomain(const char *p, size_t len)
{
	return len <= 253 &&
	       matches(
		   "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", p, len);
}

static bool
is_anything(const char *p, size_t len)
{
	(void)p;
	(void)len;
	return true;
}

bool (*format_check(const char *name))(const char *text, size_t len)
{
	static const struct {
		const char *name;
		bool (*fits)(const char *text, size_t len);
	} known[] = {
		{ "bsonobjectid", is_object_id },
		{ "byte", is_byte },
		{ "cidr", is_cidr },
		{ "creditcard", is_credit_card },
		{ "date", is_date },
		{ "datetime", is_date_time },
		{ "duration", is_duration },
		{ "email", is_email },
		{ "hexcolor", is_hex_color },
		{ "hostname", is_hostname },
		{ "ipv4", is_ipv4 },
		{ "ipv6", is_ipv6 },
		{ "isbn", is_isbn },
		{ "isbn10", is_isbn10 },
		{ "isbn13", is_isbn13 },
		{ "k8slongname", is_subdomain },
		{ "k8sshortname", is_label },
		{ "mac", is_mac },
		{ "password", is_anything },
		{ "rgbcolor", is_rgb_color },
		{ "ssn", is_ssn },
		{ "uri", is_uri },
		{ "uuid", is_uuid },
		{ "uuid3", is_uuid3 },
		{ "uuid4", is_uuid4 },
		{ "uuid5", is_uuid5 },
	};
	char plain_name[16];
	size_t n = 0;

	for (; *name && n < sizeof plain_name - 1; name++)
		if (*name != '-')
			plain_name[n++] = *name;
	plain_name[n] = '\0';
	for (size_t i = 0; !*name && i < COUNT(known); i++)
		if (!strcmp(plain_name, known[i].name))
			return known[i].fits;
	return NULL;
}
