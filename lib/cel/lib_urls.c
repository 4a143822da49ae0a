/* URLs (Kubernetes' library/urls.go), read as Go's net/url does. */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "cel/library.h"

static const struct cel_type url_type = { .kind = CEL_T_OPAQUE, .name = "kubernetes.URL" };

struct span {
	const char *p;
	size_t len;
};

struct url {
	struct span whole, scheme, user, host, path, query;
};

static bool
url_equal(const void *x, const void *y)
{
	const struct url *a = x, *b = y;

	return a->whole.len == b->whole.len && memcmp(a->whole.p, b->whole.p, a->whole.len) == 0;
}

static bool
is_hex(char c)
{
	return isxdigit((unsigned char)c) != 0;
}

static int
nibble(char c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* Are all of its escapes whole?  *bad is one that is not. */
static bool
escapes_fine(struct span s, struct span *bad)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == '%' &&
		    (s.len - i < 3 || !is_hex(s.p[i + 1]) || !is_hex(s.p[i + 2]))) {
			*bad = (struct span){ s.p + i, s.len - i < 3 ? s.len - i : 3 };
			return false;
		}
	return true;
}

/* Escapes undone; bytes that are no UTF-8 then are U+FFFD, for values are texts. */
static struct span
unescape(struct arena *a, struct span s, bool plus)
{
	char *raw = arena_alloc(a, s.len + 1), *out = arena_alloc(a, 3 * s.len + 1);
	size_t n = 0, len = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '%') {
			raw[n++] = (char)(nibble(s.p[i + 1]) << 4 | nibble(s.p[i + 2]));
			i += 2;
		} else {
			raw[n++] = plus && s.p[i] == '+' ? ' ' : s.p[i];
		}
	}
	for (size_t i = 0; i < n;) {
		size_t step = text_utf8(raw + i, n - i);

		memcpy(out + len, step ? raw + i : "\ufffd", step ? step : 3);
		len += step ? step : 3;
		i += step ? step : 1;
	}
	return (struct span){ out, len };
}

static bool
all_of(struct span s, const char *others)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isalnum((unsigned char)s.p[i]) && (!s.p[i] || !strchr(others, s.p[i])))
			return false;
	return true;
}

/* Where the scheme ends: 0 for none, -1 for a colon without one. */
static long
scheme_length(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (isalpha((unsigned char)c))
			continue;
		if (isdigit((unsigned char)c) || (c && strchr("+-.", c))) {
			if (i == 0)
				return 0;
			continue;
		}
		if (c == ':')
			return i ? (long)i : -1;
		return 0;
	}
	return 0;
}

static struct span
until(struct span *s, char c)
{
	const char *at = memchr(s->p, c, s->len);
	struct span first = { s->p, at ? (size_t)(at - s->p) : s->len };

	s->p += first.len;
	s->len -= first.len;
	return first;
}

static bool
port_fine(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (i == 0 ? s.p[i] != ':' : !isdigit((unsigned char)s.p[i]))
			return false;
	return true;
}

/* NULL, or what is wrong (in the arena). */
static const char *
complaint(struct arena *a, const char *words, struct span s)
{
	return cel_error(a, "%s \"%.*s\"", words, (int)s.len, s.p).text.p;
}

static const char *
check_host(struct arena *a, struct span host)
{
	struct span bad;
	const char *end;

	if (host.len && *host.p == '[') {
		struct span port;

		if (!(end = memrchr(host.p, ']', host.len)))
			return "missing ']' in host";
		port = (struct span){ end + 1, host.len - (size_t)(end + 1 - host.p) };
		return port_fine(port) ? NULL : complaint(a, "invalid port", port);
	}
	if ((end = memrchr(host.p, ':', host.len))) {
		struct span port = { end, host.len - (size_t)(end - host.p) };

		if (!port_fine(port))
			return complaint(a, "invalid port", port);
	}
	if (!escapes_fine(host, &bad))
		return complaint(a, "invalid URL escape", bad);
	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.p[i];

		if (c < 0x80 && !isalnum(c) && !strchr("-_.~!$&'()*+,;=:[]<>\"%", c))
			return cel_error(a, "invalid character \"%c\" in host name", c).text.p;
	}
	return NULL;
}

