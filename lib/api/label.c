#include <stdbool.h>
#include <string.h>

#include "api/label.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum { NAME_MAX_BYTES = 63, PREFIX_MAX_BYTES = 253 };

static const char name_shape[] =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
static const char value_shape[] =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value', "
    " or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
static const char prefix_shape[] =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

static bool
alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

static bool
name_fits(const char *s, size_t n)
{
	if (n == 0 || !alnum(s[0]) || !alnum(s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!alnum(s[i]) && s[i] != '-' && s[i] != '_' && s[i] != '.')
			return false;
	return true;
}

static void
reason(struct buf *b, const char *part, const char *why)
{
	buf_printf(b, "%s%s%s", b->len ? "; " : "", part, why);
}

char *
label_key_refused(const char *key)
{
	const char *slash = strchr(key, '/');
	const char *name = slash ? slash + 1 : key;
	struct buf b = BUF_INIT;

	if (slash && strchr(name, '/'))
		return xasprintf("a valid label key %s with an optional DNS subdomain prefix and "
				 "'/' (e.g. 'example.com/MyName')",
		    name_shape);
	if (slash == key)
		reason(&b, "prefix part ", "must be non-empty");
	if (slash > key && slash - key > PREFIX_MAX_BYTES)
		reason(&b, "prefix part ", "must be no more than 253 bytes");
	if (slash > key && !text_dns_subdomain(key, (size_t)(slash - key)))
		reason(&b, "prefix part ", prefix_shape);
	if (*name == '\0')
		reason(&b, "name part ", "must be non-empty");
	if (strlen(name) > NAME_MAX_BYTES)
		reason(&b, "name part ", "must be no more than 63 bytes");
	if (!name_fits(name, strlen(name)))
		reason(&b, "name part ", name_shape);
	return b.len ? buf_detach(&b) : NULL;
}

char *
label_value_refused(const char *value)
{
	struct buf b = BUF_INIT;

	if (strlen(value) > NAME_MAX_BYTES)
		reason(&b, "", "must be no more than 63 bytes");
	if (*value && !name_fits(value, strlen(value)))
		reason(&b, "", value_shape);
	return b.len ? buf_detach(&b) : NULL;
}
