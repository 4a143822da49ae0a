/* The formats of names (apimachinery util/validation): each check says what is wrong, or nothing.
 */
#include <stdint.h>
#include <string.h>

#include "api/check.h"
#include "api/label.h"
#include "base/mem.h"
#include "base/text.h"

#define LABEL_SHAPE "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

static void
check_length(struct causes *out, const struct path *at, const char *text, size_t max)
{
	if (strlen(text) > max)
		refuse_text(out, at, text, "must be no more than %zu characters", max);
}

void
check_dns_label(struct causes *out, const struct path *at, const char *text)
{
	check_length(out, at, text, 63);
	if (text_dns_label(text, strlen(text)))
		return;
	if (text_dns_subdomain(text, strlen(text)))
		refuse_text(out, at, text, "must not contain dots");
	else
		refuse_text(out, at, text,
		    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters "
		    "or '-', and must "
		    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
		    "regex used for "
		    "validation is '" LABEL_SHAPE "')");
}

void
check_dns_subdomain(struct causes *out, const struct path *at, const char *text)
{
	check_length(out, at, text, 253);
	if (!text_dns_subdomain(text, strlen(text)))
		refuse_text(out, at, text,
		    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
		    "characters, '-' or '.', "
		    "and must start and end with an alphanumeric character (e.g. 'example.com', "
		    "regex used for "
		    "validation is '" LABEL_SHAPE "(\\." LABEL_SHAPE ")*')");
}

void
check_dns_1035(struct causes *out, const struct path *at, const char *text)
{
	check_length(out, at, text, 63);
	if (!text_dns_label(text, strlen(text)) || (*text >= '0' && *text <= '9'))
		refuse_text(out, at, text,
		    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
		    "start with an "
		    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name', "
		    " or 'abc-123', "
		    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')");
}

/* Each of the reasons, which stand in one text with "; " between them. */
static void
refuse_each(struct causes *out, const struct path *at, const char *text, char *reasons)
{
	for (char *r = reasons, *end; r; r = end) {
		if ((end = strstr(r, "; "))) {
			*end = '\0';
			end += 2;
		}
		refuse_text(out, at, text, "%s", r);
	}
}

void
check_qualified_name(struct causes *out, const struct path *at, const char *text)
{
	autofree char *reasons = label_key_refused(text);

	refuse_each(out, at, text, reasons);
}

void
check_label_value(struct causes *out, const struct path *at, const char *text)
{
	autofree char *reasons = label_value_refused(text);

	refuse_each(out, at, text, reasons);
}

/* A name that can stand in a URL (Roles are called "system:node"). */
void
check_path_segment(struct causes *out, const struct path *at, const char *text)
{
	if (!strcmp(text, ".") || !strcmp(text, ".."))
		refuse_text(out, at, text, "may not be '%s'", text);
	if (strchr(text, '/'))
		refuse_text(out, at, text, "may not contain '/'");
	if (strchr(text, '%'))
		refuse_text(out, at, text, "may not contain '%%'");
}

/* At least so many names with dots between them; one at the end does not count when two will do. */
void
check_domain(struct causes *out, const struct path *at, const char *text, unsigned least)
{
	size_t n = strlen(text);
	autofree char *name = xstrndup(text, n - (least == 2 && n && text[n - 1] == '.'));
	size_t dots = 0;

	if (!*text) {
		refuse_required(out, at, "");
		return;
	}
	for (const char *p = name; *p; p++)
		dots += *p == '.';
	if (!text_dns_subdomain(name, strlen(name)) || strlen(name) > 253)
		check_dns_subdomain(out, at, name);
	else if (dots + 1 < least)
		refuse_text(out, at, name,
		    "should be a domain with at least %s segments separated by dots",
		    least == 2 ? "two" : "three");
}

#define PATH_SHAPE "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"

void
check_prefixed_path(struct causes *out, const struct path *at, const char *text)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789/-._~%!$&'()*+,;=:";
	const char *slash = strchr(text, '/');
	autofree char *host = NULL;

	if (!*text) {
		refuse_required(out, at, "");
		return;
	}
	if (!slash || slash == text || !slash[1]) {
		refuse_text(
		    out, at, text, "must be a domain-prefixed path (such as \"acme.io/foo\")");
		return;
	}
	host = xstrndup(text, (size_t)(slash - text));
	check_dns_subdomain(out, at, host);
	if (slash[1 + strspn(slash + 1, chars)])
		refuse_text(out, at, slash + 1, "Invalid path (regex used for validation is '%s')",
		    PATH_SHAPE);
}