/* What stands between the scheme and the path. */
static const char *
parse_authority(struct arena *a, struct url *u, struct span s)
{
	const char *at = memrchr(s.p, '@', s.len);
	struct span bad;

	u->host = s;
	if (at) {
		u->user = (struct span){ s.p, (size_t)(at - s.p) };
		u->host = (struct span){ at + 1, s.len - (size_t)(at + 1 - s.p) };
		if (!all_of(u->user, "-._:~!$&'()*+,;=%@"))
			return "net/url: invalid userinfo";
		if (!escapes_fine(u->user, &bad))
			return complaint(a, "invalid URL escape", bad);
	}
	return check_host(a, u->host);
}

/* As url.ParseRequestURI: NULL, or what is wrong. */
static const char *
parse(struct arena *a, struct span s, struct url *u)
{
	struct span rest = s, bad;
	const char *why;
	long scheme;

	*u = (struct url){ .whole = s };
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return "net/url: invalid control character in URL";
	if (s.len == 0)
		return "empty url";
	if ((scheme = scheme_length(s)) < 0)
		return "missing protocol scheme";
	if (scheme) {
		u->scheme = (struct span){ s.p, (size_t)scheme };
		rest = (struct span){ s.p + scheme + 1, s.len - (size_t)scheme - 1 };
	}
	u->query = rest;
	rest = until(&u->query, '?');
	if (u->query.len)
		u->query = (struct span){ u->query.p + 1, u->query.len - 1 };
	if (rest.len == 0 || *rest.p != '/')
		return scheme || (rest.len == 1 && *rest.p == '*') ? NULL
								   : "invalid URI for request";
	if (scheme && rest.len >= 2 && rest.p[1] == '/') {
		struct span authority = { rest.p + 2, rest.len - 2 };

		u->path = authority;
		authority = until(&u->path, '/');
		if ((why = parse_authority(a, u, authority)))
			return why;
	} else {
		u->path = rest;
	}
	return escapes_fine(u->path, &bad) ? NULL : complaint(a, "invalid URL escape", bad);
}

const char *
cel_url_refused(struct arena *a, const char *p, size_t len)
{
	struct url u;

	return parse(a, (struct span){ p, len }, &u);
}

CEL_FN(make)
{
	struct span s = { arg[0].text.p, arg[0].text.len };
	struct url *u = arena_alloc(a, sizeof *u);
	const char *why = parse(a, s, u), *hash;

	if (!why && (hash = memchr(s.p, '#', s.len))) {
		/* a fragment belongs to no other part */
		why = parse(a, (struct span){ s.p, (size_t)(hash - s.p) }, u);
		u->whole = s;
	}
	if (why)
		return cel_error(a,
		    "URL parse error during conversion from string: parse \"%.*s\": %s", (int)s.len,
		    s.p, why);
	return cel_opaque_of(a, &url_type, u, url_equal);
}

CEL_FN(is_url)
{
	struct url u;

	return cel_bool(!parse(a, (struct span){ arg[0].text.p, arg[0].text.len }, &u));
}

static const struct url *
url_of(const struct cel_value *arg)
{
	return arg[0].opaque->data;
}

static struct cel_value
text(struct span s)
{
	return cel_text(s.p ? s.p : "", s.len);
}

CEL_FN(get_scheme)
{
	struct span s = url_of(arg)->scheme;
	char *p = arena_alloc(a, s.len + 1);

	for (size_t i = 0; i < s.len; i++)
		p[i] = (char)tolower((unsigned char)s.p[i]);
	return cel_text(p, s.len);
}

CEL_FN(get_host)
{
	return text(unescape(a, url_of(arg)->host, false));
}