void
check_config_key(struct causes *out, const struct path *at, const char *text)
{
	size_t n = strlen(text);

	check_length(out, at, text, 253);
	if (!n ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") < n)
		refuse_text(out, at, text,
		    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
		    "(e.g. 'key.name',  or "
		    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')");
	if (!strcmp(text, ".") || !strcmp(text, ".."))
		refuse_text(out, at, text, "must not be '%s'", text);
	else if (!strncmp(text, "..", 2))
		refuse_text(out, at, text, "must not start with '..'");
}

void
check_env_name(struct causes *out, const struct path *at, const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p < ' ' || *p > '~' || *p == '=') {
			refuse_text(out, at, text,
			    "a valid environment variable name must consist only of printable "
			    "ASCII characters other than '='");
			return;
		}
}

/* IANA service names (RFC 6335 section 5.1). */
void
check_port_name(struct causes *out, const struct path *at, const char *text)
{
	size_t n = strlen(text);

	if (n > 15)
		refuse_text(out, at, text, "must be no more than 15 characters");
	if (!n || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") < n)
		refuse_text(out, at, text,
		    "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
	if (!text[strcspn(text, "abcdefghijklmnopqrstuvwxyz")])
		refuse_text(out, at, text, "must contain at least one letter (a-z)");
	if (strstr(text, "--"))
		refuse_text(out, at, text, "must not contain consecutive hyphens");
	if (n && (text[0] == '-' || text[n - 1] == '-'))
		refuse_text(out, at, text, "must not begin or end with a hyphen");
}

void
check_wildcard(struct causes *out, const struct path *at, const char *text)
{
	if (strncmp(text, "*.", 2) || !text_dns_subdomain(text + 2, strlen(text + 2)))
		refuse_text(out, at, text,
		    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
		    "subdomain, which must "
		    "consist of lower case alphanumeric characters, '-' or '.' and end with an "
		    "alphanumeric character "
		    "(e.g. '*.example.com', regex used for validation is '\\*\\." LABEL_SHAPE
		    "(\\." LABEL_SHAPE ")*')");
}

/* Numbers have no zeros before them; other words may. */
static bool
semver_words(const char *p, size_t n, bool build)
{
	static const char digits[] = "0123456789";
	static const char chars[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
	const char *end = p + n;

	for (;; p++) {
		size_t len = strspn(p, chars);

		if (!len || p + len > end)
			return false;
		if (!build && len > 1 && *p == '0' && strspn(p, digits) >= len)
			return false;
		p += len;
		if (p == end)
			return true;
		if (*p != '.')
			return false;
	}
}

bool
semver_valid(const char *text)
{
	size_t core = strcspn(text, "-+"), pre = 0;
	const char *p = text;

	for (int i = 0; i < 3; i++) {
		size_t n = strspn(p, "0123456789");

		if (!n || (n > 1 && *p == '0'))
			return false;
		p += n;
		if (i < 2 && *p++ != '.')
			return false;
	}
	if (p != text + core)
		return false;
	if (*p == '-') {
		pre = strcspn(++p, "+");
		if (!semver_words(p, pre, false))
			return false;
		p += pre;
	}
	return !*p || semver_words(p + 1, strlen(p + 1), true);
}