/* The host without its port, and the port. */
static void
split_host(struct span host, struct span *name, struct span *port)
{
	const char *bracket = memrchr(host.p ? host.p : "", ']', host.len);
	const char *colon = memrchr(host.p ? host.p : "", ':', host.len);

	*name = host;
	*port = (struct span){ "", 0 };
	if (colon && (!bracket || colon > bracket)) {
		name->len = (size_t)(colon - host.p);
		*port = (struct span){ colon + 1, host.len - name->len - 1 };
	}
	if (name->len >= 2 && *name->p == '[' && name->p[name->len - 1] == ']')
		*name = (struct span){ name->p + 1, name->len - 2 };
}

CEL_FN(get_hostname)
{
	struct span name, port;

	split_host(url_of(arg)->host, &name, &port);
	return text(unescape(a, name, false));
}

CEL_FN(get_port)
{
	struct span name, port;

	split_host(url_of(arg)->host, &name, &port);
	return text(port);
}

/* As it was written when that is allowed, else escaped anew. */
CEL_FN(get_escaped_path)
{
	static const char hex[] = "0123456789ABCDEF";
	struct span s = url_of(arg)->path, plain;
	char *out;
	size_t len = 0;

	if (all_of(s, "-_.~$&+,/:;=@!'()*[]%"))
		return text(s);
	plain = unescape(a, s, false);
	out = arena_alloc(a, 3 * plain.len + 1);
	for (size_t i = 0; i < plain.len; i++) {
		unsigned char c = (unsigned char)plain.p[i];

		if (isalnum(c) || (c && strchr("-_.~$&+,/:;=@", c))) {
			out[len++] = (char)c;
		} else {
			out[len++] = '%';
			out[len++] = hex[c >> 4];
			out[len++] = hex[c & 15];
		}
	}
	return cel_text(out, len);
}

/* The list of a key gets one value more. */
static void
add_value(
    struct arena *a, struct cel_entry *entry, size_t *n, struct cel_value key, struct cel_value v)
{
	const struct cel_list *had;
	struct cel_value *items;
	size_t i = 0;

	while (i < *n && !cel_equal(a, entry[i].key, key))
		i++;
	if (i == *n) {
		entry[(*n)++] = (struct cel_entry){ key, cel_list_of(a, NULL, 0) };
	}
	had = entry[i].value.list;
	items = arena_alloc(a, (had->n + 1) * sizeof *items);
	if (had->n)
		memcpy(items, had->item, had->n * sizeof *items);
	items[had->n] = v;
	entry[i].value = cel_list_of(a, items, had->n + 1);
}

CEL_FN(get_query)
{
	struct span s = url_of(arg)->query, bad;
	struct cel_entry *entry;
	size_t keys = 0, most = 1;

	for (size_t i = 0; i < s.len; i++)
		most += s.p[i] == '&';
	entry = arena_alloc(a, most * sizeof *entry);
	while (s.len) {
		struct span value = until(&s, '&'), key;

		if (s.len)
			s = (struct span){ s.p + 1, s.len - 1 };
		if (!value.len || memchr(value.p, ';', value.len))
			continue;
		key = until(&value, '=');
		if (value.len)
			value = (struct span){ value.p + 1, value.len - 1 };
		if (escapes_fine(key, &bad) && escapes_fine(value, &bad))
			add_value(a, entry, &keys, text(unescape(a, key, true)),
			    text(unescape(a, value, true)));
	}
	return cel_map_of(a, entry, keys);
}

const struct cel_function cel_lib_urls[] = {
	{ "url", "string_to_url", "(string) kubernetes.URL", make, cel_cost_scan },
	{ "isURL", "is_url_string", "(string) bool", is_url, NULL },
	{ "getScheme", "url_get_scheme", "kubernetes.URL.() string", get_scheme, NULL },
	{ "getHost", "url_get_host", "kubernetes.URL.() string", get_host, NULL },
	{ "getHostname", "url_get_hostname", "kubernetes.URL.() string", get_hostname, NULL },
	{ "getPort", "url_get_port", "kubernetes.URL.() string", get_port, NULL },
	{ "getEscapedPath", "url_get_escaped_path", "kubernetes.URL.() string", get_escaped_path,
	    NULL },
	{ "getQuery", "url_get_query", "kubernetes.URL.() map(string, list(string))", get_query,
	    NULL },
	{ 0 },
};
